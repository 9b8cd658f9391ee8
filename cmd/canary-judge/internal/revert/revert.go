// Package revert does what follows a verdict: it reverts the change with git, and
// runs commands.
//
// A revert takes back exactly the commits it was told, on top of what was judged
// and of nothing else. It refuses what it is not sure of, and leaves the
// repository as it found it then. It knows its own reverts by a trailer: it
// never reverts one of them, and to revert twice does nothing the second time.
package revert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/githubapi"
)

// Repository is where a change is reverted.
type Repository struct {
	Dir      string
	Settings config.Revert
	// Env is the environment of git, and where GitHub's token and address are.
	Env map[string]string
	// Heard gets what the remote says while it is pushed to, such as the words of a
	// deployment hook; nil to hear nothing.
	Heard io.Writer
	// Transport replaces the network to GitHub in tests.
	Transport http.RoundTripper
}

// Outcome is what came of a revert.
type Outcome struct {
	// Commands are the git commands that changed something, or would in a dry run.
	Commands []string
	// Reverted are the commits that were taken back, and Reverts the commits that
	// took them back, both the newest first. Both are empty when all were taken back
	// before.
	Reverted []Commit
	Reverts  []string
	// Pushed is where to: REMOTE/BRANCH, "" when nothing was pushed.
	Pushed string
	// PullRequest is the address of the pull request, "" without one.
	PullRequest string
}

// Revert takes back the change that was judged. With dryRun it only finds out what
// it would do. An error says why it was not done, or how far it came.
func (r *Repository) Revert(ctx context.Context, judged Change, e Evidence, dryRun bool) (Outcome, error) {
	if len(judged.Commits) == 0 {
		return Outcome{}, errors.New("no commit to revert is named")
	}
	g, err := r.open(ctx)
	if err != nil {
		return Outcome{}, err
	}
	now, err := g.change(ctx, "HEAD")
	if err != nil {
		return Outcome{}, err
	}
	now.Commits = nil
	for _, c := range judged.Commits {
		commit, err := g.known(ctx, c)
		if err != nil {
			return Outcome{}, err
		}
		now.Commits = append(now.Commits, commit)
	}
	left, newest, err := g.left(ctx, now)
	if err != nil {
		return Outcome{}, err
	}
	if len(left) == 0 {
		return r.again(ctx, g, now, newest, dryRun)
	}
	if now.Head != judged.Head {
		return Outcome{}, fmt.Errorf("HEAD has moved since the canary was judged, from %s to %s: what came since was not judged; look at it, and revert by hand",
			judged.Head[:min(len(judged.Head), shortSHA)], now.Head[:shortSHA])
	}
	if judged.Branch != "" && now.Branch != judged.Branch {
		return Outcome{}, fmt.Errorf("the branch %s was checked out when the canary was judged, and %s is now", judged.Branch, orDetached(now.Branch))
	}
	if err := r.ready(ctx, g, now); err != nil {
		return Outcome{}, err
	}
	for _, c := range left {
		if c.revert {
			return Outcome{}, fmt.Errorf("the commit %s is itself a revert that canary-judge made: to take it back would bring the failed change again", c.short())
		}
	}
	if r.Settings.Mode == config.PullRequestRevert {
		return r.propose(ctx, g, now, left, e, dryRun)
	}
	return r.push(ctx, g, now, left, e, dryRun)
}

func orDetached(branch string) string {
	if branch == "" {
		return "none"
	}
	return branch
}

// open prepares git for the repository.
func (r *Repository) open(ctx context.Context) (git, error) {
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return git{}, err
	}
	g := newGit(dir, r.Env, r.Settings.Timeout, githubapi.Token(r.Env))
	if r.Env["GITHUB_ACTIONS"] == "true" && within(dir, r.Env["GITHUB_WORKSPACE"]) {
		g = g.trusting(r.Env["GITHUB_WORKSPACE"], r.Env["GIT_CONFIG_COUNT"])
	}
	top, err := g.out(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return g, err
	}
	g.dir = filepath.FromSlash(top)
	return r.identified(ctx, g)
}

// identified returns a git that can commit: under the name in the settings,
// under its own, or under ours.
func (r *Repository) identified(ctx context.Context, g git) (git, error) {
	as := func(name, address string) git {
		return g.with("GIT_AUTHOR_NAME="+name, "GIT_AUTHOR_EMAIL="+address, "GIT_COMMITTER_NAME="+name, "GIT_COMMITTER_EMAIL="+address)
	}
	if a := r.Settings.Author; a.Address != "" {
		return as(a.Name, a.Address), nil
	}
	for _, key := range []string{"user.name", "user.email"} {
		unset, err := g.code(ctx, "config", "--get", key)
		if err != nil {
			return g, err
		}
		variable := "GIT_COMMITTER_" + strings.ToUpper(strings.TrimPrefix(key, "user."))
		if unset == 1 && r.Env[variable] == "" {
			return as("canary-judge", "canary-judge@users.noreply.github.com"), nil
		}
	}
	return g, nil
}

// known reads a commit that was judged.
func (g git) known(ctx context.Context, c Commit) (Commit, error) {
	sha, err := g.resolve(ctx, c.SHA)
	if err != nil {
		return c, err
	}
	return g.commit(ctx, sha)
}

