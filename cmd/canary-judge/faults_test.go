package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog"
	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

// faultConfig has what is easiest to pass: a rate whose silence is zero, and a value.
const faultConfig = `provider: datadog
baseline: {service: discounts, version: v1}
canary: {service: discounts, version: v2}
window: {length: 30m, step: 30s, warmup: 1m}
metrics:
  - name: errors
    ratio:
      bad: sum:trace.http.request.errors{$arm}.as_count()
      total: sum:trace.http.request.hits{$arm}.as_count()
      absent: zero
    tolerance: 100%
  - name: latency
    value: p95:trace.http.request{$arm}
    quantile: none
    unit: s
    tolerance: 50%
`

// fault changes what a healthy stand-in does with a request.
type fault func(w http.ResponseWriter, r *http.Request, healthy http.Handler)

// unusable is a network on which nothing arrives.
type unusable struct{ err error }

func (b unusable) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }

// answers sends an answer whatever is asked. It repeats the keys, as careless
// proxies do.
func answers(status int, body string, headers ...string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, strings.ReplaceAll(body, "KEYS", r.Header.Get("DD-API-KEY")+" "+r.Header.Get("DD-APPLICATION-KEY")))
	}
}

// mangled changes the text of a healthy answer.
func mangled(change func(string) string) fault {
	return func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
		recorder := httptest.NewRecorder()
		healthy.ServeHTTP(recorder, r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(recorder.Code)
		fmt.Fprint(w, change(recorder.Body.String()))
	}
}

// reshaped changes the attributes of a healthy answer that is a timeseries.
func reshaped(change func(attributes map[string]any)) fault {
	return mangled(func(text string) string {
		var body map[string]any
		if err := json.Unmarshal([]byte(text), &body); err != nil {
			return text
		}
		data, _ := body["data"].(map[string]any)
		attributes, _ := data["attributes"].(map[string]any)
		if _, is := attributes["times"].([]any); !is {
			return text // no timeseries, such as what is known of a metric
		}
		change(attributes)
		changed, err := json.Marshal(body)
		if err != nil {
			return err.Error()
		}
		return string(changed)
	})
}

// eachValue changes every value.
func eachValue(to any) fault {
	return reshaped(func(a map[string]any) {
		for _, row := range a["values"].([]any) {
			for i := range row.([]any) {
				row.([]any)[i] = to
			}
		}
	})
}

// shifted moves all times.
func shifted(by time.Duration) fault {
	return reshaped(func(a map[string]any) {
		for i, ms := range a["times"].([]any) {
			a["times"].([]any)[i] = ms.(float64) + float64(by.Milliseconds())
		}
	})
}

// session is a run, in a bubble, in which waits take no time.
type session struct {
	code              int
	out, log, verdict string
	limits            []report.RateLimit
	result            report.Report
	dir               string // with run.jsonl, result.json and result.md
}

// judgeFaulty runs the config of this file against a transport.
func judgeFaulty(t *testing.T, transport http.RoundTripper, args ...string) session {
	t.Helper()
	return judgeConfig(t, faultConfig, transport, args...)
}

// judgeConfig runs a config against a transport.
func judgeConfig(t *testing.T, config string, transport http.RoundTripper, args ...string) session {
	t.Helper()
	return judgeWith(t, config, datadog.Settings{}, transport, args...)
}

