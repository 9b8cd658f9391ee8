package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Of steps that only one arm has data in, nothing is compared, and nothing is shown
// beside the change: the numbers are those of the steps that both have.
func TestComparedAreTheSameSteps(t *testing.T) {
	t.Parallel()
	// 8 steps with 46 of 4,800 bad against 40 of 4,800, as in testdata's fl1011.csv, and 4
	// in which the baseline alone has data, and fails more.
	pairs := repeat(8, func(i int) Pair { return rates(float64(5+i%2+i/6), 600, 5, 600) })
	pairs = append(pairs, repeat(4, func(int) Pair { return Pair{Baseline: CountSample(60, 600)} })...)
	c := judge(t, ratio(0.25, DefaultFloor), 12, pairs...).Metrics[0].Compared
	if !c.Counted || c.Steps != 8 || c.Canary.Bad != 46 || c.Canary.Total != 4800 || c.Baseline.Bad != 40 || c.Baseline.Total != 4800 {
		t.Fatalf("%+v", c)
	}
	near(t, "canary", c.Canary.Level, 46.0/4800, 1e-12)
	near(t, "baseline", c.Baseline.Level, 40.0/4800, 1e-12)
}

// While the canary's share of the traffic changes and errors come and go, the pooled
// rates lie: each step has the same rate in both arms here, and they are 9.1% and 1.9%.
func TestComparedRatesOfAChangingShare(t *testing.T) {
	t.Parallel()
	pairs := repeat(6, func(i int) Pair {
		if i%2 == 0 {
			return rates(1, 100, 9, 900)
		}
		return rates(90, 900, 10, 100)
	})
	got := judge(t, ratio(0.25, 0), 12, pairs...).Metrics[0]
	c := got.Compared
	near(t, "estimate", got.Effect.Estimate, 0, 1e-9)
	near(t, "canary", c.Canary.Level, 0.091, 1e-12)
	near(t, "baseline at the canary's traffic", c.Baseline.Level, 0.091, 1e-9)
	if c.Baseline.Bad != 57 || c.Baseline.Total != 3000 {
		t.Errorf("the baseline's events are %g of %g, want 57 of 3000", c.Baseline.Bad, c.Baseline.Total)
	}
}

// A regression that began during the run is told by the steps since then: those of the
// test that decided.
func TestComparedSinceTheRestart(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 16))
	var bad, total []float64
	pairs := repeat(120, func(i int) Pair {
		rate := 0.02
		if i >= 61 {
			rate = 0.06
		}
		x := math.Round(200*rate + 2*rng.NormFloat64())
		bad, total = append(bad, x), append(total, 200)
		return rates(x, 200, math.Round(1800*0.02+6*rng.NormFloat64()), 1800)
	})
	j, err := NewJudge(Plan{Steps: 120, FalseAlarm: 0.05, WrongPass: 0.05, PassAfter: 120, Metrics: []Metric{ratio(0.25, DefaultFloor)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		if v, err := j.Step(Look{Pairs: []Pair{p}}); v != VerdictInconclusive || err != nil {
			break
		}
	}
	r := j.Result()
	got := r.Metrics[0]
	if got.Decision != Fail || got.Effect.Since == 0 {
		t.Fatalf("%v since %d at look %d; want a fail by a restart", got.Decision, got.Effect.Since, r.Looks)
	}
	var x, n float64
	for i := got.Effect.Since; i < r.Looks; i++ {
		x, n = x+bad[i], n+total[i]
	}
	if c := got.Compared; c.Steps != r.Looks-got.Effect.Since || c.Canary.Bad != x || c.Canary.Total != n {
		t.Errorf("%+v; want %g of %g canary events", c, x, n)
	}
	near(t, "ratio of the levels", got.Compared.Canary.Level/got.Compared.Baseline.Level-1, got.Effect.Estimate, 1e-8)
}

// Whatever outliers there are and however values are compared, the levels differ by the
// estimate, and lie where the pairs do.
func TestComparedValuesDifferByTheEstimate(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]Metric{
		"by ratio":      {Name: "m", Tolerance: Tolerance{Size: 0.1}},
		"a decrease":    {Name: "m", Direction: Decrease, Tolerance: Tolerance{Size: 0.1}},
		"either":        {Name: "m", Direction: Either, Tolerance: Tolerance{Size: 0.1}},
		"linear":        {Name: "m", Scale: Linear, Tolerance: Tolerance{Size: 0.1}},
		"linear, less":  {Name: "m", Scale: Linear, Direction: Decrease, Tolerance: Tolerance{Size: 0.1}},
		"by difference": {Name: "m", Tolerance: Tolerance{Size: 5, Absolute: true}},
		"absolute less": {Name: "m", Direction: Decrease, Tolerance: Tolerance{Size: 5, Absolute: true}},
	} {
		rng := rand.New(rand.NewPCG(16, 16))
		var canaries, baselines []float64
		pairs := repeat(20, func(i int) Pair {
			b := 100 * math.Exp(0.2*rng.NormFloat64())
			c := b * math.Exp(0.03*rng.NormFloat64())
			if i%7 == 3 {
				c *= 4 // pulled in
			}
			canaries, baselines = append(canaries, c), append(baselines, b)
			return values(c, b)
		})
		r := judge(t, m, 60, pairs...)
		c, e := r.Metrics[0].Compared, r.Metrics[0].Effect
		if c.Counted || c.Steps != r.Looks || math.IsNaN(e.Estimate) {
			t.Fatalf("%s: %+v, %+v", name, c, e)
		}
		var canary, baseline, product float64
		for i := range r.Looks {
			n := float64(r.Looks)
			canary, baseline = canary+canaries[i]/n, baseline+baselines[i]/n
			product += (math.Log(canaries[i]) + math.Log(baselines[i])) / 2 / n
		}
		if e.Absolute {
			near(t, name, c.Canary.Level-c.Baseline.Level, e.Estimate, 1e-9)
			near(t, name+": the lower arm", math.Min(c.Canary.Level, c.Baseline.Level), math.Min(canary, baseline), 1e-9)
		} else {
			near(t, name, c.Canary.Level/c.Baseline.Level-1, e.Estimate, 1e-9)
		}
		if m.Scale == Logarithmic && !e.Absolute {
			near(t, name+": the middle", math.Sqrt(c.Canary.Level*c.Baseline.Level), math.Exp(product), 1e-9)
		}
	}
}

// What is never below 0 is not shown below it: zeros are not at -0.0047 times the baseline.
func TestComparedIsNotBelowNothing(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 3))
	for _, d := range []Direction{Increase, Decrease} {
		m := Metric{Name: "m", Direction: d, Tolerance: Tolerance{Size: 0.1}}
		got := judge(t, m, 30, repeat(30, func(int) Pair { return values(0, 100*math.Exp(0.05*rng.NormFloat64())) })...).Metrics[0]
		if level := got.Compared.Canary.Level; level < 0 || level > 1 || got.Effect.Estimate < -1 || got.Effect.Lower < -1 {
			t.Errorf("%v: %+v, %+v", d, got.Compared, got.Effect)
		}
	}
	// What may be negative is.
	got := judge(t, value(0.1), 30, repeat(30, func(int) Pair { return values(-50+rng.NormFloat64(), 50+rng.NormFloat64()) })...).Metrics[0]
	if got.Compared.Canary.Level > -40 {
		t.Errorf("%+v", got.Compared)
	}
}
