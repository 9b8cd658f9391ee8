package stats

import "math"

// proportionLower returns the Clopper-Pearson (1934) lower limit of a
// proportion, x events of n, at a one-sided level. x and n need not be whole.
func proportionLower(x, n, level float64) float64 {
	if x <= 0 {
		return 0
	}
	return BetaQuantile(x, n-x+1, level)
}

// proportionUpper returns the Clopper-Pearson upper limit.
func proportionUpper(x, n, level float64) float64 {
	if x >= n {
		return 1
	}
	return BetaTailQuantile(x+1, n-x, level)
}

// Proportion returns the Clopper-Pearson limits of a proportion, x of n, each at
// a one-sided level: 0 and 1 when n is 0.
func Proportion(x, n, level float64) (lower, upper float64) {
	if n <= 0 {
		return 0, 1
	}
	return proportionLower(x, n, level), proportionUpper(x, n, level)
}

// FirstRateLower returns the lower limit of the first arm's rate at a one-sided
// level, from counts deflated by dispersion.
func (c *Counts) FirstRateLower(level, dispersion float64) float64 {
	return c.Totals().firstLower(level, dispersion)
}

// FirstRateUpper returns the upper limit of the first arm's rate.
func (c *Counts) FirstRateUpper(level, dispersion float64) float64 {
	return c.Totals().firstUpper(level, dispersion)
}

func (v PairedCounts) firstLower(level, dispersion float64) float64 {
	return proportionLower(v.X/dispersion, v.N/dispersion, level)
}

func (v PairedCounts) firstUpper(level, dispersion float64) float64 {
	return proportionUpper(v.X/dispersion, v.N/dispersion, level)
}

func (v PairedCounts) secondLower(level, dispersion float64) float64 {
	return proportionLower(v.Y/dispersion, v.M/dispersion, level)
}

func (v PairedCounts) secondUpper(level, dispersion float64) float64 {
	return proportionUpper(v.Y/dispersion, v.M/dispersion, level)
}

// Difference returns X/N - multiple Y/M, the excess of the first rate over
// a multiple of the second.
func (v PairedCounts) Difference(multiple float64) float64 { return v.X/v.N - multiple*v.Y/v.M }

// DifferenceLower returns the lower confidence limit of Difference at a
// one-sided level, from totals deflated by dispersion: MOVER (Zou & Donner 2008,
// Statistics in Medicine 27:1693) with Clopper-Pearson limits. Wilson limits,
// the usual choice, are not safe at the small levels a sequential test uses.
func (v PairedCounts) DifferenceLower(multiple, level, dispersion float64) float64 {
	first, second := v.X/v.N, v.Y/v.M
	return v.Difference(multiple) - math.Hypot(
		first-v.firstLower(level, dispersion),
		multiple*(v.secondUpper(level, dispersion)-second))
}

// DifferenceUpper returns the upper confidence limit of Difference.
func (v PairedCounts) DifferenceUpper(multiple, level, dispersion float64) float64 {
	first, second := v.X/v.N, v.Y/v.M
	return v.Difference(multiple) + math.Hypot(
		v.firstUpper(level, dispersion)-first,
		multiple*(second-v.secondLower(level, dispersion)))
}

// ProportionSequence returns limits of a proportion, x of n, that hold at every n at once with
// a chance of at least 1 - level, however often they are looked at: the p at which a mixture of
// binomial alternatives is 1/level times as likely as p (Robbins 1970, Annals of Mathematical
// Statistics 41:1397). The mixture is a beta distribution about the expected proportion, which
// lies between 0 and 1. 0 and 1 when n is 0.
func ProportionSequence(x, n, expected, level float64) (lower, upper float64) {
	if n <= 0 {
		return 0, 1
	}
	const weight = 2 // of the mixture, in trials; any is valid
	a, b := weight*expected, weight*(1-expected)
	mixture := logBeta(x+a, n-x+b) - logBeta(a, b)
	// excluded reports whether a proportion is one that the limits leave out.
	excluded := func(p float64) bool {
		return mixture-xlogy(x, p)-xlogy(n-x, 1-p) >= -math.Log(level)
	}
	limit := func(end float64) float64 {
		in, out := x/n, end
		if !excluded(out) {
			return out
		}
		for range 60 {
			if middle := (in + out) / 2; excluded(middle) {
				out = middle
			} else {
				in = middle
			}
		}
		return out
	}
	return limit(0), limit(1)
}

func logBeta(a, b float64) float64 {
	first, _ := math.Lgamma(a)
	second, _ := math.Lgamma(b)
	both, _ := math.Lgamma(a + b)
	return first + second - both
}

// xlogy returns x log(y), 0 where x is 0.
func xlogy(x, y float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(y)
}
