package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

const (
	// mostOutput is how much a program may print, in bytes.
	mostOutput = 64 << 20
	// mostSaid is how much of what it says on its standard error is kept, the end of it.
	mostSaid = 4 << 10
	// afterwards is how long what a program left behind may hold its output open.
	afterwards = 2 * time.Second
)

// there reports that a program is not there.
func there(name string) error {
	if _, err := exec.LookPath(name); err != nil {
		return fmt.Errorf("there is no program %s here", name)
	}
	return nil
}

// execute runs a program to its end, with all that it started in its process group; what does not end in time is killed.
func execute(ctx context.Context, args []string) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	out, said := &bounded{most: mostOutput}, &tail{most: mostSaid}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // to run a program of the config is what it is for
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, said, afterwards
	inGroup(cmd)
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, said.after(context.Cause(ctx))
	case out.over:
		return nil, fmt.Errorf("it printed more than %d MiB", mostOutput>>20)
	case errors.Is(err, exec.ErrWaitDelay):
		return nil, errors.New("it has ended and left behind what holds its output open: what it printed may not be all")
	case errors.As(err, &exit) && exit.Exited():
		return nil, said.after(fmt.Errorf("it exited with %d", exit.ExitCode()))
	case err != nil:
		return nil, said.after(err)
	}
	return out.Bytes(), nil
}

// bounded keeps what is written, up to a limit, at which writing fails.
type bounded struct {
	bytes.Buffer
	most int
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		b.over = true
		return 0, errors.New("too much output")
	}
	return b.Buffer.Write(p)
}

// tail keeps the end of what is written.
type tail struct {
	text []byte
	most int
}

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if over := len(t.text) - t.most; over > 0 {
		t.text = t.text[over:]
	}
	return len(p), nil
}

// after adds what was said to an error.
func (t *tail) after(err error) error {
	if text := strings.TrimSpace(string(t.text)); text != "" {
		return fmt.Errorf("%w: %s", err, text)
	}
	return err
}
