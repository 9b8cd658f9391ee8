package process

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startShell starts a shell script.
func startShell(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(Program{
		Name: "script", Path: "/bin/sh", Args: []string{"-c", script},
		Env: []string{"PATH=" + os.Getenv("PATH")}, Log: filepath.Join(t.TempDir(), "log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(0) })
	return p
}

// waitForLog waits until a process has written something.
func waitForLog(t *testing.T, p *Process, text string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(string(p.lastWords()), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the process has not written %q but %q", text, p.lastWords())
		}
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	p := startShell(t, "trap 'echo bye; exit' TERM; echo hello; while :; do sleep 0.01; done")
	waitForLog(t, p, "hello")
	p.Stop(5 * time.Second)
	if got := string(p.lastWords()); got != "hello\nbye" {
		t.Errorf("the log is %q: the process was not ended orderly", got)
	}
}

// TestStopEndsAll stops a process that does not want to end, and has a child.
func TestStopEndsAll(t *testing.T) {
	t.Parallel()
	p := startShell(t, "trap '' TERM; sleep 60 & echo child $!; while :; do sleep 0.01; done")
	waitForLog(t, p, "child")
	p.Stop(50 * time.Millisecond)
	if err := syscall.Kill(-p.PID(), 0); err == nil {
		// The child is a zombie until somebody waits for it, which init does.
		time.Sleep(100 * time.Millisecond)
		if text, err := os.ReadFile("/proc/" + strings.TrimPrefix(string(p.lastWords()), "child ") + "/stat"); err == nil && !strings.Contains(string(text), " Z ") {
			t.Errorf("a child lives on: %s", text)
		}
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	p := startShell(t, "echo the port is taken >&2; exit 3")
	<-p.Done()
	got := p.Ended().Error()
	for _, want := range []string{"script ended (exit status 3)", "the port is taken"} {
		if !strings.Contains(got, want) {
			t.Errorf("the error is %q, want %q", got, want)
		}
	}
}
