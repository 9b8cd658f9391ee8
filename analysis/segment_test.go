package analysis

import (
	"math"
	"testing"
)

// A part of a metric fails the run as any metric does, and holds up its pass only where more than
// a lack of requests speaks against it.
func TestSegment(t *testing.T) {
	t.Parallel()
	good := rates(10, 1000, 20, 2000)
	for _, c := range []struct {
		name     string
		part     func(step int) Pair
		required bool
		want     Verdict
		holds    bool
		decided  Decision
	}{
		{"many requests, as good", func(int) Pair { return rates(10, 1000, 20, 2000) }, false, VerdictPass, false, Pass},
		{"many more errors", func(int) Pair { return rates(90, 100, 5, 100) }, false, VerdictFail, false, Fail},
		{"few requests", func(step int) Pair { return rates(float64(step%2), 100, float64((step+1)%2), 100) }, false, VerdictPass, false, Undecided},
		{"few requests, and it is waited for", func(step int) Pair { return rates(float64(step%2), 100, float64((step+1)%2), 100) }, true, VerdictInconclusive, false, Undecided},
		{"too few requests for a look", func(step int) Pair {
			if step < 3 {
				return rates(0, 3, 0, 3)
			}
			return rates(0, 0, 0, 0)
		}, false, VerdictPass, false, Undecided},
		{"half as many again, of few", func(step int) Pair { return rates(float64(3*(step%2)), 100, float64(2*((step+1)%2)), 100) }, false, VerdictPass, false, Undecided},
		{"7 of 9 bad requests in a third of them", func(step int) Pair {
			if step <= 28 {
				return rates(float64(step%4/3), 20, float64(step%14/13), 40)
			}
			return rates(0, 20, 0, 40)
		}, false, VerdictInconclusive, true, Undecided},
		{"none in either arm", func(int) Pair { return rates(0, 0, 0, 0) }, false, VerdictPass, false, NoData},
		{"none in either arm, and it is waited for", func(int) Pair { return rates(0, 0, 0, 0) }, true, VerdictInconclusive, false, NoData},
		{"none in the canary, and few in the baseline", func(step int) Pair { return rates(0, 0, 0, float64(step%2)) }, false, VerdictPass, false, NoData},
		{"none in the canary, and many in the baseline", func(int) Pair { return rates(0, 0, 1, 100) }, false, VerdictInconclusive, true, NoData},
		{"none in the baseline, as of what is new", func(int) Pair { return rates(1, 100, 0, 0) }, false, VerdictPass, false, NoData},
		{"the canary falls silent", func(step int) Pair {
			if step < 8 {
				return rates(1, 100, 2, 200)
			}
			return rates(0, 0, 2, 200)
		}, false, VerdictInconclusive, true, NoData},
		{"the canary, of few requests, falls silent", func(step int) Pair {
			if step < 20 {
				return rates(0, 2, 0, 4)
			}
			return rates(0, 0, 0, 4)
		}, false, VerdictInconclusive, true, Undecided},
	} {
		whole := ratio(0.25, 0.001)
		whole.Name, whole.Weight = "errors", 0.5
		part := whole
		part.Name, part.Of, part.FailOnly = "errors in region=us", "errors", !c.required
		j, err := NewJudge(Plan{Steps: 60, FalseAlarm: 0.05, WrongPass: 0.05, PassAfter: 30, Metrics: []Metric{whole, part}})
		if err != nil {
			t.Fatal(err)
		}
		for step := 1; step <= 60; step++ {
			if verdict, err := j.Step(Look{Pairs: []Pair{good, c.part(step)}}); err != nil {
				t.Fatal(err)
			} else if verdict != VerdictInconclusive {
				break
			}
		}
		got := j.Result().Metrics[1]
		if j.Verdict() != c.want || got.Holds != c.holds || got.Decision != c.decided {
			t.Errorf("%s: the run is %v, the part %v, holds %v; want %v, %v, %v", c.name, j.Verdict(), got.Decision, got.Holds, c.want, c.decided, c.holds)
		}
		if got.Share != 0.025 {
			t.Errorf("%s: the part may fail with %g, want half of 5%%", c.name, got.Share)
		}
	}
}

