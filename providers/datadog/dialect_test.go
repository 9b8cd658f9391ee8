package datadog_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
)

func TestType(t *testing.T) {
	t.Parallel()
	typ := datadog.Type()
	if _, err := typ.Open(typ.Settings()); err == nil {
		t.Error("opened without keys")
	}
	if p, err := typ.Open(&datadog.Settings{APIKey: "a", AppKey: "b"}); err != nil || p == nil {
		t.Error(err)
	}
}

// What a query for an SLO can be, and what the front adds to the languages of the query API.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		expr string
		part providers.Part
		step time.Duration
		want string // of the error; "" for none
	}{
		{`slo("0123456789abcdef0123456789abcdef","a:b,c:d").bad()`, providers.Bad, 30 * time.Second, ""},
		{`slo("0123456789abcdef0123456789abcdef", "a:b").total()`, providers.Total, 30 * time.Second, ""},
		{`slo("0123456789abcdef0123456789abcdef","a:b").bad()`, providers.Total, 30 * time.Second, "counts the bad events of an SLO; write ratio: {slo: 0123456789abcdef0123456789abcdef}"},
		{`slo("0123456789abcdef0123456789abcdef","a:b").total()`, providers.Value, 30 * time.Second, "counts the total events"},
		{`slo("0123456789abcdef0123456789abcdef","a:b").bad()`, providers.Bad, 1500 * time.Millisecond, "Datadog's steps are whole seconds"},
		{`slo("0123456789abcdef0123456789abcdef","a:b").good()`, providers.Bad, 30 * time.Second, "want the events of an SLO as"},
		{`slo("0123","a:b").bad()`, providers.Bad, 30 * time.Second, "want the events of an SLO as"},
		{`slo("0123456789abcdef0123456789abcdef").bad()`, providers.Bad, 30 * time.Second, "want the events of an SLO as"},
		{`slo("0123456789abcdef0123456789abcdef","").bad()`, providers.Bad, 30 * time.Second, `"" is no tag of an arm`},
		{`slo("0123456789abcdef0123456789abcdef","a:b OR c:d").bad()`, providers.Bad, 30 * time.Second, `"a:b OR c:d" is no tag of an arm`},
		{`slo("0123456789abcdef0123456789abcdef","a:b,!c:d").bad()`, providers.Bad, 30 * time.Second, `"!c:d" is no tag of an arm`},
		{`synthetics("abc-def-ghi").failed()`, providers.Bad, 1500 * time.Millisecond, ""},
		{`synthetics("abc-def-ghi").failed()`, providers.Value, 30 * time.Second, "runs are counted"},
		{"sum:a{b:c}.as_count()", providers.Bad, 30 * time.Second, ""},
		{"sum:a{b:c}", providers.Bad, 30 * time.Second, "counts need .as_count()"},
		{`logs("a")`, providers.Bad, 30 * time.Second, "does not say what to make of the events"},
		{`apm_metrics("env:prod").stat("hits")`, providers.Bad, 30 * time.Second, "no service is named"},
	} {
		_, err := datadog.Dialect{}.Check(tt.expr, tt.part, tt.step)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.expr, err, tt.want)
		}
	}
	const slo = `slo("0123456789abcdef0123456789abcdef","a:b").bad()`
	got, err := datadog.Dialect{}.Check(" "+slo, providers.Bad, 30*time.Second)
	if diff := cmp.Diff(providers.Reading{Scopes: []providers.Scope{{Text: slo}}}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// Queries are divided by a tag, each of a formula. The fields are those of
// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
func TestQueriesAreGrouped(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"sum:a{b:c}.as_count()":      "sum:a{b:c} by {pod_name}.as_count()",
		"a{*}":                       "a{*} by {pod_name}",
		"avg:a{b:c} by {d,e}":        "avg:a{b:c} by {d,e,pod_name}",
		"avg:a{b:c} by { pod_name }": "avg:a{b:c} by {pod_name}",
		"(sum:a{b:c}.as_count()-sum:d{b:c AND e:f} by {g}) / 2": "(sum:a{b:c} by {pod_name}.as_count()-sum:d{b:c AND e:f} by {g,pod_name}) / 2",
		"count(v: v<=0.5):a{b:c}.as_count().rollup(sum, 30)":    "count(v: v<=0.5):a{b:c} by {pod_name}.as_count().rollup(sum, 30)",
	} {
		if got, err := datadog.Type().Grouped(expr, "pod_name"); err != nil || got != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", expr, got, err, want)
		}
	}
	for expr, want := range map[string]string{
		`logs("a b").rollup("count")`:           `{"name":"q","data_source":"logs","search":{"query":"a b"},"compute":{"aggregation":"count","interval":30000},"group_by":[{"facet":"pod_name","limit":1000,"sort":{"aggregation":"count","order":"desc"}}]}`,
		`apm_metrics("service:a").stat("hits")`: `{"name":"q","data_source":"apm_metrics","stat":"hits","service":"a","group_by":["pod_name"]}`,
	} {
		got, err := datadog.Type().Grouped(expr, "pod_name")
		if err != nil || query.CheckSyntax(got) != nil {
			t.Fatalf("%s: %v", got, err)
		}
		spec, err := json.Marshal(query.SpecOf("q", providers.Query{Expr: got, Step: 30 * time.Second}))
		if err != nil || string(spec) != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", expr, spec, err, want)
		}
		if _, err := (datadog.Dialect{}).Check(got, providers.Total, 30*time.Second); err == nil {
			t.Errorf("%s is taken in a config", got)
		}
	}
	if _, err := datadog.Type().Grouped(`slo("0123456789abcdef0123456789abcdef","a:b").bad()`, "pod_name"); err == nil {
		t.Error("an SLO is divided")
	}
	if _, err := datadog.Type().Grouped("sum:a{b:c}", "Pod"); err == nil || !strings.Contains(err.Error(), "write pod") {
		t.Error(err)
	}
	if _, err := datadog.Type().Grouped("sum:a{b:c}", "a b"); err == nil {
		t.Error("a b is taken for a tag")
	}
}
