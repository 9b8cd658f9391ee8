package query

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
)

const step = 30 * time.Second

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
		got, err := json.Marshal(SpecOf("q0", providers.Query{Expr: expr, Step: step}))
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
		q, err := ParseEvents(around.Before + got + around.After)
		if want := "status:error " + tt.want; err != nil || q.Search != want {
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
		if q, err := ParseEvents(before + got + after); err != nil || q.Search != want {
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
			q, err := ParseEvents(around.Before + got + around.After)
			if err != nil {
				t.Fatalf("%q became %q: %v", value, got, err)
			}
			term := strings.TrimSuffix(strings.TrimPrefix(q.Search, "before "+name+":"), " after")
			if plain := escaped.ReplaceAllString(term, ""); len(term)+len(name)+len("before : after") != len(q.Search) ||
				strings.ContainsAny(plain, "-!&|><(){}[]\"*?:\\# \t\n") || strings.ContainsFunc(plain, unicode.IsSpace) {
				t.Errorf("%q became %q, and the search %q", value, got, q.Search)
			}
		}
	})
}

// Whatever a query for events says, it is refused, or sent with a source, a search and an
// aggregation that are not empty; and the same again when it is written out.
func FuzzParseEvents(f *testing.F) {
	for _, expr := range []string{
		`logs("status:error a\"b\\").index("main", "b").rollup("count")`, `spans("*") . rollup("pc95","@duration")`,
		`logs("a").rollup("count") > 5`, `logs("a`, `logs("")`, `x("\`, `rum("a").by("b")`,
	} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		q, err := ParseEvents(expr)
		if err != nil {
			return
		}
		if q.Source == "" || strings.TrimSpace(q.Search) == "" || q.aggregation == "" || (q.measure == "") != (q.aggregation == "count") {
			t.Errorf("%q became %+v", expr, q)
		}
		again := q.Source + "(" + QuoteText(q.Search) + ")"
		if q.Indexes != nil {
			again += ".index(" + QuoteText(q.Indexes[0])
			for _, index := range q.Indexes[1:] {
				again += ", " + QuoteText(index)
			}
			again += ")"
		}
		again += ".rollup(" + QuoteText(q.aggregation)
		if q.measure != "" {
			again += ", " + QuoteText(q.measure)
		}
		got, err := ParseEvents(again + ")")
		if diff := cmp.Diff(q, got, cmp.AllowUnexported(EventQuery{})); err != nil || diff != "" {
			t.Errorf("%q, written out as %q: %v\n%s", expr, again, err, diff)
		}
	})
}
