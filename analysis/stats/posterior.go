package stats

import "math"

// Posterior is what is known of a mean when there is a history: the noise is either
// of the kind that it shows or of another, and the limits are never narrower than those of
// the first kind alone. Without a history there is only Other.
type Posterior struct {
	Alike, Other Mixture // each of weights that sum to one, or empty
	Trust        float64 // probability that the noise is as in the history, 0 to 1
}

// CDF returns the probability of a value of at most x, or that of noise as in the history if
// that is larger.
func (p Posterior) CDF(x float64) float64 {
	tail, _, _ := p.beyond(x, -1)
	return tail
}

// Tail returns the probability of a value above x, likewise.
func (p Posterior) Tail(x float64) float64 {
	tail, _, _ := p.beyond(x, 1)
	return tail
}

// beyond is Mixture.beyond of both kinds of noise, or of noise as in the history where that
// has the larger tail.
func (p Posterior) beyond(x, side float64) (tail, density, slope float64) {
	other, d, s := p.Other.beyond(x, side)
	if len(p.Alike) == 0 {
		return other, d, s
	}
	alike, density, slope := p.Alike.beyond(x, side)
	if other <= alike {
		return alike, density, slope
	}
	return p.mean(alike, other), p.mean(density, d), p.mean(slope, s)
}

// mean averages something of both kinds of noise.
func (p Posterior) mean(alike, other float64) float64 {
	return p.Trust*alike + (1-p.Trust)*other
}

// Mean returns the weighted mean of the component centres.
func (p Posterior) Mean() float64 { return p.mean(p.Alike.Mean(), p.Other.Mean()) }

// Quantile returns the x with CDF(x) = level, for 0 < level < 1.
func (p Posterior) Quantile(level float64) float64 { return p.solve(level, -1) }

// TailQuantile returns the x with Tail(x) = level, for 0 < level < 1.
func (p Posterior) TailQuantile(level float64) float64 { return p.solve(level, 1) }

func (p Posterior) solve(level, side float64) float64 {
	return solveTail(level, side, p.mean(p.Alike.df(), p.Other.df()), p.Mean(), p.mean(p.Alike.scale(), p.Other.scale()), p.beyond)
}

// Constants of the noise engine with a history (docs/statistics/history.md, section 4).
const (
	alikePrior     = 0.85 // the noise is as in the history
	betweenPrior   = 0.5  // and of counts, as between its bursts
	quieterPrior   = 0.02 // and of values, quieter
	otherVariance  = 6    // times as large is the variance of noise of another kind
	otherDF        = 4
	mostLearnedDF  = 50 // as many degrees of freedom at most are believed about the variance
	smallestWeight = 1e-300
)

// otherPhis is the prior of the autocorrelation of noise of another kind, proportional to 1 - phi.
var otherPhis = func() (prior [phiSteps]float64) {
	var total float64
	for _, g := range phiGrid {
		total += 1 - g.phi
	}
	for i, g := range phiGrid {
		prior[i] = (1 - g.phi) / total
	}
	return prior
}()

// Shift is the persistent difference of the arms that is taken out of an effect, and the
// variance of its error with the degrees of freedom of that; all 0 for none.
type Shift struct{ By, Variance, DF float64 }

// MeanPosterior returns what is known of the mean of the series, less the shift. Each
// variance the history expects is taken as at least floor squared. The mixtures are built
// in the memory of reuse.
func (l *Learned) MeanPosterior(reuse Posterior, m Moments, floor float64, s Shift) Posterior {
	e := newEngine(m, l.N)
	least := floor * floor
	alike, other := reuse.Alike[:0], reuse.Other[:0]
	for _, c := range l.Noise {
		alike = append(alike,
			e.component(c.Phi, alikePrior*(1-quieterPrior)*c.Weight, e.learned, math.Max(c.Variance, least)),
			e.component(c.Phi, alikePrior*quieterPrior*c.Weight, e.vague, math.Max(c.Variance/otherVariance, least)))
	}
	variance := math.Max(otherVariance*l.Variance(), least)
	for i, g := range phiGrid {
		other = append(other, e.component(g.phi, (1-alikePrior)*otherPhis[i], e.vague, variance))
	}
	p := combine(alike, other)
	p.Alike.shift(s)
	p.Other.shift(s)
	return p
}

// UnlikePosterior returns what is known of the mean of a series whose noise is beyond what the
// history can speak of: the same as without a history, less the shift.
func (l *Learned) UnlikePosterior(reuse Posterior, m Moments, floor float64, s Shift) Posterior {
	p := Posterior{Other: MeanMixture(reuse.Other, m, floor)}
	p.Other.shift(s)
	return p
}

