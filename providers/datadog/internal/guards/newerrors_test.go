package guards_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/apitest"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

// tracked is a guard over errors that are new in v2.
func tracked(change func(*providers.NewErrors)) providers.Guard {
	e := &providers.NewErrors{Search: "service:store", Track: "trace", Version: "v2", AtLeast: 10}
	if change != nil {
		change(e)
	}
	return providers.Guard{Name: "errors", Errors: e}
}

// errorsOf is an issue with as many errors of a version a minute into the run as it says, and
// of other versions.
func errorsOf(id, firstVersion string, firstSeen time.Time, counts map[string]int) datadogtest.TrackedIssue {
	i := datadogtest.TrackedIssue{Track: "trace", Issue: datadogtest.Issue{ID: id, Type: "Error" + id, Message: "m", Version: firstVersion, FirstSeen: firstSeen}}
	for version, n := range counts {
		tags := []string{"service:store"}
		if version != "" {
			tags = append(tags, "version:"+version)
		}
		i.Errors = append(i.Errors, datadogtest.Stream{Tags: tags, Count: func(t time.Time) float64 {
			if t.Equal(ten.Add(time.Minute)) {
				return float64(n)
			}
			return 0
		}})
	}
	return i
}

// past is an issue of a version that had errors days ago, and has none now.
func past(version string) datadogtest.TrackedIssue {
	i := errorsOf("past", version, ten.AddDate(0, 0, -9), nil)
	i.Errors = []datadogtest.Stream{{Tags: []string{"service:store"}, Count: func(t time.Time) float64 {
		if t.Equal(ten.AddDate(0, 0, -8)) {
			return 1
		}
		return 0
	}}}
	return i
}

// full are a hundred issues of so many errors each.
func full(n int) (all []datadogtest.TrackedIssue) {
	for i := range 100 {
		all = append(all, errorsOf(fmt.Sprint("f", i), "v1", ten, map[string]int{"v1": n}))
	}
	return all
}