// left returns the commits of a change that are not taken back yet, and the newest
// commit that takes one of them back. A commit that was itself taken back takes
// nothing back.
func (g git) left(ctx context.Context, c Change) (left []Commit, newest string, err error) {
	oldest := c.Commits[len(c.Commits)-1].SHA
	log, err := g.out(ctx, "log", "--format=%H%x00%B%x01", oldest+".."+c.Head)
	if err != nil {
		return nil, "", err
	}
	undone := map[string]bool{}
	for _, entry := range strings.Split(log, "\x01") {
		sha, message, ok := strings.Cut(strings.TrimSpace(entry), "\x00")
		if !ok || undone[sha] {
			continue
		}
		for _, of := range reverts(message) {
			undone[of] = true
			if newest == "" && slices.ContainsFunc(c.Commits, func(c Commit) bool { return c.SHA == of }) {
				newest = sha
			}
		}
	}
	for _, commit := range c.Commits {
		if !undone[commit.SHA] {
			left = append(left, commit)
		}
	}
	return left, newest, nil
}

// again is a revert of what is reverted already. Should the push have failed then,
// it is made up for.
func (r *Repository) again(ctx context.Context, g git, now Change, newest string, dryRun bool) (Outcome, error) {
	var o Outcome
	branch := r.branch(now)
	if dryRun || r.Settings.Mode != config.PushRevert || newest != now.Head || branch == "" {
		return o, nil
	}
	at, err := g.out(ctx, "ls-remote", r.Settings.Remote, "refs/heads/"+branch)
	if err != nil {
		return o, err
	}
	if sha, _, _ := strings.Cut(at, "\t"); sha == now.Head {
		return o, nil
	}
	return o, r.pushHead(ctx, g, branch, &o)
}

// push commits the reverts to the branch and pushes it.
func (r *Repository) push(ctx context.Context, g git, now Change, left []Commit, e Evidence, dryRun bool) (Outcome, error) {
	branch := r.branch(now)
	if dryRun {
		return Outcome{Commands: append(r.revertCommands(left), r.pushCommand(branch)), Reverted: left}, nil
	}
	o, err := r.commitReverts(ctx, g, now, left, e)
	if err != nil {
		return Outcome{}, err
	}
	if err := r.pushHead(ctx, g, branch, &o); err != nil {
		return o, fmt.Errorf("the revert is committed but not pushed: %w; then run canary-judge revert again, or %s", err, r.pushCommand(branch))
	}
	return o, nil
}

// revertCommands are the commands for commits, as a person would type them.
func (r *Repository) revertCommands(commits []Commit) []string {
	var all []string
	for _, c := range commits {
		all = append(all, "git "+strings.Join(r.revertArgs(c, "--no-edit"), " "))
	}
	return all
}

func (r *Repository) revertArgs(c Commit, how string) []string {
	args := []string{"revert", how}
	if len(c.parents) > 1 {
		args = append(args, fmt.Sprintf("--mainline=%d", r.Settings.Mainline))
	}
	return append(args, c.SHA)
}

func (r *Repository) pushCommand(branch string) string {
	return fmt.Sprintf("git push %s HEAD:refs/heads/%s", r.Settings.Remote, branch)
}

// commitReverts reverts commits on top of HEAD, a commit each. Whatever goes wrong,
// the repository is left as it was found.
func (r *Repository) commitReverts(ctx context.Context, g git, now Change, left []Commit, e Evidence) (o Outcome, err error) {
	defer func() {
		if err == nil {
			return
		}
		// Also when the time is up. The tree was clean, so nothing of anybody's is lost.
		if back := g.do(context.WithoutCancel(ctx), "reset", "--quiet", "--hard", now.Head); back != nil {
			err = fmt.Errorf("%w; and it could not be undone: %w", err, back)
		}
	}()
	for i, c := range left {
		// Without the commit, whose message is ours.
		if err := g.do(ctx, r.revertArgs(c, "--no-commit")...); err != nil {
			return o, conflict(ctx, g, c, err)
		}
		empty, err := g.code(ctx, "diff", "--cached", "--quiet", "HEAD")
		if err != nil {
			return o, err
		}
		if empty == 0 {
			return o, fmt.Errorf("the change of %s is not there any more: there is nothing to revert", c.short())
		}
		// Hooks that check commits do not apply: git revert runs none either.
		if err := g.run(ctx, e.message(c), io.Discard, nil, "commit", "--quiet", "--no-verify", "--cleanup=whitespace", "--file=-"); err != nil {
			return o, err
		}
		sha, err := g.resolve(ctx, "HEAD")
		if err != nil {
			return o, err
		}
		o.Reverted = append(o.Reverted, left[i])
		o.Reverts = append([]string{sha}, o.Reverts...)
	}
	o.Commands = r.revertCommands(left)
	return o, nil
}

// conflict says which files a revert conflicts in.
func conflict(ctx context.Context, g git, c Commit, err error) error {
	files, listErr := g.out(ctx, "diff", "--name-only", "--diff-filter=U")
	if listErr != nil || files == "" {
		return err
	}
	return fmt.Errorf("the revert of %s conflicts with later changes in %s: revert by hand, git revert %s", c.short(),
		strings.Join(strings.Split(files, "\n"), ", "), c.SHA[:shortSHA])
}

// pushHead pushes HEAD to a branch.
func (r *Repository) pushHead(ctx context.Context, g git, branch string, o *Outcome) error {
	if err := g.run(ctx, "", io.Discard, r.Heard, "push", r.Settings.Remote, "HEAD:refs/heads/"+branch); err != nil {
		return err
	}
	o.Commands = append(o.Commands, r.pushCommand(branch))
	o.Pushed = r.Settings.Remote + "/" + branch
	return nil
}

// exists reports whether a path, relative to a directory or absolute, exists.
func exists(dir, path string) bool {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	_, err := os.Stat(path)
	return err == nil
}
