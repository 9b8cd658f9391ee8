package query

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/canary-judge/canary-judge/providers"
)

// eventSources are the data sources of queries for events, by their names in the
// query API and in monitors:
// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
// https://docs.datadoghq.com/api/latest/monitors/#create-a-monitor
var eventSources = map[string]string{
	"logs": "logs", "spans": "spans", "trace-analytics": "spans", "rum": "rum", "events": "events",
	"network": "network", "security_signals": "security_signals", "profiles": "profiles",
	"audit": "audit", "audits": "audit", "ci_tests": "ci_tests", "ci-tests": "ci_tests",
	"ci_pipelines": "ci_pipelines", "ci-pipelines": "ci_pipelines", "incident_analytics": "incident_analytics",
	"product_analytics": "product_analytics", "on_call_events": "on_call_events", "dora": "dora",
}

// aggregations are how events become a number. All but count need what to
// aggregate:
// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
var aggregations = []string{"count", "cardinality", "sum", "min", "max", "avg", "pc75", "pc90", "pc95", "pc98", "pc99"}

// eventCall is the start of a query for events: no function of the metrics query
// language takes a text first.
var eventCall = regexp.MustCompile(`^\s*([A-Za-z0-9_-]+)\(\s*"`)

// isEvents reports whether a query is one for events, by its start.
func isEvents(expr string) bool { return eventCall.MatchString(expr) }

// EventQuery is a query for events, such as
// logs("status:error service:shop").index("main").rollup("pc95", "@duration").
type EventQuery struct {
	Source      string // data source of the query API
	Search      string
	Indexes     []string // of logs; nil = all
	aggregation string
	measure     string // what is aggregated, "" for count
}

// check reports what a query cannot measure.
func (q *EventQuery) check(part providers.Part) error {
	if part != providers.Value && !slices.Contains([]string{"count", "cardinality", "sum"}, q.aggregation) {
		return fmt.Errorf(`%s counts nothing; write .rollup("count")`, q.aggregation)
	}
	return nil
}

// scope is what the query selects, whatever it makes of that.
func (q *EventQuery) scope() string {
	text := q.Source + "(" + QuoteText(strings.Join(strings.Fields(q.Search), " ")) + ")"
	if q.Indexes != nil {
		text += fmt.Sprintf(".index(%q)", q.Indexes)
	}
	return text
}

// ParseEvents reads a query for events, in the syntax of monitors. What it does not
// know is an error: a part that is dropped would be a filter that nobody misses.
func ParseEvents(expr string) (*EventQuery, error) {
	p := &eventParser{rest: strings.TrimSpace(expr)}
	name, args, err := p.call()
	if err != nil {
		return nil, err
	}
	source, known := eventSources[name]
	if !known {
		return nil, fmt.Errorf("%s is no source of events; valid: %s", name, strings.Join(sourceNames(), ", "))
	}
	if len(args) != 1 {
		return nil, fmt.Errorf("%s(…) takes one text, the search", name)
	}
	q := &EventQuery{Source: source, Search: args[0]}
	for p.take(".") {
		name, args, err := p.call()
		if err != nil {
			return nil, err
		}
		if err := q.apply(name, args); err != nil {
			return nil, err
		}
	}
	switch {
	case p.rest != "":
		return nil, fmt.Errorf("the query goes on after its end: %q; leave comparisons to the tolerance", p.rest)
	case q.aggregation == "":
		return nil, errors.New(`the query does not say what to make of the events; add .rollup("count") or .rollup("pc95", "@duration")`)
	}
	return q, nil
}

