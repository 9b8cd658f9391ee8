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

// StudentTail returns the probability that a Student t variable with df > 0
// degrees of freedom, whole or not, exceeds t:
//
//	P(T > t) = I_x(df/2, 1/2) / 2,  x = df / (df + t^2),  for t >= 0
//
// (Abramowitz & Stegun 26.7.1). The relative error against R's pt is below
// 1e-12 down to tails of 1e-12 for df from 0.5 to 1000.
func StudentTail(df, t float64) float64 {
	if math.IsInf(t, 0) {
		if t > 0 {
			return 0
		}
		return 1
	}
	tail := 0.5 * BetaCDF(df/2, 0.5, df/(df+t*t))
	if t < 0 {
		return 1 - tail
	}
	return tail
}

// StudentTailQuantile returns the t that a Student t variable with df degrees
// of freedom exceeds with probability p, 0 < p < 1.
func StudentTailQuantile(df, p float64) float64 {
	if p > 0.5 {
		return -StudentTailQuantile(df, 1-p)
	}
	if p == 0.5 {
		return 0
	}
	return Mixture{{Weight: 1, Scale: 1, DF: df}}.TailQuantile(p)
}
