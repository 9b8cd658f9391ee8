package slo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/apitest"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/slo"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/timeseries"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

var ten = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// both answers queries for SLOs, and those for metrics that these become.
type both struct {
	slos   *slo.Indicators
	series *timeseries.Fetcher
}

func (b both) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	return b.slos.Fetch(ctx, queries, b.series.Fetch)
}

func open(t *testing.T, transport http.RoundTripper) both {
	t.Helper()
	c := apitest.Client(t, api.Options{Transport: transport})
	return both{slo.New(c), timeseries.New(c)}
}

// counted returns the counts by minute.
func counted(a providers.Answer) map[int]float64 {
	if len(a.Series) != 1 {
		return nil
	}
	all := map[int]float64{}
	for _, p := range a.Series[0].Points {
		all[int(p.Time.Sub(ten).Minutes())] = p.Value()
	}
	return all
}

// sloID is the id of an SLO in the examples of the API's reference.
const sloID = "ebf2e048f49a5134b61a586438c66505"

// metricSLO is the answer about an SLO of metrics, by the shape of
// https://docs.datadoghq.com/api/latest/service-level-objectives/get-an-slos-details/
func metricSLO(definition string) string {
	return `{"data":{"id":"` + sloID + `","name":"shop","tags":[],"monitor_tags":[],"thresholds":[{"timeframe":"7d","target":95.0}],` +
		`"type":"metric","type_id":1,` + definition + `,"creator":null,"created_at":1704322488,"modified_at":1704322488},"error":null}`
}

// ratioSLO is in the older form.
func ratioSLO(numerator, denominator string) string {
	return metricSLO(fmt.Sprintf(`"query":{"denominator":%q,"numerator":%q}`, denominator, numerator))
}

// hitsSLO is in the newer form, with formulas of hits and errors.
func hitsSLO(formulas string) string {
	return metricSLO(`"query":{"numerator":"not read","denominator":"not read"},"sli_specification":{"count":{` + formulas + `,"queries":[
		{"data_source":"metrics","name":"query1","query":"sum:hits{env:prod}.as_count()"},
		{"data_source":"metrics","name":"query2","query":"sum:errors{env:prod} by {host}.as_count()"}]}}`)
}

