package analysis_test

import (
	"math"
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
)

// TestOutlook holds what is said beforehand against what comes of as many runs, and what is
// said to be enough against runs in that.
func TestOutlook(t *testing.T) {
	t.Parallel()
	runs, table := manyRuns(t, 100)
	values, counts := valueHistories(), countHistories()
	for _, c := range []struct {
		family           historyFamily
		tolerance, floor float64
		most             float64 // by which the forecast is lower, and
		least            float64 // higher
	}{
		{values[0], .03, 0, .12, .12}, {values[0], .05, 0, .1, .05}, {values[1], .05, 0, .15, .15}, {values[2], .1, 0, .3, .1},
		{counts[0], .15, 0, .2, .1}, {counts[0], .25, 0, .1, .05}, {counts[1], .25, 0, .2, .1}, {counts[2], .5, 0, .1, .1},
		{counts[2], .5, .01, .12, .12}, {counts[4], .15, 0, .15, .1}, {counts[5], .5, 0, .3, .1}, {counts[8], .5, 0, .5, .1}, {counts[10], .5, 0, .2, .1},
	} {
		f := c.family
		f.metric.Tolerance.Size, f.metric.Floor = c.tolerance, c.floor
		var said, passed float64
		for i := range runs {
			j := f.judged(t, i, manySteps)
			said += j.Outlooks()[0].Passes / float64(runs)
			if j.Verdict() == analysis.VerdictPass {
				passed += 1 / float64(runs)
			}
		}
		if table {
			t.Logf("| %s | %g | %g | %.2f | %.2f |", f.name, c.tolerance, c.floor, said, passed)
		}
		if said < passed-c.most || said > passed+c.least {
			t.Errorf("%s, tolerance %g, floor %g: %.2f are said to pass, and %.2f do", f.name, c.tolerance, c.floor, said, passed)
		}
	}
}

// A window as long as is said, where one is, or a tolerance as wide, lets some four of five runs
// pass.
func TestWhatIsSaidToBeEnoughIs(t *testing.T) {
	t.Parallel()
	runs, _ := manyRuns(t, 60)
	for _, f := range []historyFamily{valueHistories()[0], valueHistories()[1], countHistories()[0], countHistories()[2]} {
		f.metric.Tolerance.Size = map[analysis.Kind]float64{analysis.Value: .02, analysis.Ratio: .15}[f.metric.Kind]
		var windows, longer, wider float64
		for i := range runs {
			o := f.judged(t, i, 20).Outlooks()[0]
			if o.Passes > 0.7 {
				t.Fatalf("%s: %+v of a window of 20 steps", f.name, o)
			}
			if o.Steps > 0 {
				windows++
			}
			if o.Steps > 0 && f.judged(t, i, o.Steps).Verdict() == analysis.VerdictPass {
				longer++
			}
			wide := f
			wide.metric.Tolerance.Size = f.judged(t, i, manySteps).Outlooks()[0].Tolerance
			if wide.judged(t, i, manySteps).Verdict() == analysis.VerdictPass {
				wider += 1 / float64(runs)
			}
		}
		if longer /= windows; longer < 0.65 || wider < 0.65 {
			t.Errorf("%s: .8 are to pass; %.2f do in the window that is said, %.2f with the tolerance", f.name, longer, wider)
		}
	}
}

// judged judges a clean run of so many steps after a history of 240.
func (f historyFamily) judged(t *testing.T, seed, steps int) *analysis.Judge {
	t.Helper()
	all := f.now.pairs(newSource(f.name, seed), manyBefore+steps, manyBefore+steps, 1)
	m := f.metric
	m.Name, m.History = "m", &analysis.History{Pairs: all[:manyBefore]}
	var now [][]analysis.Pair
	for _, p := range all[manyBefore:] {
		now = append(now, []analysis.Pair{p})
	}
	return judgeSteps(t, analysis.Plan{Steps: steps, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []analysis.Metric{m}}, now)
}

// By hand. A value without noise but for 1 % in turn has the least noise that is allowed for,
// .05 of the tolerance, and passes for certain; a difference of 20 % that is always there, at a
// tolerance of 10 %, never, and no window is long enough. Without a history nothing is said, and
// of 30,000 requests without an error, at a floor of .1 %, an upper limit of some 3 to 5 of 30,000 passes.
func TestOutlookByHand(t *testing.T) {
	t.Parallel()
	value := func(c, b float64) analysis.Pair {
		return analysis.Pair{Canary: analysis.ValueSample(c), Baseline: analysis.ValueSample(b)}
	}
	for _, c := range []struct {
		name   string
		metric analysis.Metric
		pair   func(k int) analysis.Pair
		passes float64
		steps  func(int) bool
	}{
		{"hardly any noise", analysis.Metric{Tolerance: analysis.Tolerance{Size: .1}}, func(k int) analysis.Pair { return value(1+.001*float64(k%2), 1) }, 1, func(n int) bool { return n == 1 }},
		{"always worse", analysis.Metric{Tolerance: analysis.Tolerance{Size: .1}}, func(k int) analysis.Pair { return value(1.2+.01*float64(k%2), 1) }, 0, func(n int) bool { return n == 0 }},
		{"no errors, a floor", analysis.Metric{Kind: analysis.Ratio, AbsentIsZero: true, Tolerance: analysis.Tolerance{Size: .25}, Floor: .001}, func(int) analysis.Pair { return zeroRate() }, 1, func(n int) bool { return n >= 3 && n <= 10 }},
		{"no errors, absolute", analysis.Metric{Kind: analysis.Ratio, AbsentIsZero: true, Tolerance: analysis.Tolerance{Size: .00125, Absolute: true}}, func(int) analysis.Pair { return zeroRate() }, 1, func(n int) bool { return n >= 3 && n <= 10 }},
		{"no history", analysis.Metric{Tolerance: analysis.Tolerance{Size: .1}}, nil, math.NaN(), func(n int) bool { return n == 0 }},
	} {
		c.metric.Name = "m"
		if c.pair != nil {
			c.metric.History = &analysis.History{}
			for k := range manyBefore {
				c.metric.History.Pairs = append(c.metric.History.Pairs, c.pair(k))
			}
		}
		j, err := analysis.NewJudge(analysis.Plan{Steps: 30, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []analysis.Metric{c.metric}})
		if err != nil {
			t.Fatal(err)
		}
		o := j.Outlooks()[0]
		same := math.Abs(o.Passes-c.passes) < 1e-3 || math.IsNaN(o.Passes) && math.IsNaN(c.passes)
		if !same || !c.steps(o.Steps) {
			t.Errorf("%s: %+v", c.name, o)
		}
	}
}

func zeroRate() analysis.Pair {
	return analysis.Pair{Canary: analysis.CountSample(0, 1000), Baseline: analysis.CountSample(0, 1000)}
}
