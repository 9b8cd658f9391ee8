package stats

import "math"

// Component is one Student t distribution of a Mixture: Centre + Scale * T(DF).
type Component struct {
	Weight float64 // probability of the component, 0 to 1
	Centre float64 // in the units of the series
	Scale  float64 // > 0, in the units of the series
	DF     float64 // degrees of freedom, > 0, whole or not

	constant float64 // studentConstant(DF)
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
		p += c.Weight * studentTail(c.DF, c.constant, (c.Centre-x)/c.Scale)
	}
	return p
}

// Tail returns the probability of a value above x, with full relative precision
// in the upper tail.
func (m Mixture) Tail(x float64) float64 {
	var p float64
	for _, c := range m {
		p += c.Weight * studentTail(c.DF, c.constant, (x-c.Centre)/c.Scale)
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
// method is at home in a few steps.
func (m Mixture) solve(p float64, tail func(float64) float64) float64 {
	target := math.Log(p)
	miss := func(v float64) float64 {
		return math.Log(math.Max(tail(v), math.SmallestNonzeroFloat64)) - target
	}
	df := m.df()
	guess := math.Asinh(studentGuess(df, p))
	// Far out the logarithm falls by df for each unit of v, nearer in by less.
	lo, hi := bracket(miss, guess, df*math.Tanh(math.Max(math.Abs(guess), 0.1)))
	return root(miss, lo, hi, 1e-13)
}

// df returns the weighted mean of the degrees of freedom.
func (m Mixture) df() float64 {
	var df float64
	for _, c := range m {
		df += c.Weight * c.DF
	}
	return df
}

// studentGuess returns about the t that a Student variable exceeds with
// probability p, within a few percent (Wallace 1959, Annals of Mathematical
// Statistics 30:1121, solved for t).
func studentGuess(df, p float64) float64 {
	z := NormalTailQuantile(p)
	c := (8*df + 3) / (8*df + 1) * z
	return math.Copysign(math.Sqrt(df*math.Expm1(math.Min(c*c/df, 200))), z)
}

// scale returns the weighted mean of the component scales.
func (m Mixture) scale() float64 {
	var s float64
	for _, c := range m {
		s += c.Weight * c.Scale
	}
	return s
}

// bracket returns two points between which the falling function f changes sign,
// from a first guess and about how steeply f falls.
func bracket(f func(float64) float64, guess, slope float64) (lo, hi float64) {
	const furthest = 700
	miss := f(guess)
	if miss == 0 {
		return guess, guess
	}
	// A little further than the slope says is most likely beyond the root.
	step := 1.25*miss/slope + math.Copysign(1e-9, miss)
	for from := guess; ; step *= 2 {
		to := from + step
		if beyond := f(to); (beyond > 0) != (miss > 0) || math.Abs(to) > furthest {
			return math.Min(from, to), math.Max(from, to)
		}
		from = to
	}
}
