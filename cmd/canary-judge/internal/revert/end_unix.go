//go:build unix

package revert

import (
	"os"
	"syscall"
)

// endGently asks a process to end.
func endGently(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
