package prometheus_test

import (
	"strings"
	"testing"

	"github.com/canary-judge/canary-judge/providers/prometheus"
)

// Every aggregation keeps the label, and nothing else of a query changes.
func TestQueriesAreGrouped(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		`sum(rate(x{app="a"}[30s]))`:                             `sum by (pod) (rate(x{app="a"}[30s]))`,
		`SUM (x)`:                                                `SUM by (pod)  (x)`,
		`sum by (le) (rate(x_bucket[30s]))`:                      `sum by (pod, le) (rate(x_bucket[30s]))`,
		`sum(rate(x_bucket[30s])) by (le)`:                       `sum(rate(x_bucket[30s])) by (pod, le)`,
		`sum by () (x)`:                                          `sum by (pod) (x)`,
		`sum by (pod) (x)`:                                       `sum by (pod) (x)`,
		`sum by ("pod") (x)`:                                     `sum by ("pod") (x)`,
		`sum without (le) (x)`:                                   `sum without (le) (x)`,
		`max(sum by (a) (x)) / count(y{sum="by ("})`:             `max by (pod) (sum by (pod, a) (x)) / count by (pod) (y{sum="by ("})`,
		`sum(a) / on (b) group_left (c) sum by (b) (d)`:          `sum by (pod) (a) / on (pod, b) group_left (c) sum by (pod, b) (d)`,
		`sum(a) + on () sum(d)`:                                  `sum by (pod) (a) + on (pod) sum by (pod) (d)`,
		`sum(a) + ignoring (b) d`:                                `sum by (pod) (a) + ignoring (b) d`,
		`histogram_quantile(0.9, sum by (le) (rate(x[1m])))`:     `histogram_quantile(0.9, sum by (pod, le) (rate(x[1m])))`,
		"sum( # sum(this) by (that)\n x )":                       "sum by (pod) ( # sum(this) by (that)\n x )",
		`sum(increase(e[30s])) or vector(0)`:                     `sum by (pod) (increase(e[30s])) or vector(0)`,
		`latency{a="b"}`:                                         `latency{a="b"}`,
		`histogram_count(sum(rate(x[1m])))`:                      `histogram_count(sum by (pod) (rate(x[1m])))`,
		`count_values("v", x)`:                                   `count_values by (pod) ("v", x)`,
		`quantile(0.5, label_replace(x, "a", "$1", "b", "(.)"))`: `quantile by (pod) (0.5, label_replace(x, "a", "$1", "b", "(.)"))`,
		`count`: `count`,
	} {
		got, err := prometheus.Type().Grouped(expr, "pod")
		if err != nil || got != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", expr, got, err, want)
		}
	}
}

// What cannot keep the label is refused.
func TestQueriesThatAreNotGrouped(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		`sum without (pod) (x)`:          "without (pod) takes that label away",
		`sum(x) without (a, pod)`:        "without (pod) takes that label away",
		`sum(a) / ignoring (pod) sum(b)`: "ignoring(pod)",
		`sum(a) / scalar(sum(b))`:        "scalar(…) has no label pod",
		`absent(a)`:                      "absent(…) has no label pod",
	} {
		if got, err := prometheus.Type().Grouped(expr, "pod"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v, want %q", expr, got, err, want)
		}
	}
	if _, err := prometheus.Type().Grouped("sum(x)", "a-b"); err == nil {
		t.Error("a-b is taken for a label")
	}
}

// Whatever is grouped is a query, and there is nothing left to group in it.
func FuzzGrouped(f *testing.F) {
	for _, expr := range []string{`sum(x)`, `sum by (a) (rate(x{b="c"}[1m])) / on (a) y`, `sum(`, `sum by`, `sum by (`, `by (a`, `{`, `on (`} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		once, err := prometheus.Type().Grouped(expr, "pod")
		if err != nil {
			return
		}
		if again, err := prometheus.Type().Grouped(once, "pod"); err != nil || again != once {
			t.Errorf("%s\ngrouped: %s\nagain: %s, %v", expr, once, again, err)
		}
	})
}
