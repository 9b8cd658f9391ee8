package analysis_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
)

// spikeFamily is a way in which steps stand out: by themselves, where noise with the
// correlation lasting is high, or in spells that last so many steps on average.
type spikeFamily struct {
	name          string
	lasting, mean float64
	// share of steps in which an arm stands out by itself, and both do together.
	own, both float64
	smoke     bool
}

var spikeFamilies = []spikeFamily{
	{name: "none", smoke: true},
	{name: "single steps, 3 %", own: .03},
	{name: "single steps, 10 %", own: .1, smoke: true},
	{name: "5 % and 10 % common", own: .05, both: .1},
	{name: "AR .5, 10 %", lasting: .5, own: .1},
	{name: "AR .8, 3 %", lasting: .8, own: .03},
	{name: "AR .8, 10 %", lasting: .8, own: .1, smoke: true},
	{name: "AR .8, 5 % and 10 % common", lasting: .8, own: .05, both: .1},
	{name: "spells of 2, 10 %", mean: 2, own: .1},
	{name: "spells of 3, 3 %", mean: 3, own: .03},
	{name: "spells of 3, 10 %", mean: 3, own: .1, smoke: true},
	{name: "spells of 3, 5 % and 10 % common", mean: 3, own: .05, both: .1},
	{name: "spells of 5, 3 %", mean: 5, own: .03},
	{name: "spells of 5, 10 %", mean: 5, own: .1},
	{name: "spells of 5, 5 % and 10 % common", mean: 5, own: .05, both: .1},
}

// steps draws in which steps an arm stands out, a share of them in the long run.
func (f spikeFamily) steps(src source, n int, share float64) []bool {
	out := make([]bool, n)
	noise := src.autoregression(n, f.lasting)
	in := src.Float64() < share
	for k := range out {
		switch {
		case share <= 0:
		case share >= 1:
			out[k] = true
		case f.mean > 0:
			if k > 0 && in {
				in = src.Float64() >= 1/f.mean
			} else if k > 0 {
				in = src.Float64() < share/(1-share)/f.mean
			}
			out[k] = in
		default:
			out[k] = noise[k] > stats.NormalTailQuantile(share)
		}
	}
	return out
}

const (
	usualLevel = 0.2 // seconds
	spikeBound = 0.8
)

// data returns pairs in which the canary stands out in more of the steps.
func (f spikeFamily) data(src source, n int, more float64) []analysis.Pair {
	both := f.steps(src, n, f.both)
	baseline, canary := f.steps(src, n, f.own), f.steps(src, n, f.own+more)
	value := func(out bool) analysis.Sample {
		v := usualLevel * math.Exp(.05*src.NormFloat64())
		if out {
			v *= 5
		}
		return analysis.ValueSample(v)
	}
	pairs := make([]analysis.Pair, n)
	for k := range pairs {
		pairs[k] = analysis.Pair{Baseline: value(both[k] || baseline[k]), Canary: value(both[k] || canary[k])}
	}
	return pairs
}

func spikesMetric(tolerance float64) analysis.Metric {
	return analysis.Metric{
		Name: "spikes", Spikes: &analysis.Spike{Bound: spikeBound},
		Tolerance: analysis.Tolerance{Size: tolerance, Absolute: true},
	}
}

// judgeAlone judges runs by one metric.
func judgeAlone(t *testing.T, m analysis.Metric, steps, runs int, data func(run int) []analysis.Pair) rates {
	t.Helper()
	r := rates{runs: runs}
	for i := range runs {
		j, err := analysis.NewJudge(analysis.Plan{Steps: steps, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []analysis.Metric{m}})
		if err != nil {
			t.Fatal(err)
		}
		verdict := analysis.VerdictInconclusive
		for _, p := range data(i) {
			if verdict, err = j.Step(analysis.Look{Pairs: []analysis.Pair{p}}); err != nil {
				t.Fatal(err)
			}
			if verdict != analysis.VerdictInconclusive {
				break
			}
		}
		toFail, toPass := steps, steps
		switch verdict {
		case analysis.VerdictFail:
			r.failed++
			toFail = j.Looks()
		case analysis.VerdictPass:
			r.passed++
			toPass = j.Looks()
		}
		r.toFail += toFail
		r.toPass += toPass
	}
	return r
}

