package analysis

import (
	"errors"
	"math"
	"testing"
)

// A step whose canary has a share of 1000 requests, at a rate of errors in either arm.
func shared(share, canary, baseline float64) Pair {
	n := 1000 * share
	return rates(canary*n, n, baseline*(1000-n), 1000-n)
}

func rampPlan(m Metric, steps int) Plan {
	m.Name = "errors"
	return Plan{
		Steps: steps, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{m},
		Exposure: &Exposure{Metric: 0, Tolerance: 0.2},
		Ramp:     &Ramp{Stages: []Stage{{0.05, 5}, {0.5, 5}}, Budget: 0.432},
	}
}

func stepIn(t *testing.T, j *Judge, stage int, settling bool, p Pair) Verdict {
	t.Helper()
	v, err := j.Step(Look{Pairs: []Pair{p}, Stage: stage, Settling: settling})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Errors come five times as often while the canary has half of the traffic as while it has
// hardly any, in both arms: the sums say that the canary is three times as bad as the baseline
// (Simpson's paradox).
func TestARampIsNoParadox(t *testing.T) {
	t.Parallel()
	for _, tolerance := range []Tolerance{{Size: 0.5}, {Size: 0.01, Absolute: true}} {
		m := ratio(0.5, 0)
		m.Tolerance = tolerance
		j, err := NewJudge(rampPlan(m, 60))
		if err != nil {
			t.Fatal(err)
		}
		v := VerdictInconclusive
		for step := 0; step < 60 && v == VerdictInconclusive; step++ {
			wobble := 1 + 0.1*float64(step%3)
			if step < 30 {
				v = stepIn(t, j, 0, false, shared(0.05, 0.02*wobble, 0.02*wobble))
			} else {
				v = stepIn(t, j, 1, false, shared(0.5, 0.1*wobble, 0.1*wobble))
			}
		}
		if v != VerdictPass {
			t.Errorf("tolerance %+v: a canary that is the same comes to %s", tolerance, v)
		}
		r := j.Result().Metrics[0]
		want := 0.0
		near(t, "the effect", r.Effect.Estimate, want, 1e-9)
		if tolerance.Absolute {
			near(t, "what was compared", r.Compared.Canary.Level-r.Compared.Baseline.Level, want, 1e-9)
		}
	}
	// 30 steps of each: 50 requests with 2% in the canary, then 500 with 10%.
	var early, late []Pair
	for range 30 {
		early, late = append(early, shared(0.05, 0.02, 0.02)), append(late, shared(0.5, 0.1, 0.1))
	}
	b, ok := MeasureBlast(ratio(0.5, 0), early, late)
	if !ok || b.Requests != 30*550 || b.All != 60*1000 {
		t.Errorf("%+v", b)
	}
	near(t, "the excess of the same", b.Excess, 0, 1e-9)
	if !(b.Lower < 0 && b.Upper > 0) {
		t.Errorf("the interval of none is %g to %g", b.Lower, b.Upper)
	}
}

func TestARampGoesOn(t *testing.T) {
	t.Parallel()
	m := ratio(0.5, 0)
	p := rampPlan(m, 60)
	p.Guards = []string{"monitor"}
	j, err := NewJudge(p)
	if err != nil {
		t.Fatal(err)
	}
	look := func(stage int, settling bool, g GuardState, pair Pair) *RampState {
		t.Helper()
		if _, err := j.Step(Look{Pairs: []Pair{pair}, Guards: []GuardState{g}, Stage: stage, Settling: settling}); err != nil {
			t.Fatal(err)
		}
		return j.Ramp()
	}
	good := shared(0.05, 0.02, 0.02)
	for range 3 {
		look(0, true, GuardQuiet, good)
	}
	if s := j.Ramp(); s.Steps != 0 || s.Hold != HoldForTime {
		t.Errorf("while traffic settles: %+v", s)
	}
	for range 4 {
		if s := look(0, false, GuardQuiet, good); s.Hold != HoldForTime {
			t.Errorf("after %d steps: %+v", s.Steps, s)
		}
	}
	if s := look(0, false, GuardUnread, good); s.Hold != HoldForGuard || s.Metric != "monitor" {
		t.Errorf("a guard is not read: %+v", s)
	}
	// 1,000 requests a step, of which half go to the canary for five steps; 0.432 steps' worth
	// may fail.
	s := look(0, false, GuardQuiet, good)
	if s.Hold != NoHold || s.AtMost != 432 || !(s.Harm > 0 && s.Harm <= 432) {
		t.Errorf("a good stage: %+v", s)
	}
	r := j.Result().Metrics[0]
	// 6 steps of 50 requests with 1 bad one each. The harm is the limit of the difference of
	// rates times the 2,500 requests that the next stage brings; by the plain upper limit of
	// the canary's rate alone it is larger.
	if rate := s.Harm / 2500; !(rate > 0 && rate < 1-math.Pow(0.0001, 1.0/300)+0.05) || r.Elapsed != 6 {
		t.Errorf("the harm is %g of the requests after %d steps", rate, r.Elapsed)
	}
	if s := look(1, false, GuardQuiet, shared(0.5, 0.02, 0.02)); s.Stage != 1 || s.Steps != 1 || s.Hold != HoldForTime || !math.IsNaN(s.Harm) {
		t.Errorf("in the last stage: %+v", s)
	}
	if _, err := j.Step(Look{Pairs: []Pair{good}, Guards: []GuardState{GuardQuiet}}); !errors.Is(err, errStage) {
		t.Errorf("a ramp went back: %v", err)
	}
}

func TestARampIsHeld(t *testing.T) {
	t.Parallel()
	latency := value(0.1)
	latency.Name = "latency"
	for _, c := range []struct {
		name   string
		change func(*Plan)
		step   func(int) []Pair
		want   Hold
		metric string
	}{
		{"harm", func(p *Plan) { p.Ramp.AtMost = 5 }, func(int) []Pair { return []Pair{shared(0.05, 0.02, 0.02), values(1, 1)} }, HoldForHarm, "errors"},
		{"a share that is not reached", nil, func(int) []Pair { return []Pair{shared(0.01, 0.02, 0.02), values(1, 1)} }, HoldForExposure, "errors"},
		{"no data of a metric", nil, func(int) []Pair { return []Pair{shared(0.05, 0.02, 0.02), {}} }, HoldForLook, "latency"},
		{"slower than tolerated, and not shown to be", nil, func(i int) []Pair {
			return []Pair{shared(0.05, 0.02, 0.02), values(1.5*[]float64{0.6, 1, 1.5}[i%3], 1)}
		}, HoldForTolerance, "latency"},
		{"an advisory metric holds nothing", func(p *Plan) { p.Metrics[1].Advisory = true }, func(int) []Pair { return []Pair{shared(0.05, 0.02, 0.02), {}} }, NoHold, ""},
	} {
		p := rampPlan(ratio(0.5, 0), 60)
		p.Metrics = append(p.Metrics, latency)
		if c.change != nil {
			c.change(&p)
		}
		j, err := NewJudge(p)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 8 {
			pairs := c.step(step)
			wobble := 1 + 0.01*float64(step%4)
			pairs[1].Baseline = ValueSample(pairs[1].Baseline.Value() * wobble)
			if v, err := j.Step(Look{Pairs: pairs}); err != nil || v != VerdictInconclusive {
				t.Fatalf("%s: %s, %v", c.name, v, err)
			}
		}
		if s := j.Ramp(); s.Hold != c.want || s.Metric != c.metric {
			t.Errorf("%s: held %q by %q (%+v)", c.name, s.Hold, s.Metric, *s)
		}
	}
}

// A run passes in its last stage alone, once that has lasted; or in any with early.
func TestARampPassesAtItsEnd(t *testing.T) {
	t.Parallel()
	for _, early := range []bool{false, true} {
		p := rampPlan(ratio(1, 0), 60)
		p.Ramp.Early = early
		j, err := NewJudge(p)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 60 {
			stage := 0
			if step >= 40 {
				stage = 1
			}
			pair := shared([]float64{0.05, 0.5}[stage], 0.1, 0.1)
			if stepIn(t, j, stage, step == 40, pair) == VerdictPass {
				break
			}
		}
		// The last stage begins after 40 steps, one of which settles, and lasts five.
		atTheEnd := j.Looks() == 40+1+5
		if j.Verdict() != VerdictPass || early && j.Looks() >= 40 || !early && !atTheEnd {
			t.Errorf("early %t: %s after %d looks", early, j.Verdict(), j.Looks())
		}
	}
}

// What traffic shows while it settles is shown to no metric, and a guard still fails the run.
func TestSettlingStepsAreNotJudged(t *testing.T) {
	t.Parallel()
	p := rampPlan(ratio(0.5, 0), 60)
	p.Guards = []string{"monitor"}
	j, err := NewJudge(p)
	if err != nil {
		t.Fatal(err)
	}
	broken := shared(0.05, 1, 0)
	for range 20 {
		if v, err := j.Step(Look{Pairs: []Pair{broken}, Guards: []GuardState{GuardQuiet}, Settling: true}); err != nil || v != VerdictInconclusive {
			t.Fatalf("%s, %v", v, err)
		}
	}
	if v, err := j.Step(Look{Pairs: []Pair{broken}, Guards: []GuardState{GuardAlerting}, Settling: true}); err != nil || v != VerdictFail {
		t.Errorf("a guard alerts while traffic settles: %s, %v", v, err)
	}
	if r := j.Result().Metrics[0]; r.Elapsed != 0 || r.Decision == Fail {
		t.Errorf("%d steps were judged: %s", r.Elapsed, r.Decision)
	}
}

func TestARampIsValid(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Ramp){
		"no stages":       func(r *Ramp) { r.Stages = nil },
		"all traffic":     func(r *Ramp) { r.Stages[1].Share = 1 },
		"none":            func(r *Ramp) { r.Stages[0].Share = 0 },
		"less than first": func(r *Ramp) { r.Stages[1].Share = 0.01 },
		"no steps":        func(r *Ramp) { r.Stages[0].Steps = 0 },
		"too long":        func(r *Ramp) { r.Stages[0].Steps = 100 },
		"no budget":       func(r *Ramp) { r.Budget = 0 },
		"NaN":             func(r *Ramp) { r.AtMost = math.NaN() },
	} {
		p := rampPlan(ratio(0.5, 0), 60)
		change(p.Ramp)
		if _, err := NewJudge(p); err == nil {
			t.Errorf("%s is a ramp", name)
		}
	}
}
