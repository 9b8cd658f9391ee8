package providers

import (
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Each part belongs to what a step shows: what is put in comes out again.
func TestEachPartIsWhole(t *testing.T) {
	t.Parallel()
	if len(parts) != len(Parts) {
		t.Errorf("%d parts are listed, %d are known", len(Parts), len(parts))
	}
	at := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	for _, p := range Parts {
		if parts[p].with == nil || parts[p].of == nil {
			t.Errorf("the part %s is not whole", p)
			continue
		}
		point := analysis.ValuePoint(at, 7)
		if p == Buckets {
			point = analysis.BucketPoint(at, stats.Histogram{Bounds: []float64{1}, Counts: []float64{2, 3}})
		}
		if got := p.Of(p.With(analysis.Sample{}, point), at); !got.Equal(point) {
			t.Errorf("%s: %+v came out, %+v went in", p, got, point)
		}
	}
	both := Total.With(Bad.With(analysis.Sample{}, analysis.ValuePoint(at, 2)), analysis.ValuePoint(at, 9))
	if both.Bad() != 2 || both.Total() != 9 {
		t.Errorf("%g bad of %g, want 2 of 9", both.Bad(), both.Total())
	}
}
