package analysis_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
)

// A canary of fresh instances, of which nothing was seen before, beside a baseline whose instances were: the
// families of docs/statistics/history.md, section 15.4.

// instanceHistory is for how many steps the baseline's instances are seen before the run.
const instanceHistory = 240

// instanceFamily is a baseline of so many instances and a canary of fewer. Each instance has a level of its own.
type instanceFamily struct {
	name             string
	metric           analysis.Metric
	baseline, canary int
	differ           float64 // sd of the logarithm of an instance's level
	sd, phi          float64 // of the noise of one instance's logarithm
	times            float64 // the noise of the run's is so many times that; 0 = once
	tails            bool    // the levels of one instance in ten are four times as far out
	n, rate          float64 // requests of an instance in a step, and the share of bad ones; 0 for values
	changes          []float64
}

func instanceFamilies() []instanceFamily {
	value := func(tolerance float64) analysis.Metric {
		return analysis.Metric{Kind: analysis.Value, Tolerance: analysis.Tolerance{Size: tolerance}}
	}
	ratio := func(tolerance float64) analysis.Metric {
		return analysis.Metric{Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: tolerance}}
	}
	var all []instanceFamily
	for _, differ := range []float64{0, 0.03} {
		for _, tolerance := range []float64{0.05, 0.15} {
			found := 1.1
			if tolerance > 0.1 {
				found = 1.25
			}
			all = append(all, instanceFamily{
				name:   fmt.Sprintf("V 10 and 2, differ by %g %%, tolerance %g %%", 100*differ, 100*tolerance),
				metric: value(tolerance), baseline: 10, canary: 2, differ: differ, sd: 0.1, phi: 0.3, changes: []float64{1, 1 + tolerance, found, 1.5},
			})
		}
	}
	return append(all,
		instanceFamily{
			name: "V 5 and 1, differ by 3 %, tolerance 15 %", metric: value(0.15), baseline: 5, canary: 1,
			differ: 0.03, sd: 0.05, phi: 0.3, changes: []float64{1, 1.15, 1.25, 1.5},
		},
		instanceFamily{
			name: "V 10 and 2, differ by 3 %, one in ten by 12 %, tolerance 15 %", metric: value(0.15), baseline: 10, canary: 2,
			differ: 0.03, sd: 0.1, phi: 0.3, tails: true, changes: []float64{1, 1.15, 1.25, 1.5},
		},
		instanceFamily{
			name: "V 10 and 2, differ by 3 %, noise x3 in the run, tolerance 15 %", metric: value(0.15), baseline: 10, canary: 2,
			differ: 0.03, sd: 0.1, phi: 0.3, times: 3, changes: []float64{1, 1.15, 1.5},
		},
		instanceFamily{
			name: "C 10 and 2 of 200 requests, 2 %, tolerance 25 %", metric: ratio(0.25), baseline: 10, canary: 2,
			n: 200, rate: 0.02, changes: []float64{1, 1.25, 2, 4},
		},
		instanceFamily{
			name: "C 10 and 2 of 200 requests, 2 %, rates differ by 15 %, tolerance 25 %", metric: ratio(0.25), baseline: 10, canary: 2,
			n: 200, rate: 0.02, differ: 0.15, changes: []float64{1, 1.25, 2, 4},
		},
		instanceFamily{
			name: "C 10 and 2 of 200 requests, 2 %, rates differ by 15 %, tolerance 100 %", metric: ratio(1), baseline: 10, canary: 2,
			n: 200, rate: 0.02, differ: 0.15, changes: []float64{1, 2, 4},
		},
	)
}

// levels are what each of some instances differs by.
func (f instanceFamily) levels(src source, instances int) []float64 {
	all := make([]float64, instances)
	for i := range all {
		all[i] = f.differ * src.NormFloat64()
		if f.tails && src.Float64() < 0.1 {
			all[i] *= 4
		}
	}
	return all
}

