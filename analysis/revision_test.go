package analysis_test

import (
	"math"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
)

func TestChanged(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	count, value := analysis.CountSample, analysis.ValueSample
	buckets := func(counts ...float64) analysis.Sample {
		return analysis.BucketSample(stats.Histogram{Bounds: []float64{0.1, 1}[:len(counts)-1], Counts: counts})
	}
	relative := func(k analysis.Kind, size float64) analysis.Metric {
		return analysis.Metric{Kind: k, Tolerance: analysis.Tolerance{Size: size}}
	}
	ratio, latency, slow := relative(analysis.Ratio, 0.25), relative(analysis.Value, 0.25), relative(analysis.Histogram, 0.25)
	absolute := analysis.Metric{Kind: analysis.Value, Tolerance: analysis.Tolerance{Size: 20, Absolute: true}}
	for _, c := range []struct {
		name           string
		metric         analysis.Metric
		earlier, later analysis.Sample
		want           bool
	}{
		{"the same", ratio, count(3, 100), count(3, 100), false},
		{"one error more", ratio, count(0, 100), count(1, 100), true},
		{"one error where none was mentioned", ratio, count(nan, 100), count(1, 100), true},
		{"none where none was mentioned", ratio, count(nan, 100), count(0, 100), false},
		{"less than one event, extrapolated", ratio, count(2.2, 20.1), count(2.9, 20.9), false},
		{"one event of a thousand", ratio, count(3, 1000), count(3, 1001), false},
		{"one event in a hundred, and one", ratio, count(3, 100), count(3, 102), true},
		{"half of the requests", ratio, count(3, 50), count(3, 100), true},
		{"fewer than before", ratio, count(9, 100), count(3, 100), true},
		{"a rate times its length, rounded", ratio, count(0, 60), count(1-1e-9, 60), true},
		{"out of nothing", ratio, analysis.Sample{}, count(0, 40), true},
		{"no requests out of nothing", ratio, analysis.Sample{}, count(0, 0), false},
		{"into nothing", ratio, count(3, 100), analysis.Sample{}, false},
		{"a tenth of a small tolerance", relative(analysis.Ratio, 0.02), count(3, 1000), count(3, 1003), true},
		{"a failed run more", relative(analysis.Checks, 0.25), count(0, 3), count(1, 4), true},
		{"a value within a hair", latency, value(200), value(201.9), false},
		{"a value beyond a hair", latency, value(200), value(203), true},
		{"a value out of nothing", latency, analysis.Sample{}, value(0), true},
		{"a value into nothing", latency, value(200), analysis.Sample{}, false},
		{"a tenth of an absolute tolerance", absolute, value(1), value(2.9), false},
		{"more than that", absolute, value(1), value(3.1), true},
		{"the same buckets", slow, buckets(50, 40, 10), buckets(50, 40, 10), false},
		{"more observations", slow, buckets(50, 40, 10), buckets(50, 40, 30), true},
		{"as many, elsewhere", slow, buckets(50, 40, 10), buckets(50, 30, 20), true},
		{"by a hair", slow, buckets(500, 400, 100), buckets(500, 404, 100), false},
		{"fewer bounds, as many observations", slow, buckets(50, 50), buckets(50, 40, 10), false},
		{"observations out of nothing", slow, analysis.Sample{}, buckets(1, 0, 0), true},
	} {
		if got := c.metric.Changed(c.earlier, c.later); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// From the look on that knows of late data, their metric is neither passed nor failed.
func TestLateDataWithholdTheVerdict(t *testing.T) {
	t.Parallel()
	const knows = 12
	for _, c := range []struct {
		name     string
		errors   float64 // of 1000 canary requests a step; 20 of the baseline's
		advisory bool    // the metric that is late
		later    analysis.Sample
		want     analysis.Verdict
		looks    int // at the verdict, 40 for none
	}{
		{"would pass", 20, false, analysis.CountSample(160, 1000), analysis.VerdictInconclusive, 40},
		{"would fail", 29, false, analysis.CountSample(160, 1000), analysis.VerdictInconclusive, 40},
		{"by a hair", 20, false, analysis.CountSample(20.5, 1000), analysis.VerdictPass, 40},
		{"decides nothing", 20, true, analysis.CountSample(160, 1000), analysis.VerdictPass, 40},
		{"has failed before", 200, false, analysis.CountSample(160, 1000), analysis.VerdictFail, knows - 1},
	} {
		metrics := []analysis.Metric{
			{Name: "late", Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.25}, Advisory: c.advisory},
			{Name: "other", Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.25}},
		}
		j, err := analysis.NewJudge(analysis.Plan{Steps: 40, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: metrics})
		if err != nil {
			t.Fatal(err)
		}
		for look := 1; look <= 40 && j.Verdict() == analysis.VerdictInconclusive; look++ {
			var revisions []analysis.Revision
			if look == knows {
				revisions = append(revisions, analysis.Revision{First: analysis.CountSample(20, 1000), Later: c.later, Age: time.Minute})
			}
			wobble := float64(look % 5)
			pair := func(errors float64) analysis.Pair {
				return analysis.Pair{Baseline: analysis.CountSample(20+wobble, 1000), Canary: analysis.CountSample(errors+4-wobble, 1000)}
			}
			if _, err := j.Step(analysis.Look{Pairs: []analysis.Pair{pair(c.errors), pair(20)}, Revisions: revisions}); err != nil {
				t.Fatal(err)
			}
		}
		r := j.Result()
		late := r.Metrics[0]
		if r.Verdict != c.want || r.Looks > c.looks {
			t.Errorf("%s: %v after %d looks, want %v", c.name, r.Verdict, r.Looks, c.want)
		}
		if withheld := late.Cause == analysis.LateData; withheld != (late.Late.Revisions > 0) || withheld && late.Decision != analysis.Undecided {
			t.Errorf("%s: %v, %q, %+v", c.name, late.Decision, late.Cause, late.Late)
		}
	}
}
