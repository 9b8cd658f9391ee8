// Package gitlabapi calls GitLab's REST API, as far as canary-judge needs it: a few
// requests about one project. https://docs.gitlab.com/api/rest/
package gitlabapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
)

// Client calls the API about one project.
type Client struct {
	api     string
	Project string // its path, such as group/name
	token   providers.Secret
	http    *http.Client
}

// New returns the client that a job's environment describes, for a host such as
// gitlab.com; an empty host is that of the job. The API is where CI_API_V4_URL says if
// the host is that of the job. Project is empty when the environment names none, and
// HasToken is false when there is no token. A nil transport is the usual one.
func New(env map[string]string, host string, transport http.RoundTripper) *Client {
	api := env["CI_API_V4_URL"]
	if here := cmp.Or(env["CI_SERVER_HOST"], hostOf(api)); api == "" || host != "" && host != here && host != hostOf(env["CI_SERVER_URL"]) {
		api = "https://" + cmp.Or(host, "gitlab.com") + "/api/v4"
	}
	return &Client{api: api, Project: env["CI_PROJECT_PATH"], token: Token(env), http: providers.NewHTTPClient(providers.HTTPOptions{Transport: transport})}
}

// hostOf returns the host of an address, "" if it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// Token returns the token of a job's environment: GITLAB_TOKEN, else GL_TOKEN. Empty when
// there is none. The token that GitLab gives every job may not open merge requests:
// https://docs.gitlab.com/ci/jobs/ci_job_token/
func Token(env map[string]string) providers.Secret {
	for _, name := range []string{"GITLAB_TOKEN", "GL_TOKEN"} {
		if t := strings.TrimSpace(env[name]); t != "" {
			return providers.Secret(t)
		}
	}
	return ""
}

// HasToken reports whether there is a token to call with.
func (c *Client) HasToken() bool { return c.token != "" }

// Request is one call.
type Request struct {
	Method string
	Path   string // below the project, such as merge_requests?state=all
	Body   any    // nil for none
	Doing  string // what the call does, for errors: "list merge requests"
	// Cures say what to do about a status, beside what goes for all.
	Cures map[int]string
}

const name = "gitlab"

// largestAnswer is how much of an answer is read.
const largestAnswer = 4 << 20

// Call sends a request and reads its answer. Errors are *providers.Error and never hold
// the token.
func (c *Client) Call(ctx context.Context, r Request, into any) error {
	doing := r.Doing + " of " + c.Project
	var text io.Reader
	if r.Body != nil {
		encoded, err := json.Marshal(r.Body)
		if err != nil {
			return err
		}
		text = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, c.api+"/projects/"+url.PathEscape(c.Project)+"/"+r.Path, text)
	if err != nil {
		return fmt.Errorf("%s: CI_API_V4_URL is no address", doing)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "canary-judge")
	req.Header.Set("PRIVATE-TOKEN", string(c.token))
	resp, err := c.http.Do(req)
	if err != nil {
		return providers.TransportError(name, doing, err, c.token)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, largestAnswer))
	if err != nil {
		return providers.TransportError(name, doing, err, c.token)
	}
	if resp.StatusCode/100 != 2 {
		return c.refused(r, doing, resp.StatusCode, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return &providers.Error{Class: providers.Shape, Provider: name, Doing: doing, Detail: providers.Quote(string(answer), c.token)}
	}
	return nil
}

// refused is the error of an answer that is no success. GitLab's message is a text, a list
// or an object: https://docs.gitlab.com/api/rest/troubleshooting/
func (c *Client) refused(r Request, doing string, status int, answer []byte) error {
	var said struct {
		Message json.RawMessage
		Error   string
	}
	detail := string(answer)
	if json.Unmarshal(answer, &said) == nil && (len(said.Message) > 0 || said.Error != "") {
		detail = cmp.Or(strings.Trim(string(said.Message), `"[]`), said.Error)
	}
	e := providers.StatusError(name, doing, status, detail, c.token)
	cures := map[int]string{http.StatusUnauthorized: "the token is refused: check GITLAB_TOKEN"}
	maps.Copy(cures, r.Cures)
	if cure := cures[status]; cure != "" {
		e.Cure = cure
	}
	return e
}
