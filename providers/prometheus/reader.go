package prometheus

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metricsql"

	"github.com/canary-judge/canary-judge/providers"
)

// nature is what the numbers of a part of a query are.
type nature struct {
	is   being
	text string // the part, for errors
}

type being int

const (
	constant  being = iota // the same whatever the source has
	zero                   // 0, as a constant or as 0 times something
	stored                 // what the source stores, at the end of the step
	recorded               // what a recording rule stores, which may count events of a step
	count                  // how often something happened in the step
	perSecond              // a rate
	share                  // a quotient
	condition              // 1 or 0 by a comparison
	other                  // a mean, a quantile, …
)

// reader reads a query from its leaves to its root.
type reader struct {
	part    providers.Part
	step    time.Duration
	reading providers.Reading
	err     error // the first reason to refuse it
	// selecting says that what is read selects by other numbers than those that are compared.
	selecting bool
}

// refuse notes a reason to refuse the query.
func (r *reader) refuse(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// Check implements providers.Dialect. What is refused would be judged as if the source
// had measured it in the step: what was measured at another time, what the query makes
// up, and for counts what is none.
func (d Dialect) Check(expr string, part providers.Part, step time.Duration) (providers.Reading, error) {
	e, err := parse(expr)
	if err != nil {
		return providers.Reading{}, err
	}
	r := &reader{part: part, step: step}
	switch n := r.read(e); {
	case part != providers.Value:
		r.count(n)
	case n.is == zero || n.is == constant:
		r.refuse("%s is the same in every step, whatever happened", n.text)
	}
	if part == providers.Value {
		r.reading.Quantile = quantileIn(e)
	}
	return r.reading, r.err
}

// count refuses what is no count.
func (r *reader) count(n nature) {
	switch n.is {
	case count, recorded, condition:
	case zero, constant:
		r.refuse("%s is the same in every step, whatever happened", n.text)
	case stored:
		r.refuse("%s is what the source stores, and counts are what happened in a step; take increase(…[$step]) of the counter", n.text)
	case perSecond:
		r.refuse("%s is per second, and counts are what happened in a step; take increase(…[$step])", n.text)
	case share:
		r.refuse("%s is a quotient, and no count; write bad: and total: with the counts, such as sum(increase(…[$step]))", n.text)
	default:
		r.refuse("%s is no count of what happened in a step; take sum(increase(…[$step]))", n.text)
	}
}

// read returns the nature of an expression, and notes what it asks for.
func (r *reader) read(e metricsql.Expr) nature {
	before := len(r.reading.Scopes)
	n := r.parts(e)
	if len(r.reading.Scopes) == before && n.is != zero {
		n.is = constant // it selects nothing
	}
	return n
}

// parts returns the nature of an expression by its parts.
func (r *reader) parts(e metricsql.Expr) nature {
	n := nature{other, written(e)}
	switch e := e.(type) {
	case *metricsql.NumberExpr:
		n.is = constant
		if e.N == 0 {
			n.is = zero
		}
	case *metricsql.MetricExpr:
		n.is = r.metric(e, false)
	case *metricsql.RollupExpr:
		return r.rollup(e)
	case *metricsql.FuncExpr:
		return r.function(e, n)
	case *metricsql.AggrFuncExpr:
		return r.aggregation(e, n)
	case *metricsql.BinaryOpExpr:
		return r.operation(e, n)
	}
	return n
}

// metric reads a selector, with a range or without.
func (r *reader) metric(e *metricsql.MetricExpr, ranged bool) being {
	s := newSelector(e)
	if !ranged {
		r.doubtName(s.name)
	}
	if !ranged && r.part == providers.Value && !r.selecting && stateName.MatchString(s.name) {
		r.reading.Doubts = append(r.reading.Doubts, fmt.Sprintf(
			"%s is named like a counter, whose state says since when it counts and not what happened in a step: take rate(…[$step])", s.name))
	}
	r.reading.Scopes = append(r.reading.Scopes, providers.Scope{Name: s.name, Text: s.text, Picks: s.picks})
	if strings.Contains(s.name, ":") {
		return recorded
	}
	return stored
}

// rollup reads a selector with a range or at a time of its own.
func (r *reader) rollup(e *metricsql.RollupExpr) nature {
	n := nature{other, written(e)}
	if m, ok := e.Expr.(*metricsql.MetricExpr); ok {
		n.is = r.metric(m, e.Window != nil)
	} else {
		n = r.read(e.Expr)
	}
	if e.Offset != nil {
		r.refuse("%s reads another time than the step; for a baseline in the past write baseline: {offset: 1d}, for data that arrive late window: {lag: 2m}", written(e))
	}
	if e.At != nil {
		r.refuse("%s reads one time in every step; write it without @", written(e))
	}
	if e.Window == nil && !e.ForSubquery() {
		return n
	}
	window := strings.Trim(string(e.AppendString(nil))[len(e.Expr.AppendString(nil)):], "()")
	if _, ok := e.Expr.(*metricsql.MetricExpr); !ok || e.ForSubquery() {
		r.refuse("the subquery %s looks at other times than the step; write the query without it", window)
		return n
	}
	if length := time.Duration(e.Window.Duration(r.step.Milliseconds())) * time.Millisecond; length != r.step {
		r.refuse("the range %s is not the step of %s, so steps would overlap or leave gaps; write [$step]", window, Dialect{}.Step(r.step))
	}
	return n
}

// function reads a call.
func (r *reader) function(e *metricsql.FuncExpr, n nature) nature {
	name := strings.ToLower(e.Name)
	if why := refused[name]; why != "" {
		r.refuse("%s: %s", n.text, why)
	}
	args := r.all(e.Args)
	switch {
	case len(args) == 0:
		n.is = constant
		return n
	case name == "" || name == "union":
		return r.either(e.Args, args, n)
	case strings.HasPrefix(name, "clamp"):
		if name != "clamp_min" || len(args) != 2 || args[1].is != zero {
			r.refuse("%s hides what lies beyond its limit; write the query without it, only clamp_min(…, 0) is harmless", n.text)
		}
	case metricsql.IsRollupFunc(name):
		return r.rolled(e, name, args, n)
	case rounding[name] && r.part == providers.Value:
		r.refuse("%s hides what is less than it rounds to; leave it out, reports round by themselves", n.text)
	case name == "round" && len(e.Args) > 1 && !finely(e.Args[1]):
		r.refuse("%s hides the events of a step that are less than it rounds to; leave it out", n.text)
	case name == "buckets_limit":
		return args[len(args)-1]
	case !transparent[name]:
		return n
	}
	return nature{args[0].is, n.text}
}

// rolled returns the nature of a function of a range.
func (r *reader) rolled(e *metricsql.FuncExpr, name string, args []nature, n nature) nature {
	i := metricsql.GetRollupArgIdx(e)
	if i < 0 || i >= len(e.Args) {
		return n
	}
	ranged := false
	switch arg := e.Args[i].(type) {
	case *metricsql.RollupExpr:
		ranged = arg.Window != nil
	case *metricsql.MetricExpr:
	default:
		if strings.HasPrefix(name, "timestamp") { // Prometheus's takes values
			break
		}
		r.refuse("%s makes a subquery of %s, which looks at other times than the step; write it with a selector and [$step]", n.text, args[i].text)
	}
	for _, s := range selectors(e.Args[i]) {
		if r.part != providers.Value && countsScrapes[name] && counterName.MatchString(s.name) {
			r.refuse("%s is no count of what %s counts: the counter is read at each scrape, and this counts scrapes or adds up its states; take increase(…[$step])", n.text, s.name)
		}
	}
	switch {
	case name == "present_over_time":
		n.is = condition
	case rates[name]:
		n.is = perSecond
	case counting[name] && ranged:
		n.is = count
	case counting[name]:
		n.is = stored // over a range that the server chooses
	}
	return n
}

// aggregation reads sum(…) and its like. Of the counts of several series only the sum
// is a count.
func (r *reader) aggregation(e *metricsql.AggrFuncExpr, n nature) nature {
	args := r.all(e.Args)
	name := strings.ToLower(e.Name)
	if len(e.Args) > 1 && !parametrised(name) {
		args = []nature{r.either(e.Args, args, n)}
	}
	if name == "group" {
		n.is = condition
	}
	if name == "sum" && len(args) > 0 {
		return nature{args[0].is, n.text}
	}
	return n
}

// all reads the arguments of a call.
func (r *reader) all(args []metricsql.Expr) []nature {
	natures := make([]nature, len(args))
	for i, a := range args {
		natures[i] = r.read(a)
	}
	return natures
}

// selectors returns all selectors of an expression.
func selectors(e metricsql.Expr) []selector {
	var all []selector
	metricsql.VisitAll(e, func(e metricsql.Expr) {
		if m, ok := e.(*metricsql.MetricExpr); ok {
			all = append(all, newSelector(m))
		}
	})
	return all
}

// operation reads an operator with two sides.
func (r *reader) operation(e *metricsql.BinaryOpExpr, n nature) nature {
	left, right := r.read(e.Left), r.condition(e)
	if e.FillLeft != nil || e.FillRight != nil {
		r.refuse("the fill of %s makes numbers up where the source has none; leave it out", n.text)
	}
	switch op := strings.ToLower(e.Op); op {
	case "or", "default":
		return r.either([]metricsql.Expr{e.Left, e.Right}, []nature{left, right}, n)
	case "and", "unless", "if", "ifnot":
		if a, ok := e.Left.(*metricsql.AggrFuncExpr); ok && r.part == providers.Bad && len(a.Modifier.Args) == 0 {
			r.refuse("%s leaves the bad events of whole steps out, and such a step would look like one without any; leave %q out", n.text, op)
		}
		return nature{left.is, n.text}
	case "==", "!=", ">", "<", ">=", "<=":
		switch {
		case e.Bool:
			n.is = condition
		default:
			if !r.selecting && hides(op, e) {
				r.refuse("%s leaves out what it does not hold of, and so hides the numbers that the arms are to be compared by; leave the comparison out, what is tolerated is said by tolerance:", n.text)
			}
			n.is = left.is
			if left.is == constant || left.is == zero {
				n.is = right.is
			}
		}
	case "-":
		if same(e.Left, e.Right) {
			n.is = zero
			break
		}
		n.is = r.sum(left, right, n)
	case "+":
		n.is = r.sum(left, right, n)
	case "*":
		n.is = product(left.is, right.is)
	case "/":
		n.is = share
		if left.is == zero {
			n.is = zero
		}
	}
	return n
}

// sum returns what the sum of two numbers is.
func (r *reader) sum(left, right nature, n nature) being {
	switch {
	case left.is == right.is || right.is == zero:
		return left.is
	case left.is == zero:
		return right.is
	case !counted(left.is) && !counted(right.is):
		return other
	case r.part != providers.Value && (left.is == constant || right.is == constant):
		r.refuse("%s counts events that did not happen", n.text)
	case counted(left.is) && counted(right.is):
		return count
	case counted(left.is):
		return right.is
	}
	return left.is
}

// counted reports whether something may say how often something happened in a step.
func counted(b being) bool { return b == count || b == recorded }

// product returns what the product of two numbers is: a share of a count is a count, and
// a metric that is always 1 lends its labels.
func product(a, b being) being {
	switch {
	case a == zero || b == zero:
		return zero
	case a == constant:
		return b
	case b == constant:
		return a
	case a == perSecond || b == perSecond:
		return perSecond
	}
	for _, pair := range [][2]being{{a, b}, {b, a}} {
		if factor := pair[1]; counted(pair[0]) && (factor == share || factor == stored || factor == condition || factor == other) {
			return pair[0]
		}
	}
	if a == b && a == stored {
		return stored
	}
	return other
}

// windowInName is the window that a metric's name speaks of, as names of recording rules
// do: https://prometheus.io/docs/practices/rules/#naming
var windowInName = regexp.MustCompile(`(?:^|[:_])(increase|i?rate|i?delta|sum|count|avg|mean|min|max|p\d+|over_time|)_?(\d+(?:ms|[smhdw]))(?:[:_]|$)`)

// rateInName is that of a rate.
var rateInName = regexp.MustCompile(`(?:^|[:_])i?rate(?:_?\d+(?:ms|[smhdw]))?(?:[:_]|$)`)

// doubtName doubts a selector without a range whose name says that it is something else
// than what is needed.
func (r *reader) doubtName(name string) {
	if m := windowInName.FindStringSubmatch(name); m != nil {
		window, err := providers.ParseDuration(m[2])
		if err == nil && window != r.step {
			what := "what happens in between is left out"
			if window > r.step {
				r.reading.CountsOverlap = true
				what = fmt.Sprintf("what happens once is seen in %d steps", (window+r.step-1)/r.step)
			}
			r.reading.Doubts = append(r.reading.Doubts, fmt.Sprintf(
				"the name of %s speaks of a window of %s, and the step is %s: %s; write window: {step: %[2]s}, or take what is measured over [$step]",
				name, m[2], providers.Duration(r.step), what))
		}
	}
	if r.part != providers.Value && rateInName.MatchString(name) {
		r.reading.Doubts = append(r.reading.Doubts, fmt.Sprintf(
			"the name of %s speaks of a rate, which is no count: take increase(…[$step]) of the counter, or record its increase", name))
	}
}
