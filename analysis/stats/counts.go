package stats

import "math"

// PairedCounts is one step of two arms: X events of N in the first, Y of M in the
// second. Counts need not be whole: a rate times a time is a count.
type PairedCounts struct{ X, N, Y, M float64 }

// Plus returns the sums of both.
func (v PairedCounts) Plus(w PairedCounts) PairedCounts {
	return PairedCounts{v.X + w.X, v.N + w.N, v.Y + w.Y, v.M + w.M}
}

// usable reports whether both arms saw anything in the interval.
func (v PairedCounts) usable() bool { return v.N > 0 && v.M > 0 }

// sideNoise is the coefficient of variation of the ordinary noise of one
// arm's rate that counts are given beside their counting noise (c0 in
// docs/statistics/method.md, section 5.2).
const sideNoise = 0.10

// Counts is a growing series of intervals, compared by the ratio or the
// difference of the two arms' event rates. Traffic and event-rate swings
// that both arms share cancel, since every interval is compared within itself.
type Counts struct {
	limit     float64 // the ratio tested against
	intervals []PairedCounts
	x, n      float64 // sums over the intervals
	y, m      float64
	info      float64 // sum of n m / (n+m)
	weightedX float64 // sum of x m / (n+m), the numerator of the Mantel-Haenszel ratio
	weightedY float64 // sum of y n / (n+m)
	atLimit   float64 // sum of (x+y) limit n / (limit n + m)
	atLimit0  float64 // the same with x+y = 1, for when there are no events
	spreadX   float64 // sum of n m^2 / (n+m)^2, for the variance of weightedX
	spreadY   float64 // sum of m n^2 / (n+m)^2
	squares   float64 // von Neumann's squares of the second arm
	expected  float64 // and what counting noise makes of them
	noise     noise
}

// noise is what the intervals tell of the scatter of the residuals; it is worked
// out once a look.
type noise struct {
	intervals int // how many intervals it was worked out from
	mixture   Mixture
	variance  float64 // mean counting variance of one residual
}

// NewCounts returns an empty series whose ratio, first arm to second, is
// tested against limit > 0.
func NewCounts(limit float64) *Counts { return &Counts{limit: limit} }

// Add appends an interval and reports whether it was of use. One in which either
// arm has no total tells nothing and changes nothing.
func (c *Counts) Add(v PairedCounts) bool {
	if !v.usable() {
		return false
	}
	if k := len(c.intervals); k > 0 {
		last := c.intervals[k-1]
		sum, share := v.Y+last.Y, v.M/(v.M+last.M)
		c.squares += (v.Y - share*sum) * (v.Y - share*sum)
		c.expected += share * (1 - share) * sum
	}
	c.intervals = append(c.intervals, v)
	c.x += v.X
	c.n += v.N
	c.y += v.Y
	c.m += v.M
	c.info += v.N * v.M / (v.N + v.M)
	c.weightedX += v.X * v.M / (v.N + v.M)
	c.weightedY += v.Y * v.N / (v.N + v.M)
	c.spreadX += v.N * (v.M / (v.N + v.M)) * (v.M / (v.N + v.M))
	c.spreadY += v.M * (v.N / (v.N + v.M)) * (v.N / (v.N + v.M))
	share := c.limit * v.N / (c.limit*v.N + v.M)
	c.atLimit += (v.X + v.Y) * share
	c.atLimit0 += share
	return true
}

// Len returns the number of usable intervals.
func (c *Counts) Len() int { return len(c.intervals) }

// Totals returns the sums over all usable intervals.
func (c *Counts) Totals() PairedCounts { return PairedCounts{c.x, c.n, c.y, c.m} }

// Information returns the information on the ratio: the sum of nm/(n+m), which
// grows with the traffic of the scarcer arm.
func (c *Counts) Information() float64 { return c.info }

// Ratio returns the estimated ratio of the rates, first arm to second: 0 without
// events in the first arm, +Inf without any in the second, NaN without any.
func (c *Counts) Ratio() float64 {
	switch {
	case c.x+c.y == 0:
		return math.NaN()
	case c.frequent():
		return c.weightedX / c.weightedY
	}
	return c.ratioAt(c.x / (c.x + c.y))
}

// Dispersion returns the factor, at least 1, by which the evidence in the
// counts is worth less than that of Poisson counts at this one-sided level:
// overdispersion, autocorrelation, and the uncertainty of both. It is the
// square of the critical value of the noise mixture over that of pure
// counting noise (phi_eff in docs/statistics/method.md, section 5.2).
func (c *Counts) Dispersion(level float64) float64 {
	c.estimateNoise()
	q := c.noise.mixture.TailQuantile(level)
	z := NormalTailQuantile(level)
	return math.Max(1, float64(len(c.intervals))*q*q/(z*z*c.noise.variance))
}

