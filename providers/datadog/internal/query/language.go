package query

import "strings"

// Language is what a query is written in.
type Language int

// The languages. Runs of synthetic tests and the events of an SLO are asked for in languages of
// our own, which the packages synthetics and slo read; the others are Datadog's.
const (
	Metrics Language = iota // sum:trace.http.request.hits{service:shop}.as_count()
	Events                  // logs("status:error").rollup("count")
	APM                     // apm_metrics("service:shop").stat("errors")
	Runs                    // synthetics("abc-def-ghi").failed()
	SLO                     // slo("0123456789abcdef0123456789abcdef","service:shop").bad()
)

// LanguageOf tells the language of a query by its start. The query may be faulty; what begins
// as none of the others is of metrics.
func LanguageOf(expr string) Language {
	start := strings.TrimSpace(expr)
	switch {
	case strings.HasPrefix(start, "synthetics("):
		return Runs
	case strings.HasPrefix(start, "slo("):
		return SLO
	case isAPM(expr):
		return APM
	case isEvents(expr):
		return Events
	}
	return Metrics
}

// CheckSyntax returns what is wrong with a query for events or for statistics of APM. Of others
// it says nothing: those for metrics are the API's to find fault with.
func CheckSyntax(expr string) error {
	var err error
	before, _ := undivided(expr)
	switch LanguageOf(expr) {
	case APM:
		_, err = ParseAPM(before)
	case Events:
		_, err = ParseEvents(before)
	}
	return err
}
