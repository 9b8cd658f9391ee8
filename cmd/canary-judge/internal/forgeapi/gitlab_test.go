package forgeapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// answers stands in for the network, and remembers where it was asked.
type answers struct {
	status int
	body   string
	asked  *http.Request
}

func (a *answers) RoundTrip(req *http.Request) (*http.Response, error) {
	a.asked = req
	answer := &http.Response{StatusCode: a.status, Header: http.Header{}, Request: req}
	answer.Body = http.NoBody
	if a.body != "" {
		answer.Body = readCloser{strings.NewReader(a.body)}
	}
	return answer, nil
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// Variables as GitLab sets them: https://docs.gitlab.com/ci/variables/predefined_variables/
func TestWhereIsAsked(t *testing.T) {
	t.Parallel()
	job := map[string]string{"CI_API_V4_URL": "https://git.acme.com/gitlab/api/v4", "CI_SERVER_HOST": "git.acme.com", "CI_PROJECT_PATH": "a/b", "GITLAB_TOKEN": " glpat-x \n"}
	for _, c := range []struct {
		env        map[string]string
		host, want string
	}{
		{job, "", "https://git.acme.com/gitlab/api/v4/projects/a%2Fb/x"},
		{job, "git.acme.com", "https://git.acme.com/gitlab/api/v4/projects/a%2Fb/x"},
		{job, "gitlab.com", "https://gitlab.com/api/v4/projects/a%2Fb/x"},
		{map[string]string{"CI_PROJECT_PATH": "a/b", "GITLAB_TOKEN": "glpat-x"}, "", "https://gitlab.com/api/v4/projects/a%2Fb/x"},
	} {
		a := &answers{status: http.StatusOK, body: "{}"}
		var into json.RawMessage
		if err := GitLab(c.env, c.host, a).Call(t.Context(), Request{Method: http.MethodGet, Path: "x", Doing: "x"}, &into); err != nil {
			t.Fatal(err)
		}
		if got := a.asked.URL.String(); got != c.want || a.asked.Header.Get("PRIVATE-TOKEN") != "glpat-x" {
			t.Errorf("%s: asked %s with %q", c.host, got, a.asked.Header.Get("PRIVATE-TOKEN"))
		}
	}
}

// GitLab's refusals are a text, a list or an object, and never show the token.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"message":"401 Unauthorized glpat-x"}`:                    "401 Unauthorized [secret]",
		`{"message":["Another open merge request already exists"]}`: "Another open merge request already exists",
		`{"message":{"base":["is invalid"]}}`:                       "is invalid",
		`{"error":"insufficient_scope"}`:                            "insufficient_scope",
		`<html>`:                                                    "<html>",
	} {
		a := &answers{status: http.StatusForbidden, body: body}
		err := GitLab(map[string]string{"GITLAB_TOKEN": "glpat-x"}, "", a).Call(t.Context(), Request{Method: http.MethodGet, Doing: "list", Cures: map[int]string{403: "do this"}}, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "do this") || strings.Contains(err.Error(), "glpat-x") {
			t.Errorf("%s: %v", body, err)
		}
	}
}
