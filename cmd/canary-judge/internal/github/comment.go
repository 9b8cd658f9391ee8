package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/forgeapi"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

// mostComment is how many characters GitHub takes in a comment, less some for the mark.
const mostComment = 65_536 - 1<<10

// Comment writes the report as a comment on the pull request that the job belongs to,
// and returns the comment's address. A comment of an earlier run about the same service
// is written over, so that there is one. The pull request is that of the event, or of
// the commit; where there is none, the address is empty.
// https://docs.github.com/rest/issues/comments
func Comment(ctx context.Context, env map[string]string, transport http.RoundTripper, r *report.Report) (string, error) {
	api := forgeapi.GitHub(env, transport)
	if !api.HasToken() || api.Repository == "" {
		return "", errors.New("a comment needs GITHUB_REPOSITORY and a token: set GITHUB_TOKEN, or the action's input github-token, with the permission pull-requests: write")
	}
	number, err := pullRequest(ctx, api, env)
	if err != nil || number == 0 {
		return "", err
	}
	mark := mark(r.Service)
	body := map[string]string{"body": mark + "\n" + r.MarkdownWithin(mostComment)}
	old, err := find(ctx, api, number, mark)
	if err != nil {
		return "", err
	}
	request := forgeapi.Request{Method: http.MethodPost, Path: fmt.Sprintf("issues/%d/comments", number), Body: body, Doing: "comment on a pull request", Cures: cures}
	if old != 0 {
		request.Method, request.Path = http.MethodPatch, fmt.Sprintf("issues/comments/%d", old)
	}
	var made struct {
		Address string `json:"html_url"`
	}
	err = api.Call(ctx, request, &made)
	return made.Address, err
}

// cures say what to do about refusals.
var cures = map[int]string{http.StatusForbidden: mayNot, http.StatusNotFound: mayNot}

const mayNot = "the token needs the permission pull-requests: write; that of a pull request from a fork never has it"

// mark is what a comment begins with, unseen, so that the next run finds it.
func mark(service string) string {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == '<' || r == '>' { // what could end a comment of HTML
			return '_'
		}
		return r
	}, report.Clean(service))
	return "<!-- canary-judge: " + plain + " -->"
}

// find returns the number of the comment with the mark, 0 if there is none.
func find(ctx context.Context, api *forgeapi.Client, number int, mark string) (int64, error) {
	const most = 100
	for page := 1; ; page++ {
		var comments []struct {
			ID   int64
			Body string
		}
		request := forgeapi.Request{Method: http.MethodGet, Path: fmt.Sprintf("issues/%d/comments?per_page=%d&page=%d", number, most, page), Doing: "list comments", Cures: cures}
		if err := api.Call(ctx, request, &comments); err != nil {
			return 0, err
		}
		for _, c := range comments {
			if first, _, _ := strings.Cut(c.Body, "\n"); strings.TrimSpace(first) == mark {
				return c.ID, nil
			}
		}
		if len(comments) < most {
			return 0, nil
		}
	}
}

// pullRequest returns the number of the pull request that the job belongs to, 0 if there
// is none: that of the event, else the first that the commit is part of.
func pullRequest(ctx context.Context, api *forgeapi.Client, env map[string]string) (int, error) {
	if path := env["GITHUB_EVENT_PATH"]; path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, fmt.Errorf("read the event of the job: %w", err)
		}
		var event struct {
			PullRequest struct{ Number int } `json:"pull_request"`
		}
		if err := json.Unmarshal(text, &event); err != nil {
			return 0, fmt.Errorf("read the event of the job, %s: %w", path, err)
		}
		if event.PullRequest.Number != 0 {
			return event.PullRequest.Number, nil
		}
	}
	sha := env["GITHUB_SHA"]
	if sha == "" {
		return 0, nil
	}
	var pulls []struct{ Number int }
	request := forgeapi.Request{Method: http.MethodGet, Path: "commits/" + sha + "/pulls", Doing: "find the pull request", Cures: cures}
	if err := api.Call(ctx, request, &pulls); err != nil || len(pulls) == 0 {
		return 0, err
	}
	return pulls[0].Number, nil
}
