package analysis_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/canary-judge/canary-judge/analysis"
)

// requestTimes are distributions of the time a request takes, by their quantile functions.
var requestTimes = []struct {
	name string
	at   func(u float64) float64
}{
	{"lognormal, sigma 0.5", func(u float64) float64 { return math.Exp(0.5 * distuv.UnitNormal.Quantile(u)) }},
	{"lognormal, sigma 1", func(u float64) float64 { return math.Exp(distuv.UnitNormal.Quantile(u)) }},
	// 3 % of the requests miss a cache and take ten times as long.
	{"two modes", func(u float64) float64 {
		const slow = 0.03
		low, high := math.Log(0.01), math.Log(1000)
		for range 50 {
			x := (low + high) / 2
			if (1-slow)*distuv.UnitNormal.CDF(x/0.3)+slow*distuv.UnitNormal.CDF((x-math.Log(10))/0.3) < u {
				low = x
			} else {
				high = x
			}
		}
		return math.Exp(low)
	}},
}

// orderStatistic is the place of a quantile in a sorted sample of n, from 1: as Datadog's
// sketches have it (https://github.com/DataDog/sketches-go, DDSketch: rank q (n-1)), by the
// nearest rank, and by the one above.
var definitions = []struct {
	name string
	rank func(n, q float64) float64
}{
	{"floor(q(n-1))+1", func(n, q float64) float64 { return math.Floor(q*(n-1)) + 1 }},
	{"ceil(qn)", func(n, q float64) float64 { return math.Ceil(q*n - 1e-9) }},
	{"floor(qn)+1", func(n, q float64) float64 { return math.Min(n, math.Floor(q*n+1e-9)+1) }},
}

// sampled draws the quantile of a sample of n: the order statistic of uniform numbers has a
// beta distribution.
func sampled(at func(float64) float64, n, rank float64, r *rand.Rand) float64 {
	return at(distuv.Beta{Alpha: rank, Beta: n + 1 - rank, Src: r}.Rand())
}

// percentileRun judges quantiles of canary and baseline requests a step.
func percentileRun(t *testing.T, at func(float64) float64, rank func(n, q float64) float64, q, canary, baseline, effect float64, known bool, r *rand.Rand) analysis.Verdict {
	t.Helper()
	m := analysis.Metric{Name: "p", Kind: analysis.Value, Quantile: q, Tolerance: analysis.Tolerance{Size: 0.1}}
	if !known {
		m.Quantile = 0
	}
	j, err := analysis.NewJudge(analysis.Plan{Steps: 60, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []analysis.Metric{m}})
	if err != nil {
		t.Fatal(err)
	}
	var v analysis.Verdict
	for range 60 {
		v, err = j.Step(analysis.Look{Pairs: []analysis.Pair{{
			Canary:   analysis.QuantileSample((1+effect)*sampled(at, canary, rank(canary, q), r), canary),
			Baseline: analysis.QuantileSample(sampled(at, baseline, rank(baseline, q), r), baseline),
		}}})
		if err != nil {
			t.Fatal(err)
		}
		if v != analysis.VerdictInconclusive {
			return v
		}
	}
	return v
}

// Percentiles of few requests decide nothing, and those of more keep the stated rates,
// whichever arm has the few.
func TestPercentilesOfFewRequests(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a simulation")
	}
	const runs = 20
	for _, c := range []struct {
		canary, baseline float64
		decides          bool
	}{{20, 2000, false}, {2000, 20, false}, {500, 2000, true}, {2000, 500, true}} {
		for _, effect := range []float64{0, 0.1, 1} {
			r := rand.New(rand.NewPCG(3, uint64(c.canary)))
			got := rates{runs: runs}
			for range runs {
				switch percentileRun(t, requestTimes[1].at, definitions[0].rank, 0.99, c.canary, c.baseline, effect, true, r) {
				case analysis.VerdictPass:
					got.passed++
				case analysis.VerdictFail:
					got.failed++
				}
			}
			limits := cell{name: fmt.Sprintf("%g : %g, +%g", c.canary, c.baseline, effect), mostFail: 0.05, mostPass: 0.05}
			switch {
			case !c.decides:
				limits.mostFail, limits.mostPass = 0, 0
			case effect == 0:
				limits.mostPass = 1
			case effect == 1:
				limits.mostFail, limits.leastFail = 1, 1
			}
			limits.hold(t, got)
		}
	}
}

// TestPercentileTables prints the tables of docs/statistics/percentiles.md, with PERCENTILE_RUNS=100 runs a cell.
func TestPercentileTables(t *testing.T) {
	if os.Getenv("PERCENTILE_RUNS") == "" {
		t.Skip("long: PERCENTILE_RUNS is not set")
	}
	runs, err := strconv.Atoi(os.Getenv("PERCENTILE_RUNS"))
	if err != nil {
		t.Fatal("PERCENTILE_RUNS: ", err)
	}
	tableOfBias(t)
	for _, known := range []bool{false, true} {
		for _, q := range []float64{0.95, 0.99} {
			for _, d := range requestTimes {
				for _, def := range definitions {
					for _, small := range []float64{20, 100, 200, 500, 1000, 2000} {
						lineOfRuns(t, runs, known, q, small, d.name, def.name, d.at, def.rank)
					}
				}
			}
		}
	}
}

// lineOfRuns prints the shares of runs that pass and fail, by the change, with few requests in
// the canary and in the baseline.
func lineOfRuns(t *testing.T, runs int, known bool, q, small float64, distribution, definition string, at func(float64) float64, rank func(n, q float64) float64) {
	fmt.Fprintf(t.Output(), "%v p%g %s %s n=%g:", known, 100*q, distribution, definition, small)
	for _, arms := range [][2]float64{{small, 2000}, {2000, small}} {
		for _, effect := range []float64{0, 0.1, 0.15, 0.2} {
			r := rand.New(rand.NewPCG(7, uint64(small)))
			var pass, fail float64
			for range runs {
				switch percentileRun(t, at, rank, q, arms[0], arms[1], effect, known, r) {
				case analysis.VerdictPass:
					pass++
				case analysis.VerdictFail:
					fail++
				}
			}
			fmt.Fprintf(t.Output(), "  %g: %.2f/%.2f", effect, pass/float64(runs), fail/float64(runs))
		}
		fmt.Fprint(t.Output(), " |")
	}
	fmt.Fprintln(t.Output())
}

// tableOfBias prints how far the quantile of a sample is off on average, by how many
// observations are beyond it.
func tableOfBias(t *testing.T) {
	for _, q := range []float64{0.95, 0.99} {
		for _, d := range requestTimes {
			for _, def := range definitions {
				fmt.Fprintf(t.Output(), "bias p%g %s, %s:", 100*q, d.name, def.name)
				for _, tail := range []float64{1, 5, 10, 20, 50} {
					n := math.Round(tail / (1 - q))
					r := rand.New(rand.NewPCG(1, 2))
					var sum, squares float64
					const draws = 20000
					for range draws {
						v := math.Log(sampled(d.at, n, def.rank(n, q), r)) - math.Log(d.at(q))
						sum += v
						squares += v * v
					}
					mean := sum / draws
					sd := math.Sqrt(squares/draws - mean*mean)
					fmt.Fprintf(t.Output(), "  k=%g %+.3f sd %.3f c %+.2f", tail, mean, sd, mean/sd*math.Sqrt(tail))
				}
				fmt.Fprintln(t.Output())
			}
		}
	}
}
