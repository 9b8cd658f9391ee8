package analysis_test

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
)

// noise of one arm, with a mean of 1.
type noise func(source) float64

func lognormal(sigma float64) noise {
	return func(s source) float64 { return math.Exp(sigma*s.NormFloat64() - sigma*sigma/2) }
}

func student3(scale float64) noise {
	return func(s source) float64 {
		var squares float64
		for range 3 {
			z := s.NormFloat64()
			squares += z * z
		}
		return 1 + scale*s.NormFloat64()/math.Sqrt(squares)
	}
}

// spikes are ten times the rest, in one of fifty steps.
func spikes(s source) float64 {
	v := (1 + 0.05*s.NormFloat64()) / 1.18
	if s.Float64() < 0.02 {
		v *= 10
	}
	return v
}

// meanCase is a kind of noise, and the rates at most at which a canary whose mean lies at the
// tolerance fails and passes by judge: mean.
type meanCase struct {
	name               string
	canary, baseline   noise
	mostFail, mostPass float64
	smoke              bool
}

func meanCases() []meanCase {
	quiet := lognormal(0.02)
	return []meanCase{
		{"lognormal .05, both", lognormal(0.05), lognormal(0.05), 0.05, 0.05, false},
		{"lognormal .2, both", lognormal(0.2), lognormal(0.2), 0.05, 0.05, false},
		{"lognormal .5, both", lognormal(0.5), lognormal(0.5), 0.05, 0.05, false},
		{"lognormal 1, both", lognormal(1), lognormal(1), 0.05, 0.05, true},
		{"lognormal .2, canary", lognormal(0.2), quiet, 0.05, 0.05, false},
		{"lognormal .5, canary", lognormal(0.5), quiet, 0.05, 0.05, true},
		{"lognormal 1, canary", lognormal(1), quiet, 0.05, 0.06, true},
		{"lognormal .2, baseline", quiet, lognormal(0.2), 0.05, 0.05, false},
		{"lognormal .5, baseline", quiet, lognormal(0.5), 0.05, 0.05, true},
		{"lognormal 1, baseline", quiet, lognormal(1), 0.06, 0.05, true},
		{"t3, both", student3(0.1), student3(0.1), 0.05, 0.05, true},
		{"t3, canary", student3(0.1), quiet, 0.05, 0.05, false},
		{"spikes x10 in 2 %, both", spikes, spikes, 0.05, 0.05, true},
		// What has not happened yet is not in the data: no test can know of it.
		{"spikes x10 in 2 %, canary", spikes, quiet, 0.05, 1, false},
		{"spikes x10 in 2 %, baseline", quiet, spikes, 1, 0.05, false},
	}
}

// judgeMean counts the verdicts of runs of 60 steps at a tolerance of 10 %.
func (c meanCase) judge(t *testing.T, mean bool, change float64, runs int) rates {
	t.Helper()
	m := analysis.Metric{Name: "m", Kind: analysis.Value, Tolerance: analysis.Tolerance{Size: 0.1}}
	if mean {
		m.Mean, m.Scale = true, analysis.Linear
	}
	f := family{name: c.name, steps: 60, metric: m, data: func(s source, change float64) []step {
		steps := make([]step, 60)
		for i := range steps {
			steps[i].b, steps[i].c = c.baseline(s), change*c.canary(s)
		}
		return steps
	}}
	return f.simulate(t, cell{name: fmt.Sprint(change), change: change}, runs)
}

// runsOf returns how many runs to simulate, and whether an environment variable asks for them
// and for a table.
func runsOf(t *testing.T, variable string, usual int) (runs int, table bool) {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual, false
	}
	runs, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(variable, ": ", err)
	}
	return runs, true
}

// The mean of skewed noise is judged at the stated rates by judge: mean. By a typical step, which
// is another thing, a canary whose mean is at the tolerance passes in a third of the runs,
// or in nearly all. MEAN_RUNS=300 takes that many and prints the table of
// docs/statistics/calibration.md.
func TestMeanOfSkewedNoise(t *testing.T) {
	t.Parallel()
	runs, table := runsOf(t, "MEAN_RUNS", 100)
	for _, c := range meanCases() {
		if !table && !c.smoke {
			continue
		}
		at := c.judge(t, true, 1.1, runs)
		atMost(t, c.name+": fails", at.failed, runs, c.mostFail)
		atMost(t, c.name+": passes", at.passed, runs, c.mostPass)
		if !table {
			continue
		}
		line := "| " + c.name
		for _, mean := range []bool{false, true} {
			at, clean, half, twice := c.judge(t, mean, 1.1, runs), c.judge(t, mean, 1, runs), c.judge(t, mean, 1.5, runs), c.judge(t, mean, 2, runs)
			line += fmt.Sprintf(" | %.3f, %.3f | %.3f / %.1f | %.3f / %.1f | %.3f / %.1f", at.share(at.failed), at.share(at.passed),
				clean.share(clean.passed), clean.mean(clean.toPass), half.share(half.failed), half.mean(half.toFail), twice.share(twice.failed), twice.mean(twice.toFail))
		}
		fmt.Fprintln(t.Output(), line+" |")
	}
	typical := meanCase{name: "lognormal 1, canary", canary: lognormal(1), baseline: lognormal(0.02)}.judge(t, false, 1.1, runs)
	if typical.share(typical.passed) < 0.5 {
		t.Errorf("a typical step: %d of %d pass, and were to be another thing than the mean", typical.passed, runs)
	}
}
