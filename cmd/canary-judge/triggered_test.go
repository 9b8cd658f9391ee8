package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog"
	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

// triggeredConfig is the example with a window that is soon over.
func triggeredConfig(t *testing.T, changes ...string) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/datadog/synthetics-ci.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(changes...).Replace(string(text))
}

// counted is a network with a stand-in, and the requests it got.
type counted struct {
	mutex  sync.Mutex
	server *datadogtest.Server
	paths  map[string]int // by method and path, without ids
	bodies []string       // of those that start a batch
	times  []time.Time    // of the same
}

func (c *counted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if strings.HasPrefix(path, "/api/v1/synthetics/ci/batch/") {
		path = "/api/v1/synthetics/ci/batch/"
	}
	c.mutex.Lock()
	c.paths[r.Method+" "+path]++
	c.mutex.Unlock()
	if r.Method == http.MethodPost {
		var body json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mutex.Lock()
		c.bodies, c.times = append(c.bodies, string(body)), append(c.times, time.Now())
		c.mutex.Unlock()
		r = httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.Path, strings.NewReader(string(body)))
		r.Header.Set("DD-API-KEY", apiKey)
		r.Header.Set("DD-APPLICATION-KEY", appKey)
	}
	c.server.ServeHTTP(w, r)
}

func standIn(canary datadogtest.Canary) *counted {
	return &counted{server: &datadogtest.Server{World: datadogtest.Shop(canary), APIKey: apiKey, AppKey: appKey}, paths: map[string]int{}}
}

// A live run starts the tests for both arms at each step, counts them in it, and comes to
// its verdict; the replay of its recording, which starts nothing, comes to the same.
func TestTriggeredChecks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		canary  datadogtest.Canary
		verdict string
		code    int
	}{
		{"healthy", datadogtest.Canary{}, "pass", 0},
		{"broken", datadogtest.Canary{Errors: 4}, "fail", 1},
		{"gone", datadogtest.Canary{Silent: true}, "fail", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := standIn(tt.canary)
				s := judgeConfig(t, triggeredConfig(t), providertest.Serve(t, c))
				if s.code != tt.code || s.verdict != tt.verdict {
					t.Fatalf("exit %d, %s; want %d, %s:\n%s%s", s.code, s.verdict, tt.code, tt.verdict, s.out, s.log)
				}
				const tests = `[{"public_id":"mno-pqr-stu","startUrl":"https://store.example.com","locations":["aws:eu-central-1","aws:us-east-2","aws:ap-northeast-1"]}]`
				const options = `{"batch_timeout":210000,"selective_rerun":false}`
				for i, want := range []string{
					`{"tests":` + tests + `,"options":` + options + `}`,
					`{"tests":` + strings.Replace(tests, "store.", "canary.store.", 1) + `,"options":` + options + `}`,
				} {
					if c.bodies[i] != want {
						t.Errorf("batch %d: %s, want %s", i, c.bodies[i], want)
					}
				}
				// One batch for each arm and step, at its start, and read once when it is judged.
				looks := s.result.Window.Looks
				started := c.paths["POST /api/v1/synthetics/tests/trigger/ci"]
				if started < 2*looks || started > 2*looks+4 || c.paths["GET /api/v1/synthetics/ci/batch/"] != 2*looks {
					t.Errorf("%d looks, %v", looks, c.paths)
				}
				for _, at := range c.times {
					if !at.Equal(at.Truncate(2 * time.Minute)) {
						t.Errorf("a batch was started at %s", at)
					}
				}
				m := s.result.Metrics[0]
				if got := float64(m.Canary.Total); got != float64(3*looks) {
					t.Errorf("%v runs of the canary in %d looks, want 3 each", got, looks)
				}
				links := 0
				for _, f := range s.result.Generated.FailedRuns {
					if f.Arm == "canary" && strings.HasPrefix(f.URL, "https://app.datadoghq.com/synthetics/details/mno-pqr-stu/result/") && strings.Contains(f.URL, "batch_id=") {
						links++
					}
				}
				if links != int(m.Canary.Bad) {
					t.Errorf("%d links to the %v failed runs: %v", links, m.Canary.Bad, s.result.Generated.FailedRuns)
				}
				if told := strings.Contains(s.out, "Failed runs, the latest first:"); told != (tt.verdict == "fail") {
					t.Errorf("failed runs are told: %v\n%s", told, s.out)
				}
				code, out, log := judge(t, "http://127.0.0.1:1", "replay", filepath.Join(s.dir, "run.jsonl"), "-o", "json")
				var again struct{ Verdict, Reason string }
				if err := json.Unmarshal([]byte(out), &again); err != nil {
					t.Fatalf("%v %s", err, log)
				}
				if code != tt.code || again.Verdict != tt.verdict || again.Reason != s.result.Reason {
					t.Errorf("the replay: exit %d, %s, %q; the run: %q", code, again.Verdict, again.Reason, s.result.Reason)
				}
			})
		})
	}
}

