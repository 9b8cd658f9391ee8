package datadog

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

// The requests are those of
// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
func TestEventRequests(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		`logs("status:error service:shop").index("main").rollup("count")`: `{"name":"q0","data_source":"logs",` +
			`"search":{"query":"status:error service:shop"},"indexes":["main"],"compute":{"aggregation":"count","interval":30000}}`,
		`logs("*").index("a", "b").rollup("count")`:         `{"name":"q0","data_source":"logs","search":{"query":"*"},"indexes":["a","b"],"compute":{"aggregation":"count","interval":30000}}`,
		` spans( "a" ) .rollup( "pc95" , "@duration" ) `:    `{"name":"q0","data_source":"spans","search":{"query":"a"},"compute":{"aggregation":"pc95","metric":"@duration","interval":30000}}`,
		`trace-analytics("a").rollup("count")`:              `{"name":"q0","data_source":"spans","search":{"query":"a"},"compute":{"aggregation":"count","interval":30000}}`,
		`ci-tests("@test.status:fail").rollup("count")`:     `{"name":"q0","data_source":"ci_tests","search":{"query":"@test.status:fail"},"compute":{"aggregation":"count","interval":30000}}`,
		`rum("@type:view").rollup("cardinality","@usr.id")`: `{"name":"q0","data_source":"rum","search":{"query":"@type:view"},"compute":{"aggregation":"cardinality","metric":"@usr.id","interval":30000}}`,
		// A backslash before a quote or a backslash is the text's, another one the search's.
		`events("a:\"b c\" d:e\-f g:h\\:i").rollup("count")`: `{"name":"q0","data_source":"events","search":{"query":"a:\"b c\" d:e\\-f g:h\\:i"},"compute":{"aggregation":"count","interval":30000}}`,
		`sum:a{b:c}.as_count()`:                              `{"name":"q0","data_source":"metrics","query":"sum:a{b:c}.as_count()"}`,
	} {
		if _, err := (Dialect{}).Check(expr, providers.Value, step); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
		got, err := json.Marshal(queryOf("q0", providers.Query{Expr: expr, Step: step}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", expr, diff)
		}
	}
}

func TestBadEventQueries(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		`log("a").rollup("count")`:                              "log is no source of events; valid: audit, ci_pipelines, ci_tests, ",
		`logs("a")`:                                             `does not say what to make of the events; add .rollup("count")`,
		`logs("").rollup("count")`:                              "the text is empty; to search for all events write *",
		`logs("a","b").rollup("count")`:                         "takes one text, the search",
		`logs("a").rollup("count"`:                              `want , or ) at ""`,
		`logs("a`:                                               "the text has no end",
		`logs("a").rollup(count)`:                               `want a text in double quotes at "count)"`,
		`logs("a").rollup("median", "@duration")`:               `"median" is no aggregation of events; valid: count, cardinality`,
		`logs("a").rollup("pc95")`:                              `needs to know of what: .rollup("pc95", "@duration")`,
		`logs("a").rollup("pc95", "@a", "@b")`:                  "needs to know of what",
		`logs("a").rollup("count", "@usr.id")`:                  `write .rollup("cardinality", …)`,
		`logs("a").rollup("count").rollup("count")`:             ".rollup is there twice",
		`logs("a").index("a").index("b").rollup("count")`:       ".index is there twice",
		`rum("a").index("a").rollup("count")`:                   ".index belongs to logs, not to rum",
		`logs("a").rollup("count").by("service")`:               "leave out .by",
		`logs("a").rollup("count").last("5m")`:                  "leave out .last",
		`logs("a").rollup("count") > 5`:                         `goes on after its end: "> 5"; leave comparisons to the tolerance`,
		`logs("a").rollup("count").fill("zero")`:                ".fill is not known",
		`logs("a").rollup("count") / logs("b").rollup("count")`: "goes on after its end",
		`logs("a")."x"`:                                         `want NAME("…")`,
	} {
		_, err := Dialect{}.Check(expr, providers.Value, step)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", expr, err, want)
		}
	}
	for expr, ok := range map[string]bool{
		`logs("a").rollup("count")`:                 true,
		`logs("a").rollup("cardinality","@usr.id")`: true,
		`logs("a").rollup("sum", "@n")`:             true,
		`logs("a").rollup("avg", "@n")`:             false,
		`logs("a").rollup("pc95", "@n")`:            false,
	} {
		for _, part := range []providers.Part{providers.Bad, providers.Total} {
			if _, err := (Dialect{}).Check(expr, part, step); (err == nil) != ok {
				t.Errorf("%s, %s: error %v", expr, part, err)
			}
		}
	}
}

