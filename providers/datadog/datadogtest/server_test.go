package datadogtest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ten o'clock: 1795428000 s since the epoch.
var ten = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// steady is a world in which 3 events a happen every 10 seconds, and 1 event b in the
// first 10 of each minute.
func steady() Script {
	three := func(time.Time) float64 { return 3 }
	rare := func(t time.Time) float64 {
		if t.Second() < 10 {
			return 1
		}
		return 0
	}
	a, b := []string{"env:prod", "kind:a"}, []string{"env:prod", "kind:b"}
	second := func(time.Time) float64 { return 2 }
	return Script{Late: 20 * time.Second, Streams: []Stream{
		{Source: "metrics", Metric: "hits", Type: "count", Unit: "request", Tags: a, Count: three},
		{Source: "metrics", Metric: "hits", Type: "count", Unit: "request", Tags: b, Count: rare},
		{Source: "metrics", Metric: "time", Type: "distribution", Unit: "second", Tags: a, Count: three, Level: second, Spread: 0.5},
		{Source: "metrics", Metric: "off", Type: "distribution", Unit: "second", Tags: a, Count: three, Level: second, Spread: 0.5, NoPercentiles: true},
		{Source: "metrics", Metric: "heap", Type: "gauge", Unit: "byte", Tags: a, Level: second},
		{Source: "logs", Tags: append(b, "status:error"), Count: rare},
		{Source: "spans", Unit: "nanosecond", Tags: append(a, "@duration:7"), Count: three, Level: second, Spread: 0.5},
	}}
}

