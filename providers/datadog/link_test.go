package datadog_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog"
)

// keys are valid settings.
var keys = datadog.Settings{APIKey: "hunter2-api", AppKey: "hunter2-app"}

// The times are those of `date -u -d 2026-11-23T10:00:00Z +%s000` and of half an hour later.
func TestLinks(t *testing.T) {
	t.Parallel()
	eu := keys
	eu.Site = "datadoghq.eu"
	us3 := keys
	us3.Site = "us3.datadoghq.com"
	proxied := keys
	proxied.URL = "https://ada:hunter2-password@proxy.example/datadog"
	for _, tt := range []struct {
		settings   datadog.Settings
		expr       string
		page       string
		parameters url.Values
	}{
		{
			keys, `logs("status:error service:shop\\-canary \"a&b\"").index("main").rollup("count")`, "https://app.datadoghq.com/logs",
			url.Values{"query": {`status:error service:shop\-canary "a&b"`}, "from_ts": {"1795428000000"}, "to_ts": {"1795429800000"}, "live": {"false"}},
		},
		{
			eu, `spans("service:shop").rollup("pc95", "@duration")`, "https://app.datadoghq.eu/apm/traces",
			url.Values{"query": {"service:shop"}, "start": {"1795428000000"}, "end": {"1795429800000"}, "paused": {"true"}},
		},
		{
			us3, `trace-analytics("service:shop").rollup("count")`, "https://us3.datadoghq.com/apm/traces",
			url.Values{"query": {"service:shop"}, "start": {"1795428000000"}, "end": {"1795429800000"}, "paused": {"true"}},
		},
		{
			proxied, `rum("@type:view #+%/?é").rollup("count")`, "https://app.datadoghq.com/rum/sessions",
			url.Values{"query": {"@type:view #+%/?é"}, "from_ts": {"1795428000000"}, "to_ts": {"1795429800000"}, "live": {"false"}},
		},
		{us3, `synthetics("abc-def-ghi").location("aws:eu-central-1").failed()`, "https://us3.datadoghq.com/synthetics/details/abc-def-ghi", url.Values{}},
		{keys, `synthetics("../../x").failed()`, "", url.Values{}},
		{keys, `sum:trace.http.request.hits{service:shop}.as_count()`, "", url.Values{}},
		{keys, `ci_tests("a").rollup("count")`, "", url.Values{}},
		{keys, `logs("a")`, "", url.Values{}},
		{keys, ``, "", url.Values{}},
	} {
		start := time.Date(2026, 11, 23, 11, 0, 0, 0, time.FixedZone("", 3600))
		link := open(t, tt.settings, nil).Link(providers.Query{Expr: tt.expr, Start: start, End: start.Add(30 * time.Minute), Step: 30 * time.Second})
		got, err := url.Parse(link)
		if err != nil || strings.Contains(link, "+") {
			t.Errorf("%s: %s, %v", tt.expr, link, err)
			continue
		}
		if diff := cmp.Diff(tt.parameters, got.Query()); diff != "" {
			t.Errorf("%s: parameters (-want +got)\n%s", tt.expr, diff)
		}
		if got.RawQuery = ""; got.String() != tt.page {
			t.Errorf("%s: the page is %q, want %q", tt.expr, got, tt.page)
		}
	}
}
