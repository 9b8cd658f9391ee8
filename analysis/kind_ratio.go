package analysis

import (
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// ratioMethod compares the rates of bad events, of steps that are pooled where an arm has
// no events.
type ratioMethod struct{}

func (ratioMethod) validate(Metric) error { return nil }
func (ratioMethod) counted() bool         { return true }
func (ratioMethod) paired() bool          { return true }
func (ratioMethod) silenceDoubted() bool  { return true }
func (ratioMethod) absolute() Amount      { return RatePoints }
func (ratioMethod) usualUnit() string     { return "" }
func (ratioMethod) traffic() Traffic      { return AllTraffic }
func (ratioMethod) firstLook() int        { return firstLookRatio }

func (ratioMethod) shows(s Sample) bool               { return s.Total() > 0 }
func (ratioMethod) number(_ Metric, s Sample) float64 { return orZero(s.Bad()) / s.Total() }
func (ratioMethod) evidence(m Metric, d Direction, p *past) evidence {
	return newCountsEvidence(m, d, p, false)
}

func (ratioMethod) past(m Metric, pairs []Pair, _ int) []bracket { return pooled(m, pairs) }

func (ratioMethod) begin(j *judgement) {
	j.pooling = &pooling{}
	j.startTests(j.plan.Steps, 1)
}

func (ratioMethod) tally(a *armTally, _ Metric, s Sample) bool {
	a.counts.bad += orZero(s.Bad())
	a.counts.total += s.Total()
	a.growth.add(s.Total(), s.Bad())
	return true
}

func (ratioMethod) observe(_ Metric, p Pair) (bracket, bool) {
	v := counts(p)
	return exact(observation{counts: v}), v.N > 0 && v.M > 0
}

func (ratioMethod) changed(m Metric, earlier, later Sample) bool {
	return m.countChanged(orZero(earlier.Bad()), orZero(later.Bad()), 0) ||
		m.countChanged(orZero(earlier.Total()), orZero(later.Total()), 0)
}

// orZero reads an absent count as none.
func orZero(count float64) float64 {
	if math.IsNaN(count) {
		return 0
	}
	return count
}

// counts returns the counts of a pair, canary first: 0 of an arm without any. Events
// without a word of bad ones are events without bad ones.
func counts(p Pair) (v stats.PairedCounts) {
	if p.Canary.Total() > 0 {
		v.X, v.N = orZero(p.Canary.Bad()), p.Canary.Total()
	}
	if p.Baseline.Total() > 0 {
		v.Y, v.M = orZero(p.Baseline.Bad()), p.Baseline.Total()
	}
	return v
}

// mean adds up the counts; no bad ones were mentioned if none of the samples does.
func (ratioMethod) mean(_ Metric, samples []Sample) Sample {
	bad, total := math.NaN(), 0.0
	for _, s := range samples {
		if !math.IsNaN(s.Bad()) {
			bad = orZero(bad) + s.Bad()
		}
		total += s.Total()
	}
	return CountSample(bad, total)
}
