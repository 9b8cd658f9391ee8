package stats

import (
	"math"
	"slices"
)

// Histogram holds how many observations fell into each of a row of buckets.
// Counts[i] lie above Bounds[i-1] and at or below Bounds[i]; Counts[0] lie at
// or below Bounds[0], and the last of Counts, one more than Bounds, above all
// bounds. Counts need not be whole.
//
// A bound is there only if it was measured: if it is known how many of these very
// observations lie at or below it. A source that counts per fixed bound and says
// nothing of one leaves it out, so that its bucket is the wider for it; only one
// that leaves out empty buckets (native histograms, vmrange) may have a bound put
// in for it, with a count of 0. Nothing else need be known of where a histogram is
// from: bounds may differ from step to step and from arm to arm.
type Histogram struct {
	Bounds []float64 // measured ones, ascending and finite, in the metric's unit
	Counts []float64 // >= 0, len(Bounds) + 1 of them; empty for a gap
}

// Total returns the number of observations.
func (h Histogram) Total() float64 {
	var total float64
	for _, c := range h.Counts {
		total += c
	}
	return total
}

// Nearest returns the bucket bound nearest to x by ratio, NaN when there is
// none.
func (h Histogram) Nearest(x float64) float64 {
	nearest, distance := math.NaN(), math.Inf(1)
	for _, b := range h.Bounds {
		if b <= 0 {
			continue
		}
		if d := math.Abs(math.Log(b / x)); d < distance {
			nearest, distance = b, d
		}
	}
	return nearest
}

// Above returns the number of observations above x. When x is no bound, the
// bucket it falls into is divided by interpolation; observations in the first or
// last bucket, which has one end only, all count as above when x lies in it
// (the last) or below (the first).
func (h Histogram) Above(x float64) float64 {
	if len(h.Counts) == 0 {
		return 0
	}
	i, exact := slices.BinarySearch(h.Bounds, x)
	var above float64
	for _, c := range h.Counts[i+1:] {
		above += c
	}
	if exact {
		return above
	}
	switch i {
	case 0:
		return above
	case len(h.Bounds):
		return h.Counts[i]
	}
	return above + h.Counts[i]*(1-position(h.Bounds[i-1], h.Bounds[i], x))
}

// position returns where x lies between lower (0) and upper (1), by ratio where
// that is possible.
func position(lower, upper, x float64) float64 {
	if lower > 0 {
		return math.Log(x/lower) / math.Log(upper/lower)
	}
	return (x - lower) / (upper - lower)
}

// Quantile returns the value below which the fraction q of the observations
// lies, by log-linear interpolation in its bucket (linear in a bucket that starts
// at or below zero, the first one among them), and the logarithm of the ratio of
// the bucket's bounds: what the buckets can resolve around it. The
// value is NaN without observations and +Inf in the last bucket; the width is
// +Inf for buckets that have no ratio.
func (h Histogram) Quantile(q float64) (value, width float64) {
	rank := q * h.Total()
	if rank <= 0 {
		return math.NaN(), math.Inf(1)
	}
	var below float64
	for i, c := range h.Counts {
		if below+c < rank || c == 0 {
			below += c
			continue
		}
		if i == len(h.Bounds) {
			return math.Inf(1), math.Inf(1)
		}
		lower, upper := math.Min(0, h.Bounds[0]), h.Bounds[i]
		if i > 0 {
			lower = h.Bounds[i-1]
		}
		at := (rank - below) / c
		if lower > 0 {
			return lower * math.Pow(upper/lower, at), math.Log(upper / lower)
		}
		return lower + (upper-lower)*at, math.Inf(1)
	}
	// Rounding left the rank above the sum of the counts.
	return h.top()
}

// top returns the upper end of the highest bucket that holds anything.
func (h Histogram) top() (value, width float64) {
	for i := len(h.Counts) - 1; i >= 0; i-- {
		if h.Counts[i] == 0 {
			continue
		}
		if i == len(h.Bounds) {
			break
		}
		if i > 0 && h.Bounds[i-1] > 0 {
			return h.Bounds[i], math.Log(h.Bounds[i] / h.Bounds[i-1])
		}
		return h.Bounds[i], math.Inf(1)
	}
	return math.Inf(1), math.Inf(1)
}

// Plus returns the histogram of the observations of both. A bound that only one
// of them has is kept where the other has nothing in the bucket that the
// bound would divide, and is dropped otherwise.
func (h Histogram) Plus(other Histogram) Histogram {
	switch {
	case len(h.Counts) == 0:
		return other
	case len(other.Counts) == 0:
		return h
	}
	if !slices.Equal(h.Bounds, other.Bounds) {
		bounds := slices.Concat(h.Bounds, other.Bounds)
		slices.Sort(bounds)
		bounds = slices.DeleteFunc(slices.Compact(bounds), func(b float64) bool {
			return h.dividedBy(b) || other.dividedBy(b)
		})
		h, other = h.onto(bounds), other.onto(bounds)
	}
	sum := Histogram{Bounds: h.Bounds, Counts: slices.Clone(h.Counts)}
	for i, c := range other.Counts {
		sum.Counts[i] += c
	}
	return sum
}

// dividedBy reports whether the bound b would divide a bucket that holds
// anything.
func (h Histogram) dividedBy(b float64) bool {
	i, exact := slices.BinarySearch(h.Bounds, b)
	return !exact && h.Counts[i] > 0
}

// onto returns the same observations in buckets with other bounds, none of
// which divides a bucket that holds anything.
func (h Histogram) onto(bounds []float64) Histogram {
	to := Histogram{Bounds: bounds, Counts: make([]float64, len(bounds)+1)}
	for i, c := range h.Counts {
		if c == 0 {
			continue
		}
		// All of the bucket lies at or below its upper bound.
		at := len(bounds)
		if i < len(h.Bounds) {
			at, _ = slices.BinarySearch(bounds, h.Bounds[i])
		}
		to.Counts[at] += c
	}
	return to
}
