package analysis

import (
	"math"
	"slices"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// judgement is one metric under judgement.
type judgement struct {
	metric Metric
	whole  *judgement // that it is a part of; nil = of none
	// holdLevel is at which level a part keeps the run from passing.
	holdLevel float64
	plan      Plan
	share     float64 // of the false-alarm rate; an advisory metric has what it would have
	clocks    *stats.Clocks
	sides     []*side
	decision  Decision
	decider   *failTest // the test that failed
	failed    *side     // and its side
	beyond    bool      // one with Hold is shown to be beyond its tolerance, and not back
	decided   int       // the look of the decision, 0 before
	tally     tally
	quantile  *quantileReduction
	late      Lateness
	pooling   *pooling // of counts in steps; nil for other kinds
	bounds    bounds   // of a slower-than histogram
	past      *past    // nil without a history
	stage     int      // of the ramp, from 0
}

// tally is what a metric has seen, whether or not it was of use.
type tally struct {
	elapsed, usable  int                // steps, and those with data in both arms
	fewBehind        int                // steps with values that are quantiles of too few
	compared         int                // observations, of one step or of several
	events           stats.PairedCounts // of a metric that counts: those in them
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
	growth growth
	unread int // steps of which it is known why they are gaps
	why    string
	counts struct{ bad, total float64 }
	values []float64
	behind behind // values that are quantiles
}

// distinctToBeSame is how many different observations, all of them equal in both
// arms, make it certain that the arms are one series.
const distinctToBeSame = 4

func newJudgement(m Metric, p Plan, share float64, clocks *stats.Clocks) *judgement {
	j := &judgement{metric: m, plan: p, share: share, clocks: clocks, tally: tally{same: true}}
	m.method().begin(j)
	return j
}

// startTests sets up the tests over the planned number of steps, each of as many merged ones.
func (j *judgement) startTests(planned, merge int) {
	j.past = newPast(j.metric, planned, merge)
	directions := j.metric.sides()
	for _, d := range directions {
		j.sides = append(j.sides, newSide(d, planned, j.plan.spending(j.share/float64(len(directions))), j.clocks,
			func() evidence { return j.metric.method().evidence(j.metric, d, j.past) }))
	}
	for _, s := range j.sides {
		s.tests[0].sparing = j.past.usable()
	}
}

// step takes the pair of the given step, from 1, and its look.
func (j *judgement) step(step int, p Pair) {
	j.tally.add(j.metric, p)
	j.bounds.note(p, j.metric.SlowerThan)
	b, ok := j.metric.method().observe(j.metric, p)
	b.stage = j.stage
	j.tally.note(b.low, ok)
	if !ok && j.metric.quantileOfValues() && j.metric.Shows(p.Baseline) && j.metric.Shows(p.Canary) {
		j.tally.fewBehind++
	}
	if j.quantile != nil {
		j.quantile.step(j, p, ok)
	} else {
		first := step
		if j.pooling != nil {
			b, first, ok = j.pooling.take(step, b)
		}
		j.look(first, step, b, ok)
	}
	if j.beyond && !j.stale() {
		j.beyond = false
	}
	// A pass is no better than the data it rests on: while the run goes on, they may
	// stop, or turn out to be of no use.
	if j.decision == Pass && j.barred() != "" {
		j.decision = Undecided
	}
}

// look shows an observation, of the steps from first to last, to the tests and
// takes their look. Steps count in the units the tests were laid out in.
func (j *judgement) look(first, last int, b bracket, ok bool) {
	if !ok {
		return
	}
	j.tally.compared++
	j.tally.events = j.tally.events.Plus(b.low.counts)
	for _, s := range j.sides {
		s.add(first, b)
	}
	j.linearise()
	if j.withheld() != "" {
		return
	}
	for _, s := range j.sides {
		t := s.look(last)
		switch {
		case t == nil || j.decision == Fail:
		case j.metric.Hold:
			j.beyond, j.decision, s.passed = true, Undecided, false
		default:
			j.decision, j.decider, j.failed = Fail, t, s
		}
	}
	if j.decision == Undecided && j.passed() {
		j.decision = Pass
	}
}

// passed reports whether every side is shown to be within tolerance.
func (j *judgement) passed() bool {
	return len(j.sides) > 0 && !j.beyond && !slices.ContainsFunc(j.sides, func(s *side) bool { return !s.passed }) && j.barred() == ""
}

// askAgain takes back a pass that is stale: a run is passed by what holds when it is.
func (j *judgement) askAgain() {
	for _, s := range j.sides {
		if s.stale() {
			s.passed, j.decision = false, Undecided
		}
	}
}

// couldFail reports whether a metric that can only fail the run has had the chance, and its
// estimate does not say that it will: one without data would not be seen to fail.
func (j *judgement) couldFail() bool {
	looked := len(j.sides) > 0 && j.sides[0].tests[0].clock.Looks() > 0
	return looked && j.withheld() == "" && !slices.ContainsFunc(j.sides, (*side).stale)
}

// barred says why the metric cannot pass on what there is, or "".
func (j *judgement) barred() Cause {
	if c := j.withheld(); c != "" {
		return c
	}
	if j.pooling != nil && j.pooling.fellSilent() {
		return FellSilent
	}
	if j.metric.CountsOverlap {
		return OverlappingCounts
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
				eachValue(t.evidence, do)
			}
		}
	}
	each(func(v *valueEvidence) { linear = linear || v.contrast == excess })
	if linear {
		each((*valueEvidence).linearise)
	}
}