// judgeWith runs a config with settings, whose keys it adds, against a transport.
func judgeWith(t *testing.T, config string, settings datadog.Settings, transport http.RoundTripper, args ...string) session {
	t.Helper()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(file("canary.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	settings.APIKey, settings.AppKey = apiKey, appKey
	p, err := datadog.New(settings, transport)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	a := &app{
		env: map[string]string{"DD_API_KEY": apiKey, "DD_APP_KEY": appKey}, stdout: &stdout, stderr: &stderr,
		args:    append([]string{"run", "-v", "-c", file("canary.yaml"), "--record", file("run.jsonl"), "-o", "text", "-o", "json=" + file("result.json"), "-o", "markdown=" + file("result.md")}, args...),
		instead: map[string]providers.Provider{"datadog": p},
	}
	s := session{code: a.run(t.Context()), dir: dir}
	s.out, s.log = stdout.String(), stderr.String()
	all := []string{s.out, s.log}
	for _, name := range []string{"run.jsonl", "result.json", "result.md"} {
		text, err := os.ReadFile(file(name))
		if err != nil {
			t.Fatalf("%v\n%s%s", err, s.out, s.log)
		}
		all = append(all, string(text))
	}
	for _, text := range all {
		if strings.Contains(text, "hunter2") {
			t.Errorf("a key shows in\n%s", text)
		}
	}
	var result report.Report
	if err := json.Unmarshal([]byte(all[3]), &result); err != nil {
		t.Fatal(err)
	}
	s.verdict, s.limits, s.result = result.Verdict, result.Generated.RateLimits, result
	return s
}

// serveFaulty is a network with a stand-in that has a healthy canary and a fault.
func serveFaulty(t *testing.T, f fault) http.RoundTripper {
	return faulty(t, standInServer(datadogtest.Canary{}), f)
}

// standInServer is a stand-in with a canary.
func standInServer(canary datadogtest.Canary) *datadogtest.Server {
	return &datadogtest.Server{World: datadogtest.Shop(canary), APIKey: apiKey, AppKey: appKey}
}

// faulty is a network with a server that has a fault.
func faulty(t *testing.T, healthy http.Handler, f fault) http.RoundTripper {
	return providertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A server learns that its client is gone only after it has read the body.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		f(w, r, healthy)
	}))
}

// page is what a proxy shows to those it does not know.
const page = "<html>please log in, KEYS</html>"

// hang never answers.
func hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }

// drip answers without an end.
func drip(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	for r.Context().Err() == nil {
		fmt.Fprint(w, " ")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(time.Second):
		}
	}
}

