package slo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
)

// objective is the answer of
// https://docs.datadoghq.com/api/latest/service-level-objectives/get-an-slos-details/
// about an SLO, read with pointers wherever absent and empty differ.
type objective struct {
	ID    *string
	Type  *string // metric, monitor or time_slice
	Query *struct{ Numerator, Denominator *string }
	// Specification is the newer form. The server writes the older one beside it.
	Specification *struct{ Count *countedEvents } `json:"sli_specification"`
}

// countedEvents are the events of an SLO by formulas of queries. One of those for all
// events and for bad ones is there.
type countedEvents struct {
	Good    *sliFormula `json:"good_events_formula"`
	Total   *sliFormula `json:"total_events_formula"`
	Bad     *sliFormula `json:"bad_events_formula"`
	Queries []struct {
		Name, Query  string
		DataSource   string   `json:"data_source"`
		SemanticMode string   `json:"semantic_mode"`
		CrossOrg     []string `json:"cross_org_uuids"`
	}
}

type sliFormula struct{ Formula string }

// readSLO reads what the API says about an SLO.
func readSLO(body []byte, id string) (*objective, error) {
	var a struct {
		Data          *objective
		Error, Errors json.RawMessage // the answer has the one, its documentation the other
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, fmt.Errorf("not JSON as the SLO API answers it: %w: %s", err, body)
	}
	for _, said := range []json.RawMessage{a.Error, a.Errors} {
		if text := bytes.TrimSpace(said); len(text) > 0 && !slices.Contains([]string{"null", `""`, "[]"}, string(text)) {
			return nil, fmt.Errorf("the answer reports an error: %s", api.ErrorTexts(said))
		}
	}
	o := a.Data
	switch {
	case o == nil || o.ID == nil || *o.ID != id || o.Type == nil:
		return nil, fmt.Errorf("the answer is not the SLO's: %s", body)
	case *o.Type == "metric" && (o.Specification == nil || o.Specification.Count == nil) &&
		(o.Query == nil || o.Query.Numerator == nil || o.Query.Denominator == nil):
		return nil, fmt.Errorf("the answer does not say what the SLO counts: %s", body)
	}
	return o, nil
}

// unfit is why arms cannot be judged by an SLO that has been read well.
type unfit struct{ why, cure string }

func (u unfit) Error() string { return u.why }

// indicator is what an SLO counts.
type indicator struct {
	good, total, bad sum
	// direct says that bad events are counted by queries of their own. Else they are the
	// events that are not good, and nothing is known of them where nothing is of good ones.
	direct bool
}

// indicator returns what the SLO counts.
func (o *objective) indicator() (*indicator, error) {
	switch *o.Type {
	case "metric":
	case "monitor":
		return nil, unfit{"it is an SLO of monitors, which counts no events", "let its monitors watch over the canary: guards: [{monitor: ID}]"}
	case "time_slice":
		return nil, unfit{"it is an SLO of time slices, which counts no events", "judge the query that it slices as a value of its own"}
	default:
		return nil, unfit{fmt.Sprintf("it is an SLO of the type %q", *o.Type), "name an SLO that counts events of a metric"}
	}
	good, total, err := o.sums()
	if err != nil {
		return nil, err
	}
	bad := total.plus(good, -1)
	switch {
	case !slices.ContainsFunc(good, term.adds) || !slices.ContainsFunc(total, term.adds):
		return nil, errors.New("its good events or all of its events are less than none")
	case len(bad) == 0:
		return nil, errors.New("all of its events are good")
	}
	return &indicator{good, total, bad, !slices.ContainsFunc(bad, func(t term) bool { return !t.adds() })}, nil
}

