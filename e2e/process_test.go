//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process gets to end when it is told to.
const patience = 10 * time.Second

// process is a real process in a group of its own, so that its children end with
// it.
type process struct {
	name           string
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer  // to be read when it is done
	done           chan struct{} // closed when it has ended
	once           sync.Once
}

// command returns a command that outlives the test's context: a process is to be
// ended by its cleanup, with all that it started.
func command(t *testing.T, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(context.WithoutCancel(t.Context()), program, args...)
}

// start starts a process that ends with the test at the latest.
func start(t *testing.T, name string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{name: name, cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.stdout, &p.stderr
	cmd.WaitDelay = patience
	// A test that panics, times out or is killed runs no cleanup: then the kernel
	// tells its children to end.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // cmd.ProcessState says how it ended
	}()
	t.Cleanup(p.stop)
	return p
}

// startDaemon starts a process that must not end before the test does.
func startDaemon(t *testing.T, name string, cmd *exec.Cmd) {
	t.Helper()
	p := start(t, name, cmd)
	t.Cleanup(func() {
		select {
		case <-p.done:
			t.Errorf("%s ended early: %s", name, cmd.ProcessState)
		default:
		}
		p.stop()
		if t.Failed() && p.stderr.Len() > 0 {
			t.Logf("%s said:\n%s", name, &p.stderr)
		}
	})
}

// stop ends the process and what it started.
func (p *process) stop() {
	p.once.Do(func() {
		p.signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(patience):
		}
		p.signal(syscall.SIGKILL)
		<-p.done
	})
}

// signal sends a signal to the whole group, which may be gone.
func (p *process) signal(s syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, s) }

// wait returns the exit code of a process that ends by itself.
func (p *process) wait(t *testing.T, within time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		p.stop()
		t.Fatalf("%s has not ended within %s; it said:\n%s", p.name, within, &p.stderr)
	}
	return p.cmd.ProcessState.ExitCode()
}

// lookUp returns the path of a program of a Debian package.
func lookUp(t *testing.T, program string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program} { // not in everybody's PATH
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is missing; this test needs the real one: apt-get install -y --no-install-recommends nginx-light prometheus victoria-metrics", program)
	return ""
}

// eventually waits until something holds, and fails the test if it does not in
// time.
func eventually(t *testing.T, within time.Duration, what string, holds func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	err := errors.New("it was never asked")
	for {
		select {
		case <-ctx.Done():
			t.Fatalf("waited %s for %s: %v", within, what, err)
		case <-ticker.C:
		}
		// An answer cut off by the deadline says less than the one before.
		now := holds(ctx)
		if now == nil {
			return
		}
		if ctx.Err() == nil {
			err = now
		}
	}
}

// answers reports whether an address answers a request with a status.
func answers(ctx context.Context, address string, status int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != status {
		return fmt.Errorf("it answers with %s", resp.Status)
	}
	return nil
}
