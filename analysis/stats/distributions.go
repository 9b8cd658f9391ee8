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
// degrees of freedom, whole or not, exceeds t, and its density at t:
//
//	P(T > t) = I_x(df/2, 1/2) / 2,  x = df / (df + t^2),  for t >= 0
//
// (Abramowitz & Stegun 26.7.1). The factor x^(df/2) (1-x)^(1/2) / B(df/2, 1/2) of the
// incomplete beta function is t times the density. constant is studentConstant(df). The
// relative error against R's pt is below 2e-12 down to tails of 1e-12 for df from 0.5 to
// 1000. The judge spends most of its time here: gonum's incomplete beta is as exact, and
// ten times as slow for these parameters.
func studentTail(df, constant, t float64) (tail, density float64) {
	ratio := t * t / df
	density = math.Exp(-constant-0.5*(df+1)*math.Log1p(ratio)) / math.Sqrt(df)
	if math.IsInf(ratio, 1) {
		ratio = math.MaxFloat64
	}
	factor := math.Abs(t) * density
	// The fraction converges fast on one side of the mean only; on the other the
	// mirrored integral is what is left.
	a, x := df/2, 1/(1+ratio)
	if x <= (a+1)/(a+2.5) {
		tail = 0.5 * factor * betaFraction(a, 0.5, x) / a
	} else {
		tail = 0.5 - factor*betaFraction(0.5, a, ratio/(1+ratio))
	}
	if t < 0 {
		tail = 1 - tail
	}
	return tail, density
}

// betaFraction returns the continued fraction of the incomplete beta function
// (DLMF 8.17.22) by its convergents, for x below the mean. A pair of partial fractions
// is taken at a time, and all divisions but those of the coefficients are left to the
// end.
func betaFraction(a, b, x float64) float64 {
	const enough, most = 1e-15, 10000
	// The last two convergents, as numerators and denominators.
	lastN, lastD := 0.0, 1.0
	n, d := 1.0, 1.0
	for m := 0.0; m < most; m++ {
		middle := a + 2*m + 1
		odd := -(a + m) * (a + b + m) * x / ((middle - 1) * middle)
		even := (m + 1) * (b - m - 1) * x / (middle * (middle + 1))
		lastN, lastD = n+odd*lastN, d+odd*lastD
		n, d = lastN+even*n, lastD+even*d
		if cross := n * lastD; math.Abs(cross-lastN*d) < enough*math.Abs(cross) {
			break
		}
		// The denominators shrink from pair to pair.
		const small, large = 0x1p-300, 0x1p300
		if d < small {
			lastN, lastD, n, d = lastN*large, lastD*large, n*large, d*large
		}
	}
	return n / d
}
