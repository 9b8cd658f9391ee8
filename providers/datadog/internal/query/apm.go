package query

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
)

// The statistics of APM that the query API makes of trace metrics are asked for in the
// style of queries for events:
//
//	apm_metrics("service:shop env:prod").stat("errors")
//	apm_metrics("service:shop operation_name:rack.request resource_name:\"GET /cart\"").stat("latency_p95")
//
// All words of the text must hold. Those that the API has a field for go there, the others
// into its filter.

// APMCall is the start of a query for a statistic of APM, and its data source.
const APMCall = "apm_metrics"

// APMQuery is a query for a statistic of APM, the ApmMetricsQuery of
// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
type APMQuery struct {
	Service   string
	Operation string // "" = the service's primary one
	resource  string // "" = all
	spanKind  string // "" = all
	// Filter are the other words that must hold, as key:value or NOT key:value.
	Filter []string
	Stat   string // hits, errors, latency_p95, …
}

// apmStats are the statistics that are one number a step, and whether they count. The
// API's latency_distribution is none.
var apmStats = map[string]bool{
	"hits": true, "errors": true, "hits_per_second": false, "errors_per_second": false, "error_rate": false, "apdex": false,
	"latency_avg": false, "latency_max": false, "latency_p50": false, "latency_p75": false, "latency_p90": false,
	"latency_p95": false, "latency_p99": false, "latency_p999": false, "total_time": false,
}

// spanKinds are those that the API takes.
var spanKinds = []string{"server", "client", "producer", "consumer", "internal"}

// apmTerm is a tag of a filter, which may be negated.
var apmTerm = regexp.MustCompile(`^(-?)([^\s{}(),"'!*$\\:-][^\s{}(),"'!*$\\:]*:[^\s{}(),"'!$\\]+)$`)

// isAPM reports whether a query is one for statistics of APM, by its start.
func isAPM(expr string) bool {
	m := eventCall.FindStringSubmatch(expr)
	return m != nil && m[1] == APMCall
}

// ParseAPM reads a query for a statistic of APM.
func ParseAPM(expr string) (*APMQuery, error) {
	p := &eventParser{rest: strings.TrimSpace(expr)}
	_, args, err := p.call()
	if err != nil {
		return nil, err
	}
	if len(args) != 1 {
		return nil, errors.New("apm_metrics(…) takes one text, the words that must hold")
	}
	q := &APMQuery{}
	if err := q.read(args[0]); err != nil {
		return nil, err
	}
	if !p.take(".") {
		return nil, errors.New(`the query does not say of what; add .stat("hits"), .stat("errors") or .stat("latency_p95")`)
	}
	name, args, err := p.call()
	switch {
	case err != nil:
		return nil, err
	case name != "stat" || len(args) != 1:
		return nil, fmt.Errorf(`.%s is not known; a query for statistics of APM has .stat("…") and nothing else`, name)
	case p.rest != "":
		return nil, fmt.Errorf("the query goes on after its end: %q; leave comparisons to the tolerance", p.rest)
	}
	if _, known := apmStats[args[0]]; !known {
		var names []string
		for stat := range apmStats {
			names = append(names, stat)
		}
		slices.Sort(names)
		return nil, fmt.Errorf("%q is no statistic of APM; valid: %s", args[0], strings.Join(names, ", "))
	}
	q.Stat = args[0]
	return q, nil
}

// read reads the words that must hold.
func (q *APMQuery) read(text string) error {
	if rest := strings.TrimSpace(word.ReplaceAllString(text, "")); rest != "" {
		return fmt.Errorf("%q is not understood; is a quote not closed?", rest)
	}
	fields := map[string]*string{"service": &q.Service, "operation_name": &q.Operation, "resource_name": &q.resource, "span_kind": &q.spanKind}
	for _, w := range Words(text) {
		key, value, _ := strings.Cut(w, ":")
		field := fields[key]
		if field == nil {
			term := apmTerm.FindStringSubmatch(w)
			switch {
			case term == nil:
				return fmt.Errorf("%q is not understood; all words must hold, each as key:value or -key:value", w)
			case fields[strings.TrimPrefix(key, "-")] != nil:
				return fmt.Errorf("%s cannot be negated", strings.TrimPrefix(key, "-"))
			case term[1] != "":
				term[2] = "NOT " + term[2]
			}
			q.Filter = append(q.Filter, term[2])
			continue
		}
		inner, isQuoted := strings.CutPrefix(value, `"`)
		switch {
		case *field != "":
			return fmt.Errorf("%s is there twice, as %s and as %s", key, *field, value)
		case isQuoted && (textEnd(inner) != len(inner)-1 || strings.TrimSpace(inner[:len(inner)-1]) == ""), !isQuoted && !IsTag(w):
			return fmt.Errorf("%q is not understood; want %s:NAME, or %[2]s:\"NAME\" for a name with spaces or signs", w, key)
		case isQuoted:
			value = unescape(inner[:len(inner)-1])
		}
		*field = value
	}
	switch {
	case q.Service == "":
		return errors.New("no service is named; add service:NAME, or make it a label of the arms")
	case q.spanKind != "" && !slices.Contains(spanKinds, q.spanKind):
		return fmt.Errorf("%q is no kind of span; valid: %s", q.spanKind, strings.Join(spanKinds, ", "))
	}
	return nil
}

// check reports what a query cannot measure.
func (q *APMQuery) check(part providers.Part) error {
	if part != providers.Value && !apmStats[q.Stat] {
		return fmt.Errorf(`%s counts nothing; write .stat("hits") or .stat("errors")`, q.Stat)
	}
	return nil
}

// scope is what the query selects, whatever it makes of that.
func (q *APMQuery) scope() string {
	text := "service:" + q.Service
	for _, field := range [][2]string{{"operation_name", q.Operation}, {"resource_name", q.resource}, {"span_kind", q.spanKind}} {
		if field[1] != "" {
			text += " " + field[0] + ":" + field[1]
		}
	}
	return APMCall + "(" + QuoteText(strings.Join(append([]string{text}, q.Filter...), " ")) + ")"
}

// spec returns what is asked for by a name.
func (q *APMQuery) spec(name string) Spec {
	return Spec{
		Name: name, DataSource: APMCall, Stat: q.Stat, Service: q.Service, OperationName: q.Operation,
		ResourceName: q.resource, SpanKind: q.spanKind, QueryFilter: strings.Join(q.Filter, " AND "),
	}
}

// apmFilter returns tags as words that must hold.
func apmFilter(tags []string, at providers.Around) (string, error) {
	before, after, err := searchAround(at)
	switch {
	case err != nil || quoted(before):
		return "", errors.New(`the labels of the arm stand among the words, as in apm_metrics("service:shop $arm")`)
	case glued(before, after):
		return "", fmt.Errorf("in %q the labels would be one word with what stands beside them; put a space between", before+"$arm"+after)
	case strings.HasSuffix(before, "-"):
		return "", errors.New("-$arm would negate the first label only; leave out the -")
	}
	return strings.Join(tags, " "), nil
}