// Whatever is wrong with the source, a run does not pass: it exits 4 with the cause, or 3
// where it must take what it gets for missing data. Neither key shows in the output,
// in the log with -v, in the result or in the recording.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error // of the network
		fault
		code int
		want string
	}{
		{"refused connection", &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, nil, 4, "connection refused; check the address"},
		{"no such name", &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.datadoghq.com", IsNotFound: true}}, nil, 4, "lookup api.datadoghq.com: no such host; check the address"},
		{"a certificate that is not trusted", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, nil, 4, "certificate signed by unknown authority"},
		{"reset", &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, nil, 4, "connection reset by peer"},
		{"hang", nil, hang, 4, "the source is slow or hangs"},
		{"slow drip", nil, drip, 4, "the source is slow or hangs"},
		{"truncated JSON", nil, mangled(func(s string) string { return s[:len(s)/2] }), 4, "not JSON as the query API answers it"},
		{"cut off", nil, answers(200, "{", "Content-Length", "1000"), 4, "the answer broke off"},
		{"wrong content type", nil, answers(200, "plain text KEYS", "Content-Type", "text/plain"), 4, "not JSON as the query API answers it"},
		{"HTML page", nil, answers(200, page, "Content-Type", "text/html"), 4, "not JSON as the query API answers it"},
		{"200 with errors", nil, answers(200, `{"errors":["Timeout for KEYS"]}`), 4, "the server finds fault with the query: Timeout for [secret] [secret]"},
		{"200 with errors beside data", nil, mangled(func(s string) string { return strings.Replace(s, "{", `{"errors":"partial",`, 1) }), 4, "the answer is not whole: it comes with an error: partial"},
		{"warnings", nil, mangled(func(s string) string {
			return strings.Replace(s, "{", `{"warnings":["KEYS: a shard did not answer"],`, 1)
		}), 4, "the answer is not whole: it comes with a warning: "},
		{"a status that is not done", nil, mangled(func(s string) string { return strings.Replace(s, "{", `{"meta":{"status":"timeout"},`, 1) }), 4, `the answer is not whole: its status is "timeout"; nothing is judged by a part of the data`},
		{"partial data", nil, reshaped(func(a map[string]any) { a["is_partial"] = true }), 4, "the answer is not whole: it says that it is partial"},
		{"206", nil, func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
			recorder := httptest.NewRecorder()
			healthy.ServeHTTP(recorder, r)
			w.WriteHeader(http.StatusPartialContent)
			fmt.Fprint(w, recorder.Body.String())
		}, 4, "the answer is not whole: 206 Partial Content; nothing is judged by a part of the data"},
		{"empty 200", nil, answers(200, ""), 4, "not JSON as the query API answers it"},
		{"204", nil, answers(204, ""), 4, "not JSON as the query API answers it"},
		{"empty object", nil, answers(200, "{}"), 4, "the answer has no data"},
		{"null data", nil, answers(200, `{"data":null}`), 4, "the answer has no data"},
		{"unknown enum", nil, mangled(func(s string) string { return strings.Replace(s, "timeseries_response", "timeseries_v3", 1) }), 4, "the answer is a timeseries_v3"},
		{"no series", nil, reshaped(func(a map[string]any) { a["series"], a["values"] = []any{}, []any{} }), 3, "no step has data in both arms"},
		{"nulls", nil, eachValue(nil), 3, "no step has data in both arms"},
		{"strings for numbers", nil, eachValue("7"), 4, "not JSON as the query API answers it"},
		{"NaN text", nil, eachValue("NaN"), 4, "not JSON as the query API answers it"},
		{"NaN", nil, mangled(func(s string) string { return strings.Replace(s, `"values":[[`, `"values":[[NaN,`, 1) }), 4, "not JSON as the query API answers it"},
		{"negative counts", nil, eachValue(-1), 4, "-1"},
		{"duplicate points", nil, reshaped(func(a map[string]any) { at := a["times"].([]any); at[3] = at[2] }), 4, "the times do not ascend"},
		{"unordered points", nil, reshaped(func(a map[string]any) { at := a["times"].([]any); at[3], at[2] = at[2], at[3] }), 4, "the times do not ascend"},
		{"an extra group", nil, reshaped(func(a map[string]any) {
			a["series"] = append(a["series"].([]any), map[string]any{"group_tags": []any{"version:v3"}, "query_index": 0})
			a["values"] = append(a["values"].([]any), a["values"].([]any)[0])
		}), 4, "matched 2 series, such as {} and {version=v3}; aggregate them"},
		{"missing group tags", nil, reshaped(func(a map[string]any) {
			a["series"] = append(a["series"].([]any), map[string]any{"query_index": 0})
			a["values"] = append(a["values"].([]any), a["values"].([]any)[0])
		}), 4, "two values at"},
		{"no query index", nil, reshaped(func(a map[string]any) { delete(a["series"].([]any)[0].(map[string]any), "query_index") }), 4, "does not say which query it answers"},
		{"a row too few", nil, reshaped(func(a map[string]any) { a["values"] = a["values"].([]any)[1:] }), 4, "6 series but 5 rows of values"},
		{"milliseconds for seconds", nil, reshaped(func(a map[string]any) {
			for _, s := range a["series"].([]any) {
				s.(map[string]any)["unit"] = []any{map[string]any{"name": "millisecond"}, nil}
			}
		}), 4, "the source gives ms, the config says s; write unit: ms"},
		{"a wider interval", nil, reshaped(func(a map[string]any) {
			at := a["times"].([]any)
			for i := range at {
				at[i] = at[0].(float64) + float64(60000*i)
			}
		}), 4, "a value every 60s, and steps are of 30s: use step: 60s"},
		{"clock skew of an hour", nil, shifted(-time.Hour), 3, "no step has data in both arms"},
		{"clock skew of 7 seconds", nil, shifted(7 * time.Second), 4, "does not fit the 30s asked for"},
		{"400", nil, answers(400, `{"errors":["bad KEYS"]}`), 4, "400 Bad Request: bad [secret] [secret]; correct the query"},
		{"401", nil, answers(401, `{"errors":["KEYS"]}`), 4, "check DD_API_KEY, DD_APP_KEY and DD_SITE"},
		{"403", nil, answers(403, `{"errors":["KEYS"]}`), 4, "the application key has the permission timeseries_query"},
		{"404", nil, answers(404, page), 4, "404 Not Found"},
		{"413", nil, answers(413, page), 4, "413 Request Entity Too Large"},
		{"302", nil, answers(302, "", "Location", "https://elsewhere.example/"), 4, "credentials follow no redirect"},
		{"429 without headers", nil, answers(429, `{"errors":["KEYS"]}`), 4, "429 Too Many Requests"},
		{"429 with X-RateLimit-Reset", nil, answers(429, "", "X-RateLimit-Reset", "3000"), 4, "429 Too Many Requests"},
		{"429 with Retry-After", nil, answers(429, "", "Retry-After", "3000"), 4, "429 Too Many Requests"},
		{"500", nil, answers(500, page), 4, "500 Internal Server Error"},
		{"502", nil, answers(502, page), 4, "502 Bad Gateway"},
		{"503", nil, answers(503, page), 4, "503 Service Unavailable"},
		{"504", nil, answers(504, page), 4, "504 Gateway Timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var transport http.RoundTripper = unusable{tt.err}
				if tt.fault != nil {
					transport = serveFaulty(t, tt.fault)
				}
				s := judgeFaulty(t, transport, "--start", "-40m", "--end", "-10m")
				if s.code != tt.code || s.verdict != "inconclusive" || !strings.Contains(strings.Join(strings.Fields(s.out), " "), tt.want) {
					t.Errorf("exit %d, %s; want %d and %q in\n%s", s.code, s.verdict, tt.code, tt.want, s.out)
				}
			})
		})
	}
}

