package analysis_test

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
)

// manyFamily is a run of many metrics that are alike.
type manyFamily struct {
	name string
	// noise is the standard deviation of a value's difference in a step, lasting the
	// autocorrelation of it, and common the part of its variance that all metrics share.
	noise, lasting, common float64
	events                 float64 // of a ratio of 1000 requests, in a step and arm; 0 = a value
	tolerance              float64
	large                  float64 // a change that is to be found, as a multiple
}

var manyFamilies = []manyFamily{
	{name: "values, 7 %", noise: .07, tolerance: .1, large: 1.25},
	{name: "values, 14 %", noise: .14, tolerance: .1, large: 1.5},
	{name: "values, 18 %", noise: .18, tolerance: .1, large: 1.5},
	{name: "values, 11 %, AR .3", noise: .11, lasting: .3, tolerance: .1, large: 1.5},
	{name: "values, 11 %, AR .3, half in common", noise: .11, lasting: .3, common: .5, tolerance: .1, large: 1.5},
	{name: "values, 11 %, AR .3, .9 in common", noise: .11, lasting: .3, common: .9, tolerance: .1, large: 1.5},
	{name: "ratios, 10 events, tolerance 50 %", events: 10, tolerance: .5, large: 4},
	{name: "ratios, 10 events, tolerance 25 %", events: 10, tolerance: .25, large: 4},
}

// manySteps and manyBefore are the steps of a run and of its history.
const (
	manySteps  = 60
	manyBefore = 240
)

// manyCell is how a run of many metrics is set up.
type manyCell struct {
	metrics, history int
	change           float64 // of the first metric
	// quiet takes the noise out of all metrics but the first: a wrong pass is likeliest where
	// nothing else holds the run up.
	quiet bool
}

func (f manyFamily) metric(name string) analysis.Metric {
	m := analysis.Metric{Name: name, Tolerance: analysis.Tolerance{Size: f.tolerance}}
	if f.events > 0 {
		m.Kind = analysis.Ratio
	}
	return m
}

// pairs draws the steps of a history and a run, in which the first metric of the canary is
// changed.
func (f manyFamily) pairs(src source, c manyCell) [][]analysis.Pair {
	const steps = manyBefore + manySteps
	shared := src.autoregression(steps, f.lasting)
	all := make([][]analysis.Pair, steps)
	for k := range all {
		all[k] = make([]analysis.Pair, c.metrics)
	}
	for m := range c.metrics {
		own := src.autoregression(steps, f.lasting)
		noise, events := f.noise, f.events
		if m > 0 && c.quiet {
			noise, events = noise/20, 100*events
		}
		for k := range all {
			factor := 1.0
			if m == 0 && k >= manyBefore {
				factor = c.change
			}
			if events > 0 {
				count := func(mean float64) analysis.Sample { return analysis.CountSample(src.poisson(mean), 100*events) }
				all[k][m] = analysis.Pair{Baseline: count(events), Canary: count(events * factor)}
				continue
			}
			log := noise * (math.Sqrt(f.common)*shared[k] + math.Sqrt(1-f.common)*own[k])
			all[k][m] = analysis.Pair{Baseline: analysis.ValueSample(1), Canary: analysis.ValueSample(factor * math.Exp(log))}
		}
	}
	return all
}

// manyRates are what came of the runs, and how many metrics were open at the end of those
// without a verdict.
type manyRates struct {
	rates
	open int
}

func (r manyRates) openInEach() float64 {
	return float64(r.open) / math.Max(1, float64(r.runs-r.passed-r.failed))
}

// judge judges runs of a cell.
func (f manyFamily) judge(t *testing.T, c manyCell, runs int) manyRates {
	t.Helper()
	r := manyRates{rates: rates{runs: runs}}
	for i := range runs {
		pairs := f.pairs(newSource(fmt.Sprint(f.name, c.metrics, c.change), i), c)
		plan := analysis.Plan{Steps: manySteps, FalseAlarm: 0.05, WrongPass: 0.05}
		for m := range c.metrics {
			metric := f.metric(strconv.Itoa(m))
			if c.history > 0 {
				metric.History = &analysis.History{}
				for _, p := range pairs[manyBefore-c.history : manyBefore] {
					metric.History.Pairs = append(metric.History.Pairs, p[m])
				}
			}
			plan.Metrics = append(plan.Metrics, metric)
		}
		r.add(judgeSteps(t, plan, pairs[manyBefore:]))
	}
	return r
}

