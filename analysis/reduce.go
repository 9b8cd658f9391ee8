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

// counts returns the counts of a pair, canary first, and whether both arms have
// any. Requests without a word of bad ones are requests without bad ones.
func counts(p Pair) (v stats.Interval, ok bool) {
	v = stats.Interval{X: orZero(p.Canary.Bad()), N: p.Canary.Total(), Y: orZero(p.Baseline.Bad()), M: p.Baseline.Total()}
	return v, v.N > 0 && v.M > 0
}

// orZero reads an absent count as none.
func orZero(count float64) float64 {
	if math.IsNaN(count) {
		return 0
	}
	return count
}

// run is the counts of a pair of checks: an arm without runs adds nothing, and
// the other one's still count, since each run is a trial of its own.
func run(p Pair) (v stats.Interval, ok bool) {
	if p.Canary.Total() > 0 {
		v.X, v.N = orZero(p.Canary.Bad()), p.Canary.Total()
	}
	if p.Baseline.Total() > 0 {
		v.Y, v.M = orZero(p.Baseline.Bad()), p.Baseline.Total()
	}
	return v, v.N > 0 || v.M > 0
}

// slower returns the counts of observations above bound.
func slower(p Pair, bound float64) (v stats.Interval, ok bool) {
	v = stats.Interval{
		X: p.Canary.Buckets().Above(bound), N: p.Canary.Buckets().Total(),
		Y: p.Baseline.Buckets().Above(bound), M: p.Baseline.Buckets().Total(),
	}
	return v, v.N > 0 && v.M > 0
}

// finite reports whether both values of a pair are usable.
func finite(canary, baseline float64) bool {
	return !math.IsNaN(canary-baseline) && !math.IsInf(canary, 0) && !math.IsInf(baseline, 0)
}
