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

const monitorsGuard = "guards: [{monitors: 'tag:\"team:shop\"'}]\n"

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
		{"one goes away", monitorsGuard, watchShop(func(into time.Duration, all []datadogtest.Monitor) {
			if into > 3*time.Minute {
				all[1].ID = 103
			}
		}), 3, "inconclusive", "found 2: monitor 102 was found, and is gone"},
		{"none is found", "guards: [{monitors: 'tag:\"team:shoop\"'}]\n", watchShop(nothing), 4, "inconclusive", `search the monitors for tag:"team:shoop": it finds none; check the search`},
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
	read := func(path string) (v map[string]any) {
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
	if diff := cmp.Diff(read(filepath.Join(s.dir, "result.json")), read(again)); diff != "" {
		t.Errorf("the replay differs (-run +replay)\n%s", diff)
	}
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
		{"hang", func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }, "the source is slow or hangs"},
	}
	for guard, path := range map[string]string{
		"guards: [{monitor: 101}]\n": "/api/v1/monitor/101",
		monitorsGuard:                "/api/v1/monitor/search",
		monitorsGuard + " ":          "/api/v1/monitor/102",
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
