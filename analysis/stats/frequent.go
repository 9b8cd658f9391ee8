package stats

import "math"

// frequentRate is the rate of both arms together from which on events are not taken for
// Poisson. Counts of n trials scatter by n p (1-p); to take it for n p claims nothing
// that is not so, but more and more less than is so as p nears 1: five of five failed
// trials against none of ten are nothing unusual then. Below it, a fifth of the variance
// at most, the conditional test of Poisson counts is the more exact one.
const frequentRate = 0.2

// frequent reports whether events are so frequent that their counts are compared as
// those of trials. It depends on how many events both arms have together, which hardly
// tells which of them has more of them, so that to choose by it spends no error.
func (c *Counts) frequent() bool { return c.x+c.y > 0 && c.x+c.y >= frequentRate*(c.n+c.m) }

// without returns the share of trials without an event, kept away from 0 by half a
// trial.
func without(events, trials float64) float64 {
	return math.Max(0, trials-events+0.5) / (trials + 1)
}

// EventVariance returns the variance of the number of events that both arms have, for
// each of them: 1 while they are taken for Poisson, and less where they are frequent.
func (c *Counts) EventVariance() float64 {
	if !c.frequent() {
		return 1
	}
	return without(c.x+c.y, c.n+c.m)
}

// standardised returns the arms' trials and events as if all intervals had had the
// arms in the same proportion: rates with the weights of Mantel & Haenszel (1959),
// which an interval's rates enter alike so that swings both arms share cancel, of as
// many trials as have their variance. Where the proportion is the same throughout,
// these are the sums.
func (c *Counts) standardised() PairedCounts {
	n, m := c.info*c.info/c.spreadX, c.info*c.info/c.spreadY
	return PairedCounts{X: c.weightedX / c.info * n, N: n, Y: c.weightedY / c.info * m, M: m}
}

// ratioLower returns the lower confidence limit of the ratio of the rates at a one-sided
// level, from counts deflated by dispersion: the ratio at which DifferenceLower is 0, in
// closed form (Donner & Zou 2012, Statistical Methods in Medical Research 21:347).
func (v PairedCounts) ratioLower(level, dispersion float64) float64 {
	first, second := v.X/v.N, v.Y/v.M
	lower, upper := v.firstLower(level, dispersion), v.secondUpper(level, dispersion)
	spread := lower * (2*first - lower)
	if spread <= 0 {
		return 0
	}
	product := first * second
	return spread / (product + math.Sqrt(math.Max(0, product*product-spread*upper*(2*second-upper))))
}

// ratioUpper returns the upper confidence limit, at which DifferenceUpper is 0.
func (v PairedCounts) ratioUpper(level, dispersion float64) float64 {
	first, second := v.X/v.N, v.Y/v.M
	upper, lower := v.firstUpper(level, dispersion), v.secondLower(level, dispersion)
	spread := lower * (2*second - lower)
	if spread <= 0 {
		return math.Inf(1)
	}
	product := first * second
	return (product + math.Sqrt(math.Max(0, product*product-upper*(2*first-upper)*spread))) / spread
}
