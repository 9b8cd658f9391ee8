package analysis_test

import (
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
)

func TestNamesOfQuantilesAreKnown(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]float64{
		"latency p99": 0.99, "latency p95": 0.95, "P50": 0.5, "p99.9 of checkout": 0.999, "p999": 0.999, "p99_9": 0.999,
		"http.server.duration.p95": 0.95, "latency_p90_ms": 0.9, "p95ms": 0.95, "latencyP99": 0.99, "TP99": 0.99, "tp999": 0.999,
		"pc75": 0.75, "latency_p95": 0.95, "request.time.95percentile": 0.95, "95th percentile": 0.95, "99th": 0.99,
		"90% Line": 0.9, "request.time.median": 0.5, "Median Response Time": 0.5, "0.99 quantile": 0.99, "quantile=0.5": 0.5,
		"percentile of waits": 0.99, "p 95": 0.95,
		// Names that are of something else.
		"latency": 0, "errors": 0, "http_500 rate": 0, "http 503": 0, "p100": 0, "mean latency": 0, "cpu": 0, "http2 requests": 0,
		"top10": 0, "0.95": 0, "memory": 0, "s3 gets 99": 0, "mediante": 0, "4th gear": 0, "requests per second": 0, "checkp1": 0,
	} {
		if got := analysis.NamedQuantile(name); got != want {
			t.Errorf("%q is taken for the quantile %g, want %g", name, got, want)
		}
	}
}
