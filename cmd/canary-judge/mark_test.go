package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/sources"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
)

// marked is what a run against the stand-in comes to.
type marked struct {
	code     int
	out, log string
	marks    []datadogtest.Mark
	requests int64
	result   report.Report
}

// judgeMarking runs a command with the config of the fault tests and more lines of it,
// against a stand-in whose answers to marks may be replaced.
func judgeMarking(t *testing.T, canary datadogtest.Canary, more string, answer fault, args ...string) marked {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	standIn := &datadogtest.Server{World: datadogtest.Shop(canary), APIKey: apiKey, AppKey: appKey, Now: now}
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Method == http.MethodPatch && answer != nil {
			answer(w, r, standIn)
			return
		}
		standIn.ServeHTTP(w, r)
	}))
	defer server.Close()
	dir := t.TempDir()
	path, result := filepath.Join(dir, "canary.yaml"), filepath.Join(dir, "result.json")
	if err := os.WriteFile(path, []byte(faultConfig+more), 0o600); err != nil {
		t.Fatal(err)
	}
	args = append(args, "-c", path)
	if args[0] == "run" {
		args = append(args, "--start", "2026-11-23T10:00:00Z", "--end", "2026-11-23T11:00:00Z", "-o", "text", "-o", "json="+result)
	}
	var m marked
	m.code, m.out, m.log = judge(t, server.URL, args...)
	m.marks, m.requests = standIn.Marks(), requests.Load()
	if text, err := os.ReadFile(result); err == nil {
		if err := json.Unmarshal(text, &m.result); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "hunter2") {
			t.Errorf("a key shows in\n%s", text)
		}
	}
	return m
}

var (
	healthyCanary = datadogtest.Canary{}
	brokenCanary  = datadogtest.Canary{Errors: 4, Latency: 0.5}
)

const (
	// markConfig marks by the labels of the canary, which have no env.
	markConfig = "datadog: {dora: {env: prod}}\n"
	deployment = "datadog: service discounts, env prod, version v2"
)

// A canary that failed is marked once, whether or not it is reverted; one that passed is
// not, nor is any in a dry run.
func TestMarks(t *testing.T) {
	t.Parallel()
	byVersion := []datadogtest.Mark{{Service: "discounts", Env: "prod", Version: "v2"}}
	for _, tt := range []struct {
		name   string
		canary datadogtest.Canary
		more   string
		args   []string
		code   int
		marks  []datadogtest.Mark
		want   string // in the text
	}{
		{"failed", brokenCanary, markConfig, nil, exitFail, byVersion, "Done:\n  mark as failed in " + deployment + "\n"},
		{"failed, with -v", brokenCanary, markConfig, []string{"-v"}, exitFail, byVersion, "Done:\n  mark as failed in " + deployment + "\n"},
		{"failed, by id", brokenCanary, "datadog: {dora: {id: 4242}}\n", nil, exitFail, []datadogtest.Mark{{ID: "4242"}}, "Done:\n  mark as failed in datadog: id 4242\n"},
		{"not asked for", brokenCanary, "datadog: {timeout: 5s}\n", nil, exitFail, nil, "FAIL"},
		{"passed", healthyCanary, markConfig, nil, exitPass, nil, "PASS"},
		{"silent", datadogtest.Canary{Silent: true}, markConfig, nil, exitInconclusive, nil, "INCONCLUSIVE"},
		{"dry run", brokenCanary, markConfig, []string{"--dry-run"}, exitFail, nil, "Not done, in a dry run:\n  mark as failed in " + deployment + "\n"},
		{"dry run that would fail", brokenCanary, "datadog: {dora: {}}\n", []string{"--dry-run"}, exitFail, nil, "Not done, in a dry run:\n  it would fail: datadog: mark the deployment as failed: the canary has no label env"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := judgeMarking(t, tt.canary, tt.more, nil, append([]string{"run"}, tt.args...)...)
			if diff := cmp.Diff(tt.marks, m.marks); diff != "" || m.code != tt.code || !strings.Contains(m.out, tt.want) {
				t.Errorf("exit %d, want %d and %q; marks (-want +got)\n%s\n%s%s", m.code, tt.code, tt.want, diff, m.out, m.log)
			}
			if strings.Contains(m.out, "Done:") != (tt.marks != nil) {
				t.Errorf("the text says what was not done, or not what was:\n%s", m.out)
			}
		})
	}
}

// A mark that could not be made is told before the run starts, and by check --live.
func TestImpossibleMarks(t *testing.T) {
	t.Parallel()
	const want = "datadog: mark the deployment as failed: the canary has no label env; set datadog.dora.env, or datadog.dora.id"
	for _, args := range [][]string{{"run"}, {"check", "--live"}} {
		m := judgeMarking(t, brokenCanary, "datadog: {dora: {}}\n", nil, args...)
		if m.code != exitUsage || m.requests != 0 || !strings.Contains(m.log, want) {
			t.Errorf("%v: exit %d after %d requests, want %q:\n%s", args, m.code, m.requests, want, m.log)
		}
	}
	// What records judges nothing, and so marks nothing.
	m := judgeMarking(t, brokenCanary, "datadog: {dora: {}}\n", nil, "record", "--record", filepath.Join(t.TempDir(), "run.jsonl"),
		"--start", "2026-11-23T10:00:00Z", "--end", "2026-11-23T10:30:00Z")
	if m.code != exitPass || m.marks != nil {
		t.Errorf("record: exit %d, marks %v\n%s", m.code, m.marks, m.log)
	}
}