// What issues mean, by the rules in docs/guards.md. The run began at ten o'clock.
func TestNewErrors(t *testing.T) {
	t.Parallel()
	before, during := ten.Add(-time.Hour), ten.Add(time.Minute)
	of := func(all ...datadogtest.TrackedIssue) []datadogtest.TrackedIssue { return all }
	hostile := errorsOf("a/..", "v2", during, map[string]int{"v2": 42})
	hostile.Type, hostile.Message = "Key\nError", strings.Repeat("x", 95)+"hunter2-api and more"
	ignored := errorsOf("a", "v2", during, map[string]int{"v2": 42})
	ignored.State = "IGNORED"
	logged := errorsOf("a", "v2", during, map[string]int{"v2": 42})
	logged.Track = "logs"
	for _, tt := range []struct {
		name   string
		issues []datadogtest.TrackedIssue
		change func(*providers.NewErrors)
		want   providers.State
		detail string
		link   string
	}{
		{"none that is new", of(errorsOf("a", "v1", before, map[string]int{"v1": 99, "v2": 99})), nil, providers.Quiet, "has no issue new in v2 with 10 errors or more", ""},
		{"one of the canary's alone", of(errorsOf("a", "v2", during, map[string]int{"v2": 10}), past("v1")), nil, providers.Alerting, `has an issue new in v2: Errora "m", 10 errors`, "https://app.datadoghq.com/error-tracking/issue/a"},
		{"too few errors", of(errorsOf("a", "v2", during, map[string]int{"v2": 9})), nil, providers.Quiet, "has no issue new", ""},
		{"as few as the config says", of(errorsOf("a", "v2", during, map[string]int{"v2": 9})), func(e *providers.NewErrors) { e.AtLeast = 9 }, providers.Alerting, "9 errors", "https://app.datadoghq.com/error-tracking/issue/a"},
		{"several, the largest is told", of(errorsOf("a", "v2", during, map[string]int{"v2": 10}), errorsOf("b", "v2", before, map[string]int{"v2": 30})), nil, providers.Alerting, `has 2 issues new in v2, the largest: Errorb "m", 30 errors`, "https://app.datadoghq.com/error-tracking/issue/b"},
		{"first seen in the canary, and everywhere", of(errorsOf("a", "v2", during, map[string]int{"v2": 20, "v1": 1})), nil, providers.Unread, `has an issue new in v2, and not shown to be of no other version: Errora "m", 21 errors`, ""},
		{"errors that are of no version", of(errorsOf("a", "v2", during, map[string]int{"v2": 20, "": 3})), nil, providers.Unread, "not shown to be of no other version", ""},
		{"one of both beside one alone", of(errorsOf("a", "v2", during, map[string]int{"v2": 20, "v1": 20}), errorsOf("b", "v2", during, map[string]int{"v2": 11})), nil, providers.Alerting, `has an issue new in v2: Errorb "m", 11 errors`, "https://app.datadoghq.com/error-tracking/issue/b"},
		{"first seen in the baseline", of(errorsOf("a", "v1", during, map[string]int{"v2": 20})), nil, providers.Quiet, "has no issue new", ""},
		{"the version in other letters", of(errorsOf("a", "V2_b", during, map[string]int{"v2_b": 20})), func(e *providers.NewErrors) { e.Version = "v2+B" }, providers.Alerting, "new in v2+B", "https://app.datadoghq.com/error-tracking/issue/a"},
		{"the version as it is", of(errorsOf("a", "V2+b", during, map[string]int{"v2_b": 20})), func(e *providers.NewErrors) { e.Version = "v2+B" }, providers.Alerting, "new in v2+B", "https://app.datadoghq.com/error-tracking/issue/a"},
		{"without a version, new", of(errorsOf("a", "", during, map[string]int{"": 12}), past("v1")), nil, providers.Unread, `has an issue new, and without a version: it may be the canary's: Errora "m", 12 errors`, ""},
		{"without a version or a time", of(errorsOf("a", "", time.Time{}, map[string]int{"": 12}), past("v1")), nil, providers.Unread, "without a version", ""},
		{"without a version, old", of(errorsOf("a", "", before, map[string]int{"": 12}), past("v1")), nil, providers.Quiet, "has no issue new", ""},
		{"of which someone said not to heed it", of(ignored, past("v1")), nil, providers.Quiet, "has no issue new", ""},
		{"of another track", of(logged, past("v1")), nil, providers.Quiet, "has no issue new", ""},
		{"of another service", of(errorsOf("a", "v2", during, map[string]int{"v2": 20}), past("v1")), func(e *providers.NewErrors) { e.Search = "service:shop" }, providers.Unread, "has had no issue in 14 days, and the search may be wrong; check it, or write absent: zero", ""},
		{"nothing ever", nil, nil, providers.Unread, "has had no issue in 14 days", ""},
		{"nothing ever, which is meant", nil, func(e *providers.NewErrors) { e.AbsentIsZero = true }, providers.Quiet, "has no issue new", ""},
		{"never a version", of(past("")), nil, providers.Unread, "has issues, and none says in which version it was first seen; set DD_VERSION", ""},
		{"never a version, which is not meant by absent", of(past("")), func(e *providers.NewErrors) { e.AbsentIsZero = true }, providers.Unread, "none says in which version", ""},
		{"a full answer", full(10), nil, providers.Unread, "has 100 issues or more, of which no more are told; narrow the search", ""},
		{"a full answer that ends below", full(9), nil, providers.Quiet, "has no issue new", ""},
		{"a full answer that shows a new one", append(full(10), errorsOf("a", "v2", during, map[string]int{"v2": 20})), nil, providers.Unread, "not shown to be of no other version", ""},
		{"any search at all", of(errorsOf("a", "v2", during, map[string]int{"v2": 20})), func(e *providers.NewErrors) { e.Search = "*" }, providers.Alerting, "new in v2", "https://app.datadoghq.com/error-tracking/issue/a"},
		{"alternatives", of(errorsOf("a", "v2", during, map[string]int{"v2": 20})), func(e *providers.NewErrors) { e.Search = "service:x OR service:store" }, providers.Alerting, "new in v2", "https://app.datadoghq.com/error-tracking/issue/a"},
		{"hostile texts", of(hostile), nil, providers.Alerting, `has an issue new in v2: Key Error "` + strings.Repeat("x", 95) + `[secr…", 42 errors`, "https://app.datadoghq.com/error-tracking/issue/a%2F.."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(ten.Add(10 * time.Minute)))
				p := open(t, providertest.Serve(t, &datadogtest.Server{World: datadogtest.Script{Errors: tt.issues}, APIKey: "hunter2-api", AppKey: "hunter2-app"}))
				got, err := p.Watch(t.Context(), []providers.Guard{tracked(tt.change)}, ten)
				if err != nil {
					t.Fatal(err)
				}
				if s := got[0]; s.State != tt.want || !strings.Contains(s.Detail, tt.detail) || s.Guard != "errors" || s.Link != tt.link {
					t.Errorf("%+v, want %s, %q, %q", s, tt.want, tt.detail, tt.link)
				}
			})
		})
	}
}

