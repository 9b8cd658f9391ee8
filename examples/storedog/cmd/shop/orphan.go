package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// endWithGoRun makes this process end with go run, if that is what runs it: go run
// dies of SIGTERM and does not pass it on.
func endWithGoRun() {
	parent, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", os.Getppid()))
	if err != nil || strings.TrimSpace(string(parent)) != "go" {
		return
	}
	// It fails on no Linux there is; and without it, it is as with any go run.
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0)
}
