package analysis

import (
	"math"
	"slices"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// judgement is one metric under judgement.
type judgement struct {
	metric   Metric
	plan     Plan
	share    float64 // of the false-alarm rate; an advisory metric has what it would have
	clocks   *stats.Clocks
	sides    []*side
	decision Decision
	decider  *failTest // the test that failed
	failed   *side     // and its side
	decided  int       // the look of the decision, 0 before
	tally    tally
	quantile *quantileReduction
	bound    float64 // of a slower-than histogram: the bucket bound used, 0 before the first
	late     Lateness
}

// tally is what a metric has seen, whether or not it was of use.
type tally struct {
	elapsed, usable  int
	baseline, canary armTally
	same             bool // all usable steps so far showed the same in both arms
	distinct         []observation
	badMentioned     bool // the source itself mentioned bad events, if only as 0
	// zero counts the usable steps in which a value was 0 in this arm alone.
	zero struct{ baseline, canary int }
}

// armTally sums up one arm.
type armTally struct {
	steps  int // steps with data
	counts struct{ bad, total float64 }
	values []float64
}

// distinctToBeSame is how many different observations, all of them equal in both
// arms, make it certain that the arms are one series.
const distinctToBeSame = 4

func newJudgement(m Metric, p Plan, share float64, clocks *stats.Clocks) *judgement {
	j := &judgement{metric: m, plan: p, share: share, clocks: clocks, tally: tally{same: true}}
	if m.Kind == Histogram && m.SlowerThan == 0 {
		j.quantile = &quantileReduction{q: m.Quantile, tolerance: m.Tolerance.Size}
		return j
	}
	j.lay(p.Steps)
	return j
}

// lay sets up the tests over the planned number of (merged) steps.
func (j *judgement) lay(planned int) {
	directions := j.metric.sides()
	for _, d := range directions {
		j.sides = append(j.sides, newSide(d, planned, j.share/float64(len(directions)), j.plan.WrongPass, j.clocks,
			func() evidence {
				if j.metric.Counted() {
					return newCountsEvidence(j.metric, d)
				}
				return newValueEvidence(j.metric, d)
			}))
	}
}

// step takes the pair of the given step, from 1, and its look.
func (j *judgement) step(step int, p Pair) {
	if j.quantile != nil {
		j.tally.add(j.metric, p, 0)
		j.quantile.step(j, p)
	} else {
		o, ok := j.observe(p)
		j.tally.add(j.metric, p, j.bound)
		j.tally.note(o, ok)
		j.look(step, o, ok)
	}
	// A pass is no better than the data it rests on: while the run goes on, they may
	// stop, or turn out to be of no use.
	if j.decision == Pass && j.barred() != "" {
		j.decision = Undecided
	}
}

// look shows an observation to the tests and takes their look. step counts in
// the units the tests were laid out in.
func (j *judgement) look(step int, o observation, ok bool) {
	if !ok {
		return
	}
	for _, s := range j.sides {
		s.add(step, o)
	}
	j.linearise()
	if j.withheld() != "" {
		return
	}
	for _, s := range j.sides {
		if t := s.look(step); t != nil && j.decision != Fail {
			j.decision, j.decider, j.failed = Fail, t, s
		}
	}
	if j.decision == Undecided && j.passed() {
		j.decision = Pass
	}
}

// passed reports whether every side is shown to be within tolerance.
func (j *judgement) passed() bool {
	return len(j.sides) > 0 && !slices.ContainsFunc(j.sides, func(s *side) bool { return !s.passed }) && j.barred() == ""
}

// barred says why the metric cannot pass on what there is, or "".
func (j *judgement) barred() Cause {
	if c := j.withheld(); c != "" {
		return c
	}
	if j.quantile != nil {
		if c := j.quantile.cannotPass(); c != "" {
			return c
		}
	}
	return j.doubtful()
}

// linearise makes all tests of a value metric change over once one has.
func (j *judgement) linearise() {
	var linear bool
	each := func(do func(*valueEvidence)) {
		for _, s := range j.sides {
			for _, t := range s.tests {
				if v, ok := t.evidence.(*valueEvidence); ok {
					do(v)
				}
			}
		}
	}
	each(func(v *valueEvidence) { linear = linear || v.contrast == excess })
	if linear {
		each((*valueEvidence).linearise)
	}
}

// observe reduces a pair to an observation, and reports whether it is of use.
func (j *judgement) observe(p Pair) (o observation, ok bool) {
	switch j.metric.Kind {
	case Ratio:
		o.counts, ok = counts(p)
	case Checks:
		o.counts, ok = run(p)
	case Histogram:
		if j.bound == 0 {
			bound := p.Baseline.Buckets().Plus(p.Canary.Buckets()).Nearest(j.metric.SlowerThan)
			if math.IsNaN(bound) {
				return o, false
			}
			j.bound = bound
		}
		o.counts, ok = slower(p, j.bound)
	default:
		o = observation{canary: p.Canary.Value(), baseline: p.Baseline.Value()}
		ok = finite(o.canary, o.baseline)
	}
	return o, ok
}

// withheld says why no decision is to be taken on what there is, or "".
func (j *judgement) withheld() Cause {
	switch t := j.tally; {
	case j.late.Revisions > 0:
		return LateData
	case t.usable == 0:
		return NoDataAtAll
	case j.metric.Kind != Checks && 2*t.usable < t.elapsed:
		return TooManyGaps
	case j.metric.Kind == Ratio && !t.badMentioned && !j.metric.AbsentIsZero:
		return BadNeverMentioned
	case t.same && len(t.distinct) >= distinctToBeSame && j.metric.Kind != Checks:
		return SameSeries
	}
	if v, ok := j.firstValue(); ok && !v.meaningful() {
		return BaselineNotPositive
	}
	return ""
}

func (j *judgement) firstValue() (*valueEvidence, bool) {
	if len(j.sides) == 0 {
		return nil, false
	}
	v, ok := j.sides[0].tests[0].evidence.(*valueEvidence)
	return v, ok && len(v.pairs) > 0
}

// add counts the samples of a step. bound is that of a slower-than histogram.
func (t *tally) add(m Metric, p Pair, bound float64) {
	t.elapsed++
	t.baseline.add(m, p.Baseline, bound)
	t.canary.add(m, p.Canary, bound)
	if m.mentionsBad(p.Baseline) || m.mentionsBad(p.Canary) {
		t.badMentioned = true
	}
}

// mentionsBad reports whether the source itself said how many bad events there
// were, be it none.
func (m Metric) mentionsBad(s Sample) bool {
	return !math.IsNaN(s.Bad()) && !(m.ZerosMadeUp && s.Bad() == 0)
}

// note remembers whether the arms keep showing the same.
func (t *tally) note(o observation, ok bool) {
	if !ok {
		return
	}
	t.usable++
	c := o.counts
	switch {
	case o.canary == 0 && o.baseline != 0:
		t.zero.canary++
	case o.baseline == 0 && o.canary != 0:
		t.zero.baseline++
	}
	t.same = t.same && o.canary == o.baseline && c.X == c.Y && c.N == c.M
	if t.same && len(t.distinct) < distinctToBeSame && !slices.Contains(t.distinct, o) {
		t.distinct = append(t.distinct, o)
	}
}

func (a *armTally) add(m Metric, s Sample, bound float64) {
	switch m.Kind {
	case Value:
		if s.Gap() || math.IsInf(s.Value(), 0) {
			return
		}
		a.values = append(a.values, s.Value())
	case Histogram:
		if s.Gap() {
			return
		}
		a.counts.total += s.Buckets().Total()
		if m.SlowerThan > 0 {
			a.counts.bad += s.Buckets().Above(bound)
		} else if v, _ := s.Buckets().Quantile(m.Quantile); !math.IsNaN(v) && !math.IsInf(v, 0) {
			a.values = append(a.values, v)
		}
	default:
		if s.Gap() {
			return
		}
		a.counts.bad += orZero(s.Bad())
		a.counts.total += s.Total()
	}
	a.steps++
}
