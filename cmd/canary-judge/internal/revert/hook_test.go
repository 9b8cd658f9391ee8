package revert

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
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
