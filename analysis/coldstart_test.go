package analysis_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
)

// A canary that warms up over three steps is seldom failed for it with a history, is told, and
// one that stays worse is found (docs/statistics/history.md, section 14, number 11).
func TestColdStartSmoke(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a simulation")
	}
	const runs, history = 60, 240
	warm, steady := find(t, valueHistories(), "V8"), find(t, valueHistories(), "V1")
	cell{mostFail: 0.15, mostPass: 1}.hold(t, warm.rates(t, runs, history, 1))
	cell{mostFail: 1, leastFail: 0.99}.hold(t, warm.rates(t, runs, history, 1.5))
	r := steady.rates(t, runs, history, 1.5)
	cell{mostFail: 1, leastFail: 0.99}.hold(t, r)
	if mean := r.mean(r.toFail); mean > 3.1 { // 2.1 without the rule, and a step
		t.Errorf("+50 %% fails after %.1f steps in the mean", mean)
	}
}

// coldRun judges a canary whose value, or bad events of 1000, are so many times the baseline's of 100, or 10.
func coldRun(t *testing.T, counts bool, history *analysis.History, times ...float64) analysis.MetricResult {
	t.Helper()
	m := analysis.Metric{Name: "m", Tolerance: analysis.Tolerance{Size: 0.1}, History: history}
	if counts {
		m.Kind = analysis.Ratio
	}
	j, err := analysis.NewJudge(analysis.Plan{Steps: 60, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []analysis.Metric{m}})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, f := range times {
		p := noisyPair(r, f)
		if counts {
			p = analysis.Pair{Baseline: analysis.CountSample(10, 1000), Canary: analysis.CountSample(10*f, 1000)}
		}
		v, err := j.Step(analysis.Look{Pairs: []analysis.Pair{p}})
		if err != nil {
			t.Fatal(err)
		}
		if v != analysis.VerdictInconclusive {
			break
		}
	}
	return j.Result().Metrics[0]
}

// noisyPair has noise of 5 % in each arm.
func noisyPair(r *rand.Rand, times float64) analysis.Pair {
	return analysis.Pair{Baseline: analysis.ValueSample(100 * (1 + 0.05*r.NormFloat64())), Canary: analysis.ValueSample(100 * times * (1 + 0.05*r.NormFloat64()))}
}

func TestColdStartIsTold(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var past []analysis.Pair
	for range 240 {
		past = append(past, noisyPair(r, 1))
	}
	known := &analysis.History{Pairs: past}
	warm := []float64{1.9, 1.6, 1.4, 1.2, 1.02, 1.03, 1, 1, 1, 1, 1, 1}
	worse := slices.Repeat([]float64{1.5}, 12)
	for _, tt := range []struct {
		name     string
		counts   bool
		history  *analysis.History
		times    []float64
		decision analysis.Decision
		told     int // observations; 0 = not told
	}{
		{"a warm-up with history", false, known, warm, analysis.Undecided, 4},
		{"a regression with history", false, known, worse, analysis.Fail, 0},
		{"a regression that grows", false, known, append([]float64{1.2, 1.4, 1.6}, worse...), analysis.Fail, 0},
		{"a regression that comes down and stays", false, known, append([]float64{2, 1.8, 1.6}, worse...), analysis.Fail, 0},
		{"errors that come down, without history", true, nil, []float64{40, 16, 5, 2}, analysis.Fail, 3},
		{"errors that stay, without history", true, nil, []float64{10, 11, 9, 10}, analysis.Fail, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := coldRun(t, tt.counts, tt.history, tt.times...)
			if got.Decision != tt.decision {
				t.Errorf("decided %v at %d, want %v", got.Decision, got.DecidedAt, tt.decision)
			}
			doubted := slices.Contains(got.Doubts, analysis.ShrinkingStart)
			switch {
			case doubted != (got.ColdStart != nil):
				t.Errorf("the doubts are %v, the cold start %v", got.Doubts, got.ColdStart)
			case (tt.told > 0) != doubted:
				t.Errorf("doubted: %v", doubted)
			case tt.told > 0 && got.ColdStart.Observations != tt.told:
				t.Errorf("%+v, want %d observations", got.ColdStart, tt.told)
			}
		})
	}
}
