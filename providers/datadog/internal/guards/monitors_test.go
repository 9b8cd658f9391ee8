package guards_test

import (
	"context"
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
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/apitest"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/guards"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

var ten = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func open(t *testing.T, transport http.RoundTripper) *guards.Watcher {
	t.Helper()
	return guards.New(apitest.Client(t, api.Options{Transport: transport}))
}

// watched is a guard over a canary of two labels.
var watched = providers.Guard{
	Name: "monitor 12345", ID: "12345",
	Labels: []providers.Label{{Name: "service", Value: "Store-Canary"}, {Name: "env", Value: "prod"}},
}

// What a monitor's answer means, by the rules in docs/guards.md. since is ten o'clock.
func TestMonitors(t *testing.T) {
	t.Parallel()
	before, during := ten.Unix()-1, ten.Unix()
	group := func(status string, triggered int64) string {
		return fmt.Sprintf(`{"status":%q,"last_triggered_ts":%d,"last_resolved_ts":null}`, status, triggered)
	}
	for _, tt := range []struct {
		name          string
		overall, more string
		groups        string
		want          providers.State
		detail        string
	}{
		{"quiet", "OK", "", "", providers.Quiet, "is quiet"},
		{"a warning", "Warn", "", "", providers.Quiet, "is quiet"},
		{"an alert of unknown time", "Alert", "", "", providers.Unread, "does not say since when"},
		{"an alert, since a known time", "Alert", "", `"*":` + group("Alert", during), providers.Alerting, "alerts"},
		{"an alert from before", "Alert", "", `"*":` + group("Alert", before), providers.Unread, "before the run"},
		{"no data", "No Data", "", "", providers.Unread, "is in the state No Data"},
		{"skipped", "Skipped", "", "", providers.Unread, "is in the state Skipped"},
		{"the canary's group is quiet", "Alert", "", `"service:store":` + group("Alert", during) + `,"service:store-canary":` + group("OK", 0), providers.Quiet, "is quiet"},
		{"the canary's group alerts", "Alert", "", `"service:store":` + group("OK", 0) + `,"host:a,service:store-canary":` + group("Alert", during), providers.Alerting, "alerts for host:a,service:store-canary"},
		{"an alert that came and went", "OK", "", `"service:store-canary":` + group("OK", during), providers.Alerting, "alerted at 2026-11-23T10:00:00Z"},
		{"an alert that went before", "OK", "", `"service:store-canary":` + group("OK", before), providers.Quiet, "is quiet"},
		{"one group of several without data", "OK", "", `"service:store-canary,host:a":` + group("OK", 0) + `,"service:store-canary,host:b":` + group("No Data", 0), providers.Unread, "No Data for service:store-canary,host:b"},
		{"an alert beside no data", "OK", "", `"env:prod,host:a":` + group("Alert", during) + `,"env:prod,host:b":` + group("No Data", 0), providers.Alerting, "alerts for env:prod,host:a"},
		{"no group of the canary", "OK", "", `"service:store":` + group("OK", 0), providers.Unread, "none with a label of the canary"},
		{"groups, and none has reported", "OK", `"multi":true,`, "", providers.Unread, "none with a label of the canary"},
		{"groups by something else", "OK", "", `"host:a":` + group("OK", 0), providers.Unread, "none with a label of the canary"},
		{"muted", "Alert", `"options":{"silenced":{"*":null}},`, "", providers.Unread, "is muted for *"},
		{"muted for the canary, and alerting", "Alert", `"options":{"silenced":{"service:store-canary":1795500000}},`, `"service:store-canary":` + group("Alert", during), providers.Unread, "is muted for service:store-canary"},
		{"muted for the baseline", "OK", `"options":{"silenced":{"service:store":null}},`, `"service:store-canary":` + group("OK", 0), providers.Quiet, "is quiet"},
		{"a downtime", "OK", `"matching_downtimes":[{"id":1,"scope":["env:prod"]}],`, "", providers.Unread, "is muted by a downtime"},
		{"a downtime, as a text", "OK", `"matching_downtimes":[{"id":1,"scope":"env:prod,service:store-canary"}],`, "", providers.Unread, "is muted by a downtime"},
		{"a downtime of unknown scope", "OK", `"matching_downtimes":[{"id":1}],`, "", providers.Unread, "is muted by a downtime"},
		{"a downtime of two environments", "Alert", `"matching_downtimes":[{"id":1,"scope":["env:(prod OR staging)"]}],`, `"service:store-canary":` + group("Alert", during), providers.Unread, "is muted by a downtime for env:(prod OR staging)"},
		{"a downtime of any service", "Alert", `"matching_downtimes":[{"id":1,"scope":"service:*"}],`, `"service:store-canary":` + group("Alert", during), providers.Unread, "is muted by a downtime for service:*"},
		{"a downtime of services by a pattern", "Alert", `"matching_downtimes":[{"id":1,"scope":["service:store*"]}],`, `"service:store-canary":` + group("Alert", during), providers.Unread, "is muted by"},
		{"a downtime of both labels", "Alert", `"matching_downtimes":[{"id":1,"scope":["env:prod AND service:store-canary"]}],`, "", providers.Unread, "is muted by"},
		{"a downtime of all but another service", "Alert", `"matching_downtimes":[{"id":1,"scope":["!service:store"]}],`, `"service:store-canary":` + group("Alert", during), providers.Unread, "is muted by"},
		{"a downtime of all but the canary", "Alert", `"matching_downtimes":[{"id":1,"scope":["NOT service:store-canary"]}],`, `"service:store-canary":` + group("Alert", during), providers.Alerting, "alerts"},
		{"a downtime of another environment and more", "Alert", `"matching_downtimes":[{"id":1,"scope":["env:staging AND team:shop"]}],`, `"service:store-canary":` + group("Alert", during), providers.Alerting, "alerts"},
		{"a downtime by a tag that is not known", "Alert", `"matching_downtimes":[{"id":1,"scope":["team:shop"]}],`, `"service:store-canary":` + group("Alert", during), providers.Unread, "is perhaps muted by a downtime for team:shop"},
		{"a quiet monitor, and such a downtime", "OK", `"matching_downtimes":[{"id":1,"scope":["NOT team:shop"]}],`, `"service:store-canary":` + group("OK", 0), providers.Unread, "is perhaps muted"},
		{"a downtime that cannot be read", "Alert", `"matching_downtimes":[{"id":1,"scope":["env:(prod"]}],`, "", providers.Unread, "is perhaps muted"},
		{"a silence by a pattern", "Alert", `"options":{"silenced":{"service:store-*":null}},`, `"service:store-canary":` + group("Alert", during), providers.Unread, "is muted for service:store-*"},
		{"a downtime of one of two groups", "Alert", `"matching_downtimes":[{"id":1,"scope":["host:a"]}],`, `"env:prod,host:a":` + group("Alert", during) + `,"env:prod,host:b":` + group("OK", 0), providers.Unread, "is muted by a downtime for host:a"},
		{"a downtime of the other of two groups", "Alert", `"matching_downtimes":[{"id":1,"scope":["host:b"]}],`, `"env:prod,host:a":` + group("Alert", during) + `,"env:prod,host:b":` + group("OK", 0), providers.Alerting, "alerts for env:prod,host:a"},
		{"a downtime elsewhere", "OK", `"matching_downtimes":[{"id":1,"scope":["env:staging"]}],`, "", providers.Quiet, "is quiet"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/v1/monitor/12345" || r.URL.Query().Get("group_states") != "all" || r.Header.Get("Dd-Api-Key") != "hunter2-api" {
					t.Errorf("asked %s", r.URL)
				}
				_, _ = fmt.Fprintf(w, `{"id":12345,"name":"Errors hunter2-app","overall_state":%q,%s"state":{"groups":{%s}}}`, tt.overall, tt.more, tt.groups)
			})))
			got, err := p.Watch(t.Context(), []providers.Guard{watched}, ten.Add(300*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || got[0].State != tt.want || !strings.Contains(got[0].Detail, tt.detail) {
				t.Errorf("%v, want %s, %q", got, tt.want, tt.detail)
			}
			if got[0].Guard != "monitor 12345" || got[0].Link != "https://app.datadoghq.com/monitors/12345" || !strings.HasPrefix(got[0].Detail, `"Errors [secret]" `) {
				t.Errorf("%q, %q, %q", got[0].Guard, got[0].Detail, got[0].Link)
			}
		})
	}
}