// What breaks in the middle of a run ends it, or is waited for; it never lets it pass.
func TestFaultsInARun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		fault
		code int
		want string
	}{
		{"key revoked", answers(403, `{"errors":["KEYS"]}`), 4, "403 Forbidden"},
		{"limit for the rest of the run", answers(429, "", "X-RateLimit-Reset", "36000"), 4, "429 Too Many Requests"},
		{"down for the rest of the run", answers(503, ""), 4, "503 Service Unavailable"},
		{"another interval", reshaped(func(a map[string]any) {
			at := a["times"].([]any)
			for i := range at {
				at[i] = at[0].(float64) + float64(60000*i)
			}
		}), 3, "INCONCLUSIVE"},
		{"warnings for the rest of the run", mangled(func(s string) string { return strings.Replace(s, "{", `{"warnings":["a shard did not answer"],`, 1) }), 4, "the answer is not whole: it comes with a warning: a shard did not answer"},
		{"another answer", answers(200, "<html>"), 4, "not JSON as the query API answers it"},
		{"nothing any more", reshaped(func(a map[string]any) { a["series"], a["values"], a["times"] = []any{}, []any{}, []any{} }), 3, "INCONCLUSIVE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int64
				s := judgeFaulty(t, serveFaulty(t, func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
					if requests.Add(1) < 12 {
						healthy.ServeHTTP(w, r)
						return
					}
					tt.fault(w, r, healthy)
				}))
				if s.code != tt.code || s.verdict != "inconclusive" || !strings.Contains(strings.Join(strings.Fields(s.out), " "), tt.want) {
					t.Errorf("exit %d, %s; want %d and %q in\n%s", s.code, s.verdict, tt.code, tt.want, s.out)
				}
			})
		})
	}
}

