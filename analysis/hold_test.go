package analysis

import (
	"testing"
)

// A metric that holds never fails the run: while it is beyond its tolerance nothing passes and a ramp waits, and
// once it is back both go on.
func TestHold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		bad  func(step int) float64 // of 2,000 requests of the canary; the baseline has 40
		want Verdict
		held []int // looks at which it holds, from and to
	}{
		{"as good", func(int) float64 { return 40 }, VerdictPass, nil},
		{"five times as bad", func(int) float64 { return 200 }, VerdictInconclusive, []int{10, 240}},
		{"bad, and back", func(step int) float64 {
			if step <= 5 {
				return 120
			}
			return 36
		}, VerdictPass, []int{6, 6}},
	} {
		hold := ratio(0.5, 0)
		hold.Name, hold.Hold = "errors", true
		other := ratio(0.5, 0)
		other.Name = "timeouts"
		j, err := NewJudge(Plan{Steps: 240, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{hold, other}})
		if err != nil {
			t.Fatal(err)
		}
		first, last := 0, 0
		for step := 1; step <= 240; step++ {
			v, err := j.Step(Look{Pairs: []Pair{rates(c.bad(step), 2000, 40, 2000), rates(40, 2000, 40, 2000)}})
			if err != nil {
				t.Fatal(err)
			}
			r := j.Result().Metrics[0]
			if r.Decision == Fail {
				t.Fatalf("%s: it fails at step %d", c.name, step)
			}
			if r.Holds {
				if v == VerdictPass {
					t.Errorf("%s: it passes at step %d while it is held", c.name, step)
				}
				if first == 0 {
					first = step
				}
				last = step
			}
			if v != VerdictInconclusive {
				break
			}
		}
		if j.Verdict() != c.want {
			t.Errorf("%s: the run is %v, want %v", c.name, j.Verdict(), c.want)
		}
		switch {
		case c.held == nil && first != 0, c.held != nil && (first == 0 || first > c.held[0] || last < c.held[1]):
			t.Errorf("%s: it holds from step %d to %d, want %v", c.name, first, last, c.held)
		}
		if share := j.Result().Metrics[1].Share; share != 0.05 {
			t.Errorf("%s: the other metric may fail with %g, want all of 5%%", c.name, share)
		}
	}
}

// A ramp waits for a metric that holds, and goes on when it is back.
func TestHoldInRamp(t *testing.T) {
	t.Parallel()
	hold := ratio(0.5, 0)
	hold.Name, hold.Hold = "errors", true
	other := ratio(0.5, 0)
	other.Name = "timeouts"
	plan := Plan{Steps: 120, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{hold, other}, Ramp: &Ramp{Budget: 1000, Stages: []Stage{{0.1, 3}, {0.5, 3}}}}
	j, err := NewJudge(plan)
	if err != nil {
		t.Fatal(err)
	}
	waited, went := 0, 0
	for step := 1; step <= 100 && went == 0; step++ {
		bad := 60.0
		if step > 12 {
			bad = 15
		}
		if _, err := j.Step(Look{Pairs: []Pair{rates(bad, 1000, 180, 9000), rates(20, 1000, 180, 9000)}}); err != nil {
			t.Fatal(err)
		}
		switch s := j.Ramp(); {
		case s.Hold == HoldForTolerance && s.Metric == "errors":
			waited++
		case s.Hold == NoHold && step > 12:
			went = step
		}
	}
	if waited < 5 || went == 0 {
		t.Errorf("it waited for %d steps, and went on at step %d", waited, went)
	}
}

func TestValidateHold(t *testing.T) {
	t.Parallel()
	for _, m := range []Metric{{Hold: true, Advisory: true}, {Hold: true, FailOnly: true}} {
		of := ratio(0.5, 0)
		of.Hold, of.Advisory, of.FailOnly = m.Hold, m.Advisory, m.FailOnly
		must := ratio(0.5, 0)
		must.Name = "other"
		if (Plan{Steps: 60, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{of, must}}).Validate() == nil {
			t.Errorf("%+v is valid", m)
		}
	}
}
