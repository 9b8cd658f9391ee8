package stats

import (
	"math"
	"slices"
)

// Constants of what a history says: docs/statistics/history.md, section 3, and
// docs/statistics/history.md, section 5.
const (
	unrelatedValues = 0.4 // prior of no autocorrelation, of values
	unrelatedCounts = 0.5 // and of counts
	mostPairsOfPhi  = 120 // as many pairs at most are believed about the autocorrelation
	leastBlocks     = 3   // stretches of the window's length that show a drift
	knownOffset     = 0.25
)

// PlainOffset is how many standard errors of an offset make it plain that there is one
// (docs/statistics/history.md, section 5).
const PlainOffset = 3

// learnedPhis are the values of the autocorrelation that a history is fitted at: none, and
// those of phiGrid.
const learnedPhis = phiSteps + 1

// Learned is what a series of differences from before the run says about the noise and about
// the persistent difference of the arms. The series is of pairs that are oriented as
// those of the run; values are winsorised, counts are the residuals of their intervals.
type Learned struct {
	N int // pairs
	// Noise is what is known of the noise; Between that of counts between their bursts,
	// empty for values.
	Noise, Between []LearnedNoise
	// Offset is the persistent difference: of logarithms, or in the units of the
	// differences. OffsetVariance is the variance of its error, with OffsetDF degrees of
	// freedom.
	Offset, OffsetVariance, OffsetDF float64
	// LongRun is what a pair's noise adds to the variance of a long mean: n times the
	// variance of the mean of n pairs.
	LongRun float64
	// Drift is the variance of the offset between stretches of the window's length beyond
	// what noise explains, 0 for none; Blocks is how many stretches there were.
	Drift  float64
	Blocks int
	// Deviation is the normal-consistent median absolute deviation of values.
	Deviation float64
	// Unevenness is the mean counting variance, weighted by itself, of counts.
	Unevenness float64
	// Core is the share of the squares of count residuals that is left without the tenth of them
	// that are largest: little where they are those of bursts.
	Core float64
}

// LearnedNoise is one autocorrelation that the noise may have.
type LearnedNoise struct {
	Weight float64 // its probability
	Phi    float64
	// Variance is the stationary variance of a difference; of counts, how many times the
	// counting variance it is, at least 1.
	Variance float64
}

// LearnValues returns what differences of values say for a window of planned pairs. It
// needs two or more.
func LearnValues(differences []float64, planned int) *Learned {
	var p Paired
	for _, d := range differences {
		p.Add(d)
	}
	l := learn(p.winsorisedValues(), unrelatedValues, planned)
	l.Deviation = madToSigma * p.medianDeviation()
	return l
}

// learn fits the AR(1) likelihood to a series at each phi. mean is
// taken out as a nuisance; the weight of the likelihood of phi is bounded.
func learn(series []float64, unrelated float64, planned int) *Learned {
	var m Moments
	for _, v := range series {
		m.Add(v)
	}
	n := float64(m.N)
	l := &Learned{N: m.N, Noise: make([]LearnedNoise, learnedPhis), OffsetDF: n - 1}
	believed := math.Min(1, mostPairsOfPhi/n)
	fits := make([]quadratic, learnedPhis)
	logs := make(Mixture, learnedPhis) // of weights alone, for normalise
	for i := range l.Noise {
		phi, prior := learnedPhi(i, unrelated)
		q := m.fit(phi)
		q.rss = math.Max(q.rss, smallestRSS)
		logs[i].Weight = math.Log(prior) + believed*(0.5*math.Log(1-phi*phi)-0.5*math.Log(q.precision)-0.5*(n-1)*math.Log(q.rss))
		l.Noise[i] = LearnedNoise{Phi: phi, Variance: q.rss / (n - 1) / (1 - phi*phi)}
		fits[i] = q
	}
	var block float64 // expected variance of the mean of a block
	k := float64(planned)
	for i, c := range normalise(logs) {
		w, q, phi := c.Weight, fits[i], l.Noise[i].Phi
		l.Noise[i].Weight = w
		l.Offset += w * q.centre
		l.OffsetVariance += w * q.rss / (n - 1) / q.precision
		block += w * q.rss / (n - 1) / ((1 - phi*phi) + (k-1)*(1-phi)*(1-phi))
	}
	l.LongRun = l.OffsetVariance * n
	l.drift(series, planned, block)
	return l
}

// learnedPhi returns a value of the autocorrelation and its prior.
func learnedPhi(i int, unrelated float64) (phi, prior float64) {
	if i == 0 {
		return 0, unrelated
	}
	return phiGrid[i-1].phi, (1 - unrelated) * phiGrid[i-1].prior
}

