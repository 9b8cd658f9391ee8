package revert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/providers"
)

// Repository is where a change is reverted.
type Repository struct {
	Dir      string
	Settings config.Revert
	// Env is the environment of git, and where the tokens and addresses of GitHub and
	// GitLab are.
	Env map[string]string
	// RemoteOutput gets what the remote says while it is pushed to, such as the words of a
	// deployment hook; nil to hear nothing.
	RemoteOutput io.Writer
	// Transport replaces the network to GitHub and GitLab in tests.
	Transport http.RoundTripper
}

// Outcome is what came of a revert.
type Outcome struct {
	// Commands are what was done, or would be in a dry run, as git commands that a person
	// would type for it. None when nothing was to be done.
	Commands []string
	// Reverted are the commits that were taken back, the newest first. Empty when all
	// were taken back before.
	Reverted []Commit
	// Reverts are the commits that took them back, the newest first, also when that was
	// done before.
	Reverts []string
	// Pushed is where to: REMOTE/BRANCH, "" when nothing was pushed.
	Pushed string
	// PullRequest is the address of the pull request, or merge request, "" without one.
	PullRequest string
	// Notes are what else is to be known, a sentence each.
	Notes []string
}

// Revert takes back the change that was judged. With dryRun it only finds out what
// it would do. An error says why it was not done, or how far it came. It takes no longer
// than the settings allow, and, once something was pushed, a minute more to read that back.
func (r *Repository) Revert(ctx context.Context, judged Change, e Evidence, dryRun bool) (Outcome, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	o, err := r.revert(ctx, judged, e, dryRun)
	if said := new(unfinishedError); err != nil && ctx.Err() != nil && !errors.As(err, &said) {
		err = &unfinishedError{err: err}
	}
	return o, err
}

// bounded bounds all that is done about a revert, by git and by requests to its host.
func (r *Repository) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, r.Settings.Timeout, fmt.Errorf("not done within %s, the time for all of the revert; raise on_fail.revert.timeout if that is too short", providers.Duration(r.Settings.Timeout)))
}

// unfinishedError is what kept a revert from its end that may be gone on with.
type unfinishedError struct {
	err    error
	byHand string // what else helps, "" for nothing
}

func (e *unfinishedError) Error() string {
	text := e.err.Error() + "; then run canary-judge revert on the result"
	if e.byHand != "" {
		text += ", or " + e.byHand
	}
	return text
}

func (e *unfinishedError) Unwrap() error { return e.err }

func (r *Repository) revert(ctx context.Context, judged Change, e Evidence, dryRun bool) (Outcome, error) {
	if err := judged.valid(); err != nil {
		return Outcome{}, err
	}
	p, err := r.open(ctx, !dryRun)
	if err != nil {
		return Outcome{}, err
	}
	defer p.close()
	if judged.Ref, err = r.deployed(ctx, p, judged); err != nil {
		return Outcome{}, err
	}
	b, err := r.target(ctx, p, judged.Ref)
	if err != nil {
		return Outcome{}, err
	}
	if judged.Commits, err = p.known(ctx, names(judged.Commits)); err != nil {
		return Outcome{}, err
	}
	if err := r.holds(ctx, p, b, judged); err != nil {
		return Outcome{}, err
	}
	found, err := r.choose(ctx, p, judged.Commits, b.at)
	if err != nil {
		return Outcome{}, err
	}
	switch {
	case len(found.left) == 0 && len(found.by) > 0:
		return r.already(ctx, p, judged, found.by, dryRun), nil
	case r.Settings.Mode == config.PushRevert && b.at != judged.Head:
		return Outcome{}, hasMoved(r.Settings.Remote, judged, b)
	case len(found.left) == 0:
		return Outcome{}, found.nothing()
	}
	steps, err := r.plan(ctx, p, b.at, found.left)
	if err != nil {
		return Outcome{}, err
	}
	if err := p.changing(ctx, b.at, steps); err != nil {
		return Outcome{}, err
	}
	w := &plannedRevert{Repository: r, clone: p, judged: judged, target: b, steps: steps, evidence: e}
	do := w.deploy
	if r.Settings.Mode == config.PullRequestRevert {
		do = w.propose
	}
	o, err := do(ctx, dryRun)
	for _, c := range found.own {
		o.Notes = append(o.Notes, fmt.Sprintf("the commit %s is itself a revert that canary-judge made, and stays", c.short()))
	}
	return o, err
}

// plannedRevert is a revert that is worked out.
type plannedRevert struct {
	*Repository
	*clone
	judged   Change
	target   branch // that the revert is for
	steps    []step
	evidence Evidence
}

