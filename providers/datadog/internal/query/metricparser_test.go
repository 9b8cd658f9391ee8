package query

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What the parser takes apart, with operators in their order.
func TestParseMetrics(t *testing.T) {
	t.Parallel()
	got, err := parseMetrics("1 - sum:e{a:b , !c:d} by {x, y}.as_count() / count(v: v<=0.5):d{*}.rollup(sum, 30) * 2 - f{*}", false)
	if err != nil {
		t.Fatal(err)
	}
	want := operation{
		'-',
		operation{
			'-', constant(1),
			operation{
				'*',
				operation{
					'/', &MetricQuery{Aggregator: "sum", Metric: "e", Scope: "a:b , !c:d", by: []string{"x", "y"}, asCount: true},
					&MetricQuery{Aggregator: "count(v: v<=0.5)", Metric: "d", Scope: "*", rollup: ".rollup(sum, 30)", method: "sum", seconds: "30"},
				},
				constant(2),
			},
		},
		&MetricQuery{Metric: "f", Scope: "*"},
	}
	if diff := cmp.Diff(want, got, formulas, cmpopts.IgnoreFields(MetricQuery{}, "tags")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

var formulas = cmp.AllowUnexported(operation{}, negation{}, application{}, MetricQuery{}, notFilter{}, oneTag{})

// formulaText is a formula as text again.
func formulaText(n formulaNode) string {
	switch n := n.(type) {
	case constant:
		return fmt.Sprintf("%g", float64(n))
	case negation:
		return "-(" + formulaText(n.of) + ")"
	case application:
		return n.function + "(" + formulaText(n.of) + ")"
	case operation:
		return "(" + formulaText(n.left) + string(n.operator) + formulaText(n.right) + ")"
	}
	q := n.(*MetricQuery)
	text := q.name() + "{" + q.Scope + "}"
	if len(q.by) > 0 {
		text += " by {" + strings.Join(q.by, ",") + "}"
	}
	if q.asCount {
		text += ".as_count()"
	}
	if q.asRate {
		text += ".as_rate()"
	}
	if q.zeros {
		text += ".fill(zero)"
	}
	return text + q.rollup
}

// makingUp is what a query that is taken has nowhere outside of scopes and groups.
var makingUp = regexp.MustCompile(`default|fill\((?:[^n]|n[^u])|shift|before|cutoff|clamp|anomal|outlier|forecast|diff|deriv|cumsum|integral|ewma|median|moving|smooth|trend|piecewise|per_|log`)

var zeroFilling = regexp.MustCompile(`default_zero\s*\(|fill\s*\(\s*zero`)

var inBraces = regexp.MustCompile(`[\w.]+\s*\{[^{}]*\}`)

// Whatever a query says, it is refused, or the same again when it is written out; nothing in
// it makes data up; and what is taken for a count counts in each of its queries.
func FuzzParseMetrics(f *testing.F) {
	for _, seed := range []string{
		"sum:a{b:c}.as_count() - sum:d{e:f AND (g:h OR NOT i:j)} by {k}.as_count().rollup(sum, 30)", "100*(1-count(v: v<=0.5):d{*}.as_count()/count:d{*}.as_count())",
		"abs(-p99.9:a{b:c}.fill(null, 60) + 1.5e-3)", "default_zero(avg:a{b:c})", "avg(last_5m):avg:a{*} > 5", "a{*}.weighted()", "exclude_null(max:a{b IN (c,d)})",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, counts bool) {
		n, err := parseMetrics(text, counts)
		if err != nil {
			return
		}
		again, err := parseMetrics(formulaText(n), counts)
		if diff := cmp.Diff(n, again, formulas); err != nil && !strings.Contains(err.Error(), "parentheses") || err == nil && diff != "" {
			t.Errorf("%q, written out as %q: %v\n%s", text, formulaText(n), err, diff)
		}
		bare := inBraces.ReplaceAllString(text, "")
		if counts && readMetrics(n, counts).ZerosMadeUp {
			bare = zeroFilling.ReplaceAllString(bare, "")
		}
		if makingUp.MatchString(bare) {
			t.Errorf("%q was taken, with %q in %q", text, makingUp.FindString(bare), bare)
		}
		if !counts || checkMetrics(n, true, "30") != nil {
			return
		}
		for _, q := range queriesOf(n) {
			if !q.asCount || q.asRate || q.method != "" && q.method != "sum" || q.Aggregator != "sum" && !strings.HasPrefix(q.Aggregator, "count") {
				t.Errorf("%q was taken for a count, with %+v", text, q)
			}
		}
	})
}
