package analysis

import (
	"errors"
	"fmt"
	"slices"
)

// validatePart reports what is wrong with what a metric is a part of.
func (p Plan) validatePart(m Metric) error {
	at := slices.IndexFunc(p.Metrics, func(o Metric) bool { return o.Name == m.Of })
	switch {
	case m.Of == "":
		return nil
	case at < 0 || m.Of == m.Name:
		return fmt.Errorf("it is a part of %q, which is no other metric", m.Of)
	case p.Metrics[at].Of != "":
		return errors.New("it is a part of a part")
	case p.Metrics[at].Kind != m.Kind:
		return fmt.Errorf("it is a part of %q, which is of another kind", m.Of)
	}
	return nil
}

// join tells each part of a metric what it is a part of, and at which level it keeps the run
// from passing.
func (j *Judge) join() {
	whole := map[string]int{}
	for _, m := range j.plan.Metrics {
		if m.Of != "" {
			whole[m.Of] = 0
		}
	}
	for i, m := range j.plan.Metrics {
		if _, some := whole[m.Name]; some {
			whole[m.Name] = i
		}
	}
	for i, m := range j.plan.Metrics {
		if m.Of != "" {
			j.metrics[i].whole = j.metrics[whole[m.Of]]
			j.metrics[i].holdLevel = j.plan.WrongPass / float64(len(whole))
		}
	}
}

// holds reports whether a metric that can only fail keeps the run from passing as things are.
//
// A part of another metric has few requests, or none, and its estimate is beyond the tolerance
// at any time by chance. So it holds only where there is more to it than that: the canary
// has nothing in it where it should have, the data are of no use for another reason than that they
// are few, or an ordinary test, which takes no account of the other looks, shows it to be
// worse than tolerated (docs/statistics/method.md, section 13.23).
func (j *judgement) holds() bool {
	if j.whole == nil {
		return !j.couldFail()
	}
	return j.silent() || j.unusable() || slices.ContainsFunc(j.sides, func(s *side) bool { return s.worse(j.holdLevel) })
}

// silent reports whether a part lacks what the canary, or an arm that had it, should show, by more
// than chance.
func (j *judgement) silent() bool {
	if j.pooling != nil && j.pooling.fellSilent() {
		return true
	}
	baseline, canary, whole := j.tally.baseline, j.tally.canary, j.whole.tally
	if !j.metric.Totals() {
		return canary.steps == 0 && 2*baseline.steps > j.tally.elapsed
	}
	// By its share of all requests it would have had silentEvents.
	return !(canary.counts.total > 0) && baseline.counts.total*whole.canary.counts.total >= silentEvents*whole.baseline.counts.total &&
		whole.canary.counts.total > 0
}

// unusable reports whether a part's data are withheld for another reason than that they are few.
func (j *judgement) unusable() bool {
	switch c := j.withheld(); c {
	case "", NoDataAtAll, BadNeverMentioned, BaselineNotPositive, FewBehind, CountUnknown, TooFewDays:
		return false
	case TooManyGaps:
		return j.pooling != nil // which takes steps for gaps only where an arm has plenty
	}
	return true
}

// worse reports whether the canary is shown to be worse than tolerated at a level, over the
// whole run or in its latest part that has enough observations.
func (s *side) worse(level float64) bool {
	worse := func(t *failTest) bool { return t.evidence.ready() && t.evidence.beyond(level, false) }
	if worse(s.tests[0]) {
		return true
	}
	for _, t := range slices.Backward(s.tests[1:]) {
		if t.evidence.observations() >= leastRestart {
			return worse(t)
		}
	}
	return false
}
