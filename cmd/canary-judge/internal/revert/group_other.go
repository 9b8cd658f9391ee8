//go:build !unix

package revert

import (
	"os"
	"os/exec"
)

// inGroup leaves a command as it is: only the command itself ends when its time is
// up.
func inGroup(*exec.Cmd) {}

// endGroup ends a command, and nothing that it started. ended is closed at its end.
func endGroup(cmd *exec.Cmd, ended <-chan struct{}) {
	_ = cmd.Process.Kill() // it may have ended just now
	<-ended
}

// writers names the processes that hold a pipe open, of which other systems do not tell.
func writers(*os.File) []string { return nil }
