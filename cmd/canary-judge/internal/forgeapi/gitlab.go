package forgeapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/canary-judge/canary-judge/web"
)

// GitLab returns the client of GitLab's API that a job's environment describes, for a host
// such as gitlab.com; an empty host is that of the job: https://docs.gitlab.com/api/rest/.
// The API is where CI_API_V4_URL says if the host is that of the job. Repository is that of
// CI_PROJECT_PATH. A nil transport is the usual one.
func GitLab(env map[string]string, host string, transport http.RoundTripper) *Client {
	base := env["CI_API_V4_URL"]
	if here := cmp.Or(env["CI_SERVER_HOST"], hostOf(base)); base == "" || host != "" && host != here && host != hostOf(env["CI_SERVER_URL"]) {
		base = "https://" + cmp.Or(host, "gitlab.com") + "/api/v4"
	}
	return &Client{
		Repository: env["CI_PROJECT_PATH"],
		forge:      "gitlab",
		base:       base,
		baseNamed:  "CI_API_V4_URL",
		token:      GitLabToken(env),
		setBy:      "GITLAB_TOKEN",
		http:       newHTTPClient(transport),
		path:       func(repository string) string { return "/projects/" + url.PathEscape(repository) },
		authorize: func(header http.Header, token string) {
			header.Set("Accept", "application/json")
			header.Set("PRIVATE-TOKEN", token)
		},
		words: gitLabWords,
	}
}

// hostOf returns the host of an address, "" if it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// GitLabToken returns the token of a job's environment: GITLAB_TOKEN, else GL_TOKEN. Empty
// when there is none. The token that GitLab gives every job may not open merge requests:
// https://docs.gitlab.com/ci/jobs/ci_job_token/
func GitLabToken(env map[string]string) web.Secret {
	return firstOf(env, "GITLAB_TOKEN", "GL_TOKEN")
}

// gitLabWords are a message, which is a text, a list or an object, or an error:
// https://docs.gitlab.com/api/rest/troubleshooting/
func gitLabWords(answer []byte) string {
	var said struct {
		Message json.RawMessage
		Error   string
	}
	if json.Unmarshal(answer, &said) != nil {
		return ""
	}
	return cmp.Or(strings.Trim(string(said.Message), `"[]`), said.Error)
}
