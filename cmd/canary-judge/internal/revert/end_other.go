//go:build !unix

package revert

import "os"

// endGently ends a process: here, none can be asked to.
func endGently(p *os.Process) error { return p.Kill() }
