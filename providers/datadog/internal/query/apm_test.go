package query

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
)

// The fields are those of ApmMetricsQuery in
// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
func TestAPMRequest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expr, want string }{
		{`apm_metrics("service:web-store env:prod").stat("hits")`,
			`{"name":"q0","data_source":"apm_metrics","stat":"hits","service":"web-store","query_filter":"env:prod"}`},
		{` apm_metrics( "service:a" ) . stat( "latency_p99" ) `,
			`{"name":"q0","data_source":"apm_metrics","stat":"latency_p99","service":"a"}`},
		{`apm_metrics("env:prod span_kind:server service:web-store version:1.2.3-rc_1 operation_name:web.request").stat("errors")`,
			`{"name":"q0","data_source":"apm_metrics","stat":"errors","service":"web-store","operation_name":"web.request","span_kind":"server","query_filter":"env:prod AND version:1.2.3-rc_1"}`},
		{`apm_metrics("service:a -synthetics:true http.status_class:5* resource_name:\"GET /api/{id}?a:\\\"b\\\"\"").stat("hits")`,
			`{"name":"q0","data_source":"apm_metrics","stat":"hits","service":"a","resource_name":"GET /api/{id}?a:\"b\"","query_filter":"NOT synthetics:true AND http.status_class:5*"}`},
	} {
		var want, got any
		sent, err := json.Marshal(SpecOf("q0", providers.Query{Expr: tt.expr, Step: time.Minute}))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(sent, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" || CheckSyntax(tt.expr) != nil {
			t.Errorf("%s: %v\n%s", tt.expr, CheckSyntax(tt.expr), diff)
		}
	}
}

// What is not understood would be a filter that nobody misses.
func TestAPMMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, rest string
		part       providers.Part
		want       string // of the error; "" for none
	}{
		{"service:a", `.stat("errors")`, providers.Bad, ""},
		{"service:a http.status_class:5xx", `.stat("hits")`, providers.Bad, ""},
		{"service:a", `.stat("apdex")`, providers.Value, ""},
		{"service:a", `.stat("latency_p95")`, providers.Total, `latency_p95 counts nothing; write .stat("hits") or .stat("errors")`},
		{"service:a", `.stat("hits_per_second")`, providers.Total, "hits_per_second counts nothing"},
		{"service:a", `.stat("hits")`, providers.Buckets, "threshold counts"},
		{"service:a", `.stat("latency_distribution")`, providers.Value, `"latency_distribution" is no statistic of APM; valid: apdex, error_rate`},
		{"service:a", `.stat("hits", "errors")`, providers.Value, ".stat is not known"},
		{"service:a", `.rollup("count")`, providers.Value, ".rollup is not known; a query for statistics of APM has .stat"},
		{"service:a", ``, providers.Value, "does not say of what"},
		{"service:a", `.stat("hits") > 5`, providers.Value, "goes on after its end"},
		{"service:a", `.stat("hits").index("main")`, providers.Value, "goes on after its end"},
		{"env:prod", `.stat("hits")`, providers.Value, "no service is named; add service:NAME"},
		{"service:a service:b", `.stat("hits")`, providers.Value, "service is there twice, as a and as b"},
		{"service:", `.stat("hits")`, providers.Value, `"service:" is not understood`},
		{"service:*", `.stat("hits")`, providers.Value, `"service:*" is not understood`},
		{"-service:a", `.stat("hits")`, providers.Value, "service cannot be negated"},
		{"service:a span_kind:queue", `.stat("hits")`, providers.Value, `"queue" is no kind of span; valid: server, client`},
		{"service:a OR service:b", `.stat("hits")`, providers.Value, `"OR" is not understood`},
		{"service:a AND env:b", `.stat("hits")`, providers.Value, `"AND" is not understood`},
		{"service:a (env:b)", `.stat("hits")`, providers.Value, `"(" is not understood`},
		{"service:a,env:b", `.stat("hits")`, providers.Value, `"," is not understood`},
		{"service:a text", `.stat("hits")`, providers.Value, `"text" is not understood`},
		{"service:a --env:b", `.stat("hits")`, providers.Value, `"--env:b" is not understood`},
		{"service:a !env:b", `.stat("hits")`, providers.Value, `"!env:b" is not understood`},
		{"service:a env:$env", `.stat("hits")`, providers.Value, `"env:$env" is not understood`},
		{`service:a env:\"b\"`, `.stat("hits")`, providers.Value, `is not understood`},
		{`service:a resource_name:\"\"`, `.stat("hits")`, providers.Value, `is not understood`},
		{`service:a resource_name:\"b\"c`, `.stat("hits")`, providers.Value, `is not understood`},
		{`service:a resource_name:\"b`, `.stat("hits")`, providers.Value, `is a quote not closed?`},
		{`service:a", "env:b`, `.stat("hits")`, providers.Value, "takes one text"},
	} {
		_, err := Dialect{}.Check(`apm_metrics("`+tt.text+`")`+tt.rest, tt.part, time.Minute)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %s: %v, want %q", tt.text, tt.rest, err, tt.want)
		}
	}
}

func TestAPMFilter(t *testing.T) {
	t.Parallel()
	labels := []providers.Label{{Name: "Service", Value: "Shop"}, {Name: "version", Value: "1.2+b"}}
	for _, tt := range []struct{ before, after, want string }{
		{`apm_metrics("`, `").stat("hits")`, "service:shop version:1.2_b"},
		{`apm_metrics("env:prod `, ` -a:b").stat("hits")`, "service:shop version:1.2_b"},
		{`apm_metrics("env:prod`, `").stat("hits")`, ""},
		{`apm_metrics("-`, `").stat("hits")`, ""},
		{`apm_metrics("resource_name:\"`, `\"").stat("hits")`, ""},
		{`apm_metrics("service:a").stat("`, `")`, ""},
	} {
		got, err := Dialect{}.Filter(labels, providers.Around{Before: tt.before, After: tt.after})
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s$arm%s: %q, %v; want %q", tt.before, tt.after, got, err, tt.want)
		}
	}
	got, err := Dialect{}.Value(labels[1], providers.Around{Before: `apm_metrics("service:a version:`, After: `").stat("hits")`})
	if got != "1.2_b" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// Whatever a query for statistics of APM says, it is refused, or sent with a service and a
// statistic, and with each word of its text in one place.
func FuzzParseAPM(f *testing.F) {
	for _, text := range []string{
		`service:a env:b -c:d`, `service:a resource_name:"GET /x" span_kind:server`, `service:"a b" operation_name:c`, `service:a OR b:c`, `service:a b:"c`, `resource_name:"\"" service:a`,
	} {
		f.Add(text, "hits")
	}
	f.Fuzz(func(t *testing.T, text, stat string) {
		expr := "apm_metrics(" + QuoteText(text) + ").stat(" + QuoteText(stat) + ")"
		q, err := ParseAPM(expr)
		if err != nil {
			return
		}
		if _, known := apmStats[q.Stat]; q.Service == "" || !known || q.Stat != stat {
			t.Errorf("%q became %+v", expr, q)
		}
		places := len(q.Filter) + 1
		for _, field := range []string{q.Operation, q.resource, q.spanKind} {
			if field != "" {
				places++
			}
		}
		if n := len(Words(text)); n != places {
			t.Errorf("%d words of %q became %d: %+v", n, text, places, q)
		}
		for _, one := range q.Filter {
			if strings.ContainsAny(strings.TrimPrefix(one, "NOT "), " \t\n(){},\"!$") {
				t.Errorf("%q has the filter %q", expr, one)
			}
		}
	})
}
