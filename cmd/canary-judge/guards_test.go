package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog"
	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

// thatDay is when runs with guards begin; a bubble begins in 2000, when no monitor
// of today alerted.
var thatDay = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

const (
	monitorsGuard = "guards: [{monitors: 'tag:\"team:shop\"'}]\n"
	errorsGuard   = "guards: [{error_tracking: service:discounts}]\n"
)

// watchShop is the shop with a healthy canary, and its monitors changed.
func watchShop(change func(into time.Duration, all []datadogtest.Monitor)) datadogtest.Script {
	world := datadogtest.Shop(datadogtest.Canary{})
	monitors := world.Watch
	world.Watch = func(now time.Time) []datadogtest.Monitor {
		all := monitors(now)
		change(now.Sub(thatDay), all)
		return all
	}
	return world
}

// trackShop is the shop with a healthy canary and more issues.
func trackShop(more ...datadogtest.TrackedIssue) datadogtest.Script {
	world := datadogtest.Shop(datadogtest.Canary{})
	world.Errors = append(world.Errors, more...)
	return world
}

// newIssue is one that has an error every 10 seconds in each version, from five minutes
// into a run on.
func newIssue(firstVersion string, versions ...string) datadogtest.TrackedIssue {
	i := datadogtest.TrackedIssue{Track: "trace", Issue: datadogtest.Issue{
		ID: "0b0d1a5e-0000-11f1-8000-da7ad0900003", Type: "TypeError", Message: "<b>no</b> @here", Version: firstVersion, FirstSeen: thatDay.Add(5 * time.Minute),
	}}
	for _, version := range versions {
		i.Errors = append(i.Errors, datadogtest.Stream{Tags: []string{"service:discounts", "version:" + version}, Count: func(t time.Time) float64 {
			if t.Before(thatDay.Add(5 * time.Minute)) {
				return 0
			}
			return 1
		}})
	}
	return i
}

// canarysGroup changes the group of the canary in the first monitor.
func canarysGroup(status string, triggered time.Duration) func(time.Duration, []datadogtest.Monitor) {
	return func(into time.Duration, all []datadogtest.Monitor) {
		if into >= triggered {
			all[0].Groups[1].Status, all[0].Groups[1].Triggered = status, thatDay.Add(triggered)
		}
	}
}

