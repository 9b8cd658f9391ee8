package revert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/forgeapi"
)

// remoteRepository finds the host and the path, such as owner/name, in the address of a
// remote.
var remoteRepository = regexp.MustCompile(`^(?:https?://(?:[^/@]*@)?([\w.-]+(?::\d+)?)/|ssh://(?:[^/@]*@)?([\w.-]+)(?::\d+)?/|(?:[^/@:]+@)([\w.-]+):/?)((?:[\w.-]+/)+[\w.-]+?)(?:\.git)?/?$`)

// hosted returns the host and the path of the repository at an address, "" where the
// address tells none.
func hosted(address string) (host, path string) {
	m := remoteRepository.FindStringSubmatch(address)
	if m == nil {
		return "", ""
	}
	return cmp.Or(m[1], m[2], m[3]), m[4]
}

// forge finds where the remote is hosted, and what is needed to propose changes there.
func (r *Repository) forge(ctx context.Context, p *clone) (forge, error) {
	m := r.remote(p)
	if err := m.resolve(ctx); err != nil {
		return nil, err
	}
	host, path := hosted(m.address)
	if r.isGitLab(host) {
		return r.gitlab(host, path)
	}
	return r.github(path)
}

// isGitLab tells GitLab from GitHub: by the settings, else by where the remote is, else by
// where the job runs, else by the token that it has.
func (r *Repository) isGitLab(host string) bool {
	server := func(name string) string {
		u, err := url.Parse(r.Env[name])
		if err != nil {
			return ""
		}
		return u.Host
	}
	switch {
	case r.Settings.Forge != config.AnyForge:
		return r.Settings.Forge == config.GitLab
	case host != "" && (host == server("CI_SERVER_URL") || host == r.Env["CI_SERVER_HOST"]), strings.Contains(host, "gitlab"):
		return true
	case host != "" && host == server("GITHUB_SERVER_URL"), strings.Contains(host, "github"):
		return false
	case r.Env["GITLAB_CI"] == "true" || r.Env["GITHUB_ACTIONS"] == "true":
		return r.Env["GITLAB_CI"] == "true"
	}
	return forgeapi.GitHubToken(r.Env) == "" && forgeapi.GitLabToken(r.Env) != ""
}

// github is the repository on GitHub that is reverted in:
// https://docs.github.com/rest/pulls/pulls
type github struct{ *forgeapi.Client }

func (r *Repository) github(path string) (forge, error) {
	hub := github{forgeapi.GitHub(r.Env, r.Transport)}
	if !hub.HasToken() {
		return nil, errors.New("a pull request needs a token: set GITHUB_TOKEN, or the action's input github-token, with the permissions contents: write and pull-requests: write")
	}
	// The job may run for another repository than that which is deployed.
	hub.Repository = cmp.Or(path, hub.Repository)
	if strings.Count(hub.Repository, "/") != 1 {
		return nil, fmt.Errorf("which repository on GitHub the remote %s is cannot be told from its address; set GITHUB_REPOSITORY to owner/name", r.Settings.Remote)
	}
	return hub, nil
}

func (github) kind() string         { return "pull request" }
func (h github) repository() string { return h.Repository }

// pull is what is read of a pull request.
type pull struct {
	Address string  `json:"html_url"`
	State   string  `json:"state"`
	Merged  *string `json:"merged_at"` // null until then
}

func (p pull) proposal() proposal {
	switch {
	case p.Merged != nil:
		return proposal{p.Address, merged}
	case p.State == "closed":
		return proposal{p.Address, closed}
	}
	return proposal{p.Address, open}
}

// hubCures say what to do about GitHub's refusals.
var hubCures = map[int]string{
	http.StatusForbidden:           mayNot,
	http.StatusNotFound:            mayNot,
	http.StatusUnprocessableEntity: "check on_fail.revert.base: the branch must exist there",
}

const mayNot = "the token needs the permissions contents: write and pull-requests: write, and the repository must let Actions open pull requests (Settings, Actions, General)"

func (h github) proposals(ctx context.Context, branch, base string) ([]proposal, error) {
	owner, _, _ := strings.Cut(h.Repository, "/")
	query := url.Values{"head": {owner + ":" + branch}, "base": {base}, "state": {"all"}}
	var found []pull
	err := h.Call(ctx, forgeapi.Request{Method: http.MethodGet, Path: "pulls?" + query.Encode(), Doing: "list pull requests", Cures: hubCures}, &found)
	return proposals(found), err
}

