package recording

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock keeps other processes from writing to a file until it is closed, also by a crash.
// It reports false when another one has it. What is locked is a byte far behind the end:
// Windows lets nobody read what is locked.
func lock(f *os.File) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
		&windows.Overlapped{OffsetHigh: 1 << 30})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}