// drift looks for differences between stretches as long as the window, as a random effect of
// the stretch, and adds what the window's own will be to the error of the offset
// (Satterthwaite 1946 for its degrees of freedom).
func (l *Learned) drift(series []float64, planned int, expected float64) {
	if planned < 1 {
		return
	}
	l.Blocks = len(series) / planned
	if l.Blocks < leastBlocks {
		return
	}
	var means Moments
	for block := range slices.Chunk(series[len(series)-l.Blocks*planned:], planned) {
		var m Moments
		for _, v := range block {
			m.Add(v)
		}
		means.Add(m.Mean())
	}
	b, n := float64(l.Blocks), float64(l.N)
	l.Drift = math.Max(0, means.Variance()-expected)
	between := l.Drift * (1 + 1/b)
	whole := l.OffsetVariance + between
	if whole > 0 {
		l.OffsetDF = whole * whole / (l.OffsetVariance*l.OffsetVariance/(n-1) + between*between/(b-1))
	}
	l.OffsetVariance = whole
}

// LearnCounts returns what counts say for a window of planned intervals, all of which must
// be usable; two or more.
func LearnCounts(intervals []PairedCounts, planned int) *Learned {
	c := NewCounts(1)
	for _, v := range intervals {
		c.Add(v)
	}
	r := c.residuals()
	return learnCounts(r, math.Log(r.ratio), planned)
}

// learnCounts fits the residuals as they are and between their bursts, in units of the
// counting variance, and puts the offset on the scale of logarithms.
func learnCounts(r residuals, offset float64, planned int) *Learned {
	var p Paired
	for _, v := range r.values {
		p.Add(v)
	}
	l := learn(r.values, unrelatedCounts, planned)
	l.Between = learn(p.winsorisedValues(), unrelatedCounts, planned).Noise
	for _, noise := range [][]LearnedNoise{l.Noise, l.Between} {
		for i := range noise {
			noise[i].Variance = math.Max(1, noise[i].Variance/r.variance)
		}
	}
	v := r.variance
	l.Offset = offset
	l.OffsetVariance = math.Max(l.OffsetVariance/(v*v), 1/(float64(l.N)*v))
	l.LongRun = math.Max(l.LongRun/(v*v), 1/v)
	l.Drift /= v * v
	l.Unevenness = r.uneven
	l.Core = core(r.values)
	return l
}

// core returns the share of the squares that is left without the largest tenth, 1 of nothing but zeros.
func core(values []float64) float64 {
	squares, total, left := make([]float64, len(values)), 0.0, 0.0
	for i, v := range values {
		squares[i] = v * v
		total += squares[i]
	}
	if total == 0 {
		return 1
	}
	slices.Sort(squares)
	for _, s := range squares[:len(squares)-len(squares)/10] {
		left += s
	}
	return left / total
}

// Shift returns the offset as what is to be taken out of an effect.
func (l *Learned) Shift() Shift { return Shift{l.Offset, l.OffsetVariance, l.OffsetDF} }

// KeptShift returns what an effect of values keeps of the offset that is not taken out: the
// window's own share of the drift.
func (l *Learned) KeptShift() Shift {
	return Shift{Variance: l.Drift, DF: math.Max(1, float64(l.Blocks-1))}
}

// OffsetKnown reports whether the offset is known well enough to be taken out where the
// tolerance is a difference of tau: to a quarter of it, or so that it is plainly there.
func (l *Learned) OffsetKnown(tau float64) bool {
	err := math.Sqrt(l.OffsetVariance)
	return err <= knownOffset*tau || math.Abs(l.Offset) > PlainOffset*err
}

// Information returns the information of pairs that share an error of a given variance, in
// pairs: the estimates less that error have independent increments in it.
func (l *Learned) Information(pairs, shared float64) float64 {
	return 1 / (1/pairs + shared/l.LongRun)
}

// Variance returns the mean stationary variance of a difference, or, of counts, the mean
// factor between their bursts and with them.
func (l *Learned) Variance() float64 {
	var v float64
	for _, c := range l.Noise {
		v += c.Weight * c.Variance
	}
	return v
}

// winsorisedValues returns the series with its outliers pulled in.
func (p *Paired) winsorisedValues() []float64 {
	lo, hi := p.fences(0)
	values := slices.Clone(p.values)
	for i, v := range values {
		values[i] = math.Min(math.Max(v, lo), hi)
	}
	return values
}
