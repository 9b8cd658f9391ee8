package analysis_test

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
)

// The families of docs/statistics/ramps.md: a canary whose share of the traffic grows as the
// judge lets it.

// rampFamily is one kind of data under a ramp.
type rampFamily struct {
	name     string
	metric   analysis.Metric
	requests float64                 // of both arms, a step
	rate     func(k, of int) float64 // of errors in the baseline; nil = 1 in 100
	cv, phi  float64                 // noise of one arm's rate
	burst    float64                 // how often a burst begins in one arm: x5 for two steps on average
	sd       float64                 // noise of one arm's value at half of the traffic; 0 = counts
}

// rampStages are the shares of the ramp.
var rampStages = []float64{0.01, 0.05, 0.25, 0.5}

// rampLeast is how many steps each lasts at the least, and rampSettles how many it takes to
// settle.
const (
	rampLeast   = 5
	rampSettles = 1
)

// rampRun is what came of a run under a ramp.
type rampRun struct {
	verdict  analysis.Verdict
	looks    int
	stage    int     // the last one, from 0
	requests float64 // that met the canary
	extra    float64 // of them, failed beyond the baseline's rate, as expected
}

// steps makes the steps of a run: of one at a time, given the canary's share.
func (f rampFamily) steps(src source, of int, change float64) func(k int, share float64) (p analysis.Pair, requests, extra float64) {
	traffic, errors := src.swing(of), src.swing(of)
	noise := [2][]float64{src.autoregression(of, f.phi), src.autoregression(of, f.phi)}
	var bursts [2][]float64
	for arm := range bursts {
		bursting := false
		for range of {
			bursting = bursting && src.Float64() < 0.5 || src.Float64() < f.burst
			factor := 1.0
			if bursting {
				factor = 5
			}
			bursts[arm] = append(bursts[arm], factor)
		}
	}
	return func(k int, share float64) (analysis.Pair, float64, float64) {
		if f.sd > 0 {
			level := 100 * errors[k]
			sd := func(share float64) float64 { return math.Min(f.sd*math.Sqrt(0.5/share), 0.5) }
			return analysis.Pair{
				Baseline: analysis.ValueSample(level * math.Exp(sd(1-share)*noise[0][k])),
				Canary:   analysis.ValueSample(level * change * math.Exp(sd(share)*noise[1][k])),
			}, f.requests * share * traffic[k], 0
		}
		rate := 0.01
		if f.rate != nil {
			rate = f.rate(k, of)
		}
		arm := func(i int, share, change float64) (bad, total, rates float64) {
			total = src.poisson(f.requests * share * traffic[k])
			factor := errors[k] * bursts[i][k] * math.Exp(f.cv*noise[i][k]-f.cv*f.cv/2)
			if f.metric.Tolerance.Absolute {
				rates = rate*factor + 0.01*(change-1)
			} else {
				rates = rate * factor * change
			}
			return src.binomial(total, rates), total, rates
		}
		y, m, _ := arm(0, 1-share, 1)
		x, n, r := arm(1, share, change)
		return analysis.Pair{Baseline: analysis.CountSample(y, m), Canary: analysis.CountSample(x, n)}, n, n * math.Max(r*(1-1/change), 0)
	}
}

// ramped judges a run whose canary gets its traffic as the judge lets it.
func (f rampFamily) ramped(t *testing.T, seed, steps int, change float64, shares []float64) (r rampRun) {
	t.Helper()
	next := f.steps(newSource(fmt.Sprint(f.name, steps, change), seed), steps, change)
	m := f.metric
	m.Name = "m"
	plan := analysis.Plan{Steps: steps, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []analysis.Metric{m}, Ramp: &analysis.Ramp{Budget: 0.144}}
	for _, s := range shares {
		plan.Ramp.Stages = append(plan.Ramp.Stages, analysis.Stage{Share: s, Steps: rampLeast})
	}
	j, err := analysis.NewJudge(plan)
	if err != nil {
		t.Fatal(err)
	}
	settles := 0
	for k := range steps {
		p, requests, extra := next(k, shares[r.stage])
		r.requests += requests
		r.extra += extra
		v, err := j.Step(analysis.Look{Pairs: []analysis.Pair{p}, Stage: r.stage, Settling: settles > 0})
		if err != nil {
			t.Fatal(err)
		}
		r.verdict, r.looks = v, k+1
		if v != analysis.VerdictInconclusive {
			return r
		}
		if settles > 0 {
			settles--
			continue
		}
		if s := j.Ramp(); s.Hold == analysis.NoHold && s.Stage < s.Stages-1 && s.Steps >= rampLeast {
			r.stage, settles = s.Stage+1, rampSettles
		}
	}
	return r
}

// fixed is how others ramp: each stage lasts its steps, and the canary is taken back when its
// rate was above a limit, twice the usual rate, in three steps in a row.
func (f rampFamily) fixed(seed, steps int, change float64, shares []float64) (r rampRun) {
	next := f.steps(newSource(fmt.Sprint(f.name, steps, change), seed), steps, change)
	above := 0
	for k := range len(shares) * rampLeast {
		r.stage = k / rampLeast
		p, requests, extra := next(k, shares[r.stage])
		r.requests += requests
		r.extra += extra
		r.looks = k + 1
		if above++; !(p.Canary.Bad() > 0.02*p.Canary.Total()) {
			above = 0
		}
		if above == 3 {
			r.verdict = analysis.VerdictFail
			return r
		}
	}
	r.verdict = analysis.VerdictPass
	return r
}

