package analysis

import (
	"fmt"
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// check reports numbers that no source can mean: they are a broken query or
// file, not a canary.
func (m Metric) check(arm string, s Sample) error {
	if s.holds != nothing && s.holds != m.Kind.holds() {
		return fmt.Errorf("%s: the sample holds %s; a metric of kind %s is judged by %s", arm, s.holds, m.Kind, m.Kind.holds())
	}
	switch s.holds {
	case someCounts:
		bad, total := s.Bad(), s.Total()
		switch {
		case math.IsInf(total, 0) || math.IsInf(bad, 0):
			return fmt.Errorf("%s: a count is infinite", arm)
		case total < 0 || bad < 0:
			return fmt.Errorf("%s: %g bad of %g; a count cannot be negative", arm, bad, total)
		case bad > total:
			return fmt.Errorf("%s: %g bad of %g; the bad events must be among the total", arm, bad, total)
		}
	case someBuckets:
		for _, c := range s.buckets.Counts {
			if c < 0 || math.IsNaN(c) || math.IsInf(c, 0) {
				return fmt.Errorf("%s: a bucket holds %g observations", arm, c)
			}
		}
	}
	return nil
}

// holds returns what samples of a metric of this kind hold.
func (k Kind) holds() holding {
	switch k {
	case Ratio, Checks:
		return someCounts
	case Histogram:
		return someBuckets
	}
	return aValue
}

// orZero reads an absent count as none.
func orZero(count float64) float64 {
	if math.IsNaN(count) {
		return 0
	}
	return count
}

// counts returns the counts of a pair, canary first: 0 of an arm without any. Events
// without a word of bad ones are events without bad ones.
func counts(p Pair) (v stats.PairedCounts) {
	if p.Canary.Total() > 0 {
		v.X, v.N = orZero(p.Canary.Bad()), p.Canary.Total()
	}
	if p.Baseline.Total() > 0 {
		v.Y, v.M = orZero(p.Baseline.Bad()), p.Baseline.Total()
	}
	return v
}

// slower returns the counts of observations above x, as far as they are known.
func slower(p Pair, x float64) (b bracket) {
	b.low.counts.N, b.low.counts.M = p.Canary.Buckets().Total(), p.Baseline.Buckets().Total()
	b.high = b.low
	b.low.counts.X, b.high.counts.X = p.Canary.Buckets().Above(x)
	b.high.counts.Y, b.low.counts.Y = p.Baseline.Buckets().Above(x)
	return b
}

// finite reports whether both values of a pair are usable.
func finite(canary, baseline float64) bool {
	return !math.IsNaN(canary-baseline) && !math.IsInf(canary, 0) && !math.IsInf(baseline, 0)
}
