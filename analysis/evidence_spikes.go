package analysis

import (
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Rules of spikes (docs/statistics/method.md, section 5.6).
const (
	// firstLookSpikes is the fewest steps before the first look: in fewer, a single spike
	// that lasts is all that there is.
	firstLookSpikes = 10
	// supposedSpells spikes are supposed to have been seen beside those that were, of
	// supposedSteps steps together, before a canary passes: as long as there were none,
	// nothing else tells how long one lasts.
	supposedSpells = 2
	supposedSteps  = 3
)

// spikesEvidence compares how many steps of each arm stand out. A step in which both do,
// or neither, does not tell them apart (McNemar 1947, Psychometrika 12:153).
type spikesEvidence struct {
	spike     Spike
	tolerance float64
	steps     float64
	// of the canary, and of the baseline: steps that stand out, and those in which the
	// other arm does not.
	canary, baseline struct{ out, alone float64 }
	scatter          *stats.Counts
	spells           float64 // how often one arm alone began to stand out
	last             float64 // which of them did in the last step: 1 canary, -1 baseline, 0 neither
}

func newSpikesEvidence(m Metric) *spikesEvidence {
	return &spikesEvidence{spike: *m.Spikes, tolerance: m.Tolerance.Size, scatter: stats.NewCounts(1)}
}

func (e *spikesEvidence) add(b bracket) {
	canary, baseline := e.spike.In(b.low.canary), e.spike.In(b.low.baseline)
	v := stats.PairedCounts{N: 1, M: 1}
	if canary {
		e.canary.out++
		if !baseline {
			v.X = 1
		}
	}
	if baseline {
		e.baseline.out++
		if !canary {
			v.Y = 1
		}
	}
	e.steps++
	e.canary.alone += v.X
	e.baseline.alone += v.Y
	e.scatter.Add(v)
	now := v.X - v.Y
	if now != 0 && now != e.last {
		e.spells++
	}
	e.last = now
}

// alone returns the steps in which one arm alone stands out, as events of trials.
func (e *spikesEvidence) alone() stats.PairedCounts {
	return stats.PairedCounts{X: e.canary.alone, N: e.steps, Y: e.baseline.alone, M: e.steps}
}

func (e *spikesEvidence) ready() bool { return e.steps >= firstLookSpikes }

func (e *spikesEvidence) readyToPass() bool { return e.ready() }

func (e *spikesEvidence) information() float64 { return e.steps }

// dispersion returns by how much the counts are deflated at a level: as counts whose noise
// hangs together are, and at least as their spells say. Of spells, supposed ones are added
// that lasted the given steps together.
func (e *spikesEvidence) dispersion(level, spells, steps float64) float64 {
	phi := e.scatter.Dispersion(level)
	spells += e.spells
	if spells == 0 {
		return phi
	}
	steps += e.canary.alone + e.baseline.alone
	share := (math.Max(e.canary.alone, e.baseline.alone) + 1) / (e.steps + 2) // Laplace's: never 0 or 1
	return math.Max(phi, stats.SpellDispersion(steps/spells, share))
}

func (e *spikesEvidence) failDispersion(level float64) float64 { return e.dispersion(level, 0, 0) }

func (e *spikesEvidence) passDispersion(level float64) float64 {
	return math.Max(e.dispersion(level, supposedSpells, supposedSteps), e.scatter.SecondDispersion())
}

// beyond: a larger dispersion and a smaller level both make it harder, so the optimistic
// answer is the one without dispersion.
func (e *spikesEvidence) beyond(level float64, optimistic bool) bool {
	v, phi := e.alone(), 1.0
	if v.Difference(1) <= e.tolerance {
		return false
	}
	if !optimistic {
		phi = e.failDispersion(level)
	}
	return v.DifferenceLower(1, level, phi) > e.tolerance
}

func (e *spikesEvidence) within(level float64, optimistic bool) bool {
	v, phi := e.alone(), 1.0
	if v.Difference(1) >= e.tolerance {
		return false
	}
	if !optimistic {
		phi = e.passDispersion(level)
	}
	return v.DifferenceUpper(1, level, phi) < e.tolerance
}

func (e *spikesEvidence) tolerated() bool {
	return !(e.alone().Difference(1) > e.tolerance) // NaN before the first step
}

func (e *spikesEvidence) observations() int { return int(e.steps) }

func (e *spikesEvidence) effect(failLevel, passLevel float64) Effect {
	v := e.alone()
	return ratioLimits{
		v.Difference(1),
		v.DifferenceLower(1, failLevel, e.failDispersion(failLevel)),
		v.DifferenceUpper(1, passLevel, e.passDispersion(passLevel)),
	}.absolute(Increase)
}

func (e *spikesEvidence) compared() Compared {
	of := func(out float64) ComparedArm { return ComparedArm{Level: out / e.steps, Bad: out, Total: e.steps} }
	return Compared{
		Steps: int(e.steps), Counted: true,
		Baseline: of(e.baseline.out), Canary: of(e.canary.out),
	}
}

// forecast: the multiple of the steps so far at which an unchanged canary, with both arms
// alone as often as the two are on average, passes at the level of the last look.
func (e *spikesEvidence) forecast(pass *stats.SharedClock) Forecast {
	level, ok := pass.LastLevel()
	if !ok {
		return Forecast{}
	}
	phi, out := e.passDispersion(level), (e.canary.alone+e.baseline.alone)/2
	needed := e.steps * leastMultiple(func(f float64) bool {
		v := stats.PairedCounts{X: out * f, N: e.steps * f, Y: out * f, M: e.steps * f}
		return v.DifferenceUpper(1, level, phi) < e.tolerance
	})
	return Forecast{Unit: "steps", Needed: needed, Have: e.steps}
}

// mostStepsTried bounds the windows that SpikelessWindow tries.
const mostStepsTried = 2000

// SpikelessWindow returns how many steps a window needs at least for a metric of Spikes to
// pass if nothing stands out in either arm, at the plan's wrong-pass rate; 0 where no
// number of them will do, which is with a tolerance of 0. Beyond 2,000 it is about that.
func (p Plan) SpikelessWindow(m Metric) int {
	if !(m.Tolerance.Size > 0) {
		return 0
	}
	if m.Tolerance.Size >= 1 {
		return firstLookSpikes
	}
	// None of n steps stands out by chance with (1 - tolerance)^(n / dispersion).
	phi := stats.SpellDispersion(supposedSteps/float64(supposedSpells), 0)
	steps := func(level float64) int {
		return max(firstLookSpikes, int(math.Ceil(phi*math.Log(level)/math.Log1p(-m.Tolerance.Size))))
	}
	least, most := steps(p.WrongPass), steps(p.WrongPass/10)
	if least > mostStepsTried {
		return steps(p.WrongPass / 2)
	}
	for least < most {
		if middle := (least + most) / 2; p.spikelessPasses(m, middle) {
			most = middle
		} else {
			least = middle + 1
		}
	}
	return least
}

// spikelessPasses reports whether a metric of spikes passes in a window in which there are
// none.
func (p Plan) spikelessPasses(m Metric, window int) bool {
	s := newSide(Increase, window, p.spending(p.FalseAlarm), &stats.Clocks{}, func() evidence { return newSpikesEvidence(m) })
	for step := 1; step <= window && !s.passed; step++ {
		s.add(step, exact(observation{canary: m.Spikes.Bound, baseline: m.Spikes.Bound}))
		s.look(step)
	}
	return s.passed
}
