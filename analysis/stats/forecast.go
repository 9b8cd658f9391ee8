package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// forecastZ stands for the level of a late look plus 80 % power, in standard
// deviations (z in docs/statistics/method.md, section 6).
const forecastZ = 3.2

// EventsToPass returns about how many events the first arm must see before an
// unchanged one is shown to lie within a relative tolerance, > 0. arms
// is the traffic of the first arm over that of the second, dispersion as of
// Counts.Dispersion.
func EventsToPass(tolerance, arms, dispersion float64) float64 {
	z := forecastZ / math.Log1p(tolerance)
	return dispersion * (1 + arms) * z * z
}

// PairsToPass returns about how many pairs it takes until an unchanged series
// of differences is shown to lie within tolerance, > 0, in the units of its
// standard deviation. autocorrelation is that of neighbours.
func PairsToPass(tolerance, deviation, autocorrelation float64) float64 {
	z := forecastZ * deviation / tolerance
	return (1 + autocorrelation) / (1 - autocorrelation) * z * z
}

// Autocorrelation returns the correlation of neighbours, between 0 and 0.95:
// negative ones are taken as none, since they would promise too much.
func (m Moments) Autocorrelation() float64 {
	n := float64(m.N)
	mean := m.Sum / n
	squares := m.Squares - m.Sum*mean
	lagged := m.Lagged - mean*(2*m.Sum-m.First-m.Last) + (n-1)*mean*mean
	if squares <= 0 {
		return 0
	}
	return math.Min(math.Max(lagged/squares, 0), 0.95)
}

// PoissonAtMost returns the probability of at most x events, a whole number, where a mean of so
// many are expected: the regularised incomplete gamma function Q(x+1, mean) (Johnson, Kemp & Kotz
// 2005, Univariate Discrete Distributions, ch. 4); 1 for a mean of 0.
func PoissonAtMost(x, mean float64) float64 {
	if mean <= 0 {
		return 1
	}
	return mathext.GammaIncRegComp(x+1, mean)
}
