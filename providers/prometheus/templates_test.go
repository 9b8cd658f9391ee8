package prometheus

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metricsql"

	"github.com/canary-judge/canary-judge/providers"
)

// chained returns a query of templates each of which uses the one before it twice.
func chained(templates int, first, each string) string {
	all := []string{first}
	for i := 1; i <= templates; i++ {
		all = append(all, fmt.Sprintf(each, i, i-1))
	}
	return "WITH (" + strings.Join(all, ", ") + ") "
}

// Templates that use each other are exponential in their number: they are refused before
// they are expanded. Were they not, this test would take years.
func TestTemplatesThatExpandWithoutEndAreRefused(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		chained(60, "a0 = sum(rate(x[30s]))", "a%d = a%[2]d + a%[2]d") + "a60",
		chained(60, "f0(x) = x + x", "f%d(x) = f%[2]d(x) + f%[2]d(x)") + "f60(rate(x[30s]))",
		chained(60, "f0(x) = x + x", "f%d(x) = f%[2]d(f%[2]d(x))") + "sum(f60(rate(x[30s])))",
		chained(60, `c0 = {a="b"}`, "c%d = {c%[2]d, c%[2]d}") + "sum(rate(x{c60}[30s]))",
		"sum(" + strings.Replace(chained(60, "a0 = x", "a%d = a%[2]d * a%[2]d"), "WITH", "with", 1) + "a60) / 2",
		"WITH (outer = " + chained(60, "a0 = x", "a%d = a%[2]d * a%[2]d") + "a60) sum(outer)",
	} {
		_, err := Dialect{}.Check(expr, providers.Value, 30*time.Second)
		if err == nil || !strings.Contains(err.Error(), "expand to") {
			t.Errorf("%.60s…: %v", expr, err)
		}
	}
}

// What people write is not: here by the number of selectors that the parser itself makes
// of it, which is never above the count.
func TestTemplatesThatAreUsedAreRead(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`WITH (common = {job="shop", env="prod"}, failed = sum(increase(http_requests_total{common, code=~"5.."}[30s]))) failed`,
		`WITH (ratio(a, b) = sum(rate(a[30s])) / sum(rate(b[30s]))) ratio(errors_total, requests_total)`,
		`WITH (x = y, y(x) = x + x) y(x)`,
		"WITH (a = \"),(\" # a comment (\n, b = up) b",
		chained(8, "a0 = sum(rate(x[30s]))", "a%d = a%[2]d + a%[2]d") + "a8",
		"WITH (f(x) = x + x, g(x) = f(f(x))) sum(g(g(rate(x[30s]))))",
		strings.Repeat("sum(rate(x[30s])) + ", 5000) + "sum(rate(with_tax[30s]))",
	} {
		e, err := parse(expr)
		if err != nil {
			t.Errorf("%.60s…: %v", expr, err)
			continue
		}
		selectors := 0.0
		metricsql.VisitAll(e, func(e metricsql.Expr) {
			if _, ok := e.(*metricsql.MetricExpr); ok {
				selectors++
			}
		})
		if counted := (&expansion{words: word.FindAllString(expr, -1)}).size(nil, false); counted < selectors {
			t.Errorf("%.60s…: %g words are counted, and it has %g selectors", expr, counted, selectors)
		}
	}
}