// Of values nobody knows how many requests are behind them: a canary without any where the
// baseline has some most of the time is more than few.
func TestSegmentOfValues(t *testing.T) {
	t.Parallel()
	gap := math.NaN()
	for _, c := range []struct {
		name             string
		canary, baseline func(step int) float64
		want             Verdict
	}{
		{"a value now and then", func(step int) float64 { return map[bool]float64{true: gap, false: 1}[step%3 > 0] }, func(int) float64 { return 1.01 }, VerdictPass},
		{"none in the canary", func(int) float64 { return gap }, func(int) float64 { return 1 }, VerdictInconclusive},
		{"none in the canary, seldom one in the baseline", func(int) float64 { return gap }, func(step int) float64 { return map[bool]float64{true: gap, false: 1}[step%3 > 0] }, VerdictPass},
		{"none in the baseline", func(int) float64 { return 1 }, func(int) float64 { return gap }, VerdictPass},
		{"zero in the baseline, as of what nothing waits for", func(int) float64 { return 0 }, func(int) float64 { return 0 }, VerdictPass},
	} {
		whole := Metric{Name: "latency", Kind: Value, Tolerance: Tolerance{Size: 0.1}}
		part := whole
		part.Name, part.Of, part.FailOnly = "latency in region=us", "latency", true
		j, err := NewJudge(Plan{Steps: 30, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{whole, part}})
		if err != nil {
			t.Fatal(err)
		}
		for step := 1; step <= 30 && j.Verdict() == VerdictInconclusive; step++ {
			noise := 1 + 0.01*float64(step%4)
			_, err := j.Step(Look{Pairs: []Pair{
				{Canary: ValueSample(noise), Baseline: ValueSample(1.01)},
				{Canary: ValueSample(c.canary(step) * noise), Baseline: ValueSample(c.baseline(step))},
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		if j.Verdict() != c.want {
			t.Errorf("%s: %v, want %v; %+v", c.name, j.Verdict(), c.want, j.Result().Metrics[1].Cause)
		}
	}
}

// A part is of another metric of the plan, which is no part, and of the same kind.
func TestValidatePart(t *testing.T) {
	t.Parallel()
	whole := ratio(0.25, 0.001)
	whole.Name = "errors"
	for _, c := range []struct {
		of   string
		kind Kind
		ok   bool
	}{
		{"errors", Ratio, true},
		{"error", Ratio, false},
		{"part", Ratio, false},
		{"errors", Value, false},
	} {
		part := whole
		part.Name, part.Of, part.Kind, part.Floor = "part", c.of, c.kind, 0
		err := Plan{Steps: 30, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{whole, part}}.Validate()
		if (err == nil) != c.ok {
			t.Errorf("a %v of %q: %v", c.kind, c.of, err)
		}
	}
	part := whole
	part.Name, part.Of = "part", "errors"
	partOfPart := part
	partOfPart.Name, partOfPart.Of = "smaller", "part"
	if (Plan{Steps: 30, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{whole, part, partOfPart}}).Validate() == nil {
		t.Error("a part of a part is valid")
	}
}

// A part keeps a ramp in its stage only where it would keep the run from passing.
func TestSegmentInRamp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		part func(step int) Pair
		want Hold
	}{
		{"few requests", func(int) Pair { return rates(0, 1, 0, 0) }, NoHold},
		{"silent in the canary", func(int) Pair { return rates(0, 0, 1, 100) }, HoldForTolerance},
	} {
		whole := ratio(0.25, 0.001)
		whole.Name = "errors"
		part := whole
		part.Name, part.Of, part.FailOnly = "errors in region=us", "errors", true
		j, err := NewJudge(Plan{
			Steps: 60, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{whole, part},
			Ramp: &Ramp{Stages: []Stage{{Share: 0.1, Steps: 5}, {Share: 0.5, Steps: 5}}, Budget: 10},
		})
		if err != nil {
			t.Fatal(err)
		}
		for step := 1; step <= 10; step++ {
			if _, err := j.Step(Look{Pairs: []Pair{rates(10, 1000, 90, 9000), c.part(step)}}); err != nil {
				t.Fatal(err)
			}
		}
		if got := j.Ramp(); got.Hold != c.want {
			t.Errorf("%s: held since %q (%s), want %q", c.name, got.Hold, got.Metric, c.want)
		}
	}
}