// send sends a request at a time and returns the answer.
func send(s *Server, at time.Time, method, path, body string) *httptest.ResponseRecorder {
	s.Now = func() time.Time { return at }
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("DD-API-KEY", "key")
	r.Header.Set("DD-APPLICATION-KEY", "app")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// request asks for queries of two minutes from ten in steps of 30 seconds.
func request(queries ...string) string {
	var all, formulas []string
	for i, q := range queries {
		all = append(all, fmt.Sprintf(`{"name":"q%d",%s}`, i, q))
		formulas = append(formulas, fmt.Sprintf(`{"formula":"q%d"}`, i))
	}
	return fmt.Sprintf(`{"data":{"type":"timeseries_request","attributes":{"from":%d,"to":%d,"interval":30000,"queries":[%s],"formulas":[%s]}}}`,
		ten.UnixMilli(), ten.Add(2*time.Minute).UnixMilli(), strings.Join(all, ","), strings.Join(formulas, ","))
}

func metric(text string) string { return fmt.Sprintf(`"data_source":"metrics","query":%q`, text) }

func event(source, search, compute string) string {
	return fmt.Sprintf(`"data_source":%q,"search":{"query":%q},"compute":{%s}`, source, search, compute)
}

// values returns the rows of an answer by their query and group tags, "-" for a
// bucket that is left out or null.
func values(t *testing.T, w *httptest.ResponseRecorder) map[string]string {
	t.Helper()
	var got struct {
		Data struct {
			Attributes struct {
				Times  []int64
				Series []struct {
					GroupTags  []string `json:"group_tags"`
					QueryIndex int      `json:"query_index"`
				}
				Values [][]*float64
			}
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	all := map[string]string{}
	for i, s := range got.Data.Attributes.Series {
		var row []string
		for at := ten; at.Before(ten.Add(2 * time.Minute)); at = at.Add(30 * time.Second) {
			text := "-"
			for n, ms := range got.Data.Attributes.Times {
				if v := got.Data.Attributes.Values[i][n]; ms == at.UnixMilli() && v != nil {
					text = fmt.Sprintf("%.4g", *v)
				}
			}
			row = append(row, text)
		}
		all[strings.Join(append([]string{fmt.Sprint(s.QueryIndex)}, s.GroupTags...), " ")] = strings.Join(row, " ")
	}
	return all
}

func TestTimeseries(t *testing.T) {
	t.Parallel()
	s := &Server{World: steady(), APIKey: "key", AppKey: "app"}
	body := request(
		metric("sum:hits{env:prod}.as_count()"),
		metric("sum:hits{env:prod,kind:b}.as_count()"),
		metric("sum:hits{env:prod AND NOT kind:b} by {kind}.as_count()"),
		metric("sum:none{*}.as_count()"),
		metric("sum:hits{kind:c}.as_count()"),
		metric("p95:time{*}"),
		metric("p95:off{*}"),
		metric("avg:heap{kind IN (a, b)}"),
		event("logs", "status:error env:prod", `"aggregation":"count"`),
		event("logs", "status:(warn OR info)", `"aggregation":"count"`),
		event("spans", "@duration:>6 -kind:b", `"aggregation":"pc50","metric":"@duration"`),
		metric("sum:hits{!kind:b}"),
	)
	want := map[string]string{
		"0": "10 9 10 9", "1": "1 0 1 0", // a metric that says 0 is 0
		"2 kind:a": "9 9 9 9",
		"5":        "4.552 4.552 4.552 4.552", // 2 exp(0.5 z), z = 1.6449, the normal quantile of 0.95
		"7":        "2 2 2 2",
		"8":        "1 - 1 -", // events are never 0
		"10":       "2 2 2 2",
		"11":       "3 3 3 3", // averaged: nobody said as_count
	}
	if diff := cmp.Diff(want, values(t, send(s, ten.Add(time.Hour), "POST", "/api/v2/query/timeseries", body))); diff != "" {
		t.Errorf("an hour later (-want +got)\n%s", diff)
	}
	// At 10:01:30 there is what happened before 10:01:10: a third of the third bucket.
	want = map[string]string{"0": "10 9 4 -"}
	if diff := cmp.Diff(want, values(t, send(s, ten.Add(90*time.Second), "POST", "/api/v2/query/timeseries", request(metric("sum:hits{*}.as_count()"))))); diff != "" {
		t.Errorf("at once (-want +got)\n%s", diff)
	}
}

func TestWiderInterval(t *testing.T) {
	t.Parallel()
	s := &Server{World: steady(), APIKey: "key", AppKey: "app"}
	body := strings.Replace(request(metric("sum:hits{*}.as_count()")), fmt.Sprint(ten.UnixMilli()), fmt.Sprint(ten.Add(-24*time.Hour).UnixMilli()), 1)
	var got struct {
		Data struct{ Attributes struct{ Times []int64 } }
	}
	if err := json.Unmarshal(send(s, ten.Add(time.Hour), "POST", "/api/v2/query/timeseries", body).Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	// 2,884 points of 30 s are too many, half of them are not.
	if times := got.Data.Attributes.Times; len(times) != 1442 || times[1]-times[0] != 60000 {
		t.Errorf("%d points", len(times))
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := &Server{World: steady(), APIKey: "key", AppKey: "app"}
	good := request(metric("sum:hits{*}.as_count()"))
	for body, want := range map[string]string{
		"{": "API input validation failed",
		strings.Replace(good, "timeseries_request", "x", 1):                       `API input validation failed: Invalid type. Expected \"timeseries_request\".`,
		strings.ReplaceAll(good, "000,", ","):                                     "Queries ending outside the retention date are invalid",
		request(metric("sum:hits{a:b AND}.as_count()")):                           "Rule 'scope_or' didn't match",
		request(metric("sum:hits{a:b,c:d AND e:f}.as_count()")):                   "'AND' and 'OR' cannot be mixed with ','",
		request(metric("sum:hits{$arm}.as_count()")):                              "Rule 'scope_or' didn't match",
		request(metric("sum:hits{*}.frobnicate()")):                               "unable to parse",
		request(event("logs", "(status:error", `"aggregation":"count"`)):          "Invalid query",
		request(event("logs", "status:error", `"aggregation":"pc95"`)):            "does not know pc95",
		strings.Replace(good, `{"formula":"q0"}`, `{"formula":"q0 / q0 * 1"}`, 1): "knows no formulas",
	} {
		if w := send(s, ten.Add(time.Hour), "POST", "/api/v2/query/timeseries", body); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s; want 400 and %q", body, w.Code, w.Body, want)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s := &Server{World: steady(), APIKey: "key", AppKey: "app"}
	for _, tt := range []struct {
		path, apiKey, appKey string
		want                 int
	}{
		{"/api/v1/validate", "key", "", http.StatusOK},
		{"/api/v1/validate", "other", "", http.StatusForbidden},
		{"/api/v1/validate", "", "", http.StatusUnauthorized},
		{"/api/v1/metrics/hits", "key", "app", http.StatusOK},
		{"/api/v1/metrics/hits", "key", "", http.StatusUnauthorized},
		{"/api/v1/metrics/hits", "key", "other", http.StatusForbidden},
		{"/api/v1/metrics/none", "key", "app", http.StatusNotFound},
		{"/api/v2/metrics/none/all-tags", "key", "app", http.StatusNotFound},
		{"/api/v2/metrics/hits/tags", "key", "app", http.StatusNotFound},
		{"/api/v3/metrics", "key", "app", http.StatusNotFound},
	} {
		r := httptest.NewRequest("GET", tt.path, nil)
		r.Header.Set("DD-API-KEY", tt.apiKey)
		r.Header.Set("DD-APPLICATION-KEY", tt.appKey)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%+v: %d", tt, w.Code)
		}
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	s := &Server{World: steady(), APIKey: "key", AppKey: "app"}
	for path, want := range map[string]string{
		"/api/v1/metrics/hits":          `"type":"count","unit":"request"`,
		"/api/v2/metrics/hits/all-tags": `"tags":["env:prod","kind:a","kind:b"]`,
		"/api/v2/metrics/time/tags":     `"include_percentiles":true,"metric_type":"distribution","tags":["env","kind"]`,
		"/api/v2/metrics/off/tags":      `"include_percentiles":false`,
	} {
		if w := send(s, ten, "GET", path, ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s; want %s", path, w.Code, w.Body, want)
		}
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	s := &Server{World: steady(), APIKey: "key", AppKey: "app", Limit: 2, Period: time.Minute}
	for _, tt := range []struct {
		after                   time.Duration
		status                  int
		remaining, reset, limit string
	}{
		{45 * time.Second, http.StatusOK, "1", "15", "2"},
		{50 * time.Second, http.StatusOK, "0", "10", "2"},
		{50500 * time.Millisecond, http.StatusTooManyRequests, "0", "10", "2"},
		{60 * time.Second, http.StatusOK, "1", "60", "2"}, // the period is the clock's
	} {
		w := send(s, ten.Add(tt.after), "GET", "/api/v1/validate", "")
		h := w.Header()
		if w.Code != tt.status || h.Get("X-RateLimit-Remaining") != tt.remaining || h.Get("X-RateLimit-Reset") != tt.reset || h.Get("X-RateLimit-Limit") != tt.limit || h.Get("X-RateLimit-Period") != "60" {
			t.Errorf("after %s: %d %v", tt.after, w.Code, h)
		}
	}
}

// The counts are Poisson's: their variance is their mean. The same canary is the same
// world, and a canary's errors are what it says.
func TestShop(t *testing.T) {
	t.Parallel()
	total := func(c Canary, name string) (n, squares float64) {
		for _, s := range Shop(c).Streams {
			if s.Metric == name && s.Tags[2] == "version:v2" {
				for i := range 5000 {
					v := s.Count(ten.Add(time.Duration(10*i) * time.Second))
					n, squares = n+v, squares+v*v
				}
			}
		}
		return n / 5000, squares / 5000
	}
	mean, squares := total(Canary{}, "trace.http.request.hits")
	if variance := squares - mean*mean; math.Abs(mean-50) > 0.5 || math.Abs(variance-50) > 5 {
		t.Errorf("hits: mean %g, variance %g; want 50 and 50", mean, variance)
	}
	if mean, _ := total(Canary{Errors: 4}, "trace.http.request.errors"); math.Abs(mean-5) > 0.15 {
		t.Errorf("five times 2 %% of 50 are 5, not %g", mean)
	}
	if again, _ := total(Canary{}, "trace.http.request.hits"); again != mean {
		t.Errorf("%g, then %g", mean, again)
	}
}

// Statistics of APM are those of the trace metrics of the operation with the most requests.
func TestAPM(t *testing.T) {
	t.Parallel()
	times := func(n float64) func(time.Time) float64 { return func(time.Time) float64 { return n } }
	tags := func(more ...string) []string { return append([]string{"service:shop"}, more...) }
	s := &Server{APIKey: "key", AppKey: "app", World: Script{Streams: []Stream{
		{Source: "metrics", Metric: "trace.rack.request.hits", Type: "count", Tags: tags("env:prod", "span_kind:server"), Count: times(3)},
		{Source: "metrics", Metric: "trace.rack.request.hits", Type: "count", Tags: tags("env:dev"), Count: times(1)},
		{Source: "metrics", Metric: "trace.rack.request.errors", Type: "count", Tags: tags("env:prod"), Count: times(2)},
		{Source: "metrics", Metric: "trace.rack.request", Type: "distribution", Unit: "second", Tags: tags("env:prod"), Count: times(3), Level: times(0.5), Spread: 0.1},
		{Source: "metrics", Metric: "trace.redis.command.hits", Type: "count", Tags: tags("env:prod", "resource_name:get"), Count: times(2)},
	}}}
	got := values(t, send(s, ten.Add(time.Hour), http.MethodPost, "/api/v2/query/timeseries", request(
		`"data_source":"apm_metrics","stat":"hits","service":"shop"`,
		`"data_source":"apm_metrics","stat":"hits","service":"shop","query_filter":"env:prod"`,
		`"data_source":"apm_metrics","stat":"errors","service":"shop","query_filter":"env:prod AND NOT env:dev"`,
		`"data_source":"apm_metrics","stat":"latency_p50","service":"shop","query_filter":"env:prod"`,
		`"data_source":"apm_metrics","stat":"hits","service":"shop","operation_name":"redis.command","resource_name":"get"`,
		`"data_source":"apm_metrics","stat":"hits","service":"shop","span_kind":"server"`,
		`"data_source":"apm_metrics","stat":"hits","service":"other"`,
	)))
	want := map[string]string{"0": "12 12 12 12", "1": "9 9 9 9", "2": "6 6 6 6", "3": "0.5 0.5 0.5 0.5", "4": "6 6 6 6", "5": "9 9 9 9"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, bad := range []string{`"stat":"apdex","service":"shop"`, `"stat":"hits"`, `"stat":"hits","service":"shop","resource_name":"GET /"`} {
		if w := send(s, ten, http.MethodPost, "/api/v2/query/timeseries", request(`"data_source":"apm_metrics",`+bad)); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
}

// The answer about an SLO has the fields of the recorded ones.
func TestSLO(t *testing.T) {
	t.Parallel()
	s := &Server{World: Shop(Canary{}), APIKey: "key", AppKey: "app"}
	for _, tt := range []struct {
		id   string
		code int
		want []string
	}{
		{Requests, 200, []string{`"type":"metric"`, `"type_id":1`, `"error":null`, `"bad_events_formula":{"formula":"query2"}`, `"data_source":"metrics"`, `"numerator":"sum:`}},
		{Outcomes, 200, []string{`"id":"` + Outcomes + `"`, `"denominator":"sum:discounts.requests{*} by {env}.as_count()"`, `"created_at":1704322488`}},
		{Alerts, 200, []string{`"type":"monitor"`, `"monitor_ids":[12345]`}},
		{Slices, 200, []string{`"type":"time_slice"`, `"type_id":2`, `"query_interval_seconds":300`}},
		{"x", 404, []string{`{"errors":["SLO not found: x not found"]}`}},
	} {
		w := send(s, ten, http.MethodGet, "/api/v1/slo/"+tt.id, "")
		for _, want := range tt.want {
			if w.Code != tt.code || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: %d, want %d and %s in %s", tt.id, w.Code, tt.code, want, w.Body)
			}
		}
	}
	if w := send(s, ten, http.MethodGet, "/api/v1/slo/"+Alerts, ""); strings.Contains(w.Body.String(), "numerator") {
		t.Errorf("an SLO of monitors has queries: %s", w.Body)
	}
	if w := send(&Server{World: struct{ World }{}, APIKey: "key", AppKey: "app"}, ten, http.MethodGet, "/api/v1/slo/"+Requests, ""); w.Code != http.StatusNotFound {
		t.Errorf("a world without SLOs answers %d", w.Code)
	}
}

// A deployment is marked by its id or by service, env and version, as
// https://docs.datadoghq.com/api/latest/dora-metrics/ has it; what is asked for amiss is
// refused, and marks nothing.
func TestMarks(t *testing.T) {
	t.Parallel()
	const all = "/api/v2/dora/deployments"
	patch := func(id, kind, attributes string) string {
		return fmt.Sprintf(`{"data":{"id":%q,"type":%q,"attributes":{%s}}}`, id, kind, attributes)
	}
	const kind, three = "dora_deployment_patch_request", `"service":"a","env":"b","version":"c"`
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		mark                     Mark
	}{
		{"by id", "PATCH", all + "/x%2Fy", patch("x/y", kind, `"change_failure":true`), 202, Mark{ID: "x/y"}},
		{"by version", "PATCH", all, patch("", kind, three+`,"change_failure":true`), 202, Mark{"", "a", "b", "c"}},
		{"no failure", "PATCH", all + "/x", patch("x", kind, `"change_failure":false`), 202, Mark{}},
		{"another id", "PATCH", all + "/x", patch("y", kind, `"change_failure":true`), 400, Mark{}},
		{"another type", "PATCH", all + "/x", patch("x", "deployment", `"change_failure":true`), 400, Mark{}},
		{"nothing said", "PATCH", all + "/x", patch("x", kind, ``), 400, Mark{}},
		{"no version", "PATCH", all, patch("", kind, `"service":"a","env":"b","change_failure":true`), 400, Mark{}},
		{"no JSON", "PATCH", all, "x", 400, Mark{}},
		{"another method", "POST", all, patch("", kind, three), 404, Mark{}},
		{"another route", "PATCH", all + "s", patch("", kind, three), 404, Mark{}},
	} {
		s := &Server{APIKey: "key", AppKey: "app"}
		w := send(s, ten, tt.method, tt.path, tt.body)
		var want []Mark
		if tt.mark != (Mark{}) {
			want = []Mark{tt.mark}
		}
		if diff := cmp.Diff(want, s.Marks()); diff != "" || w.Code != tt.status {
			t.Errorf("%s: %d %s, want %d (-want +got)\n%s", tt.name, w.Code, w.Body, tt.status, diff)
		}
	}
}
