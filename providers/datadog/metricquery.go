package datadog

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
)

// A query of metrics is a formula of queries, as in
//
//	sum:hits{service:shop}.as_count() - sum:errors{service:shop}.as_count().rollup(sum, 30)
//
// https://docs.datadoghq.com/metrics/advanced-filtering/ and
// https://docs.datadoghq.com/dashboards/functions/ describe the language. What is not known here to
// leave the numbers of a step as they were measured in that step is refused: a function that
// fills a gap, looks at another time or cuts values off would be judged as if it were data.

// formulaNode is a part of a formula: a constant, metricQuery, negation, operation or
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

// metricQuery is a query of one metric.
type metricQuery struct {
	aggregator string // over sources: avg, sum, …, p95, count(v: v<=0.5); "" is avg
	metric     string
	scope      string // inside of the braces
	tags       tagFilter
	by         []string // what it is grouped by
	asCount    bool
	asRate     bool
	rollup     string // as it is written, "" for none
	method     string // of the rollup, "" for the default
	seconds    string // of the rollup, "" for the request's interval
	zeros      bool   // steps without events are filled with 0
}

// name is how a message calls the query.
func (q *metricQuery) name() string {
	if q.aggregator == "" {
		return q.metric
	}
	return q.aggregator + ":" + q.metric
}

// harmless are the functions that are known to leave a step's number its own: abs drops a
// sign, exclude_null drops series of groups that have no name. Of counts default_zero is one
// too: zero events are what there is to be judged of a step without any, and whether silence
// about bad events is zero is decided elsewhere, for which Check says that zeros are made up.
var (
	harmless         = []string{"abs", "exclude_null"}
	harmlessOfCounts = []string{"exclude_null", "default_zero"}
)

const (
	leaveOut   = "; leave it out"
	forSilence = "a step without data is a gap, and what silence about bad events means is said by absent: zero; leave it out"
	forPast    = "to compare with the past write baseline: {offset: 1d}; leave it out"
	forRate    = "for events a second write .as_rate() behind the query; leave it out"
)

// refusals say of functions what they do to data, and what to write instead:
// https://docs.datadoghq.com/dashboards/functions/
var refusals = []struct {
	name *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`^default(_zero)?$`), "makes up values for steps that have none: " + forSilence},
	{regexp.MustCompile(`^(timeshift|calendar_shift|\w+_before)$`), "shows another time as if it were this one: " + forPast},
	{regexp.MustCompile(`^cutoff_`), "hides the values beyond a bound" + leaveOut},
	{regexp.MustCompile(`^clamp_`), "replaces the values beyond a bound by the bound" + leaveOut},
	{regexp.MustCompile(`^(anomalies|outliers|forecast)$`), "compares by itself, and shows values that nobody measured; the arms are compared here" + leaveOut},
	{regexp.MustCompile(`^per_(second|minute|hour)$`), "is the change from one step to the next, not the number of events: " + forRate},
	{regexp.MustCompile(`^abs$`), "hides that a count is less than none" + leaveOut},
	{regexp.MustCompile(`^(diff|monotonic_diff|derivative|dt|throughput)$`), "makes a step's number from other steps than that one, and shows no lasting change: " + forRate},
	{regexp.MustCompile(`^(cumsum|integral)$`), "adds up all steps before, from a start that moves with the window" + leaveOut},
	{regexp.MustCompile(`^(ewma_\d+|median_\d+|moving_rollup|autosmooth|trend_line|robust_trend|piecewise_constant)$`), "spreads values over other steps than their own" + leaveOut},
	{regexp.MustCompile(`^(log2|log10)$`), "makes changes look small; values are compared on a scale of logarithms anyway, unless scale: linear is written" + leaveOut},
	{regexp.MustCompile(`^(top|bottom)\d*(_\w+)?$`), "picks series by their values" + leaveOut},
	{regexp.MustCompile(`^(avg|sum|min|max|count)$`), "aggregates what is aggregated already; write one query, such as sum:NAME{$arm}"},
}