// Each case is a server in trouble. None of them may look like a quiet monitor, or
// show a key.
func TestTroubleWithMonitors(t *testing.T) {
	t.Parallel()
	const good = `{"id":12345,"name":"x","overall_state":"OK"}`
	for _, tt := range []struct {
		name   string
		status int
		body   string
		class  web.Class
		want   string
	}{
		{"no such monitor", 404, `{"errors":["Monitor not found"]}`, web.BadQuery, "read monitor 12345: 404 Not Found: Monitor not found; check the monitor's id"},
		{"wrong key", 401, `{"errors":["hunter2-api"]}`, web.Auth, "401 Unauthorized: [secret]; check DD_API_KEY"},
		{"no permission", 403, `{"errors":["Forbidden"]}`, web.Auth, "the permission monitors_read"},
		{"a limit", 429, "", web.Limit, "429 Too Many Requests"},
		{"broken", 500, "hunter2-app", web.Unreachable, "500 Internal Server Error: [secret]"},
		{"a login page", 200, "<html>hunter2-api", web.Shape, "not JSON as the monitors API answers it"},
		{"nothing", 200, "", web.Shape, "unexpected end of JSON input"},
		{"truncated", 200, good[:30], web.Shape, "unexpected end of JSON input"},
		{"an empty object", 200, "{}", web.Shape, "the answer is not the monitor's"},
		{"errors in a 200", 200, `{"errors":["no"]}`, web.Shape, "the answer is not the monitor's"},
		{"another monitor", 200, strings.Replace(good, "12345", "54321", 1), web.Shape, "the answer is not the monitor's"},
		{"no state", 200, strings.Replace(good, `"OK"`, "null", 1), web.Shape, "the answer is not the monitor's"},
		{"an unknown state", 200, strings.Replace(good, "OK", "Fine", 1), web.Shape, `the state "Fine" is none of`},
		{"a state that is a number", 200, strings.Replace(good, `"OK"`, "0", 1), web.Shape, "cannot unmarshal"},
		{"milliseconds", 200, strings.TrimSuffix(good, "}") + `,"state":{"groups":{"env:prod":{"status":"OK","last_triggered_ts":1795428000000}}}}`, web.Shape, "is no time in seconds"},
		{"a group without a status", 200, strings.TrimSuffix(good, "}") + `,"state":{"groups":{"env:prod":{}}}}`, web.Shape, `the state "" is none of`},
		{"a downtime of a strange scope", 200, strings.TrimSuffix(good, "}") + `,"matching_downtimes":[{"scope":5}]}`, web.Shape, "scope is neither a text nor a list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := open(t, providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				})))
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				got, err := p.Watch(ctx, []providers.Guard{watched}, ten)
				var e *web.Error
				if !errors.As(err, &e) || e.Class != tt.class || !strings.Contains(err.Error(), tt.want) || apitest.ShowsKey(err) || got != nil {
					t.Errorf("%v, %v, class %v; want class %q and %q", got, err, e, tt.class, tt.want)
				}
			})
		})
	}
}

// Addresses of https://docs.datadoghq.com/getting_started/site/
func TestMonitorLinks(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	want := map[string]string{
		"datadoghq.com": "https://app.datadoghq.com/monitors/12345", "datadoghq.eu": "https://app.datadoghq.eu/monitors/12345",
		"us3.datadoghq.com": "https://us3.datadoghq.com/monitors/12345", "ddog-gov.com": "https://app.ddog-gov.com/monitors/12345",
	}
	for site := range want {
		p := guards.New(apitest.Client(t, api.Options{Site: site, Transport: providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"id":12345,"name":"x","overall_state":"OK"}`)
		}))}))
		seen, err := p.Watch(t.Context(), []providers.Guard{watched}, ten)
		if err != nil {
			t.Fatal(err)
		}
		got[site] = seen[0].Link
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
