//go:build unix

package revert

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// inGroup gives a command a process group of its own, so that what it started ends
// with it when its time is up.
func inGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// endGroup tells a command and all of its group to end, and kills what has not after a
// while. ended is closed at the command's own end.
func endGroup(cmd *exec.Cmd, ended <-chan struct{}) {
	group := -cmd.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM) // it may have ended just now
	for deadline := time.Now().Add(afterwards); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case <-ended:
			ended = nil
		default:
		}
		// Once the command is gone, so that its own number is no longer taken.
		if ended == nil && syscall.Kill(group, 0) != nil {
			return
		}
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // as above
	if ended != nil {
		<-ended
	}
}

// writers names the processes that hold a pipe open, as far as /proc tells.
func writers(pipe *os.File) []string {
	info, err := pipe.Stat()
	if err != nil {
		return nil
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	wanted, self := fmt.Sprintf("pipe:[%d]", stat.Ino), fmt.Sprint(os.Getpid())
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return nil
	}
	var names []string
	last := self
	for _, link := range links {
		pid := strings.Split(link, "/")[2]
		if pid == self || pid == last {
			continue
		}
		if to, err := os.Readlink(link); err != nil || to != wanted {
			continue
		}
		last = pid
		name, err := os.ReadFile("/proc/" + pid + "/comm")
		if err != nil {
			continue // it has ended
		}
		names = append(names, fmt.Sprintf("process %s (%s)", pid, strings.TrimSpace(string(name))))
	}
	return names
}
