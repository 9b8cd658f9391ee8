package analysis

import (
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Forecast is how much it takes until an unchanged canary is shown to be
// within tolerance, at the traffic and noise seen so far. The zero value
// is no forecast.
type Forecast struct {
	Unit   string  // what is counted: "steps", BadCanaryEvents, "canary events" or "canary runs"
	Needed float64 // in all, > 0
	Have   float64 // so far
	// Steps is how many more steps that is, NaN when nothing has come in yet.
	Steps float64
}

// BadCanaryEvents is the unit of a forecast that counts the bad events of the canary.
const BadCanaryEvents = "bad canary events"

// forecast returns the forecast of an undecided metric.
func (j *judgement) forecast() Forecast {
	if len(j.sides) == 0 || j.metric.Tolerance.Size == 0 || j.tally.usable == 0 || j.hidden() {
		return Forecast{}
	}
	var f Forecast
	switch e := exactly(j.sides[0].tests[0].evidence).(type) {
	case *valueEvidence:
		f = e.forecast(j.sides[0].pass)
	case *spikesEvidence:
		f = e.forecast(j.sides[0].pass)
	case *countsEvidence:
		f = e.forecast(j.sides[0].pass)
	}
	// With as much as that already, the closed form knows no better.
	if !(f.Needed > f.Have) || math.IsInf(f.Needed, 0) {
		return Forecast{}
	}
	f.Steps = math.Ceil((f.Needed/f.Have - 1) * float64(j.tally.elapsed))
	if f.Have == 0 {
		f.Steps = math.NaN()
	}
	return f
}

// forecast: docs/statistics/method.md, section 6.
func (e *valueEvidence) forecast(pass *stats.SharedClock) Forecast {
	if !e.ready() {
		return Forecast{}
	}
	m := e.winsorised()
	deviation := math.Max(math.Sqrt(m.Variance()), e.floor())
	needed := stats.PairsToPass(e.distance(), deviation, m.Autocorrelation())
	if level, ok := pass.LastLevel(); ok && e.ties == len(e.pairs) {
		needed = math.Max(needed, e.equalSteps(level))
	}
	return Forecast{Unit: "steps", Needed: needed, Have: float64(e.series.Len())}
}

// forecast: for a relative tolerance the closed form of
// docs/statistics/method.md, section 6, or what it takes to be shown to be below the
// floor where that is less; for an absolute one, the multiple of what was seen so far at
// which an unchanged canary passes at the level of the last look.
func (e *countsEvidence) forecast(pass *stats.SharedClock) Forecast {
	level, ok := pass.LastLevel()
	if !ok {
		return Forecast{}
	}
	phi, t, size := e.passDispersion(level, false), e.totals, e.metric.Tolerance.Size
	f := Forecast{Unit: "canary events", Have: t.N}
	if e.pooled {
		f.Unit = "canary runs"
	}
	if e.metric.Tolerance.Absolute {
		f.Needed = t.N * e.leastMultiple(func(v stats.PairedCounts) bool { return v.DifferenceUpper(1, level, phi) < size })
		return f
	}
	ratio := Forecast{Unit: BadCanaryEvents, Needed: stats.EventsToPass(size, t.N/t.M, phi*e.counts.EventVariance()), Have: t.X}
	if e.below(e.metric.Floor) {
		f.Needed = t.N * e.leastMultiple(func(v stats.PairedCounts) bool {
			_, upper := stats.Proportion(v.X/phi, v.N/phi, level)
			return upper < (1+size)*e.metric.Floor
		})
		if f.Needed > f.Have && f.Needed*ratio.Have < ratio.Needed*f.Have {
			return f
		}
	}
	return ratio
}

// leastMultiple returns of how many times the traffic so far an unchanged canary, with the
// rate of the baseline, would be enough; +Inf beyond a million.
func (e *countsEvidence) leastMultiple(enough func(stats.PairedCounts) bool) float64 {
	t := e.totals
	return leastMultiple(func(f float64) bool {
		return enough(stats.PairedCounts{X: t.Y / t.M * t.N * f, N: t.N * f, Y: t.Y * f, M: t.M * f})
	})
}

// leastMultiple returns how many times what there is so far is enough, at least 1; +Inf
// beyond a million.
func leastMultiple(enough func(times float64) bool) float64 {
	lo, hi := 0.0, math.Log(1e6)
	if !enough(math.Exp(hi)) {
		return math.Inf(1)
	}
	for range 40 {
		if mid := (lo + hi) / 2; enough(math.Exp(mid)) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return math.Exp(hi)
}
