package slo

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
)

// begin is the start of the window of these tests: 2026-11-23T10:00:00Z is 1795428000.
var begin = time.UnixMilli(1795428000000).UTC()

// What is understood of sums, and what would be a number of something else.
func TestParseSum(t *testing.T) {
	t.Parallel()
	a, b := events{"sum:a", "*"}, events{"count(v: v<=0.5):b.c", "env:prod"}
	named := map[string]sum{"query1": {{a, 1}}, "query2": {{b, 1}}}
	for _, tt := range []struct {
		text string
		want sum
		err  string
	}{
		{"sum:a{*}.as_count()", sum{{a, 1}}, ""},
		{" sum:a{ * } by {host,env} .as_count() ", sum{{a, 1}}, ""},
		{"sum:a{*} by {host,env}.as_count().rollup(sum, 60)", sum{{a, 1}}, ""},
		{"sum:a{*}.as_count() + count(v: v<=0.5):b.c{env:prod}.as_count()", sum{{a, 1}, {b, 1}}, ""},
		{"query1 - query2", sum{{a, 1}, {b, -1}}, ""},
		{"(query1 - query2) + (query2)", sum{{a, 1}}, ""},
		{"query1 - (query2 - query1)", sum{{a, 2}, {b, -1}}, ""},
		{"default_zero(query1)", sum{{a, 1}}, ""},
		{"query1 - query1", sum{}, ""},
		{"sum:a{*}", nil, "sum:a has no .as_count(), without which Datadog averages"},
		{"sum:a{*}.as_rate()", nil, "function .as_rate(), which is not understood"},
		{"sum:a{*}.as_count().rollup(avg, 60)", nil, "function .rollup(avg, 60)"},
		{"sum:a{*}.as_count().fill(zero)", nil, "function .fill(zero)"},
		{"avg:a{*}.as_count()", nil, "avg:a counts no events"},
		{"p95:a{*}", nil, "p95:a counts no events"},
		{"query1 * 2", nil, `not "* 2"`},
		{"query1 / query2", nil, `not "/ query2"`},
		{"query3", nil, `not "query3"`},
		{"query11", nil, `not "query11"`},
		{"(query1", nil, `not ""`},
		{"query1)", nil, `not ")"`},
		{"query1 +", nil, `not ""`},
		{"- query1", nil, `not "- query1"`},
		{"", nil, `not ""`},
		{strings.Repeat("(", 20_000), nil, "longer than 10000 characters"},
	} {
		got, err := parseSum(tt.text, named)
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(term{}, events{})); diff != "" || (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%.40q: %v, want %q\n%s", tt.text, err, tt.err, diff)
		}
	}
}

// Whatever an answer says an SLO is, it is refused, or comes to queries of the arm alone.
func FuzzReadSLO(f *testing.F) {
	for _, seed := range []string{
		`"query":{"numerator":"sum:a{code:2xx}.as_count()","denominator":"sum:a{*} by {env}.as_count()"}`,
		`"query":{"numerator":"sum:a{x:y OR z:w}.as_count() - sum:b{*}.as_count()","denominator":"sum:a{*}.as_count()"}`,
		`"sli_specification":{"count":{"good_events_formula":{"formula":"q1 - q2"},"bad_events_formula":{"formula":"(q2)"},"queries":[
			{"data_source":"metrics","name":"q1","query":"sum:a{*}.as_count()"},{"data_source":"metrics","name":"q2","query":"sum:b{*}.as_count()"}]}}`,
	} {
		f.Add([]byte(`{"data":{"id":"ab","type":"metric",` + seed + `},"error":null}`))
	}
	for _, seed := range []string{`{"data":{"id":"ab","type":"monitor"}}`, `{"data":null,"error":"x"}`, `{"errors":["x"]}`, "<html>", "[]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := readSLO(body, "ab")
		if err != nil {
			return
		}
		i, err := o.indicator()
		if err != nil {
			return
		}
		for _, counted := range []string{"bad", "total"} {
			all, err := i.tally(counted).narrowed([]string{"version:v2"})
			if err != nil {
				continue
			}
			exprs := all.exprs()
			if len(exprs) == 0 {
				t.Errorf("no query for %s", counted)
			}
			for _, expr := range exprs {
				// What is taken for a count of events may be a formula, or roll up by itself.
				_, err := query.Dialect{}.Check(expr, providers.Total, time.Minute)
				if queries, _ := query.MetricQueries(expr, true); err != nil || len(queries) != 1 || !strings.HasSuffix(expr, "version:v2}.as_count()") {
					t.Errorf("the query %q: %v", expr, err)
				}
			}
			if _, known := all.at(begin, nil); known {
				t.Errorf("%s is known of nothing", counted)
			}
		}
	})
}