// sums returns the SLO's good events and all of its events.
func (o *objective) sums() (good, total sum, err error) {
	if o.Specification == nil || o.Specification.Count == nil {
		if good, err = parseSum(*o.Query.Numerator, nil); err != nil {
			return nil, nil, fmt.Errorf("its numerator: %w", err)
		}
		if total, err = parseSum(*o.Query.Denominator, nil); err != nil {
			return nil, nil, fmt.Errorf("its denominator: %w", err)
		}
		return good, total, nil
	}
	c := o.Specification.Count
	queries := map[string]sum{}
	for _, q := range c.Queries {
		switch {
		case q.DataSource != "metrics":
			return nil, nil, fmt.Errorf("its query %s is of %q, not of metrics", q.Name, q.DataSource)
		case q.SemanticMode != "" && q.SemanticMode != "combined", len(q.CrossOrg) > 0:
			return nil, nil, fmt.Errorf("its query %s is of another organisation, or tells metrics of OpenTelemetry apart", q.Name)
		}
		if queries[q.Name], err = parseSum(q.Query, nil); err != nil {
			return nil, nil, fmt.Errorf("its query %s: %w", q.Name, err)
		}
	}
	if c.Good == nil || (c.Total == nil) == (c.Bad == nil) {
		return nil, nil, errors.New("it has no formula for good events, or not exactly one of those for bad events and for all")
	}
	if good, err = parseSum(c.Good.Formula, queries); err != nil {
		return nil, nil, fmt.Errorf("its good events: %w", err)
	}
	if c.Total != nil {
		if total, err = parseSum(c.Total.Formula, queries); err != nil {
			return nil, nil, fmt.Errorf("its total events: %w", err)
		}
		return good, total, nil
	}
	bad, err := parseSum(c.Bad.Formula, queries)
	if err != nil {
		return nil, nil, fmt.Errorf("its bad events: %w", err)
	}
	return good, good.plus(bad, 1), nil
}

// events are those that a query counts.
type events struct {
	head  string // aggregation and metric, as in sum:requests
	scope string // inside of the braces
}

// expr returns the query. The request's interval makes its steps.
func (e events) expr() string { return e.head + "{" + e.scope + "}.as_count()" }

// term is a part of a sum.
type term struct {
	events
	factor int // not 0
}

func (t term) adds() bool { return t.factor > 0 }

// sum adds up events. No query is in it twice.
type sum []term

// plus returns the sum with another one, times a factor, added.
func (s sum) plus(other sum, factor int) sum {
	total := slices.Clone(s)
	for _, t := range other {
		at := slices.IndexFunc(total, func(u term) bool { return u.events == t.events })
		if at < 0 {
			total = append(total, term{t.events, 0})
			at = len(total) - 1
		}
		total[at].factor += factor * t.factor
	}
	return slices.DeleteFunc(total, func(t term) bool { return t.factor == 0 })
}

// tally is what a query for the events of an SLO adds up, in the steps in which something
// is known of each of some sums.
type tally struct {
	sum   sum
	known []sum
}

// tally returns what counts bad events, or all.
func (i *indicator) tally(counted string) tally {
	t := tally{i.total, []sum{i.total, i.good}}
	if i.direct {
		t.known = []sum{i.total}
	}
	if counted == "bad" {
		t.sum = i.bad
		if i.direct {
			t.known = []sum{i.bad}
		}
	}
	return t
}

// narrowed returns the tally of the events that have these tags.
func (t tally) narrowed(tags []string) (tally, error) {
	narrow := func(s sum) (sum, error) {
		var all sum
		for _, one := range s {
			scope, err := query.Narrowed(one.scope, tags)
			if err != nil {
				return nil, err
			}
			all = all.plus(sum{{events{one.head, scope}, 1}}, one.factor)
		}
		return all, nil
	}
	all := tally{}
	var err error
	if all.sum, err = narrow(t.sum); err != nil {
		return tally{}, err
	}
	for _, s := range t.known {
		known, err := narrow(s)
		if err != nil {
			return tally{}, err
		}
		all.known = append(all.known, known)
	}
	return all, nil
}

// exprs returns the queries that are needed.
func (t tally) exprs() []string {
	var all []string
	for _, s := range append([]sum{t.sum}, t.known...) {
		for _, one := range s {
			if !slices.Contains(all, one.expr()) {
				all = append(all, one.expr())
			}
		}
	}
	return all
}

