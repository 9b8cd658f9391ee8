package config

import (
	"fmt"
	"strings"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// quantileOfValues resolves whether the values of a metric are quantiles, such as
// percentiles: what the config says, else the query, else the metric's name. One that lacks
// the number of observations behind it decides nothing.
func (r *resolver) quantileOfValues(m *metric, a *analysis.Metric, c *Metric, t providers.Type) {
	switch {
	case m.Quantile == noQuantile:
		a.Quantile = 0
		if m.Count != nil {
			r.problemAt(m.Count, m, "count: is how many observations are behind a quantile, and quantile: none says that there is none; leave one of them out")
		}
		return
	case r.given(&m.Quantile):
		a.Quantile = float64(m.Quantile)
	case a.Quantile == 0:
		a.Quantile = analysis.NamedQuantile(m.Name)
	}
	switch {
	case a.Quantile == 0 && m.Count != nil:
		r.problemAt(m.Count, m, "count: is how many observations are behind a quantile, and neither the query nor the name says which one this is; add quantile: p95, or as it is")
	case a.Quantile > 0 && m.Count == nil && !m.Advisory:
		c.doubt(fmt.Sprintf("the values are the p%g %s, and a percentile of few is another one, by far: it neither passes nor fails; %s",
			100*a.Quantile, countLacking, countCure(m, t)))
	}
}

// countLacking is in the doubt about a quantile of an unknown number of observations.
const countLacking = "of a number of requests that is not known"

// LacksCount reports whether a doubt is that it is not known how many observations are behind
// a quantile.
func LacksCount(doubt string) bool { return strings.Contains(doubt, countLacking) }

// countCure says what to write about a quantile without the number of observations behind it.
func countCure(m *metric, t providers.Type) string {
	say := "add count: with a query for their number in a step"
	if t.CountOf != nil && m.Value != nil {
		if count := t.CountOf(m.Value.of(providers.Canary)); count != "" {
			say = "add count: " + count
		}
	}
	return say + ", judge by slower_than or a ratio of slow requests instead, or write quantile: none if it is no percentile"
}