// What guards say decides a run whose metrics are well, and its replay without a network
// says the same.
func TestGuards(t *testing.T) {
	t.Parallel()
	nothing := func(time.Duration, []datadogtest.Monitor) {}
	for _, tt := range []struct {
		name    string
		config  string
		world   datadogtest.Script
		code    int
		verdict string
		want    string
	}{
		{"monitors that are quiet", monitorsGuard, watchShop(nothing), 0, "pass", `monitors (tag:"team:shop") found 2: none alerts: https://app.datadoghq.com/monitors/manage?q=tag%3A%22team%3Ashop%22`},
		{"one monitor of them alerts", monitorsGuard, watchShop(canarysGroup("Alert", 5*time.Minute)), 1, "fail", `FAIL after 2.5 of 30 min: monitors (tag:"team:shop") found 2: monitor 101 "Errors of discounts" alerts for version:v2: https://app.datadoghq.com/monitors/101`},
		{"one has alerted since before", monitorsGuard, watchShop(canarysGroup("Alert", -time.Hour)), 3, "inconclusive", `nothing passes while a guard cannot be read: monitors (tag:"team:shop") found 2: monitor 101 "Errors of discounts" alerts since 2026-11-23T09:00:00Z, before the run`},
		{"one has no data", monitorsGuard, watchShop(canarysGroup("No Data", -time.Hour)), 3, "inconclusive", "found 2: monitor 101"},
		{"one is muted", monitorsGuard, watchShop(func(_ time.Duration, all []datadogtest.Monitor) { all[1].Muted = true }), 3, "inconclusive", `monitor 102 "Latency of discounts" is muted`},
		{"one alerts in a downtime of any service", monitorsGuard, watchShop(func(into time.Duration, all []datadogtest.Monitor) {
			canarysGroup("Alert", 5*time.Minute)(into, all)
			all[0].Downtimes = []string{"service:* AND version:(v2 OR v3)"}
		}), 3, "inconclusive", "is muted by a downtime for service:* AND version:(v2 OR v3)"},
		{"one alerts in a downtime of who knows what", monitorsGuard, watchShop(func(into time.Duration, all []datadogtest.Monitor) {
			canarysGroup("Alert", 5*time.Minute)(into, all)
			all[0].Downtimes = []string{"NOT team:cart"}
		}), 3, "inconclusive", "is perhaps muted by a downtime for NOT team:cart"},
		{"one alerts in a downtime of the baseline", monitorsGuard, watchShop(func(into time.Duration, all []datadogtest.Monitor) {
			canarysGroup("Alert", 5*time.Minute)(into, all)
			all[0].Downtimes = []string{"service:* AND !version:v2"}
		}), 1, "fail", "alerts for version:v2"},
		{"one goes away", monitorsGuard, watchShop(func(into time.Duration, all []datadogtest.Monitor) {
			if into > 3*time.Minute {
				all[1].ID = 103
			}
		}), 3, "inconclusive", "found 2: monitor 102 was found, and is gone"},
		{"none is found", "guards: [{monitors: 'tag:\"team:shoop\"'}]\n", watchShop(nothing), 4, "inconclusive", `search the monitors for tag:"team:shoop": it finds none; check the search`},
		{"no new errors", errorsGuard, trackShop(), 0, "pass", "error tracking of trace (service:discounts) has no issue new in v2 with 10 errors or more"},
		// Ten errors from 10:05 on are there at 10:07; that look is of the steps to 10:05:30.
		{"new errors", errorsGuard, trackShop(newIssue("v2", "v2")), 1, "fail", `FAIL after 4.5 of 30 min: error tracking of trace (service:discounts) has an issue new in v2: TypeError "<b>no</b> @here", 10 errors: https://app.datadoghq.com/error-tracking/issue/0b0d1a5e-0000-11f1-8000-da7ad0900003`},
		{"new errors of both versions", errorsGuard, trackShop(newIssue("v2", "v1", "v2")), 3, "inconclusive", "nothing passes while a guard cannot be read: error tracking of trace (service:discounts) has an issue new in v2, and not shown to be of no other version"},
		{"new errors without a version", errorsGuard, trackShop(newIssue("", "v2")), 3, "inconclusive", "and without a version: it may be the canary's"},
		{"new errors of the baseline", errorsGuard, trackShop(newIssue("v1", "v1")), 0, "pass", "has no issue new in v2"},
		{"a search for errors that finds none", "guards: [{error_tracking: service:discount}]\n", trackShop(newIssue("v2", "v2")), 3, "inconclusive", "has had no issue in 14 days, and the search may be wrong"},
		{"both kinds", "guards: [{monitor: 101}, {monitors: service:discounts}, {error_tracking: service:discounts}]\n", trackShop(), 0, "pass", `monitor 101 "Errors of discounts" is quiet`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(thatDay))
				server := &datadogtest.Server{World: tt.world, APIKey: apiKey, AppKey: appKey}
				s := judgeConfig(t, faultConfig+tt.config, providertest.Serve(t, server))
				if s.code != tt.code || s.verdict != tt.verdict || !strings.Contains(strings.Join(strings.Fields(s.out), " "), tt.want) {
					t.Errorf("exit %d, %s; want %d, %s and %q in\n%s%s", s.code, s.verdict, tt.code, tt.verdict, tt.want, s.out, s.log)
				}
				if tt.code == 4 {
					return // a run that broke off has no verdict to say again
				}
				if named := strings.Contains(s.log, " fails it: "); named != (tt.verdict == "fail") {
					t.Errorf("the log names a guard that fails the canary: %v; the verdict is %s:\n%s", named, tt.verdict, s.log)
				}
				if looks := saved(t, filepath.Join(s.dir, "result.json"))["looks"].([]any); looks[len(looks)-1].(map[string]any)["verdict"] != tt.verdict {
					t.Errorf("the last look is another verdict's: %v", looks[len(looks)-1])
				}
				replayed(t, s)
			})
		})
	}
}

// The guards of examples/datadog, in a window that has just ended.
func TestGuardsExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../examples/datadog/guards.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for want, canary := range map[string]datadogtest.Canary{"quiet": {}, "alert": {Errors: 4, Latency: 0.5}} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(thatDay))
				server := &datadogtest.Server{World: datadogtest.Shop(canary), APIKey: apiKey, AppKey: appKey}
				s := judgeConfig(t, string(text), providertest.Serve(t, server), "--set", "version=v2", "--start", "-62m", "--end", "-2m")
				result, err := os.ReadFile(filepath.Join(s.dir, "result.json"))
				if err != nil {
					t.Fatal(err)
				}
				var got struct {
					Guards []struct{ Name, State string }
				}
				if err := json.Unmarshal(result, &got); err != nil {
					t.Fatal(err)
				}
				for _, g := range got.Guards {
					if g.State != want {
						t.Errorf("%s is %s, want %s", g.Name, g.State, want)
					}
				}
				if len(got.Guards) != 2 || (s.verdict == "fail") != (want == "alert") {
					t.Errorf("%s, %d guards:\n%s%s", s.verdict, len(got.Guards), s.out, s.log)
				}
				replayed(t, s)
			})
		})
	}
}

// replayed replays the recording of a session without keys or a network.
func replayed(t *testing.T, s session) {
	t.Helper()
	var out, log bytes.Buffer
	again := filepath.Join(s.dir, "again.json")
	a := &app{stdout: &out, stderr: &log, args: []string{"replay", filepath.Join(s.dir, "run.jsonl"), "-o", "json=" + again}}
	if code := a.run(t.Context()); code != s.code {
		t.Errorf("the replay exits %d, the run %d:\n%s%s", code, s.code, out.String(), log.String())
	}
	if diff := cmp.Diff(saved(t, filepath.Join(s.dir, "result.json")), saved(t, again)); diff != "" {
		t.Errorf("the replay differs (-run +replay)\n%s", diff)
	}
}

