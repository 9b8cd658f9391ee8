package revert

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// changedFile is a file that differs between two commits.
type changedFile struct {
	path   string
	status byte // as git diff-tree tells it: A was added, D deleted, others changed
}

// changedFiles returns the files that differ between two commits, in the order of their paths.
func (p *clone) changedFiles(ctx context.Context, from, to string) ([]changedFile, error) {
	said, err := p.output(ctx, "diff-tree", "-r", "-z", "--name-status", "--no-renames", from, to)
	if err != nil {
		return nil, err
	}
	var all []changedFile
	fields := strings.Split(said, "\x00") // a status, a path
	for i := 0; i+1 < len(fields); i += 2 {
		all = append(all, changedFile{fields[i+1], fields[i][0]})
	}
	slices.SortFunc(all, func(a, b changedFile) int { return strings.Compare(a.path, b.path) })
	return all, nil
}

// checkedOut is how files of a working tree were.
type checkedOut struct {
	*clone
	root  *os.Root
	files []changedFile
	infos []fs.FileInfo // of each file; nil = not there
}

// look looks at files of the working tree. Who does closes what it returns.
func (p *clone) look(files []changedFile) (*checkedOut, error) {
	root, err := os.OpenRoot(p.dir)
	if err != nil {
		return nil, err
	}
	c := &checkedOut{clone: p, root: root, files: files}
	for _, f := range files {
		c.infos = append(c.infos, c.info(f))
	}
	return c, nil
}

func (c *checkedOut) close() { _ = c.root.Close() } // nothing was written by it

// info is what there is of a file, nil for nothing.
func (c *checkedOut) info(f changedFile) fs.FileInfo {
	info, err := c.root.Lstat(filepath.FromSlash(f.path))
	if err != nil {
		return nil
	}
	return info
}

// touched returns the files that are not as they were. Git checks that a file is as it was
// committed before it touches it.
func (c *checkedOut) touched() []changedFile {
	var all []changedFile
	for i, f := range c.files {
		was, is := c.infos[i], c.info(f)
		if was == nil && is == nil {
			continue
		}
		if was == nil || is == nil || !os.SameFile(was, is) || was.Size() != is.Size() || !was.ModTime().Equal(is.ModTime()) || was.Mode() != is.Mode() {
			all = append(all, f)
		}
	}
	return all
}

// restore puts files back as they are in the commit that is checked out, after git broke off
// in the midst of them, such as where the disk was full. It returns the command that does
// the rest, "" if nothing is left to do.
func (c *checkedOut) restore(ctx context.Context, head string) (command string) {
	touched := c.touched()
	if len(touched) == 0 {
		return ""
	}
	// First everything goes that was written, so that there is room for what was there. What
	// is in a directory goes before it.
	var committed []string
	for _, f := range slices.Backward(touched) {
		_ = c.root.Remove(filepath.FromSlash(f.path)) // what is left is found below
		if f.status != 'A' {
			committed = append(committed, f.path)
		}
	}
	slices.Sort(committed)
	list := strings.Join(committed, "\x00")
	if staged, err := c.output(ctx, "diff-index", "--cached", "--name-only", head); err == nil && staged != "" {
		var all strings.Builder
		for _, f := range touched {
			all.WriteString(":(literal)" + f.path + "\x00")
		}
		_, _ = c.outputOf(ctx, all.String(), "reset", "--quiet", "--pathspec-from-file=-", "--pathspec-file-nul", head) // as above
	}
	if len(committed) > 0 {
		_, _ = c.outputOf(ctx, list, "checkout-index", "--force", "-z", "--stdin") // as above
	}
	return c.left(ctx, head, touched)
}

// mostNamed is how many files a command names.
const mostNamed = 20

// left is the command that restores those of some files that are not as in a commit.
func (c *checkedOut) left(ctx context.Context, head string, touched []changedFile) (command string) {
	// Which compares contents where only the times differ.
	said, err := c.output(ctx, "-c", "diff.autoRefreshIndex=true", "diff", "--no-ext-diff", "--name-only", "-z", "--no-renames", "--no-relative", head)
	differ := strings.Split(said, "\x00")
	var paths []string
	for _, f := range touched {
		if f.status != 'A' && (err != nil || slices.Contains(differ, f.path)) {
			paths = append(paths, "'"+strings.ReplaceAll(f.path, "'", `'\''`)+"'")
		}
	}
	switch {
	case len(paths) == 0:
		return ""
	case len(paths) > mostNamed:
		return "git restore --staged --worktree . (which takes back what else is not committed, too)"
	}
	return "git restore --staged --worktree -- " + strings.Join(paths, " ")
}
