package revert

import (
	"context"
	"fmt"
	"strings"
)

// Change is what is under judgement, and where the repository stood then.
type Change struct {
	Head    string   `json:"head" doc:"Commit that was checked out when the run began"`
	Branch  string   `json:"branch,omitempty" doc:"Branch that was checked out"`
	Commits []Commit `json:"commits" doc:"Commits under judgement, the newest first"`
}

// Commit is a commit of the change.
type Commit struct {
	SHA     string `json:"sha" doc:"Full name of the commit"`
	Subject string `json:"subject" doc:"First line of its message"`

	parents []string
	revert  bool // made by this tool
}

// short is how a commit is called in messages.
func (c Commit) short() string {
	return fmt.Sprintf("%s (%s)", c.SHA[:min(len(c.SHA), shortSHA)], c.Subject)
}

const shortSHA = 12

// Observe finds what would be reverted on a fail, and refuses what could not be
// then: better before the first look than after the last.
func (r *Repository) Observe(ctx context.Context) (Change, error) {
	g, err := r.open(ctx)
	if err != nil {
		return Change{}, err
	}
	change, err := g.change(ctx, r.Settings.Commit)
	if err != nil {
		return change, err
	}
	if err := r.ready(ctx, g, change); err != nil {
		return change, err
	}
	return change, nil
}

// change resolves the commits that a text names.
func (g git) change(ctx context.Context, text string) (Change, error) {
	head, err := g.resolve(ctx, "HEAD")
	if err != nil {
		return Change{}, err
	}
	c := Change{Head: head}
	// The exit code is 1 when HEAD is detached.
	c.Branch, _ = g.out(ctx, "symbolic-ref", "--quiet", "--short", "HEAD")
	shas := []string{}
	if from, to, isRange := strings.Cut(text, ".."); isRange {
		if shas, err = g.between(ctx, from, to); err != nil {
			return c, err
		}
	} else {
		sha, err := g.resolve(ctx, text)
		if err != nil {
			return c, err
		}
		shas = append(shas, sha)
	}
	for _, sha := range shas {
		commit, err := g.commit(ctx, sha)
		if err != nil {
			return c, err
		}
		c.Commits = append(c.Commits, commit)
	}
	return c, nil
}

// resolve returns the full name of a commit.
func (g git) resolve(ctx context.Context, name string) (string, error) {
	sha, err := g.out(ctx, "rev-parse", "--verify", "--quiet", name+"^{commit}")
	if err == nil {
		return sha, nil
	}
	if _, other := g.out(ctx, "rev-parse", "--git-dir"); other != nil {
		return "", other
	}
	if name == "HEAD" {
		return "", fmt.Errorf("the repository has no commit yet")
	}
	return "", fmt.Errorf("the repository has no commit %s%s", name, g.shallowHint(ctx))
}

// between returns the commits of a range, the newest first, along first parents:
// reverting a merge takes back all that it brought.
func (g git) between(ctx context.Context, from, to string) ([]string, error) {
	if to == "" {
		to = "HEAD"
	}
	if from == "" {
		from = "HEAD"
	}
	first, err := g.resolve(ctx, from)
	if err != nil {
		return nil, err
	}
	last, err := g.resolve(ctx, to)
	if err != nil {
		return nil, err
	}
	list, err := g.out(ctx, "rev-list", "--first-parent", first+".."+last)
	if err != nil {
		return nil, err
	}
	if list == "" {
		return nil, fmt.Errorf("the range %s..%s holds no commit", from, to)
	}
	return strings.Split(list, "\n"), nil
}

// commit reads a commit. Its parents are those it was made with, also where a
// shallow clone lacks them.
func (g git) commit(ctx context.Context, sha string) (Commit, error) {
	c := Commit{SHA: sha}
	raw, err := g.out(ctx, "cat-file", "commit", sha)
	if err != nil {
		return c, err
	}
	header, message, _ := strings.Cut(raw, "\n\n")
	for _, line := range strings.Split(header, "\n") {
		if parent, ok := strings.CutPrefix(line, "parent "); ok {
			c.parents = append(c.parents, parent)
		}
	}
	c.Subject, _, _ = strings.Cut(strings.TrimLeft(message, "\n"), "\n")
	c.revert = len(trailers(message, trailerReverts)) > 0
	return c, nil
}

