package stats

import (
	"math"
	"slices"
)

// furthestUnseen is how far from the median, as a multiple of the furthest value seen on
// that side, a value is taken to lie that has not been seen (docs/statistics/method.md,
// section 13.15): the least of 1, 2, 4 and 8 that held the error rates in skewed noise.
const furthestUnseen = 2

// MeanBelow returns how probable it is that the mean of what a series of values is drawn
// from lies at or below limit, with nothing assumed of their distribution but that it
// reaches no further below the median than furthestUnseen times the least value seen: the
// values, and one at that distance, weighted at random (the Bayesian bootstrap of Rubin
// 1981, Annals of Statistics 9:130, with the extreme value of Gaffke 2005, Mathematical
// Methods of Statistics 14:451). For values all of which lie above the limit and one unseen it
// is the Clopper-Pearson level of 0 of n. It is 1 of no values.
//
// The values are taken to be independent; a Mixture knows of their autocorrelation.
func (p *Paired) MeanBelow(limit float64) float64 {
	return p.beyond(limit, 1)
}

// MeanAbove is MeanBelow the other way up: at or above limit.
func (p *Paired) MeanAbove(limit float64) float64 {
	return p.beyond(limit, -1)
}

// beyond returns the probability that the weighted mean of sign * (limit - value) is
// positive.
func (p *Paired) beyond(limit, sign float64) float64 {
	if len(p.values) == 0 {
		return 1
	}
	gaps := make([]float64, 0, len(p.values)+1)
	for _, v := range p.values {
		gaps = append(gaps, sign*(limit-v))
	}
	return positiveMean(append(gaps, sign*(limit-p.unseen(sign))))
}

// unseen returns the value that has not been seen, below the median for a sign of 1.
func (p *Paired) unseen(sign float64) float64 {
	furthest := p.sorted[0]
	if sign < 0 {
		furthest = p.sorted[len(p.sorted)-1]
	}
	return p.Median() + furthestUnseen*(furthest-p.Median())
}

// MeanLower returns the limit at which MeanBelow is level: a lower limit of the mean.
func (p *Paired) MeanLower(level float64) float64 { return p.meanLimit(level, 1) }

// MeanUpper returns the limit at which MeanAbove is level: an upper limit of the mean.
func (p *Paired) MeanUpper(level float64) float64 { return p.meanLimit(level, -1) }

func (p *Paired) meanLimit(level, sign float64) float64 {
	low, high := p.unseen(sign), p.unseen(-sign)
	if low == high { // constant
		return low
	}
	for range 40 { // to 1e-12 of the range
		if middle := (low + high) / 2; p.beyond(middle, sign) < level {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// positiveMean returns the probability that the sum of the values, each times an
// independent exponential variable, is positive: that their mean is when they are weighted
// at random, uniformly among all weights. By the saddlepoint approximation of Lugannani &
// Rice 1980 (Advances in Applied Probability 12:475), with the cumulants
// K(s) = -sum ln(1 - s v).
func positiveMean(values []float64) float64 {
	lowest, highest := slices.Min(values), slices.Max(values)
	switch {
	case highest <= 0:
		return 0
	case lowest >= 0:
		return 1
	}
	// Only their ratios matter.
	unit := math.Max(highest, -lowest)
	lowest, highest = lowest/unit, highest/unit
	slope := func(s float64) float64 {
		var sum float64
		for _, v := range values {
			sum += v / (unit - s*v)
		}
		return sum * (1 - s*lowest) * (1 - s*highest) // without its poles
	}
	const inside = 1 - 1e-12
	s := root(slope, inside/lowest, inside/highest, 1e-13)
	var k, k2, k3 float64
	for _, v := range values {
		d := 1 - s*v/unit
		r := v / unit / d
		k -= math.Log(d)
		k2 += r * r
		k3 += 2 * r * r * r
	}
	// Near the mean both terms below grow without bound, and cancel.
	u := s * math.Sqrt(k2)
	if math.Abs(u) < 1e-4 {
		return 0.5 - k3/(6*math.Sqrt(2*math.Pi)*math.Pow(k2, 1.5))
	}
	w := math.Copysign(math.Sqrt(math.Max(-2*k, 0)), s)
	return math.Min(math.Max(NormalTail(w)+normalDensity(w)*(1/u-1/w), 0), 1)
}