// withheld says why no decision is to be taken on what there is, or "".
func (j *judgement) withheld() Cause {
	switch t := j.tally; {
	case j.late.Revisions > 0:
		return LateData
	case j.metric.quantileOfValues() && (t.usable == 0 || 2*j.gaps() > t.elapsed) && t.behindWhy() != "":
		return t.behindWhy()
	case t.baseline.unreadable(t.elapsed) || t.canary.unreadable(t.elapsed):
		return Unreadable
	case t.usable == 0 && t.compared == 0:
		return NoDataAtAll
	case j.past.unlikeDays():
		return TooFewDays
	case 2*j.gaps() > t.elapsed:
		return TooManyGaps
	case t.cumulative():
		return CumulativeCounts
	case j.metric.SilenceDoubted() && !t.badMentioned && !j.metric.AbsentIsZero:
		return BadNeverMentioned
	case t.same && len(t.distinct) >= distinctToBeSame && j.metric.Paired():
		return SameSeries
	}
	if v, ok := j.firstValue(); ok && !v.meaningful() {
		return BaselineNotPositive
	}
	return ""
}

// gaps returns the number of steps that an arm is missing from.
func (j *judgement) gaps() int {
	switch {
	case !j.metric.Paired():
		return 0
	case j.pooling != nil:
		return j.pooling.gaps()
	}
	return j.tally.elapsed - j.tally.usable
}

// firstValue returns the evidence on values of the test over the whole run, false
// before its first pair and for a metric that counts.
func (j *judgement) firstValue() (first *valueEvidence, ok bool) {
	if len(j.sides) == 0 {
		return nil, false
	}
	eachValue(j.sides[0].tests[0].evidence, func(v *valueEvidence) {
		if first == nil {
			first = v
		}
	})
	return first, first != nil && len(first.pairs) > 0
}

// add counts the samples of a step.
func (t *tally) add(m Metric, p Pair) {
	t.elapsed++
	t.baseline.add(m, p.Baseline)
	t.canary.add(m, p.Canary)
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

// Steps that cannot be read are left out while they are few. From this many on, and this
// share of all, what can be read is not to be trusted either: whatever makes the others
// unreadable need not show in each of them.
const (
	mostUnread      = 2
	mostUnreadShare = 0.1
)

// cumulative reports whether both arms show the states of counters.
func (t *tally) cumulative() bool {
	return t.baseline.growth.cumulative() && t.canary.growth.cumulative()
}

// unreadable reports whether too many of the steps cannot be read.
func (a *armTally) unreadable(elapsed int) bool {
	return a.unread > mostUnread && float64(a.unread) > mostUnreadShare*float64(elapsed)
}

func (a *armTally) add(m Metric, s Sample) {
	if s.Why() != "" {
		a.unread++
		a.why = s.Why()
	}
	if !s.Gap() && m.method().tally(a, m, s) {
		a.steps++
	}
}