// shallowHint says what may be wrong with a clone that lacks a commit.
func (g git) shallowHint(ctx context.Context) string {
	if shallow, err := g.out(ctx, "rev-parse", "--is-shallow-repository"); err != nil || shallow != "true" {
		return ""
	}
	return "; the clone is shallow: fetch more of it with git fetch --deepen=10 (actions/checkout: fetch-depth: 0)"
}

// ready reports what keeps a change from being reverted here and now.
func (r *Repository) ready(ctx context.Context, g git, c Change) error {
	if want := r.Settings.Branch; want != "" && c.Branch != "" && c.Branch != want {
		return fmt.Errorf("the branch %s is checked out, and %s is expected (on_fail.revert.branch)", c.Branch, want)
	}
	if r.branch(c) == "" {
		return fmt.Errorf("HEAD is detached, so there is no branch to push to: check out the branch, or name it with on_fail.revert.branch")
	}
	for _, commit := range c.Commits {
		if err := r.revertible(ctx, g, c, commit); err != nil {
			return err
		}
	}
	return g.clean(ctx)
}

// branch returns the branch that the change is on, "" when that is not known.
func (r *Repository) branch(c Change) string {
	if c.Branch != "" {
		return c.Branch
	}
	return r.Settings.Branch
}

// revertible reports why a commit cannot be reverted.
func (r *Repository) revertible(ctx context.Context, g git, c Change, commit Commit) error {
	if outside, err := g.code(ctx, "merge-base", "--is-ancestor", commit.SHA, c.Head); err != nil {
		return err
	} else if outside == 1 {
		return fmt.Errorf("the commit %s is not part of what is checked out%s", commit.short(), g.shallowHint(ctx))
	}
	mainline := 1
	if len(commit.parents) > 1 {
		mainline = r.Settings.Mainline
	}
	switch {
	case len(commit.parents) == 0:
		return fmt.Errorf("the commit %s is the first there is: there is nothing to go back to", commit.short())
	case mainline > len(commit.parents):
		return fmt.Errorf("the commit %s has %d parents; on_fail.revert.mainline is %d", commit.short(), len(commit.parents), mainline)
	}
	parent := commit.parents[mainline-1]
	if _, err := g.out(ctx, "cat-file", "-e", parent+"^{commit}"); err != nil {
		return fmt.Errorf("the clone lacks the parent of %s, to which a revert goes back; fetch it with git fetch --deepen=1 (actions/checkout: fetch-depth: 2)", commit.short())
	}
	return nil
}

// underWay are the files that git keeps while something is under way.
var underWay = []struct{ file, what string }{
	{"MERGE_HEAD", "a merge"}, {"REVERT_HEAD", "a revert"}, {"CHERRY_PICK_HEAD", "a cherry-pick"},
	{"rebase-merge", "a rebase"}, {"rebase-apply", "a rebase"},
}

// clean reports whether the tree has changes, or something is under way in it.
// Files that git does not know, such as results, are no changes.
func (g git) clean(ctx context.Context) error {
	for _, u := range underWay {
		path, err := g.out(ctx, "rev-parse", "--git-path", u.file)
		if err != nil {
			return err
		}
		if exists(g.dir, path) {
			return fmt.Errorf("%s is under way in the repository: finish or abort it", u.what)
		}
	}
	changes, err := g.out(ctx, "status", "--porcelain", "--untracked-files=no")
	if err != nil {
		return err
	}
	if changes != "" {
		first, _, _ := strings.Cut(changes, "\n")
		return fmt.Errorf("the repository has changes that are not committed (%s): commit or discard them, so that the revert takes back the change and nothing else", strings.TrimSpace(first))
	}
	return nil
}
