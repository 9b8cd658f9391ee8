package query

import (
	"regexp"
	"strings"

	"github.com/canary-judge/canary-judge/analysis"
)

// quantileOfMetrics returns which quantile a formula of metrics asks for, 0 for none: p95: of
// a distribution, or a metric that the agent made of a histogram, such as
// NAME.95percentile (https://docs.datadoghq.com/metrics/types/?tab=histogram).
func quantileOfMetrics(n formulaNode) float64 {
	var q float64
	for _, of := range queriesOf(n) {
		q = max(q, analysis.NamedQuantile(of.Aggregator), analysis.NamedQuantile(of.Metric))
	}
	return q
}

// What is asked for as a quantile: of a metric, of statistics of APM, of events.
var (
	metricQuantile = regexp.MustCompile(`^\s*(\w+):([\w.]+)\s*(\{[^{}]*\})`)
	apmQuantile    = regexp.MustCompile(`\.stat\(\s*"latency_p\d+"\s*\)`)
	eventQuantile  = regexp.MustCompile(`\.rollup\(\s*"pc\d+"\s*,[^)]*\)`)
	agentQuantile  = regexp.MustCompile(`\.(?:\d+percentile|median)$`)
)

// CountOf implements providers.Type: the requests of traces have a counter of their own, a
// distribution counts what is in it (https://docs.datadoghq.com/metrics/distributions/), and
// so does a histogram of the agent.
func CountOf(expr string) string {
	switch {
	case apmQuantile.MatchString(expr):
		return apmQuantile.ReplaceAllString(expr, `.stat("hits")`)
	case eventQuantile.MatchString(expr):
		return eventQuantile.ReplaceAllString(expr, `.rollup("count")`)
	}
	m := metricQuantile.FindStringSubmatch(expr)
	switch {
	case m == nil:
		return ""
	case agentQuantile.MatchString(m[2]):
		return "sum:" + agentQuantile.ReplaceAllString(m[2], ".count") + m[3] + ".as_count()"
	case analysis.NamedQuantile(m[1]) == 0:
		return ""
	case strings.HasPrefix(m[2], "trace."):
		return "sum:" + m[2] + ".hits" + m[3] + ".as_count()"
	}
	return "count:" + m[2] + m[3] + ".as_count()"
}
