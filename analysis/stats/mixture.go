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
	p, _, _ := m.beyond(x, -1)
	return p
}

// Tail returns the probability of a value above x, with full relative precision
// in the upper tail.
func (m Mixture) Tail(x float64) float64 {
	p, _, _ := m.beyond(x, 1)
	return p
}

// beyond returns the probability of a value above x where side is 1, and below x where
// it is -1; the density at x, and how it changes in the direction of the side.
func (m Mixture) beyond(x, side float64) (p, density, slope float64) {
	for _, c := range m {
		t := side * (x - c.Centre) / c.Scale
		tail, d := studentTail(c.DF, c.constant, t)
		d /= c.Scale
		p += c.Weight * tail
		density += c.Weight * d
		slope -= c.Weight * d * (c.DF + 1) * t / ((c.DF + t*t) * c.Scale)
	}
	return p, density, slope
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
	return solveTail(p, -1, m.df(), m.Mean(), m.scale(), m.beyond)
}

// TailQuantile returns the x with Tail(x) = p, for 0 < p < 1.
func (m Mixture) TailQuantile(p float64) float64 {
	return solveTail(p, 1, m.df(), m.Mean(), m.scale(), m.beyond)
}

// solveTail returns the x beyond which the probability is p, on a side as in
// Mixture.beyond, which is what beyond is like. The distribution is about Student's with
// the given degrees of freedom, centre and scale. On the scale of arsinh the logarithm of
// a Student tail is nearly straight, so that Halley's method is at home in three or four
// steps: an error of e leaves one of about e^3. Where a step would lead out of the
// interval that is known to hold x, the interval is halved instead.
func solveTail(p, side, df, centre, scale float64, beyond func(x, side float64) (p, density, slope float64)) float64 {
	const furthest, enough = 700, 2e-5
	target := math.Log(p)
	lo, hi := -float64(furthest), float64(furthest)
	v := math.Asinh(studentGuess(df, p))
	for range 200 {
		sinh, cosh := math.Sinh(v), math.Cosh(v)
		tail, density, slope := beyond(centre+side*scale*sinh, side)
		// With h = ln tail and x the distance from the centre: h' = -density x' / tail, and
		// h'' = -(slope x'^2 + density x'') / tail - h'^2.
		miss := math.Log(tail) - target
		h1 := -density * scale * cosh / tail
		h2 := -scale*(slope*scale*cosh*cosh+density*sinh)/tail - h1*h1
		if miss > 0 {
			lo = v
		} else {
			hi = v
		}
		// Far off, the curvature here says little of the way: it may at most double a
		// step of Newton's.
		step := -miss / h1 / math.Max(0.5, 1-0.5*miss*h2/(h1*h1))
		if next := v + step; !(next >= lo && next <= hi) {
			v = lo + (hi-lo)/2
			continue
		}
		v += step
		if math.Abs(step) < enough {
			break
		}
	}
	return centre + side*scale*math.Sinh(v)
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
