package analysis_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
)

const historyWindow = 60

// window is the number of steps of a run.
func (f historyFamily) window() int { return cmp.Or(f.steps, historyWindow) }

// run judges one run of a family with a history of as many steps, for a window of 60, 0 for none. It
// returns the verdict and the look of it.
func (f historyFamily) run(t *testing.T, seed, history int, change float64) (analysis.Verdict, int) {
	t.Helper()
	// The data do not depend on how much of the history is used.
	const longest = 1440
	src := newSource(fmt.Sprint(f.name, change), seed)
	before, all := longest, []analysis.Pair(nil)
	if history == 0 || history <= 240 {
		before = 240
	}
	before, history = before*f.window()/historyWindow, history*f.window()/historyWindow
	if f.before == nil {
		all = f.now.pairs(src, before+f.window(), before, change)
	} else {
		all = slices.Concat(f.before.pairs(src, before, before, 1), f.now.pairs(src, f.window(), 0, change))
	}
	past, now := all[before-history:before], all[before+f.skip:]
	m := f.metric
	m.Name = "m"
	if history > 0 {
		m.History = &analysis.History{Pairs: past, RemoveOffset: f.remove, Cautious: f.cautious}
	}
	j, err := analysis.NewJudge(analysis.Plan{Steps: len(now), FalseAlarm: cmp.Or(f.falseAlarm, 0.05), WrongPass: 0.05, Metrics: []analysis.Metric{m}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range now {
		v, err := j.Step(analysis.Look{Pairs: []analysis.Pair{p}})
		if err != nil {
			t.Fatal(err)
		}
		if v != analysis.VerdictInconclusive {
			return v, j.Looks() + f.skip
		}
	}
	return analysis.VerdictInconclusive, f.window()
}

// rates judges as many runs.
func (f historyFamily) rates(t *testing.T, runs, history int, change float64) rates {
	t.Helper()
	r := rates{runs: runs}
	for i := range runs {
		toFail, toPass := f.window(), f.window()
		switch v, look := f.run(t, i, history, change); v {
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

// find returns the family whose name begins so.
func find(t *testing.T, families []historyFamily, name string) historyFamily {
	t.Helper()
	i := slices.IndexFunc(families, func(f historyFamily) bool { return strings.HasPrefix(f.name, name) })
	if i < 0 {
		t.Fatal("no family ", name)
	}
	return families[i]
}

// TestHistorySmoke holds a few runs to the figures of docs/statistics/history.md, section 13, with what
// chance adds once in a thousand.
func TestHistorySmoke(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a simulation")
	}
	const runs, history = 60, 240
	for _, c := range []struct {
		families []historyFamily
		name     string
		change   float64
		cell
		mostSteps float64 // mean, to FAIL
	}{
		{valueHistories(), "V1", 1.05, cell{mostFail: 0.06, mostPass: 0.06}, 60},
		{valueHistories(), "V1", 1.25, cell{mostFail: 1, leastFail: 0.99}, 6},
		{countHistories(), "P1", 4, cell{mostFail: 1, leastFail: 0.99}, 4.5},
		{misleadingHistories(), "V side +3 % then and now, offset removed", 1, cell{mostFail: 0.02, mostPass: 1, leastPass: 0.9}, 60},
		{misleadingHistories(), "V noise x3", 1.05, cell{mostFail: 0.12, mostPass: 0.1}, 60},
		{misleadingHistories(), "V nothing but one number", 1.05, cell{mostFail: 0.05, mostPass: 0.05}, 60},
		{misleadingHistories(), "V .5 % in the history, 5 % in the run", 1, cell{mostFail: 0.05, mostPass: 1, leastPass: 0.9}, 60},
		{misleadingHistories(), "V 1 % in both", 1.1, cell{mostFail: 1, leastFail: 0.99}, 5},
		{misleadingHistories(), "V broken +50 % for 30", 1.25, cell{mostFail: 1, leastFail: 0.99}, 14},
		{cautiousHistories(), "Q C broken x10 for 12", 1, cell{mostFail: 0.02, mostPass: 1, leastPass: 0.9}, 60},
		{misleadingHistories(), "C broken x10 for 30", 1, cell{mostFail: 0.02, mostPass: 1, leastPass: 0.9}, 60},
	} {
		t.Run(fmt.Sprint(c.name, " x", c.change), func(t *testing.T) {
			t.Parallel()
			r := find(t, c.families, c.name).rates(t, runs, history, c.change)
			c.hold(t, r)
			if mean := r.mean(r.toFail); mean > c.mostSteps {
				t.Errorf("FAIL takes %.1f steps in the mean, want at most %g", mean, c.mostSteps)
			}
		})
	}
}

// TestHistoryTables prints tables like those of docs/statistics/history.md, section 10, with HISTORY_RUNS=300 runs
// a cell, of the families whose names begin with HISTORY_FAMILIES.
func TestHistoryTables(t *testing.T) {
	s := os.Getenv("HISTORY_RUNS")
	if s == "" {
		t.Skip("long: HISTORY_RUNS is not set")
	}
	runs, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal("HISTORY_RUNS: ", err)
	}
	lengths := []int{0, 60, 240, 1440}
	if s := os.Getenv("HISTORY_LENGTHS"); s != "" {
		lengths = nil
		for _, n := range strings.Split(s, ",") {
			length, err := strconv.Atoi(n)
			if err != nil {
				t.Fatal("HISTORY_LENGTHS: ", err)
			}
			lengths = append(lengths, length)
		}
	}
	var order []string
	var lines sync.Map
	t.Cleanup(func() {
		for _, name := range order {
			line, _ := lines.Load(name)
			_, _ = fmt.Fprint(t.Output(), line)
		}
	})
	for _, f := range slices.Concat(countHistories(), valueHistories(), misleadingHistories(), otherHistories(), cautiousHistories()) {
		if !strings.HasPrefix(f.name, os.Getenv("HISTORY_FAMILIES")) {
			continue
		}
		for _, change := range f.changes {
			name := fmt.Sprintf("| %s | x%g |", f.name, change)
			order = append(order, name)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				line := name
				for _, length := range lengths {
					r := f.rates(t, runs, length, change)
					line += fmt.Sprintf(" %.3f/%.1f P%.3f/%.1f |", r.share(r.failed), r.mean(r.toFail), r.share(r.passed), r.mean(r.toPass))
				}
				lines.Store(name, line+"\n")
			})
		}
	}
}
