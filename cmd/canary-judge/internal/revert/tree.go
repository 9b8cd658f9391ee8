package revert

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/web"
)

// step is a commit taken back, on top of the steps before it.
type step struct {
	commit Commit
	parent string // that it goes back to
	tree   string // of all files afterwards
}

// conflictError is a revert that git cannot work out.
type conflictError struct {
	commit Commit
	files  []string
}

func (e *conflictError) Error() string {
	files := e.files
	more := ""
	if n := len(files) - mostFiles; n > 0 {
		files, more = files[:mostFiles], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("the revert of %s conflicts with later changes in %s%s: revert by hand, git revert %s", e.commit.short(),
		web.Quote(strings.Join(files, ", ")), more, e.commit.SHA[:shortSHA])
}

// mostFiles is how many files a message names.
const mostFiles = 10

// plan works out what is left of a tip's files when commits, the newest first, are taken
// back one after the other.
func (r *Repository) plan(ctx context.Context, p *clone, tip string, commits []Commit) ([]step, error) {
	tree, err := p.tree(ctx, tip)
	if err != nil {
		return nil, err
	}
	var steps []step
	for _, c := range commits {
		if err := r.revertible(ctx, p, c); err != nil {
			return nil, err
		}
		parent := r.parent(c)
		if tree, err = p.without(ctx, tree, c, parent); err != nil {
			return nil, err
		}
		steps = append(steps, step{c, parent, tree})
	}
	return steps, nil
}

// parent is what a revert of a commit goes back to.
func (r *Repository) parent(c Commit) string {
	if len(c.parents) > 1 {
		return c.parents[r.Settings.Mainline-1]
	}
	return c.parents[0]
}

func (p *clone) tree(ctx context.Context, commit string) (string, error) {
	return p.output(ctx, "rev-parse", "--verify", "--quiet", commit+"^{tree}")
}

// without returns a tree without what a commit changed. That is a merge of the
// commit's parent into the tree, with the commit as their common ancestor: what git
// revert does. merge-tree finds the ancestor by itself, so it is shown three commits that
// are made for it; --merge-base came with git 2.40 only.
func (p *clone) without(ctx context.Context, tree string, c Commit, parent string) (string, error) {
	var trees [2]string
	for i, commit := range []string{c.SHA, parent} {
		var err error
		if trees[i], err = p.tree(ctx, commit); err != nil {
			return "", fmt.Errorf("the clone lacks the files of %s; fetch them: git fetch --refetch", commit[:shortSHA])
		}
	}
	base, err := p.stub(ctx, trees[0])
	if err != nil {
		return "", err
	}
	ours, err := p.stub(ctx, tree, "-p", base)
	if err != nil {
		return "", err
	}
	theirs, err := p.stub(ctx, trees[1], "-p", base)
	if err != nil {
		return "", err
	}
	// Paths may have attributes that say how they merge.
	dir := filepath.Join(p.scratch, tree)
	if err := p.attributes(ctx, tree, dir); err != nil {
		return "", err
	}
	apart := p.withVariables("GIT_DIR="+p.dirs, "GIT_WORK_TREE="+dir)
	apart.dir = dir
	said, err := apart.output(ctx, "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
	merged, files, _ := strings.Cut(said, "\x00")
	var e *gitError
	if errors.As(err, &e) && e.code == 1 && files != "" {
		return "", &conflictError{c, slices.DeleteFunc(slices.Compact(strings.Split(files, "\x00")), func(f string) bool { return f == "" })}
	}
	return merged, err
}

// stub makes a commit that only stands for a tree.
func (p *clone) stub(ctx context.Context, tree string, args ...string) (string, error) {
	g := p.withVariables("GIT_AUTHOR_DATE=@0 +0000", "GIT_COMMITTER_DATE=@0 +0000")
	return g.outputOf(ctx, "\n", append([]string{"commit-tree", "--no-gpg-sign", tree}, args...)...)
}

// attributes writes the files of a tree that give paths attributes, and nothing else,
// into a directory.
func (p *clone) attributes(ctx context.Context, tree, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	list, err := p.output(ctx, "ls-tree", "-r", "-z", tree)
	if err != nil {
		return err
	}
	for entry := range strings.SplitSeq(list, "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		if path.Base(name) != ".gitattributes" || !strings.HasPrefix(about, "100") || !filepath.IsLocal(filepath.FromSlash(name)) {
			continue
		}
		fields := strings.Fields(about)
		text, err := p.output(ctx, "cat-file", "blob", fields[len(fields)-1])
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(to, []byte(text+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// revertible reports why a commit cannot be reverted.
func (r *Repository) revertible(ctx context.Context, p *clone, c Commit) error {
	mainline := 1
	if len(c.parents) > 1 {
		mainline = r.Settings.Mainline
	}
	switch {
	case len(c.parents) == 0:
		return fmt.Errorf("the commit %s is the first there is: there is nothing to go back to", c.short())
	case mainline > len(c.parents):
		return fmt.Errorf("the commit %s has %d parents; on_fail.revert.mainline is %d", c.short(), len(c.parents), mainline)
	}
	if _, err := p.output(ctx, "cat-file", "-e", c.parents[mainline-1]+"^{commit}"); err != nil {
		return fmt.Errorf("the clone lacks the parent of %s, to which a revert goes back; fetch it with git fetch --deepen=1 (actions/checkout: fetch-depth: 0)", c.short())
	}
	return nil
}