// refusal returns why a function is not taken.
func refusal(function string, known []string) error {
	for _, r := range refusals {
		why := r.why
		if slices.Equal(known, harmlessOfCounts) { // a rate is no count either
			why = strings.Replace(why, forRate, "leave it out", 1)
		}
		if r.name.MatchString(function) {
			return fmt.Errorf("%s(…) %s", function, why)
		}
	}
	return fmt.Errorf("%s(…) is not known to leave data as they are; known are %s(…), + - * /, numbers and parentheses. Leave it out, or ask for it at https://github.com/canary-judge/canary-judge/issues",
		function, strings.Join(known, "(…), "))
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

// queriesOf returns the queries in a formula, from left to right.
func queriesOf(n formulaNode) []*metricQuery {
	switch n := n.(type) {
	case *metricQuery:
		return []*metricQuery{n}
	case negation:
		return queriesOf(n.of)
	case application:
		return queriesOf(n.of)
	case operation:
		return slices.Concat(queriesOf(n.left), queriesOf(n.right))
	}
	return nil
}

// fillsZeros reports whether a formula of counts can be 0 where the source has nothing.
func fillsZeros(n formulaNode) bool {
	switch n := n.(type) {
	case *metricQuery:
		return n.zeros
	case application:
		return n.function == "default_zero" || fillsZeros(n.of)
	case operation:
		return fillsZeros(n.left) || fillsZeros(n.right)
	}
	return false
}

// dividesCounts reports whether a formula divides counts by counts.
func dividesCounts(n formulaNode) bool {
	countsIn := func(n formulaNode) bool {
		return slices.ContainsFunc(queriesOf(n), func(q *metricQuery) bool { return q.asCount })
	}
	switch n := n.(type) {
	case negation:
		return dividesCounts(n.of)
	case application:
		return dividesCounts(n.of)
	case operation:
		return n.operator == '/' && countsIn(n.left) && countsIn(n.right) || dividesCounts(n.left) || dividesCounts(n.right)
	}
	return false
}

// readMetrics returns what a formula asks for, as a part that counts events or not.
func readMetrics(n formulaNode, counts bool) providers.Reading {
	var r providers.Reading
	for _, q := range queriesOf(n) {
		s := providers.Scope{Name: q.metric, Text: q.metric + "{" + filterText(q.tags) + "}"}
		if picks := q.metric + "{" + filterText(picked(q.tags)) + "}"; picks != s.Text {
			s.Picks = picks
		}
		r.Scopes = append(r.Scopes, s)
	}
	switch {
	case counts:
		r.ZerosMadeUp = fillsZeros(n)
	case dividesCounts(n):
		r.Doubts = []string{"the query divides counts step by step, so that a step of one request weighs as much as one of a thousand, and one without errors may be 0 or nothing; write ratio: {bad: …, total: …}"}
	}
	return r
}

// valueOf returns the value of a formula without queries.
func valueOf(n formulaNode) (value float64, isConstant bool) {
	switch n := n.(type) {
	case constant:
		return float64(n), true
	case negation:
		value, isConstant = valueOf(n.of)
		return -value, isConstant
	case application:
		value, isConstant = valueOf(n.of)
		return math.Abs(value), isConstant // of exclude_null too there would be nothing else to say
	case operation:
		left, is := valueOf(n.left)
		right, are := valueOf(n.right)
		if !is || !are {
			return 0, false
		}
		switch n.operator {
		case '+':
			return left + right, true
		case '-':
			return left - right, true
		case '*':
			return left * right, true
		}
		return left / right, true
	}
	return 0, false
}

// checkMetrics reports what keeps a formula from being what a part asks for.
func checkMetrics(n formulaNode, counts bool, step string) error {
	for _, q := range queriesOf(n) {
		if q.seconds != "" && q.seconds != step {
			return fmt.Errorf("%s is not the step of %ss; write .rollup(…, $step)", q.rollup, step)
		}
	}
	if counts {
		return checkCounts(n)
	}
	return checkFactors(n)
}

// checkCounts reports why a formula does not count events: only sums over all sources and
// over all of a step do, and what is added to them or taken from them.
func checkCounts(n formulaNode) error {
	switch n := n.(type) {
	case *metricQuery:
		return n.checkCount()
	case application:
		return checkCounts(n.of)
	case operation:
		switch n.operator {
		case '*':
			return errors.New("a product is no count of events; leave out the factor")
		case '/':
			return errors.New("a quotient is no count of events; give its two counts as bad (or good) and total, which are divided here")
		}
		if n.operator == '-' && reflect.DeepEqual(n.left, n.right) {
			return errors.New("a count less itself is none in every step; leave it out")
		}
		if err := checkCounts(n.left); err != nil {
			return err
		}
		return checkCounts(n.right)
	case negation:
		return errors.New("less than no events is no count; leave out the sign")
	}
	return errors.New("a number is no count of events; leave it out")
}

func (q *metricQuery) checkCount() error {
	switch {
	case !q.asCount:
		return fmt.Errorf("%s is no count: counts need .as_count(), each of them: without it Datadog averages and interpolates them", q.name())
	case q.aggregator != "sum" && q.aggregator != "count" && !strings.HasPrefix(q.aggregator, "count("):
		return fmt.Errorf("%s counts no events: it does not add up its sources; write sum:%s, or count:%[2]s for a distribution", q.name(), q.metric)
	case q.method != "" && q.method != "sum":
		return fmt.Errorf("%s makes %s no count of events; write .rollup(sum, $step), or leave it out", q.rollup, q.name())
	}
	return nil
}

// checkFactors reports a factor that makes all numbers the same.
func checkFactors(n formulaNode) error {
	switch n := n.(type) {
	case negation:
		return checkFactors(n.of)
	case application:
		return checkFactors(n.of)
	case operation:
		for _, side := range []formulaNode{n.left, n.right} {
			value, isConstant := valueOf(side)
			if isConstant && (n.operator == '*' || n.operator == '/') && (value == 0 || math.IsInf(value, 0) || math.IsNaN(value)) {
				return fmt.Errorf("a factor of %g makes all numbers the same; leave it out", value)
			}
			if err := checkFactors(side); err != nil {
				return err
			}
		}
	}
	return nil
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
	grouped := func(q *metricQuery) bool { return len(q.by) > 0 }
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
	q := &metricQuery{aggregator: aggregator, metric: metric[0]}
	scope := p.match(scopeHead)
	if scope == nil {
		return nil, p.want(fmt.Sprintf("the scope of %s, as in %[1]s{$arm},", q.name()))
	}
	if q.scope = strings.TrimSpace(scope[1]); q.scope == "" {
		return nil, fmt.Errorf("the scope of %s is empty; write {$arm}, or {*} for everything", q.name())
	}
	if mixed(words(q.scope)) {
		return nil, fmt.Errorf("{%s} mixes commas or ! with AND, OR, NOT or IN, which Datadog refuses; write AND for commas, and NOT for each !, instead", q.scope)
	}
	var err error
	if q.tags, err = parseTagFilter(q.scope); err != nil {
		return nil, fmt.Errorf("the scope {%s} is not understood: %w", q.scope, err)
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
func (q *metricQuery) modify(counts bool, name, argument, text string) error {
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

func (q *metricQuery) modifyRollup(argument, text string) error {
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