// deployed returns the full name of the branch on the remote that was judged. Results of
// older versions do not say it.
func (r *Repository) deployed(ctx context.Context, p *clone, judged Change) (string, error) {
	names := []string{heads + judged.Branch}
	if r.Settings.Branch != "" {
		names = r.refs(r.Settings.Branch)
	}
	switch {
	case judged.Ref != "" && r.Settings.Branch != "" && !slices.Contains(names, judged.Ref):
		return "", fmt.Errorf("%s was judged, and the revert is to go to the branch %s: they must be the same", judged.Ref, r.Settings.Branch)
	case judged.Ref != "":
		return judged.Ref, nil
	case r.Settings.Branch == "" && judged.Branch == "":
		return "", errors.New("the result does not say which branch was judged: name it with on_fail.revert.branch")
	}
	b, err := r.remote(p).branch(ctx, names)
	return b.ref, err
}

// holds reports a branch that has not the commits that were judged any more.
func (r *Repository) holds(ctx context.Context, p *clone, b branch, judged Change) error {
	for _, c := range judged.Commits {
		outside, err := p.exitCode(ctx, "merge-base", "--is-ancestor", c.SHA, b.at)
		if err != nil {
			return err
		}
		if outside == 1 {
			return fmt.Errorf("%s on %s is at %s, which does not hold the commit %s%s: there is nothing of it to revert there", b.ref, r.Settings.Remote, b.at[:shortSHA], c.short(), p.shallowHint(ctx))
		}
	}
	return nil
}

// already is the outcome where all was taken back before, by some commits, the newest first.
// What is checked out follows then, too: the job that did it may have broken off before that.
func (r *Repository) already(ctx context.Context, p *clone, judged Change, by []string, dryRun bool) Outcome {
	o := Outcome{Reverts: by, Notes: []string{fmt.Sprintf("the change is reverted already, by %s", strings.Join(by, ", "))}}
	if dryRun || r.Settings.Mode != config.PushRevert {
		return o
	}
	if note := p.catchUp(ctx, judged, by); note != "" {
		o.Notes = append(o.Notes, note)
	}
	return o
}

// nothing says why nothing of a change is to be taken back.
func (f choice) nothing() error {
	if len(f.own) > 0 && slices.ContainsFunc(f.own[0].says, func(c claim) bool { return c.title != "" }) {
		return fmt.Errorf("the commit %s is a revert by its title, and whether canary-judge made it cannot be told, as of a request that was squashed: to take it back could bring a failed change again; look at it, and revert by hand", f.own[0].short())
	}
	if len(f.own) > 0 {
		return fmt.Errorf("the commit %s is itself a revert that canary-judge made: to take it back would bring the failed change again", f.own[0].short())
	}
	if len(f.empty) > 0 {
		return fmt.Errorf("the commit %s changed nothing, so there is nothing to revert", f.empty[0].short())
	}
	return errors.New("the change takes itself back: it holds reverts of all its own commits, so there is nothing to revert")
}

func hasMoved(remote string, judged Change, b branch) error {
	return fmt.Errorf("%s on %s has moved since the canary was judged, from %s to %s: what came since was not judged; look at it, and revert by hand",
		b.ref, remote, judged.Head[:shortSHA], b.at[:shortSHA])
}

// changing reports a step that changes nothing, or steps that all together do not.
func (p *clone) changing(ctx context.Context, tip string, steps []step) error {
	before, err := p.tree(ctx, tip)
	if err != nil || len(steps) == 0 {
		return err
	}
	first := before
	for _, s := range steps {
		if s.tree == before {
			return fmt.Errorf("the change of %s is not there any more: there is nothing to revert", s.commit.short())
		}
		before = s.tree
	}
	if before == first {
		return errors.New("the changes of these commits take each other back: there is nothing to revert")
	}
	return nil
}

// commits are what the steps take back.
func commits(steps []step) []Commit {
	var all []Commit
	for _, s := range steps {
		all = append(all, s.commit)
	}
	return all
}

// revertCommands are the commands for the steps, as a person would type them.
func (w *plannedRevert) revertCommands() []string {
	var all []string
	for _, s := range w.steps {
		mainline := ""
		if len(s.commit.parents) > 1 {
			mainline = fmt.Sprintf(" --mainline=%d", w.Settings.Mainline)
		}
		all = append(all, "git revert --no-edit"+mainline+" "+s.commit.SHA)
	}
	return all
}

func (w *plannedRevert) pushCommand(ref string) string {
	return fmt.Sprintf("git push %s HEAD:%s", w.Settings.Remote, ref)
}

