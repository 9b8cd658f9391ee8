package main

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
)

// apiKey and appKey are the keys of the stand-in, which must show nowhere.
const apiKey, appKey = "hunter2-api", "hunter2-app"

// judge runs a command against an address that stands for Datadog's.
func judge(t *testing.T, address string, args ...string) (code int, out, log string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := &app{
		env:  map[string]string{"DD_URL": address, "DD_API_KEY": apiKey, "DD_APP_KEY": appKey},
		args: args, stdout: &stdout, stderr: &stderr,
	}
	code = a.run(t.Context())
	for _, text := range []string{stdout.String(), stderr.String()} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("a key shows:\n%s", text)
		}
	}
	return code, stdout.String(), stderr.String()
}

// A healthy canary does not fail, a broken one fails, and one that is not there does
// not pass: whole runs of every config in examples/datadog against the stand-in.
func TestDatadogExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/datadog/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d configs, %v", len(files), err)
	}
	for name, tt := range map[string]struct {
		canary   datadogtest.Canary
		verdicts []string
		codes    []int
	}{
		"healthy": {datadogtest.Canary{}, []string{"pass", "inconclusive"}, []int{0, 3}},
		"broken":  {datadogtest.Canary{Errors: 4, Latency: 0.5}, []string{"fail"}, []int{1}},
		"silent":  {datadogtest.Canary{Silent: true}, []string{"inconclusive"}, []int{3}},
	} {
		for _, file := range files {
			if filepath.Base(file) == "synthetics-ci.yaml" {
				continue // nothing can be started in the past: TestTriggeredChecks
			}
			t.Run(name+" "+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
				server := httptest.NewServer(&datadogtest.Server{World: datadogtest.Shop(tt.canary), APIKey: apiKey, AppKey: appKey, Now: now})
				defer server.Close()
				code, out, log := judge(t, server.URL, "run", "-c", file, "--set", "version=v2",
					"--start", "2026-11-23T10:00:00Z", "--end", "2026-11-23T11:00:00Z", "-o", "json", "-v")
				var result struct{ Verdict, Reason string }
				if err := json.Unmarshal([]byte(out), &result); err != nil {
					t.Fatalf("%v: %s", err, log)
				}
				ok := false
				for i, verdict := range tt.verdicts {
					ok = ok || result.Verdict == verdict && code == tt.codes[i]
				}
				t.Logf("%s: %s", result.Verdict, result.Reason)
				if !ok {
					t.Errorf("%s, exit %d: %s; want one of %v", result.Verdict, code, result.Reason, tt.verdicts)
				}
			})
		}
	}
}

// What came back empty is explained in one line, by what Datadog knows of the metric, its
// tags and its percentiles.
func TestDatadogDiagnosis(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&datadogtest.Server{World: datadogtest.Shop(datadogtest.Canary{}), APIKey: apiKey, AppKey: appKey})
	defer server.Close()
	for _, tt := range []struct{ labels, query, want string }{
		{"service: discounts, version: v2", "sum:trace.http.reqest.hits{$arm}.as_count()", "unknown metric: Datadog has never had trace.http.reqest.hits; check its spelling"},
		{"service: discounts, version: v9", "sum:trace.http.request.hits{$arm}.as_count()", "unknown tag value: trace.http.request.hits has had no version:v9 in the last 4 hours; it has had v1, v2"},
		{"service: discounts, pod: v2", "sum:trace.http.request.hits{$arm AND env:prod}.as_count()", "tag not on this metric: trace.http.request.hits has no tag pod; it has env, service, version"},
		{"service: discounts, pod_name: b", "avg:checkout.duration{$arm}", "tag not on this metric: checkout.duration comes in with the tag pod_name, but it is not indexed"},
		{"service: discounts, version: v2", "p95:checkout.duration{$arm}", "percentiles are off: switch them on for checkout.duration in Datadog's metrics summary"},
		{"service: discounts, version: v2", "p95:trace.http.request.hits{$arm}", "percentiles are off: trace.http.request.hits is a count, and only distributions have them"},
		{"service: discounts, version: v2", `sum:trace.http.request.hits{$arm,!env:prod}.as_count()`, "no traffic in these steps: the metric and each of its tags are there"},
		{"service: discounts, version: v9", `logs("status:error $arm").rollup("count")`, "nothing matches version:v9: no event of logs has it in these steps"},
		{"service: discounts, version: v2", `logs("status:error $arm -env:prod").index("main").rollup("count")`, "no traffic in these steps: each word of the search matches some events"},
		{"service: discount, version: v2", `apm_metrics("$arm").stat("hits")`, "no traffic at all: the service discount has no traces of its primary operation in these steps"},
		{"service: discounts, version: v2", `apm_metrics("$arm operation_name:rack.request").stat("hits")`, "no traffic at all: the service discounts has no traces of the operation rack.request in these steps"},
		{"service: discounts, version: v9", `apm_metrics("$arm -a:b").stat("errors")`, "nothing matches version:v9: no trace of the service discounts has it in these steps"},
		{"service: discounts, version: v2", `apm_metrics("$arm -version:v2").stat("errors")`, "no errors in these steps, or no traffic"},
		{"service: discounts, version: v2", `apm_metrics("$arm -version:v2").stat("latency_p95")`, "no traffic in these steps: each word matches some traces of the service"},
		{"service: discounts, version: v9", "SLO " + datadogtest.Requests, "unknown tag value: trace.http.request.errors has had no version:v9 in the last 4 hours; it has had v1, v2"},
		{"service: discounts, version: v9", "SLO " + datadogtest.Outcomes, "unknown tag value: discounts.requests has had no version:v9 in the last 4 hours; it has had v1, v2"},
		{"service: discounts, version: v2, pod: a", "SLO " + datadogtest.Outcomes, "tag not on this metric: discounts.requests has no tag pod"},
		{"service: storefront, version: v2", "SLO " + datadogtest.Requests, "unknown tag value: trace.http.request.errors has had no service:storefront"},
		{"service: discounts, version: v2", `ci_tests("$arm").rollup("count")`, "no events at all: ci_tests has none in these steps"},
	} {
		path := filepath.Join(t.TempDir(), "canary.yaml")
		measured, part := "value: '"+tt.query+"'", "value"
		if id, is := strings.CutPrefix(tt.query, "SLO "); is {
			measured, part = "ratio: {slo: "+id+"}", "bad"
		}
		text := "provider: datadog\nbaseline: {service: discounts, version: v1}\ncanary: {" + tt.labels + "}\nmetrics:\n  - name: m\n    " + measured + "\n    tolerance: 10%\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, log := judge(t, server.URL, "check", "--live", "-c", path)
		_, found, _ := strings.Cut(out, "m, "+part+" of the canary: nothing\n    why: ")
		line, _, _ := strings.Cut(found, "\n")
		if code != exitInconclusive || !strings.HasPrefix(line, tt.want) {
			t.Errorf("%s: exit %d, %q; want %q\n%s%s", tt.query, code, line, tt.want, out, log)
		}
	}
}