// The same run without a fault passes, and so it does after trouble that passes: what
// the tests above show is the faults' doing.
func TestNoFault(t *testing.T) {
	t.Parallel()
	for name, troubled := range map[string]fault{
		"none":    func(w http.ResponseWriter, r *http.Request, healthy http.Handler) { healthy.ServeHTTP(w, r) },
		"limited": answers(429, "", "X-RateLimit-Reset", "7"),
		"down":    answers(503, ""),
		"partial": mangled(func(s string) string { return strings.Replace(s, "{", `{"meta":{"status":"timeout"},`, 1) }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int64
				s := judgeFaulty(t, serveFaulty(t, func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
					if n := requests.Add(1); n > 10 && n < 20 {
						troubled(w, r, healthy)
						return
					}
					healthy.ServeHTTP(w, r)
				}))
				if s.code != 0 || s.verdict != "pass" {
					t.Errorf("exit %d, %s:\n%s%s", s.code, s.verdict, s.out, s.log)
				}
				if told := strings.Contains(s.out, "datadog: 9 requests refused as too many"); told != (name == "limited") || told != (len(s.limits) == 1) {
					t.Errorf("rate limits %v:\n%s", s.limits, s.out)
				}
			})
		})
	}
}

// sloConfig has an SLO and what else it takes to be a run.
const sloConfig = `provider: datadog
baseline: {env: prod, version: v1}
canary: {env: prod, version: v2}
window: {length: 30m, step: 30s, warmup: 1m}
metrics:
  - name: availability
    ratio: {slo: 0123456789abcdef0123456789abcdef, absent: zero}
    tolerance: 100%
`

// Whatever is wrong with the look-up of an SLO, a run does not pass, and says what to do.
func TestFaultsOfSLOs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		fault
		want string
	}{
		{"hang", hang, "the source is slow or hangs"},
		{"truncated JSON", mangled(func(s string) string { return s[:len(s)/2] }), "not JSON as the SLO API answers it"},
		{"cut off", answers(200, "{", "Content-Length", "1000"), "the answer broke off"},
		{"HTML page", answers(200, page, "Content-Type", "text/html"), "not JSON as the SLO API answers it"},
		{"empty 200", answers(200, ""), "not JSON as the SLO API answers it"},
		{"204", answers(204, ""), "not JSON as the SLO API answers it"},
		{"empty object", answers(200, "{}"), "the answer is not the SLO's"},
		{"null data", answers(200, `{"data":null,"error":null}`), "the answer is not the SLO's"},
		{"200 with an error", answers(200, `{"data":null,"error":"Timeout for KEYS"}`), "the answer reports an error: Timeout for [secret] [secret]"},
		{"a warning", mangled(func(s string) string { return strings.Replace(s, "{", `{"warnings":["x"],`, 1) }), "the answer is not whole"},
		{"another SLO", mangled(func(s string) string { return strings.Replace(s, "0123456789abcdef", "1123456789abcdef", 1) }), "the answer is not the SLO's"},
		{"unknown enum", mangled(func(s string) string { return strings.Replace(s, `"type":"metric"`, `"type":"KEYS"`, 1) }), `it is an SLO of the type "KEYS"; name an SLO that counts events`},
		{"numbers for queries", mangled(func(s string) string { return strings.Replace(s, `"formula":"query2"`, `"formula":7`, 1) }), "not JSON as the SLO API answers it"},
		{"of monitors", mangled(func(s string) string { return strings.Replace(s, `"type":"metric"`, `"type":"monitor"`, 1) }), "let its monitors watch over the canary: guards: [{monitor: ID}]"},
		{"a formula that is not known", mangled(func(s string) string { return strings.Replace(s, `"formula":"query2"`, `"formula":"query2 / 2"`, 1) }), `only counts that are added and subtracted are understood, not "/ 2"; write queries for its events instead`},
		{"401", answers(401, `{"errors":["KEYS"]}`), "check DD_API_KEY, DD_APP_KEY and DD_SITE"},
		{"403", answers(403, `{"errors":["KEYS"]}`), "403 Forbidden: [secret] [secret]; check DD_API_KEY and DD_SITE, and that the application key has the permission slos_read"},
		{"404", answers(404, `{"errors":["SLO not found: KEYS not found"]}`), "404 Not Found: SLO not found: [secret] [secret] not found; check the SLO's id"},
		{"302", answers(302, "", "Location", "https://elsewhere.example/"), "credentials follow no redirect"},
		{"429", answers(429, "", "X-RateLimit-Reset", "3000"), "429 Too Many Requests"},
		{"500", answers(500, page), "500 Internal Server Error"},
		{"502", answers(502, page), "502 Bad Gateway"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := judgeConfig(t, sloConfig, serveFaulty(t, func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
					if r.Method == http.MethodGet {
						tt.fault(w, r, healthy)
						return
					}
					healthy.ServeHTTP(w, r)
				}), "--start", "-40m", "--end", "-10m")
				if s.code != 4 || s.verdict != "inconclusive" || !strings.Contains(strings.Join(strings.Fields(s.out), " "), tt.want) {
					t.Errorf("exit %d, %s; want 4 and %q in\n%s", s.code, s.verdict, tt.want, s.out)
				}
			})
		})
	}
}

