package guards_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
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

const search = `tag:"team:shop" service:store`

// searched is a guard over a canary that is the monitors of a search.
var searched = providers.Guard{Name: "monitors (x)", Search: search, Labels: watched.Labels}

// inState is a monitor with a group of the canary in a state.
func inState(id int64, status string) datadogtest.Monitor {
	m := datadogtest.Monitor{ID: id, Name: fmt.Sprintf("M%d hunter2-app", id), Tags: []string{"team:shop", "service:store"}}
	m.Groups = []datadogtest.MonitorGroup{{Tags: "service:store-canary", Status: status}}
	if status == "Alert" {
		m.Groups[0].Triggered = ten
	}
	return m
}

// The worst monitor counts: an alert before what cannot be read, and that before quiet.
func TestMonitorSet(t *testing.T) {
	t.Parallel()
	elsewhere := inState(9, "Alert")
	elsewhere.Tags = []string{"team:other"}
	const manage = "https://app.datadoghq.com/monitors/manage?q=tag%3A%22team%3Ashop%22%20service%3Astore"
	for _, tt := range []struct {
		name     string
		monitors []datadogtest.Monitor
		want     providers.Sighting
	}{
		{"quiet", []datadogtest.Monitor{inState(1, "OK"), elsewhere, inState(2, "Warn")}, providers.Sighting{State: providers.Quiet, Detail: "found 2: none alerts", Link: manage}},
		{"one unread", []datadogtest.Monitor{inState(1, "OK"), inState(2, "No Data")}, providers.Sighting{
			State: providers.Unread, Link: "https://app.datadoghq.com/monitors/2",
			Detail: `found 2: monitor 2 "M2 [secret]" is in the state No Data for service:store-canary`,
		}},
		{"one alerts", []datadogtest.Monitor{inState(3, "OK"), inState(2, "Alert"), inState(1, "No Data")}, providers.Sighting{
			State: providers.Alerting, Link: "https://app.datadoghq.com/monitors/2",
			Detail: `found 3: monitor 2 "M2 [secret]" alerts for service:store-canary`,
		}},
		{"many alert", []datadogtest.Monitor{inState(1, "Alert"), inState(5, "Alert"), inState(2, "Alert"), inState(3, "Alert"), inState(4, "Alert")}, providers.Sighting{
			State: providers.Alerting, Link: manage,
			Detail: `found 5: monitor 1 "M1 [secret]" alerts for service:store-canary; monitor 2 "M2 [secret]" alerts for service:store-canary; ` +
				`monitor 3 "M3 [secret]" alerts for service:store-canary; and 2 more`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			world := datadogtest.Script{Watch: func(time.Time) []datadogtest.Monitor { return tt.monitors }}
			p := open(t, providertest.Serve(t, &datadogtest.Server{World: world, APIKey: "hunter2-api", AppKey: "hunter2-app"}))
			got, err := p.Watch(t.Context(), []providers.Guard{searched}, ten)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Guard = "monitors (x)"
			if diff := cmp.Diff([]providers.Sighting{tt.want}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// The monitors are searched for once, over several pages if need be. One that is gone
// later is told, and one that comes later does not count.
func TestMonitorSetStays(t *testing.T) {
	t.Parallel()
	var monitors []datadogtest.Monitor
	for id := range int64(50) {
		monitors = append(monitors, inState(id+1, "OK"))
	}
	var searches atomic.Int64
	standIn := &datadogtest.Server{APIKey: "hunter2-api", AppKey: "hunter2-app"}
	standIn.World = datadogtest.Script{Watch: func(time.Time) []datadogtest.Monitor { return monitors }}
	p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/search") {
			searches.Add(1)
			q := r.URL.Query()
			q.Set("per_page", "30") // as if the server had a limit
			r.URL.RawQuery = q.Encode()
		}
		standIn.ServeHTTP(w, r)
	})))
	look := func(want providers.State, detail string) {
		t.Helper()
		got, err := p.Watch(t.Context(), []providers.Guard{searched}, ten)
		if err != nil || got[0].State != want || got[0].Detail != detail {
			t.Errorf("%v, %v; want %s, %q", got, err, want, detail)
		}
	}
	look(providers.Quiet, "found 50: none alerts")
	monitors = append(monitors[:49:49], inState(99, "Alert"))
	look(providers.Unread, "found 50: monitor 50 was found, and is gone")
	monitors = append(monitors[:48:48], inState(49, "Alert"))
	look(providers.Alerting, `found 50: monitor 49 "M49 [secret]" alerts for service:store-canary`)
	if n := searches.Load(); n != 2 {
		t.Errorf("%d searches, want one of two pages", n)
	}
}

