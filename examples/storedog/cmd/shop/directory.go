package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// longestSocketPath is the most bytes the path of a unix socket can have.
const longestSocketPath = 107

// makeDirectory makes the state directory, in which there must be nothing yet.
func (o *options) makeDirectory() error {
	var err error
	if o.source, err = filepath.Abs(o.source); err != nil {
		return err
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "storedog-"); err != nil {
			return fmt.Errorf("make a state directory: %w", err)
		}
		o.temporary = true
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return fmt.Errorf("make the state directory: %w", err)
	}
	entries, err := os.ReadDir(o.dir)
	if err != nil {
		return fmt.Errorf("read the state directory: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("the state directory %s is not empty; remove it or choose another", o.dir)
	}
	if n := len(o.path("postgres", postgresSocket)); n > longestSocketPath {
		return fmt.Errorf("the path of the state directory is %d bytes too long for unix sockets; choose another", n-longestSocketPath)
	}
	// PostgreSQL and nginx's worker run as users of their own when this is root: they
	// must get through, if not see what is there.
	if err := os.Chmod(o.dir, 0o711); err != nil {
		return err
	}
	for _, dir := range []string{"bin", "logs", "nginx", "postgres", "prometheus", "releases"} {
		if err := os.Mkdir(o.path(dir), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// path returns the path of something in the state directory.
func (o *options) path(names ...string) string {
	return filepath.Join(append([]string{o.dir}, names...)...)
}

// closedParent returns the first directory above a path that users other than its
// owner cannot get through, or nothing.
func closedParent(path string) string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o001 == 0 {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}