// Twenty metrics, SLOs among them, are one request a step, of which there is a look. An SLO is
// looked up once in a run, so that it matters to none that it is changed or taken away.
func TestRequestsOfALook(t *testing.T) {
	t.Parallel()
	config := sloConfig + `  - name: outcomes
    ratio: {slo: fedcba9876543210fedcba9876543210}
    tolerance: 100%
  - name: latency by apm
    value: apm_metrics("service:discounts $arm").stat("latency_p95")
    quantile: none
    tolerance: 50%
`
	for n := range 17 {
		config += fmt.Sprintf("  - name: latency %d\n    value: p95:trace.http.request{$arm}\n    quantile: none\n    unit: s\n    tolerance: 50%%\n", n)
	}
	synctest.Test(t, func(t *testing.T) {
		var lookUps, queries atomic.Int64
		s := judgeConfig(t, config, serveFaulty(t, func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
			switch {
			case r.Method == http.MethodPost:
				queries.Add(1)
			case lookUps.Add(1) > 2:
				answers(404, "")(w, r, healthy)
				return
			}
			healthy.ServeHTTP(w, r)
		}))
		// Before the first look come a probe and the steps of the warm-up.
		steps := strings.Count(s.log, "fetched 44 queries from datadog")
		if s.code != 0 || steps < 10 || queries.Load() != int64(steps) || lookUps.Load() != 2 {
			t.Errorf("exit %d; data of %d steps by %d requests for series and %d for SLOs; want as many as steps, and 2\n%s%s", s.code, steps, queries.Load(), lookUps.Load(), s.out, s.log)
		}
	})
}