// None of these may look like quiet monitors, or show a key.
func TestTroubleWithMonitorSearches(t *testing.T) {
	t.Parallel()
	page := func(ids, metadata string) string {
		return `{"monitors":[` + ids + `],"metadata":{` + metadata + `}}`
	}
	for _, tt := range []struct {
		name   string
		status int
		body   string // %d is the page
		class  web.Class
		want   string
	}{
		{"none", 200, page("", `"total_count":0,"page":0`), web.BadQuery, "search the monitors for " + search + ": it finds none; check the search in Datadog's Manage Monitors page, https://app.datadoghq.com/monitors/manage"},
		{"too many", 200, page(`{"id":1}`, `"total_count":51,"page":0`), web.BadQuery, "it finds 51, and 50 are the most that a guard can be; narrow the search"},
		{"a search that is none", 400, `{"errors":["Query parsing error: hunter2-app"]}`, web.BadQuery, "400 Bad Request: Query parsing error: [secret]; correct the query"},
		{"wrong key", 401, `{"errors":["hunter2-api"]}`, web.Auth, "401 Unauthorized: [secret]; check DD_API_KEY"},
		{"no permission", 403, `{"errors":["Forbidden"]}`, web.Auth, "the permission monitors_read"},
		{"a limit", 429, "", web.Limit, "429 Too Many Requests"},
		{"broken", 500, "hunter2-app", web.Unreachable, "500 Internal Server Error: [secret]"},
		{"a login page", 200, "<html>hunter2-api", web.Shape, "not JSON as the monitors API answers it"},
		{"nothing", 200, "", web.Shape, "unexpected end of JSON input"},
		{"an empty object", 200, "{}", web.Shape, "the answer is not a search's"},
		{"errors in a 200", 200, `{"errors":["no"]}`, web.Shape, "the answer is not a search's"},
		{"no list", 200, `{"metadata":{"total_count":0,"page":0}}`, web.Shape, "the answer is not a search's"},
		{"no total", 200, page("", `"page":0`), web.Shape, "the answer is not a search's"},
		{"a total that is a text", 200, page("", `"total_count":"0","page":0`), web.Shape, "cannot unmarshal"},
		{"an empty page of two", 200, page("", `"total_count":2,"page":0`), web.Unreachable, "page 0 has 0 monitors of 2"},
		{"more than there are", 200, page(`{"id":1},{"id":2}`, `"total_count":1,"page":0`), web.Unreachable, "page 0 has 2 monitors of 1"},
		{"another page", 200, page(`{"id":1}`, `"total_count":1,"page":1`), web.Shape, "page 0 was asked for, and the answer is page 1"},
		{"the same page again", 200, page(`{"id":1}`, `"total_count":2,"page":%d`), web.Unreachable, "there are 2 monitors, and the pages have 2, or one of them twice"},
		{"pages that overlap", 200, page(`{"id":1%[1]d},{"id":12}`, `"total_count":3,"page":%[1]d`), web.Unreachable, "there are 3 monitors, and the pages have 4"},
		{"more on the pages than there are", 200, page(`{"id":1%[1]d},{"id":2%[1]d}`, `"total_count":3,"page":%[1]d`), web.Unreachable, "there are 3 monitors, and the pages have 4"},
		{"a total that changes", 200, page(`{"id":1}`, `"total_count":1%d,"page":%[1]d`), web.Unreachable, "there were 10 monitors, and by page 1 there are 11"},
		{"no id", 200, page(`{"name":"x"}`, `"total_count":1,"page":0`), web.Shape, "a monitor has no id"},
		{"an id that is none", 200, page(`{"id":-1}`, `"total_count":1,"page":0`), web.Shape, "a monitor has no id"},
		{"an id that is zero", 200, page(`{"id":0}`, `"total_count":1,"page":0`), web.Shape, "a monitor has no id"},
		{"an id that is a text", 200, page(`{"id":"1"}`, `"total_count":1,"page":0`), web.Shape, "cannot unmarshal"},
		{"a monitor that cannot be read", 200, page(`{"id":1}`, `"total_count":1,"page":0`), web.Shape, "read monitor 1: the answer is not the monitor's"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.WriteHeader(tt.status)
					body := tt.body
					if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && strings.Contains(body, "%") {
						body = fmt.Sprintf(body, n)
					}
					_, _ = io.WriteString(w, body)
				})))
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				got, err := p.Watch(ctx, []providers.Guard{searched}, ten)
				var e *web.Error
				if !errors.As(err, &e) || e.Class != tt.class || !strings.Contains(err.Error(), tt.want) || apitest.ShowsKey(err) || got != nil {
					t.Errorf("%v, %v, class %v; want class %q and %q", got, err, e, tt.class, tt.want)
				}
			})
		})
	}
}