// simulatedRuns returns how many runs of a simulation to take, and whether a table of all of
// them is wanted: with CALIBRATION_RUNS.
func simulatedRuns(t *testing.T, few int) (runs int, table bool) {
	t.Helper()
	s := os.Getenv("CALIBRATION_RUNS")
	if s == "" {
		if testing.Short() {
			t.Skip("a simulation")
		}
		return few, false
	}
	runs, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal("CALIBRATION_RUNS: ", err)
	}
	return runs, true
}

// TestSpikesKeepTheirRates simulates whole runs that are judged by spikes: clean, at the
// tolerance, and three times beyond it (docs/statistics/spikes.md).
func TestSpikesKeepTheirRates(t *testing.T) {
	t.Parallel()
	runs, table := simulatedRuns(t, 100)
	type setting struct {
		steps     int
		tolerance float64
	}
	var lines sync.Map
	settings := []setting{{60, .1}, {120, .05}, {120, .1}}
	t.Cleanup(func() {
		if !table {
			return
		}
		var b bytes.Buffer
		for _, s := range settings {
			for _, f := range spikeFamilies {
				line, _ := lines.Load(fmt.Sprint(s, f.name))
				fmt.Fprint(&b, line)
			}
		}
		fmt.Fprintf(t.Output(), "%d runs a cell\n\n%s", runs, b.Bytes())
	})
	for _, s := range settings {
		for _, f := range spikeFamilies {
			if !table && (!f.smoke || s.steps != 60) {
				continue
			}
			t.Run(fmt.Sprintf("%d steps, %gpt, %s", s.steps, 100*s.tolerance, f.name), func(t *testing.T) {
				t.Parallel()
				simulate := func(name string, more float64) rates {
					return judgeAlone(t, spikesMetric(s.tolerance), s.steps, runs, func(run int) []analysis.Pair {
						return f.data(newSource(f.name+name, run), s.steps, more)
					})
				}
				clean, at, beyond := simulate("clean", 0), simulate("at", s.tolerance), simulate("beyond", 3*s.tolerance)
				// Spells of one arm that last five steps are slow noise, which fails more (spikes.md).
				mostFail, mostPass := 0.05, 0.06
				if f.mean >= 3 || f.lasting > .5 {
					mostFail, mostPass = 0.09, 0.17
				}
				cell{name: "clean", mostFail: 0.05, mostPass: 1}.hold(t, clean)
				cell{name: "at the tolerance", mostFail: mostFail, mostPass: mostPass}.hold(t, at)
				cell{name: "beyond it", mostFail: 1, mostPass: 0.02}.hold(t, beyond)
				lines.Store(fmt.Sprint(s, f.name), fmt.Sprintf("| %d | %gpt | %s | %.3f | %.3f / %.0f | %.3f | %.3f | %.3f / %.0f |\n",
					s.steps, 100*s.tolerance, f.name, clean.share(clean.failed), clean.share(clean.passed), clean.mean(clean.toPass),
					at.share(at.failed), at.share(at.passed), beyond.share(beyond.failed), beyond.mean(beyond.toFail)))
			})
		}
	}
}