// commit makes the commits of the steps on top of the target, and returns them, the
// newest first. No branch moves.
func (w *plannedRevert) commit(ctx context.Context) ([]string, error) {
	sign, err := w.signing(ctx)
	if err != nil {
		return nil, err
	}
	var made []string
	parent := w.target.at
	for _, s := range w.steps {
		id, err := w.outputOf(ctx, w.evidence.message(s, w.minor), "commit-tree", sign, s.tree, "-p", parent)
		if err != nil {
			return nil, err
		}
		made, parent = append([]string{id}, made...), id
	}
	return made, nil
}

// signing is the option of commit-tree for what commit.gpgsign says, which it does not
// look at by itself.
func (p *clone) signing(ctx context.Context) (string, error) {
	said, err := p.output(ctx, "config", "--type=bool", "--get", "--default=false", "commit.gpgsign")
	if said == "true" {
		return "--gpg-sign", err
	}
	return "--no-gpg-sign", err
}

// signs tries to make a commit, which goes nowhere.
func (r *Repository) signs(ctx context.Context, p *clone, b branch) error {
	sign, err := p.signing(ctx)
	if err != nil {
		return err
	}
	_, err = p.outputOf(ctx, "try\n", "commit-tree", sign, b.at+"^{tree}", "-p", b.at)
	return err
}

// deploy pushes the reverts to the branch that was judged.
func (w *plannedRevert) deploy(ctx context.Context, dryRun bool) (Outcome, error) {
	o := Outcome{Commands: append(w.revertCommands(), w.pushCommand(w.target.ref)), Reverted: commits(w.steps)}
	if dryRun {
		return o, nil
	}
	made, err := w.commit(ctx)
	if err != nil {
		return Outcome{}, err
	}
	m := w.remote(w.clone)
	moved, failed := m.push(ctx, made[0], w.target, w.RemoteOutput)
	// A push that broke off may have arrived, and only the remote knows.
	after, cancel := w.afterPush(ctx)
	defer cancel()
	now, err := m.branch(after, []string{w.target.ref})
	if err != nil {
		return Outcome{}, &unfinishedError{err: fmt.Errorf("whether the revert %s was pushed to %s on %s could not be read back: %w", made[0], w.target.ref, w.Settings.Remote, errors.Join(failed, err))}
	}
	arrived, err := w.arrived(after, m, made[0], now)
	switch {
	case err != nil:
		return Outcome{}, err
	case !arrived && now.at == w.target.at && failed != nil:
		return Outcome{}, &unfinishedError{fmt.Errorf("the revert is not pushed: %w", failed), strings.Join(append(w.revertCommands(), w.pushCommand(w.target.ref)), " and ")}
	case !arrived && now.at == w.target.at:
		return Outcome{}, fmt.Errorf("git says that it pushed the revert, and %s on %s is still at %s: something there, such as a hook, keeps it; look at the remote", now.ref, w.Settings.Remote, now.at[:shortSHA])
	case !arrived:
		return w.overtaken(after, m, now)
	case !moved:
		return w.already(after, w.clone, w.judged, made, false), nil
	}
	o.Reverts, o.Pushed = made, w.Settings.Remote+"/"+strings.TrimPrefix(w.target.ref, heads)
	if note := w.follow(after, w.judged, made[0]); note != "" {
		o.Notes = append(o.Notes, note)
	}
	return o, nil
}

// afterPush is for reading back what was pushed, and having the clone follow, also when the
// time of the revert is over or the job is being ended.
func (r *Repository) afterPush(ctx context.Context) (context.Context, context.CancelFunc) {
	most := min(longestReadBack, r.Settings.Timeout)
	return context.WithTimeoutCause(context.WithoutCancel(ctx), most, fmt.Errorf("not done within %s after the push", providers.Duration(most)))
}

const longestReadBack = time.Minute

// arrived reports whether a branch on the remote holds a commit: others may have pushed
// on top of it already.
func (w *plannedRevert) arrived(ctx context.Context, m *remote, id string, now branch) (bool, error) {
	if now.at == id || now.at == w.target.at {
		return now.at == id, nil
	}
	if err := m.fetch(ctx, now); err != nil {
		return false, err
	}
	outside, err := w.exitCode(ctx, "merge-base", "--is-ancestor", id, now.at)
	return outside == 0 && err == nil, err
}

// overtaken is what a revert comes to whose branch somebody else moved first.
func (w *plannedRevert) overtaken(ctx context.Context, m *remote, now branch) (Outcome, error) {
	if err := w.holds(ctx, w.clone, now, w.judged); err != nil {
		return Outcome{}, err
	}
	found, err := w.choose(ctx, w.clone, w.judged.Commits, now.at)
	if err != nil {
		return Outcome{}, err
	}
	if len(found.left) == 0 && len(found.by) > 0 {
		return w.already(ctx, w.clone, w.judged, found.by, false), nil
	}
	return Outcome{}, hasMoved(m.name, w.judged, now)
}