// estimateNoise fits the noise mixture to the residuals
//
//	r = (x m - rho y n) / (rho n + m)
//
// at the Mantel-Haenszel ratio rho, which are free of the swings both arms
// share, unless it was fitted to these intervals before.
func (c *Counts) estimateNoise() {
	k := len(c.intervals)
	if c.noise.intervals == k {
		return
	}
	rho := (c.weightedX + 0.5) / (c.weightedY + 0.5)
	var exposure float64
	for _, v := range c.intervals {
		exposure += rho*v.N + v.M
	}
	rate := (c.x + c.y + 0.5) / exposure
	var residuals Moments
	var variance, squares float64
	frequent := c.frequent()
	for _, v := range c.intervals {
		d := rho*v.N + v.M
		residuals.Add((v.X*v.M - rho*v.Y*v.N) / d)
		counting := rate * rho * v.N * v.M / d
		if frequent {
			counting *= (v.M*without(c.x, c.n) + rho*v.N*without(c.y, c.m)) / d
		}
		variance += counting
		squares += counting * counting
	}
	mean, weighted := variance/float64(k), squares/variance
	c.noise = noise{
		intervals: k,
		variance:  mean,
		mixture: NoiseMixture(c.noise.mixture, residuals,
			mean*(1+6*sideNoise*sideNoise*weighted),
			mean*(1+2*sideNoise*sideNoise*weighted)),
	}
}

// SecondDispersion returns the dispersion of the second arm alone, at least
// 1: the von Neumann ratio of its successive differences to what counting noise
// makes of them (phi_B in docs/statistics/method.md, section 5.2). It keeps a first arm that
// has not yet met one of its rare clusters of events from looking good.
func (c *Counts) SecondDispersion() float64 {
	expected := c.expected
	if c.frequent() {
		expected *= without(c.y, c.m)
	}
	return math.Max(1, (2+c.squares)/(2+expected))
}

// share returns the probability that an event falls into the first arm when
// the ratio is rho, averaged over the events.
func (c *Counts) share(rho float64) float64 {
	events := c.x + c.y
	if rho == c.limit {
		if events == 0 {
			return c.atLimit0 / float64(len(c.intervals))
		}
		return c.atLimit / events
	}
	var sum, weight float64
	for _, v := range c.intervals {
		w := v.X + v.Y
		if events == 0 {
			w = 1
		}
		sum += w * rho * v.N / (rho*v.N + v.M)
		weight += w
	}
	return sum / weight
}

// ratioAt returns the ratio at which an event falls into the first arm with
// probability p.
func (c *Counts) ratioAt(p float64) float64 {
	if p <= 0 {
		return 0
	}
	if p >= 1 {
		return math.Inf(1)
	}
	miss := func(log float64) float64 { return p - c.share(math.Exp(log)) }
	// The slope of the share on the scale of logarithms is p (1-p) when the arms'
	// traffic keeps its proportion.
	lo, hi := bracket(miss, math.Log(p/(1-p)*c.m/c.n), p*(1-p))
	return math.Exp(root(miss, lo, hi, 1e-13))
}

// Above reports whether the ratio is shown to be above the limit at a one-sided level,
// from counts deflated by dispersion: where RatioLower lies above it.
func (c *Counts) Above(level, dispersion float64) bool {
	if c.frequent() {
		return c.standardised().DifferenceLower(c.limit, level, dispersion) > 0
	}
	return c.aboveLimit(dispersion) < level
}

// Below reports whether the ratio is shown to be below the limit: where RatioUpper
// lies below it.
func (c *Counts) Below(level, dispersion float64) bool {
	if c.frequent() {
		return c.standardised().DifferenceUpper(c.limit, level, dispersion) < 0
	}
	return c.belowLimit(dispersion) < level
}

// aboveLimit returns the p-value of the hypothesis that the ratio is at most
// the limit, from counts deflated by dispersion: the exact conditional test
// of Przyborowski & Wilenski (1940), P(at least X of X+Y events in the first
// arm).
func (c *Counts) aboveLimit(dispersion float64) float64 {
	if c.x == 0 {
		return 1
	}
	return BetaCDF(c.x/dispersion, c.y/dispersion+1, c.share(c.limit))
}

// belowLimit returns the p-value of the hypothesis that the ratio is at least
// the limit.
func (c *Counts) belowLimit(dispersion float64) float64 {
	if c.y == 0 {
		return 1
	}
	return BetaTail(c.x/dispersion+1, c.y/dispersion, c.share(c.limit))
}

// RatioLower returns the lower confidence limit of the ratio at a one-sided
// level: 0 without events in the first arm.
func (c *Counts) RatioLower(level, dispersion float64) float64 {
	if c.frequent() {
		return c.standardised().ratioLower(level, dispersion)
	}
	return c.ratioAt(proportionLower(c.x/dispersion, (c.x+c.y)/dispersion, level))
}

// RatioUpper returns the upper confidence limit of the ratio at a one-sided
// level: +Inf without events in the second arm.
func (c *Counts) RatioUpper(level, dispersion float64) float64 {
	if c.y == 0 {
		return math.Inf(1)
	}
	if c.frequent() {
		return c.standardised().ratioUpper(level, dispersion)
	}
	return c.ratioAt(proportionUpper(c.x/dispersion, (c.x+c.y)/dispersion, level))
}