// DD_* goes before DATADOG_*, and what is blank is not set: a secret that does not
// exist is an empty text.
func TestDatadogEnvironment(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&datadogtest.Server{World: datadogtest.Shop(datadogtest.Canary{}), APIKey: apiKey, AppKey: appKey, Limit: 100, Period: time.Hour})
	t.Cleanup(server.Close)
	for _, tt := range []struct {
		name string
		env  map[string]string
		code int
		want string
	}{
		{"DD", map[string]string{"DD_API_KEY": apiKey, "DD_APP_KEY": appKey}, 3, ""},
		{"DATADOG", map[string]string{"DATADOG_API_KEY": apiKey, "DATADOG_APP_KEY": appKey}, 3, ""},
		{"DD first", map[string]string{"DD_API_KEY": apiKey, "DD_APP_KEY": appKey, "DATADOG_API_KEY": "x", "DATADOG_APP_KEY": "x"}, 3, ""},
		{"blank DD", map[string]string{"DD_API_KEY": " ", "DD_APP_KEY": "", "DD_SITE": "", "DATADOG_API_KEY": apiKey, "DATADOG_APP_KEY": appKey}, 3, ""},
		{"wrong DD", map[string]string{"DD_API_KEY": "hunter2", "DD_APP_KEY": appKey}, 4, "403 Forbidden"},
		{"none", map[string]string{"DD_API_KEY": " "}, 2, "no API key is given; set DD_API_KEY"},
		{"a site that is none", map[string]string{"DD_API_KEY": apiKey, "DD_APP_KEY": appKey, "DD_SITE": "eu", "DATADOG_SITE": "datadoghq.eu"}, 2, "set DD_SITE to one such as"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.env["DD_URL"] = server.URL
			var out, log bytes.Buffer
			a := &app{
				env: tt.env, stdout: &out, stderr: &log,
				args: []string{"run", "-v", "-c", "../../examples/datadog/logs.yaml", "--set", "version=v9", "--start", "-20m", "--end", "-10m"},
			}
			code := a.run(t.Context())
			all := out.String() + log.String()
			if code != tt.code || !strings.Contains(all, tt.want) || strings.Contains(all, "hunter2") {
				t.Errorf("exit %d, want %d and %q:\n%s", code, tt.code, tt.want, all)
			}
			if code != exitUsage && !strings.Contains(log.String(), " of 100 requests left for ") {
				t.Errorf("the rate limit is not told:\n%s", log.String())
			}
		})
	}
}

