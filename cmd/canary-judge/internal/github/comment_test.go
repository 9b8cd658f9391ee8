package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

const token = "ghs_0123456789abcdef"

// issue is a stand-in for the comments of pull request 7 of acme/shop, which has the
// commit abc: https://docs.github.com/rest/issues/comments
type issue struct {
	comments []string // ID is the index, from 1
	written  []string // METHOD PATH of what changed something
	status   int      // that every call is answered with; 0 = as it should be
}

func (i *issue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+token {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"message":"Bad credentials"}`)
		return
	}
	if i.status != 0 {
		w.WriteHeader(i.status)
		fmt.Fprint(w, `{"message":"Resource not accessible by integration"}`)
		return
	}
	type comment struct {
		ID   int    `json:"id"`
		Body string `json:"body"`
		URL  string `json:"html_url"`
	}
	of := func(n int) comment {
		return comment{n, i.comments[n-1], fmt.Sprintf("https://github.com/acme/shop/pull/7#issuecomment-%d", n)}
	}
	var sent struct{ Body string }
	if r.Method != http.MethodGet {
		i.written = append(i.written, r.Method+" "+r.URL.Path)
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || len([]rune(sent.Body)) > 65_536 {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
	}
	path := strings.TrimPrefix(r.URL.Path, "/repos/acme/shop/")
	var answer any
	switch {
	case r.Method == http.MethodGet && path == "commits/abc/pulls":
		answer = []map[string]int{{"number": 7}}
	case r.Method == http.MethodGet && path == "commits/def/pulls":
		answer = []map[string]int{}
	case r.Method == http.MethodGet && path == "issues/7/comments":
		most, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		list := []comment{}
		for n := (page-1)*most + 1; n <= min(page*most, len(i.comments)); n++ {
			list = append(list, of(n))
		}
		answer = list
	case r.Method == http.MethodPost && path == "issues/7/comments":
		i.comments = append(i.comments, sent.Body)
		w.WriteHeader(http.StatusCreated)
		answer = of(len(i.comments))
	case r.Method == http.MethodPatch && strings.HasPrefix(path, "issues/comments/"):
		n, err := strconv.Atoi(strings.TrimPrefix(path, "issues/comments/"))
		if err != nil || n > len(i.comments) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		i.comments[n-1] = sent.Body
		answer = of(n)
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func TestComment(t *testing.T) {
	t.Parallel()
	i := &issue{}
	for n := range 150 { // more than a page
		i.comments = append(i.comments, fmt.Sprintf("comment %d\n<!-- canary-judge: shop --> is quoted", n))
	}
	server := httptest.NewServer(i)
	defer server.Close()
	env := map[string]string{"GITHUB_API_URL": server.URL, "GITHUB_REPOSITORY": "acme/shop", "GITHUB_TOKEN": token, "GITHUB_SHA": "abc"}
	comment := func(r *report.Report) string {
		t.Helper()
		address, err := Comment(t.Context(), env, nil, r)
		if err != nil {
			t.Fatal(err)
		}
		return address
	}
	shop := &report.Report{Service: "shop", Verdict: "fail", Reason: "errors"}
	const first = "https://github.com/acme/shop/pull/7#issuecomment-151"
	if got := comment(shop); got != first || !strings.HasPrefix(i.comments[150], "<!-- canary-judge: shop -->\n### ❌ FAIL: shop\n") {
		t.Errorf("the first is %s: %q", got, i.comments[150])
	}
	// The next run writes over it, and another service beside it.
	shop.Verdict = "pass"
	if got := comment(shop); got != first || len(i.comments) != 151 || !strings.Contains(i.comments[150], "PASS") {
		t.Errorf("the second is %s of %d", got, len(i.comments))
	}
	if comment(&report.Report{Service: "--><b>", Verdict: "pass"}); len(i.comments) != 152 || !strings.HasPrefix(i.comments[151], "<!-- canary-judge: ____b_ -->\n") {
		t.Errorf("the other is %q", i.comments[151])
	}
	// The event names the pull request.
	env["GITHUB_SHA"], env["GITHUB_EVENT_PATH"] = "", filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(env["GITHUB_EVENT_PATH"], []byte(`{"pull_request":{"number":7}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := comment(shop); got != first {
		t.Errorf("by the event it is %s", got)
	}
	for n := range 2000 {
		shop.Metrics = append(shop.Metrics, report.Metric{Name: fmt.Sprintf("metric %d", n), Decision: "fail", Reason: strings.Repeat("ä", 100)})
	}
	shop.Window.Looks = 1
	if comment(shop); len(i.written) != 5 {
		t.Errorf("changed by %q", i.written)
	}
}

func TestNoComment(t *testing.T) {
	t.Parallel()
	i := &issue{}
	server := httptest.NewServer(i)
	defer server.Close()
	r := &report.Report{Service: "shop", Verdict: "fail"}
	env := func(more ...string) map[string]string {
		all := map[string]string{"GITHUB_API_URL": server.URL, "GITHUB_REPOSITORY": "acme/shop", "GITHUB_TOKEN": token, "GITHUB_SHA": "abc"}
		for n := 0; n < len(more); n += 2 {
			all[more[n]] = more[n+1]
		}
		return all
	}
	if address, err := Comment(t.Context(), env("GITHUB_SHA", "def"), nil, r); address != "" || err != nil {
		t.Errorf("without a pull request: %q, %v", address, err)
	}
	for what, c := range map[string]struct {
		env    map[string]string
		status int
		want   string
	}{
		"no token":    {env("GITHUB_TOKEN", " "), 0, "set GITHUB_TOKEN"},
		"wrong token": {env("GITHUB_TOKEN", "ghs_wrongwrong"), 0, "check GITHUB_TOKEN"},
		"a fork":      {env(), http.StatusForbidden, "pull-requests: write; that of a pull request from a fork never has it"},
		"no event":    {env("GITHUB_EVENT_PATH", filepath.Join(t.TempDir(), "none")), 0, "read the event of the job"},
	} {
		i.status = c.status
		_, err := Comment(t.Context(), c.env, nil, r)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "wrongwrong") {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
	if len(i.written) > 0 {
		t.Errorf("changed by %q", i.written)
	}
}