// Whatever is wrong with the routes that start and read batches, the run does not pass, nor
// does it fail unless runs of the canary did.
func TestFaultsOfBatches(t *testing.T) {
	t.Parallel()
	const start, state, polled = "/api/v1/synthetics/tests/trigger/ci", "/api/v1/synthetics/ci/batch/", "/api/v2/synthetics/tests/poll_results"
	// eachResult changes the results of a batch that is over.
	eachResult := func(change func(map[string]any)) fault {
		return mangled(func(text string) string {
			var body struct {
				Data struct {
					Status  string           `json:"status"`
					Results []map[string]any `json:"results"`
				} `json:"data"`
			}
			if err := json.Unmarshal([]byte(text), &body); err != nil {
				return err.Error()
			}
			for _, result := range body.Data.Results {
				change(result)
			}
			changed, err := json.Marshal(body)
			if err != nil {
				return err.Error()
			}
			return string(changed)
		})
	}
	set := func(name string, to any) fault { return eachResult(func(r map[string]any) { r[name] = to }) }
	replaced := func(old, by string) fault {
		return mangled(func(text string) string { return strings.ReplaceAll(text, old, by) })
	}
	for _, tt := range []struct {
		name, route string
		fault
		code int
		want string
	}{
		{"start 400", start, answers(400, `{"errors":["bad KEYS"]}`), 4, "start the synthetic tests of the baseline: 400 Bad Request: bad [secret] [secret]"},
		{"start 401", start, answers(401, `{"errors":["KEYS"]}`), 4, "check DD_API_KEY, DD_APP_KEY and DD_SITE"},
		{"start 403", start, answers(403, `{"errors":["Cannot write tests or results (test ids: ['mno-pqr-stu']) KEYS"]}`), 4, "the permissions synthetics_read and synthetics_write, for these tests too"},
		{"start 404", start, answers(404, ""), 4, "check the public id of each test"},
		{"start 302", start, answers(302, "", "Location", "https://elsewhere.example/"), 4, "credentials follow no redirect"},
		{"start 429", start, answers(429, "", "X-RateLimit-Reset", "3000"), 3, "no step has data in both arms"},
		{"start 500", start, answers(500, "KEYS"), 3, "no step has data in both arms"},
		{"start hangs", start, hang, 3, "no step has data in both arms"},
		{"start HTML", start, answers(200, "<html>KEYS"), 4, "not JSON as the synthetics API answers it"},
		{"start empty", start, answers(200, ""), 4, "not JSON as the synthetics API answers it"},
		{"start without a batch", start, answers(200, `{"batch_id":null,"triggered_check_ids":["mno-pqr-stu"]}`), 4, "the answer has no batch_id"},
		{"start of another test", start, answers(200, `{"batch_id":"1","triggered_check_ids":["abc-def-ghi"]}`), 4, "the test mno-pqr-stu is not among those that were started"},
		{"batch 401", state, answers(401, `{"errors":["KEYS"]}`), 4, "401 Unauthorized"},
		{"batch 403", state, answers(403, `{"errors":["KEYS"]}`), 4, "the application key has the permission synthetics_read"},
		{"batch 404", state, answers(404, ""), 3, "no step has data in both arms"},
		{"batch 429", state, answers(429, "", "X-RateLimit-Reset", "3000"), 4, "429 Too Many Requests"},
		{"batch 503", state, answers(503, "KEYS"), 4, "503 Service Unavailable"},
		{"batch hangs", state, hang, 4, "the source is slow or hangs"},
		{"batch HTML", state, answers(200, "<html>KEYS"), 4, "not JSON as the synthetics API answers it"},
		{"batch empty", state, answers(200, "{}"), 4, "the answer has no data"},
		{"batch null", state, answers(200, `{"data":null}`), 4, "the answer has no data"},
		{"batch truncated", state, mangled(func(s string) string { return s[:len(s)/2] }), 4, "not JSON as the synthetics API answers it"},
		{"batch of no results", state, answers(200, `{"data":{"status":"passed","results":[]}}`), 3, "no step has data in both arms"},
		{"batch under way for ever", state, replaced(`"passed"`, `"in_progress"`), 3, "no step has data in both arms"},
		{"batch of an unknown status", state, replaced(`"status":"passed"`, `"status":"triggered"`), 4, `the batch has the status "triggered"`},
		{"batch that failed without a failed result", state, answers(200, `{"data":{"status":"failed","results":[]}}`), 4, "the batch failed, and none of its results did"},
		{"result of an unknown status", state, set("status", "no_data"), 4, `a result has the status "no_data"`},
		{"result without a status", state, set("status", nil), 4, `a result has the status ""`},
		{"results skipped", state, set("status", "skipped"), 3, "no step has data in both arms"},
		{"results of an earlier commit", state, set("selective_rerun", map[string]string{"decision": "skip", "reason": "passed"}), 3, "no step has data in both arms"},
		{"results that timed out", state, set("timed_out", true), 3, "no step has data in both arms"},
		{"results of another test", state, set("test_public_id", "abc-def-ghi"), 4, `a result is of the test "abc-def-ghi", which was not started`},
		{"results without an id", state, set("result_id", nil), 4, "a result that ended has no result_id"},
		{"results with one id", state, set("result_id", "1"), 4, "the result 1 is there twice"},
		{"ids that are numbers", state, set("result_id", 7), 4, "not JSON as the synthetics API answers it"},
		{"reasons 403", polled, answers(403, `{"errors":["KEYS"]}`), 4, "read why synthetic tests failed: 403 Forbidden: [secret] [secret]"},
		{"reasons HTML", polled, answers(200, "<html>KEYS"), 4, "not JSON as the synthetics API answers it"},
		{"reasons empty", polled, answers(200, "{}"), 4, "the answer has no data"},
		{"locations in trouble", polled, replaced(`"unhealthy":false`, `"unhealthy":true`), 3, "90 of the baseline, none of the canary so far; check that the tests of both arms run"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				canary := datadogtest.Canary{}
				if tt.route == polled {
					canary.Silent = true // only what failed is asked after
				}
				c := standIn(canary)
				network := faulty(t, c, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
					if strings.HasPrefix(r.URL.Path, tt.route) {
						tt.fault(w, r, c)
						return
					}
					c.ServeHTTP(w, r)
				})
				s := judgeConfig(t, triggeredConfig(t, "length: 1h, step: 2m", "length: 30m, step: 1m"), network)
				if s.code != tt.code || s.verdict != "inconclusive" || !strings.Contains(strings.Join(strings.Fields(s.out), " "), tt.want) {
					t.Errorf("exit %d, %s; want %d and %q in\n%s%s", s.code, s.verdict, tt.code, tt.want, s.out, s.log)
				}
			})
		})
	}
}

