package forgeapi

import (
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/canary-judge/canary-judge/web"
)

// GitHub returns the client of GitHub's API that a job's environment describes:
// https://docs.github.com/rest. Repository is that of GITHUB_REPOSITORY. A nil transport is
// the usual one.
func GitHub(env map[string]string, transport http.RoundTripper) *Client {
	return &Client{
		Repository: env["GITHUB_REPOSITORY"],
		forge:      "github",
		base:       cmp.Or(env["GITHUB_API_URL"], "https://api.github.com"),
		baseNamed:  "GITHUB_API_URL",
		token:      GitHubToken(env),
		setBy:      "GITHUB_TOKEN",
		http:       newHTTPClient(transport),
		path:       func(repository string) string { return "/repos/" + repository },
		authorize: func(header http.Header, token string) {
			header.Set("Accept", "application/vnd.github+json")
			header.Set("X-GitHub-Api-Version", "2022-11-28")
			header.Set("Authorization", "Bearer "+token)
		},
		words: gitHubWords,
	}
}

// GitHubToken returns the token of a job's environment: that of the action's input, else
// GITHUB_TOKEN, else GH_TOKEN. Empty when there is none.
func GitHubToken(env map[string]string) web.Secret {
	return firstOf(env, "INPUT_GITHUB-TOKEN", "GITHUB_TOKEN", "GH_TOKEN")
}

// gitHubWords are a message, and what is wrong with each field.
func gitHubWords(answer []byte) string {
	var said struct {
		Message string
		Errors  []struct{ Message string }
	}
	if json.Unmarshal(answer, &said) != nil || said.Message == "" {
		return ""
	}
	text := said.Message
	for _, e := range said.Errors {
		if e.Message != "" {
			text += ": " + e.Message
		}
	}
	return text
}
