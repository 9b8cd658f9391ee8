package analysis

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// slowerMethod judges a histogram by the rate of observations above a bound, as a ratio.
type slowerMethod struct{}

func (slowerMethod) validate(Metric) error { return nil }
func (slowerMethod) counted() bool         { return true }
func (slowerMethod) paired() bool          { return true }
func (slowerMethod) silenceDoubted() bool  { return false }
func (slowerMethod) absolute() Amount      { return RatePoints }
func (slowerMethod) usualUnit() string     { return "s" }
func (slowerMethod) traffic() Traffic      { return MeasuredTraffic }
func (slowerMethod) firstLook() int        { return firstLookRatio }

func (slowerMethod) shows(s Sample) bool { return s.Buckets().Total() > 0 }
func (slowerMethod) begin(j *judgement)  { ratioMethod{}.begin(j) }

func (slowerMethod) number(m Metric, s Sample) float64 {
	least, _ := s.Buckets().Above(m.SlowerThan)
	return least / s.Buckets().Total()
}

func (slowerMethod) tally(a *armTally, m Metric, s Sample) bool {
	least, _ := s.Buckets().Above(m.SlowerThan)
	a.counts.bad += least
	a.observed(s)
	return true
}

// observe returns the counts of observations above the bound, as far as they are known.
func (slowerMethod) observe(m Metric, p Pair) (b bracket, ok bool) {
	v := &b.low.counts
	v.N, v.M = p.Canary.Buckets().Total(), p.Baseline.Buckets().Total()
	b.high = b.low
	b.low.counts.X, b.high.counts.X = p.Canary.Buckets().Above(m.SlowerThan)
	b.high.counts.Y, b.low.counts.Y = p.Baseline.Buckets().Above(m.SlowerThan)
	return b, v.N > 0 && v.M > 0
}

func (slowerMethod) evidence(m Metric, d Direction, p *past) evidence {
	return &bracketed{direction: d, low: newCountsEvidence(m, d, p, false), high: newCountsEvidence(m, d, p, true)}
}

func (slowerMethod) past(m Metric, pairs []Pair, _ int) []bracket { return pooled(m, pairs) }

// changed compares how many observations there are in all, and up to each bound that both
// have.
func (slowerMethod) changed(m Metric, earlier, later Sample) bool {
	a, b := earlier.Buckets(), later.Buckets()
	if m.countChanged(a.Total(), b.Total(), 0) {
		return true
	}
	for _, bound := range b.Bounds {
		before, _ := a.Above(bound)
		after, _ := b.Above(bound)
		if slices.Contains(a.Bounds, bound) && m.countChanged(before, after, b.Total()) {
			return true
		}
	}
	return false
}

// observed adds the observations of a histogram.
func (a *armTally) observed(s Sample) {
	a.counts.total += s.Buckets().Total()
	a.growth.add(s.Buckets().Total(), math.NaN())
}

// quantileMethod judges a histogram at a quantile, as values of steps that are merged until
// each has enough observations.
type quantileMethod struct{}

func (quantileMethod) counted() bool        { return false }
func (quantileMethod) paired() bool         { return true }
func (quantileMethod) silenceDoubted() bool { return false }
func (quantileMethod) absolute() Amount     { return NoAmount }
func (quantileMethod) usualUnit() string    { return "s" }
func (quantileMethod) traffic() Traffic     { return NoTraffic }
func (quantileMethod) firstLook() int       { return firstLookValue }

func (quantileMethod) validate(m Metric) error {
	switch {
	case !(m.Quantile > 0 && m.Quantile < 1):
		return fmt.Errorf("the quantile is %g; it must lie between 0 and 1", m.Quantile)
	case m.Tolerance.Absolute:
		return errors.New("a quantile needs a relative tolerance")
	}
	return nil
}

func (quantileMethod) shows(s Sample) bool { return slowerMethod{}.shows(s) }

func (quantileMethod) number(m Metric, s Sample) float64 {
	v, _, _ := s.Buckets().Quantile(m.Quantile)
	return v
}

func (q quantileMethod) tally(a *armTally, m Metric, s Sample) bool {
	if v := q.number(m, s); !math.IsNaN(v) && !math.IsInf(v, 0) {
		a.values = append(a.values, v)
	}
	a.observed(s)
	return true
}

// begin leaves the tests to the reduction, which lays them out once it knows how many steps
// to merge.
func (quantileMethod) begin(j *judgement) {
	j.quantile = &quantileReduction{q: j.metric.Quantile, tolerance: j.metric.Tolerance.Size}
}

// observe tells histograms apart; the quantiles are of merged steps.
func (quantileMethod) observe(_ Metric, p Pair) (bracket, bool) {
	canary, baseline := p.Canary.Buckets().Total(), p.Baseline.Buckets().Total()
	return exact(observation{canary: canary, baseline: baseline, counts: sums(p)}), canary > 0 && baseline > 0
}

// sums tells apart histograms that merely hold the same number of observations.
func sums(p Pair) stats.PairedCounts {
	weigh := func(h stats.Histogram) (first, all float64) {
		for i, c := range h.Counts {
			all += c * float64(i+1)
			first += c / float64(i+1)
		}
		return first, all
	}
	var v stats.PairedCounts
	v.X, v.N = weigh(p.Canary.Buckets())
	v.Y, v.M = weigh(p.Baseline.Buckets())
	return v
}

func (quantileMethod) evidence(m Metric, d Direction, p *past) evidence {
	return &bracketed{direction: d, low: newValueEvidence(m, d, p, false), high: newValueEvidence(m, d, p, true)}
}

// past merges the steps from the last one backwards, so that the ones next to the run count.
func (quantileMethod) past(m Metric, pairs []Pair, merge int) (all []bracket) {
	for _, group := range groups(pairs, merge) {
		var canary, baseline stats.Histogram
		for _, p := range group {
			if c, b := p.Canary.Buckets(), p.Baseline.Buckets(); c.Total() > 0 && b.Total() > 0 {
				canary, baseline = canary.Plus(c), baseline.Plus(b)
			}
		}
		if b, _, ok := quantilesOf(canary, baseline, m.Quantile, m.Tolerance.Size); ok {
			all = append(all, b)
		}
	}
	return all
}

// groups cuts pairs into groups of as many, the last of which ends with the last pair.
func groups(pairs []Pair, size int) [][]Pair {
	return slices.Collect(slices.Chunk(pairs[len(pairs)%size:], size))
}

func (quantileMethod) changed(m Metric, earlier, later Sample) bool {
	return slowerMethod{}.changed(m, earlier, later)
}

func (slowerMethod) mean(_ Metric, samples []Sample) Sample {
	var all stats.Histogram
	for _, s := range samples {
		all = all.Plus(s.Buckets())
	}
	return BucketSample(all)
}

func (quantileMethod) mean(m Metric, samples []Sample) Sample { return slowerMethod{}.mean(m, samples) }
