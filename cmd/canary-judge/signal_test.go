package main

import (
	"bufio"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A signal ends a run with its partial report, what was recorded, and the
// shell's exit code for the signal.
func TestSignals(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&prometheusServer{mode: "healthy"})
	t.Cleanup(server.Close)
	for _, c := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}} {
		t.Run(c.signal.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			config := `{provider: prometheus, baseline: {app: shop}, canary: {app: canary},
window: {length: 10m, step: 1s, warmup: 1s, lag: 0s},
metrics: [{name: latency, value: 'avg(latency{$arm})', tolerance: 0.01%}]}`
			if err := os.WriteFile(filepath.Join(dir, "canary.yaml"), []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(self, "run", "--record", "run.jsonl", "-o", "json=result.json", "-o", "text")
			// testscript.Main makes the test binary the command of this name.
			cmd.Path, cmd.Args[0] = link(t, self), "canary-judge"
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "PROMETHEUS_URL="+server.URL)
			progress, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			cmd.Stdout = &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(progress)
			for lines.Scan() && !strings.Contains(lines.Text(), "look 1 of") {
			}
			if err := cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			for lines.Scan() {
			}
			err = cmd.Wait()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != c.code {
				t.Errorf("%v, want exit %d", err, c.code)
			}
			if !strings.Contains(out.String(), "interrupted before the verdict") {
				t.Errorf("the report says\n%s", out.String())
			}
			for file, want := range map[string]string{"result.json": `"ended": "interrupted"`, "run.jsonl": `{"end":"interrupted"}`} {
				text, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil || !strings.Contains(string(text), want) {
					t.Errorf("%s: %v, no %s in it", file, err, want)
				}
			}
		})
	}
}

// link gives the test binary the command's name.
func link(t *testing.T, self string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "canary-judge")
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// A panic is a failure to judge, not Go's exit code 2, which means a usage
// error here.
func TestAPanicIsNoUsageError(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	a := &app{env: map[string]string{}, args: []string{"version"}, stdout: broken{}, stderr: &out}
	if code := a.run(t.Context()); code != exitNotJudged || !strings.Contains(out.String(), "internal error: no more") {
		t.Errorf("exit %d:\n%s", code, out.String())
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { panic("no more") }

// A repeatable input has a value a line.
func TestInputsOfSeveralLines(t *testing.T) {
	t.Parallel()
	got := splitInput("stringArray", "json=a.json\n\n  text \n")
	if len(got) != 2 || got[0] != "json=a.json" || got[1] != "text" {
		t.Errorf("%q", got)
	}
	if got := splitInput("string", "a\nb"); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-11-23T10:00:00+01:00": now.Add(-3 * time.Hour),
		"-40m":                      now.Add(-40 * time.Minute),
		"-1d":                       now.Add(-24 * time.Hour),
	} {
		if got, err := moment("--start", text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "now", "40m", "-40", "10:00"} {
		if _, err := moment("--start", text, now); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
