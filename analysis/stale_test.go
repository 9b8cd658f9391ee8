package analysis_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/canary-judge/canary-judge/analysis"
)

// simulated returns the verdicts of runs of one value metric, tolerance 10 %, over 60 steps.
func simulated(t *testing.T, name string, runs int, p analysis.Plan, tolerance analysis.Tolerance, step func(src source, k int) (baseline, canary float64)) map[analysis.Verdict]int {
	t.Helper()
	p.Steps, p.FalseAlarm, p.WrongPass = 60, 0.05, 0.05
	p.Metrics = []analysis.Metric{{Name: "m", Kind: analysis.Value, Tolerance: tolerance, Direction: analysis.Increase}}
	verdicts := map[analysis.Verdict]int{}
	for run := range runs {
		src := newSource(name, run)
		j, err := analysis.NewJudge(p)
		if err != nil {
			t.Fatal(err)
		}
		verdict := analysis.VerdictInconclusive
		for k := 0; k < p.Steps && verdict == analysis.VerdictInconclusive; k++ {
			b, c := step(src, k)
			verdict, err = j.Step(analysis.Look{Pairs: []analysis.Pair{{Baseline: analysis.ValueSample(b), Canary: analysis.ValueSample(c)}}})
			if err != nil {
				t.Fatal(err)
			}
		}
		verdicts[verdict]++
	}
	return verdicts
}

// atMost fails a test when something came more often than chance makes it at a rate, once
// in a thousand times.
func atMost(t *testing.T, what string, n, runs int, rate float64) {
	t.Helper()
	b := distuv.Binomial{N: float64(runs), P: rate}
	most := 0
	for b.CDF(float64(most)) < 0.999 {
		most++
	}
	if n > most {
		t.Errorf("%s: %d of %d, at a rate of %g at most %d", what, n, runs, rate, most)
	}
}

// A canary that drifts away, up to +30 % of a tolerated 10 %, was shown to be within it at
// an early look. It passed once the run could, in 76 of 400 runs: stale since long.
func TestAPassIsAskedForAgain(t *testing.T) {
	t.Parallel()
	const runs = 100
	noise := func(src source) float64 { return math.Exp(0.02 * src.NormFloat64()) }
	drift := simulated(t, "drift", runs, analysis.Plan{PassAfter: 60}, analysis.Tolerance{Size: 0.1}, func(src source, k int) (float64, float64) {
		canary := (1 + 0.3*float64(k)/60) * noise(src)
		return noise(src), canary
	})
	atMost(t, "wrong passes", drift[analysis.VerdictPass], runs, 0.02)
	clean := simulated(t, "clean", runs, analysis.Plan{PassAfter: 60}, analysis.Tolerance{Size: 0.1}, func(src source, _ int) (float64, float64) {
		return noise(src), noise(src)
	})
	if clean[analysis.VerdictPass] != runs {
		t.Errorf("clean: %v of %d", clean, runs)
	}
}

// Checks of which one arm has made no runs lately have no estimate of late: what was shown
// holds.
func TestAPassIsNotStaleForWantOfRuns(t *testing.T) {
	t.Parallel()
	j, err := analysis.NewJudge(analysis.Plan{
		Steps: 60, PassAfter: 58, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []analysis.Metric{{
			Name: "journey", Kind: analysis.Checks, Direction: analysis.Increase,
			Tolerance: analysis.Tolerance{Size: 0.2, Absolute: true},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	verdict := analysis.VerdictInconclusive
	for k := 0; k < 60 && verdict == analysis.VerdictInconclusive; k++ {
		canary := analysis.CountSample(0, 3)
		if k >= 40 {
			canary = analysis.CountSample(0, 0)
		}
		verdict, err = j.Step(analysis.Look{Pairs: []analysis.Pair{{Baseline: analysis.CountSample(0, 3), Canary: canary}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if verdict != analysis.VerdictPass || j.Looks() != 58 {
		t.Errorf("%v at look %d", verdict, j.Looks())
	}
}

// A gauge that is 1 in most steps, else 2: four equal steps passed a canary whose mean is
// 15 % higher at a tolerance of 10 %, in 60 of 300 runs.
func TestEqualStepsSayLittle(t *testing.T) {
	t.Parallel()
	const runs = 150
	gauge := func(src source, low, high, share float64) float64 {
		if src.Float64() < share {
			return high
		}
		return low
	}
	for _, tt := range []struct {
		name                        string
		low, high, baseline, canary float64
		tolerance                   analysis.Tolerance
		mostPass, leastPass         float64
	}{
		{"now and then in both, 15 % more", 1, 2, 0.1, 0.265, analysis.Tolerance{Size: 0.1}, 0.05, 0},
		{"in the canary alone, 15 % more", 1, 2, 0, 0.15, analysis.Tolerance{Size: 0.1}, 0.05, 0},
		{"fewer decimals", 0.2, 0.4, 0, 0.15, analysis.Tolerance{Size: 0.1}, 0.05, 0},
		{"from 0, an absolute tolerance", 0, 1, 0.05, 0.2, analysis.Tolerance{Size: 0.1, Absolute: true}, 0.05, 0},
		{"clean, always 1", 1, 2, 0, 0, analysis.Tolerance{Size: 0.1}, 1, 1},
		{"clean, seldom 2", 1, 2, 0.02, 0.02, analysis.Tolerance{Size: 0.1}, 1, 0.9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := simulated(t, tt.name, runs, analysis.Plan{}, tt.tolerance, func(src source, _ int) (float64, float64) {
				return gauge(src, tt.low, tt.high, tt.baseline), gauge(src, tt.low, tt.high, tt.canary)
			})
			atMost(t, "passes", got[analysis.VerdictPass], runs, tt.mostPass)
			atMost(t, "runs that do not pass", runs-got[analysis.VerdictPass], runs, 1-tt.leastPass)
			atMost(t, "fails", got[analysis.VerdictFail], runs, 0.2)
		})
	}
}
