package revert

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// forge is a host of repositories where changes are proposed: GitHub's pull requests,
// GitLab's merge requests. Branches go by their short names there.
type forge interface {
	// proposals lists what was proposed from a branch for another, the newest first.
	proposals(ctx context.Context, branch, base string) ([]proposal, error)
	// propose opens a proposal. One that is open already is returned as it is.
	propose(ctx context.Context, title, branch, base, body string) (proposal, error)
	// kind is what it calls a proposal, and repository which one it is for.
	kind() string
	repository() string
}

// proposal is a pull request or a merge request.
type proposal struct {
	address string
	state   proposalState
}

type proposalState int

const (
	open proposalState = iota
	merged
	closed // without having been merged
)

// branchPrefix is how the branches begin that reverts are proposed from.
const branchPrefix = "canary-judge/revert-"

// branchNames are the branches that a revert of commits may be proposed from, by all of
// them. The second is for a first that is left over from another time.
func (w *plannedRevert) branchNames() [2]string {
	name := branchPrefix + w.steps[0].commit.SHA[:shortSHA]
	if len(w.steps) > 1 {
		all := sha256.New()
		for _, s := range w.steps {
			fmt.Fprintln(all, s.commit.SHA)
		}
		name += fmt.Sprintf("-%x", all.Sum(nil)[:4])
	}
	return [2]string{name, name + "-on-" + w.target.at[:shortSHA]}
}

// propose pushes the reverts to a branch of their own and opens a pull request.
func (w *plannedRevert) propose(ctx context.Context, dryRun bool) (Outcome, error) {
	host, err := w.forge(ctx, w.clone)
	if err != nil {
		return Outcome{}, err
	}
	m := w.remote(w.clone)
	names := w.branchNames()
	at, err := m.read(ctx, heads+names[0], heads+names[1])
	if err != nil {
		return Outcome{}, err
	}
	for _, name := range names {
		b := branch{heads + name, at[heads+name]}
		if b.at == "" {
			return w.fresh(ctx, host, m, b, dryRun)
		}
		if same, err := w.sameAs(ctx, m, b); err != nil {
			return Outcome{}, err
		} else if same {
			return w.open(ctx, host, b, Outcome{}, dryRun)
		}
	}
	return Outcome{}, fmt.Errorf("the remote %s has branches %s and %s already, and they hold something else: look at them, and delete them", m.name, names[0], names[1])
}

// fresh pushes the reverts to a branch that is not there yet.
func (w *plannedRevert) fresh(ctx context.Context, host forge, m *remote, b branch, dryRun bool) (Outcome, error) {
	o := Outcome{Commands: append(w.revertCommands(), w.pushCommand(b.ref)), Reverted: commits(w.steps)}
	if dryRun {
		return w.open(ctx, host, b, o, dryRun)
	}
	// Before a branch comes back that somebody deleted with the proposal.
	all, err := host.proposals(ctx, strings.TrimPrefix(b.ref, heads), strings.TrimPrefix(w.target.ref, heads))
	if err != nil {
		return Outcome{}, err
	}
	if o, err := refused(host, all); err != nil {
		return o, err
	}
	made, err := w.commit(ctx)
	if err != nil {
		return Outcome{}, err
	}
	moved, failed := m.push(ctx, made[0], b, w.RemoteOutput)
	after, cancel := w.afterPush(ctx)
	defer cancel()
	now, err := m.branch(after, []string{b.ref})
	switch {
	case errors.Is(err, errNoBranch) && failed != nil:
		return Outcome{}, &unfinishedError{err: fmt.Errorf("the revert is not pushed to %s on %s: %w", b.ref, m.name, failed)}
	case err != nil:
		return Outcome{}, &unfinishedError{err: fmt.Errorf("whether the revert %s was pushed to %s on %s could not be read back: %w", made[0], b.ref, m.name, errors.Join(failed, err))}
	}
	if !moved || now.at != made[0] { // another job was first
		if same, err := w.sameAs(after, m, now); err != nil || !same {
			return Outcome{}, errors.Join(fmt.Errorf("somebody else moved %s on %s to %s", b.ref, m.name, now.at[:shortSHA]), failed, err)
		}
		return w.open(ctx, host, now, Outcome{}, false)
	}
	o.Reverts, o.Pushed = made, m.name+"/"+strings.TrimPrefix(b.ref, heads)
	return w.open(ctx, host, now, o, false)
}

// refused reports a revert that was proposed before, and closed.
func refused(host forge, all []proposal) (Outcome, error) {
	if len(all) == 0 || all[0].state != closed {
		return Outcome{}, nil
	}
	return Outcome{PullRequest: all[0].address}, fmt.Errorf("the change is not reverted: the %s that proposes it, %s, was closed without being merged, so somebody decided against it; reopen it, or revert by hand", host.kind(), all[0].address)
}

// open opens the pull request of a branch that is pushed, or finds it.
func (w *plannedRevert) open(ctx context.Context, host forge, b branch, o Outcome, dryRun bool) (Outcome, error) {
	name, base := strings.TrimPrefix(b.ref, heads), strings.TrimPrefix(w.target.ref, heads)
	all := commits(w.steps)
	command := fmt.Sprintf("open the %s %q of %s into %s on %s", host.kind(), title(all), name, base, host.repository())
	if dryRun {
		o.Commands, o.Reverted = append(o.Commands, command), all
		return o, nil
	}
	notOpen := func(err error) error {
		return &unfinishedError{fmt.Errorf("the revert is pushed to %s/%s, but the %s is not open: %w", w.Settings.Remote, name, host.kind(), err), "open it by hand"}
	}
	if len(o.Reverts) == 0 { // an earlier job came this far
		there, err := host.proposals(ctx, name, base)
		if err != nil {
			return o, notOpen(err)
		}
		if o, err := refused(host, there); err != nil {
			return o, err
		}
		made, err := w.output(ctx, "rev-list", b.at, "^"+w.target.at)
		if err != nil {
			return o, notOpen(err)
		}
		o.Reverts = strings.Fields(made)
		if len(there) > 0 && there[0].state == open {
			o.PullRequest = there[0].address
			o.Notes = append(o.Notes, fmt.Sprintf("the %s that reverts the change is open already", host.kind()))
			return o, nil
		}
	}
	made, err := host.propose(ctx, title(all), name, base, w.evidence.body(all))
	if err != nil {
		return o, notOpen(err)
	}
	o.PullRequest = made.address
	o.Commands = append(o.Commands, command)
	return o, nil
}

// sameAs reports whether a branch that is there holds the reverts and nothing else:
// their files, in commits of ours.
func (w *plannedRevert) sameAs(ctx context.Context, m *remote, b branch) (bool, error) {
	if err := m.fetch(ctx, b); err != nil {
		return false, err
	}
	tree, err := w.tree(ctx, b.at)
	if err != nil || tree != w.steps[len(w.steps)-1].tree {
		return false, err
	}
	made, err := w.history(ctx, b.at, "^"+w.target.at)
	if err != nil || len(made) == 0 {
		return false, err
	}
	for _, e := range made {
		if !trailerAnywhere.MatchString(e.message) {
			return false, nil
		}
	}
	return true, nil
}
