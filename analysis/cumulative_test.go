package analysis

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// Counters that are put in as they are decide nothing, from the first look on; counts of
// steps are not taken for counters, whatever their size, unless the load climbs evenly in
// both arms.
func TestCountersPutInAsTheyAre(t *testing.T) {
	t.Parallel()
	source := rand.NewPCG(9, 9)
	poisson := func(mean float64) float64 { return distuv.Poisson{Lambda: mean, Src: source}.Rand() }
	// counters are states: of a baseline that has run for long, and of a new canary that
	// fails more, or no more.
	counters := func(perStep, before, worse float64) []Pair {
		total, bad := [2]float64{before * perStep}, [2]float64{before * perStep * 0.02}
		return repeat(30, func(int) Pair {
			for arm, rate := range []float64{0.02, 0.02 * worse} {
				total[arm] += poisson(perStep)
				bad[arm] += poisson(perStep * rate)
			}
			return rates(bad[1], total[1], bad[0], total[0])
		})
	}
	m := ratio(0.25, 0)
	for _, perStep := range []float64{20, 300, 5000} {
		for _, before := range []float64{0, 10, 10000} {
			for _, worse := range []float64{0.5, 1, 4} {
				r := judge(t, m, 30, counters(perStep, before, worse)...)
				if r.Verdict != VerdictInconclusive || r.Metrics[0].Cause != CumulativeCounts {
					t.Errorf("%g a step, %g steps before, %gx: %s at look %d, %q", perStep, before, worse, r.Verdict, r.Looks, r.Metrics[0].Cause)
				}
			}
		}
	}
	for _, mean := range []float64{2, 40, 1000, 1e6} {
		for range 50 {
			var baseline, canary growth
			for range 12 {
				baseline.add(poisson(mean), poisson(mean/50))
				canary.add(poisson(mean), poisson(mean/50))
			}
			if baseline.cumulative() && canary.cumulative() {
				t.Errorf("counts of %g a step are taken for counters", mean)
			}
		}
	}
	// A counter that is scraped every second step stands still in between; load in stages
	// does for longer.
	var scraped, stages growth
	for i := range 30 {
		scraped.add(float64(1000*(i/2)), float64(10*(i/2)))
		stages.add(float64(100*(1+i/10)), 0)
	}
	if !scraped.cumulative() || stages.cumulative() {
		t.Errorf("a counter scraped every second step: %t; load in stages: %t; want true, false", scraped.cumulative(), stages.cumulative())
	}
	// Load that doubles, and whose steps scatter as independent events do, is none either.
	var climbing growth
	for i := range 30 {
		climbing.add(poisson(3e4*(1+float64(i)/30)), math.NaN())
	}
	if climbing.cumulative() {
		t.Error("a load that climbs is taken for a counter")
	}
}

// Of counts that overlap there seem to be more than there are: none of them passes.
func TestCountsThatOverlap(t *testing.T) {
	t.Parallel()
	m := ratio(0.25, DefaultFloor)
	m.CountsOverlap = true
	for _, c := range []struct {
		bad   float64
		want  Verdict
		cause Cause
	}{{0, VerdictInconclusive, OverlappingCounts}, {400, VerdictFail, ""}} {
		r := judge(t, m, 40, repeat(40, func(i int) Pair { return rates(c.bad+float64(i%3), 10000, 20, 10000+float64(i%7)) })...)
		if r.Verdict != c.want || r.Metrics[0].Cause != c.cause {
			t.Errorf("%g bad: %s, %q; want %s, %q", c.bad, r.Verdict, r.Metrics[0].Cause, c.want, c.cause)
		}
	}
}