// Batches are started as often as the config says; steps without one are no gaps.
func TestTriggeredNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := standIn(datadogtest.Canary{})
		s := judgeConfig(t, triggeredConfig(t, "trigger:\n", "trigger:\n        every: 6m\n"), providertest.Serve(t, c))
		m := s.result.Metrics[0]
		if looks := s.result.Window.Looks; s.code != 3 || looks != 30 || float64(m.Canary.Total) != 30 || len(c.times) != 20 {
			t.Errorf("exit %d, %d looks, %v runs of the canary, %d batches:\n%s", s.code, looks, m.Canary.Total, len(c.times), s.out)
		}
	})
}

// A start URL that a test does not heed would leave both arms the same: that is an error,
// before anything is started.
func TestStartURLMustBeHeeded(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		test datadogtest.Test
		want string // "" = it is heeded
	}{
		"browser":   {datadogtest.Test{Type: "browser"}, ""},
		"HTTP":      {datadogtest.Test{Type: "api", Subtype: "http"}, ""},
		"multi":     {datadogtest.Test{Type: "api", Subtype: "multi"}, "it has no start URL: only browser tests and HTTP tests of one request do"},
		"DNS":       {datadogtest.Test{Type: "api", Subtype: "dns"}, "it has no start URL"},
		"untold":    {datadogtest.Test{Type: "api"}, "it has no start URL"},
		"not there": {datadogtest.Test{}, "check the test's public id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := standIn(datadogtest.Canary{})
				world := datadogtest.Shop(datadogtest.Canary{})
				if tt.test.Aimed = world.Tests["mno-pqr-stu"].Aimed; tt.test.Type == "" {
					delete(world.Tests, "mno-pqr-stu")
				} else {
					world.Tests["mno-pqr-stu"] = tt.test
				}
				c.server.World = world
				s := judgeConfig(t, triggeredConfig(t, "length: 1h", "length: 10m"), providertest.Serve(t, c))
				if tt.want == "" {
					if s.code != 3 || len(c.times) == 0 {
						t.Errorf("exit %d:\n%s", s.code, s.out)
					}
					return
				}
				if out := strings.Join(strings.Fields(s.out), " "); s.code != 4 || !strings.Contains(out, tt.want) || len(c.times) > 0 {
					t.Errorf("exit %d, %d batches; want %q:\n%s", s.code, len(c.times), tt.want, s.out)
				}
			})
		})
	}
}

