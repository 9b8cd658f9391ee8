package query

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A query of metrics is a formula of queries, as in
//
//	sum:hits{service:shop}.as_count() - sum:errors{service:shop}.as_count().rollup(sum, 30)
//
// https://docs.datadoghq.com/metrics/advanced-filtering/ and
// https://docs.datadoghq.com/dashboards/functions/ describe the language. What is not known here to
// leave the numbers of a step as they were measured in that step is refused: a function that
// fills a gap, looks at another time or cuts values off would be judged as if it were data.

// formulaNode is a part of a formula: a constant, MetricQuery, negation, operation or
// application.
type formulaNode any

type (
	constant  float64
	negation  struct{ of formulaNode }
	operation struct {
		operator    byte // + - * /
		left, right formulaNode
	}
	application struct {
		function string
		of       formulaNode
	}
)

// MetricQuery is a query of one metric.
type MetricQuery struct {
	Aggregator string // over sources: avg, sum, …, p95, count(v: v<=0.5); "" is avg
	Metric     string // its name
	Scope      string // inside of the braces
	tags       TagFilter
	by         []string // what it is grouped by
	asCount    bool
	asRate     bool
	rollup     string // as it is written, "" for none
	method     string // of the rollup, "" for the default
	seconds    string // of the rollup, "" for the request's interval
	zeros      bool   // steps without events are filled with 0
}

// name is how a message calls the query.
func (q *MetricQuery) name() string {
	if q.Aggregator == "" {
		return q.Metric
	}
	return q.Aggregator + ":" + q.Metric
}

// MetricQueries returns the queries in a formula of metrics, from left to right. counts says
// that the formula is to count events.
func MetricQueries(formula string, counts bool) ([]*MetricQuery, error) {
	n, err := parseMetrics(formula, counts)
	if err != nil {
		return nil, err
	}
	return queriesOf(n), nil
}

// queriesOf returns the queries in a formula, from left to right.
func queriesOf(n formulaNode) []*MetricQuery {
	switch n := n.(type) {
	case *MetricQuery:
		return []*MetricQuery{n}
	case negation:
		return queriesOf(n.of)
	case application:
		return queriesOf(n.of)
	case operation:
		return slices.Concat(queriesOf(n.left), queriesOf(n.right))
	}
	return nil
}

// parseMetrics reads a query of metrics, which is to count events or is a number.
func parseMetrics(text string, counts bool) (formulaNode, error) {
	p := &metricParser{rest: strings.TrimSpace(text), counts: counts, functions: harmless}
	if counts {
		p.functions = harmlessOfCounts
	}
	if monitorHead.MatchString(p.rest) {
		return nil, errors.New("this is a monitor's condition; leave out what stands before the query, as in avg(last_5m):, and the comparison behind it")
	}
	n, err := p.sum()
	switch {
	case err != nil:
		return nil, err
	case strings.HasPrefix(p.rest, ","):
		return nil, errors.New("one query is compared, and there are several with a comma between")
	case p.rest != "" && strings.ContainsAny(p.rest[:1], "<>=!"):
		return nil, fmt.Errorf("the query goes on after its end: %q; leave comparisons to the tolerance", p.rest)
	case p.rest != "":
		return nil, p.want("the query's end")
	case len(queriesOf(n)) == 0:
		return nil, errors.New("the query asks for no metric")
	}
	return n, nil
}

// metricParser reads a query of metrics from the front.
type metricParser struct {
	rest      string
	counts    bool
	functions []string // that are taken
	depth     int
}

var (
	// monitorHead is what a monitor's query begins with:
	// https://docs.datadoghq.com/api/latest/monitors/#create-a-monitor
	monitorHead    = regexp.MustCompile(`^\w+\(\s*(last|current)_`)
	numberHead     = regexp.MustCompile(`^(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?`)
	functionHead   = regexp.MustCompile(`^([A-Za-z_]\w*)\s*\(`)
	aggregatorHead = regexp.MustCompile(`^(avg|sum|min|max|count|p\d{1,2}(?:\.\d{1,2})?|count\(\s*v\s*:\s*v\s*(?:<=|>=|<|>)\s*[0-9.eE+-]+\s*\))\s*:\s*`)
	metricHead     = regexp.MustCompile(`^[A-Za-z][\w.]*`)
	scopeHead      = regexp.MustCompile(`^\s*\{([^{}]*)\}\s*`)
	groupsHead     = regexp.MustCompile(`^by\s*\{([^{}]*)\}\s*`)
	modifierHead   = regexp.MustCompile(`^\.\s*(\w+)\s*\(([^(){}]*)\)\s*`)
	rollupMethods  = []string{"avg", "sum", "min", "max", "count"}
	wholeNumber    = regexp.MustCompile(`^\d+$`)
)

func (p *metricParser) take(sign string) bool {
	rest, ok := strings.CutPrefix(p.rest, sign)
	if ok {
		p.rest = strings.TrimSpace(rest)
	}
	return ok
}

// match takes what a pattern for the front matches, and returns its groups.
func (p *metricParser) match(head *regexp.Regexp) []string {
	m := head.FindStringSubmatch(p.rest)
	if m != nil {
		p.rest = strings.TrimSpace(p.rest[len(m[0]):])
	}
	return m
}

func (p *metricParser) want(what string) error {
	if p.rest == "" {
		return fmt.Errorf("the query ends where %s should be", what)
	}
	return fmt.Errorf("want %s at %q", what, p.rest)
}

func (p *metricParser) sum() (formulaNode, error) {
	return p.operations(p.product, "+", "-")
}

func (p *metricParser) product() (formulaNode, error) {
	return p.operations(p.factor, "*", "/")
}

