//go:build unix

package command

import (
	"os/exec"
	"syscall"
)

// inGroup gives a program a process group of its own, all of which is killed when its time is up.
func inGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