// What needs no run says how it will be, and starts nothing.
func TestTriggeredBeforehand(t *testing.T) {
	t.Parallel()
	c := standIn(datadogtest.Canary{})
	server := httptest.NewServer(c)
	defer server.Close()
	const file = "../../examples/datadog/synthetics-ci.yaml"
	code, out, log := judge(t, server.URL, "run", "-c", file, "--start", "-70m", "--end", "-10m")
	if code != exitUsage || !strings.Contains(log, "the config starts checks (checks.trigger), which nothing can do in the past; leave out --end") {
		t.Errorf("in the past: exit %d\n%s%s", code, out, log)
	}
	code, out, log = judge(t, server.URL, "check", "--live", "-c", file)
	for _, want := range []string{
		"its checks are started every 2m, for each arm; of those that take longer than 3m30s none count",
		"checkout journey, bad of the canary: nothing yet: run starts it",
	} {
		if code != exitPass || !strings.Contains(out, want) {
			t.Errorf("check: exit %d, want %q\n%s%s", code, want, out, log)
		}
	}
	if len(c.times) > 0 {
		t.Errorf("%d batches were started", len(c.times))
	}
}

// Tests that are named by a tag are looked up once, before the run, and told; paused ones
// too where the job starts them. The replay knows them.
func TestTestsByTag(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := standIn(datadogtest.Canary{Errors: 4})
		s := judgeConfig(t, triggeredConfig(t, "synthetics: [mno-pqr-stu]", "synthetics: {tag: 'team:checkout'}"), providertest.Serve(t, c))
		if s.code != exitFail || !strings.Contains(s.log, "tests with the tag team:checkout: mno-pqr-stu (Checkout)") || c.paths["GET /api/v1/synthetics/tests"] != 2 {
			t.Errorf("exit %d, %v:\n%s%s", s.code, c.paths, s.out, s.log)
		}
		code, out, log := judge(t, "http://127.0.0.1:1", "replay", filepath.Join(s.dir, "run.jsonl"))
		if code != exitFail || !strings.HasPrefix(out, s.result.Reason) {
			t.Errorf("the replay: exit %d\n%s%s", code, out, log)
		}
		code, _, log = judge(t, "http://127.0.0.1:1", "replay", filepath.Join(s.dir, "run.jsonl"), "-c", filepath.Join(s.dir, "canary.yaml"))
		if code != exitUsage || !strings.Contains(log, "the config names tests by a tag (team:checkout), and a replay looks nothing up; leave out -c") {
			t.Errorf("the replay with the config: exit %d\n%s", code, log)
		}
		code, out, log = judge(t, "http://127.0.0.1:1", "check", "-c", filepath.Join(s.dir, "canary.yaml"))
		if code != exitPass || !strings.Contains(out, "a metric for each synthetic test with the tag team:checkout: check --live looks them up") {
			t.Errorf("check: exit %d\n%s%s", code, out, log)
		}
	})
}

