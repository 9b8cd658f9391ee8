package github

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

// write runs Write as a step would and returns what it left.
func write(t *testing.T, r *report.Report, f Facts) (outputs map[string]string, summary, commands string) {
	t.Helper()
	dir := t.TempDir()
	env := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"),
	}
	var b strings.Builder
	if err := Write(env, &b, r, f); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(env[name])
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return parse(t, read("GITHUB_OUTPUT")), read("GITHUB_STEP_SUMMARY"), b.String()
}

// parse reads an output file as GitHub's runner does: name<<delimiter, lines,
// delimiter.
func parse(t *testing.T, text string) map[string]string {
	t.Helper()
	outputs := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		name, end, ok := strings.Cut(lines[i], "<<")
		if !ok {
			t.Fatalf("line %d sets no output: %q", i+1, lines[i])
		}
		var value []string
		for i++; i < len(lines) && lines[i] != end; i++ {
			value = append(value, lines[i])
		}
		if i == len(lines) {
			t.Fatalf("the output %s has no end", name)
		}
		outputs[name] = strings.Join(value, "\n")
	}
	return outputs
}

func failed(name, reason string) *report.Report {
	return &report.Report{
		Verdict: "fail", Reason: "FAIL after 3 of 30 min: " + reason,
		Metrics: []report.Metric{{Name: name, Decision: "fail", Reason: reason}, {Name: "other", Decision: "fail", Advisory: true}},
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	r := failed("errors", "4x the baseline")
	r.Guards = []report.Guard{{Name: "monitor 6", State: "quiet"}, {Name: "monitor 7", State: "alert", Detail: "alerts"}}
	r.Generated = &report.Generated{Actions: []report.Action{
		{Kind: report.RevertAction, Commands: []string{"git revert"}, Reverts: []string{"abc", "def"}, PullRequest: "https://github.com/a/b/pull/1"},
		{Kind: report.RunAction, Error: "run notify: it exited with 1"},
		{Kind: report.MarkAction, Deployment: "datadog: id 1", Error: "datadog: mark the deployment as failed: 403 Forbidden"},
	}}
	outputs, summary, commands := write(t, r, Facts{ExitCode: 4, Result: "r.json", Report: "r.md"})
	want := map[string]string{
		"verdict": "fail", "reason": "FAIL after 3 of 30 min: 4x the baseline", "exit-code": "4",
		"failed-metrics": `["errors"]`, "failed-guards": `["monitor 7"]`, "result": "r.json", "report": "r.md",
		"reverted": "true", "revert-commit": "abc", "pull-request": "https://github.com/a/b/pull/1",
	}
	if diff := cmp.Diff(want, outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if want := "::error title=canary%3A monitor 7::monitor 7 alerts\n::error title=canary%3A errors::errors: 4x the baseline\n::error title=canary%3A run::run notify: it exited with 1\n::error title=canary%3A mark::datadog: mark the deployment as failed: 403 Forbidden\n"; commands != want {
		t.Errorf("commands %q, want %q", commands, want)
	}
	if !strings.HasPrefix(summary, "### ❌ FAIL") {
		t.Errorf("summary:\n%s", summary)
	}
}

func TestAnInconclusiveRunIsAWarning(t *testing.T) {
	t.Parallel()
	_, _, commands := write(t, &report.Report{Verdict: "inconclusive", Reason: "100% odd:\nreally"}, Facts{ExitCode: 3})
	if want := "::warning title=canary%3A inconclusive::100%25 odd:%0Areally\n"; commands != want {
		t.Errorf("commands %q, want %q", commands, want)
	}
}

func TestADoubtIsAWarning(t *testing.T) {
	t.Parallel()
	_, _, commands := write(t, &report.Report{Verdict: "pass", Reason: "well", Doubts: []string{"are the arms swapped?"}}, Facts{})
	if want := "::warning title=canary%3A doubtful::are the arms swapped?\n"; commands != want {
		t.Errorf("commands %q, want %q", commands, want)
	}
}

// GitHub shows ten annotations of a step and drops a summary above 1 MiB whole.
func TestLimits(t *testing.T) {
	t.Parallel()
	r := failed("errors", strings.Repeat("x", 10000))
	for range 500 {
		r.Metrics = append(r.Metrics, r.Metrics[0])
	}
	r.Window.Looks = 1
	_, summary, commands := write(t, r, Facts{})
	if n := strings.Count(commands, "::error "); n != mostAnnotations-1 {
		t.Errorf("%d annotations", n)
	}
	for _, line := range strings.Split(commands, "\n") {
		if len(line) > 2*mostAnnotation {
			t.Errorf("an annotation of %d bytes", len(line))
		}
	}
	if len(summary) >= 1<<20 || !strings.Contains(summary, "more metrics; the result file has all") {
		t.Errorf("a summary of %d bytes", len(summary))
	}
}

// unwritable is a stream that is closed.
type unwritable struct{}

func (unwritable) Write([]byte) (int, error) { return 0, os.ErrClosed }

// What cannot be written keeps nothing else from being written.
func TestFilesThatCannotBeWrittenAreAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	none, good := filepath.Join(dir, "no", "such", "folder"), func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		name, output, summary string
		commands              io.Writer // nil for one that works
		written               []string
		want                  string
	}{
		{"outputs", none, good("a"), nil, []string{"a"}, "set the outputs"},
		{"a directory", dir, good("b"), nil, []string{"b"}, "set the outputs"},
		{"summary", good("c"), none, nil, []string{"c"}, "write the job summary"},
		{"annotations", good("d"), good("e"), unwritable{}, []string{"d", "e"}, "annotate"},
		{"all", none, none, unwritable{}, nil, "annotate"},
	} {
		var commands strings.Builder
		if c.commands == nil {
			c.commands = &commands
		}
		err := Write(map[string]string{"GITHUB_OUTPUT": c.output, "GITHUB_STEP_SUMMARY": c.summary}, c.commands, failed("m", "b"), Facts{})
		if err == nil || !strings.Contains(err.Error(), "tell GitHub Actions") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", c.name, err)
		}
		for _, file := range c.written {
			if text, err := os.ReadFile(good(file)); err != nil || len(text) == 0 {
				t.Errorf("%s: %s holds %q, %v", c.name, file, text, err)
			}
		}
		if c.commands == &commands && !strings.HasPrefix(commands.String(), "::error ") {
			t.Errorf("%s: commands %q", c.name, commands.String())
		}
	}
}

// Whatever a metric is called, the outputs are those there are, and a command is
// one line.
func FuzzWrite(f *testing.F) {
	f.Add("errors", "4x")
	f.Add("a\nverdict<<x\npass\nx", "canary-judge-x\nverdict<<canary-judge-x")
	f.Add("::error::x", "_GitHubActionsFileCommandDelimeter_GitHubActionsFileCommandDelimeter__\npwned=1")
	f.Add("%0A::set-output name=x::y", "\r\n::add-mask::x")
	f.Fuzz(func(t *testing.T, name, reason string) {
		outputs, _, commands := write(t, failed(name, reason), Facts{ExitCode: 1})
		if len(outputs) != 10 || outputs["verdict"] != "fail" || outputs["exit-code"] != "1" {
			t.Errorf("outputs %q", outputs)
		}
		if strings.Count(commands, "\n") != 1 || strings.Contains(commands, "\r") || !strings.HasPrefix(commands, "::error title=") {
			t.Errorf("commands %q", commands)
		}
	})
}