// What is sent, by https://docs.datadoghq.com/api/latest/error-tracking/search-error-tracking-issues/.
// The days before the run are asked about until they hold an issue with a version.
func TestIssueSearches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(ten.Add(time.Minute)))
		answer := `{"data":[]}`
		var asked []map[string]any
		p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var body struct {
				Data struct {
					Type       string
					Attributes map[string]any
				}
			}
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Data.Type != "search_request" || r.URL.Query().Get("include") != "issue" || r.Method != http.MethodPost {
				t.Errorf("%s %s: %v, %+v", r.Method, r.URL, err, body)
			}
			asked = append(asked, body.Data.Attributes)
			_, _ = io.WriteString(w, answer)
		})))
		search := func(query string, from time.Time) map[string]any {
			return map[string]any{
				"from": float64(from.UnixMilli()), "to": float64(ten.Add(time.Minute).UnixMilli()), "query": query, "track": "trace",
				"order_by": "TOTAL_COUNT", "states": []any{"OPEN", "ACKNOWLEDGED", "RESOLVED"},
			}
		}
		look := func(since time.Time, want ...map[string]any) {
			t.Helper()
			asked = nil
			if _, err := p.Watch(t.Context(), []providers.Guard{tracked(nil)}, since); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, asked); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		}
		now, days := search("service:store", ten), search("service:store", ten.AddDate(0, 0, -14))
		look(ten, now, days)
		look(ten, now, days)
		answer = oneIssue("v1", 99)
		look(ten, now)
		answer = `{"data":[]}`
		look(ten, now)
		answer = oneIssue("v2", 99)
		look(ten, now, search(`(service:store) -version:"v2"`, ten))
		// A run that begins now, as for check --live.
		answer = `{"data":[]}`
		last := search("service:store", ten.Add(time.Minute))
		last["to"] = last["to"].(float64) + 1000
		look(ten.Add(time.Minute), last)
	})
}

// oneIssue is an answer with an issue, and something else of the same id.
func oneIssue(version string, count int) string {
	return fmt.Sprintf(`{"data":[{"id":"r","type":"error_tracking_search_result","attributes":{"total_count":%d},"relationships":{"issue":{"data":{"id":"a","type":"issue"}}}}],`+
		`"included":[{"id":"a","type":"issue","attributes":{"error_type":"E","error_message":"m","first_seen":1795428000000,"first_seen_version":%q}},{"id":"a","type":"user","attributes":{"name":"x"}}]}`, count, version)
}