// judgeSteps judges a run up to its verdict.
func judgeSteps(t *testing.T, plan analysis.Plan, steps [][]analysis.Pair) *analysis.Judge {
	t.Helper()
	j, err := analysis.NewJudge(plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, pairs := range steps {
		verdict, err := j.Step(analysis.Look{Pairs: pairs})
		if err != nil {
			t.Fatal(err)
		}
		if verdict != analysis.VerdictInconclusive {
			break
		}
	}
	return j
}

func (r *manyRates) add(j *analysis.Judge) {
	toFail, toPass := manySteps, manySteps
	switch j.Verdict() {
	case analysis.VerdictFail:
		r.failed++
		toFail = j.Looks()
	case analysis.VerdictPass:
		r.passed++
		toPass = j.Looks()
	default:
		for _, d := range j.Decisions() {
			if d != analysis.Pass {
				r.open++
			}
		}
	}
	r.toFail += toFail
	r.toPass += toPass
}

// manyRuns returns MANY_RUNS, with which tables are printed, or few.
func manyRuns(t *testing.T, few int) (runs int, table bool) {
	t.Helper()
	s := os.Getenv("MANY_RUNS")
	if s == "" {
		if testing.Short() {
			t.Skip("a simulation")
		}
		return few, false
	}
	runs, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal("MANY_RUNS: ", err)
	}
	return runs, true
}

// TestManyMetrics holds runs of 20 metrics to what they promise, and prints the tables of
// docs/statistics/many.md with MANY_RUNS=200.
func TestManyMetrics(t *testing.T) {
	t.Parallel()
	runs, table := manyRuns(t, 40)
	if table {
		printManyTables(t, runs)
		return
	}
	for _, f := range manyFamilies {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			at := manyCell{metrics: 20, change: 1 + f.tolerance, quiet: true}
			cell{name: "one at the tolerance", mostFail: 0.05, mostPass: 0.05}.hold(t, f.judge(t, at, runs).rates)
			large := manyCell{metrics: 20, change: f.large}
			cell{name: "one far beyond", mostFail: 1, leastFail: 0.99}.hold(t, f.judge(t, large, runs/4).rates)
		})
	}
}

func printManyTables(t *testing.T, runs int) {
	var order []string
	var lines sync.Map
	t.Cleanup(func() {
		for _, name := range order {
			line, _ := lines.Load(name)
			_, _ = fmt.Fprintln(t.Output(), line)
		}
	})
	for _, f := range manyFamilies {
		if !strings.HasPrefix(f.name, os.Getenv("MANY_FAMILIES")) {
			continue
		}
		for _, history := range []int{0, manyBefore} {
			for _, metrics := range []int{1, 5, 20, 100} {
				name := fmt.Sprintf("| %s | %d | %d |", f.name, history, metrics)
				order = append(order, name)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					n := runs
					if metrics < 20 {
						n = 4 * runs
					}
					clean := f.judge(t, manyCell{metrics: metrics, history: history, change: 1}, n)
					at := f.judge(t, manyCell{metrics: metrics, history: history, change: 1 + f.tolerance, quiet: true}, n)
					far := f.judge(t, manyCell{metrics: metrics, history: history, change: f.large}, n)
					lines.Store(name, fmt.Sprintf("%s %.3f / %.1f | %.1f | %.3f | %.3f | %.3f | %.3f / %.1f |", name,
						clean.share(clean.passed), clean.mean(clean.toPass), clean.openInEach(), clean.share(clean.failed),
						at.share(at.passed), at.share(at.failed), far.share(far.failed), far.mean(far.toFail)))
				})
			}
		}
	}
}

