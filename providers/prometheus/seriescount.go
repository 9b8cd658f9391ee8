package prometheus

import (
	"fmt"
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metricsql"
)

// countLabel marks the series that say how many series were summed for a bound.
const countLabel = "canary_judge"

// withSeriesCount extends a query for classic buckets that sums over series, such as the
// pods of an arm, by the number of series that it sums for each bound. Where pods have
// different bounds a sum holds, at each bound, only those that have it, and nothing in the
// sums tells. Any other query is returned as it is.
func withSeriesCount(expr string) string {
	e, err := parse(expr)
	if err != nil {
		return expr
	}
	sum, ok := e.(*metricsql.AggrFuncExpr)
	if !ok || !strings.EqualFold(sum.Name, "sum") || len(sum.Args) != 1 || sum.Limit != 0 || !plain(sum.Args[0]) {
		return expr
	}
	names := make([]string, len(sum.Modifier.Args))
	for i, name := range sum.Modifier.Args {
		if !labelName.MatchString(name) {
			return expr
		}
		names[i] = name
	}
	if by := strings.EqualFold(sum.Modifier.Op, "by"); by != slices.Contains(names, "le") || sum.Modifier.Op == "" {
		return expr
	}
	return fmt.Sprintf("(%s\n) or label_replace(count %s (%s) (%s), %q, \"series\", \"\", \"\")",
		expr, strings.ToLower(sum.Modifier.Op), strings.Join(names, ", "), sum.Args[0].AppendString(nil), countLabel)
}

// plain reports whether the parser's spelling of an expression means the same to
// Prometheus: functions of a range, sums and joins, of selectors with plain names.
func plain(e metricsql.Expr) bool {
	ok := true
	metricsql.VisitAll(e, func(e metricsql.Expr) {
		switch e := e.(type) {
		case *metricsql.FuncExpr:
			ok = ok && counting[strings.ToLower(e.Name)] && !e.KeepMetricNames
		case *metricsql.MetricExpr:
			for _, group := range e.LabelFilterss {
				for _, f := range group {
					ok = ok && labelName.MatchString(f.Label) && (f.Label != "__name__" || f.IsRegexp || labelName.MatchString(strings.ReplaceAll(f.Value, ":", "_")))
				}
			}
		case *metricsql.AggrFuncExpr:
			ok = ok && strings.EqualFold(e.Name, "sum") && len(e.Args) == 1 && e.Limit == 0
		case *metricsql.BinaryOpExpr:
			ok = ok && slices.Contains([]string{"+", "-", "*", "and", "unless"}, strings.ToLower(e.Op)) &&
				e.FillLeft == nil && e.FillRight == nil && e.JoinModifierPrefix == nil && !e.KeepMetricNames
		case *metricsql.ModifierExpr:
			ok = ok && !slices.ContainsFunc(e.Args, func(name string) bool { return !labelName.MatchString(name) })
		case *metricsql.RollupExpr, *metricsql.DurationExpr, *metricsql.NumberExpr:
		default:
			ok = false
		}
	})
	return ok
}