// None of these may look like an Error Tracking that is quiet, or show a key.
func TestTroubleWithErrorTracking(t *testing.T) {
	t.Parallel()
	good := oneIssue("v1", 99)
	with := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Errorf("%s is not in %s", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	for _, tt := range []struct {
		name   string
		status int
		body   string
		class  web.Class
		want   string
	}{
		{"a search that is none", 400, `{"errors":["hunter2-app"]}`, web.BadQuery, "search Error Tracking for service:store: 400 Bad Request: [secret]; correct the query"},
		{"wrong key", 401, `{"errors":["hunter2-api"]}`, web.Auth, "401 Unauthorized: [secret]; check DD_API_KEY"},
		{"no permission", 403, `{"errors":["Forbidden"]}`, web.Auth, "the permission error_tracking_read"},
		{"a site without it", 404, `{"errors":["Not found"]}`, web.Settings, "404 Not Found"},
		{"a limit", 429, "", web.Limit, "429 Too Many Requests"},
		{"broken", 500, "hunter2-app", web.Unreachable, "500 Internal Server Error: [secret]"},
		{"a login page", 200, "<html>hunter2-api", web.Shape, "not JSON as the Error Tracking API answers it"},
		{"nothing", 200, "", web.Shape, "unexpected end of JSON input"},
		{"truncated", 200, good[:90], web.Shape, "unexpected end of JSON input"},
		{"an empty object", 200, "{}", web.Shape, "the answer is not a search's"},
		{"null data", 200, `{"data":null}`, web.Shape, "the answer is not a search's"},
		{"errors in a 200", 200, `{"errors":["no"]}`, web.Shape, "the answer is not a search's"},
		{"results of another type", 200, with("error_tracking_search_result", "issue_v3"), web.Shape, `a result is of the type "issue_v3"`},
		{"a result without a type", 200, with(`"type":"error_tracking_search_result",`, ""), web.Shape, `a result is of the type ""`},
		{"no count", 200, with(`"total_count":99`, ""), web.Shape, "does not say how often the issue a occurred"},
		{"a null count", 200, with(`"total_count":99`, `"total_count":null`), web.Shape, "does not say how often the issue a occurred"},
		{"a count below none", 200, with("99", "-1"), web.Shape, "does not say how often the issue a occurred"},
		{"a count that is a text", 200, with("99", `"99"`), web.Shape, "cannot unmarshal"},
		{"no id", 200, `{"data":[{"type":"error_tracking_search_result","attributes":{"total_count":1}}]}`, web.Shape, "a result has no id"},
		{"nothing included", 200, `{"data":[{"id":"a","type":"error_tracking_search_result","attributes":{"total_count":1}}]}`, web.Shape, "the answer says nothing of the issue a"},
		{"another issue included", 200, with(`{"id":"a","type":"issue","attributes"`, `{"id":"b","type":"issue","attributes"`), web.Shape, "the answer says nothing of the issue a"},
		{"seconds", 200, with("1795428000000", "1795428000"), web.Shape, "1795428000 is no time in milliseconds"},
		{"a time that is a text", 200, with("1795428000000", `"2026-11-23"`), web.Shape, "cannot unmarshal"},
		{"a version that is a number", 200, with(`"v1"`, "1"), web.Shape, "cannot unmarshal"},
		{"an issue twice", 200, with(`"data":[`, `"data":[{"id":"a","type":"error_tracking_search_result","attributes":{"total_count":99}},`), web.Shape, "the issue a is there twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				})))
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				got, err := p.Watch(ctx, []providers.Guard{tracked(nil)}, ten)
				var e *web.Error
				if !errors.As(err, &e) || e.Class != tt.class || !strings.Contains(err.Error(), tt.want) || apitest.ShowsKey(err) || got != nil {
					t.Errorf("%v, %v, class %v; want class %q and %q", got, err, e, tt.class, tt.want)
				}
			})
		})
	}
}
