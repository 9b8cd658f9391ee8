package analysis

import (
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// mostPlanned is how many planned steps are tried to find one in which a canary passes.
const mostPlanned = 2000

// StepsToPass returns how many planned steps it takes, at the least, until a canary that
// shows just what the baseline shows passes the metric at an index, if there were no noise
// and as much traffic as one may wish for: the plan's own number where that is enough, 0
// where no number up to mostPlanned is. It is a bound that the levels of the clock set
// (docs/statistics/method.md, section 13.14), whatever the data.
//
// runs is how many runs of Checks each arm has in a step, none of which fails; 0 is not
// known, and enough. With a tolerance of 0 nothing is asked.
func (p Plan) StepsToPass(index int, runs float64) int {
	m := p.Metrics[index]
	if m.Tolerance.Size == 0 || !m.Paired() && runs == 0 {
		return p.Steps
	}
	least := max(p.Steps, m.FirstLook())
	if p.passes(m, least, runs) {
		return least
	}
	low, high := least, max(mostPlanned, least)
	if !p.passes(m, high, runs) {
		return 0
	}
	for high-low > 1 {
		if middle := (low + high) / 2; p.passes(m, middle, runs) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

// passes reports whether a canary that is the same as the baseline passes a metric in a
// number of steps.
func (p Plan) passes(m Metric, steps int, runs float64) bool {
	clocks := &stats.Clocks{}
	for _, same := range m.sameWithoutNoise(runs) {
		all := true
		for _, d := range m.sides() {
			all = all && p.sidePasses(m, d, steps, same, clocks)
		}
		if all {
			return true
		}
	}
	return false
}

func (p Plan) sidePasses(m Metric, d Direction, steps int, same observation, clocks *stats.Clocks) bool {
	s := newSide(d, steps, p.spending(p.FalseAlarm), clocks, func() evidence { return m.method().evidence(m, d, nil) })
	for step := 1; step <= steps && !s.passed; step++ {
		s.add(step, exact(same))
		s.look(step)
	}
	return s.passed
}

// hardlyMore keeps two values from being equal, which says less of them than that they
// are nearly so.
const hardlyMore = 1e-9

// sameWithoutNoise returns observations in which both arms are the same, those among
// them that show it best.
func (m Metric) sameWithoutNoise(runs float64) []observation {
	switch {
	case !m.Paired():
		return []observation{{counts: stats.PairedCounts{N: runs, M: runs}}}
	case !m.Counted() && m.Tolerance.Absolute:
		return []observation{{canary: 1 + hardlyMore*m.Tolerance.Size, baseline: 1}}
	case !m.Counted():
		return []observation{{canary: 1 + hardlyMore, baseline: 1}}
	}
	var all []observation
	for _, rate := range []float64{0, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.999} {
		for _, total := range []float64{1e5, 1e8} {
			all = append(all, observation{counts: stats.PairedCounts{X: rate * total, N: total, Y: rate * total, M: total}})
		}
	}
	return all
}

// RunsToPass returns how many runs of the canary it takes, at the least, until Checks with
// an absolute tolerance pass if none of them fails: the n at which the Clopper-Pearson
// upper limit of 0 of n at the whole wrong-pass rate, 1 - rate^(1/n), is the tolerance.
func (p Plan) RunsToPass(index int) float64 {
	return math.Ceil(math.Log(p.WrongPass) / math.Log1p(-math.Min(p.Metrics[index].Tolerance.Size, 1-hardlyMore)))
}