func sourceNames() []string {
	var names []string
	for _, source := range eventSources {
		names = append(names, source)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// apply adds what a method says.
func (q *EventQuery) apply(name string, args []string) error {
	switch {
	case name == "index" && q.Source != "logs":
		return fmt.Errorf(".index belongs to logs, not to %s", q.Source)
	case name == "index" && q.Indexes == nil:
		q.Indexes = args
	case name == "rollup" && q.aggregation == "":
		if !slices.Contains(aggregations, args[0]) {
			return fmt.Errorf("%q is no aggregation of events; valid: %s", args[0], strings.Join(aggregations, ", "))
		}
		q.aggregation = args[0]
		switch {
		case q.aggregation == "count" && len(args) > 1:
			return errors.New(`.rollup("count") counts events, and nothing else is named; for distinct values write .rollup("cardinality", …)`)
		case q.aggregation != "count" && len(args) != 2:
			return fmt.Errorf(`.rollup(%q) needs to know of what: .rollup(%[1]q, "@duration")`, q.aggregation)
		case q.aggregation != "count":
			q.measure = args[1]
		}
	case name == "index" || name == "rollup":
		return fmt.Errorf(".%s is there twice", name)
	case name == "by":
		return errors.New("leave out .by: one series of each arm is compared")
	case name == "last":
		return errors.New("leave out .last: the window is the run's")
	default:
		return fmt.Errorf(".%s is not known; a query for events has .index and .rollup", name)
	}
	return nil
}

// eventParser reads a query from the front.
type eventParser struct{ rest string }

var identifier = regexp.MustCompile(`^[A-Za-z0-9_-]+`)

// take takes a sign, if it is next.
func (p *eventParser) take(sign string) bool {
	rest, ok := strings.CutPrefix(p.rest, sign)
	if ok {
		p.rest = strings.TrimSpace(rest)
	}
	return ok
}

// call takes NAME("text", …), with at least one text and none empty.
func (p *eventParser) call() (name string, args []string, err error) {
	name = identifier.FindString(p.rest)
	p.take(name)
	if name == "" || !p.take("(") {
		return "", nil, fmt.Errorf(`want NAME("…") at %q`, p.rest)
	}
	for {
		text, err := p.text()
		if err != nil {
			return "", nil, fmt.Errorf("%s(…): %w", name, err)
		}
		args = append(args, text)
		if p.take(")") {
			return name, args, nil
		}
		if !p.take(",") {
			return "", nil, fmt.Errorf("%s(…): want , or ) at %q", name, p.rest)
		}
	}
}

// text takes a text in double quotes.
func (p *eventParser) text() (string, error) {
	if !strings.HasPrefix(p.rest, `"`) {
		return "", fmt.Errorf("want a text in double quotes at %q", p.rest)
	}
	end := textEnd(p.rest[1:])
	if end < 0 {
		return "", errors.New("the text has no end")
	}
	text := unescape(p.rest[1 : end+1])
	p.rest = strings.TrimSpace(p.rest[end+2:])
	if strings.TrimSpace(text) == "" {
		return "", errors.New("the text is empty; to search for all events write *")
	}
	return text, nil
}

// textEnd returns where the quote that ends a text is, -1 if there is none.
func textEnd(text string) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// escapedInText are the characters that a backslash stands before in a text. Before
// any other one it belongs to the search.
var (
	escapedInText = strings.NewReplacer(`\"`, `"`, `\\`, `\`)
	escapeInText  = strings.NewReplacer(`"`, `\"`, `\`, `\\`)
)

// unescape returns what a text between quotes means.
func unescape(text string) string { return escapedInText.Replace(text) }

// QuoteText returns a text as it stands in a query for events or for statistics of APM.
func QuoteText(text string) string { return `"` + escapeInText.Replace(text) + `"` }

// attributeName is what may stand before the colon in a search: a tag, or an
// attribute after @.
var attributeName = regexp.MustCompile(`^@?[a-zA-Z][a-zA-Z0-9_./-]*$`)

// searchFilter returns labels as the words of a search, each of which must hold.
func searchFilter(labels []providers.Label, at providers.Around) (string, error) {
	before, after, err := searchAround(at)
	if err != nil {
		return "", err
	}
	if quoted(before) {
		return "", errors.New("$arm cannot stand in quotes: it is words of the search")
	}
	terms := make([]string, len(labels))
	for i, l := range labels {
		if !attributeName.MatchString(l.Name) {
			return "", fmt.Errorf("%q is no name of a tag or an attribute", l.Name)
		}
		value, err := searchValue(l, at)
		if err != nil {
			return "", err
		}
		name := l.Name
		if !strings.HasPrefix(name, "@") {
			name = strings.ToLower(name)
		}
		terms[i] = name + ":" + value
	}
	inside := position{Words(before), Words(after)}
	switch {
	case glued(before, after):
		return "", fmt.Errorf("in %q the labels would be one word with what stands beside them; put a space between", before+"$arm"+after)
	case inside.besideOr():
		return "", fmt.Errorf("in %q the arm holds for one side of OR only; put the alternatives in parentheses: (A OR B) $arm", before+"$arm"+after)
	case len(terms) > 1 && inside.negated():
		return "(" + strings.Join(terms, " ") + ")", nil
	}
	return strings.Join(terms, " "), nil
}

// searchValue returns a label's value as a search has it. A tag's is as Datadog
// stores it, an attribute's as it is.
func searchValue(l providers.Label, at providers.Around) (string, error) {
	before, _, err := searchAround(at)
	if err != nil {
		return "", err
	}
	value := l.Value
	if !strings.HasPrefix(l.Name, "@") {
		if value, err = TagValue(l); err != nil {
			return "", err
		}
	}
	if value == "" || strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }) {
		return "", fmt.Errorf("%s: %q cannot be searched for; it is empty, or not text", l.Name, value)
	}
	if quoted(before) {
		return escapeInText.Replace(escapeInText.Replace(value)), nil
	}
	var b strings.Builder
	for _, r := range value {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(escapeInText.Replace(`\` + string(r)))
		case unicode.IsSpace(r) || strings.ContainsRune(special, r):
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), nil
}

// special are the characters, beside " and \, that mean something in a search, with
// those of && and ||; a backslash takes their meaning away:
// https://docs.datadoghq.com/logs/explorer/search_syntax/#escape-special-characters-and-spaces
const special = "-!&|><(){}[]*?:#="

// searchAround returns the search around a place of a query for events.
func searchAround(at providers.Around) (before, after string, err error) {
	start := eventCall.FindStringIndex(at.Before)
	end := textEnd(at.After)
	if start == nil || textEnd(at.Before[start[1]:]) >= 0 || end < 0 {
		return "", "", errors.New(`the labels of the arm stand in the search, as in logs("status:error $arm")`)
	}
	return unescape(at.Before[start[1]:]), unescape(at.After[:end]), nil
}

// quoted reports whether the end of a search stands in quotes.
func quoted(search string) bool {
	open := false
	for i := 0; i < len(search); i++ {
		switch search[i] {
		case '\\':
			i++
		case '"':
			open = !open
		}
	}
	return open
}
