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
	learned   *Learned // from before the run, nil for nothing
	shift     Shift    // taken out of the ratio, on the scale of logarithms
}

// noise is what the intervals tell of the scatter of the residuals; it is worked
// out once a look.
type noise struct {
	intervals int // how many intervals it was worked out from
	posterior Posterior
	variance  float64 // mean counting variance of one residual
	scatter   float64 // variance of the residuals
}

// NewCounts returns an empty series whose ratio, first arm to second, is
// tested against limit > 0.
func NewCounts(limit float64) *Counts { return &Counts{limit: limit} }

// NewLearnedCounts returns an empty series that knows the noise from before the run. The
// shift is taken out of the ratio, which is what is tested against limit and shown.
func NewLearnedCounts(limit float64, l *Learned, s Shift) *Counts {
	return &Counts{limit: limit * math.Exp(s.By), learned: l, shift: s}
}

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

// Intervals returns the intervals in order of time; the caller must not change them.
func (c *Counts) Intervals() []PairedCounts { return c.intervals }

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
		return c.shifted(c.weightedX / c.weightedY)
	}
	return c.shifted(c.ratioAt(c.x / (c.x + c.y)))
}

// shifted takes the shift out of a ratio.
func (c *Counts) shifted(ratio float64) float64 { return ratio / math.Exp(c.shift.By) }

// Dispersion returns the factor, at least 1, by which the evidence in the
// counts is worth less than that of Poisson counts at this one-sided level:
// overdispersion, autocorrelation, and the uncertainty of both. It is the
// square of the critical value of the noise mixture over that of pure
// counting noise (phi_eff in docs/statistics/method.md, section 5.2), and what the error of the
// shift adds.
func (c *Counts) Dispersion(level float64) float64 {
	c.estimateNoise()
	q := c.noise.posterior.TailQuantile(level)
	z := NormalTailQuantile(level)
	return math.Max(1, float64(len(c.intervals))*q*q/(z*z*c.noise.variance)) + c.shiftDispersion(level, z)
}

// shiftDispersion returns what the error of the shift adds to the dispersion: its limit at
// the level, against the variance of the logarithm of the ratio of independent events.
func (c *Counts) shiftDispersion(level, z float64) float64 {
	if c.shift.Variance == 0 || c.x+c.y == 0 {
		return 0
	}
	t := studentQuantile(c.shift.DF, level)
	information := c.x * c.y / (c.x + c.y)
	if c.frequent() {
		information = c.x * c.y / (c.x*without(c.y, c.m) + c.y*without(c.x, c.n))
	}
	return information * c.shift.Variance * (t / z) * (t / z)
}

// studentQuantile returns the t that a Student variable exceeds with probability p.
func studentQuantile(df, p float64) float64 {
	return Mixture{{Weight: 1, Scale: 1, DF: df, constant: studentConstant(df)}}.TailQuantile(p)
}

// Trust returns the probability that the noise is as in the history, NaN without one.
func (c *Counts) Trust() float64 {
	if c.learned == nil || len(c.intervals) == 0 {
		return math.NaN()
	}
	c.estimateNoise()
	return c.noise.posterior.Trust
}

// residuals are what is left of the intervals when the ratio is taken out of them.
type residuals struct {
	values   []float64
	ratio    float64 // of Mantel & Haenszel, with half an event added to each arm
	variance float64 // mean counting variance of one
	uneven   float64 // mean counting variance, weighted by itself
}

// residuals returns, for each interval,
//
//	r = (x m - rho y n) / (rho n + m)
//
// at the Mantel-Haenszel ratio rho, which are free of the swings both arms share.
func (c *Counts) residuals() residuals {
	r := residuals{values: make([]float64, 0, len(c.intervals)), ratio: (c.weightedX + 0.5) / (c.weightedY + 0.5)}
	rho := r.ratio
	var exposure float64
	for _, v := range c.intervals {
		exposure += rho*v.N + v.M
	}
	rate := (c.x + c.y + 0.5) / exposure
	var squares float64
	frequent := c.frequent()
	for _, v := range c.intervals {
		d := rho*v.N + v.M
		r.values = append(r.values, (v.X*v.M-rho*v.Y*v.N)/d)
		counting := rate * rho * v.N * v.M / d
		if frequent {
			counting *= (v.M*without(c.x, c.n) + rho*v.N*without(c.y, c.m)) / d
		}
		r.variance += counting
		squares += counting * counting
	}
	r.uneven = squares / r.variance
	r.variance /= float64(len(c.intervals))
	return r
}

// estimateNoise fits the noise mixture to the residuals, unless it was fitted to these
// intervals before.
func (c *Counts) estimateNoise() {
	k := len(c.intervals)
	if c.noise.intervals == k {
		return
	}
	r := c.residuals()
	var m Moments
	for _, v := range r.values {
		m.Add(v)
	}
	p := c.noise.posterior
	if c.learned != nil {
		var least float64
		if c.x > 0 && c.y > 0 {
			// Counts that are more even than independent events are, as those of a load
			// generator, say nothing against the history.
			least = fewestSquares(k, r.variance)
		}
		p = c.learned.NoisePosterior(p, m, r.variance, r.uneven, least)
	} else {
		p.Other = NoiseMixture(p.Other, m, r.variance, r.uneven)
	}
	c.noise = noise{intervals: k, variance: r.variance, scatter: m.Variance(), posterior: p}
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
		return c.shifted(c.standardised().ratioLower(level, dispersion))
	}
	return c.shifted(c.ratioAt(proportionLower(c.x/dispersion, (c.x+c.y)/dispersion, level)))
}

// RatioUpper returns the upper confidence limit of the ratio at a one-sided
// level: +Inf without events in the second arm.
func (c *Counts) RatioUpper(level, dispersion float64) float64 {
	if c.y == 0 {
		return math.Inf(1)
	}
	if c.frequent() {
		return c.shifted(c.standardised().ratioUpper(level, dispersion))
	}
	return c.shifted(c.ratioAt(proportionUpper(c.x/dispersion, (c.x+c.y)/dispersion, level)))
}
