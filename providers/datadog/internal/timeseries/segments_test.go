package timeseries

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/apitest"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

// Each part of each query is asked for once, grouped, in one request; what has no such tag is left out. The fields are those of
// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
func TestSegments(t *testing.T) {
	t.Parallel()
	var queries []providers.Query
	for _, q := range []struct {
		part providers.Part
		expr string
	}{
		{providers.Total, "sum:trace.http.request.hits{service:shop}.as_count()"},
		{providers.Value, "sum:trace.http.request.errors{service:shop}.as_count() / sum:trace.http.request.hits{service:shop}.as_count()"},
		{providers.Total, `logs("service:shop status:error").index("main").rollup("count")`},
		{providers.Total, `apm_metrics("service:shop version:v2").stat("hits")`},
	} {
		queries = append(queries, providers.Query{Metric: "m", Part: q.part, Expr: q.expr, Start: begin, End: begin.Add(2 * step), Step: step})
	}
	var specs []string
	f := New(apitest.Client(t, api.Options{Transport: providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Data struct {
				Attributes struct{ Queries []json.RawMessage }
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		for _, q := range asked.Data.Attributes.Queries {
			specs = append(specs, string(q))
		}
		_, _ = io.WriteString(w, answerOf("@0,@1",
			`{"group_tags":["region:eu"],"query_index":0},{"group_tags":["region:us"],"query_index":0},{"group_tags":["region:N/A"],"query_index":0},{"group_tags":["region:ap"],"query_index":2}`,
			"[1,2],[30,null],[9,9],[null,null]"))
	}))}))
	got, err := f.Segments(t.Context(), "region", queries)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]providers.Segment{{Value: "eu", Size: 3}, {Value: "us", Size: 30}}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	want := []string{
		`{"name":"q0part0","data_source":"metrics","query":"sum:trace.http.request.hits{service:shop} by {region}.as_count()"}`,
		`{"name":"q1part0","data_source":"metrics","query":"sum:trace.http.request.errors{service:shop} by {region}.as_count()"}`,
		`{"name":"q2","data_source":"logs","search":{"query":"service:shop status:error"},"indexes":["main"],"compute":{"aggregation":"count","interval":` + "%d" + `},"group_by":[{"facet":"region","limit":1000,"sort":{"aggregation":"count","order":"desc"}}]}`,
		`{"name":"q3","data_source":"apm_metrics","stat":"hits","service":"shop","query_filter":"version:v2","group_by":["region"]}`,
	}
	want[2] = strings.Replace(want[2], "%d", "30000", 1)
	if diff := cmp.Diff(want, specs); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, tag := range []string{"re gion", "", "a{b", `"`} {
		if _, err := f.Segments(t.Context(), tag, queries); err == nil {
			t.Errorf("%q is taken for a tag", tag)
		}
	}
	queries[0].Expr = `synthetics("abc-def-ghi").failed()`
	if _, err := f.Segments(t.Context(), "region", queries); err == nil || !strings.Contains(err.Error(), "has no segments") {
		t.Errorf("%v", err)
	}
}
