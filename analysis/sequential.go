package analysis

import (
	"math"
	"slices"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// restarts are the fractions of the planned steps at which further FAIL tests
// start, so that a regression that begins during the run is not hidden by the
// time before it; each gets restartShare of the metric's error. One
// with fewer than leastRestart steps left is not worth starting
// (docs/statistics/method.md, section 3).
var restarts = [...]float64{0.25, 0.5, 0.75}

const (
	restartShare = 0.1
	leastRestart = 12
)

// failTest watches for the canary being worse than tolerated, from a step on.
type failTest struct {
	start   int     // steps before its first one
	planned int     // steps from its start to the end of the window
	error   float64 // what it may spend in all
	// spentBefore is what other tests had spent of it before this one took over.
	spentBefore float64
	evidence    evidence
	clock       *stats.SharedClock
	// sparing has a regression that looks like a cold start not fail, which spared says there
	// was.
	sparing, spared bool
}

// side is the sequential test of one metric in one direction.
type side struct {
	direction Direction
	planned   int
	spending  spending
	tests     []*failTest
	pass      *stats.SharedClock // on the evidence of the first test
	passed    bool
}

// spending is what the tests of a side may spend: falseAlarm is its share of the run's,
// wrongPass all of it, as late as the exponent has it.
type spending struct{ falseAlarm, wrongPass, exponent float64 }

// spending returns what a test may spend that has a share of the false-alarm rate.
func (p Plan) spending(falseAlarm float64) spending {
	return spending{falseAlarm, p.WrongPass, p.passExponent()}
}

// A run passes when the last of its metrics does. Of a few, PASS spends its error evenly; of
// evenlySpent to latestSpent and more it leaves ever more of it to the end of the window, which is
// where the last of many metrics passes, or does not (docs/statistics/method.md, section 13.19).
const (
	evenlySpent    = 5
	latestSpent    = 20
	latestExponent = 2
)

// passExponent returns the exponent of the PASS side's spending: 1 for evenlySpent metrics
// that must pass or fewer, latestExponent for latestSpent or more, and as the logarithm of
// their number in between.
func (p Plan) passExponent() float64 {
	n := 0
	for _, m := range p.Metrics {
		if m.MustPass() {
			n++
		}
	}
	part := math.Log(float64(n)/evenlySpent) / math.Log(latestSpent/evenlySpent)
	return 1 + (latestExponent-1)*math.Min(math.Max(part, 0), 1)
}

// newSide lays out the tests of a side over the planned steps.
func newSide(d Direction, planned int, may spending, clocks *stats.Clocks, evidence func() evidence) *side {
	s := &side{direction: d, planned: planned, spending: may, pass: clocks.New()}
	whole := 1.0
	for _, fraction := range restarts {
		start := int(float64(planned) * fraction)
		if planned-start < leastRestart {
			continue
		}
		whole -= restartShare
		s.tests = append(s.tests, &failTest{
			start: start, planned: planned - start, error: may.falseAlarm * restartShare,
			evidence: evidence(), clock: clocks.New(),
		})
	}
	first := &failTest{planned: planned, error: may.falseAlarm * whole, evidence: evidence(), clock: clocks.New()}
	s.tests = append([]*failTest{first}, s.tests...)
	return s
}

// add shows an observation, of steps from the given one on, counted from 1, to the
// tests that had started by then: one that began before a test did would show it
// events of a time that it is not about.
func (s *side) add(first int, b bracket) {
	for _, t := range s.tests {
		if first > t.start {
			t.evidence.add(b)
		}
	}
}

// look takes the look after a step at which there was something new. It
// returns the test that shows the canary to be worse than tolerated, or nil.
func (s *side) look(step int) *failTest {
	evidence := s.tests[0].evidence
	if evidence.readyToPass() {
		s.pass.Offer(evidence.information(), stats.SpendLater(s.spending.wrongPass, float64(step)/float64(s.planned), s.spending.exponent))
	}
	for _, t := range s.tests {
		if step > t.start && t.look(step) {
			return t
		}
	}
	if evidence.readyToPass() && !s.passed {
		s.passed = holds(evidence.within, s.pass)
	}
	return nil
}

func (t *failTest) look(step int) bool {
	if !t.evidence.ready() {
		return false
	}
	spent := stats.SpendEarly(t.error, float64(step-t.start)/float64(t.planned)) - t.spentBefore
	t.clock.Offer(t.evidence.information(), spent)
	if !holds(t.evidence.beyond, t.clock) {
		return false
	}
	if t.sparing && t.evidence.singles().coldStart() {
		t.spared = true
		return false
	}
	return true
}

// holds asks whether a claim holds at the level of the clock's last look. Far
// from a decision the cheap, optimistic answer at an upper bound of the level
// settles it, without working out the level or the dispersion.
func holds(claim func(level float64, optimistic bool) bool, clock *stats.SharedClock) bool {
	if !claim(clock.Ceiling(), true) {
		return false
	}
	level, ok := clock.Level()
	return ok && claim(level, true) && claim(level, false)
}

// stale reports whether the estimate of the whole run, or of its latest part that has
// enough observations, lies beyond the tolerance by now: what was shown once to be within
// it need not be so any more (docs/statistics/method.md, section 4).
func (s *side) stale() bool {
	if !s.tests[0].evidence.tolerated() {
		return true
	}
	for _, t := range slices.Backward(s.tests[1:]) {
		if t.evidence.observations() >= leastRestart {
			return !t.evidence.tolerated()
		}
	}
	return false
}

// heldBySpikes reports whether the metric would be within tolerance but for a few
// steps in which the canary stands out.
func (s *side) heldBySpikes() bool {
	v, ok := exactly(s.tests[0].evidence).(*valueEvidence)
	if !ok || s.passed || !v.ready() || v.rawMean() < v.limit() {
		return false
	}
	level, ok := s.pass.LastLevel()
	return ok && v.usuallyWithin(level)
}

// effect returns the effect as the given test sees it, at the levels of the last
// looks, or an empty one before the first.
func (s *side) effect(t *failTest) (Effect, bool) {
	fail, ok := t.clock.LastLevel()
	if !ok {
		return Effect{}, false
	}
	pass, passing := s.pass.LastLevel()
	if !passing {
		pass = fail
	}
	e := t.evidence.effect(fail, pass)
	e.Since = t.start
	if !passing {
		e.open(s.direction)
	}
	return e, true
}