func (h github) propose(ctx context.Context, title, branch, base, body string) (proposal, error) {
	request := forgeapi.Request{
		Method: http.MethodPost, Path: "pulls", Doing: "open pull requests", Cures: hubCures,
		Body: map[string]string{"title": title, "head": branch, "base": base, "body": body},
	}
	var made pull
	err := h.Call(ctx, request, &made)
	if err == nil && made.Address == "" {
		err = errors.New("github answered without the pull request's address")
	}
	return orFound(ctx, h, branch, base, made.proposal(), err)
}

// gitlab is the project on GitLab that is reverted in:
// https://docs.gitlab.com/api/merge_requests/
type gitlab struct{ *forgeapi.Client }

func (r *Repository) gitlab(host, path string) (forge, error) {
	// A job knows best where its own project is: it may be below a path of the host, and SSH
	// may have a host of its own.
	if own := r.Env["CI_PROJECT_PATH"]; own != "" && (path == own || strings.HasSuffix(path, "/"+own)) {
		host, path = "", own
	}
	lab := gitlab{forgeapi.GitLab(r.Env, host, r.Transport)}
	if !lab.HasToken() {
		return nil, errors.New("a merge request needs a token: set GITLAB_TOKEN to an access token of the project with the scope api and the role Developer or higher; CI_JOB_TOKEN may not open merge requests")
	}
	lab.Repository = cmp.Or(path, lab.Repository)
	if lab.Repository == "" {
		return nil, fmt.Errorf("which project on GitLab the remote %s is cannot be told from its address; set CI_PROJECT_PATH to group/name", r.Settings.Remote)
	}
	return lab, nil
}

func (gitlab) kind() string         { return "merge request" }
func (l gitlab) repository() string { return l.Repository }

// mergeRequest is what is read of a merge request.
type mergeRequest struct {
	Address string `json:"web_url"`
	State   string `json:"state"` // opened, closed, locked (while it is merged) or merged
}

func (m mergeRequest) proposal() proposal {
	switch m.State {
	case "merged":
		return proposal{m.Address, merged}
	case "closed":
		return proposal{m.Address, closed}
	}
	return proposal{m.Address, open}
}

// labCures say what to do about GitLab's refusals.
var labCures = map[int]string{
	http.StatusForbidden:           labMayNot,
	http.StatusNotFound:            labMayNot,
	http.StatusBadRequest:          "check on_fail.revert.base: the branch must exist there",
	http.StatusUnprocessableEntity: "check on_fail.revert.base: the branch must exist there",
}

const labMayNot = "GITLAB_TOKEN needs the scope api and the role Developer or higher in the project"

func (l gitlab) proposals(ctx context.Context, branch, base string) ([]proposal, error) {
	query := url.Values{"source_branch": {branch}, "target_branch": {base}, "state": {"all"}, "order_by": {"created_at"}, "sort": {"desc"}}
	var found []mergeRequest
	err := l.Call(ctx, forgeapi.Request{Method: http.MethodGet, Path: "merge_requests?" + query.Encode(), Doing: "list merge requests", Cures: labCures}, &found)
	return proposals(found), err
}

func (l gitlab) propose(ctx context.Context, title, branch, base, body string) (proposal, error) {
	request := forgeapi.Request{
		Method: http.MethodPost, Path: "merge_requests", Doing: "open merge requests", Cures: labCures,
		Body: map[string]any{"title": title, "source_branch": branch, "target_branch": base, "description": body, "remove_source_branch": true},
	}
	var made mergeRequest
	err := l.Call(ctx, request, &made)
	if err == nil && made.Address == "" {
		err = errors.New("gitlab answered without the merge request's address")
	}
	return orFound(ctx, l, branch, base, made.proposal(), err)
}

// proposals are what a host answered.
func proposals[T interface{ proposal() proposal }](found []T) []proposal {
	var all []proposal
	for _, f := range found {
		p := f.proposal()
		if p.state == open {
			return []proposal{p} // there is one at most, and it is what counts
		}
		all = append(all, p)
	}
	return all
}

// orFound is what a request to open a proposal comes to. One that was tried again may have
// been heard the first time, and another job may have been faster.
func orFound(ctx context.Context, f forge, branch, base string, made proposal, err error) (proposal, error) {
	if err == nil {
		return made, nil
	}
	there, listErr := f.proposals(ctx, branch, base)
	if listErr != nil || len(there) == 0 || there[0].state != open {
		return proposal{}, err
	}
	return there[0], nil
}
