package stats

import (
	"math"
	"slices"
)

// Constants of the winsorising (docs/statistics/method.md, section 5.1): values further
// than winsorMADs normal-consistent median absolute deviations from the median
// are pulled in to that distance.
const (
	winsorMADs = 3
	// madToSigma makes the median absolute deviation of normal noise estimate
	// its standard deviation: 1 / Phi^-1(3/4), rounded as R's mad() rounds it.
	madToSigma = 1.4826
)

// Paired is a series of paired differences that grows a step at a time. It
// keeps the values sorted beside their order in time, so that the median and
// the median absolute deviation cost no sorting at a look. The zero value is
// an empty series.
type Paired struct {
	values []float64 // in order of time
	sorted []float64
	raw    Moments
}

// Add appends a finite difference.
func (p *Paired) Add(d float64) {
	p.values = append(p.values, d)
	at, _ := slices.BinarySearch(p.sorted, d)
	p.sorted = slices.Insert(p.sorted, at, d)
	p.raw.Add(d)
}

// Len returns the number of differences so far.
func (p *Paired) Len() int { return len(p.values) }

// Values returns the differences in order of time; the caller must not change
// them.
func (p *Paired) Values() []float64 { return p.values }

// Median returns the median of the differences, NaN when there are none.
func (p *Paired) Median() float64 {
	n := len(p.sorted)
	if n == 0 {
		return math.NaN()
	}
	return 0.5 * (p.sorted[(n-1)/2] + p.sorted[n/2])
}

// LargestMagnitude returns the largest absolute difference, 0 when there are
// none.
func (p *Paired) LargestMagnitude() float64 {
	if len(p.sorted) == 0 {
		return 0
	}
	return math.Max(math.Abs(p.sorted[0]), math.Abs(p.sorted[len(p.sorted)-1]))
}

// Raw returns the moments of the series as it is.
func (p *Paired) Raw() Moments { return p.raw }

// Winsorised returns the moments of the series with its outliers pulled in to
// three normal-consistent median absolute deviations from the median. When that
// deviation is zero nothing is pulled in.
func (p *Paired) Winsorised() Moments { return p.between(p.fences(0)) }

// firstPulled is the fewest values of which the ones that stand out are told from the others
// where a history says how much they scatter.
const firstPulled = 4

// WinsorisedBy returns Winsorised with the median absolute deviation taken as at least a
// given one, that of the history: a few values clip skewed noise towards their median
// (docs/statistics/history.md, section 4). Fewer than four are left as they are.
func (p *Paired) WinsorisedBy(deviation float64) Moments {
	if len(p.values) < firstPulled {
		return p.raw
	}
	return p.between(p.fences(deviation))
}

// between returns the moments of the series pulled in to lo and hi.
func (p *Paired) between(lo, hi float64) Moments {
	if len(p.sorted) == 0 || (p.sorted[0] >= lo && p.sorted[len(p.sorted)-1] <= hi) {
		return p.raw
	}
	m := Moments{}
	for _, v := range p.values {
		m.Add(math.Min(math.Max(v, lo), hi))
	}
	return m
}

// Outlying returns how many differences are pulled in, by WinsorisedBy where the deviation is
// that of a history, and by Winsorised where it is 0.
func (p *Paired) Outlying(deviation float64) int {
	if deviation > 0 && len(p.values) < firstPulled {
		return 0
	}
	lo, hi := p.fences(deviation)
	n := 0
	for _, v := range p.sorted {
		if v < lo || v > hi {
			n++
		}
	}
	return n
}

// fences returns the limits beyond which values are pulled in, with the normal-consistent
// median absolute deviation taken as at least the given one.
func (p *Paired) fences(least float64) (lo, hi float64) {
	mad := math.Max(least, madToSigma*p.medianDeviation())
	if len(p.sorted) == 0 || mad == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	median := p.Median()
	return median - winsorMADs*mad, median + winsorMADs*mad
}

// medianDeviation returns the median of the absolute deviations from the
// median. Deviations grow on both sides of the median of a sorted series, so
// merging the two sides up to the middle finds it without sorting.
func (p *Paired) medianDeviation() float64 {
	n := len(p.sorted)
	if n == 0 {
		return 0
	}
	median := p.Median()
	left := (n - 1) / 2
	right := left + 1
	var lower, upper float64
	for rank := 0; rank <= n/2; rank++ {
		below, above := math.Inf(1), math.Inf(1)
		if left >= 0 {
			below = math.Abs(p.sorted[left] - median)
		}
		if right < n {
			above = math.Abs(p.sorted[right] - median)
		}
		lower = upper
		if below <= above {
			upper = below
			left--
		} else {
			upper = above
			right++
		}
	}
	if n%2 == 1 {
		return upper
	}
	return 0.5 * (lower + upper)
}
