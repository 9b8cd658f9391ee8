package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