// series are some instances in the steps of a history and of the run: logarithms of values, or counts. Those of the
// canary are changed from the beginning.
func (f instanceFamily) series(src source, instances, steps int, change float64, common []float64) [][]analysis.Sample {
	all := make([][]analysis.Sample, instances)
	for i, level := range f.levels(src, instances) {
		noise := src.autoregression(steps, f.phi)
		for k := range steps {
			log := level + math.Log(change) + common[k]
			if f.n > 0 {
				total := src.poisson(f.n)
				all[i] = append(all[i], analysis.CountSample(src.poisson(total*f.rate*math.Exp(log)), total))
				continue
			}
			sd := f.sd
			if f.times > 0 && k >= instanceHistory {
				sd *= f.times
			}
			all[i] = append(all[i], analysis.ValueSample(100*math.Exp(log+sd*noise[k])))
		}
	}
	return all
}

// together is what instances come to in a step, as a source would answer for the arm.
func (f instanceFamily) together(all [][]analysis.Sample, step int) analysis.Sample {
	if f.n > 0 {
		var bad, total float64
		for _, one := range all {
			bad, total = bad+one[step].Bad(), total+one[step].Total()
		}
		return analysis.CountSample(bad, total)
	}
	log := 0.0
	for _, one := range all {
		log += math.Log(one[step].Value()) / float64(len(all))
	}
	return analysis.ValueSample(math.Exp(log))
}

// run judges one run, with what the instances showed before or without.
func (f instanceFamily) run(t *testing.T, seed int, learns bool, change float64) (analysis.Verdict, int) {
	t.Helper()
	const steps = instanceHistory + historyWindow
	src := newSource(fmt.Sprint(f.name, change), seed)
	common := src.autoregression(steps, 0.9)
	for k := range common {
		common[k] *= 0.3
	}
	baseline, canary := f.series(src, f.baseline, steps, 1, common), f.series(src, f.canary, steps, change, common)
	m := f.metric
	m.Name = "m"
	if learns {
		m.History = &analysis.History{CanaryInstances: f.canary, BaselineInstances: f.baseline}
		for _, one := range baseline {
			m.History.Instances = append(m.History.Instances, one[:instanceHistory])
		}
	}
	j, err := analysis.NewJudge(analysis.Plan{Steps: historyWindow, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []analysis.Metric{m}})
	if err != nil {
		t.Fatal(err)
	}
	for k := instanceHistory; k < steps; k++ {
		v, err := j.Step(analysis.Look{Pairs: []analysis.Pair{{Baseline: f.together(baseline, k), Canary: f.together(canary, k)}}})
		if err != nil {
			t.Fatal(err)
		}
		if v != analysis.VerdictInconclusive {
			return v, j.Looks()
		}
	}
	return analysis.VerdictInconclusive, historyWindow
}

// rates judges as many runs.
func (f instanceFamily) rates(t *testing.T, runs int, learns bool, change float64) rates {
	t.Helper()
	r := rates{runs: runs}
	for i := range runs {
		toFail, toPass := historyWindow, historyWindow
		switch v, look := f.run(t, i, learns, change); v {
		case analysis.VerdictFail:
			r.failed++
			toFail = look
		case analysis.VerdictPass:
			r.passed++
			toPass = look
		}
		r.toFail += toFail
		r.toPass += toPass
	}
	return r
}

// TestInstancesTables prints a table like that of docs/statistics/history.md, section 15.4, with HISTORY_RUNS=300 runs
// a cell, of the families whose names begin with HISTORY_FAMILIES.
func TestInstancesTables(t *testing.T) {
	s := os.Getenv("HISTORY_RUNS")
	if s == "" {
		t.Skip("long: HISTORY_RUNS is not set")
	}
	runs, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal("HISTORY_RUNS: ", err)
	}
	var order []string
	var lines sync.Map
	t.Cleanup(func() {
		for _, name := range order {
			line, _ := lines.Load(name)
			_, _ = fmt.Fprint(t.Output(), line)
		}
	})
	for _, f := range instanceFamilies() {
		if !strings.HasPrefix(f.name, os.Getenv("HISTORY_FAMILIES")) {
			continue
		}
		for _, change := range f.changes {
			name := fmt.Sprintf("| %s | x%g |", f.name, change)
			order = append(order, name)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				line := name
				for _, learns := range []bool{false, true} {
					r := f.rates(t, runs, learns, change)
					line += fmt.Sprintf(" %.3f/%.1f P%.3f/%.1f |", r.share(r.failed), r.mean(r.toFail), r.share(r.passed), r.mean(r.toPass))
				}
				lines.Store(name, line+"\n")
			})
		}
	}
}