func (p *metricParser) operations(operand func() (formulaNode, error), operators ...string) (formulaNode, error) {
	left, err := operand()
	for err == nil {
		at := slices.IndexFunc(operators, p.take)
		if at < 0 {
			return left, nil
		}
		var right formulaNode
		right, err = operand()
		left = operation{operators[at][0], left, right}
	}
	return nil, err
}

func (p *metricParser) factor() (formulaNode, error) {
	if p.depth++; p.depth > deepest {
		return nil, fmt.Errorf("the query has more than %d parentheses in each other", deepest)
	}
	defer func() { p.depth-- }()
	if p.take("-") {
		of, err := p.factor()
		return negation{of}, err
	}
	if p.take("(") {
		return p.inner()
	}
	if m := p.match(numberHead); m != nil {
		value, err := strconv.ParseFloat(m[0], 64)
		if err != nil {
			return nil, fmt.Errorf("%s is no number", m[0])
		}
		return constant(value), nil
	}
	if m := p.match(aggregatorHead); m != nil {
		return p.query(m[1])
	}
	if m := p.match(functionHead); m != nil {
		if !slices.Contains(p.functions, m[1]) {
			return nil, refusal(m[1], p.functions)
		}
		return p.application(m[1])
	}
	if metricHead.MatchString(p.rest) {
		return p.query("")
	}
	return nil, p.want("a query such as sum:NAME{$arm}")
}

// inner reads a formula up to the parenthesis that closes it.
func (p *metricParser) inner() (formulaNode, error) {
	n, err := p.sum()
	if err == nil && !p.take(")") {
		err = p.want(")")
	}
	return n, err
}

func (p *metricParser) application(function string) (formulaNode, error) {
	of, err := p.inner()
	if err != nil {
		return nil, err
	}
	grouped := func(q *MetricQuery) bool { return len(q.by) > 0 }
	if function == "exclude_null" && slices.ContainsFunc(queriesOf(of), grouped) {
		return nil, errors.New("exclude_null(…) hides what has no tag of the groups; leave it out, and the groups with it: one series of each arm is compared")
	}
	return application{function, of}, nil
}

// query reads a query of one metric behind its aggregator.
func (p *metricParser) query(aggregator string) (formulaNode, error) {
	metric := p.match(metricHead)
	if metric == nil {
		return nil, p.want("the name of a metric")
	}
	q := &MetricQuery{Aggregator: aggregator, Metric: metric[0]}
	scope := p.match(scopeHead)
	if scope == nil {
		return nil, p.want(fmt.Sprintf("the scope of %s, as in %[1]s{$arm},", q.name()))
	}
	if q.Scope = strings.TrimSpace(scope[1]); q.Scope == "" {
		return nil, fmt.Errorf("the scope of %s is empty; write {$arm}, or {*} for everything", q.name())
	}
	if mixed(Words(q.Scope)) {
		return nil, fmt.Errorf("{%s} mixes commas or ! with AND, OR, NOT or IN, which Datadog refuses; write AND for commas, and NOT for each !, instead", q.Scope)
	}
	var err error
	if q.tags, err = ParseTagFilter(q.Scope); err != nil {
		return nil, fmt.Errorf("the scope {%s} is not understood: %w", q.Scope, err)
	}
	if by := p.match(groupsHead); by != nil {
		for _, key := range strings.Split(by[1], ",") {
			q.by = append(q.by, strings.TrimSpace(key))
		}
	}
	for strings.HasPrefix(p.rest, ".") {
		m := p.match(modifierHead)
		if m == nil {
			return nil, p.want("a function such as .as_count()")
		}
		if err := q.modify(p.counts, m[1], strings.TrimSpace(m[2]), strings.TrimSpace(m[0])); err != nil {
			return nil, err
		}
	}
	if q.asCount && q.asRate {
		return nil, fmt.Errorf("%s has both .as_count() and .as_rate(); leave out one", q.name())
	}
	return q, nil
}

// modify takes in a function that stands behind a query.
func (q *MetricQuery) modify(counts bool, name, argument, text string) error {
	filling, _, _ := strings.Cut(argument, ",")
	filling = strings.TrimSpace(filling)
	switch {
	case name == "as_count" && argument == "" && !q.asCount:
		q.asCount = true
	case name == "as_rate" && argument == "" && !q.asRate:
		q.asRate = true
	case name == "weighted" && argument == "":
	case name == "rollup" && q.rollup == "":
		return q.modifyRollup(argument, text)
	case name == "fill" && filling == "null":
	case name == "fill" && filling == "zero" && counts:
		q.zeros = true
	case name == "fill":
		return fmt.Errorf("%s makes up values for steps that have none: %s; .fill(null) is allowed", text, forSilence)
	case slices.Contains([]string{"as_count", "as_rate", "rollup"}, name):
		return fmt.Errorf("%s of %s is there twice, or has an argument that it does not take", text, q.name())
	default:
		return fmt.Errorf("%s is not known to leave data as they are; behind a query there can be .as_count(), .as_rate(), .rollup(…, $step), .fill(null) and .weighted(). Leave it out, or ask for it at https://github.com/canary-judge/canary-judge/issues", text)
	}
	return nil
}

func (q *MetricQuery) modifyRollup(argument, text string) error {
	q.rollup = text
	method, seconds, both := strings.Cut(argument, ",")
	method, seconds = strings.TrimSpace(method), strings.TrimSpace(seconds)
	if !both && wholeNumber.MatchString(method) {
		method, seconds = "", method
	}
	if method != "" && !slices.Contains(rollupMethods, method) || (both || method == "") && !wholeNumber.MatchString(seconds) {
		return fmt.Errorf("%s is not understood; write .rollup(METHOD, $step) with one of %s", text, strings.Join(rollupMethods, ", "))
	}
	q.method, q.seconds = method, seconds
	return nil
}
