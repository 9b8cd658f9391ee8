package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/prometheus"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

// one asks for two steps of one metric.
func one(metric string) providers.Query {
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	return providers.Query{
		Metric: metric, Arm: providers.Canary, Part: providers.Value, Expr: metric,
		Start: start, End: start.Add(time.Minute), Step: 30 * time.Second,
	}
}

// empty is the answer of a server that knows nothing.
const empty = `{"status":"success","data":{"resultType":"matrix","result":[]}}`

// Each case is a server that is in trouble. In a bubble waits take no time.
func TestTrouble(t *testing.T) {
	t.Parallel()
	const hang = -1
	for _, tt := range []struct {
		name     string
		status   int
		header   string // as Name: value
		body     string
		class    web.Class
		own      bool // the error is the query's own
		want     string
		requests int
	}{
		{"bad query", 400, "", `{"status":"error","errorType":"bad_data","error":"1:5: parse error: unexpected end"}`, web.BadQuery, true, "400 Bad Request: 1:5: parse error: unexpected end; correct the query", 1},
		{"a query that cannot be evaluated", 422, "", `{"status":"error","errorType":"execution","error":"found duplicate series"}`, web.BadQuery, true, "422 Unprocessable Entity: found duplicate series; correct the query, or make it cheaper", 1},
		{"an error that is no JSON", 400, "", "line one\n\tline two\x00", web.BadQuery, true, "400 Bad Request: line one line two; ", 1},
		{"no credentials", 401, "", "", web.Auth, false, "401 Unauthorized; check that the credentials are set", 1},
		{"not allowed", 403, "", "tenant unknown", web.Auth, false, "403 Forbidden: tenant unknown; check that the credentials may query metrics", 1},
		{"no such path", 404, "", "404 page not found", web.Settings, false, "there is no query API at this path", 1},
		{"neither POST nor GET", 405, "", "", web.BadQuery, true, "405 Method Not Allowed", 2},
		{"redirect", 302, "Location: https://elsewhere.example/", "", web.Settings, false, "302 Found; the source redirects; give its final address", 1},
		{"too many requests, with a wait", 429, "Retry-After: 7", "", web.Limit, false, "429 Too Many Requests; use longer steps", 5},
		{"too many requests, with a wait longer than a look", 429, "Retry-After: 3600", "", web.Limit, false, "429 Too Many Requests", 1},
		{"broken", 500, "", "panic", web.Unreachable, false, "500 Internal Server Error: panic; the source is in trouble", 5},
		{"busy", 503, "", "", web.Unreachable, false, "503 Service Unavailable", 5},
		{"a query that takes too long", 503, "", `{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}`, web.Unreachable, false, "query timed out in expression evaluation; the server ran out of time", 5},
		{"hung", hang, "", "", web.Unreachable, false, "is slow or hangs", 5},
		{"a login page", 200, "Content-Type: text/html", "<html>Please log in</html>", web.Shape, true, "not JSON as the query API answers it: invalid character '<' looking for beginning of value: <html>Please log in</html>", 1},
		{"cut off", 200, "Content-Length: 1000", empty, web.Unreachable, false, "the answer broke off: unexpected EOF", 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int64
				p := open(t, prometheus.Settings{URL: "http://prometheus:9090"}, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					requests.Add(1)
					if tt.status == hang {
						<-r.Context().Done()
						return
					}
					if name, value, ok := strings.Cut(tt.header, ": "); ok {
						w.Header().Set(name, value)
					}
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				})))
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				answers, err := p.Fetch(ctx, []providers.Query{one("load")})
				if tt.own {
					if err != nil || len(answers) != 1 {
						t.Fatalf("%d answers, %v; want the error in the answer", len(answers), err)
					}
					if err = answers[0].Err; err != nil && !strings.HasPrefix(err.Error(), `metric "load", value of the canary: prometheus: `) {
						t.Errorf("the error %q does not say of what", err)
					}
				}
				var e *web.Error
				if !errors.As(err, &e) || e.Class != tt.class || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, class %v; want class %q and %q", err, e, tt.class, tt.want)
				}
				if n := int(requests.Load()); n != tt.requests {
					t.Errorf("%d requests, want %d", n, tt.requests)
				}
			})
		})
	}
}

// A server that comes to itself within the time for a look is as good as one that
// was well all the time.
func TestPassingTrouble(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		trouble func(w http.ResponseWriter)
	}{
		{"busy", func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }},
		{"a limit", func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "5")
			w.WriteHeader(http.StatusTooManyRequests)
		}},
		{"an answer shorter than announced", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, empty)
		}},
		{"an answer in chunks, cut off", func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, empty)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}},
		{"no answer", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int64
				p := open(t, prometheus.Settings{URL: "http://prometheus:9090"}, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					if requests.Add(1) < 3 {
						tt.trouble(w)
						return
					}
					_, _ = io.WriteString(w, empty)
				})))
				answers, err := p.Fetch(t.Context(), []providers.Query{one("load")})
				if err != nil || answers[0].Err != nil || requests.Load() != 3 {
					t.Errorf("%v, %v after %d requests; want an answer after 3", answers, err, requests.Load())
				}
			})
		})
	}
}

// Some proxies let only GET through; what is in the address stays there.
func TestGetWherePostIsNotAllowed(t *testing.T) {
	t.Parallel()
	var got []string
	p := open(t, prometheus.Settings{URL: "http://prometheus:9090/base?tenant=7"}, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.URL.Path+" "+r.URL.Query().Get("tenant"))
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		want := url.Values{"tenant": {"7"}, "query": {"load"}, "start": {"1795428030"}, "end": {"1795428060"}, "step": {"30"}, "partial_response": {"false"}, "deny_partial_response": {"1"}}
		if diff := cmp.Diff(want, r.URL.Query()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		_, _ = io.WriteString(w, empty)
	})))
	answers, err := p.Fetch(t.Context(), []providers.Query{one("load")})
	if err != nil || answers[0].Err != nil {
		t.Errorf("%v, %v", answers, err)
	}
	want := []string{"POST /base/api/v1/query_range 7", "GET /base/api/v1/query_range 7"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What ails one query does not touch the others; what ails the server ends all of
// them, and the first error is told.
func TestManyQueries(t *testing.T) {
	t.Parallel()
	var queries []providers.Query
	for i := range 30 {
		queries = append(queries, one(fmt.Sprintf("metric%d", i)))
	}
	handler := func(faulty string, status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, expr := range expressions(r.FormValue("query")) {
				if expr == faulty {
					w.WriteHeader(status)
					return
				}
			}
			_, _ = io.WriteString(w, empty)
		})
	}
	p := open(t, prometheus.Settings{URL: "http://prometheus:9090"}, providertest.Serve(t, handler("metric17", 422)))
	answers, err := p.Fetch(t.Context(), queries)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if (a.Err != nil) != (i == 17) {
			t.Errorf("query %d: %v", i, a.Err)
		}
	}
	p = open(t, prometheus.Settings{URL: "http://prometheus:9090"}, providertest.Serve(t, handler("metric17", 403)))
	_, err = p.Fetch(t.Context(), queries)
	var e *web.Error
	if !errors.As(err, &e) || e.Class != web.Auth {
		t.Errorf("%v; want an error of class %q", err, web.Auth)
	}
}
