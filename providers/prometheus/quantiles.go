package prometheus

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/VictoriaMetrics/metricsql"

	"github.com/canary-judge/canary-judge/analysis"
)

// The functions and aggregations that make a quantile of observations, samples or series:
// https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
// https://docs.victoriametrics.com/victoriametrics/metricsql/#median_over_time
var quantileFunctions = set("histogram_quantile histogram_quantiles quantile quantiles quantile_over_time quantiles_over_time median median_over_time vmrange_quantile")

// quantileIn returns which quantile of observations an expression asks for, by its functions,
// by the label of a summary (https://prometheus.io/docs/concepts/metric_types/#summary), or by
// the name of a metric; 0 for none.
func quantileIn(e metricsql.Expr) float64 {
	var q float64
	metricsql.VisitAll(e, func(e metricsql.Expr) {
		switch e := e.(type) {
		case *metricsql.FuncExpr:
			q = max(q, quantileOf(strings.ToLower(e.Name), e.Args))
		case *metricsql.AggrFuncExpr:
			q = max(q, quantileOf(strings.ToLower(e.Name), e.Args))
		case *metricsql.MetricExpr:
			s := newSelector(e)
			q = max(q, analysis.NamedQuantile(s.name))
			for _, f := range s.filters {
				if v, err := strconv.ParseFloat(f.Value, 64); f.Label == "quantile" && !f.IsNegative && err == nil && v > 0 && v < 1 {
					q = max(q, v)
				}
			}
		}
	})
	return q
}

// quantileOf returns which quantile a function makes: where it is not written as a number, one
// of which nothing is known.
func quantileOf(name string, args []metricsql.Expr) float64 {
	if !quantileFunctions[name] {
		return 0
	}
	if strings.HasPrefix(name, "median") {
		return 0.5
	}
	for _, a := range args {
		if n, ok := a.(*metricsql.NumberExpr); ok && n.N > 0 && n.N < 1 {
			return n.N
		}
	}
	return analysis.NamedQuantile("quantile")
}

// What the observations behind a quantile are counted by: the counter beside the buckets, or
// beside a summary.
var (
	bucketsOf = regexp.MustCompile(`([A-Za-z_:][\w:]*)_bucket\s*(\{[^{}]*\})`)
	summaryOf = regexp.MustCompile(`([A-Za-z_:][\w:]*)\s*\{([^{}]*?)\s*,?\s*quantile\s*=~?\s*"[^"]*"\s*(,[^{}]*)?\}`)
)

// countOf implements providers.Type.
func countOf(expr string) string {
	if m := bucketsOf.FindStringSubmatch(expr); m != nil {
		return "sum(increase(" + m[1] + "_count" + m[2] + "[$step]))"
	}
	if m := summaryOf.FindStringSubmatch(expr); m != nil {
		return "sum(increase(" + m[1] + "_count{" + strings.TrimPrefix(m[2]+m[3], ",") + "}[$step]))"
	}
	return ""
}
