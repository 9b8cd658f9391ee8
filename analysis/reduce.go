package analysis

import (
	"fmt"
	"math"
)

// check reports numbers that no source can mean: they are a broken query or
// file, not a canary.
func (m Metric) check(arm string, s Sample) error {
	if s.holds != nothing && s.holds != kinds[m.Kind].holds {
		return fmt.Errorf("%s: the sample holds %s; a metric of kind %s is judged by %s", arm, s.holds, m.Kind, kinds[m.Kind].holds)
	}
	switch s.holds {
	case aValue:
		if n := s.Count(); n < 0 || math.IsInf(n, 0) {
			return fmt.Errorf("%s: %g observations are behind a value; a count is finite, and not negative", arm, n)
		}
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
		for _, c := range s.Buckets().Counts {
			if c < 0 || math.IsNaN(c) || math.IsInf(c, 0) {
				return fmt.Errorf("%s: a bucket holds %g observations", arm, c)
			}
		}
	}
	return nil
}
