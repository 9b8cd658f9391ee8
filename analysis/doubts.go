package analysis

import "math"

// Doubt is a reason to ask whether what was compared is what was meant, since the
// numbers are not as a release makes them. It is told beside the decision.
type Doubt string

// The doubts.
const (
	// ImprobableChange: one arm is beyond 10x the other. Are the arms swapped, or the
	// units different?
	ImprobableChange Doubt = "a change beyond 10x"
	// AllAgainstNone: all events of one arm are bad, and none of the other.
	AllAgainstNone Doubt = "all events of one arm are bad, none of the other"
	// ZeroAgainstValues: a value is 0 in every step of one arm and in none of the other.
	ZeroAgainstValues Doubt = "one arm is zero in every step, the other in none"
	// CoarseValues: the values are whole numbers, or otherwise few, of which the next one is
	// beyond the tolerance. If they were rounded, a smaller change is not seen.
	CoarseValues Doubt = "the values go up by more than the tolerance"
	// SlowNoise: what differs between the arms wanders from step to step so slowly that the
	// error rates are not held.
	SlowNoise Doubt = "the noise is slow"
	// ShrinkingStart: the canary was worse at first and came down, as in a cold start. ColdStart
	// says how.
	ShrinkingStart Doubt = "the canary was worse at first and came down"
)

const (
	// improbable is how large a change, as a ratio of the levels, is doubted, either way.
	improbable = 10
	// notByChance is how large it must be shown to be for that: of a few events a tenth
	// is nothing to wonder about.
	notByChance = 2
	// missedEvents is how many bad events the canary was to have at the baseline's rate for a
	// tenth of them to be doubted whatever the interval says: even if they came in bunches
	// of five, none of them would come once in 50 times.
	missedEvents = 20
	// otherUnits is how much better a value may be and pass by a relative tolerance. Units
	// that are mixed up differ by more (100 for percentages, 1000 for ms and s), and then
	// the canary could be as much worse and would pass.
	otherUnits = 50
	// slowNoise is from which autocorrelation of neighbouring steps on noise is slow, and
	// slowSteps in how many observations it must be seen: without noise of that kind the
	// posterior mean gets there in none of 3,000 simulated runs (docs/statistics/method.md,
	// section 13.16).
	slowNoise = 0.5
	slowSteps = 8
	// slowEvents is how many bad events it takes, in both arms: of none it knows nothing.
	slowEvents = 20
	// allOfMany is how many events an arm needs for all of them to say anything.
	allOfMany = 5
)

// doubts lists what is to be doubted of a metric with this effect, which may have had a cold start.
func (j *judgement) doubts(e Effect, cold bool) []Doubt {
	var all []Doubt
	c := j.compared()
	switch {
	case j.zeroAgainstValues():
		all = append(all, ZeroAgainstValues)
	case j.metric.Spikes != nil:
		// Every step above a bound, and none of the other arm, is what they are judged for.
	case c.Counted && allAgainstNone(c):
		all = append(all, AllAgainstNone)
	case c.Steps > 0 && e.improbable(c):
		all = append(all, ImprobableChange)
	case j.decision != Fail && j.coarse():
		all = append(all, CoarseValues)
	}
	if !j.metric.Advisory && j.autocorrelation() >= slowNoise {
		all = append(all, SlowNoise)
	}
	if cold {
		all = append(all, ShrinkingStart)
	}
	return all
}

// autocorrelation returns what is known of that of neighbouring steps, over the whole run
// or since the restart that failed: its posterior mean, NaN before there is enough of it.
func (j *judgement) autocorrelation() float64 {
	if len(j.sides) == 0 {
		return math.NaN()
	}
	test := j.sides[0].tests[0]
	if j.decider != nil {
		test = j.decider
	}
	if test.evidence.observations() < slowSteps {
		return math.NaN()
	}
	switch e := exactly(test.evidence).(type) {
	case *valueEvidence:
		if !e.tied() && e.winsorised().Variance() > e.floor()*e.floor() {
			return e.fit().Autocorrelation()
		}
	case *countsEvidence:
		if !e.pooled && !e.metric.PoissonCounts && e.totals.X+e.totals.Y >= slowEvents {
			return e.counts.Autocorrelation()
		}
	}
	return math.NaN()
}

// improbable reports whether the levels differ by more than a release makes them
// differ, and not by chance.
func (e Effect) improbable(c Compared) bool {
	ratio, lower, upper := 1+e.Estimate, 1+e.Lower, 1+e.Upper
	if math.IsNaN(lower) && math.IsNaN(upper) {
		return false
	}
	if e.Absolute {
		ratio = c.Canary.Level / c.Baseline.Level
		// The interval is one of differences; all that it says of the ratio is its side of 1.
		lower, upper = math.Copysign(math.Inf(1), e.Lower), math.Copysign(math.Inf(1), e.Upper)
	}
	switch {
	case math.IsInf(ratio, 1):
		return false // a baseline without errors is a good one
	case ratio >= improbable:
		return lower > notByChance
	case math.Abs(ratio) <= 1.0/improbable:
		return upper < 1.0/notByChance || c.Counted && c.Baseline.Level*c.Canary.Total >= missedEvents
	}
	return false
}

// allAgainstNone reports whether all events of one arm are bad, and none of the other.
func allAgainstNone(c Compared) bool {
	all := func(a ComparedArm) bool { return a.Bad == a.Total && a.Total >= allOfMany }
	none := func(a ComparedArm) bool { return a.Bad == 0 && a.Total >= allOfMany }
	return all(c.Canary) && none(c.Baseline) || none(c.Canary) && all(c.Baseline)
}

// zeroAgainstValues reports whether a value is 0 in every usable step of one arm and in
// none of the other.
func (j *judgement) zeroAgainstValues() bool {
	t := j.tally
	return t.usable > 0 && (t.zero.canary == t.usable || t.zero.baseline == t.usable)
}

// coarse reports whether a value's smallest step is beyond the tolerance.
func (j *judgement) coarse() bool {
	v, ok := j.firstValue()
	return ok && v.ready() && v.coarse()
}

// doubtful says which doubt keeps the metric from passing, or "". Where a canary is this
// much better by a share of the baseline, it could be far worse and pass.
func (j *judgement) doubtful() Cause {
	if len(j.sides) == 0 || j.metric.Tolerance.Absolute || j.metric.Counted() {
		return ""
	}
	if j.zeroAgainstValues() {
		return ZeroInOneArm
	}
	least := math.Inf(1)
	eachValue(j.sides[0].tests[0].evidence, func(v *valueEvidence) { least = math.Min(least, v.better()) })
	if least > otherUnits {
		return OtherUnits
	}
	return ""
}

// better returns by how much, as a ratio of the levels, the canary is better than the
// baseline; less than 1 where it is worse.
func (e *valueEvidence) better() float64 {
	if e.series.Len() < firstLookValue {
		return 1
	}
	mean := e.winsorised().Mean()
	switch e.contrast {
	case logRatio:
		return math.Exp(-mean)
	case excess:
		level := e.metric.Tolerance.Limit(e.direction)
		if e.direction == Decrease {
			return level - mean/e.meanBaseline()
		}
		return 1 / math.Max(level+mean/e.meanBaseline(), math.SmallestNonzeroFloat64)
	}
	return 1
}
