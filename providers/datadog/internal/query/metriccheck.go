package query

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
)

// fillsZeros reports whether a formula of counts can be 0 where the source has nothing.
func fillsZeros(n formulaNode) bool {
	switch n := n.(type) {
	case *MetricQuery:
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
		return slices.ContainsFunc(queriesOf(n), func(q *MetricQuery) bool { return q.asCount })
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
		s := providers.Scope{Name: q.Metric, Text: q.Metric + "{" + filterText(q.tags) + "}"}
		if picks := q.Metric + "{" + filterText(picked(q.tags)) + "}"; picks != s.Text {
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
	case *MetricQuery:
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

func (q *MetricQuery) checkCount() error {
	switch {
	case !q.asCount:
		return fmt.Errorf("%s is no count: counts need .as_count(), each of them: without it Datadog averages and interpolates them", q.name())
	case q.Aggregator != "sum" && q.Aggregator != "count" && !strings.HasPrefix(q.Aggregator, "count("):
		return fmt.Errorf("%s counts no events: it does not add up its sources; write sum:%s, or count:%[2]s for a distribution", q.name(), q.Metric)
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
