//go:build unix

package revert

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lock waits until no other job has a directory, and takes it. The system lets go of it
// when the process ends, however it does.
func lock(ctx context.Context, dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != syscall.EWOULDBLOCK { //nolint:errorlint // as the call returns it
			break
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("another job is at it: %w", context.Cause(ctx)), f.Close())
		case <-time.After(10 * time.Millisecond):
		}
	}
	// A file system without locks is no reason to do nothing: git has its own for the index.
	return func() { _ = f.Close() }, nil
}
