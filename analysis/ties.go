package analysis

import (
	"math"
	"slices"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// mostTies is the share of steps in which both arms show the same number up to which the
// scatter of the others says how large differences are (docs/statistics/method.md, section 13.12).
const mostTies = 0.5

// zeroStep is by how many times the tolerance a value may go up of which only 0 is known,
// or by 1 if that is less.
const zeroStep = 3

// mostDecimals is to how many decimals a value is taken for one of few.
const mostDecimals = 9

// tied reports whether both arms show the same in most steps.
func (e *valueEvidence) tied() bool { return float64(e.ties) > mostTies*float64(len(e.pairs)) }

// unseenWithin reports whether steps of a kind that has not been seen, or hardly, can be
// excluded to bring the mean beyond the tolerance. A value that takes few values, such as
// a number of threads, is the same in both arms most of the time, and then its scatter
// says nothing: four equal steps exclude at a level of 0.05 no more than that 53 % of all
// differ (1 - 0.05^(1/4)).
func (e *valueEvidence) unseenWithin(level float64) bool {
	return !e.tied() || e.unseen(level) < e.distance()
}

// unseen returns the upper limit of the plain difference at a one-sided level that such
// steps leave: of the steps in which the canary is worse the most there may be, each
// worse by what the value goes up by at least, and by what was seen.
func (e *valueEvidence) unseen(level float64) float64 {
	var worse, worseBy, betterBy float64
	for _, p := range e.pairs {
		switch d := e.plainDifference(p); {
		case d > 0:
			worse++
			worseBy += d
		case d < 0:
			betterBy -= d
		}
	}
	by := e.smallestStep()
	if worse > 0 {
		by = math.Max(by, worseBy/worse)
	}
	n := float64(len(e.pairs))
	_, share := stats.Proportion(worse, n, level)
	return share*by - betterBy/n - e.shift().By
}

// plainDifference returns by how much the canary is worse than the baseline in a pair,
// on the scale of the comparison, without any tolerance in it.
func (e *valueEvidence) plainDifference(p valuePair) float64 {
	d := p.canary - p.baseline
	if e.contrast == logRatio {
		d = math.Log(p.canary) - math.Log(p.baseline)
	}
	if e.direction == Decrease {
		return -d
	}
	return d
}

// distance returns the plain difference that is still tolerated.
func (e *valueEvidence) distance() float64 { return e.distanceAt(e.meanBaseline()) }

// distanceAt is distance at a mean of the baseline.
func (e *valueEvidence) distanceAt(baseline float64) float64 {
	if e.contrast == excess {
		return math.Abs(e.metric.Tolerance.Limit(e.direction)-1) * baseline
	}
	return e.limit()
}

// smallestStep returns the least plain difference there can be, as far as the values seen
// tell: the smallest distance of two of them, or the last decimal of the only one.
func (e *valueEvidence) smallestStep() float64 {
	values := make([]float64, 0, 2*len(e.pairs))
	for _, p := range e.pairs {
		values = append(values, p.canary, p.baseline)
	}
	slices.Sort(values)
	values = slices.Compact(values)
	least := math.Inf(1)
	for i := 1; i < len(values); i++ {
		least = math.Min(least, values[i]-values[i-1])
	}
	switch {
	case len(values) == 1 && values[0] == 0:
		// It has no decimals: a rate that is 0 may go up by little, a number of things by 1.
		least = math.Min(1, zeroStep*e.distance())
	case len(values) == 1:
		least = lastDecimal(values[0])
	}
	if e.contrast == logRatio {
		return math.Log1p(least / e.meanBaseline())
	}
	return least
}

// lastDecimal returns the value of a number's last decimal: 1 for whole numbers, 0.01 for
// 2.25, and 0 for one that has more of them than a person would write.
func lastDecimal(v float64) float64 {
	unit := 1.0
	for range mostDecimals {
		if scaled := v / unit; math.Abs(scaled-math.Round(scaled)) <= 1e-9*math.Max(1, math.Abs(scaled)) {
			return unit
		}
		unit /= 10
	}
	return 0
}

// equalSteps returns how many steps it takes, all of them equal, until unseenWithin holds
// at a level.
func (e *valueEvidence) equalSteps(level float64) float64 {
	by := e.smallestStep()
	if by <= e.distance() {
		return 1
	}
	return math.Ceil(math.Log(level) / math.Log1p(-e.distance()/by))
}

// heldByTies reports whether the metric would be within tolerance if steps in which both
// arms show the same said how much they differ.
func (s *side) heldByTies() bool {
	v, ok := exactly(s.tests[0].evidence).(*valueEvidence)
	if !ok || s.passed || !v.ready() || v.rawMean() >= v.limit() {
		return false
	}
	level, ok := s.pass.LastLevel()
	return ok && v.usuallyWithin(level) && !v.unseenWithin(level)
}

// coarse reports whether the value goes up, where it does, by more than is tolerated, and
// hardly ever does.
func (e *valueEvidence) coarse() bool { return e.tied() && e.smallestStep() > e.distance() }
