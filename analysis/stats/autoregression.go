package stats

import "math"

// Moments holds what the AR(1) likelihood of a series needs at any phi: its
// length, its two ends, and three running sums. The sums are taken about an
// origin near the data, so that a mean far from zero costs no digits.
type Moments struct {
	N           int     // number of values
	Origin      float64 // the sums below are of value - Origin
	First, Last float64 // the two ends, less Origin
	Sum         float64 // sum of values
	Squares     float64 // sum of squares
	Lagged      float64 // sum of products of neighbours
}

// Add appends a value to the series.
func (m *Moments) Add(value float64) {
	if m.N == 0 {
		m.Origin = value
	}
	y := value - m.Origin
	if m.N == 0 {
		m.First = y
	} else {
		m.Lagged += y * m.Last
	}
	m.Last = y
	m.Sum += y
	m.Squares += y * y
	m.N++
}

// Mean returns the mean of the series, NaN when it is empty.
func (m Moments) Mean() float64 { return m.Origin + m.Sum/float64(m.N) }

// Variance returns the variance about the mean, with divisor N-1; NaN below two
// values.
func (m Moments) Variance() float64 {
	n := float64(m.N)
	return math.Max(m.Squares-m.Sum*m.Sum/n, 0) / (n - 1)
}

// quadratic is the quadratic form of the stationary AR(1) likelihood in the
// mean (Zellner 1971, ch. IV): precision * (mean - centre)^2 + rss, all in
// units of the innovation variance.
type quadratic struct {
	precision float64 // A
	centre    float64 // theta-hat, the generalised least squares mean
	rss       float64 // C - B^2/A, >= 0
}

// fit returns the quadratic form at the autocorrelation phi. With the series
// centred on its mean, the sum in B telescopes to its two ends:
//
//	A = (1-phi^2) + (n-1)(1-phi)^2
//	B = (1-phi^2) y_1 + (1-phi) sum_{t>1} (y_t - phi y_{t-1}) = phi (1-phi) (y_1 + y_n)
//	C = (1+phi^2) sum y^2 - phi^2 (y_1^2 + y_n^2) - 2 phi sum y_t y_{t-1}
func (m Moments) fit(phi float64) quadratic {
	n := float64(m.N)
	mean := m.Sum / n
	first, last := m.First-mean, m.Last-mean
	squares := m.Squares - m.Sum*mean
	lagged := m.Lagged - mean*(2*m.Sum-m.First-m.Last) + (n-1)*mean*mean
	a := (1 - phi*phi) + (n-1)*(1-phi)*(1-phi)
	b := phi * (1 - phi) * (first + last)
	c := (1+phi*phi)*squares - phi*phi*(first*first+last*last) - 2*phi*lagged
	return quadratic{
		precision: a,
		centre:    m.Origin + mean + b/a,
		rss:       math.Max(c-b*b/a, 0),
	}
}

// MeanRange returns the lowest and the highest of the generalised least squares
// means over the values of phi a MeanMixture has: where its components are
// centred, without the work of weighing them.
func (m Moments) MeanRange() (lowest, highest float64) {
	n := float64(m.N)
	mean := m.Sum / n
	ends := m.First + m.Last - 2*mean
	lowest, highest = math.Inf(1), math.Inf(-1)
	for _, g := range phiGrid {
		a := (1 - g.phi*g.phi) + (n-1)*(1-g.phi)*(1-g.phi)
		centre := m.Origin + mean + g.phi*(1-g.phi)*ends/a
		lowest, highest = math.Min(lowest, centre), math.Max(highest, centre)
	}
	return lowest, highest
}

// phiSteps is the number of values of the autocorrelation the mixtures
// integrate over: 0.05, 0.15, ..., 0.95 (docs/statistics/method.md, section 4).
const phiSteps = 10

// phiGrid holds the values of phi and their prior, proportional to
// sqrt(1-phi): the flattest of the priors tried that still holds its level
// when the noise is strongly autocorrelated (docs/statistics/measured.md,
// section 8.3).
var phiGrid = func() (g [phiSteps]struct{ phi, prior float64 }) {
	var total float64
	for i := range g {
		g[i].phi = 0.05 + 0.1*float64(i)
		g[i].prior = math.Sqrt(1 - g[i].phi)
		total += g[i].prior
	}
	for i := range g {
		g[i].prior /= total
	}
	return g
}()

// smallestRSS keeps a series without any variation out of log(0).
const smallestRSS = 1e-300