// The metrics may come from elsewhere: only the mark goes to Datadog.
func TestMarksBesideAnotherProvider(t *testing.T) {
	t.Parallel()
	standIn := &datadogtest.Server{APIKey: apiKey, AppKey: appKey}
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		standIn.ServeHTTP(w, r)
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "canary.yaml")
	const text = `provider: recording
recording: {path: ../../testdata/broken.jsonl}
datadog: {dora: {env: prod}}
baseline: {service: shop, version: v1}
canary: {service: shop, version: v2}
window: {length: 1m, step: 5s, warmup: 10s}
metrics: [{name: errors, ratio: {bad: 'bad{$arm}', total: 'total{$arm}'}, tolerance: 50%}]
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, log := judge(t, server.URL, "run", "-c", path, "--start", "2026-11-23T06:26:50Z", "--end", "2026-11-23T06:28:00Z")
	want := []datadogtest.Mark{{Service: "shop", Env: "prod", Version: "v2"}}
	if diff := cmp.Diff(want, standIn.Marks()); diff != "" || code != exitFail || requests.Load() != 1 {
		t.Errorf("exit %d, %d requests, marks (-want +got)\n%s\n%s%s", code, requests.Load(), diff, out, log)
	}
}

// A mark that fails is told and exits with 4; the verdict stays, and the command of the
// config runs all the same. No key shows. TestFaultsOfWhatIsTold has more that goes wrong.
func TestFailedMarksHoldNothingUp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		fault
		want string
	}{
		{"403", answers(403, `{"errors":["KEYS"]}`), "the application key has the permission dora_metrics_write"},
		{"HTML", answers(200, "<html>KEYS"), "it does not say that the mark was taken: <html>[secret] [secret]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ran := filepath.Join(t.TempDir(), "ran")
			m := judgeMarking(t, brokenCanary, fmt.Sprintf("%son_fail: {run: [touch, %q]}\n", markConfig, ran), tt.fault, "run")
			out := strings.Join(strings.Fields(m.out), " ")
			if m.code != exitNotJudged || m.result.Verdict != "fail" || !strings.Contains(out, "Failed to do: datadog: mark the deployment as failed: ") || !strings.Contains(out, tt.want) {
				t.Errorf("exit %d, %s; want 4, fail and %q:\n%s%s", m.code, m.result.Verdict, tt.want, m.out, m.log)
			}
			if _, err := os.Stat(ran); err != nil {
				t.Errorf("the command did not run: %v", err)
			}
			var kinds []string
			for _, a := range m.result.Generated.Actions {
				kinds = append(kinds, a.Kind)
			}
			if diff := cmp.Diff([]string{report.MarkAction, report.RunAction}, kinds); diff != "" {
				t.Errorf("actions (-want +got)\n%s", diff)
			}
		})
	}
}

// failingMarker is a provider that may not be able to mark.
type failingMarker struct {
	providers.Provider
	marks, fails bool
	told         *[]string // of whom, in order
	name         string
}

func (m failingMarker) Marks() bool { return m.marks }

func (m failingMarker) Deployment(canary []providers.Label) (string, error) {
	return canary[0].Value, nil
}

func (m failingMarker) MarkFailed(context.Context, []providers.Label) error {
	*m.told = append(*m.told, m.name)
	if m.fails {
		return errors.New(m.name + ": no")
	}
	return nil
}

// A revert that failed keeps no mark from being made, nor does one mark another: each is
// told, in order, and every failure counts. Nothing is done at another verdict.
func TestMarksFollowARevertThatFailed(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[analysis.Verdict][]string{analysis.VerdictFail: {"a", "c"}, analysis.VerdictPass: nil, analysis.VerdictInconclusive: nil} {
		var told, lines []string
		j := endedRun{
			config:  &config.Config{Actions: config.Actions{Revert: &config.Revert{}}, Arms: map[providers.Arm]config.Arm{providers.Canary: {Labels: []providers.Label{{Name: "version", Value: "v2"}}}}},
			outcome: &job.Outcome{Result: analysis.Result{Verdict: verdict}},
		}
		j.sources = sources.Sources{Config: j.config, Providers: map[string]providers.Provider{
			"c": failingMarker{name: "c", marks: true, told: &told},
			"b": failingMarker{name: "b", told: &told},
			"a": failingMarker{name: "a", marks: true, fails: true, told: &told},
		}}
		r := &report.Report{Generated: &report.Generated{}}
		var log bytes.Buffer
		a := &app{stderr: &log}
		err := a.act(t.Context(), &options{}, nil, j, r)
		for _, action := range r.Generated.Actions {
			lines = append(lines, action.Kind+"|"+action.Deployment+"|"+action.Error)
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("%s: marked in (-want +got)\n%s", verdict, diff)
		}
		if verdict != analysis.VerdictFail {
			if err != nil || lines != nil {
				t.Errorf("%s: %v, %v", verdict, lines, err)
			}
			continue
		}
		const unknown = "revert: which commit was judged could not be found out when the run began"
		if diff := cmp.Diff([]string{"revert||" + unknown, "mark|a: v2|a: no", "mark|c: v2|"}, lines); diff != "" || err == nil || err.Error() != unknown+"\na: no" {
			t.Errorf("%v, actions (-want +got)\n%s", err, diff)
		}
	}
}
