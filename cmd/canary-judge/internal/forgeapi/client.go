// Package forgeapi calls the REST APIs of GitHub and GitLab, as far as canary-judge needs
// them: a few requests about one repository. client.go has what they have in common,
// github.go and gitlab.go what each is called by.
package forgeapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/canary-judge/canary-judge/web"
)

// Client calls the API of a forge about one repository.
type Client struct {
	// Repository is its path there, such as owner/name; "" where the environment does not
	// name one.
	Repository string

	forge     string // for errors
	base      string // address of the API
	baseNamed string // the variable that base is from
	token     web.Secret
	setBy     string // the variable that the token is set by
	http      *http.Client
	// path is where the repository is below base.
	path func(repository string) string
	// authorize puts the token, and what else each request has, into a header.
	authorize func(header http.Header, token string)
	// words are what an answer that is no success says, "" where it is in no known form.
	words func(answer []byte) string
}

// Request is one call.
type Request struct {
	Method string
	Path   string // below the repository, such as pulls?state=all
	Body   any    // nil for none
	Doing  string // what the call does, for errors: "list pull requests"
	// Cures say what to do about a status, beside what goes for all.
	Cures map[int]string
}

// largestAnswer is how much of an answer is read.
const largestAnswer = 4 << 20

// HasToken reports whether there is a token to call with.
func (c *Client) HasToken() bool { return c.token != "" }

// Call sends a request and reads its answer. What may pass by itself is tried again until
// the context ends. Errors hold no token.
func (c *Client) Call(ctx context.Context, r Request, into any) error {
	doing := r.Doing + " of " + c.Repository
	if problem := c.token.Problem(); problem != "" {
		return fmt.Errorf("%s: the token %s; set %s to the token alone, on one line", doing, problem, c.setBy)
	}
	req, err := c.request(ctx, r)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unanswered(ctx, doing, err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, largestAnswer))
	if err != nil {
		return c.unanswered(ctx, doing, err)
	}
	if resp.StatusCode/100 != 2 {
		return c.refused(r, doing, resp.StatusCode, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return &web.Error{Class: web.Shape, Provider: c.forge, Doing: doing, Detail: web.Quote(string(answer), c.token)}
	}
	return nil
}

// request is a call as it is sent.
func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	var text io.Reader
	if r.Body != nil {
		encoded, err := json.Marshal(r.Body)
		if err != nil {
			return nil, err
		}
		text = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, c.base+c.path(c.Repository)+"/"+r.Path, text)
	if err != nil { // which quotes the address
		return nil, fmt.Errorf("%s is no address", c.baseNamed)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "canary-judge")
	c.authorize(req.Header, string(c.token))
	return req, nil
}

// unanswered is the error of a request without an answer. Whoever bounds the context says
// by its cause what the bound is.
func (c *Client) unanswered(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return &web.Error{Class: web.Unreachable, Provider: c.forge, Doing: doing, Err: context.Cause(ctx)}
	}
	e := web.TransportError(c.forge, doing, err, c.token)
	if errors.Is(err, context.DeadlineExceeded) {
		e.Cure = "it is slow or hangs: try again when it is well"
	}
	return e
}

// refused is the error of an answer that is no success.
func (c *Client) refused(r Request, doing string, status int, answer []byte) error {
	detail := c.words(answer)
	if detail == "" {
		detail = string(answer)
	}
	e := web.StatusError(c.forge, doing, status, detail, c.token)
	cures := map[int]string{
		http.StatusUnauthorized:    "the token is refused: check " + c.setBy,
		http.StatusTooManyRequests: "too many requests with this token: try again later",
	}
	maps.Copy(cures, r.Cures)
	switch cure := cures[status]; {
	case cure != "":
		e.Cure = cure
	case e.Class == web.BadQuery: // its own words say what is wrong with the request
		e.Cure = ""
	}
	return e
}

// firstOf returns the first of some variables that is set, as a secret; "" for none.
func firstOf(env map[string]string, names ...string) web.Secret {
	for _, name := range names {
		if t := strings.TrimSpace(env[name]); t != "" {
			return web.Secret(t)
		}
	}
	return ""
}

func newHTTPClient(transport http.RoundTripper) *http.Client {
	return web.NewClient(web.ClientOptions{Transport: transport})
}
