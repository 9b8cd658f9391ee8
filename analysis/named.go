package analysis

import (
	"regexp"
	"strconv"
	"strings"
)

// someQuantile is what is taken for a quantile that a name does not say which it is: the one
// of the usual that takes most observations.
const someQuantile = 0.99

// How people and tools name quantiles: p95, p99.9, p99_9, pc95, tp99, 95th, 95percentile,
// 0.95-quantile, quantile_0.95.
var quantileNames = []*regexp.Regexp{
	regexp.MustCompile(`(?i)(?:^|[^a-z0-9])p(?:c|ct)?[ _-]?(\d\d(?:[._]?\d+)?)(?:[^0-9]|$)`),
	regexp.MustCompile(`(?:[a-z]P|[A-Za-z][pP])(9[0589](?:[._]?9+)?)(?:[^0-9]|$)`),
	regexp.MustCompile(`(?i)(?:^|[^0-9.]|[^0-9]\.)(\d\d(?:[._]\d+)?)[ _-]?(?:th\b|th[ _-]|(?:th)?[ _-]?%?[ _-]?(?:percentile|pct\b|ile\b|line\b))`),
	regexp.MustCompile(`(?i)(?:percentile|pct)[ _=-]*(\d\d(?:[._]\d+)?)(?:[^0-9]|$)`),
	regexp.MustCompile(`(?i)(?:^|[^0-9])0?\.(\d+)[ _-]*quantile`),
	regexp.MustCompile(`(?i)quantile[ _=-]*0?\.(\d+)`),
}

var (
	median  = regexp.MustCompile(`(?i)(?:^|[^a-z])median(?:[^a-z]|$)`)
	unnamed = regexp.MustCompile(`(?i)percentile|quantile`)
)

// NamedQuantile returns which quantile a name of a metric says that its values are, between 0
// and 1: 0.95 of "latency p95" and of request.time.95percentile. It is 0 for a name that says
// nothing of one, and 0.99 for one that does not say which.
func NamedQuantile(name string) float64 {
	for _, pattern := range quantileNames {
		if found := pattern.FindStringSubmatch(name); found != nil {
			digits := strings.NewReplacer(".", "", "_", "").Replace(found[1])
			q, err := strconv.ParseFloat("0."+digits, 64)
			if err == nil && q > 0 && digits != "100" {
				return q
			}
		}
	}
	switch {
	case median.MatchString(name):
		return 0.5
	case unnamed.MatchString(name):
		return someQuantile
	}
	return 0
}