// Where $arm stands decides how it is written.
// https://docs.datadoghq.com/metrics/advanced-filtering/
// https://docs.datadoghq.com/logs/explorer/search_syntax/
func TestFilterByPlace(t *testing.T) {
	t.Parallel()
	labels := []providers.Label{{Name: "Service", Value: "Shop-Canary"}, {Name: "env", Value: "prod"}}
	for _, tt := range []struct{ text, want, fails string }{
		{"sum:a{$arm}", "service:shop-canary,env:prod", ""},
		{"sum:a{x:y,$arm}.as_count()", "service:shop-canary,env:prod", ""},
		{"sum:a{!x:y,$arm} by {z}", "service:shop-canary,env:prod", ""},
		{"sum:a{x:y AND b:c} + sum:a{$arm}", "service:shop-canary,env:prod", ""},
		{"sum:a{$arm AND x:y}", "service:shop-canary AND env:prod", ""},
		{"sum:a{x:y and $arm}", "service:shop-canary AND env:prod", ""},
		{"sum:a{$arm AND x IN (a,b)}", "service:shop-canary AND env:prod", ""},
		{"sum:a{$arm AND x NOT IN (a,b)}", "service:shop-canary AND env:prod", ""},
		{"sum:a{(x:y OR x:z) AND $arm}", "service:shop-canary AND env:prod", ""},
		{"sum:a{x:y AND NOT $arm}", "(service:shop-canary AND env:prod)", ""},
		{"sum:a{and:or,$arm}", "service:shop-canary,env:prod", ""},
		{"sum:a{x:y OR $arm}", "", "for one side of OR only"},
		{"sum:a{$arm AND x:y OR x:z}", "", "for one side of OR only"},
		{"sum:a{x:w AND (x:y OR $arm)}", "", "for one side of OR only"},
		{"sum:a{!$arm}", "", "would negate the first label only"},
		{"sum:a{x:$arm}", "", "one word with what stands beside them"},
		{"sum:a{$arm:x}", "", "one word with what stands beside them"},
		{"sum:a{x:y AND (b:c OR d:e) AND ($arm)}", "service:shop-canary AND env:prod", ""},
		{`logs("a:$arm").rollup("count")`, "", "one word with what stands beside them"},
		{`logs("$arm*").rollup("count")`, "", "one word with what stands beside them"},
		{`logs("a ($arm)").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{"sum:a$arm", "", "stands in the braces of a scope"},
		{"sum:a{x:y}$arm", "", "stands in the braces of a scope"},
		{"sum:a{$arm", "", "stands in the braces of a scope"},
		{`logs("$arm").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{`logs("status:error $arm").index("main").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{`rum("@type:error AND $arm").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{`logs("(a OR b) $arm").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{`logs("\"a OR b\" $arm").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{`logs("a:(b OR c) $arm").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{`logs("a NOT $arm").rollup("count")`, `(service:shop\-canary env:prod)`, ""},
		{`logs("a -$arm").rollup("count")`, `(service:shop\-canary env:prod)`, ""},
		{`logs("a OR $arm").rollup("count")`, "", "for one side of OR only"},
		{`logs("a OR b $arm").rollup("count")`, "", "for one side of OR only"},
		{`logs("\"$arm\"").rollup("count")`, "", "cannot stand in quotes"},
		{`logs("a").index("$arm").rollup("count")`, "", "stand in the search"},
		{`logs("a").rollup("count")$arm`, "", "stand in the search"},
		{`logs("$arm`, "", "stand in the search"},
	} {
		before, after, _ := strings.Cut(tt.text, "$arm")
		got, err := Dialect{}.Filter(labels, providers.Around{Before: before, After: after})
		if got != tt.want || (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%s: %q, %v; want %q, error %q", tt.text, got, err, tt.want, tt.fails)
		}
	}
}

// A value is found by exactly itself. A tag's is what Datadog stores, an attribute's
// what was said.
func TestSearchValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, want string }{
		{"version", "1.2.3+Build5", `version:1.2.3_build5`},
		{"branch", "feat/x:y-z", `branch:feat/x\:y\-z`},
		{"@usr.plan", "Gold Plan", `@usr.plan:Gold\ Plan`},
		{"@a", "x OR service:y", `@a:x\ OR\ service\:y`},
		{"@a", `"`, `@a:\"`},
		{"@a", `\`, `@a:\\`},
		{"@a", `") OR *`, `@a:\"\)\ OR\ \*`},
		{"@a", "a\nb", ""},
		{"@a", "", ""},
		{"a", "x y", ""},
		{"@", "x", ""},
		{"a:b", "x", ""},
		{"a b", "x", ""},
	} {
		around := providers.Around{Before: `logs("status:error `, After: `").rollup("count")`}
		got, err := Dialect{}.Filter([]providers.Label{{Name: tt.name, Value: tt.value}}, around)
		if (err == nil) != (tt.want != "") {
			t.Errorf("%s, %q: %q, %v", tt.name, tt.value, got, err)
			continue
		}
		if err != nil {
			continue
		}
		q, err := parseEvents(around.Before + got + around.After)
		if want := "status:error " + tt.want; err != nil || q.search != want {
			t.Errorf("%s, %q: %+v, %v; want the search %q", tt.name, tt.value, q, err, want)
		}
	}
	for place, want := range map[string]string{
		`logs("version:$ a").rollup("count")`:     `version:1\-2 a`,
		`logs("version:\"$\" a").rollup("count")`: `version:"1-2" a`,
	} {
		before, after, _ := strings.Cut(place, "$")
		got, err := Dialect{}.Value(providers.Label{Name: "version", Value: "1-2"}, providers.Around{Before: before, After: after})
		if err != nil {
			t.Errorf("%s: %v", place, err)
			continue
		}
		if q, err := parseEvents(before + got + after); err != nil || q.search != want {
			t.Errorf("%s: %+v, %v; want %s", place, q, err, want)
		}
	}
}

// escaped is a character with its backslash.
var escaped = regexp.MustCompile(`(?s)\\.`)

// A value cannot leave its place in a search: whatever it is, nothing in it that means
// something is without its backslash.
func FuzzSearchValue(f *testing.F) {
	for _, value := range []string{`a" b`, `\`, `\"`, "x) OR (y", "日本", "\u00a0", `").rollup("count`} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		around := providers.Around{Before: `logs("before `, After: ` after").rollup("count")`}
		for _, name := range []string{"version", "@version"} {
			got, err := Dialect{}.Filter([]providers.Label{{Name: name, Value: value}}, around)
			if err != nil {
				continue
			}
			q, err := parseEvents(around.Before + got + around.After)
			if err != nil {
				t.Fatalf("%q became %q: %v", value, got, err)
			}
			term := strings.TrimSuffix(strings.TrimPrefix(q.search, "before "+name+":"), " after")
			if plain := escaped.ReplaceAllString(term, ""); len(term)+len(name)+len("before : after") != len(q.search) ||
				strings.ContainsAny(plain, "-!&|><(){}[]\"*?:\\# \t\n") || strings.ContainsFunc(plain, unicode.IsSpace) {
				t.Errorf("%q became %q, and the search %q", value, got, q.search)
			}
		}
	})
}

// Commas and words cannot be mixed:
// https://docs.datadoghq.com/metrics/advanced-filtering/#boolean-filtered-queries
func TestMixedScopes(t *testing.T) {
	t.Parallel()
	for expr, ok := range map[string]bool{
		"avg:a{b:c,d:e}":                    true,
		"avg:a{b:c,!d:e}":                   true,
		"avg:a{b:c AND d:e}":                true,
		"avg:a{b:c AND d IN (e, f)}":        true,
		"avg:a{b:c AND d NOT IN (e,f)}":     true,
		"avg:a{b:c AND (d:e OR f:g)}":       true,
		"avg:a{b:c AND d:e,f:g}":            false,
		"avg:a{b:c,d IN (e,f)}":             false,
		"avg:a{b:c AND !d:e}":               false,
		"avg:a{b:c} + avg:a{b:c or d:e,!f}": false,
	} {
		if _, err := (Dialect{}).Check(expr, providers.Value, step); (err == nil) != ok {
			t.Errorf("%s: error %v", expr, err)
		}
	}
}

// Twenty metrics of several sources, in both arms, are one request. A query that
// cannot be read asks nothing, and is an error of its own.
func TestOneRequest(t *testing.T) {
	t.Parallel()
	var queries []providers.Query
	for i := range 20 {
		for _, arm := range providers.Arms {
			expr := fmt.Sprintf(`sum:m%d{arm:%s}.as_count()`, i, arm)
			if i%2 > 0 {
				expr = fmt.Sprintf(`logs("m%d arm:%s").rollup("count")`, i, arm)
			}
			queries = append(queries, providers.Query{Metric: fmt.Sprint(i), Arm: arm, Part: providers.Value, Expr: expr, Start: begin, End: begin.Add(8 * step), Step: step})
		}
	}
	bad := queries[0]
	bad.Expr = `logs("a").rollup("mode")`
	queries = append(queries, bad)
	var requests atomic.Int64
	p, err := New(Settings{APIKey: "a", AppKey: "b"}, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		var asked request
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Data.Attributes.Queries) != 40 {
			t.Errorf("%d queries, %v", len(asked.Data.Attributes.Queries), err)
		}
		_, _ = io.WriteString(w, answerOf("@0", `{"query_index":39}`, "[7]"))
	})))
	if err != nil {
		t.Fatal(err)
	}
	answers, err := p.Fetch(t.Context(), queries)
	if err != nil || requests.Load() != 1 {
		t.Fatalf("%d requests, %v", requests.Load(), err)
	}
	if s := answers[39].Series; len(s) != 1 || s[0].Points[0].Value() != 7 {
		t.Errorf("the last query got %v", s)
	}
	if err := answers[40].Err; err == nil || !strings.Contains(err.Error(), `"mode" is no aggregation of events`) {
		t.Errorf("the query that cannot be read: %v", err)
	}
}
