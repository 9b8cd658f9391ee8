package query

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
)

// Queries as the documentation of Datadog and people have them, and what is wrong with
// them, if anything: https://docs.datadoghq.com/dashboards/functions/
func TestMetricQueries(t *testing.T) {
	t.Parallel()
	const hits, errs = "sum:hits{a:b}.as_count()", "sum:errors{a:b}.as_count()"
	for _, tt := range []struct {
		expr string
		part providers.Part
		want string // of the error; "" for none
	}{
		{hits, providers.Total, ""},
		{" " + hits + " ", providers.Total, ""},
		{hits + " - " + errs, providers.Bad, ""},
		{"(" + hits + ") + (" + errs + " - sum:known{a:b,!c:d}.as_count())", providers.Bad, ""},
		{"sum:hits{a:b}.rollup(sum, 30).as_count()", providers.Total, ""},
		{"count:d{a:b}.as_count().rollup(30)", providers.Total, ""},
		{"count(v: v<=0.5):d{a:b AND c IN (d,e)}.as_count()", providers.Bad, ""},
		{"count( v: v > 1e-3 ):d{a:b}.as_count()", providers.Bad, ""},
		{"sum:hits{a:b}.as_count().fill(null)", providers.Total, ""},
		{"exclude_null(" + hits + ")", providers.Total, ""},
		{errs + " / " + hits, providers.Value, ""},
		{"100 * (1 - " + errs + " / " + hits + ")", providers.Value, ""},
		{"-avg:a{b:c} + 1.5e3", providers.Value, ""},
		{"sum:hits{a:b}.as_rate()", providers.Value, ""},
		{"avg:a{b:c}.weighted()", providers.Value, ""},
		{"abs(avg:a{b:c} - max:d{b:c})", providers.Value, ""},
		{"system.load.1{a:b}", providers.Value, ""}, // avg
		{"p99.9:a{b:c}", providers.Value, ""},
		{"avg:a{b:c} by {host}", providers.Value, ""},
		{"avg:a{b:c}.fill(null, 60)", providers.Value, ""},

		// Counts that are none.
		{"sum:hits{a:b}", providers.Total, "sum:hits is no count: counts need .as_count()"},
		{hits + " - sum:ok{a:b}", providers.Bad, "sum:ok is no count"},
		{"sum:hits{a:b}.as_rate()", providers.Total, "counts need .as_count()"},
		{"avg:hits{a:b}.as_count()", providers.Total, "write sum:hits, or count:hits for a distribution"},
		{"max:hits{a:b}.as_count()", providers.Total, "counts no events"},
		{"min:hits{a:b}.as_count()", providers.Total, "counts no events"},
		{"p95:hits{a:b}.as_count()", providers.Bad, "counts no events"},
		{"hits{a:b}.as_count()", providers.Bad, "write sum:hits"},
		{"sum:hits{a:b}.as_count().rollup(avg, 30)", providers.Total, ".rollup(avg, 30) makes sum:hits no count of events"},
		{"sum:hits{a:b}.rollup(max).as_count()", providers.Total, "no count of events"},
		{"count:d{a:b}.as_count().rollup(count, 30)", providers.Total, "no count of events"},
		{errs + " / " + hits, providers.Bad, "a quotient is no count"},
		{errs + " - " + errs, providers.Bad, "a count less itself is none in every step"},
		{hits + " - " + errs, providers.Bad, ""},
		{"2 * " + errs, providers.Bad, "a product is no count"},
		{errs + " + 1", providers.Bad, "a number is no count"},
		{"-" + errs, providers.Bad, "less than no events"},
		{"abs(" + errs + ")", providers.Bad, "abs(…) hides that a count is less than none"},
		{"per_second(" + hits + ")", providers.Total, "change from one step to the next"},
		{"per_minute(" + hits + ")", providers.Total, "not the number of events: leave it out"},
		{"per_minute(avg:e{a:b})", providers.Value, "write .as_rate()"},
		{"max(" + hits + ")", providers.Total, "aggregates what is aggregated already"},

		// Data that are made up, hidden, or of another time.
		{"default_zero(" + errs + ")", providers.Bad, ""},
		{"default_zero(" + errs + ")", providers.Value, "absent: zero"},
		{"default_zero(avg:lat{a:b})", providers.Value, "makes up values for steps that have none"},
		{"1 + default( avg:lat{a:b}, 0)", providers.Value, "makes up values"},
		{"sum:e{a:b}.as_count().fill(zero)", providers.Bad, ""},
		{"sum:e{a:b}.as_count().fill(last)", providers.Bad, ".fill(last) makes up values"},
		{"default(sum:e{a:b}.as_count(), 0)", providers.Bad, "makes up values"},
		{"default_zero(sum:e{a:b})", providers.Bad, "sum:e is no count"},
		{"sum:e{a:b}.as_count().fill(zero)", providers.Value, ".fill(zero) makes up values"},
		{"avg:e{a:b}.fill(last, 600)", providers.Value, "makes up values"},
		{"avg:e{a:b}.fill(linear)", providers.Value, "makes up values"},
		{"avg:e{a:b}.fill(0)", providers.Value, "makes up values"},
		{"avg:e{a:b}.fill()", providers.Value, "makes up values"},
		{"avg:e{a:b}.fill(null).fill(last)", providers.Value, "makes up values"},
		{"timeshift(avg:e{a:b}, -3600)", providers.Value, "write baseline: {offset: 1d}"},
		{"hour_before(avg:e{a:b})", providers.Value, "another time"},
		{"avg:e{a:b} / week_before(avg:e{a:b})", providers.Value, "another time"},
		{"month_before(avg:e{a:b})", providers.Value, "another time"},
		{"calendar_shift(avg:e{a:b}, '-1d')", providers.Value, "another time"},
		{"cutoff_max(avg:e{a:b}, 5)", providers.Value, "hides the values beyond a bound"},
		{"clamp_max(avg:e{a:b}, 5)", providers.Value, "by the bound"},
		{"exclude_null(avg:e{a:b} by {host})", providers.Value, "hides what has no tag"},
		{"anomalies(avg:e{a:b}, 'basic', 2)", providers.Value, "nobody measured"},
		{"forecast(avg:e{a:b}, 'linear', 1)", providers.Value, "nobody measured"},
		{"outliers(avg:e{a:b}, 'DBSCAN', 2)", providers.Value, "nobody measured"},
		{"diff(avg:e{a:b})", providers.Value, "other steps than that one"},
		{"derivative(avg:e{a:b})", providers.Value, "other steps than that one"},
		{"monotonic_diff(avg:e{a:b})", providers.Value, "other steps than that one"},
		{"cumsum(" + errs + ")", providers.Value, "adds up all steps before"},
		{"integral(" + errs + ")", providers.Value, "adds up all steps before"},
		{"ewma_20(avg:e{a:b})", providers.Value, "spreads values over other steps"},
		{"median_9(avg:e{a:b})", providers.Value, "spreads values over other steps"},
		{"moving_rollup(avg:e{a:b}, 300, 'sum')", providers.Value, "spreads values over other steps"},
		{"autosmooth(avg:e{a:b})", providers.Value, "spreads values over other steps"},
		{"robust_trend(avg:e{a:b})", providers.Value, "spreads values over other steps"},
		{"trend_line(avg:e{a:b})", providers.Value, "spreads values over other steps"},
		{"piecewise_constant(avg:e{a:b})", providers.Value, "spreads values over other steps"},
		{"log10(avg:e{a:b})", providers.Value, "makes changes look small"},
		{"top(avg:e{a:b} by {host}, 1, 'mean', 'desc')", providers.Value, "picks series"},
		{"top10(avg:e{a:b} by {host})", providers.Value, "picks series"},
		{"frobnicate(avg:e{a:b})", providers.Value, "known are abs(…), exclude_null(…)"},
		{"avg:e{a:b}.frobnicate()", providers.Value, "behind a query there can be .as_count()"},
		{"abs(default_zero(avg:e{a:b}))", providers.Value, "makes up values"},
		{"0 * avg:e{a:b}", providers.Value, "makes all numbers the same"},
		{"avg:e{a:b} * (2 - 2)", providers.Value, "makes all numbers the same"},
		{"abs(-0 / avg:e{a:b})", providers.Value, "makes all numbers the same"},

		// What is no query.
		{"", providers.Value, "the query ends where a query"},
		{"5", providers.Value, "asks for no metric"},
		{"avg:e", providers.Value, "the query ends where the scope of avg:e"},
		{"avg:e{}", providers.Value, "write {$arm}, or {*}"},
		{"avg:{a:b}", providers.Value, "want the name of a metric"},
		{"avg:e{a:b", providers.Value, "want the scope of avg:e"},
		{"avg:e{a:b AND}", providers.Value, "the scope {a:b AND} is not understood: it ends where a tag should be"},
		{"avg:e{(a:b}", providers.Value, "a parenthesis is not closed"},
		{"avg:e{a:b}.", providers.Value, "want a function"},
		{"avg:e{a:b}.rollup(daily)", providers.Value, "is not understood; write .rollup(METHOD, $step)"},
		{"avg:e{a:b}.rollup(avg, daily)", providers.Value, "is not understood"},
		{"avg:e{a:b}.rollup(avg, -30)", providers.Value, "is not understood"},
		{"avg:e{a:b}.rollup()", providers.Value, "is not understood"},
		{"avg:e{a:b}.rollup(30).rollup(max)", providers.Value, "is there twice"},
		{"sum:e{a:b}.as_count().as_rate()", providers.Value, "leave out one"},
		{"avg:e{a:b} > 5", providers.Value, "leave comparisons to the tolerance"},
		{"avg(last_5m):avg:e{a:b} > 5", providers.Value, "this is a monitor's condition"},
		{"avg:e{a:b}, avg:f{a:b}", providers.Value, "one query is compared"},
		{"avg:e{a:b} avg:f{a:b}", providers.Value, "want the query's end"},
		{"(avg:e{a:b}", providers.Value, "the query ends where ) should be"},
		{"avg:e{a:b} +", providers.Value, "the query ends where a query"},
		{strings.Repeat("(", 1e5), providers.Value, "more than 100 parentheses"},
		{strings.Repeat("-", 1e5), providers.Value, "more than 100 parentheses"},
	} {
		_, err := Dialect{}.Check(tt.expr, tt.part, 30*time.Second)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.80s: error %v, want %q", tt.expr, err, tt.want)
		}
	}
}

