package analysis

import (
	"math"
	"slices"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// bounds is what a slower-than histogram's buckets were seen to be.
type bounds struct {
	below, above float64 // the widest that were next to SlowerThan and mattered; 0 for none
	open         bool    // they did
	common       []float64
}

// note looks at the buckets of a step with observations in both arms, as far as they are
// judged at a bound; x is 0 where they are not.
func (b *bounds) note(p Pair, x float64) {
	canary, baseline := p.Canary.Buckets(), p.Baseline.Buckets()
	if x == 0 || canary.Total() <= 0 || baseline.Total() <= 0 {
		return
	}
	for _, h := range []stats.Histogram{canary, baseline} {
		least, most := h.Above(x)
		if least == most {
			continue
		}
		below, above := h.Around(x)
		if b.open {
			below, above = math.Min(below, b.below), math.Max(above, b.above)
		}
		b.below, b.above, b.open = below, above, true
	}
	b.common = slices.DeleteFunc(slices.Clone(canary.Bounds), func(bound float64) bool {
		_, found := slices.BinarySearch(baseline.Bounds, bound)
		return !found
	})
}
