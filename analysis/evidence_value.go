package analysis

import (
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// contrast is how a pair of values becomes one difference.
type contrast int

const (
	logRatio   contrast = iota // ln canary - ln baseline, against ln(1 + tolerance)
	excess                     // canary less the tolerated multiple of the baseline, against 0
	difference                 // canary - baseline, against the tolerance
)

// resolution is the smallest standard deviation, as a fraction of the tolerance,
// that a series is credited with: a constant one would otherwise have no width.
// zeroResolution stands in for a tolerance of 0, as a fraction of
// the largest difference (docs/statistics/method.md, section 5.1).
const (
	resolution     = 0.05
	zeroResolution = 1e-9
)

// valuePair is one step's value of each arm.
type valuePair struct{ canary, baseline float64 }

// valueEvidence compares the means of paired values.
type valueEvidence struct {
	metric    Metric
	direction Direction
	contrast  contrast
	pairs     []valuePair
	baseline  float64 // sum of the baseline values
	negative  bool    // a value of either arm was
	ties      int     // pairs of equal values
	sparse    float64 // sum of 1/sqrt(tail) of the pairs that are quantiles
	series    stats.Paired
	moments   stats.Moments // of what is judged of the series, at its length when taken
	taken     int
	posterior stats.Posterior // of the first fitted pairs
	fitted    int
	past      *past
	high      bool     // the reading of the past
	learned   *learned // nil for nothing
}

func newValueEvidence(m Metric, d Direction, p *past, high bool) *valueEvidence {
	e := &valueEvidence{metric: m, direction: d, past: p, high: high}
	switch {
	case m.Tolerance.Absolute:
		e.contrast = difference
	case m.Scale == Linear:
		e.contrast = excess
	}
	e.learned = p.values(e, high)
	return e
}

func (e *valueEvidence) add(b bracket) {
	p := valuePair{b.low.canary, b.low.baseline}
	if b.low.tail > 0 {
		e.sparse += 1 / math.Sqrt(b.low.tail)
	}
	e.pairs = append(e.pairs, p)
	e.baseline += p.baseline
	if p.canary == p.baseline {
		e.ties++
	}
	e.negative = e.negative || p.canary < 0 || p.baseline < 0
	if e.contrast == logRatio && !(p.canary > 0 && p.baseline > 0) {
		e.linearise()
		return
	}
	e.series.Add(e.difference(p))
}

// linearise gives up the logarithm, which needs positive values, for good:
// what was compared by it before is compared again.
func (e *valueEvidence) linearise() {
	if e.contrast != logRatio {
		return
	}
	e.contrast = excess
	e.series = stats.Paired{}
	for _, p := range e.pairs {
		e.series.Add(e.difference(p))
	}
	e.taken, e.fitted = 0, 0
	if again := e.past.values(e, e.high); e.learned != nil && again != nil {
		// The clock has begun with what its looks shared.
		again = &learned{fit: again.fit, shift: again.shift, shared: e.learned.shared, removed: again.removed}
		e.learned = again
	}
}

// shift returns what is taken out of the effect.
func (e *valueEvidence) shift() stats.Shift {
	if e.learned == nil {
		return stats.Shift{}
	}
	return e.learned.shift
}

// difference returns the oriented difference of a pair: larger is worse.
func (e *valueEvidence) difference(p valuePair) float64 {
	d := p.canary - p.baseline
	switch e.contrast {
	case logRatio:
		d = math.Log(p.canary) - math.Log(p.baseline)
	case excess:
		d = p.canary - e.metric.Tolerance.Limit(e.direction)*p.baseline
	}
	if e.direction == Decrease {
		return -d
	}
	return d
}

// limit returns the oriented difference that is still tolerated.
func (e *valueEvidence) limit() float64 {
	switch e.contrast {
	case logRatio:
		return math.Log1p(e.metric.Tolerance.Size)
	case excess:
		return 0
	}
	return e.metric.Tolerance.Size
}

// floor returns the smallest standard deviation the series is credited with.
func (e *valueEvidence) floor() float64 {
	size := e.metric.Tolerance.Size
	if size == 0 {
		return math.Max(zeroResolution*e.series.LargestMagnitude(), math.SmallestNonzeroFloat64)
	}
	switch e.contrast {
	case logRatio:
		return resolution * math.Log1p(size)
	case excess:
		return resolution * math.Abs(e.metric.Tolerance.Limit(e.direction)-1) * e.meanBaseline()
	}
	return resolution * size
}

func (e *valueEvidence) meanBaseline() float64 { return e.baseline / float64(len(e.pairs)) }

func (e *valueEvidence) ready() bool {
	first := e.learned.firstLook(firstLookValue)
	if e.series.Len() >= first && e.unlike() {
		first = firstLookValue
	}
	return e.series.Len() >= first && e.meaningful()
}

// unlikeVariance is how many times the history's variance that of the run is to be for the history
// to say nothing of it, and unlikeQuiet the same of a quiet history.
const (
	unlikeVariance = 9
	unlikeQuiet    = 2
)

// unlike reports whether the noise of the run is of another order than the history's: a constant
// one, as of few requests at night, would have a few noisy steps that lie close by chance fail a good
// canary. Noise of up to three times the history's is what "another kind" allows for.
func (e *valueEvidence) unlike() bool {
	if e.learned == nil {
		return false
	}
	times := float64(unlikeVariance)
	if e.learned.quiet {
		times = unlikeQuiet
	}
	return e.winsorised().Variance() > times*math.Max(e.learned.fit.Variance(), e.floor()*e.floor())
}

func (e *valueEvidence) readyToPass() bool { return e.series.Len() >= firstLookValue && e.meaningful() }

// meaningful reports whether a relative tolerance has a meaning: the baseline
// must have a positive mean.
func (e *valueEvidence) meaningful() bool {
	return e.metric.Tolerance.Absolute || e.meanBaseline() > 0
}

func (e *valueEvidence) information() float64 { return e.learned.clock(float64(e.series.Len()), 1) }

func (e *valueEvidence) winsorised() stats.Moments {
	if e.taken != e.series.Len() {
		e.moments, e.taken = e.judged(), e.series.Len()
	}
	return e.moments
}

func (e *valueEvidence) fit() stats.Posterior {
	if e.fitted == e.series.Len() {
		return e.posterior
	}
	switch {
	case e.unlike():
		e.posterior = e.learned.fit.UnlikePosterior(e.posterior, e.winsorised(), e.floor(), e.learned.shift)
	case e.learned != nil:
		e.posterior = e.learned.fit.MeanPosterior(e.posterior, e.winsorised(), e.floor(), e.learned.shift)
	default:
		e.posterior.Other = stats.MeanMixture(e.posterior.Other, e.winsorised(), e.floor())
	}
	e.fitted = e.series.Len()
	return e.posterior
}

// centres returns the lowest and the highest centre of what is known of the mean.
func (e *valueEvidence) centres() (lowest, highest float64) {
	m := e.winsorised()
	lowest, highest = m.MeanRange()
	if e.learned != nil {
		// A history also allows for noise without autocorrelation.
		lowest, highest = math.Min(lowest, m.Mean()), math.Max(highest, m.Mean())
	}
	return lowest - e.shift().By, highest - e.shift().By
}

// beyond: when all components are centred at or below the limit, half of the
// mixture lies there, which no level is as large as. The mixture does not depend
// on the level, so the optimistic answer is the answer at the higher one.
func (e *valueEvidence) beyond(level float64, _ bool) bool {
	_, highest := e.centres()
	limit := e.limit() + e.bias()
	return highest > limit && e.fit().CDF(limit) < level && e.meanBeyond(level)
}

// within: a few steps in which the canary stands out are pulled in and cannot hide
// that their mean is beyond the tolerance. They are noise as often as not, so
// they keep a metric from passing and fail none. So do equal steps, which say little.
func (e *valueEvidence) within(level float64, _ bool) bool {
	return e.rawMean() < e.limit() && e.usuallyWithin(level) && e.unseenWithin(level)
}

// usuallyWithin is within, but for the steps that stand out.
func (e *valueEvidence) usuallyWithin(level float64) bool {
	lowest, _ := e.centres()
	limit := e.limit() - e.bias()
	return lowest < limit && e.fit().Tail(limit) < level && e.meanWithin(level)
}

// tolerated takes the mean both with the steps that stand out and without them.
func (e *valueEvidence) tolerated() bool {
	return e.rawMean() <= e.limit() && e.winsorised().Mean()-e.shift().By <= e.limit()
}

func (e *valueEvidence) observations() int { return e.series.Len() }

// rawMean returns the mean of the differences as they are, none of them pulled in, less what
// is taken out.
func (e *valueEvidence) rawMean() float64 { return e.series.Raw().Mean() - e.shift().By }

// rawChange is rawMean as a change, in the units of an effect.
func (e *valueEvidence) rawChange() float64 {
	mean := e.rawMean()
	return e.change(ratioLimits{mean, mean, mean}).Estimate
}

func (e *valueEvidence) effect(failLevel, passLevel float64) Effect {
	mix := e.fit()
	upper := mix.TailQuantile(passLevel)
	if e.tied() {
		upper = math.Max(upper, e.limit()+e.unseen(passLevel)-e.distance())
	}
	lower, upper := e.meanLimits(mix.Quantile(failLevel), upper, failLevel, passLevel)
	return e.change(ratioLimits{mix.Mean(), lower - e.bias(), upper + e.bias()})
}

// change turns oriented differences into changes.
func (e *valueEvidence) change(r ratioLimits) Effect {
	switch e.contrast {
	case logRatio:
		return ratioLimits{math.Exp(r.estimate), math.Exp(r.lower), math.Exp(r.upper)}.relative(e.direction)
	case excess:
		// canary / baseline = limit + excess / baseline, so the change is the rest.
		effect := r.absolute(e.direction)
		effect.Absolute = false
		change := func(excess float64) float64 {
			change := e.metric.Tolerance.Limit(e.direction) - 1 + excess/e.meanBaseline()
			if e.negative {
				return change
			}
			return math.Max(change, -1) // what is never below 0 has no mean there
		}
		effect.Estimate, effect.Lower, effect.Upper = change(effect.Estimate), change(effect.Lower), change(effect.Upper)
		return effect
	}
	return r.absolute(e.direction)
}
