package forgeapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// both are the clients of each forge, with a token.
func both(token string, network http.RoundTripper, env map[string]string) map[string]*Client {
	all := map[string]string{"GITHUB_TOKEN": token, "GITLAB_TOKEN": token, "GITHUB_REPOSITORY": "acme/shop", "CI_PROJECT_PATH": "acme/shop"}
	for name, value := range env {
		all[name] = value
	}
	return map[string]*Client{"GITHUB": GitHub(all, network), "GITLAB": GitLab(all, "", network)}
}

// hangs is a network on which nobody answers.
type hangs struct{}

func (hangs) RoundTrip(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// The context bounds a call with all its tries, and says by its cause what the bound is.
func TestAForgeThatHangs(t *testing.T) {
	t.Parallel()
	for _, most := range []time.Duration{6 * time.Second, 30 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			for name, c := range both("secret-token", hangs{}, nil) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), most, errors.New("the time is over"))
				began := time.Now()
				err := c.Call(ctx, Request{Method: http.MethodPost, Path: "x", Doing: "open requests", Body: 1}, nil)
				cancel()
				if took := time.Since(began); took != most {
					t.Errorf("%s: it took %s of %s", name, took, most)
				}
				if err == nil || !strings.HasSuffix(err.Error(), ": open requests of acme/shop: the time is over") {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// What is wrong with a token or an address names the variable, and shows neither.
func TestWhatACallIsMadeOf(t *testing.T) {
	t.Parallel()
	try := func(c *Client) error {
		return c.Call(t.Context(), Request{Method: http.MethodGet, Path: "x", Doing: "list"}, nil)
	}
	for name, c := range both("hunter2\nhunter2", hangs{}, nil) {
		if err := try(c); err == nil || !strings.Contains(err.Error(), "set "+name+"_TOKEN to the token alone") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	address := "https://me:hunter2@\x7f/"
	for name, c := range both("x", hangs{}, map[string]string{"GITHUB_API_URL": address, "CI_API_V4_URL": address}) {
		variable := map[string]string{"GITHUB": "GITHUB_API_URL", "GITLAB": "CI_API_V4_URL"}[name]
		if err := try(c); err == nil || !strings.Contains(err.Error(), variable+" is no address") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What to do about a refusal is said in words of a forge, and of no source of metrics.
func TestCures(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		http.StatusTooManyRequests:    "try again later",
		http.StatusConflict:           "it is there already",
		http.StatusForbidden:          "do this",
		http.StatusBadGateway:         "try again when it is well",
		http.StatusUnauthorized:       "_TOKEN",
		http.StatusGone:               "it is there already",
		http.StatusRequestTimeout:     "try again when it is well",
		http.StatusServiceUnavailable: "try again when it is well",
	} {
		synctest.Test(t, func(t *testing.T) {
			for name, c := range both("x", &answers{status: status, body: `{"message":"it is there already"}`}, nil) {
				err := c.Call(t.Context(), Request{Method: http.MethodGet, Path: "x", Doing: "list", Cures: map[int]string{http.StatusForbidden: "do this"}}, nil)
				if err == nil || !strings.HasSuffix(err.Error(), want) && status != http.StatusUnauthorized || !strings.Contains(err.Error(), want) {
					t.Errorf("%s, %d: %v", name, status, err)
				}
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		for name, c := range both("x", hangs{}, nil) {
			err := c.Call(t.Context(), Request{Method: http.MethodGet, Path: "x", Doing: "list"}, nil)
			if err == nil || strings.Contains(err.Error(), "query") || !strings.HasSuffix(err.Error(), "try again when it is well") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
