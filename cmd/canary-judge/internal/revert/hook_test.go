//go:build linux

package revert

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
)

func hook(timeout time.Duration, args ...string) config.Hook {
	return config.Hook{Args: args, Shown: args, Timeout: timeout}
}

func TestRunHook(t *testing.T) {
	t.Parallel()
	env := map[string]string{"PATH": os.Getenv("PATH"), "CANARY_JUDGE_VERDICT": "pass"}
	for _, c := range []struct {
		name string
		hook config.Hook
		code int
		out  string
		err  string // "" = none
	}{
		{"no shell takes it apart", hook(time.Minute, "printf", "%s|%s", "a b;$HOME", "`x`"), 0, "a b;$HOME|`x`", ""},
		{"variables are in its environment", hook(time.Minute, "sh", "-c", "echo $CANARY_JUDGE_VERDICT"), 0, "pass\n", ""},
		{"its exit code is told", hook(time.Minute, "sh", "-c", "echo no >&2; exit 7"), 7, "no\n", "it exited with 7"},
		{"no such program", hook(time.Minute, "no-such-program"), -1, "", "there is no program no-such-program here"},
		{"not executable", hook(time.Minute, "/dev/null"), -1, "", "run /dev/null: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			code, err := RunHook(t.Context(), c.hook, env, &out)
			if code != c.code || out.String() != c.out || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("exit %d, %q, %v", code, out.String(), err)
			}
		})
	}
}

// A hook whose time is up ends with all that it started.
func TestAHookThatHangs(t *testing.T) {
	t.Parallel()
	child := filepath.Join(t.TempDir(), "child")
	var out strings.Builder
	env := map[string]string{"PATH": os.Getenv("PATH")}
	h := hook(300*time.Millisecond, "sh", "-c", "trap 'echo told to end >> "+child+"; exit' TERM; sleep 60 & wait")
	began := time.Now()
	code, err := RunHook(t.Context(), h, env, &out)
	if code != -1 || err == nil || !strings.Contains(err.Error(), "not done within 300ms") || time.Since(began) > 20*time.Second {
		t.Errorf("exit %d after %s: %v", code, time.Since(began), err)
	}
	if text, err := os.ReadFile(child); err != nil || string(text) != "told to end\n" {
		t.Errorf("%q, %v", text, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("a signal"))
	if _, err := RunHook(ctx, h, env, &out); err == nil || !strings.Contains(err.Error(), "a signal") {
		t.Errorf("cancelled: %v", err)
	}
}

// A hook that has done its work has, whatever it left behind: that is named.
func TestAHookThatLeavesSomethingBehind(t *testing.T) {
	t.Parallel()
	env := map[string]string{"PATH": os.Getenv("PATH")}
	for name, c := range map[string]struct {
		script string
		code   int
	}{
		"in its group":          {"sleep 30 & echo started", 0},
		"in a session":          {"setsid sleep 30 & echo started", 0},
		"with an error":         {"sleep 30 & echo started; exit 3", 3},
		"with its output alone": {"sleep 30 2>&1 </dev/null & echo started", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			began := time.Now()
			code, err := RunHook(t.Context(), hook(time.Minute, "sh", "-c", c.script), env, &out)
			if code != c.code || (err == nil) != (c.code == 0) || time.Since(began) > 20*time.Second {
				t.Errorf("exit %d after %s: %v", code, time.Since(began), err)
			}
			left := regexp.MustCompile(`(?s)^started\nsh has ended, and left behind what holds its output: process ([0-9]+) \(sleep\)\n$`).FindStringSubmatch(out.String())
			if left == nil {
				t.Fatalf("it says %q", out.String())
			}
			pid, err := strconv.Atoi(left[1])
			if err != nil {
				t.Fatal(err)
			}
			// It was told of, not ended.
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Errorf("end process %d: %v", pid, err)
			}
		})
	}
}

// What ignores that it is told to end is killed, the command and all of its group.
func TestAHookThatIgnoresItsEnd(t *testing.T) {
	t.Parallel()
	env := map[string]string{"PATH": os.Getenv("PATH")}
	for name, script := range map[string]string{
		"itself":                     "trap '' TERM; echo $$; while :; do sleep 0.1; done",
		"its child alone":            "(trap '' TERM; while :; do sleep 0.1; done) & echo $!; wait",
		"a child with other output":  "(trap '' TERM; exec >/dev/null 2>&1; while :; do sleep 0.1; done) & echo $!; wait",
		"a child whose parent ended": "sh -c 'trap \"\" TERM; while :; do sleep 0.1; done' & echo $!; exec sleep 60",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			began := time.Now()
			code, err := RunHook(t.Context(), hook(500*time.Millisecond, "sh", "-c", script), env, &out)
			if code != -1 || err == nil || !strings.Contains(err.Error(), "not done within 500ms") || time.Since(began) > 20*time.Second {
				t.Errorf("exit %d after %s: %v", code, time.Since(began), err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(out.String()))
			if err != nil {
				t.Fatalf("it says %q", out.String())
			}
			for deadline := time.Now().Add(10 * time.Second); running(pid); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("process %d is still there", pid)
				}
			}
		})
	}
}

// running reports whether a process is there and has not ended.
func running(pid int) bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(status), ") Z ")
}
