package datadog

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
)

// The syntax of https://docs.datadoghq.com/metrics/advanced-filtering/: a comma is AND,
// which binds more than OR, and operators of both kinds do not mix.
func TestNarrowed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ scope, want string }{
		{"*", "service:shop,version:v2"},
		{" * ", "service:shop,version:v2"},
		{"code:2xx", "code:2xx,service:shop,version:v2"},
		{"!code:3xx,env:prod", "!code:3xx,env:prod,service:shop,version:v2"},
		{"code:2xx OR code:4xx", "(code:2xx OR code:4xx) AND service:shop AND version:v2"},
		{"code:2xx or code:4xx", "(code:2xx or code:4xx) AND service:shop AND version:v2"},
		{"env:prod AND (code:2xx OR code:4xx)", "env:prod AND (code:2xx OR code:4xx) AND service:shop AND version:v2"},
		{"(a:b OR c:d) AND e:f OR g:h", "((a:b OR c:d) AND e:f OR g:h) AND service:shop AND version:v2"},
		{"NOT code:3xx", "NOT code:3xx AND service:shop AND version:v2"},
		{"env IN (prod,staging)", "env IN (prod,staging) AND service:shop AND version:v2"},
		{"env NOT IN (dev)", "env NOT IN (dev) AND service:shop AND version:v2"},
		// What cannot take tags.
		{"", ""},
		{"$env", ""},
		{"a:b OR", ""},
		{"a:b) OR (c:d", ""},
		{"(a:b", ""},
		{"a:b,", ""},
		{"a:b AND c:d,e:f", ""},
		{"a:b OR !c:d", ""},
		{`a:"b`, ""},
		{"a:b\vc:d", ""},
	} {
		got, err := narrowed(tt.scope, []string{"service:shop", "version:v2"})
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("{%s}: %q, %v; want %q", tt.scope, got, err, tt.want)
		}
	}
}

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

// Whatever the scope of an SLO is, with the tags of an arm it selects nothing that lacks
// one of them; and of what has them, what it selects without.
func FuzzNarrowed(f *testing.F) {
	for _, scope := range []string{
		"*", "code:2xx", "!code:2xx,env:prod", "code:2xx OR code:5xx", "env:prod AND NOT (code:2xx OR code:5xx)",
		"code IN (2xx,5xx)", "code NOT IN (2xx)", "code:2xx) OR (code:5xx", "code:2xx OR", "code:2xx or env:prod", "code:2*,-env:prod",
	} {
		f.Add(scope)
	}
	one := func(time.Time) float64 { return 1 }
	stream := func(tags ...string) datadogtest.Script {
		return datadogtest.Script{Streams: []datadogtest.Stream{{Source: "metrics", Metric: "m", Type: "count", Tags: tags, Count: one}}}
	}
	selects := func(scope string, tags ...string) (bool, error) {
		series, err := stream(tags...).Query(datadogtest.Query{
			Source: "metrics", Text: "sum:m{" + scope + "}.as_count()",
			From: begin, To: begin.Add(time.Minute), Interval: time.Minute, Now: begin.Add(time.Hour),
		})
		return len(series) > 0, err
	}
	f.Fuzz(func(t *testing.T, scope string) {
		both, err := narrowed(scope, []string{"service:shop", "version:v2"})
		if err != nil {
			return
		}
		for _, code := range []string{"code:2xx", "code:5xx"} {
			for _, env := range []string{"env:prod", "env:dev"} {
				for _, tags := range [][]string{{code, env}, {code, env, "service:shop"}, {code, env, "version:v2"}} {
					if got, err := selects(both, tags...); got && err == nil {
						t.Errorf("{%s}, narrowed to {%s}, selects %v", scope, both, tags)
					}
				}
				arm := []string{code, env, "service:shop", "version:v2"}
				want, err := selects(scope, arm...)
				if err != nil {
					continue
				}
				if got, err := selects(both, arm...); got != want || err != nil {
					t.Errorf("{%s}, narrowed to {%s}: %v, %v of %v; without %v", scope, both, got, err, arm, want)
				}
			}
		}
	})
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
				n, err := parseMetrics(expr, true)
				q, is := n.(*metricQuery)
				if err != nil || !is || !q.asCount || q.method != "" || !strings.HasSuffix(q.scope, "version:v2") {
					t.Errorf("the query %q: %v", expr, err)
				}
			}
			if _, known := all.at(begin, nil); known {
				t.Errorf("%s is known of nothing", counted)
			}
		}
	})
}