// TestInstancesSmoke holds a few runs to the figures of docs/statistics/history.md, section 15.4, with what chance adds
// once in a thousand: a clean canary on other machines is not failed, one at what is tolerated hardly, and what is
// worse is found.
func TestInstancesSmoke(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a simulation")
	}
	for _, c := range []struct {
		name   string
		change float64
		cell
		mostSteps float64 // mean, to FAIL
	}{
		{"V 10 and 2, differ by 3 %, tolerance 5 %", 1, cell{mostFail: 0.01, mostPass: 1}, 60},
		{"V 10 and 2, differ by 3 %, tolerance 5 %", 1.05, cell{mostFail: 0.05, mostPass: 0.06}, 60},
		{"V 10 and 2, differ by 3 %, tolerance 15 %", 1, cell{mostFail: 0.01, mostPass: 1, leastPass: 0.95}, 60},
		{"V 10 and 2, differ by 3 %, tolerance 15 %", 1.5, cell{mostFail: 1, leastFail: 0.99}, 4.5},
		{"V 10 and 2, differ by 0 %, tolerance 15 %", 1.25, cell{mostFail: 1, leastFail: 0.98}, 20},
		{"C 10 and 2 of 200 requests, 2 %, tolerance 25 %", 2, cell{mostFail: 1, leastFail: 0.98}, 12},
		{"C 10 and 2 of 200 requests, 2 %, rates differ by 15 %, tolerance 25 %", 1.25, cell{mostFail: 0.05, mostPass: 0.06}, 60},
		{"C 10 and 2 of 200 requests, 2 %, rates differ by 15 %, tolerance 25 %", 4, cell{mostFail: 1, leastFail: 0.99}, 6},
	} {
		t.Run(fmt.Sprint(c.name, " x", c.change), func(t *testing.T) {
			t.Parallel()
			families := instanceFamilies()
			i := slices.IndexFunc(families, func(f instanceFamily) bool { return f.name == c.name })
			if i < 0 {
				t.Fatal("no family ", c.name)
			}
			r := families[i].rates(t, 60, true, c.change)
			c.hold(t, r)
			if mean := r.mean(r.toFail); mean > c.mostSteps {
				t.Errorf("FAIL takes %.1f steps in the mean, want at most %g", mean, c.mostSteps)
			}
		})
	}
}

// Where machines differ by more than is tolerated, no number of steps is forecast to be enough, and that is said.
func TestMachinesMayHideAnyChange(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		differ float64
		n      float64
		hides  bool
	}{{0.3, 0, true}, {0.01, 0, false}, {0.5, 200, true}, {0, 200, false}} {
		f := instanceFamily{baseline: 8, canary: 2, differ: tt.differ, sd: 0.3, n: tt.n, rate: 0.1}
		const steps = instanceHistory + 10
		src, common := newSource("hidden", 1), make([]float64, steps)
		baseline, canary := f.series(src, f.baseline, steps, 1, common), f.series(src, f.canary, steps, 1, common)
		m := analysis.Metric{
			Name: "m", Tolerance: analysis.Tolerance{Size: 0.05},
			History: &analysis.History{Instances: baseline, CanaryInstances: f.canary, BaselineInstances: f.baseline},
		}
		if tt.n > 0 {
			m.Kind = analysis.Ratio
		}
		j, err := analysis.NewJudge(analysis.Plan{Steps: 60, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []analysis.Metric{m}})
		if err != nil {
			t.Fatal(err)
		}
		for k := instanceHistory; k < steps; k++ {
			if _, err := j.Step(analysis.Look{Pairs: []analysis.Pair{{Baseline: f.together(baseline, k), Canary: f.together(canary, k)}}}); err != nil {
				t.Fatal(err)
			}
		}
		r := j.Result().Metrics[0]
		if r.Learned.Hides != tt.hides || (r.Forecast.Needed > 0) == tt.hides {
			t.Errorf("machines that differ by %g, counts of %g: hides %v, forecast %+v", tt.differ, tt.n, r.Learned.Hides, r.Forecast)
		}
	}
}