// MeanMixture returns what is known of the mean of the series with a flat prior
// on the mean and on the logarithm of the variance: the mixture over phi that
// value metrics are judged by. The residual sum of squares is taken as
// at least that of a series with standard deviation floor, so that a
// constant series has a width. It needs two values or more. The mixture is built
// in the memory of reuse, which may be nil.
func MeanMixture(reuse Mixture, m Moments, floor float64) Mixture {
	mix := reuse[:0]
	df := float64(m.N - 1)
	constant := studentConstant(df)
	for _, g := range phiGrid {
		q := m.fit(g.phi)
		innovations := 1 - g.phi*g.phi
		rss := math.Max(math.Max(q.rss, floor*floor*df*innovations), smallestRSS)
		mix = append(mix, Component{
			Weight: math.Log(g.prior) + 0.5*math.Log(innovations/q.precision) - 0.5*df*math.Log(rss),
			Centre: q.centre,
			Scale:  math.Sqrt(rss / df / q.precision),
			DF:     df, constant: constant,
		})
	}
	return normalise(mix)
}

// Prior of the noise of counts (docs/statistics/method.md, section 4): half of it on
// "counting noise and ordinary side noise", known nearly as well as
// by 20 observations; the other half, spread over phi, on "bursty noise", known
// as by one.
const (
	countingPrior = 0.5
	countingDF    = 20
	burstyDF      = 1
)

// quietPrior is the prior, beside those, of noise that is not known to be any more than that
// of counting, where there are so many events that ordinary side noise would be far more. It
// grows from 0 at quietEvents events (docs/statistics/method.md, section 13.18).
const (
	quietPrior  = 0.05
	quietEvents = 50
)

// sideNoise is the coefficient of variation of the ordinary noise of one
// arm's rate that counts are given beside their counting noise (c0 in
// docs/statistics/method.md, section 5.2). Of counting noise and ordinary side noise it is
// taken counted times.
const (
	sideNoise = 0.10
	counted   = 3
)

// NoiseMixture returns the noise of the mean of a series of count residuals,
// centred at zero. variance is the mean counting variance of one residual, > 0, and uneven
// the same weighted by itself, about how many events of the scarcer arm an interval has. The
// mixture is built in the memory of reuse, which may be nil.
func NoiseMixture(reuse Mixture, m Moments, variance, uneven float64) Mixture {
	mix := reuse[:0]
	mix = append(mix, noiseComponent(m, 0, countingPrior, countingDF, variance*(1+2*counted*sideNoise*sideNoise*uneven)))
	for _, g := range phiGrid {
		mix = append(mix, noiseComponent(m, g.phi, (1-countingPrior)*g.prior, burstyDF, variance*(1+2*sideNoise*sideNoise*uneven)))
	}
	if uneven > quietEvents {
		for _, g := range phiGrid {
			mix = append(mix, noiseComponent(m, g.phi, quietPrior*(1-quietEvents/uneven)*g.prior, burstyDF, variance))
		}
	}
	return normalise(mix)
}

// noiseComponent returns the component at phi with a scaled inverse chi-square
// prior on the variance; its Weight is the logarithm of an unnormalised weight.
func noiseComponent(m Moments, phi, prior, priorDF, variance float64) Component {
	q := m.fit(phi)
	innovations := 1 - phi*phi
	priorRSS := priorDF * variance * innovations
	rss := math.Max(q.rss+priorRSS, smallestRSS)
	df := priorDF + float64(m.N-1)
	lgPrior, _ := math.Lgamma(priorDF / 2)
	lg, _ := math.Lgamma(df / 2)
	return Component{
		Weight: math.Log(prior) + 0.5*math.Log(innovations/q.precision) - 0.5*df*math.Log(rss/2) +
			0.5*priorDF*math.Log(priorRSS/2) - lgPrior + lg,
		Scale: math.Sqrt(rss / df / q.precision),
		DF:    df, constant: studentConstant(df),
	}
}

// normalise turns weights that are logarithms into weights that sum to one, by
// way of the largest.
func normalise(mix Mixture) Mixture {
	largest := math.Inf(-1)
	for _, c := range mix {
		largest = math.Max(largest, c.Weight)
	}
	var total float64
	for i, c := range mix {
		mix[i].Weight = math.Exp(c.Weight - largest)
		total += mix[i].Weight
	}
	for i := range mix {
		mix[i].Weight /= total
	}
	return mix
}
