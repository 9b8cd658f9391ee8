package timeseries_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/apitest"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/timeseries"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

func open(t *testing.T, transport http.RoundTripper) *timeseries.Fetcher {
	t.Helper()
	return timeseries.New(apitest.Client(t, api.Options{Transport: transport}))
}

// one asks for two steps of one metric.
func one(metric string) providers.Query {
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	return providers.Query{
		Metric: metric, Arm: providers.Canary, Part: providers.Value, Expr: metric,
		Start: start, End: start.Add(time.Minute), Step: 30 * time.Second,
	}
}

const empty = `{"data":{"attributes":{"times":[],"series":[],"values":[]}}}`

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
		{"bad query", 400, "", `{"errors":["Rule 'scope_or' didn't match at '}'"]}`, web.BadQuery, true, "400 Bad Request: Rule 'scope_or' didn't match at '}'; correct the query", 1},
		{"bad query, as an object", 400, "", `{"errors":[{"title":"Bad Request","detail":"no such metric"}]}`, web.BadQuery, true, "Bad Request no such metric; correct", 1},
		{"bad query, in a 200", 200, "", `{"data":null,"errors":"Error parsing query"}`, web.BadQuery, true, "query api.datadoghq.com: the server finds fault with the query: Error parsing query; correct the query", 1},
		{"an error that is no JSON", 400, "", "plain\ntext", web.BadQuery, true, "400 Bad Request: plain text; ", 1},
		{"wrong key", 401, "", `{"errors":["Unauthorized"]}`, web.Auth, false, "401 Unauthorized: Unauthorized; check DD_API_KEY, DD_APP_KEY and DD_SITE", 1},
		{"no permission", 403, "", `{"errors":["Forbidden"]}`, web.Auth, false, "403 Forbidden: Forbidden; check DD_API_KEY and DD_SITE, and that the application key has the permission timeseries_query", 1},
		{"a limit that is over soon", 429, "X-RateLimit-Reset: 9", `{"errors":["Too many requests"]}`, web.Limit, false, "429 Too Many Requests: Too many requests; use longer steps", 5},
		{"a limit that lasts", 429, "X-RateLimit-Reset: 3000", "", web.Limit, false, "429 Too Many Requests", 1},
		{"broken", 500, "", `{"errors":["Internal"]}`, web.Unreachable, false, "500 Internal Server Error: Internal", 5},
		// The header comes with every answer, and is about a limit that was not met.
		{"broken, with a limit that is not reached", 500, "X-RateLimit-Reset: 3000", "", web.Unreachable, false, "500 Internal Server Error", 5},
		{"bad gateway", 502, "", "<html>502", web.Unreachable, false, "502 Bad Gateway: <html>502", 5},
		{"redirect", 301, "Location: https://app.datadoghq.eu/", "", web.Settings, false, "301 Moved Permanently; the source redirects", 1},
		{"no such path", 404, "", `{"errors":["Not found"]}`, web.Settings, false, "404 Not Found: Not found; check the address", 1},
		{"hung", hang, "", "", web.Unreachable, false, "is slow or hangs", 5},
		{"nothing in a 200", 200, "", "", web.Shape, false, "not JSON as the query API answers it: unexpected end of JSON input", 1},
		{"a login page", 200, "", "<html>", web.Shape, false, "not JSON as the query API answers it: invalid character '<'", 1},
		{"cut off", 200, "Content-Length: 1000", empty, web.Unreachable, false, "the answer broke off: unexpected EOF", 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int64
				p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
					if err = answers[0].Err; err != nil && !strings.HasPrefix(err.Error(), `metric "load", value of the canary: datadog: `) {
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

// Whatever an answer repeats of the request, keys do not come out.
func TestKeysAreNotShown(t *testing.T) {
	t.Parallel()
	echo := func(r *http.Request) string { return fmt.Sprint(r.Header) }
	for name, handle := range map[string]http.HandlerFunc{
		"refusal":    func(w http.ResponseWriter, r *http.Request) { http.Error(w, echo(r), http.StatusBadRequest) },
		"denial":     func(w http.ResponseWriter, r *http.Request) { http.Error(w, echo(r), http.StatusForbidden) },
		"errors":     func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprintf(w, `{"errors":[%q]}`, echo(r)) },
		"login page": func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "<html>"+echo(r)) },
		"at the edge": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", 95)+"hunter2-api")
		},
		"no connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := apitest.Client(t, api.Options{URL: "https://me:hunter2-url@proxy.example", Transport: providertest.Serve(t, handle)})
				answers, err := timeseries.New(c).Fetch(t.Context(), []providers.Query{one("load")})
				if err == nil {
					err = answers[0].Err
				}
				// bWU6 is me: in base64.
				if err == nil || apitest.ShowsKey(err) || strings.Contains(err.Error(), "bWU6") {
					t.Errorf("error %#v", err)
				}
			})
		})
	}
}

// A request of which one query is faulty is refused as a whole. The faulty one is
// found by halves, and the others are answered.
func TestFaultyQueriesAreIsolated(t *testing.T) {
	t.Parallel()
	var queries []providers.Query
	for i := range 80 {
		queries = append(queries, one(fmt.Sprintf("metric%02d.", i)))
	}
	for _, status := range []int{http.StatusBadRequest, http.StatusOK} {
		var requests atomic.Int64
		p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			requests.Add(1)
			if strings.Contains(string(body), "metric17.") || strings.Contains(string(body), "metric63.") {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, `{"errors":["there is something wrong with one of them"]}`)
				return
			}
			_, _ = io.WriteString(w, empty)
		})))
		answers, err := p.Fetch(t.Context(), queries)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range answers {
			if (a.Err != nil) != (i == 17 || i == 63) {
				t.Errorf("status %d, query %d: %v", status, i, a.Err)
			}
		}
		// Each faulty one costs two requests a halving, of which 80 take 7.
		if n, most := int(requests.Load()), 1+2*2*7; n > most {
			t.Errorf("status %d: %d requests, want at most %d", status, n, most)
		}
	}
}
