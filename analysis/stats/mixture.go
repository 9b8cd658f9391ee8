package stats

import "math"

// Component is one Student t distribution of a Mixture: Centre + Scale * T(DF).
type Component struct {
	Weight float64 // probability of the component, 0 to 1
	Centre float64 // in the units of the series
	Scale  float64 // > 0, in the units of the series
	DF     float64 // degrees of freedom, > 0, whole or not
}

// Mixture is a mixture of Student t distributions whose weights sum to one: what
// is known of the mean of a series whose variance and autocorrelation are not
// known.
type Mixture []Component

// CDF returns the probability of a value of at most x, with full relative
// precision in the lower tail.
func (m Mixture) CDF(x float64) float64 {
	var p float64
	for _, c := range m {
		p += c.Weight * StudentTail(c.DF, (c.Centre-x)/c.Scale)
	}
	return p
}

// Tail returns the probability of a value above x, with full relative precision
// in the upper tail.
func (m Mixture) Tail(x float64) float64 {
	var p float64
	for _, c := range m {
		p += c.Weight * StudentTail(c.DF, (x-c.Centre)/c.Scale)
	}
	return p
}

// Mean returns the weighted mean of the component centres.
func (m Mixture) Mean() float64 {
	var mean float64
	for _, c := range m {
		mean += c.Weight * c.Centre
	}
	return mean
}

// Above reports whether any component is centred above x. When none is, at
// least half of the mixture lies at or below x, so that CDF(x) >= 1/2.
func (m Mixture) Above(x float64) bool {
	for _, c := range m {
		if c.Centre > x {
			return true
		}
	}
	return false
}

// Below reports whether any component is centred below x.
func (m Mixture) Below(x float64) bool {
	for _, c := range m {
		if c.Centre < x {
			return true
		}
	}
	return false
}

// Quantile returns the x with CDF(x) = p, for 0 < p < 1.
func (m Mixture) Quantile(p float64) float64 {
	centre, scale := m.Mean(), m.scale()
	return centre - scale*math.Sinh(m.solve(p, func(v float64) float64 { return m.CDF(centre - scale*math.Sinh(v)) }))
}

// TailQuantile returns the x with Tail(x) = p, for 0 < p < 1.
func (m Mixture) TailQuantile(p float64) float64 {
	centre, scale := m.Mean(), m.scale()
	return centre + scale*math.Sinh(m.solve(p, func(v float64) float64 { return m.Tail(centre + scale*math.Sinh(v)) }))
}

// solve finds the v at which the falling function tail equals p. On the scale of
// arsinh the logarithm of a Student tail is nearly straight, so a secant
// method is at home in a few steps from any start.
func (m Mixture) solve(p float64, tail func(float64) float64) float64 {
	target := math.Log(p)
	miss := func(v float64) float64 {
		return math.Log(math.Max(tail(v), math.SmallestNonzeroFloat64)) - target
	}
	lo, hi := bracket(miss, math.Asinh(NormalTailQuantile(p)))
	return root(miss, lo, hi)
}

// scale returns the weighted mean of the component scales.
func (m Mixture) scale() float64 {
	var s float64
	for _, c := range m {
		s += c.Weight * c.Scale
	}
	return s
}

// bracket widens from a first guess until the falling function f changes sign.
func bracket(f func(float64) float64, guess float64) (lo, hi float64) {
	const furthest = 64
	step := 0.25
	if f(guess) >= 0 {
		lo, hi = guess, guess+step
		for f(hi) > 0 && hi < furthest {
			step *= 2
			lo, hi = hi, hi+step
		}
		return lo, hi
	}
	lo, hi = guess-step, guess
	for f(lo) < 0 && lo > -furthest {
		step *= 2
		lo, hi = lo-step, lo
	}
	return lo, hi
}
