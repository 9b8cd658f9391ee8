package revert

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/githubapi"
)

// propose pushes the reverts to a branch of their own and opens a pull request.
// The checked-out branch stays where it is.
func (r *Repository) propose(ctx context.Context, g git, now Change, left []Commit, e Evidence, dryRun bool) (Outcome, error) {
	hub, err := r.github(ctx, g)
	if err != nil {
		return Outcome{}, err
	}
	base := r.Settings.Base
	if base == "" {
		base = r.branch(now)
	}
	branch := "canary-judge/revert-" + left[0].SHA[:shortSHA]
	open := fmt.Sprintf("open the pull request %q of %s into %s on %s", title(left), branch, base, hub.Repository)
	if dryRun {
		return Outcome{Commands: append(r.revertCommands(left), r.pushCommand(branch), open), Reverted: left}, nil
	}
	if existing, err := hub.find(ctx, branch); err != nil || existing != "" {
		return Outcome{PullRequest: existing}, err
	}
	var o Outcome
	there, err := g.out(ctx, "ls-remote", r.Settings.Remote, "refs/heads/"+branch)
	if err != nil {
		return o, err
	}
	if there == "" { // else an earlier job came this far
		if o, err = r.pushAside(ctx, g, now, left, e, branch); err != nil {
			return o, err
		}
	}
	if o.PullRequest, err = hub.create(ctx, title(left), branch, base, e.body(left)); err != nil {
		return o, fmt.Errorf("the revert is pushed to %s/%s, but the pull request is not open: %w", r.Settings.Remote, branch, err)
	}
	o.Commands = append(o.Commands, open)
	return o, nil
}

// pushAside commits the reverts beside the branch, pushes them, and goes back.
func (r *Repository) pushAside(ctx context.Context, g git, now Change, left []Commit, e Evidence, branch string) (o Outcome, err error) {
	back := now.Branch
	if back == "" {
		back = now.Head
	}
	if err := g.do(ctx, "checkout", "--quiet", "--detach"); err != nil {
		return o, err
	}
	defer func() {
		if undo := g.do(context.WithoutCancel(ctx), "checkout", "--quiet", back); undo != nil {
			err = errors.Join(err, undo)
		}
	}()
	if o, err = r.commitReverts(ctx, g, now, left, e); err != nil {
		return Outcome{}, err
	}
	return o, r.pushHead(ctx, g, branch, &o)
}

// github is the repository on GitHub that is reverted in:
// https://docs.github.com/rest/pulls/pulls
type github struct{ *githubapi.Client }

// remoteRepository finds owner/name in the address of a remote.
var remoteRepository = regexp.MustCompile(`^(?:https?://[^/]+/|ssh://[^/]+/|[^/@]+@[^/:]+:)([\w.-]+/[\w.-]+?)(?:\.git)?/?$`)

// github finds the repository on GitHub that the remote is.
func (r *Repository) github(ctx context.Context, g git) (*github, error) {
	hub := &github{githubapi.New(r.Env, r.Transport)}
	if !hub.HasToken() {
		return nil, errors.New("a pull request needs a token: set GITHUB_TOKEN, or the action's input github-token, with the permissions contents: write and pull-requests: write")
	}
	if hub.Repository == "" {
		address, err := g.out(ctx, "remote", "get-url", r.Settings.Remote)
		if err != nil {
			return nil, err
		}
		m := remoteRepository.FindStringSubmatch(address)
		if m == nil {
			return nil, fmt.Errorf("which repository on GitHub the remote %s is cannot be told from its address; set GITHUB_REPOSITORY to owner/name", r.Settings.Remote)
		}
		hub.Repository = m[1]
	}
	return hub, nil
}

// pull is what is read of a pull request.
type pull struct {
	Address string `json:"html_url"`
}

// hubCures say what to do about GitHub's refusals.
var hubCures = map[int]string{
	http.StatusForbidden:           mayNot,
	http.StatusNotFound:            mayNot,
	http.StatusUnprocessableEntity: "check on_fail.revert.base: the branch must exist there",
}

const mayNot = "the token needs the permissions contents: write and pull-requests: write, and the repository must let Actions open pull requests (Settings, Actions, General)"

// find returns the address of the pull request of a branch, "" if there is none.
// A closed one counts: somebody decided not to revert.
func (h *github) find(ctx context.Context, branch string) (string, error) {
	owner, _, _ := strings.Cut(h.Repository, "/")
	query := url.Values{"head": {owner + ":" + branch}, "state": {"all"}}
	var found []pull
	err := h.Call(ctx, githubapi.Request{Method: http.MethodGet, Path: "pulls?" + query.Encode(), Doing: "list pull requests", Cures: hubCures}, &found)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].Address, nil
}

// create opens a pull request and returns its address.
func (h *github) create(ctx context.Context, title, branch, base, body string) (string, error) {
	request := githubapi.Request{
		Method: http.MethodPost, Path: "pulls", Doing: "open pull requests", Cures: hubCures,
		Body: map[string]string{"title": title, "head": branch, "base": base, "body": body},
	}
	var made pull
	if err := h.Call(ctx, request, &made); err != nil {
		// A request that was tried again may have been heard the first time.
		if existing, findErr := h.find(ctx, branch); findErr == nil && existing != "" {
			return existing, nil
		}
		return "", err
	}
	if made.Address == "" {
		return "", errors.New("github answered without the pull request's address")
	}
	return made.Address, nil
}
