//go:build !unix

package files

import (
	"io/fs"
	"os"
)

// shared reports whether a file has several names, of which other systems do not tell.
func shared(fs.FileInfo) bool { return false }

// takeAfter gives a file the mode of another one.
func takeAfter(file *os.File, old fs.FileInfo) error { return file.Chmod(old.Mode()) }

// duplicate opens a descriptor of the process once more, for which there are no paths
// elsewhere.
func duplicate(_ int, name string) (*os.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
}
