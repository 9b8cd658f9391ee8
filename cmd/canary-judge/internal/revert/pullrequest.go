package revert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
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
	open := fmt.Sprintf("open the pull request %q of %s into %s on %s", title(left), branch, base, hub.repository)
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

// github is a repository on GitHub: https://docs.github.com/rest/pulls/pulls
type github struct {
	api        string
	repository string // owner/name
	token      providers.Secret
	client     *http.Client
}

const githubName = "github"

// remoteRepository finds owner/name in the address of a remote.
var remoteRepository = regexp.MustCompile(`^(?:https?://[^/]+/|ssh://[^/]+/|[^/@]+@[^/:]+:)([\w.-]+/[\w.-]+?)(?:\.git)?/?$`)

// github finds the repository on GitHub that the remote is.
func (r *Repository) github(ctx context.Context, g git) (*github, error) {
	hub := &github{api: r.Env["GITHUB_API_URL"], repository: r.Env["GITHUB_REPOSITORY"], token: r.token()}
	if hub.api == "" {
		hub.api = "https://api.github.com"
	}
	if hub.token == "" {
		return nil, errors.New("a pull request needs a token: set GITHUB_TOKEN, or the action's input github-token, with the permissions contents: write and pull-requests: write")
	}
	if hub.repository == "" {
		address, err := g.out(ctx, "remote", "get-url", r.Settings.Remote)
		if err != nil {
			return nil, err
		}
		m := remoteRepository.FindStringSubmatch(address)
		if m == nil {
			return nil, fmt.Errorf("which repository on GitHub the remote %s is cannot be told from its address; set GITHUB_REPOSITORY to owner/name", r.Settings.Remote)
		}
		hub.repository = m[1]
	}
	hub.client = providers.NewHTTPClient(providers.HTTPOptions{Transport: r.Transport})
	return hub, nil
}

// pull is what is read of a pull request.
type pull struct {
	Address string `json:"html_url"`
}

// find returns the address of the pull request of a branch, "" if there is none.
// A closed one counts: somebody decided not to revert.
func (h *github) find(ctx context.Context, branch string) (string, error) {
	owner, _, _ := strings.Cut(h.repository, "/")
	query := url.Values{"head": {owner + ":" + branch}, "state": {"all"}}
	var found []pull
	if err := h.call(ctx, http.MethodGet, "pulls?"+query.Encode(), nil, &found); err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].Address, nil
}

// create opens a pull request and returns its address.
func (h *github) create(ctx context.Context, title, branch, base, body string) (string, error) {
	request := map[string]string{"title": title, "head": branch, "base": base, "body": body}
	var made pull
	if err := h.call(ctx, http.MethodPost, "pulls", request, &made); err != nil {
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

// largestAnswer is how much of an answer is read.
const largestAnswer = 4 << 20

// call calls the API and reads its answer.
func (h *github) call(ctx context.Context, method, path string, body, into any) error {
	doing := fmt.Sprintf("%s pull requests of %s", map[string]string{http.MethodGet: "list", http.MethodPost: "open"}[method], h.repository)
	var text io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		text = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, h.api+"/repos/"+h.repository+"/"+path, text)
	if err != nil {
		return fmt.Errorf("%s: GITHUB_API_URL is no address", doing)
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	req.Header.Set("User-Agent", "canary-judge")
	req.Header.Set("Authorization", "Bearer "+string(h.token))
	resp, err := h.client.Do(req)
	if err != nil {
		return providers.TransportError(githubName, doing, err, h.token)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, largestAnswer))
	if err != nil {
		return providers.TransportError(githubName, doing, err, h.token)
	}
	if resp.StatusCode/100 != 2 {
		return h.refused(doing, resp.StatusCode, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return &providers.Error{Class: providers.Shape, Provider: githubName, Doing: doing, Detail: providers.Quote(string(answer), h.token)}
	}
	return nil
}

// refused is the error of an answer that is no success.
func (h *github) refused(doing string, status int, answer []byte) error {
	var said struct {
		Message string
		Errors  []struct{ Message string }
	}
	detail := string(answer)
	if json.Unmarshal(answer, &said) == nil && said.Message != "" {
		detail = said.Message
		for _, e := range said.Errors {
			if e.Message != "" {
				detail += ": " + e.Message
			}
		}
	}
	e := providers.StatusError(githubName, doing, status, detail, h.token)
	switch status {
	case http.StatusUnauthorized:
		e.Cure = "the token is refused: check GITHUB_TOKEN"
	case http.StatusForbidden, http.StatusNotFound:
		e.Cure = "the token needs the permissions contents: write and pull-requests: write, and the repository must let Actions open pull requests (Settings, Actions, General)"
	case http.StatusUnprocessableEntity:
		e.Cure = "check on_fail.revert.base: the branch must exist there"
	}
	return e
}