// service answers about one SLO, and for counts by minute after ten.
type service struct {
	slo              string
	counts           map[string]map[int]float64 // by query; nil has no series
	lookUps, queries atomic.Int64
	asked            atomic.Value // the texts of the last request
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == "/api/v1/slo/"+sloID {
		s.lookUps.Add(1)
		_, _ = io.WriteString(w, s.slo)
		return
	}
	s.queries.Add(1)
	var body struct {
		Data struct {
			Attributes struct {
				Interval int64
				Queries  []struct{ Query string }
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Data.Attributes.Interval != 60_000 {
		http.Error(w, "a bad request", http.StatusBadRequest)
		return
	}
	var texts, series, rows []string
	for i, q := range body.Data.Attributes.Queries {
		texts = append(texts, q.Query)
		counts, known := s.counts[q.Query]
		if !known {
			http.Error(w, `{"errors":["not expected: `+q.Query+`"]}`, http.StatusBadRequest)
			return
		}
		if counts == nil {
			continue
		}
		var row []string
		for minute := range 5 {
			value := "null"
			if n, there := counts[minute]; there {
				value = fmt.Sprint(n)
			}
			row = append(row, value)
		}
		series = append(series, fmt.Sprintf(`{"group_tags":[],"query_index":%d,"unit":null}`, i))
		rows = append(rows, "["+strings.Join(row, ",")+"]")
	}
	s.asked.Store(texts)
	var times []string
	for minute := range 5 {
		times = append(times, fmt.Sprint(ten.Add(time.Duration(minute)*time.Minute).UnixMilli()))
	}
	_, _ = fmt.Fprintf(w, `{"data":{"type":"timeseries_response","attributes":{"times":[%s],"series":[%s],"values":[%s]}}}`,
		strings.Join(times, ","), strings.Join(series, ","), strings.Join(rows, ","))
}

// eventsOf asks for the events of the SLO in five steps of a minute from ten on.
func eventsOf(counted string) providers.Query {
	return providers.Query{
		Metric: "availability", Arm: providers.Canary, Part: providers.Part(counted), Start: ten, End: ten.Add(5 * time.Minute), Step: time.Minute,
		Expr: `slo("` + sloID + `","service:shop,version:v2").` + counted + `()`,
	}
}

// The queries are what the rules for scopes make of those of the SLO, and the counts are
// added up by hand.
func TestEventsOfSLOsAreCounted(t *testing.T) {
	t.Parallel()
	const arm = "service:shop,version:v2"
	hits, errs := "sum:hits{env:prod,"+arm+"}.as_count()", "sum:errors{env:prod,"+arm+"}.as_count()"
	ok, all := "sum:r{code:2xx,"+arm+"}.as_count()", "sum:r{"+arm+"}.as_count()"
	for _, tt := range []struct {
		name, slo  string
		counts     map[string]map[int]float64
		bad, total map[int]float64
	}{
		{
			// Silence about errors is for the judge to read; the total is there.
			"bad events of their own", hitsSLO(`"good_events_formula":{"formula":"query1 - query2"},"bad_events_formula":{"formula":"query2"}`),
			map[string]map[int]float64{hits: {0: 100, 1: 90, 3: 80}, errs: {1: 3, 3: 0, 4: 1}},
			map[int]float64{1: 3, 3: 0, 4: 1}, map[int]float64{0: 100, 1: 90, 3: 80},
		},
		{
			"bad events that are subtracted", hitsSLO(`"good_events_formula":{"formula":"query1 - query2"},"total_events_formula":{"formula":"query1"}`),
			map[string]map[int]float64{hits: {0: 100, 1: 90}, errs: {1: 3}},
			map[int]float64{1: 3}, map[int]float64{0: 100, 1: 90},
		},
		{
			"good and bad events of their own", hitsSLO(`"good_events_formula":{"formula":"query1"},"bad_events_formula":{"formula":"query2"}`),
			map[string]map[int]float64{hits: {0: 97, 1: 90}, errs: {1: 3, 2: 5}},
			map[int]float64{1: 3, 2: 5}, map[int]float64{0: 97, 1: 93, 2: 5},
		},
		{
			// Silence about good events is neither none nor all of them.
			"good events and all", ratioSLO("sum:r{code:2xx}.as_count()", "sum:r{*}.as_count()"),
			map[string]map[int]float64{ok: {0: 97, 1: 50, 3: 7}, all: {0: 100, 1: 50, 2: 60}},
			map[int]float64{0: 3, 1: 0}, map[int]float64{0: 100, 1: 50},
		},
		{
			"good events of two queries, one of them silent at times", ratioSLO("sum:r{code:2xx}.as_count() + sum:s{!code:5xx}.as_count()", "sum:r{*}.as_count()"),
			map[string]map[int]float64{ok: {0: 97, 1: 50}, "sum:s{!code:5xx," + arm + "}.as_count()": {0: 2, 2: 9}, all: {0: 100, 1: 52, 2: 10, 3: 9}},
			map[int]float64{0: 1, 1: 2, 2: 1}, map[int]float64{0: 100, 1: 52, 2: 10},
		},
		{
			"of a distribution", ratioSLO("count(v: v<=0.5):d{a:b OR c:d}.as_count().rollup(sum, 3600)", "count:d{a:b AND NOT c:d} by {x}.as_count()"),
			map[string]map[int]float64{
				"count(v: v<=0.5):d{(a:b OR c:d) AND service:shop AND version:v2}.as_count()": {0: 8},
				"count:d{a:b AND NOT c:d AND service:shop AND version:v2}.as_count()":         {0: 9},
			},
			map[int]float64{0: 1}, map[int]float64{0: 9},
		},
		{
			"nothing", ratioSLO("sum:r{code:2xx}.as_count()", "sum:r{*}.as_count()"),
			map[string]map[int]float64{ok: nil, all: nil}, nil, nil,
		},
		{
			"no good events ever", ratioSLO("sum:r{code:2xx}.as_count()", "sum:r{*}.as_count()"),
			map[string]map[int]float64{ok: nil, all: {0: 5}}, nil, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &service{slo: tt.slo, counts: tt.counts}
			queries := []providers.Query{eventsOf("bad"), eventsOf("total")}
			answers, err := open(t, providertest.Serve(t, s)).Fetch(t.Context(), queries)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range answers {
				if err := errors.Join(a.Err, providertest.Check(queries[i], a)); err != nil {
					t.Error(err)
				}
			}
			if diff := cmp.Diff(tt.bad, counted(answers[0])) + cmp.Diff(tt.total, counted(answers[1])); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			want := slices.Sorted(maps.Keys(tt.counts))
			asked, _ := s.asked.Load().([]string)
			if diff := cmp.Diff(want, slices.Sorted(slices.Values(asked))); diff != "" {
				t.Errorf("the queries, each once (-want +got)\n%s", diff)
			}
		})
	}
}

// An SLO is looked up once, and its queries go along with those of all other metrics.
func TestSLOsTakeNoFurtherRequest(t *testing.T) {
	t.Parallel()
	const scope = "env:prod,service:shop,version:v2"
	s := &service{
		slo: hitsSLO(`"good_events_formula":{"formula":"query1 - query2"},"bad_events_formula":{"formula":"query2"}`),
		counts: map[string]map[int]float64{
			"sum:hits{" + scope + "}.as_count()": {0: 10}, "sum:errors{" + scope + "}.as_count()": {0: 1}, "avg:load{version:v2}": {0: 7, 1: 7, 2: 7, 3: 7, 4: 7},
		},
	}
	p := open(t, providertest.Serve(t, s))
	var queries []providers.Query
	for n := range 20 {
		for _, arm := range providers.Arms {
			for _, counted := range []string{"bad", "total"} {
				q := eventsOf(counted)
				q.Metric, q.Arm = fmt.Sprint("m", n), arm
				if n > 2 {
					q.Expr, q.Part = "avg:load{version:v2}", providers.Value
				}
				queries = append(queries, q)
			}
		}
	}
	for look := range int64(3) {
		answers, err := p.Fetch(t.Context(), queries)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range answers {
			want := s.counts["avg:load{version:v2}"]
			if i < 12 {
				want = map[int]float64{0: []float64{1, 10}[i%2]}
			}
			if diff := cmp.Diff(want, counted(a)); a.Err != nil || diff != "" {
				t.Errorf("query %d: %v\n%s", i, a.Err, diff)
			}
		}
		if lookUps, n := s.lookUps.Load(), s.queries.Load(); lookUps != 1 || n != look+1 {
			t.Errorf("after look %d: %d requests for the SLO, %d for series; want 1 and %d", look, lookUps, n, look+1)
		}
	}
}

// A query of an SLO that the server refuses is that metric's trouble alone.
func TestSLOWithARefusedQuery(t *testing.T) {
	t.Parallel()
	s := &service{
		slo:    ratioSLO("sum:r{code:2xx}.as_count()", "sum:r{*}.as_count()"),
		counts: map[string]map[int]float64{"load": {0: 1}, "sum:r{code:2xx,service:shop,version:v2}.as_count()": {0: 1}},
	}
	load := eventsOf("total")
	load.Metric, load.Expr, load.Part = "load", "load", providers.Value
	answers, err := open(t, providertest.Serve(t, s)).Fetch(t.Context(), []providers.Query{load, eventsOf("bad"), eventsOf("total")})
	if err != nil || answers[0].Err != nil || len(answers[0].Series) != 1 {
		t.Fatalf("%v, %v", answers, err)
	}
	for _, a := range answers[1:] {
		if want := `metric "availability", bad of the canary: datadog: query api.datadoghq.com: 400 Bad Request: not expected: sum:r{service:shop,version:v2}.as_count()`; a.Err == nil || !strings.Contains(a.Err.Error(), want) {
			t.Errorf("%v, want %q", a.Err, want)
		}
	}
}

// Half an SLO beside another query would lose what silence about good events means.
func TestHalfAnSLO(t *testing.T) {
	t.Parallel()
	s := &service{slo: ratioSLO("sum:r{code:2xx}.as_count()", "sum:r{*}.as_count()"), counts: map[string]map[int]float64{"sum:hits{*}.as_count()": {0: 1}}}
	other := eventsOf("total")
	other.Expr = "sum:hits{*}.as_count()"
	another := eventsOf("total")
	another.Arm = providers.Baseline
	answers, err := open(t, providertest.Serve(t, s)).Fetch(t.Context(), []providers.Query{eventsOf("bad"), other, another})
	if err != nil || answers[1].Err != nil {
		t.Fatalf("%v, %v", answers, err)
	}
	for _, i := range []int{0, 2} {
		if want := "the bad events of an SLO and all of them are judged together; write ratio: {slo: ID}"; answers[i].Err == nil || !strings.Contains(answers[i].Err.Error(), want) {
			t.Errorf("query %d: %v, want %q", i, answers[i].Err, want)
		}
	}
}

// Each case is an SLO that arms cannot be judged by, or a server in trouble with it. None
// may look like events, or show a key.
func TestTroubleWithSLOs(t *testing.T) {
	t.Parallel()
	of := func(kind string) string { return `{"data":{"id":"` + sloID + `","type":` + kind + `},"error":null}` }
	const instead = "; write queries for its events instead: ratio: {bad: …, total: …}"
	for _, tt := range []struct {
		name   string
		status int
		body   string
		class  web.Class
		own    bool
		want   string
	}{
		{"no such SLO", 404, `{"errors":["SLO not found: x not found"]}`, web.BadQuery, true, "look up the SLO " + sloID + ": 404 Not Found: SLO not found: x not found; check the SLO's id, and that DD_SITE and the keys are of its organisation"},
		{"wrong key", 401, `{"errors":["Unauthorized hunter2-api"]}`, web.Auth, false, "401 Unauthorized: Unauthorized [secret]; check DD_API_KEY"},
		{"no permission", 403, `{"errors":["Forbidden hunter2-app"]}`, web.Auth, false, "403 Forbidden: Forbidden [secret]; check DD_API_KEY and DD_SITE, and that the application key has the permission slos_read"},
		{"a limit", 429, "", web.Limit, false, "429 Too Many Requests"},
		{"broken", 500, "<html>hunter2-app", web.Unreachable, false, "500 Internal Server Error: <html>[secret]"},
		{"redirected", 302, "", web.Settings, false, "the source redirects"},
		{"a login page", 200, "<html>hunter2-api", web.Shape, false, "not JSON as the SLO API answers it: invalid character '<' looking for beginning of value: <html>[secret]"},
		{"nothing", 200, "", web.Shape, false, "unexpected end of JSON input"},
		{"truncated", 200, ratioSLO("a", "b")[:90], web.Shape, false, "unexpected end of JSON input"},
		{"a list", 200, `{"data":[]}`, web.Shape, false, "cannot unmarshal array"},
		{"an empty object", 200, "{}", web.Shape, false, "the answer is not the SLO's"},
		{"null", 200, `{"data":null,"error":null}`, web.Shape, false, "the answer is not the SLO's"},
		{"an error in a 200", 200, `{"data":null,"error":"hunter2-app is tired"}`, web.Shape, false, "the answer reports an error: [secret] is tired"},
		{"errors in a 200", 200, strings.Replace(ratioSLO("a", "b"), `"error":null`, `"errors":["no"]`, 1), web.Unreachable, false, "the answer is not whole: it comes with an error: no"},
		{"another one's", 200, strings.Replace(of(`"metric"`), "ebf2", "aaaa", 1), web.Shape, false, "the answer is not the SLO's"},
		{"no type", 200, of("null"), web.Shape, false, "the answer is not the SLO's"},
		{"a type that is a number", 200, of("1"), web.Shape, false, "cannot unmarshal number"},
		{"no queries", 200, of(`"metric"`), web.Shape, false, "does not say what the SLO counts"},
		{"no denominator", 200, metricSLO(`"query":{"numerator":"sum:a{*}.as_count()"}`), web.Shape, false, "does not say what the SLO counts"},
		{"a numerator that is a number", 200, metricSLO(`"query":{"numerator":1,"denominator":""}`), web.Shape, false, "cannot unmarshal number"},

		{"of monitors", 200, of(`"monitor"`), web.BadQuery, true, "judge by the SLO " + sloID + ": it is an SLO of monitors, which counts no events; let its monitors watch over the canary: guards: [{monitor: ID}]"},
		{"of time slices", 200, of(`"time_slice"`), web.BadQuery, true, "it is an SLO of time slices, which counts no events; judge the query that it slices as a value of its own"},
		{"of another type", 200, of(`"hunter2-app"`), web.BadQuery, true, `it is an SLO of the type "[secret]"; name an SLO`},
		{"no counts", 200, ratioSLO("sum:a{x:y}", "sum:a{*}.as_count()"), web.BadQuery, true, "its numerator: sum:a has no .as_count(), without which Datadog averages" + instead},
		{"another function", 200, ratioSLO("sum:a{x:y}.as_count()", "sum:a{*}.as_count().fill(zero)"), web.BadQuery, true, "its denominator: sum:a has the function .fill(zero), which is not understood" + instead},
		{"all good", 200, ratioSLO("sum:a{*}.as_count()", "sum:a{*}.as_count()"), web.BadQuery, true, "all of its events are good" + instead},
		{"less than none", 200, ratioSLO("sum:a{*}.as_count()", "sum:b{*}.as_count() - sum:b{*}.as_count()"), web.BadQuery, true, "are less than none" + instead},
		{"a scope that takes no tags", 200, ratioSLO("sum:a{x:$y}.as_count()", "sum:a{*}.as_count()"), web.BadQuery, true, "its scope {x:$y} cannot take the tags of an arm" + instead},
		{"a mixed scope", 200, ratioSLO("sum:a{x:y,z:w OR u:v}.as_count()", "sum:a{*}.as_count()"), web.BadQuery, true, "its scope {x:y,z:w OR u:v} mixes commas"},
		{"no formula for bad events or all", 200, hitsSLO(`"good_events_formula":{"formula":"query1"}`), web.BadQuery, true, "not exactly one of those for bad events and for all"},
		{"formulas for both", 200, hitsSLO(`"good_events_formula":{"formula":"query1"},"bad_events_formula":{"formula":"query2"},"total_events_formula":{"formula":"query1"}`), web.BadQuery, true, "not exactly one of those"},
		{"a formula that scales", 200, hitsSLO(`"good_events_formula":{"formula":"0.5 * query1"},"bad_events_formula":{"formula":"query2"}`), web.BadQuery, true, `its good events: only counts that are added and subtracted are understood, not "0.5 * query1"`},
		{"a query that is not there", 200, hitsSLO(`"good_events_formula":{"formula":"query1"},"bad_events_formula":{"formula":"query3"}`), web.BadQuery, true, `its bad events: only counts that are added and subtracted are understood, not "query3"`},
		{"of logs", 200, strings.Replace(hitsSLO(`"good_events_formula":{"formula":"query1"},"bad_events_formula":{"formula":"query2"}`), `"data_source":"metrics","name":"query2"`, `"data_source":"logs","name":"query2"`, 1), web.BadQuery, true, `its query query2 is of "logs", not of metrics`},
		{"of another organisation", 200, strings.Replace(hitsSLO(`"good_events_formula":{"formula":"query1"},"bad_events_formula":{"formula":"query2"}`), `"name":"query2"`, `"name":"query2","cross_org_uuids":["x"]`, 1), web.BadQuery, true, "its query query2 is of another organisation"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method != http.MethodGet {
						t.Error("series are asked for all the same")
					}
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				})))
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				answers, err := p.Fetch(ctx, []providers.Query{eventsOf("bad"), eventsOf("total")})
				if tt.own {
					if err != nil || len(answers) != 2 || answers[1].Err == nil {
						t.Fatalf("%d answers, %v; want the error in each answer", len(answers), err)
					}
					err = answers[0].Err
				}
				var e *web.Error
				if !errors.As(err, &e) || e.Class != tt.class || !strings.Contains(err.Error(), tt.want) || apitest.ShowsKey(err) {
					t.Errorf("error %v, class %v; want class %q and %q", err, e, tt.class, tt.want)
				}
			})
		})
	}
}