// NoisePosterior returns the noise of the mean of a series of count residuals, centred at
// zero. variance is the mean counting variance of one of them, uneven the same weighted
// by itself. least is the sum of squares that the series is credited with at the least.
func (l *Learned) NoisePosterior(reuse Posterior, m Moments, variance, uneven, least float64) Posterior {
	e := newEngine(m, l.N)
	e.lacking = math.Max(0, least-m.fit(0).rss)
	// Noise of each side grows with the square of its rate, clusters of events with the rate:
	// more traffic than in the history may bring either.
	growth := math.Max(1, uneven/l.Unevenness)
	alike, other := reuse.Alike[:0], reuse.Other[:0]
	var mean float64
	for _, part := range []struct {
		noise []LearnedNoise
		prior float64
	}{{l.Noise, 1 - betweenPrior}, {l.Between, betweenPrior}} {
		for _, c := range part.noise {
			v := variance * (1 + (c.Variance-1)*growth)
			mean += part.prior * c.Weight * v
			alike = append(alike, e.component(c.Phi, alikePrior*part.prior*c.Weight, e.learned, v))
		}
	}
	for i, g := range phiGrid {
		other = append(other, e.component(g.phi, (1-alikePrior)*otherPhis[i], e.vague, otherVariance*mean))
	}
	p := combine(alike, other)
	p.Alike.centre()
	p.Other.centre()
	return p
}

// engine makes the components of a window.
type engine struct {
	m              Moments
	learned, vague knowledge
	lacking        float64 // sum of squares that is added to those of m, as of white noise
}

// knowledge is how well the variance is known before the window, and what follows from it
// for every component that is known as well.
type knowledge struct{ prior, df, gammas, constant float64 }

func newEngine(m Moments, pairs int) engine {
	know := func(prior float64) knowledge {
		df := prior + float64(m.N-1)
		before, _ := math.Lgamma(prior / 2)
		after, _ := math.Lgamma(df / 2)
		return knowledge{prior, df, after - before, studentConstant(df)}
	}
	return engine{m: m, learned: know(math.Min(mostLearnedDF, float64(pairs-1))), vague: know(otherDF)}
}

// fewestSquares returns the sum of squares below which that of count residuals lies in one of a
// thousand runs of independent events, of the given variance of one residual.
func fewestSquares(residuals int, variance float64) float64 {
	df := float64(residuals - 1)
	if df < 1 {
		return 0
	}
	// Wilson & Hilferty (1931): the cube root of a chi-square variable is nearly normal.
	root := 1 - 2/(9*df) - 3.0902*math.Sqrt(2/(9*df))
	return variance * df * math.Pow(math.Max(root, 0), 3)
}

// component returns the component at phi with a scaled inverse chi-square prior on the
// variance; its Weight is the logarithm of an unnormalised weight.
func (e engine) component(phi, prior float64, k knowledge, variance float64) Component {
	q := e.m.fit(phi)
	innovations := 1 - phi*phi
	priorRSS := k.prior * variance * innovations
	rss := math.Max(q.rss+e.lacking*(1+phi*phi)+priorRSS, smallestRSS)
	return Component{
		Weight: math.Log(math.Max(prior, smallestWeight)) + 0.5*math.Log(innovations/q.precision) -
			0.5*k.df*math.Log(rss/2) + 0.5*k.prior*math.Log(priorRSS/2) + k.gammas,
		Centre: q.centre,
		Scale:  math.Sqrt(rss / k.df / q.precision),
		DF:     k.df, constant: k.constant,
	}
}

// combine turns the logarithms of weights into the probability of each kind of noise and
// weights within it.
func combine(alike, other Mixture) Posterior {
	a, o := logSum(alike), logSum(other)
	return Posterior{Alike: normalise(alike), Other: normalise(other), Trust: 1 / (1 + math.Exp(o-a))}
}

// logSum returns the logarithm of the sum of weights that are logarithms.
func logSum(mix Mixture) float64 {
	largest := math.Inf(-1)
	for _, c := range mix {
		largest = math.Max(largest, c.Weight)
	}
	var total float64
	for _, c := range mix {
		total += math.Exp(c.Weight - largest)
	}
	return largest + math.Log(total)
}

// centre moves all components to zero.
func (m Mixture) centre() {
	for i := range m {
		m[i].Centre = 0
	}
}

// shift takes the shift out of all components and adds its uncertainty to theirs
// (Welch 1938, Satterthwaite 1946 for the degrees of freedom).
func (m Mixture) shift(s Shift) {
	for i := range m {
		c := &m[i]
		c.Centre -= s.By
		if s.Variance == 0 {
			continue
		}
		own := c.Scale * c.Scale
		both := own + s.Variance
		c.Scale = math.Sqrt(both)
		c.DF = both * both / (own*own/c.DF + s.Variance*s.Variance/s.DF)
		c.constant = studentConstant(c.DF)
	}
}
