// Package process starts programs that must not outlive the one who started them,
// and ends them.
package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Program is a program and how to run it.
type Program struct {
	Name string   // in messages
	Path string   // of the executable
	Args []string // without the program itself
	Env  []string // NAME=VALUE, all of them
	Dir  string   // to run in; empty: this process's
	Log  string   // path of the file that gets its output, appended

	User *syscall.Credential // to run as; nil: this process's
	End  syscall.Signal      // that it ends on, orderly; 0: SIGTERM
}

// Process is a program that runs.
type Process struct {
	program Program
	cmd     *exec.Cmd
	done    chan struct{}
}

// Start starts a program.
func Start(p Program) (*Process, error) {
	if p.End == 0 {
		p.End = syscall.SIGTERM
	}
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	defer log.Close() // the process has its own copy
	cmd := exec.Command(p.Path, p.Args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = p.Env, p.Dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: p.User,
		// In a group of its own: Ctrl-C is for this process alone, which ends the
		// others in order.
		Setpgid: true,
		// If this process is killed, the kernel ends the others.
		Pdeathsig: p.End,
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	started := &Process{program: p, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(started.done)
		_ = cmd.Wait() // cmd.ProcessState says how it ended
	}()
	return started, nil
}

// PID returns the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Name returns the name of its program.
func (p *Process) Name() string { return p.program.Name }

// Log returns the path of the file that gets its output.
func (p *Process) Log() string { return p.program.Log }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stop ends the process, orderly if it does within a time, and what it has started.
func (p *Process) Stop(within time.Duration) {
	_ = p.cmd.Process.Signal(p.program.End) // it may be gone
	select {
	case <-p.done:
	case <-time.After(within):
	}
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL) // they may be gone
	<-p.done
}

// Ended says how a process ended that was not to, with its last words. It must be
// done.
func (p *Process) Ended() error {
	return fmt.Errorf("%s ended (%s); the end of %s:\n%s", p.program.Name, p.cmd.ProcessState, p.program.Log, p.lastWords())
}

// lastWords returns the end of the log.
func (p *Process) lastWords() []byte {
	const longest = 2000
	text, err := os.ReadFile(p.program.Log)
	if err != nil {
		return []byte(err.Error())
	}
	if len(text) > longest {
		text = text[len(text)-longest:]
	}
	return bytes.TrimSpace(text)
}
