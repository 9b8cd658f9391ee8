// Package githubapi calls GitHub's REST API, as far as canary-judge needs it: a few
// requests about one repository. https://docs.github.com/rest
package githubapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
)

// Client calls the API about one repository.
type Client struct {
	api        string
	Repository string // owner/name
	token      providers.Secret
	http       *http.Client
}

// New returns the client that a job's environment describes. Repository is empty when
// the environment does not name one, and HasToken is false when there is no token. A nil
// transport is the usual one.
func New(env map[string]string, transport http.RoundTripper) *Client {
	return &Client{
		api:        cmp.Or(env["GITHUB_API_URL"], "https://api.github.com"),
		Repository: env["GITHUB_REPOSITORY"],
		token:      Token(env),
		http:       providers.NewHTTPClient(providers.HTTPOptions{Transport: transport}),
	}
}

// Token returns the token of a job's environment: that of the action's input, else
// GITHUB_TOKEN, else GH_TOKEN. Empty when there is none.
func Token(env map[string]string) providers.Secret {
	for _, name := range []string{"INPUT_GITHUB-TOKEN", "GITHUB_TOKEN", "GH_TOKEN"} {
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
	Path   string // below the repository, such as pulls?state=all
	Body   any    // nil for none
	Doing  string // what the call does, for errors: "list pull requests"
	// Cures say what to do about a status, beside what goes for all.
	Cures map[int]string
}

const name = "github"

// largestAnswer is how much of an answer is read.
const largestAnswer = 4 << 20

// Call sends a request and reads its answer. Errors are *providers.Error and never hold
// the token.
func (c *Client) Call(ctx context.Context, r Request, into any) error {
	doing := r.Doing + " of " + c.Repository
	if problem := c.token.Problem(); problem != "" {
		return fmt.Errorf("%s: the token %s; set GITHUB_TOKEN to the token alone, on one line", doing, problem)
	}
	var text io.Reader
	if r.Body != nil {
		encoded, err := json.Marshal(r.Body)
		if err != nil {
			return err
		}
		text = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, c.api+"/repos/"+c.Repository+"/"+r.Path, text)
	if err != nil {
		return fmt.Errorf("%s: GITHUB_API_URL is no address", doing)
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	req.Header.Set("User-Agent", "canary-judge")
	req.Header.Set("Authorization", "Bearer "+string(c.token))
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

// refused is the error of an answer that is no success.
func (c *Client) refused(r Request, doing string, status int, answer []byte) error {
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
	e := providers.StatusError(name, doing, status, detail, c.token)
	cures := map[int]string{http.StatusUnauthorized: "the token is refused: check GITHUB_TOKEN"}
	maps.Copy(cures, r.Cures)
	if cure := cures[status]; cure != "" {
		e.Cure = cure
	}
	return e
}