// Trouble with the routes that explain an empty answer is told, costs nothing more, and
// shows no key.
func TestFaultsOfDiagnosis(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		fault
		want string
	}{
		{"403", answers(403, `{"errors":["KEYS"]}`), "could not find out: datadog: ask api.datadoghq.com about the metric: 403 Forbidden: [secret] [secret]; give the application key the permission metrics_read to find out"},
		{"401", answers(401, ""), "could not find out: datadog: ask api.datadoghq.com about the metric: 401 Unauthorized"},
		{"429", answers(429, "", "X-RateLimit-Reset", "3000"), "429 Too Many Requests"},
		{"500", answers(500, "KEYS"), "500 Internal Server Error"},
		{"302", answers(302, "", "Location", "https://elsewhere.example/"), "302 Found"},
		{"HTML", answers(200, "<html>KEYS"), "not JSON as the API answers it: invalid character '<' looking for beginning of value: <html>[secret] [secret]"},
		{"empty", answers(200, ""), "not JSON as the API answers it"},
		{"a list", answers(200, "[]"), "not JSON as the API answers it"},
		{"nothing in it", answers(200, "{}"), "no traffic: trace.http.request.errors is known, but nothing sent it in the last 4 hours"},
		{"keys as tags", answers(200, `{"data":{"attributes":{"tags":["KEYS:a"]}}}`), "it has [secret] [secret]"},
		{"404", answers(404, ""), "unknown metric: Datadog has never had trace.http.request.errors"},
		{"hang", hang, "the source is slow or hangs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				transport := serveFaulty(t, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
					if r.Method == http.MethodPost {
						answers(200, `{"data":{"type":"timeseries_response","attributes":{"times":[],"series":[],"values":[]}}}`)(w, r, nil)
						return
					}
					tt.fault(w, r, nil)
				})
				path := filepath.Join(t.TempDir(), "canary.yaml")
				if err := os.WriteFile(path, []byte(faultConfig), 0o600); err != nil {
					t.Fatal(err)
				}
				p, err := datadog.New(datadog.Settings{APIKey: apiKey, AppKey: appKey}, transport)
				if err != nil {
					t.Fatal(err)
				}
				var out, log bytes.Buffer
				a := &app{
					env: map[string]string{"DD_API_KEY": apiKey, "DD_APP_KEY": appKey}, stdout: &out, stderr: &log,
					args: []string{"check", "--live", "-c", path}, instead: map[string]providers.Provider{"datadog": p},
				}
				code := a.run(t.Context())
				if all := out.String() + log.String(); code != exitInconclusive || !strings.Contains(all, tt.want) || strings.Contains(all, "hunter2") {
					t.Errorf("exit %d, want %d and %q:\n%s", code, exitInconclusive, tt.want, all)
				}
			})
		})
	}
}