// saved reads a result, without where and when it was rendered.
func saved(t *testing.T, path string) (v map[string]any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	delete(v, "generated")
	return v
}

// Whatever is wrong with what guards say, a run whose metrics are well does not pass, and
// no key shows. It is wrong from the run's start, or from its middle.
func TestFaultsOfGuards(t *testing.T) {
	t.Parallel()
	broken := []struct {
		name string
		fault
		want string
	}{
		{"HTML page", answers(200, "<html>KEYS"), "not JSON as"},
		{"empty 200", answers(200, ""), "not JSON as"},
		{"204", answers(204, ""), "not JSON as"},
		{"truncated JSON", mangled(func(s string) string { return s[:len(s)/2] }), "not JSON as"},
		{"empty object", answers(200, "{}"), "the answer is not"},
		{"a list", answers(200, "[]"), "not JSON as"},
		{"null", answers(200, "null"), "the answer is not"},
		{"200 with errors", answers(200, `{"errors":["Timeout for KEYS"]}`), "the answer is not"},
		{"400", answers(400, `{"errors":["bad KEYS"]}`), "400 Bad Request: bad [secret] [secret]"},
		{"401", answers(401, `{"errors":["KEYS"]}`), "check DD_API_KEY, DD_APP_KEY and DD_SITE"},
		{"403", answers(403, `{"errors":["KEYS"]}`), "and that the application key has the permission"},
		{"302", answers(302, "", "Location", "https://elsewhere.example/"), "credentials follow no redirect"},
		{"429", answers(429, `{"errors":["KEYS"]}`, "X-RateLimit-Reset", "36000"), "429 Too Many Requests"},
		{"503", answers(503, "KEYS"), "503 Service Unavailable"},
		{"hang", hang, "the source is slow or hangs"},
	}
	for guard, path := range map[string]string{
		"guards: [{monitor: 101}]\n": "/api/v1/monitor/101",
		monitorsGuard:                "/api/v1/monitor/search",
		monitorsGuard + " ":          "/api/v1/monitor/102",
		errorsGuard:                  "/api/v2/error-tracking/issues/search",
	} {
		for _, tt := range broken {
			for from, name := range map[int64]string{1: "from the start", 12: "from the middle"} {
				if from > 1 && strings.HasSuffix(path, "search") {
					continue // it is asked for once
				}
				t.Run(path+" "+tt.name+" "+name, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						time.Sleep(time.Until(thatDay))
						var requests atomic.Int64
						s := judgeConfig(t, faultConfig+guard, serveFaulty(t, func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
							if r.URL.Path != path || requests.Add(1) < from {
								healthy.ServeHTTP(w, r)
								return
							}
							tt.fault(w, r, healthy)
						}))
						if s.code != 4 || s.verdict != "inconclusive" || !strings.Contains(strings.Join(strings.Fields(s.out), " "), tt.want) {
							t.Errorf("exit %d, %s; want 4 and %q in\n%s%s", s.code, s.verdict, tt.want, s.out, s.log)
						}
					})
				})
			}
		}
	}
}

// check --live asks the guards and says what they say.
func TestGuardsAreChecked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		guards string
		canary datadogtest.Canary
		code   int
		want   []string
	}{
		{monitorsGuard, datadogtest.Canary{}, 0, []string{
			`guard: the monitors (tag:"team:shop") of datadog must stay quiet`, `monitors (tag:"team:shop"): found 2: none alerts`,
		}},
		{monitorsGuard, datadogtest.Canary{Errors: 4}, 3, []string{`monitors (tag:"team:shop"): found 2: monitor 101 "Errors of discounts" alerts since 2026-11-23T09:50:00Z, before the run`}},
		{errorsGuard, datadogtest.Canary{}, 0, []string{
			"guard: the error tracking of trace (service:discounts) of datadog must stay quiet",
			"error tracking of trace (service:discounts): has no issue new in v2 with 10 errors or more",
		}},
		{"guards: [{error_tracking: 'service:nobody'}]\n", datadogtest.Canary{}, 3, []string{"error tracking of trace (service:nobody): has had no issue in 14 days"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Until(thatDay))
			path := filepath.Join(t.TempDir(), "canary.yaml")
			if err := os.WriteFile(path, []byte(faultConfig+tt.guards), 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := datadog.New(datadog.Settings{APIKey: apiKey, AppKey: appKey}, providertest.Serve(t, &datadogtest.Server{World: datadogtest.Shop(tt.canary), APIKey: apiKey, AppKey: appKey}))
			if err != nil {
				t.Fatal(err)
			}
			var out, log bytes.Buffer
			a := &app{
				env: map[string]string{"DD_API_KEY": apiKey, "DD_APP_KEY": appKey}, stdout: &out, stderr: &log,
				args: []string{"check", "--live", "-c", path}, instead: map[string]providers.Provider{"datadog": p},
			}
			code := a.run(t.Context())
			all := out.String() + log.String()
			for _, want := range tt.want {
				if code != tt.code || !strings.Contains(all, want) || strings.Contains(all, "hunter2") {
					t.Errorf("exit %d, want %d and %q:\n%s", code, tt.code, want, all)
				}
			}
		})
	}
}
