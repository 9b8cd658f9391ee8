package query

import (
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
)

// begin is the start of the window of these tests: 2026-11-23T10:00:00Z is 1795428000.
var begin = time.UnixMilli(1795428000000).UTC()

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
		got, err := Narrowed(tt.scope, []string{"service:shop", "version:v2"})
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("{%s}: %q, %v; want %q", tt.scope, got, err, tt.want)
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
		both, err := Narrowed(scope, []string{"service:shop", "version:v2"})
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
