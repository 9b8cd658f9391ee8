package analysis_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strconv"
	"sync"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
)

// TestCalibration simulates whole runs and counts the verdicts. By default it takes
// few runs of some families and holds them to the stated error rates. With
// CALIBRATION_RUNS=300 it takes that many of all and prints a table
// (docs/statistics/calibration.md): the same seeds give the same data whatever the
// judge, so that tables of two programs are to be compared line by line.
func TestCalibration(t *testing.T) {
	t.Parallel()
	runs, table := 40, false
	if s := os.Getenv("CALIBRATION_RUNS"); s != "" {
		var err error
		if runs, err = strconv.Atoi(s); err != nil {
			t.Fatal("CALIBRATION_RUNS: ", err)
		}
		table = true
	} else if testing.Short() {
		t.Skip("a simulation")
	}
	var lines sync.Map
	t.Cleanup(func() {
		if table {
			printTable(t, &lines, runs)
		}
	})
	for _, f := range families() {
		if !table && !f.smoke {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range f.cells {
				r := f.simulate(t, c, runs)
				lines.Store(f.name+c.name, fmt.Sprintf("| %s | %s | %.3f / %.1f | %.3f / %.1f |\n",
					f.name, c.name, r.share(r.failed), r.mean(r.toFail), r.share(r.passed), r.mean(r.toPass)))
				c.hold(t, r)
			}
		})
	}
}

func printTable(t *testing.T, lines *sync.Map, runs int) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "| family | canary | FAIL / steps | PASS / steps |\n| --- | --- | --- | --- |\n")
	for _, f := range families() {
		for _, c := range f.cells {
			if line, ok := lines.Load(f.name + c.name); ok {
				b.WriteString(line.(string))
			}
		}
	}
	fmt.Fprintf(t.Output(), "%d runs a line\n\n%s", runs, b.Bytes())
}

// rates are what came of some runs: how many reached each verdict, and the sums of the
// steps they took to it, all of the run's for those that did not.
type rates struct {
	runs, failed, passed, toFail, toPass int
}

func (r rates) share(n int) float64 { return float64(n) / float64(r.runs) }
func (r rates) mean(n int) float64  { return float64(n) / float64(r.runs) }

// hold compares with the bounds of the cell, from which chance leads astray once in a
// thousand.
func (c cell) hold(t *testing.T, r rates) {
	t.Helper()
	most := func(rate float64) int {
		b := distuv.Binomial{N: float64(r.runs), P: rate}
		n := 0
		for b.CDF(float64(n)) < 0.999 {
			n++
		}
		return n
	}
	if n := most(c.mostFail); r.failed > n {
		t.Errorf("%s: %d of %d runs fail; at a rate of %g at most %d would", c.name, r.failed, r.runs, c.mostFail, n)
	}
	if n := most(c.mostPass); r.passed > n {
		t.Errorf("%s: %d of %d runs pass; at a rate of %g at most %d would", c.name, r.passed, r.runs, c.mostPass, n)
	}
	if n := most(1 - c.leastFail); r.runs-r.failed > n {
		t.Errorf("%s: %d of %d runs fail; at a rate of %g at least %d would", c.name, r.failed, r.runs, c.leastFail, r.runs-n)
	}
	if n := most(1 - c.leastPass); r.runs-r.passed > n {
		t.Errorf("%s: %d of %d runs pass; at a rate of %g at least %d would", c.name, r.passed, r.runs, c.leastPass, r.runs-n)
	}
}

func (f family) simulate(t *testing.T, c cell, runs int) rates {
	t.Helper()
	r := rates{runs: runs}
	for i := range runs {
		j, err := analysis.NewJudge(analysis.Plan{
			Steps: f.steps, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []analysis.Metric{f.metric},
		})
		if err != nil {
			t.Fatal(err)
		}
		verdict := analysis.VerdictInconclusive
		for _, s := range f.data(newSource(f.name+c.name, i), c.change) {
			if verdict, err = j.Step(analysis.Look{Pairs: []analysis.Pair{f.pair(s)}}); err != nil {
				t.Fatal(err)
			}
			if verdict != analysis.VerdictInconclusive {
				break
			}
		}
		toFail, toPass := f.steps, f.steps
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

// pair turns a simulated step into what the judge takes.
func (f family) pair(s step) analysis.Pair {
	switch f.metric.Kind {
	case analysis.Value:
		return analysis.Pair{Baseline: analysis.ValueSample(s.b), Canary: analysis.ValueSample(s.c)}
	case analysis.Histogram:
		of := func(counts []float64) analysis.Sample {
			return analysis.BucketSample(stats.Histogram{Bounds: bucketBounds, Counts: counts})
		}
		return analysis.Pair{Baseline: of(s.baseline), Canary: of(s.canary)}
	}
	of := func(bad, total float64) analysis.Sample {
		if total == 0 {
			bad = math.NaN()
		}
		return analysis.CountSample(bad, total)
	}
	return analysis.Pair{Baseline: of(s.y, s.m), Canary: of(s.x, s.n)}
}