// TestSpikesAgainstTheMean simulates a canary five times as slow in one step of ten, each
// drawn by itself, and in none of the baseline, judged by spikes and by the mean.
func TestSpikesAgainstTheMean(t *testing.T) {
	t.Parallel()
	runs, table := simulatedRuns(t, 40)
	for _, steps := range []int{60, 120} {
		for _, share := range []float64{.1, .2} {
			pairs := func(run int) []analysis.Pair {
				return spikeFamily{}.data(newSource("spikes", run), steps, share)
			}
			mean := analysis.Metric{Name: "mean", Tolerance: analysis.Tolerance{Size: .1}}
			byMean := judgeAlone(t, mean, steps, runs, pairs)
			line := fmt.Sprintf("| %d | %g %% | %.3f / %.0f |", steps, 100*share, byMean.share(byMean.failed), byMean.mean(byMean.toFail))
			for _, tolerance := range []float64{0, .01, .02, .05, .1} {
				if !table && (tolerance != 0 || steps != 120) {
					continue
				}
				r := judgeAlone(t, spikesMetric(tolerance), steps, runs, pairs)
				line += fmt.Sprintf(" %.3f / %.0f |", r.share(r.failed), r.mean(r.toFail))
				if tolerance == 0 && steps == 120 && r.failed < byMean.failed+runs/2 {
					t.Errorf("%g of the steps: %d of %d fail by spikes, %d by the mean", share, r.failed, runs, byMean.failed)
				}
			}
			if table {
				fmt.Fprintln(t.Output(), line)
			}
		}
	}
}

// The dispersion of spells is that of a Markov chain: against the sum of its autocovariances,
// which for two states fall by the factor 1 - leave - enter each step.
func TestSpellDispersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ length, share float64 }{{1, 0}, {1.25, .2}, {2, .1}, {5, .1}, {5, .4}, {20, .02}} {
		leave := 1 / c.length
		enter := leave * c.share / (1 - c.share)
		factor, correlation := 1.0, 1.0
		for range 10000 {
			correlation *= 1 - leave - enter
			factor += 2 * correlation
		}
		if got := stats.SpellDispersion(c.length, c.share); math.Abs(got-factor) > 1e-9 {
			t.Errorf("spells of %g in %g of the steps: %g, want %g", c.length, c.share, got, factor)
		}
	}
	if got := stats.SpellDispersion(1, .9); got != 1 {
		t.Errorf("spells that are shorter than chance makes them: %g, want 1", got)
	}
}

// What is compared and what the effect is, by hand; and when a canary passes without any
// spike: the rule of three, (1-p)^(n/2) at the level of the last look, gives at least
// 2 ln .05/ln .9 = 56.9 steps at 10 points.
func TestSpikesByHand(t *testing.T) {
	t.Parallel()
	m := spikesMetric(.1)
	plan := analysis.Plan{Steps: 120, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []analysis.Metric{m}}
	need := plan.SpikelessWindow(m)
	if need < 57 || need > 90 {
		t.Errorf("without spikes a window of %d steps passes", need)
	}
	for _, steps := range []int{need - 1, need} {
		r := judgeAlone(t, m, steps, 1, func(int) []analysis.Pair { return spikeFamily{}.data(newSource("by hand", 0), steps, 0) })
		if passed := r.passed == 1; passed != (steps >= need) {
			t.Errorf("without spikes, in %d steps of the %d that are said to do: passed %v", steps, need, passed)
		}
	}
	j, err := analysis.NewJudge(plan)
	if err != nil {
		t.Fatal(err)
	}
	at := func(out bool) analysis.Sample {
		if out {
			return analysis.ValueSample(.9)
		}
		return analysis.ValueSample(spikeBound)
	}
	for k := range 20 {
		// Both in one step, the canary alone in two, the baseline alone in one.
		p := analysis.Pair{Baseline: at(k == 3 || k == 9), Canary: at(k == 3 || k == 5 || k == 7)}
		if _, err := j.Step(analysis.Look{Pairs: []analysis.Pair{p}}); err != nil {
			t.Fatal(err)
		}
	}
	got := j.Result().Metrics[0]
	if c := got.Compared; c.Steps != 20 || c.Canary.Bad != 3 || c.Baseline.Bad != 2 || c.Canary.Total != 20 || c.Canary.Level != .15 {
		t.Errorf("compared %+v", c)
	}
	if e := got.Effect; math.Abs(e.Estimate-.05) > 1e-12 || !e.Absolute || !(e.Lower < .05 && e.Upper > .1) {
		t.Errorf("the effect is %+v", e)
	}
}
