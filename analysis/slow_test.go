package analysis_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
)

// ended is a run and its verdict.
type ended struct {
	verdict analysis.Verdict
	result  analysis.MetricResult
}

// end judges one run of a family.
func (f family) end(t *testing.T, name string, run int, change float64) ended {
	t.Helper()
	j, err := analysis.NewJudge(analysis.Plan{Steps: f.steps, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []analysis.Metric{f.metric}})
	if err != nil {
		t.Fatal(err)
	}
	var e ended
	for _, s := range f.data(newSource(name, run), change) {
		if e.verdict, err = j.Step(analysis.Look{Pairs: []analysis.Pair{f.pair(s)}}); err != nil {
			t.Fatal(err)
		}
		if e.verdict != analysis.VerdictInconclusive {
			break
		}
	}
	e.result = j.Result().Metrics[0]
	return e
}

func valueFamily(name string, l levels) family {
	l.level = 100
	return family{name: name, steps: 60, metric: analysis.Metric{Name: "m", Kind: analysis.Value, Tolerance: analysis.Tolerance{Size: 0.05}}, data: l.data}
}

func ratioFamily(name string, a arms) family {
	a.n, a.m, a.steps = 1000, 1000, 60
	return family{name: name, steps: 60, metric: analysis.Metric{Name: "m", Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.25}}, data: a.data}
}

// Slow noise is told where the run sees it, and not where there is none. SLOW_RUNS=300
// takes that many and prints the table of docs/statistics/calibration.md.
func TestSlowNoiseIsTold(t *testing.T) {
	t.Parallel()
	runs, table := runsOf(t, "SLOW_RUNS", 60)
	for _, tt := range []struct {
		family
		most, least float64
		smoke       bool
	}{
		{valueFamily("value, independent", levels{sd: 0.05}), 0.003, 0, true},
		{valueFamily("value, t3", levels{sd: 0.05, tails: true}), 0.003, 0, true},
		{valueFamily("value, skewed", levels{sd: 0.1, skewed: true}), 0.003, 0, false},
		{valueFamily("value, ties, 5 % of 40", levels{sd: 0.05, rounded: true}), 0.003, 0, false},
		{valueFamily("value, AR .3", levels{sd: 0.05, phi: 0.3}), 0.1, 0, false},
		{valueFamily("value, AR .5", levels{sd: 0.05, phi: 0.5}), 1, 0, false},
		{valueFamily("value, AR .7", levels{sd: 0.05, phi: 0.7}), 1, 0.5, false},
		{valueFamily("value, AR .8", levels{sd: 0.05, phi: 0.8}), 1, 0.6, false},
		{valueFamily("value, AR .9", levels{sd: 0.05, phi: 0.9}), 1, 0.6, true},
		{ratioFamily("P1, 1 %", arms{rate: 0.01}), 0.01, 0, true},
		{ratioFamily("O1 side noise CV .2", arms{rate: 0.02, cv: 0.2}), 0.01, 0, false},
		{ratioFamily("C1 clusters of 5 errors", arms{rate: 0.01, cluster: 5}), 0.01, 0, false},
		{ratioFamily("G1 side noise CV .1, AR .5", arms{rate: 0.05, cv: 0.1, phi: 0.5}), 0.05, 0, false},
		{ratioFamily("G2 side noise CV .1, AR .8", arms{rate: 0.05, cv: 0.1, phi: 0.8}), 1, 0, false},
		{ratioFamily("O2 side noise CV .5, AR .5", arms{rate: 0.02, cv: 0.5, phi: 0.5}), 1, 0, false},
		{ratioFamily("O3 side noise CV .3, AR .8", arms{rate: 0.05, cv: 0.3, phi: 0.8}), 1, 0.3, true},
		{ratioFamily("B2 bursts x10 of one arm", arms{rate: 0.01, burst: 0.02, times: 10}), 1, 0, false},
	} {
		if !table && !tt.smoke {
			continue
		}
		line := "| " + tt.name
		for _, change := range []float64{1, 1 + tt.metric.Tolerance.Size} {
			told, wrong, wrongTold := 0, 0, 0
			for run := range runs {
				e := tt.end(t, "slow "+tt.name, run, change)
				isTold := slices.Contains(e.result.Doubts, analysis.SlowNoise)
				if isTold {
					told++
				}
				if e.verdict == analysis.VerdictFail || change > 1 && e.verdict == analysis.VerdictPass {
					wrong++
					if isTold {
						wrongTold++
					}
				}
			}
			atMost(t, tt.name+": told", told, runs, tt.most)
			atMost(t, tt.name+": not told", runs-told, runs, 1-tt.least)
			line += fmt.Sprintf(" | %.3f | %d of %d", float64(told)/float64(runs), wrongTold, wrong)
		}
		if table {
			fmt.Fprintln(t.Output(), line+" |")
		}
	}
}

// A level that changes during the run is seen by the test that began later, whose noise is
// not slow; and where no event is bad there is no noise to know of.
func TestChangesAndSilenceAreNoSlowNoise(t *testing.T) {
	t.Parallel()
	late := valueFamily("late", levels{})
	late.data = func(s source, _ float64) []step {
		steps := levels{level: 100, sd: 0.02}.data(s, 1)
		for i := range steps {
			if i >= 30 {
				steps[i].c *= 1.5
			}
		}
		return steps
	}
	for run := range 20 {
		e := late.end(t, "late", run, 1)
		if e.verdict != analysis.VerdictFail || e.result.Effect.Since != 30 {
			continue // of such a test this is about
		}
		if slices.Contains(e.result.Doubts, analysis.SlowNoise) {
			t.Errorf("run %d: %g", run, e.result.Autocorrelation)
		}
	}
	if e := ratioFamily("silent", arms{}).end(t, "silent", 0, 1); slices.Contains(e.result.Doubts, analysis.SlowNoise) {
		t.Error("no bad events: slow noise")
	}
}

// The estimate at a fail is as often too large as too small where a canary is found for
// sure: no correction for stopping early is needed (docs/statistics/method.md, section 13.17).
func TestEstimateOfAStoppedRun(t *testing.T) {
	t.Parallel()
	const runs = 200
	f := valueFamily("estimate", levels{sd: 0.05})
	for _, change := range []float64{1.1, 1.25} {
		large := 0
		for run := range runs {
			if e := f.end(t, fmt.Sprint("estimate ", change), run, change); e.result.Effect.Estimate > change-1 {
				large++
			}
		}
		if large < runs*40/100 || large > runs*68/100 {
			t.Errorf("x%g: the estimate is too large in %d of %d runs", change, large, runs)
		}
	}
}
