package analysis

import (
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// past is a metric's history as observations, and what was learned from them. A nil past
// has nothing.
type past struct {
	metric  Metric
	planned int         // observations planned for the run
	parts   [][]bracket // one of Pairs; one for each instance, or day
	learned map[reading]*learned
	result  HistoryResult
}

// reading says of what something is learned: observations are oriented by the direction,
// may be known between two readings only, and values are compared by a contrast.
type reading struct {
	direction Direction
	high      bool
	contrast  contrast
}

// learned is what a history says for the tests of one reading.
type learned struct {
	fit   *stats.Learned
	shift stats.Shift // taken out of the effect
	// shared is the variance of the error that all looks share, in pairs of the
	// run: docs/statistics/history.md, section 6.
	shared float64
	// information is that of a pair of counts in the history.
	information float64
	removed     bool // the offset is
	// quiet: the noise is so much smaller than what is tolerated that it says little of what
	// noise there may be.
	quiet bool
	// tau is the tolerance on the scale of the comparison, floor the least standard deviation of
	// a pair there. comparable says that the offset is on that scale.
	tau, floor float64
	comparable bool
	canary     struct{ bad, total float64 } // mean counts of a pair, in the history
}

const (
	// mostWindows is how many times the window's length a history counts.
	mostWindows = 24
	// mostNotPositive is the share of pairs that may have no logarithm.
	mostNotPositive = 0.02
	// sharedSteps is the number of classes by a factor of e that shared is rounded to, so
	// that tests can share clocks. It is rounded down: to smaller levels.
	sharedSteps = 3
	// leastShared is what counts as nothing.
	leastShared = 1e-4
	// fewestAfterShift is how many times the window's length a history must have since the
	// difference between the arms changed: a shorter one does not show what is rare.
	fewestAfterShift = 2
	// quietShare is the share of the tolerance below which noise is quiet.
	quietShare = 0.5
	// A cautious history of counts has bursts if its variance is more than mostBursts times that of
	// independent events and less than leastCore of its squares are those of nine steps of ten.
	mostBursts = 2
	leastCore  = 0.25
	// mostTimes is how many times one arm's rate may be the other's in it.
	mostTimes = 3
	// leastOfDay is the share of a window's steps that a day must have.
	leastOfDay = 0.8
)

// newPast makes observations of a metric's history, over as many merged steps as the run's
// are, for a window of planned ones. It returns nil for a metric without a history.
func newPast(m Metric, planned, merge int) *past {
	h := m.History
	if h == nil {
		return nil
	}
	p := &past{metric: m, planned: planned, learned: map[reading]*learned{}}
	p.result = HistoryResult{
		Trust: math.NaN(), Noise: math.NaN(), Excess: math.NaN(), Offset: math.NaN(), OffsetError: math.NaN(),
	}
	var parts [][]Pair
	switch {
	case h.Days != nil:
		parts = m.eachAgainstOthers(m.days())
	case h.Instances != nil:
		parts = m.eachAgainstOthers(h.Instances)
	default:
		parts = [][]Pair{h.Pairs}
	}
	for _, pairs := range parts {
		p.result.Steps += len(pairs)
		observed := m.method().past(m, pairs, merge)
		if h.Pairs != nil {
			observed = observed[max(0, len(observed)-mostWindows*planned):]
			p.result.Cut = m.lastShift(observed)
			observed = observed[p.result.Cut:]
		}
		p.result.Usable += len(observed)
		if len(observed) > 0 {
			p.parts = append(p.parts, observed)
		}
	}
	switch {
	case !m.Paired():
		p.result.Cause = HistoryOfChecks
	case m.PoissonCounts:
		p.result.Cause = HistoryOfPoisson
	case m.Mean:
		p.result.Cause = HistoryOfMean
	case m.Spikes != nil:
		p.result.Cause = HistoryOfSpikes
	case h.Days != nil && len(p.parts) < LeastHistoryDays:
		p.result.Cause = HistoryTooFewDays
	case h.Instances != nil && (len(p.parts) < LeastHistoryInstances || h.CanaryInstances < 1 || h.BaselineInstances < 1):
		p.result.Cause = HistoryTooFewInstances
	case p.result.Cut > 0 && p.result.Usable < max(LeastHistory, fewestAfterShift*planned):
		p.result.Cause = HistoryShifted
	case h.Cautious && p.result.Usable < max(LeastCautious, fewestAfterShift*planned):
		p.result.Cause = HistoryTooShort
	case p.result.Usable < LeastHistory:
		p.result.Cause = HistoryTooShort
	}
	return p
}

// lastShift returns the number of observations before the last change of the difference between
// the arms that is larger than what is tolerated: another canary may have been there, and what
// it made of the difference is no noise.
func (m Metric) lastShift(observed []bracket) int {
	t := m.Tolerance
	series := make([]float64, len(observed))
	for i, b := range observed {
		c, baseline := b.low.canary, b.low.baseline
		if v := b.low.counts; v.N > 0 && v.M > 0 {
			c, baseline = (v.X+0.5)/(v.N+1), (v.Y+0.5)/(v.M+1)
		}
		if t.Absolute {
			series[i] = c - baseline
			continue
		}
		if !(c > 0 && baseline > 0) {
			return 0
		}
		series[i] = math.Log(c / baseline)
	}
	least := t.Size
	if !t.Absolute {
		least = math.Log1p(t.Size)
	}
	return stats.LastShift(series, least)
}

// days returns the earlier days that have most of their steps.
func (m Metric) days() (whole [][]Sample) {
	for _, day := range m.History.Days {
		shown := 0
		for _, s := range day {
			if m.Shows(s) {
				shown++
			}
		}
		if float64(shown) >= leastOfDay*float64(len(day)) && shown > 0 {
			whole = append(whole, day)
		}
	}
	return whole
}

// eachAgainstOthers pairs each series with what the others come to together, in the steps in
// which any of them has something.
func (m Metric) eachAgainstOthers(series [][]Sample) (parts [][]Pair) {
	for i, own := range series {
		var pairs []Pair
		for t, s := range own {
			var others []Sample
			for j, other := range series {
				if j != i && t < len(other) && m.Shows(other[t]) {
					others = append(others, other[t])
				}
			}
			p := Pair{Canary: s}
			if len(others) > 0 {
				p.Baseline = m.method().mean(m, others)
			}
			pairs = append(pairs, p)
		}
		parts = append(parts, pairs)
	}
	return parts
}

// unlikeDays reports whether the baseline is of earlier days that do not say how much one day
// differs from the next: there is nothing to hold a difference against.
func (p *past) unlikeDays() bool {
	return p != nil && p.metric.History.Days != nil && p.metric.Paired() && p.result.Cause != ""
}

// usable reports whether there is anything to learn from.
func (p *past) usable() bool { return p != nil && p.result.Cause == "" }

// learn returns what is learned of a reading, which it works out once; nil for nothing.
func (p *past) learn(r reading, work func(*learned) bool) *learned {
	if !p.usable() {
		return nil
	}
	l, ok := p.learned[r]
	if !ok {
		l = &learned{}
		if !work(l) {
			l = nil
		}
		p.learned[r] = l
	}
	return l
}

// eventful reports whether counts came in bursts, or one arm had several times the other's: an
// earlier canary that was broken for a few steps of a service without errors.
func (l *learned) eventful() bool {
	return l.fit.Variance() > mostBursts && l.fit.Core < leastCore || math.Abs(l.fit.Offset) > math.Log(mostTimes)
}

// counts returns what is learned of counts, nil for nothing.
func (p *past) counts(d Direction, high bool) *learned {
	return p.learn(reading{direction: d, high: high}, func(l *learned) bool {
		var parts [][]stats.PairedCounts
		for _, part := range p.parts {
			var all []stats.PairedCounts
			for _, b := range part {
				v := oriented(b.at(high).counts, d)
				l.information += v.N * v.M / (v.N + v.M) / float64(p.result.Usable)
				l.canary.bad += v.X / float64(p.result.Usable)
				l.canary.total += v.N / float64(p.result.Usable)
				all = append(all, v)
			}
			parts = append(parts, all)
		}
		switch h := p.metric.History; {
		case h.Days != nil:
			l.fit = stats.LearnCountDays(parts)
		case h.Instances != nil:
			l.fit = stats.LearnCountInstances(parts, h.CanaryInstances, h.BaselineInstances)
		default:
			l.fit = stats.LearnCounts(parts[0], p.planned)
		}
		if p.metric.History.Cautious && l.eventful() {
			p.result.Cause = HistoryOfBursts
			return false
		}
		t := p.metric.Tolerance
		tau := math.Log1p(t.Size)
		if t.Absolute {
			tau = t.Size * l.canary.total / l.canary.bad
		}
		l.decide(p, stats.Shift{}, !t.Absolute, tau, 0)
		if d == p.metric.sides()[0] && !high {
			p.result.Excess = l.fit.Variance()
			p.describe(l, t.Absolute, ratioLimits{estimate: math.Exp(l.fit.Offset)}.relative(d))
		}
		return true
	})
}

// values returns what is learned of values as the evidence compares them, nil for nothing.
func (p *past) values(e *valueEvidence, high bool) *learned {
	return p.learn(reading{e.direction, high, e.contrast}, func(l *learned) bool {
		var parts [][]float64
		var baseline float64
		dropped := 0
		for _, part := range p.parts {
			var all []float64
			for _, b := range part {
				o := b.at(high)
				if e.contrast == logRatio && !(o.canary > 0 && o.baseline > 0) {
					dropped++
					continue
				}
				baseline += o.baseline / float64(p.result.Usable)
				all = append(all, e.difference(valuePair{o.canary, o.baseline}))
			}
			parts = append(parts, all)
		}
		if float64(dropped) > mostNotPositive*float64(p.result.Usable) {
			p.result.Cause = HistoryNotPositive
			return false
		}
		switch h := p.metric.History; {
		case h.Days != nil:
			l.fit = stats.LearnDays(parts)
		case h.Instances != nil:
			l.fit = stats.LearnInstances(parts, h.CanaryInstances, h.BaselineInstances)
		default:
			l.fit = stats.LearnValues(parts[0], p.planned)
		}
		// What is compared with a multiple of the baseline differs from it by more than the
		// arms do: there is no offset to take out.
		distance := math.Abs(e.distanceAt(baseline))
		l.decide(p, l.fit.KeptShift(), e.contrast != excess, e.limit(), resolution*distance)
		l.quiet = l.fit.Variance() < quietShare*quietShare*distance*distance
		l.tau = e.distanceAt(baseline)
		if e.direction == p.metric.sides()[0] && !high {
			p.result.Noise = math.Sqrt(l.fit.Variance())
			effect := ratioLimits{estimate: math.Exp(l.fit.Offset)}.relative(e.direction)
			if e.contrast == difference {
				effect = ratioLimits{estimate: l.fit.Offset}.absolute(e.direction)
			}
			p.describe(l, e.contrast == excess, effect)
			if e.contrast == excess && baseline != 0 {
				p.result.Between /= math.Abs(baseline)
			}
		}
		return true
	})
}

// decide settles what is taken out of the effect, before the run: the offset where it is to be
// and known well enough, and otherwise kept. floor is the least standard deviation of a pair.
func (l *learned) decide(p *past, kept stats.Shift, removable bool, tau, floor float64) {
	h := p.metric.History
	l.shift, l.tau, l.floor, l.comparable = kept, tau, floor, removable
	switch {
	case h.Pairs == nil:
		l.shift = l.fit.Shift()
	case removable && h.RemoveOffset && l.fit.OffsetKnown(tau):
		l.shift, l.removed = l.fit.Shift(), true
	}
	if shared := l.shift.Variance / math.Max(l.fit.LongRun, floor*floor); shared >= leastShared {
		l.shared = math.Exp(math.Floor(math.Log(shared)*sharedSteps) / sharedSteps)
	}
}

// describe notes what was learned, of the metric's first direction. unknown says that the
// offset is none of the effect.
func (p *past) describe(l *learned, unknown bool, offset Effect) {
	r := &p.result
	if p.metric.History.Pairs == nil {
		r.Between = math.Sqrt(l.fit.OffsetVariance)
		return
	}
	if unknown {
		return
	}
	r.Offset, r.OffsetError = offset.Estimate, math.Sqrt(l.fit.OffsetVariance)
	r.OffsetRemoved = l.removed
	r.OffsetUncertain = p.metric.History.RemoveOffset && !l.removed
}

// clock turns the information of pairs, or of counts, into that of a clock whose looks share
// an error; each is that of one pair.
func (l *learned) clock(information, each float64) float64 {
	if l == nil || l.shared == 0 {
		return information
	}
	return 1 / (1/information + l.shared/each)
}

// at returns one of the readings.
func (b bracket) at(high bool) observation {
	if high {
		return b.high
	}
	return b.low
}

// learnedSoFar returns what came of the history after the last look; nil without one.
func (j *judgement) learnedSoFar() *HistoryResult {
	if j.past == nil {
		return nil
	}
	r := j.past.result
	r.Hides = j.hidden()
	var e evidence
	switch {
	case j.decider != nil:
		e = j.decider.evidence
	case len(j.sides) > 0:
		e = j.sides[0].tests[0].evidence
	}
	if b, ok := e.(*bracketed); ok {
		e = b.low
	}
	switch e := e.(type) {
	case *valueEvidence:
		if e.learned != nil && e.ready() {
			r.Trust = e.fit().Trust
			r.MuchNoisier = len(e.pairs) >= fewestOfNoise && e.winsorised().Variance() < muchNoisier*e.learned.fit.Variance()
		}
	case *countsEvidence:
		r.Trust = e.counts.Trust()
	}
	return &r
}

// hidden reports whether what is tolerated lies within what instances, or days, make the arms differ by: of the
// interval of docs/statistics/history.md, section 5, what all looks share is left when there are any number of them.
func (j *judgement) hidden() bool {
	if !j.past.usable() || j.past.metric.History.Pairs != nil || len(j.sides) == 0 {
		return false
	}
	l := j.sides[0].learned()
	level, ok := j.sides[0].pass.LastLevel()
	return l != nil && ok && l.shift.Variance > 0 && stats.NormalTailQuantile(level)*math.Sqrt(l.shift.Variance) >= l.tau
}

// A run of at least fewestOfNoise pairs whose variance is below muchNoisier of the
// history's is judged by a noise that is not its own.
const (
	fewestOfNoise = 20
	muchNoisier   = 0.25
)