// What queries select, in one spelling, and whether they can say zero of nothing.
func TestReadings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		expr   string
		part   providers.Part
		scopes []providers.Scope
		zeros  bool
		doubts int
	}{
		{"sum:a{B:c, d:e }.as_count() - count(v: v>1):f{g:h AND NOT i IN (j,k)}.as_count()", providers.Bad, []providers.Scope{{Name: "a", Text: "a{b:c,d:e}"}, {Name: "f", Text: "f{(g:h AND NOT (i:j OR i:k))}", Picks: "f{g:h}"}}, false, 0},
		{"default_zero(sum:a{b:c}.as_count())", providers.Bad, []providers.Scope{{Name: "a", Text: "a{b:c}"}}, true, 0},
		{"sum:a{b:c}.as_count() + sum:a{*}.as_count().fill(zero, 60)", providers.Bad, []providers.Scope{{Name: "a", Text: "a{b:c}"}, {Name: "a", Text: "a{*}"}}, true, 0},
		{"100 * sum:a{b:c}.as_count() / sum:d{b:c}.as_count()", providers.Value, []providers.Scope{{Name: "a", Text: "a{b:c}"}, {Name: "d", Text: "d{b:c}"}}, false, 1},
		{"avg:a{b:c} / avg:d{b:c}", providers.Value, []providers.Scope{{Name: "a", Text: "a{b:c}"}, {Name: "d", Text: "d{b:c}"}}, false, 0},
		{`logs("a:b  c:d").index("x").rollup("count")`, providers.Bad, []providers.Scope{{Text: `logs("a:b c:d").index(["x"])`}}, false, 0},
		{`logs("a:b c:d").index("x").rollup("cardinality", "@user")`, providers.Bad, []providers.Scope{{Text: `logs("a:b c:d").index(["x"])`}}, false, 0},
		{`apm_metrics("service:s -a:b").stat("errors")`, providers.Bad, []providers.Scope{{Text: `apm_metrics("service:s NOT a:b")`}}, false, 0},
	} {
		got, err := Dialect{}.Check(tt.expr, tt.part, 30*time.Second)
		if diff := cmp.Diff(tt.scopes, got.Scopes); err != nil || diff != "" || got.ZerosMadeUp != tt.zeros || len(got.Doubts) != tt.doubts {
			t.Errorf("%s: %+v, %v (-want +got)\n%s", tt.expr, got, err, diff)
		}
	}
}
