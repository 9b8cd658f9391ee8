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

// sameBound is how far, by ratio, a bound may be from a number that means it: half
// of the last of three digits, as people and messages write bounds. Native
// histograms have such bounds as 0.7711054.
const sameBound = 0.005

// Around returns the bounds next to x: the highest at or below it, -Inf when there
// is none, and the lowest at or above it, +Inf when there is none. They are one and
// the same where x is a bound, which it is within half a percent. Without
// observations nothing is known of any bound, and both are NaN.
func (h Histogram) Around(x float64) (below, above float64) {
	if len(h.Counts) == 0 {
		return math.NaN(), math.NaN()
	}
	i, _ := slices.BinarySearch(h.Bounds, x)
	below, above = math.Inf(-1), math.Inf(1)
	if i > 0 {
		below = h.Bounds[i-1]
	}
	if i < len(h.Bounds) {
		above = h.Bounds[i]
	}
	toBelow, toAbove := math.Abs(x-below), math.Abs(above-x)
	switch allowed := sameBound * math.Abs(x); {
	case toAbove <= toBelow && toAbove <= allowed:
		return above, above
	case toBelow <= allowed:
		return below, below
	}
	return below, above
}

// Above returns the least and the most observations that can lie above x: what
// lies above the bounds next to it (see Around). They are equal where x is a bound
// and where its bucket is empty, and 0 without observations.
func (h Histogram) Above(x float64) (least, most float64) {
	below, above := h.Around(x)
	for i, c := range h.Counts {
		lower := math.Inf(-1)
		if i > 0 {
			lower = h.Bounds[i-1]
		}
		if lower >= above {
			least += c
		}
		if lower >= below {
			most += c
		}
	}
	return least, most
}

// Quantile returns the value below which the fraction q of the observations
// lies, by log-linear interpolation in its bucket (linear in a bucket that starts
// at or below zero), and the ends of that bucket, between which the true quantile
// lies: all that is known of it. The first bucket is taken to start at 0, or at its
// end where that is negative. All are NaN without observations; in the
// last bucket the value and the upper end are +Inf.
func (h Histogram) Quantile(q float64) (value, lower, upper float64) {
	rank := q * h.Total()
	if rank <= 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	var below float64
	for i, c := range h.Counts {
		if below+c < rank || c == 0 {
			below += c
			continue
		}
		lower, upper = h.ends(i)
		at := (rank - below) / c
		switch {
		case math.IsInf(upper, 1):
			return upper, lower, upper
		case lower > 0:
			return lower * math.Pow(upper/lower, at), lower, upper
		}
		return lower + (upper-lower)*at, lower, upper
	}
	// Rounding left the rank above the sum of the counts.
	for i := len(h.Counts) - 1; ; i-- {
		if h.Counts[i] > 0 {
			lower, upper = h.ends(i)
			return upper, lower, upper
		}
	}
}

// ends returns the ends of the bucket of Counts[i].
func (h Histogram) ends(i int) (lower, upper float64) {
	upper = math.Inf(1)
	if i < len(h.Bounds) {
		upper = h.Bounds[i]
	}
	if i > 0 {
		return h.Bounds[i-1], upper
	}
	return math.Min(0, upper), upper
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
			return !h.Measures(b) || !other.Measures(b)
		})
		h, other = h.onto(bounds), other.onto(bounds)
	}
	sum := Histogram{Bounds: h.Bounds, Counts: slices.Clone(h.Counts)}
	for i, c := range other.Counts {
		sum.Counts[i] += c
	}
	return sum
}

// Measures reports whether it is known how many observations lie at or below x: it
// is a bound, or lies in a bucket that holds nothing.
func (h Histogram) Measures(x float64) bool {
	i, exact := slices.BinarySearch(h.Bounds, x)
	return exact || len(h.Counts) > 0 && h.Counts[i] == 0
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
