package analysis

import (
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Fewest usable observations before the first look (docs/statistics/method.md, section 3).
const (
	firstLookValue  = 4 // pairs
	firstLookRatio  = 3 // intervals
	firstLookChecks = 2 // runs in each arm
	// firstLearned is the first look that may fail a canary whose noise is known from before
	// the run.
	firstLearned = 2
)

// firstLook returns the first look that may fail the canary. A few differences that lie as close
// together as those of a nearly constant history do so by chance if the run is noisier.
func (l *learned) firstLook(usual int) int {
	if l == nil || l.quiet {
		return usual
	}
	return firstLearned
}

// observation is what a metric's samples of one step, or of several merged ones,
// come down to: a pair of values, or counts.
type observation struct {
	canary, baseline float64
	counts           stats.PairedCounts // canary first
	// tail is how many observations lie beyond a quantile that the values are, in the arm that
	// has fewer of them; 0 for other values.
	tail float64
}

// bracket is an observation as far as it is known: what buckets hold between two of
// their bounds may lie anywhere there. low is the reading at which the canary is
// lowest and the baseline highest, high the one the other way round; they are the
// same where the data tell exactly.
type bracket struct {
	low, high observation
	stage     int // of the ramp, in which the arms share the traffic alike
}

// exact returns the bracket of an observation that is known exactly.
func exact(o observation) bracket { return bracket{low: o, high: o} }

// evidence is what one test has seen since it started, for one direction. All
// comparisons are oriented: more is worse.
type evidence interface {
	add(bracket)
	// ready reports whether there is enough for a first look, at which the canary may fail,
	// and readyToPass for one at which it may pass.
	ready() bool
	readyToPass() bool
	// information is what the clock runs on; only its ratios matter.
	information() float64
	// beyond reports whether the canary is shown to be worse than tolerated at a
	// one-sided level. The optimistic answer is cheap and may err towards true only:
	// at a level that is at least the true one, its false is final.
	beyond(level float64, optimistic bool) bool
	// within reports whether the canary is shown to be within tolerance, likewise.
	within(level float64, optimistic bool) bool
	// tolerated reports whether the estimate, such as it is, lies within the tolerance;
	// where there is none, because nothing bad has happened, it does.
	tolerated() bool
	// singles are the observations one by one, none where they have no order.
	singles() singles
	// observations is how many have been of use.
	observations() int
	// effect returns the change canary/baseline - 1 (or the difference, for an
	// absolute tolerance) with its limits at the FAIL and the PASS level. Limits that
	// cannot be given are infinite, an estimate that cannot is NaN.
	effect(failLevel, passLevel float64) Effect
	// compared returns what the effect is of.
	compared() Compared
}

// Effect is the size of a change and its repeated confidence interval.
type Effect struct {
	// Estimate is canary/baseline - 1, or canary - baseline when Absolute. NaN =
	// cannot be told (nothing happened in either arm).
	Estimate float64
	// Lower and Upper hold over all looks: each is crossed by the true change with at
	// most the error its side may spend. NaN before the first look.
	Lower, Upper float64
	Absolute     bool
	// Since is the number of steps before the first one that counts: 0, or the
	// start of the restarted test that decided.
	Since int
}

// open gives up the limit on the far side of the bad one: there was no look yet that could pass.
func (e *Effect) open(d Direction) {
	switch {
	case d == Increase:
		e.Upper = math.Inf(1)
	case e.Absolute:
		e.Lower = math.Inf(-1)
	default:
		e.Lower = -1
	}
}

// ratioLimits are the limits of a ratio canary/baseline.
type ratioLimits struct{ estimate, lower, upper float64 }

// relative turns the limits into those of the change, for a comparison that was
// made the right way round or, where a decrease is bad, upside down.
func (r ratioLimits) relative(d Direction) Effect {
	if d == Decrease {
		r = ratioLimits{1 / r.estimate, 1 / r.upper, 1 / r.lower}
	}
	return Effect{Estimate: r.estimate - 1, Lower: r.lower - 1, Upper: r.upper - 1}
}

// absolute turns an oriented difference into a change.
func (r ratioLimits) absolute(d Direction) Effect {
	if d == Decrease {
		r = ratioLimits{-r.estimate, -r.upper, -r.lower}
	}
	return Effect{Estimate: r.estimate, Lower: r.lower, Upper: r.upper, Absolute: true}
}

// countsEvidence compares rates of events.
type countsEvidence struct {
	metric    Metric
	direction Direction
	counts    *stats.Counts
	// pooled makes one interval of all steps: for independent runs, whose arms need
	// not run in the same steps.
	pooled  bool
	totals  stats.PairedCounts
	strata  strata
	steps   int      // added
	learned *learned // nil for nothing
}

func newCountsEvidence(m Metric, d Direction, p *past, high bool) *countsEvidence {
	e := &countsEvidence{metric: m, direction: d, counts: stats.NewCounts(1 + m.Tolerance.Size), learned: p.counts(d, high)}
	if e.learned != nil {
		e.counts = stats.NewLearnedCounts(1+m.Tolerance.Size, e.learned.fit, e.learned.shift)
	}
	return e
}

// oriented returns counts such that more events in the first arm are worse.
func oriented(v stats.PairedCounts, d Direction) stats.PairedCounts {
	if d == Decrease {
		// Fewer events in the canary are more in the baseline.
		return stats.PairedCounts{X: v.Y, N: v.M, Y: v.X, M: v.N}
	}
	return v
}

func (e *countsEvidence) add(b bracket) {
	e.steps++
	v := oriented(b.low.counts, e.direction)
	if !e.pooled {
		if e.counts.Add(v) {
			e.strata.add(b.stage, v)
		}
		e.totals = e.counts.Totals()
		return
	}
	e.strata.add(b.stage, v)
	e.totals = e.totals.Plus(v)
	e.counts = stats.NewCounts(1 + e.metric.Tolerance.Size)
	e.counts.Add(e.totals)
}

func (e *countsEvidence) ready() bool {
	if e.pooled {
		return e.totals.N >= firstLookChecks && e.totals.M >= firstLookChecks
	}
	return e.counts.Len() >= e.learned.firstLook(firstLookRatio)
}

func (e *countsEvidence) readyToPass() bool {
	return e.ready() && (e.pooled || e.counts.Len() >= firstLookRatio)
}

func (e *countsEvidence) information() float64 {
	if e.learned == nil {
		return e.counts.Information()
	}
	return e.learned.clock(e.counts.Information(), e.learned.information)
}

// failDispersion and passDispersion return the factors that deflate the counts.
func (e *countsEvidence) failDispersion(level float64, optimistic bool) float64 {
	if optimistic || e.pooled || e.metric.PoissonCounts {
		return 1
	}
	return e.counts.Dispersion(level)
}

func (e *countsEvidence) passDispersion(level float64, optimistic bool) float64 {
	if optimistic || e.pooled || e.metric.PoissonCounts {
		return 1
	}
	return math.Max(e.counts.Dispersion(level), e.counts.SecondDispersion())
}

// beyond: a larger dispersion and a smaller level both make it harder, so the
// optimistic answer is the one without dispersion.
func (e *countsEvidence) beyond(level float64, optimistic bool) bool {
	t := e.metric.Tolerance
	if t.Absolute {
		v := e.standardised()
		if v.Difference(1) <= t.Size {
			return false
		}
		return v.DifferenceLower(1, level, e.failDispersion(level, optimistic)) > t.Size
	}
	if e.totals.X == 0 || e.below(e.metric.Floor) {
		return false
	}
	if optimistic {
		return e.counts.Above(level, 1)
	}
	phi := e.failDispersion(level, false)
	return e.counts.Above(level, phi) &&
		(e.metric.Floor == 0 || e.counts.FirstRateLower(level, phi) > (1+t.Size)*e.metric.Floor)
}

// below reports whether the canary's rate is at most what a floor allows: no
// lower limit can lie above it then.
func (e *countsEvidence) below(floor float64) bool {
	return floor > 0 && e.totals.X <= (1+e.metric.Tolerance.Size)*floor*e.totals.N
}

func (e *countsEvidence) within(level float64, optimistic bool) bool {
	t := e.metric.Tolerance
	phi := e.passDispersion(level, optimistic)
	if t.Absolute {
		v := e.standardised()
		return v.Difference(1) < t.Size && v.DifferenceUpper(1, level, phi) < t.Size
	}
	// Either way of being fine will do; at most one can bind at a time, so
	// both may use the whole level (docs/statistics/method.md, section 5.2).
	return e.counts.Below(level, phi) ||
		e.below(e.metric.Floor) && e.counts.FirstRateUpper(level, phi) < (1+t.Size)*e.metric.Floor
}

func (e *countsEvidence) tolerated() bool {
	if e.metric.Tolerance.Absolute {
		return !(e.standardised().Difference(1) > e.metric.Tolerance.Size) // NaN without events in an arm
	}
	return !(e.counts.Ratio() > 1+e.metric.Tolerance.Size) || e.below(e.metric.Floor)
}

func (e *countsEvidence) observations() int { return e.steps }

func (e *countsEvidence) effect(failLevel, passLevel float64) Effect {
	phiFail, phiPass := e.failDispersion(failLevel, false), e.passDispersion(passLevel, false)
	if e.metric.Tolerance.Absolute {
		v := e.standardised()
		return ratioLimits{
			v.Difference(1),
			v.DifferenceLower(1, failLevel, phiFail),
			v.DifferenceUpper(1, passLevel, phiPass),
		}.absolute(e.direction)
	}
	return ratioLimits{
		e.counts.Ratio(),
		e.counts.RatioLower(failLevel, phiFail),
		e.counts.RatioUpper(passLevel, phiPass),
	}.relative(e.direction)
}

// standardised returns the totals whose difference is compared: the sums, or of a ramp what
// compares each of its stages within itself.
func (e *countsEvidence) standardised() stats.PairedCounts {
	if len(e.strata) < 2 {
		return e.totals
	}
	return stats.Standardised(e.strata)
}

// excessUpper returns the upper limit of how many more of the canary's events are bad than of
// the baseline's, as a rate. The comparison has to be one of an increase.
func (e *countsEvidence) excessUpper(level float64) float64 {
	return e.standardised().DifferenceUpper(1, level, e.passDispersion(level, false))
}

// strata are the counts of each stage of a ramp.
type strata []stats.PairedCounts

func (s *strata) add(stage int, v stats.PairedCounts) {
	for len(*s) <= stage {
		*s = append(*s, stats.PairedCounts{})
	}
	(*s)[stage] = (*s)[stage].Plus(v)
}
