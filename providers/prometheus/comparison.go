package prometheus

import (
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metricsql"
)

// condition reads the right side of an operator. What merely selects the steps or series of
// the left one, by something else than their own numbers, may compare.
func (r *reader) condition(e *metricsql.BinaryOpExpr) nature {
	before := r.selecting
	switch strings.ToLower(e.Op) {
	case "and", "unless", "if", "ifnot", "*":
		own := selectors(e.Left)
		r.selecting = r.selecting || !slices.ContainsFunc(selectors(e.Right), func(s selector) bool {
			return slices.ContainsFunc(own, func(o selector) bool { return o.name == s.name })
		})
	}
	n := r.read(e.Right)
	r.selecting = before
	return n
}

// hides reports whether a comparison can leave out numbers by their size. It cannot where
// only none is left out, or what is equal to itself (as NaN is not); and == 1 is how a
// metric that tells a state lends its labels.
func hides(op string, e *metricsql.BinaryOpExpr) bool {
	number, ok := e.Right.(*metricsql.NumberExpr)
	if !ok {
		number, ok = e.Left.(*metricsql.NumberExpr)
		op = map[string]string{"<": ">", ">": "<", "<=": ">=", ">=": "<="}[op] + map[string]string{"==": op, "!=": op}[op]
	}
	if !ok {
		return !same(e.Left, e.Right)
	}
	switch op {
	case ">", ">=":
		return number.N > 0
	case "!=":
		return number.N != 0
	case "==":
		return number.N != 1
	}
	return true
}

// finely reports whether rounding to a number leaves events to be counted.
func finely(to metricsql.Expr) bool {
	number, ok := to.(*metricsql.NumberExpr)
	return ok && number.N <= 1
}
