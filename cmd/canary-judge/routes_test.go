package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
)

// guardedConfig has a guard of each kind.
const guardedConfig = faultConfig + "guards: [{monitor: 101}, {monitors: 'tag:\"team:shop\"'}, {error_tracking: 'service:discounts env:prod'}]\n"

// scheduledConfig judges tests that run by themselves.
const scheduledConfig = `provider: datadog
baseline: {service: store}
canary: {service: store-canary}
window: {length: 1h, step: 1m}
metrics:
  - name: checkout journey
    checks: {synthetics: {baseline: [abc-def-ghi], canary: [jkl-mno-pqr]}}
    tolerance: 20pt
`

// Whatever is wrong with one route of those that decide, from the start of a run or in the
// middle of it, the run does not pass; it says what is wrong, and shows no key.
func TestFaultsOfEveryRoute(t *testing.T) {
	t.Parallel()
	faults := []struct {
		name string
		fault
		want string
	}{
		{"hang", hang, "the source is slow or hangs"},
		{"slow drip", drip, "the source is slow or hangs"},
		{"cut off", answers(200, "{", "Content-Length", "1000"), "the answer broke off"},
		{"truncated JSON", mangled(func(s string) string { return s[:len(s)/2] }), "not JSON as the"},
		{"wrong content type", answers(200, "plain text KEYS", "Content-Type", "text/plain"), "not JSON as the"},
		{"HTML page", answers(200, page, "Content-Type", "text/html"), "not JSON as the"},
		{"empty 200", answers(200, ""), "not JSON as the"},
		{"204", answers(204, ""), "not JSON as the"},
		{"a number", answers(200, "7"), "not JSON as the"},
		{"empty object", answers(200, "{}"), "the answer"},
		{"null", answers(200, "null"), "the answer"},
		{"200 with errors", answers(200, `{"errors":["KEYS"]}`), "[secret] [secret]"},
		{"302", answers(302, "", "Location", "https://elsewhere.example/"), "credentials follow no redirect"},
		{"400", answers(400, `{"errors":["bad KEYS"]}`), "400 Bad Request: bad [secret] [secret]"},
		{"401", answers(401, `{"errors":["KEYS"]}`), "check DD_API_KEY, DD_APP_KEY and DD_SITE"},
		{"403", answers(403, `{"errors":["KEYS"]}`), "that the application key has the permission"},
		{"413", answers(413, page), "413 Request Entity Too Large"},
		{"429", answers(429, `{"errors":["KEYS"]}`), "429 Too Many Requests"},
		{"429 with X-RateLimit-Reset", answers(429, "", "X-RateLimit-Reset", "3000"), "429 Too Many Requests"},
		{"500", answers(500, page), "500 Internal Server Error"},
		{"502", answers(502, page), "502 Bad Gateway"},
		{"503", answers(503, page), "503 Service Unavailable"},
		{"504", answers(504, page), "504 Gateway Timeout"},
	}
	healthy, gone := datadogtest.Canary{}, datadogtest.Canary{Silent: true}
	for _, route := range []struct {
		name, path, config string
		canary             datadogtest.Canary
		args               []string
	}{
		{"a test", "/api/v1/synthetics/tests/jkl-mno-pqr", scheduledConfig, healthy, []string{"--start", "-70m", "--end", "-10m"}},
		{"results", "/api/v2/synthetics/tests/browser/jkl-mno-pqr/results", scheduledConfig, healthy, []string{"--start", "-70m", "--end", "-10m"}},
		{"a monitor", "/api/v1/monitor/101", guardedConfig, healthy, nil},
		{"a search for monitors", "/api/v1/monitor/search", guardedConfig, healthy, nil},
		{"issues", "/api/v2/error-tracking/issues/search", guardedConfig, healthy, nil},
		{"an SLO", "/api/v1/slo/", sloConfig, healthy, []string{"--start", "-40m", "--end", "-10m"}},
		{"the start of a batch", "/api/v1/synthetics/tests/trigger/ci", triggeredConfig(t), healthy, nil},
		{"a batch", "/api/v1/synthetics/ci/batch/", triggeredConfig(t), healthy, nil},
		{"failed results", "/api/v2/synthetics/tests/poll_results", triggeredConfig(t), gone, nil},
	} {
		for _, tt := range faults {
			for _, from := range []int64{1, 6} {
				t.Run(fmt.Sprintf("%s, %s, from request %d on", route.name, tt.name, from), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						// No result of a test is from the year in which bubbles begin.
						time.Sleep(time.Until(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)))
						standIn := standInServer(route.canary)
						var requests atomic.Int64
						s := judgeConfig(t, route.config, faulty(t, standIn, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
							if strings.HasPrefix(r.URL.Path, route.path) && requests.Add(1) >= from {
								tt.fault(w, r, standIn)
								return
							}
							standIn.ServeHTTP(w, r)
						}), route.args...)
						if from > 1 && requests.Load() < from {
							return // the run asked less often, and so met no fault
						}
						told := strings.Join(strings.Fields(s.out+s.log), " ")
						if s.code != exitInconclusive && s.code != exitNotJudged || s.verdict != "inconclusive" || !strings.Contains(told, tt.want) {
							t.Errorf("exit %d, %s; want %q in\n%s%s", s.code, s.verdict, tt.want, s.out, s.log)
						}
					})
				})
			}
		}
	}
}
