package revert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
)

// afterwards is how long a command that was told to end gets, and how long one that has
// ended may leave its output open.
const afterwards = 5 * time.Second

// RunHook runs a command without a shell, in the current directory. Its output goes
// to out, until it has ended: what it left behind, which may go on and print, is named
// there. It returns the exit code, -1 when it did not run to its end, and an error
// unless that is 0. When ctx ends it is told to end, with all that it started and that did
// not leave its process group; what does not is killed.
func RunHook(ctx context.Context, h config.Hook, env map[string]string, out io.Writer) (code int, err error) {
	name := strings.Join(h.Shown, " ")
	ctx, cancel := context.WithTimeoutCause(ctx, h.Timeout, fmt.Errorf("not done within %s", h.Timeout))
	defer cancel()
	if ctx.Err() != nil {
		return -1, fmt.Errorf("run %s: %w", name, context.Cause(ctx))
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), h.Args[0], h.Args[1:]...) //nolint:gosec // to run a command of the config is what it is for
	for variable, value := range env {
		cmd.Env = append(cmd.Env, variable+"="+value)
	}
	slices.Sort(cmd.Env)
	inGroup(cmd)
	output, err := started(cmd, out)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return -1, fmt.Errorf("run %s: there is no program %s here; the container's image may lack it", name, h.Shown[0])
	case err != nil:
		return -1, fmt.Errorf("run %s: %w", name, err)
	}
	ended := make(chan struct{})
	go func() {
		err = cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		endGroup(cmd, ended)
		_ = output.end(ctx) // the error says more
		return -1, fmt.Errorf("run %s: %w", name, context.Cause(ctx))
	}
	if held := output.end(ctx); held != "" {
		fmt.Fprintf(out, "%s has ended, and left behind what holds its output: %s\n", h.Shown[0], held)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode(), fmt.Errorf("run %s: it exited with %d; its output is in the log", name, exit.ExitCode())
	}
	return -1, fmt.Errorf("run %s: %w", name, err)
}

// output is the pipe that a command writes to.
type output struct {
	pipe   *os.File
	copied chan struct{} // closed once all is copied
}

// started starts a command whose output is copied to a writer.
func started(cmd *exec.Cmd, out io.Writer) (*output, error) {
	pipe, end, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = end, end
	err = cmd.Start()
	_ = end.Close() // it is the command's now
	if err != nil {
		_ = pipe.Close() // nobody writes to it
		return nil, err
	}
	o := &output{pipe, make(chan struct{})}
	go func() {
		defer close(o.copied)
		_, _ = io.Copy(out, pipe) // a log that cannot be written is no reason to end a command
		_, _ = io.Copy(io.Discard, pipe)
	}()
	return o, nil
}

// end waits for the rest of the output of a command that has ended, and gives up what is
// held open longer. It returns by whom, "" by nobody.
func (o *output) end(ctx context.Context) (held string) {
	timer := time.NewTimer(afterwards)
	defer timer.Stop()
	select {
	case <-o.copied:
	case <-ctx.Done():
	case <-timer.C:
		if held = strings.Join(writers(o.pipe), ", "); held == "" {
			held = "a process of another user"
		}
	}
	_ = o.pipe.Close() // which ends the copying
	<-o.copied
	return held
}
