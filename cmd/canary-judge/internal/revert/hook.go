package revert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
)

// afterwards is how long a command that was told to end gets.
const afterwards = 5 * time.Second

// RunHook runs a command without a shell, in the current directory. Its output goes
// to out. It returns the exit code, -1 when it did not run to its end, and an error
// unless that is 0.
func RunHook(ctx context.Context, h config.Hook, env map[string]string, out io.Writer) (code int, err error) {
	name := strings.Join(h.Shown, " ")
	ctx, cancel := context.WithTimeoutCause(ctx, h.Timeout, fmt.Errorf("not done within %s", h.Timeout))
	defer cancel()
	cmd := exec.CommandContext(ctx, h.Args[0], h.Args[1:]...) //nolint:gosec // to run a command of the config is what it is for
	for variable, value := range env {
		cmd.Env = append(cmd.Env, variable+"="+value)
	}
	slices.Sort(cmd.Env)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = afterwards
	inGroup(cmd)
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.Is(err, exec.ErrNotFound):
		return -1, fmt.Errorf("run %s: there is no program %s here; the container's image may lack it", name, h.Shown[0])
	case ctx.Err() != nil:
		return -1, fmt.Errorf("run %s: %w", name, context.Cause(ctx))
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode(), fmt.Errorf("run %s: it exited with %d; its output is in the log", name, exit.ExitCode())
	}
	return -1, fmt.Errorf("run %s: %w", name, err)
}