// A list of tests that cannot be had, or read, ends the run before it begins.
func TestFaultsOfTags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		fault
		code int
		want string
	}{
		{"401", answers(401, `{"errors":["KEYS"]}`), exitNotJudged, "look up the synthetic tests with the tag team:checkout: 401 Unauthorized: [secret] [secret]; check DD_API_KEY, DD_APP_KEY and DD_SITE"},
		{"403", answers(403, `{"errors":["KEYS"]}`), exitNotJudged, "that the application key has the permission synthetics_read"},
		{"429", answers(429, "", "X-RateLimit-Reset", "3000"), exitNotJudged, "429 Too Many Requests"},
		{"503", answers(503, "KEYS"), exitNotJudged, "503 Service Unavailable: [secret] [secret]"},
		{"hang", hang, exitNotJudged, "the source is slow or hangs"},
		{"HTML", answers(200, "<html>KEYS"), exitNotJudged, "not JSON as the synthetics API answers it"},
		{"empty", answers(200, "{}"), exitNotJudged, "the answer has no tests"},
		{"a test without an id", answers(200, `{"tests":[{"status":"live"}]}`), exitNotJudged, "a test has no public_id"},
		{"a status that is none", answers(200, `{"tests":[{"public_id":"a","status":"KEYS"}]}`), exitNotJudged, "which is neither live nor paused"},
		{"no tests", answers(200, `{"tests":[]}`), exitUsage, "canary.yaml:13:25: no synthetic test has the tag team:checkout"},
		{"a tag like it", mangled(func(s string) string { return strings.Replace(s, "team:checkout", "team:check", 1) }), exitUsage, "no synthetic test has the tag team:checkout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := standIn(datadogtest.Canary{})
				p, err := datadog.New(datadog.Settings{APIKey: apiKey, AppKey: appKey}, faulty(t, c, tt.fault))
				if err != nil {
					t.Fatal(err)
				}
				dir := t.TempDir()
				path := filepath.Join(dir, "canary.yaml")
				if err := os.WriteFile(path, []byte(triggeredConfig(t, "synthetics: [mno-pqr-stu]", "synthetics: {tag: 'team:checkout'}")), 0o600); err != nil {
					t.Fatal(err)
				}
				var out, log bytes.Buffer
				a := &app{
					env: map[string]string{"DD_API_KEY": apiKey, "DD_APP_KEY": appKey}, stdout: &out, stderr: &log,
					args: []string{"run", "-c", path}, instead: map[string]providers.Provider{"datadog": p},
				}
				code := a.run(t.Context())
				if all := out.String() + log.String(); code != tt.code || !strings.Contains(all, tt.want) || strings.Contains(all, "hunter2") || len(c.times) > 0 {
					t.Errorf("exit %d, want %d and %q:\n%s", code, tt.code, tt.want, all)
				}
			})
		})
	}
}