// at returns the tally of a step, given the points of each query. Silence about one of the
// counts of a sum is silence about none of the others: Datadog adds up the sources of a
// scope so, and {a:1} + {a:2} is what {a:1 OR a:2} is. Silence about all is no number.
func (t tally) at(step time.Time, points map[string]map[time.Time]float64) (float64, bool) {
	for _, s := range t.known {
		if !slices.ContainsFunc(s, func(one term) bool {
			_, there := points[one.expr()][step]
			return there && one.adds()
		}) {
			return 0, false
		}
	}
	total := 0.0
	for _, one := range t.sum {
		total += float64(one.factor) * points[one.expr()][step]
	}
	return total, true
}

// longestSum bounds a sum; those of people take some hundred characters.
const longestSum = 10_000

// countQuery is a query of a metric at the start of a sum, with its aggregation, its
// metric, its scope, its groups and its functions.
var countQuery = regexp.MustCompile(`^([a-z]\w*(?:\([^(){}]*\))?):([A-Za-z][\w.]*)\{([^{}]*)\}(?:\s*by\s*\{[^{}]*\})?((?:\s*\.\w+\([^(){}]*\))*)`)

var function = regexp.MustCompile(`\.(\w+)\(([^(){}]*)\)`)

// queryName is how a formula names a query.
var queryName = regexp.MustCompile(`^[A-Za-z_]\w*`)

// parseSum reads queries for counts, or the names of such, that are added and subtracted.
func parseSum(text string, named map[string]sum) (sum, error) {
	if len(text) > longestSum {
		return nil, fmt.Errorf("it is longer than %d characters", longestSum)
	}
	p := &sumParser{strings.TrimSpace(text), named}
	s, err := p.sum()
	switch {
	case err != nil:
		return nil, err
	case p.rest != "":
		return nil, p.unknown()
	}
	return s, nil
}

// sumParser reads a sum from the front.
type sumParser struct {
	rest  string
	named map[string]sum
}

func (p *sumParser) unknown() error {
	return fmt.Errorf("only counts that are added and subtracted are understood, not %q", p.rest)
}

func (p *sumParser) take(sign string) bool {
	rest, ok := strings.CutPrefix(p.rest, sign)
	if ok {
		p.rest = strings.TrimSpace(rest)
	}
	return ok
}

func (p *sumParser) sum() (sum, error) {
	s, err := p.summand()
	for err == nil {
		factor := 0
		switch {
		case p.take("+"):
			factor = 1
		case p.take("-"):
			factor = -1
		default:
			return s, nil
		}
		var next sum
		if next, err = p.summand(); err == nil {
			s = s.plus(next, factor)
		}
	}
	return nil, err
}

// summand reads a query, its name, or a sum in parentheses. What default_zero says of a
// step without a point is the SLO's; here it stays missing.
func (p *sumParser) summand() (sum, error) {
	if p.take("(") || p.take("default_zero(") {
		s, err := p.sum()
		if err == nil && !p.take(")") {
			err = p.unknown()
		}
		return s, err
	}
	if m := countQuery.FindStringSubmatch(p.rest); m != nil {
		p.take(m[0])
		return countOf(m[1], m[2], m[3], m[4])
	}
	if name := queryName.FindString(p.rest); p.named[name] != nil {
		p.take(name)
		return p.named[name], nil
	}
	return nil, p.unknown()
}

// countOf returns what a query counts. Its groups are left out: the sum without them is
// the sum over all of them.
func countOf(aggregation, metric, scope, functions string) (sum, error) {
	head := aggregation + ":" + metric
	if aggregation != "sum" && aggregation != "count" && !strings.HasPrefix(aggregation, "count(") {
		return nil, fmt.Errorf("%s counts no events", head)
	}
	counts := false
	for _, m := range function.FindAllStringSubmatch(functions, -1) {
		method, _, _ := strings.Cut(m[2], ",")
		switch {
		case m[1] == "as_count":
			counts = true
		case m[1] == "rollup" && strings.TrimSpace(method) == "sum": // as the request's interval does
		default:
			return nil, fmt.Errorf("%s has the function %s, which is not understood", head, m[0])
		}
	}
	if !counts {
		return nil, fmt.Errorf("%s has no .as_count(), without which Datadog averages", head)
	}
	return sum{{events{head, strings.Trim(scope, " ")}, 1}}, nil
}
