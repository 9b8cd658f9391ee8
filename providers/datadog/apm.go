package datadog

import (
	"context"
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

// apmCall is the start of a query for statistics of APM.
const apmCall = "apm_metrics"

// apmQuery is the ApmMetricsQuery of
// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
type apmQuery struct {
	service   string
	operation string // "" = the service's primary one
	resource  string // "" = all
	spanKind  string // "" = all
	filter    []string
	stat      string
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
	return m != nil && m[1] == apmCall
}

// parseAPM reads a query for statistics of APM.
func parseAPM(expr string) (*apmQuery, error) {
	p := &eventParser{rest: strings.TrimSpace(expr)}
	_, args, err := p.call()
	if err != nil {
		return nil, err
	}
	if len(args) != 1 {
		return nil, errors.New("apm_metrics(…) takes one text, the words that must hold")
	}
	q := &apmQuery{}
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
	q.stat = args[0]
	return q, nil
}

// read reads the words that must hold.
func (q *apmQuery) read(text string) error {
	if rest := strings.TrimSpace(word.ReplaceAllString(text, "")); rest != "" {
		return fmt.Errorf("%q is not understood; is a quote not closed?", rest)
	}
	fields := map[string]*string{"service": &q.service, "operation_name": &q.operation, "resource_name": &q.resource, "span_kind": &q.spanKind}
	for _, w := range words(text) {
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
			q.filter = append(q.filter, term[2])
			continue
		}
		inner, isQuoted := strings.CutPrefix(value, `"`)
		switch {
		case *field != "":
			return fmt.Errorf("%s is there twice, as %s and as %s", key, *field, value)
		case isQuoted && (textEnd(inner) != len(inner)-1 || strings.TrimSpace(inner[:len(inner)-1]) == ""), !isQuoted && !armTag.MatchString(w):
			return fmt.Errorf("%q is not understood; want %s:NAME, or %[2]s:\"NAME\" for a name with spaces or signs", w, key)
		case isQuoted:
			value = unescape(inner[:len(inner)-1])
		}
		*field = value
	}
	switch {
	case q.service == "":
		return errors.New("no service is named; add service:NAME, or make it a label of the arms")
	case q.spanKind != "" && !slices.Contains(spanKinds, q.spanKind):
		return fmt.Errorf("%q is no kind of span; valid: %s", q.spanKind, strings.Join(spanKinds, ", "))
	}
	return nil
}

// check reports what a query cannot measure.
func (q *apmQuery) check(part providers.Part) error {
	if part != providers.Value && !apmStats[q.stat] {
		return fmt.Errorf(`%s counts nothing; write .stat("hits") or .stat("errors")`, q.stat)
	}
	return nil
}

// scope is what the query selects, whatever it makes of that.
func (q *apmQuery) scope() string {
	text := "service:" + q.service
	for _, field := range [][2]string{{"operation_name", q.operation}, {"resource_name", q.resource}, {"span_kind", q.spanKind}} {
		if field[1] != "" {
			text += " " + field[0] + ":" + field[1]
		}
	}
	return apmCall + "(" + quoteText(strings.Join(append([]string{text}, q.filter...), " ")) + ")"
}

// query returns what is asked for by a name.
func (q *apmQuery) query(name string) query {
	return query{
		Name: name, DataSource: apmCall, Stat: q.stat, Service: q.service, OperationName: q.operation,
		ResourceName: q.resource, SpanKind: q.spanKind, QueryFilter: strings.Join(q.filter, " AND "),
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

// diagnoseAPM looks for a word that matches nothing beside the service, in one request.
func (p *Provider) diagnoseAPM(ctx context.Context, q providers.Query) (string, error) {
	a, err := parseAPM(q.Expr)
	if err != nil {
		return "", err
	}
	terms := []string{""}
	for _, tag := range a.filter {
		if !strings.HasPrefix(tag, "NOT ") {
			terms = append(terms, tag)
		}
	}
	queries := make([]providers.Query, len(terms))
	for i, term := range terms {
		of := "service:" + a.service
		if a.operation != "" {
			of += " operation_name:" + a.operation
		}
		queries[i] = q
		queries[i].Expr = apmCall + "(" + quoteText(strings.TrimSpace(of+" "+term)) + `).stat("hits")`
	}
	answers, err := p.Fetch(ctx, queries)
	if err != nil {
		return "", err
	}
	for i, answer := range answers {
		switch {
		case answer.Err != nil:
			return "", answer.Err
		case len(answer.Series) == 0 && i == 0 && a.operation != "":
			return fmt.Sprintf("no traffic at all: the service %s has no traces of the operation %s in these steps; check both, or leave out operation_name for its primary one", a.service, a.operation), nil
		case len(answer.Series) == 0 && i == 0:
			return fmt.Sprintf("no traffic at all: the service %s has no traces of its primary operation in these steps; check its name", a.service), nil
		case len(answer.Series) == 0:
			return fmt.Sprintf("nothing matches %s: no trace of the service %s has it in these steps", terms[i], a.service), nil
		}
	}
	if strings.HasPrefix(a.stat, "error") {
		return "no errors in these steps, or no traffic: each word matches some traces of the service", nil
	}
	return "no traffic in these steps: each word matches some traces of the service, all of them together none", nil
}
