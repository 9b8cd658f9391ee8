//go:build unix && !solaris && !aix

package recording

import (
	"errors"
	"os"
	"syscall"
)

// lock keeps other processes from writing to a file until it is closed, also by a crash.
// It reports false when another one has it. File systems without locks are used without.
func lock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return false, nil
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.EINVAL):
		return true, nil
	}
	return err == nil, err
}