// What is told to Datadog of a canary that failed, a mark, an event or a notebook, changes
// nothing about the verdict when it goes wrong. A mark is an action: the run exits with 4 and says so. An
// event and a notebook are words about the run: it exits as judged and warns. None shows a
// key.
func TestFaultsOfWhatIsTold(t *testing.T) {
	t.Parallel()
	const (
		marking   = "Failed to do: datadog: mark the deployment as failed: "
		posting   = "the run could not be announced: datadog: post an event: "
		notMarked = marking + "the answer is 200 and not 202 Accepted, so it does not say that the mark was taken"
	)
	for _, tt := range []struct {
		name string
		fault
		mark, event string // what is said
	}{
		{"hang", hang, "context deadline exceeded; look in Datadog whether it is marked, and mark it by hand if not", "the source is slow or hangs"},
		{"slow drip", drip, "look in Datadog whether it is marked", "the source is slow or hangs"},
		{"cut off", answers(202, "{", "Content-Length", "1000"), marking + "the answer broke off", posting + "the answer broke off"},
		{"truncated JSON", answers(202, `{"data":`), marking + "not JSON as the DORA API answers it", posting + "not JSON as the events API answers it"},
		{"HTML page", answers(200, page, "Content-Type", "text/html"), notMarked + ": <html>please log in, [secret] [secret]</html>", posting + "not JSON as the events API answers it"},
		{"HTML page that is accepted", answers(202, page), marking + "not JSON as the DORA API answers it", posting + "not JSON as the events API answers it"},
		{"empty 200", answers(200, ""), notMarked, posting + "not JSON as the events API answers it"},
		{"204", answers(204, ""), "the answer is 204 and not 202 Accepted", posting + "not JSON as the events API answers it"},
		{"empty object", answers(202, "{}"), marking + "the answer does not say that the mark was taken", posting + "the answer does not say that the event was taken"},
		{"null", answers(202, "null"), marking + "the answer does not say that the mark was taken", posting + "the answer does not say that the event was taken"},
		{"a list", answers(202, "[]"), marking + "not JSON as the DORA API answers it", posting + "not JSON as the events API answers it"},
		{"202 with errors", answers(202, `{"data":null,"errors":["KEYS"]}`), marking + "the answer has errors: [secret] [secret]", posting + "the answer does not say that the event was taken"},
		{"400", answers(400, `{"errors":[{"title":"Bad Request","detail":"KEYS"}]}`), marking + "400 Bad Request: Bad Request [secret] [secret]; check datadog.dora (service discounts, env prod, version v2)", posting + "400 Bad Request: Bad Request [secret] [secret]; please report this"},
		{"401", answers(401, `{"errors":["KEYS"]}`), marking + "401 Unauthorized: [secret] [secret]; check DD_API_KEY", posting + "401 Unauthorized: [secret] [secret]; check DD_API_KEY"},
		{"403", answers(403, `{"errors":["KEYS"]}`), "the application key has the permission dora_metrics_write", posting + "403 Forbidden"},
		{"404", answers(404, page), "Datadog must have been told of the deployment before", posting + "404 Not Found"},
		{"413", answers(413, page), marking + "413 Request Entity Too Large", posting + "413 Request Entity Too Large"},
		{"302", answers(302, "", "Location", "https://elsewhere.example/"), "credentials follow no redirect", "credentials follow no redirect"},
		{"429 without headers", answers(429, `{"errors":["KEYS"]}`), marking + "429 Too Many Requests: [secret] [secret]; mark it by hand", posting + "429 Too Many Requests"},
		{"429 with X-RateLimit-Reset", answers(429, "", "X-RateLimit-Reset", "3000"), "429 Too Many Requests", "429 Too Many Requests"},
		{"500", answers(500, page), marking + "500 Internal Server Error: <html>please log in, [secret] [secret]</html>; look in Datadog whether it is marked", "500 Internal Server Error"},
		{"502", answers(502, page), "502 Bad Gateway", "502 Bad Gateway"},
		{"503", answers(503, page), "503 Service Unavailable", "503 Service Unavailable"},
		{"504", answers(504, page), "504 Gateway Timeout", "504 Gateway Timeout"},
	} {
		for what, told := range map[string]struct {
			settings datadog.Settings
			route    string
			code     int
			want     string
		}{
			"mark":  {datadog.Settings{DORA: &datadog.DORA{Env: "prod"}}, "/api/v2/dora/deployments", exitNotJudged, tt.mark},
			"event": {datadog.Settings{Events: true}, "/api/v1/events", exitFail, tt.event},
			"notebook": {
				datadog.Settings{Notebook: true}, "/api/v1/notebooks", exitFail,
				"the notebook could not be written: datadog: write a notebook: ",
			},
		} {
			t.Run(what+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := judgeWith(t, faultConfig, told.settings, faulty(t, standInServer(brokenCanary), func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
						if r.URL.Path == told.route {
							tt.fault(w, r, healthy)
							return
						}
						healthy.ServeHTTP(w, r)
					}))
					if all := strings.Join(strings.Fields(s.out+s.log), " "); s.code != told.code || s.verdict != "fail" || !strings.Contains(all, told.want) {
						t.Errorf("exit %d, %s; want %d, fail and %q in\n%s%s", s.code, s.verdict, told.code, told.want, s.out, s.log)
					}
				})
			})
		}
	}
}

// A run that begins with a silent baseline says why, and goes on.
func TestSilentBaselineIsExplained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		world := datadogtest.Shop(datadogtest.Canary{})
		world.Streams = slices.DeleteFunc(world.Streams, func(s datadogtest.Stream) bool { return slices.Contains(s.Tags, "version:v1") })
		s := judgeFaulty(t, providertest.Serve(t, &datadogtest.Server{World: world, APIKey: apiKey, AppKey: appKey}))
		if want := "had no version:v1 in the last 4 hours; it has had v2"; s.code != exitInconclusive || !strings.Contains(s.log, want) {
			t.Errorf("exit %d, want %d and %q:\n%s%s", s.code, exitInconclusive, want, s.out, s.log)
		}
	})
}