// endpoints are the errors of as many of a service, one of which may be worse.
type endpoints struct {
	count   int
	events  float64 // errors of each in a step and arm, of 1000 requests
	changed float64 // by which the errors of one are multiplied
	all     float64 // and of all
}

// group is how they are judged: each by itself, together, or together with each beside.
type group struct {
	name             string
	together, beside bool
	role             func(*analysis.Metric) // of each
}

var groups = []group{
	{name: "each by itself", beside: true},
	{name: "one ratio of all", together: true},
	{name: "one ratio of all, each advisory", together: true, beside: true, role: func(m *analysis.Metric) { m.Advisory = true }},
	{name: "one ratio of all, each fail_only", together: true, beside: true, role: func(m *analysis.Metric) { m.FailOnly = true }},
}

func (e endpoints) judge(t *testing.T, g group, runs int) manyRates {
	t.Helper()
	r := manyRates{rates: rates{runs: runs}}
	plan := analysis.Plan{Steps: manySteps, FalseAlarm: 0.05, WrongPass: 0.05}
	ratio := analysis.Metric{Name: "all", Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.5}}
	if g.together {
		plan.Metrics = append(plan.Metrics, ratio)
	}
	for i := range e.count {
		if !g.beside {
			break
		}
		each := ratio
		each.Name = strconv.Itoa(i)
		if g.role != nil {
			g.role(&each)
		}
		plan.Metrics = append(plan.Metrics, each)
	}
	for i := range runs {
		src := newSource(fmt.Sprint(e), i)
		var steps [][]analysis.Pair
		for range manySteps {
			var of []analysis.Pair
			var canary, baseline float64
			for n := range e.count {
				rate := e.events * e.all
				if n == 0 {
					rate *= e.changed
				}
				x, y := src.poisson(rate), src.poisson(e.events)
				canary, baseline = canary+x, baseline+y
				of = append(of, analysis.Pair{Baseline: analysis.CountSample(y, 1000), Canary: analysis.CountSample(x, 1000)})
			}
			var pairs []analysis.Pair
			if g.together {
				total := 1000 * float64(e.count)
				pairs = append(pairs, analysis.Pair{Baseline: analysis.CountSample(baseline, total), Canary: analysis.CountSample(canary, total)})
			}
			if g.beside {
				pairs = append(pairs, of...)
			}
			steps = append(steps, pairs)
		}
		r.add(judgeSteps(t, plan, steps))
	}
	return r
}

// TestGroupedRates shows what a ratio of all endpoints sees, and what it takes to see one of
// them (docs/statistics/many.md).
func TestGroupedRates(t *testing.T) {
	t.Parallel()
	runs, table := manyRuns(t, 30)
	if !table {
		failOnly := groups[3]
		clean := endpoints{count: 20, events: 2, changed: 1, all: 1}.judge(t, failOnly, runs)
		cell{name: "clean", mostFail: 0.01, mostPass: 1, leastPass: 0.95}.hold(t, clean.rates)
		one := endpoints{count: 20, events: 2, changed: 10, all: 1}.judge(t, failOnly, runs)
		cell{name: "one of them is ten times as bad", mostFail: 1, mostPass: 0.02, leastFail: 0.98}.hold(t, one.rates)
		return
	}
	for _, events := range []float64{1, 2, 10} {
		for _, count := range []int{20, 100} {
			for _, g := range groups {
				line := fmt.Sprintf("| %g | %d | %s |", events, count, g.name)
				for _, c := range []endpoints{
					{changed: 1, all: 1}, {changed: 1, all: 1.5}, {changed: 1.5, all: 1}, {changed: 2, all: 1}, {changed: 4, all: 1}, {changed: 10, all: 1},
				} {
					c.count, c.events = count, events
					r := c.judge(t, g, runs)
					line += fmt.Sprintf(" %.2f / %.0f, %.2f / %.0f |", r.share(r.passed), r.mean(r.toPass), r.share(r.failed), r.mean(r.toFail))
				}
				_, _ = fmt.Fprintln(t.Output(), line)
			}
		}
	}
}