// A search for error lines with a typo in it finds none in either arm: that is no pass.
func TestDatadogTypoIsNoPass(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	server := httptest.NewServer(&datadogtest.Server{World: datadogtest.Shop(datadogtest.Canary{Errors: 9}), APIKey: apiKey, AppKey: appKey, Now: now})
	defer server.Close()
	path := filepath.Join(t.TempDir(), "canary.yaml")
	text := "provider: datadog\nbaseline: {service: discounts, version: v1}\ncanary: {service: discounts, version: v2}\npresets: [{logs: {errors: status:eror}}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ := judge(t, server.URL, "run", "-c", path, "--start", "2026-11-23T10:00:00Z", "--end", "2026-11-23T11:00:00Z")
	if code != exitInconclusive || !strings.Contains(out, "INCONCLUSIVE") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

// A run that leaves little of the limit says so, with -v and without; its replay, which asks
// nobody, does not.
func TestRateLimitInTheReport(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	file := filepath.Join(t.TempDir(), "run.jsonl")
	for _, tt := range []struct {
		name  string
		limit int
		args  []string
		want  []report.RateLimit
	}{
		{"plenty", 1000, nil, []report.RateLimit{{Provider: "datadog", Said: "998 of 1000 requests left for 3600 s"}}},
		{"near", 2, []string{"-v", "--record", file}, []report.RateLimit{{Provider: "datadog", Said: "0 of 2 requests left for 3600 s", Near: true}}},
		{"replay", 0, []string{file}, nil},
	} {
		server := httptest.NewServer(&datadogtest.Server{World: datadogtest.Shop(datadogtest.Canary{}), APIKey: apiKey, AppKey: appKey, Now: now, Limit: tt.limit, Period: time.Hour})
		defer server.Close()
		args := []string{"run", "-c", "../../examples/datadog/logs.yaml", "--set", "version=v2", "--start", "2026-11-23T10:00:00Z", "--end", "2026-11-23T11:00:00Z"}
		if tt.limit == 0 {
			args = []string{"replay"}
		}
		result := filepath.Join(t.TempDir(), "result.json")
		_, out, log := judge(t, server.URL, append(append(args, "-o", "text", "-o", "json="+result), tt.args...)...)
		text, err := os.ReadFile(result)
		if err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		var r report.Report
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, r.Generated.RateLimits); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
		if told := strings.Contains(out, "Rate limit:\n  datadog: 0 of 2 requests left"); told != (tt.name == "near") {
			t.Errorf("%s:\n%s", tt.name, out)
		}
	}
}

// The page and the result of a live run link queries to the application of the site, also
// where requests go elsewhere; its replay fetches nothing, and links to nothing.
func TestDatadogLinks(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	server := httptest.NewServer(&datadogtest.Server{World: datadogtest.Shop(datadogtest.Canary{Errors: 4}), APIKey: apiKey, AppKey: appKey, Now: now})
	defer server.Close()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	text := `provider: datadog
baseline: {service: discounts, version: v1}
canary: {service: discounts, version: v2}
window: {length: 30m, step: 30s, warmup: 1m}
metrics:
  - name: error lines
    ratio: {bad: 'logs("status:error $arm").rollup("count")', total: 'logs("* $arm").rollup("count")'}
    tolerance: 50%
  - name: latency
    value: p95:trace.http.request{$arm}
    unit: s
    tolerance: 50%
`
	if err := os.WriteFile(file("canary.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		args   []string
		linked bool
	}{
		{"run", []string{"run", "-v", "-c", file("canary.yaml"), "--record", file("run.jsonl"), "--start", "2026-11-23T10:00:00Z", "--end", "2026-11-23T10:31:00Z"}, true},
		{"replay", []string{"replay", file("run.jsonl")}, false},
	} {
		_, _, log := judge(t, server.URL, append(tt.args, "-o", "json="+file("result.json"), "-o", "html="+file("page.html"))...)
		result, err := os.ReadFile(file("result.json"))
		if err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		var r report.Report
		if err := json.Unmarshal(result, &r); err != nil {
			t.Fatal(err)
		}
		page, err := os.ReadFile(file("page.html"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range r.Generated.Links {
			got = append(got, l.Metric+" "+l.Part+" "+l.Arm)
			if !strings.HasPrefix(l.URL, "https://app.datadoghq.com/logs?from_ts=1795428000000&live=false&query=") {
				t.Errorf("%s: the link is %s", tt.name, l.URL)
			}
			if !strings.Contains(html.UnescapeString(string(page)), `href="`+l.URL+`"`) {
				t.Errorf("%s: the page has no link to %s", tt.name, l.URL)
			}
		}
		var want []string
		if tt.linked {
			want = []string{"error lines bad baseline", "error lines total baseline", "error lines bad canary", "error lines total canary"}
		}
		if diff := cmp.Diff(want, got); diff != "" || strings.Contains(string(page), "https://app.datadoghq.com") != tt.linked {
			t.Errorf("%s: links (-want +got)\n%s", tt.name, diff)
		}
	}
}
