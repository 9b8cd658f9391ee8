package analysis

import "math"

// Compared is what was held against each other: of each arm one number of the steps
// that the effect is of, so that the two and the effect agree.
type Compared struct {
	// Steps is how many steps, or groups of merged ones, count: those with data in both
	// arms, since the effect's Since; for Checks those with a run in either. 0 = none yet.
	Steps int
	// Counted says that the levels are rates of events, not values.
	Counted bool
	// Apart says that the buckets allow both more and less in the canary than in the
	// baseline: the levels do not tell a change.
	Apart            bool
	Baseline, Canary ComparedArm
}

// ComparedArm is one arm of what was compared.
type ComparedArm struct {
	// Level is such that the estimate of the effect is canary/baseline - 1, or canary -
	// baseline where the tolerance is absolute. NaN where no events allow one.
	//
	// Of counts it is a rate: the canary's is Bad / Total, and the baseline's is the same
	// where the arms' shares of the traffic stay as they are; where they change, it is
	// what the baseline's rates make at the canary's traffic. Of values that are compared
	// by ratio it is a geometric mean: the two lie around that of all pairs. Of values that
	// are compared by difference it is the mean of the arm that is lower; the other's lies
	// the estimate above it.
	Level      float64
	Bad, Total float64 // events of counts; NaN of values
}

// compared returns what the effect of a metric is of.
func (j *judgement) compared() Compared {
	switch {
	case j.decider != nil:
		return j.decider.evidence.compared()
	case len(j.sides) > 0:
		return j.sides[0].tests[0].evidence.compared()
	}
	return Compared{}
}

func (e *countsEvidence) compared() Compared {
	t, ratio := e.totals, math.NaN()
	standardised := e.standardised()
	if e.direction == Decrease {
		standardised.X, standardised.N, standardised.Y, standardised.M = standardised.Y, standardised.M, standardised.X, standardised.N
	}
	if t.N > 0 && t.M > 0 {
		ratio = e.counts.Ratio()
	}
	if e.direction == Decrease {
		t.X, t.N, t.Y, t.M = t.Y, t.M, t.X, t.N
		ratio = 1 / ratio
	}
	c := Compared{
		Steps: e.steps, Counted: true,
		Baseline: ComparedArm{Level: t.Y / t.M, Bad: t.Y, Total: t.M},
		Canary:   ComparedArm{Level: t.X / t.N, Bad: t.X, Total: t.N},
	}
	if e.metric.Tolerance.Absolute && len(e.strata) > 1 {
		c.Baseline.Level, c.Canary.Level = standardised.Y/standardised.M, standardised.X/standardised.N
	}
	// The pooled rates are the ones, but for rounding, where the shares of the traffic do
	// not change.
	const rounding = 1e-9
	at := c.Canary.Level / ratio
	if !e.metric.Tolerance.Absolute && at > 0 && !math.IsInf(at, 0) && math.Abs(at/c.Baseline.Level-1) > rounding {
		c.Baseline.Level = at
	}
	return c
}

// compared of what is known only between two readings is that of the reading which the
// estimate is of. Where there is none, each arm shows what it has at least, of counts, or
// the middle of what it may have, of values.
func (e *bracketed) compared() Compared {
	low, high := e.low.compared(), e.high.compared()
	if !e.apart || low.higher() {
		return low
	}
	if high.lower() {
		return high
	}
	low.Apart = true
	if low.Counted {
		low.Baseline = high.Baseline
		for _, a := range []*ComparedArm{&low.Canary, &low.Baseline} {
			a.Level = a.Bad / a.Total
		}
		return low
	}
	low.Canary.Level = math.Sqrt(low.Canary.Level * high.Canary.Level)
	low.Baseline.Level = math.Sqrt(low.Baseline.Level * high.Baseline.Level)
	return low
}

// higher and lower report whether the canary's level is above, or below, the baseline's.
func (c Compared) higher() bool { return c.Canary.Level > c.Baseline.Level }
func (c Compared) lower() bool  { return c.Canary.Level < c.Baseline.Level }

func (e *valueEvidence) compared() Compared {
	c := Compared{
		Steps:    len(e.pairs),
		Baseline: ComparedArm{Level: math.NaN(), Bad: math.NaN(), Total: math.NaN()},
		Canary:   ComparedArm{Level: math.NaN(), Bad: math.NaN(), Total: math.NaN()},
	}
	if c.Steps == 0 {
		return c
	}
	difference, n := e.estimate(), float64(c.Steps)
	if e.direction == Decrease {
		difference = -difference
	}
	switch e.contrast {
	case logRatio:
		var middle float64
		for _, p := range e.pairs {
			middle += (math.Log(p.canary) + math.Log(p.baseline)) / 2 / n
		}
		c.Baseline.Level, c.Canary.Level = math.Exp(middle-difference/2), math.Exp(middle+difference/2)
	case excess:
		// The change is told in parts of the baseline's mean.
		c.Baseline.Level = e.meanBaseline()
		c.Canary.Level = e.metric.Tolerance.Limit(e.direction)*c.Baseline.Level + difference
		if !e.negative {
			c.Canary.Level = math.Max(c.Canary.Level, 0)
		}
	default:
		var canary float64
		for _, p := range e.pairs {
			canary += p.canary / n
		}
		if baseline := e.meanBaseline(); math.Abs(baseline) < math.Abs(canary) {
			c.Baseline.Level, c.Canary.Level = baseline, baseline+difference
		} else {
			c.Baseline.Level, c.Canary.Level = canary-difference, canary
		}
	}
	return c
}

// estimate returns the oriented difference of the effect, or, before the first look,
// the plain one.
func (e *valueEvidence) estimate() float64 {
	if e.ready() {
		return e.fit().Mean()
	}
	return e.winsorised().Mean() - e.shift().By
}