func rampFamilies() []rampFamily {
	errors := analysis.Metric{Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.5}}
	points := analysis.Metric{Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.005, Absolute: true}}
	latency := analysis.Metric{Kind: analysis.Value, Tolerance: analysis.Tolerance{Size: 0.1}}
	growing := func(k, of int) float64 { return 0.004 + 0.026*float64(k)/float64(of) }
	incident := func(k, _ int) float64 {
		if k >= 6 && k < 18 {
			return 0.04
		}
		return 0.01
	}
	return []rampFamily{
		{name: "R1 independent errors", metric: errors, requests: 5000},
		{name: "R2 noise of 30 %", metric: errors, requests: 5000, cv: 0.3},
		{name: "R3 slow noise of 30 %", metric: errors, requests: 5000, cv: 0.3, phi: 0.5},
		{name: "R4 bursts", metric: errors, requests: 5000, burst: 0.02},
		{name: "R5 few requests", metric: errors, requests: 500},
		{name: "R6 errors grow with time", metric: errors, requests: 5000, rate: growing},
		{name: "R7 points", metric: points, requests: 5000},
		{name: "R8 points, errors grow with time", metric: points, requests: 5000, rate: growing},
		{name: "R9 incident in both arms", metric: errors, requests: 5000, rate: incident},
		{name: "R10 latency", metric: latency, requests: 5000, sd: 0.03},
		{name: "R11 latency, slow noise", metric: latency, requests: 5000, sd: 0.03, phi: 0.5},
	}
}

// atTolerance is the change at which a family's tolerance ends.
func (f rampFamily) atTolerance() float64 {
	if f.metric.Tolerance.Absolute {
		return 1.5 // half a point more
	}
	return 1 + f.metric.Tolerance.Size
}

// rampRates are the shares and means of many runs.
type rampRates struct {
	failed, passed, looks, requests, extra float64
	stage                                  [4]float64 // share of runs that ended in each
}

func manyRamps(runs int, run func(seed int) rampRun) (all rampRates) {
	for i := range runs {
		r := run(i)
		part := 1 / float64(runs)
		switch r.verdict {
		case analysis.VerdictFail:
			all.failed += part
		case analysis.VerdictPass:
			all.passed += part
		}
		all.looks += part * float64(r.looks)
		all.requests += part * r.requests
		all.extra += part * r.extra
		all.stage[r.stage] += part
	}
	return all
}

// TestRampSmoke holds a few runs to the figures of docs/statistics/ramps.md, with what chance
// adds once in a thousand.
func TestRampSmoke(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a simulation")
	}
	const runs, steps = 60, 60
	for i, f := range rampFamilies() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			at := manyRamps(runs, func(seed int) rampRun { return f.ramped(t, seed, steps, f.atTolerance(), rampStages) })
			// Of 60 runs at 5%, 9 and more come once in a thousand.
			if at.failed > 9.0/runs || at.passed > 9.0/runs {
				t.Errorf("at the tolerance: FAIL %.2f, PASS %.2f", at.failed, at.passed)
			}
			if i == 0 {
				worse := manyRamps(runs, func(seed int) rampRun { return f.ramped(t, seed, steps, 10, rampStages) })
				if worse.failed < 1 || worse.stage[0]+worse.stage[1] < 0.95 {
					t.Errorf("x10: %+v", worse)
				}
				clean := manyRamps(runs, func(seed int) rampRun { return f.ramped(t, seed, steps, 1, rampStages) })
				if clean.passed < 0.9 || clean.failed > 0.05 {
					t.Errorf("clean: %+v", clean)
				}
			}
		})
	}
}

// TestRampTables prints the tables of docs/statistics/ramps.md, with RAMP_RUNS=300 runs a cell.
func TestRampTables(t *testing.T) {
	s := os.Getenv("RAMP_RUNS")
	if s == "" {
		t.Skip("long: RAMP_RUNS is not set")
	}
	runs, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal("RAMP_RUNS: ", err)
	}
	var order []string
	var lines sync.Map
	t.Cleanup(func() {
		for _, name := range order {
			line, _ := lines.Load(name)
			_, _ = fmt.Fprintln(t.Output(), line)
		}
	})
	row := func(name string, line func(t *testing.T) string) {
		order = append(order, name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines.Store(name, fmt.Sprintf("| %s |%s", name, line(t)))
		})
	}
	for _, f := range rampFamilies() {
		for _, steps := range []int{40, 60, 120, 240} {
			row(fmt.Sprintf("%s | %d", f.name, steps), func(t *testing.T) (line string) {
				for _, change := range []float64{1, f.atTolerance()} {
					r := manyRamps(runs, func(seed int) rampRun { return f.ramped(t, seed, steps, change, rampStages) })
					line += fmt.Sprintf(" %.3f | %.3f | %.1f |", r.failed, r.passed, r.looks)
				}
				one := manyRamps(runs, func(seed int) rampRun { return f.ramped(t, seed, steps, f.atTolerance(), rampStages[3:]) })
				return line + fmt.Sprintf(" %.3f | %.3f |", one.failed, one.passed)
			})
		}
	}
	half := []float64{0.5}
	for _, f := range rampFamilies() {
		if f.sd > 0 || f.metric.Tolerance.Absolute {
			continue
		}
		for _, change := range []float64{1, 2, 4, 10} {
			const steps = 60
			row(fmt.Sprintf("%s | x%g", f.name, change), func(t *testing.T) (line string) {
				for _, run := range []func(seed int) rampRun{
					func(seed int) rampRun { return f.ramped(t, seed, steps, change, rampStages) },
					func(seed int) rampRun { return f.ramped(t, seed, steps, change, half) },
					func(seed int) rampRun { return f.fixed(seed, steps, change, rampStages) },
				} {
					r := manyRamps(runs, run)
					line += fmt.Sprintf(" %.3f | %.3f | %.1f | %.0f | %.0f |", r.failed, r.passed, r.looks, r.requests, r.extra)
				}
				return line
			})
		}
	}
}
