package analysis

import "math"

// Limits of judging values that are quantiles (docs/statistics/percentiles.md).
const (
	// leastTail is how many observations must lie beyond the quantile in each arm of a step,
	// n min(q, 1-q), for the step to count. Below it the quantile of a sample is about its
	// largest observation, and how far that lies from the quantile no scatter tells.
	leastTail = 5
	// quantileBias is how far, in its own standard deviations times the root of the number
	// beyond it, the quantile of a sample lies from that of the distribution on average: of
	// the usual definitions that of the order statistic below n q (1/sqrt(tail) deviations)
	// and of a tail of logarithms between exponential and normal (0.4 to 0.5 back), or the one
	// above (0.5 the other way). docs/statistics/percentiles.md has the figures.
	quantileBias = 0.7
)

// quantileOfValues reports whether the metric's values are quantiles of a number of
// observations.
func (m Metric) quantileOfValues() bool { return kinds[m.Kind].holds == aValue && m.Quantile > 0 }

// LeastBehind returns how many observations an arm must have in a step for the step to count:
// 0 for a metric whose values are no quantiles.
func (m Metric) LeastBehind() float64 {
	if !m.quantileOfValues() {
		return 0
	}
	return math.Ceil(leastTail/m.tail() - 1e-9)
}

// tail returns the share of the observations beyond the quantile, on the side that has fewer.
func (m Metric) tail() float64 { return math.Min(m.Quantile, 1-m.Quantile) }

// tailOf returns how many observations lie beyond the quantile in the arm of a pair that has
// fewer; NaN where an arm does not say how many it has. 1-q is no exact number: 100 of p95 are 5.
func (m Metric) tailOf(p Pair) float64 {
	const rounding = 1e-9
	return math.Min(p.Canary.Count(), p.Baseline.Count()) * m.tail() * (1 + rounding)
}

// bias returns how far the mean difference may be off because quantiles of few observations
// are, on the scale of the comparison; 0 for other values. It goes by their scatter, of which
// what the sampling contributes is at most all: what else scatters makes it larger.
func (e *valueEvidence) bias() float64 {
	if e.sparse == 0 {
		return 0
	}
	n := float64(len(e.pairs))
	return quantileBias * math.Sqrt(e.winsorised().Variance()) * e.sparse / n
}

// behind is how many observations are behind the values of an arm.
type behind struct {
	sum   float64
	steps int // that say
}

func (b *behind) add(count float64) {
	if !math.IsNaN(count) {
		b.sum += count
		b.steps++
	}
}

func (b behind) mean() float64 { return b.sum / float64(b.steps) }

// behindWhy says what the quantiles lack where most steps are of no use, or "" where it is
// something else: values of both arms in most of them.
func (t *tally) behindWhy() Cause {
	least := min(t.baseline.steps, t.canary.steps)
	switch {
	case 2*least < t.elapsed || least == 0:
		return ""
	case 2*min(t.baseline.behind.steps, t.canary.behind.steps) < t.elapsed:
		return CountUnknown
	}
	return FewBehind
}
