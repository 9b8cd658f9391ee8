package job

import (
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
)

func TestFirstOf(t *testing.T) {
	t.Parallel()
	buckets := analysis.BucketSample(stats.Histogram{Bounds: []float64{.1, .2, .4}, Counts: []float64{70, 20, 10, 0}})
	for _, c := range []struct {
		metric analysis.Metric
		sample analysis.Sample
		unit   string
		want   string
	}{
		{analysis.Metric{Kind: analysis.Ratio}, analysis.CountSample(40, 1330), "", "40 of 1330"},
		{analysis.Metric{Kind: analysis.Checks}, analysis.CountSample(0, 3), "", "0 of 3"},
		{analysis.Metric{Kind: analysis.Ratio}, analysis.CountSample(0, 0), "", "no data"},
		{analysis.Metric{Kind: analysis.Value}, analysis.ValueSample(.0224), "s", "0.0224 s"},
		{analysis.Metric{Kind: analysis.Value}, analysis.ValueSample(12), "", "12"},
		{analysis.Metric{Kind: analysis.Value}, analysis.GapSample("gone"), "s", "no data"},
		{analysis.Metric{Kind: analysis.Histogram, Quantile: .9}, buckets, "", "0.2 s"},
		{analysis.Metric{Kind: analysis.Histogram, SlowerThan: .2}, buckets, "", "10% slow"},
	} {
		if got := firstOf(c.metric, c.sample, c.unit); got != c.want {
			t.Errorf("%v of %v: %q; want %q", c.metric.Kind, c.sample, got, c.want)
		}
	}
}
