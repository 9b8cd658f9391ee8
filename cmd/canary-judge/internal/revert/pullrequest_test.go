package revert

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
)

const token = "ghs_hunter2hunter2"

// hub is a stand-in for GitHub's API: https://docs.github.com/rest/pulls/pulls
type hub struct {
	mu     sync.Mutex
	pulls  []map[string]string
	status int    // of an answer to a new pull request; 0 = 201
	answer string // its body
	seen   []string
}

func (h *hub) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, req.Method+" "+req.URL.Path)
	if req.Header.Get("Authorization") != "Bearer "+token {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"message":"Bad credentials %s"}`, req.Header.Get("Authorization"))
		return
	}
	if req.URL.Path != "/repos/acme/shop/pulls" {
		http.NotFound(w, req)
		return
	}
	if req.Method == http.MethodGet {
		found := []map[string]string{}
		for _, p := range h.pulls {
			q := req.URL.Query()
			if "acme:"+p["head"] == q.Get("head") && p["base"] == q.Get("base") && q.Get("state") == "all" {
				found = append([]map[string]string{p}, found...)
			}
		}
		_ = json.NewEncoder(w).Encode(found)
		return
	}
	if h.status != 0 {
		w.WriteHeader(h.status)
		fmt.Fprint(w, h.answer)
		return
	}
	var p map[string]string
	if err := json.NewDecoder(req.Body).Decode(&p); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, other := range h.pulls {
		if other["head"] == p["head"] && other["base"] == p["base"] && other["state"] == "open" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprintf(w, `{"message":"Validation Failed","errors":[{"message":"A pull request already exists for acme:%s."}]}`, p["head"])
			return
		}
	}
	p["state"] = "open"
	p["html_url"] = fmt.Sprintf("https://github.com/acme/shop/pull/%d", 7+len(h.pulls))
	h.pulls = append(h.pulls, p)
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(p)
}

// proposing returns what is under test, in mode pr.
func (r *repo) proposing(h *hub) *Repository {
	r.t.Helper()
	server := httptest.NewServer(h)
	r.t.Cleanup(server.Close)
	p := r.repository("HEAD")
	p.Settings.Mode = config.PullRequestRevert
	p.Env = map[string]string{"GITHUB_API_URL": server.URL, "GITHUB_REPOSITORY": "acme/shop", "GITHUB_TOKEN": token}
	for name, value := range r.env {
		p.Env[name] = value
	}
	return p
}

func TestRevertByPullRequest(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	bad := r.commit("Rename code to coupon", "a\nBAD\nc\n")
	r.push()
	before, h := r.state(), &hub{}
	p := r.proposing(h)
	judged := r.observe(p)
	branch := "canary-judge/revert-" + bad[:12]
	dry, err := p.Revert(t.Context(), judged, evidence, true)
	if err != nil || len(h.pulls) > 0 || r.state() != before {
		t.Errorf("dry run: %+v, %v", dry, err)
	}
	equal(t, "commands", dry.Commands, []string{
		"git revert --no-edit " + bad, "git push deploy HEAD:refs/heads/" + branch,
		`open the pull request "Revert \"Rename code to coupon\"" of ` + branch + " into canary on acme/shop",
	})
	o, err := p.Revert(t.Context(), judged, evidence, false)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "commands", o.Commands, dry.Commands)
	if o.PullRequest != "https://github.com/acme/shop/pull/7" || o.Pushed != "deploy/"+branch {
		t.Errorf("%+v", o)
	}
	if r.state() != before {
		t.Errorf("the repository was left as\n%s\nand was\n%s", r.state(), before)
	}
	if r.deployed(branch) != o.Reverts[0] {
		t.Errorf("the branch is at %q", r.deployed(branch))
	}
	pull := h.pulls[0]
	if pull["title"] != `Revert "Rename code to coupon"` || pull["head"] != branch || pull["base"] != "canary" {
		t.Errorf("%v", pull)
	}
	if !strings.Contains(pull["body"], bad) || !strings.Contains(pull["body"], evidence.Report) {
		t.Errorf("the body is %q", pull["body"])
	}

	// The second time the pull request is found.
	o, err = p.Revert(t.Context(), judged, evidence, false)
	if err != nil || o.PullRequest != "https://github.com/acme/shop/pull/7" || len(h.pulls) != 1 || len(o.Commands) > 0 {
		t.Errorf("the second time: %+v, %v, %d pull requests", o, err, len(h.pulls))
	}
}

func TestAPullRequestThatCouldNotBeOpened(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	bad := r.commit("bad", "a\nBAD\nc\n")
	r.push()
	before, h := r.state(), &hub{status: http.StatusForbidden, answer: `{"message":"Resource not accessible by integration"}`}
	p := r.proposing(h)
	judged := r.observe(p)
	_, err := p.Revert(t.Context(), judged, evidence, false)
	for _, text := range []string{"is pushed to deploy/canary-judge/revert-", "Resource not accessible by integration", "pull-requests: write"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("no %q in %v", text, err)
		}
	}
	if r.state() != before {
		t.Errorf("the repository was left as\n%s", r.state())
	}
	// The next job goes on where this one ended.
	h.status = 0
	o, err := p.Revert(t.Context(), judged, evidence, false)
	if err != nil || o.PullRequest == "" || len(o.Reverts) != 1 || r.deployed("canary-judge/revert-"+bad[:12]) == "" {
		t.Errorf("%+v, %v", o, err)
	}

	h.pulls, h.status, h.answer = nil, http.StatusUnprocessableEntity, `{"message":"Validation Failed","errors":[{"message":"base is invalid"}]}`
	if _, err := p.Revert(t.Context(), judged, evidence, false); err == nil || !strings.Contains(err.Error(), "base is invalid; check on_fail.revert.base") {
		t.Errorf("%v", err)
	}
	p.Env["GITHUB_TOKEN"] = "ghs_wrongwrong"
	_, err = p.Revert(t.Context(), judged, evidence, false)
	if err == nil || !strings.Contains(err.Error(), "check GITHUB_TOKEN") || strings.Contains(err.Error(), "wrongwrong") {
		t.Errorf("%v", err)
	}
	delete(p.Env, "GITHUB_TOKEN")
	if _, err := p.Revert(t.Context(), judged, evidence, false); err == nil || !strings.Contains(err.Error(), "a pull request needs a token") {
		t.Errorf("%v", err)
	}
}

// A conflict leaves the tree on its branch.
func TestAConflictBesideTheBranch(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.commit("bad", "a\nBAD\nc\n")
	r.commit("later", "a\nWORSE\nc\n")
	r.push()
	h := &hub{}
	p := r.proposing(h)
	p.Settings.Commit = "HEAD~1"
	before := r.state()
	_, err := p.Observe(t.Context())
	r.refuses(before, err, "conflicts with later changes in code")
	if len(h.pulls) > 0 {
		t.Error("a pull request was opened")
	}
}

func TestRepositoryOfARemote(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][2]string{
		"https://github.com/acme/shop.git":               {"github.com", "acme/shop"},
		"https://x-access-token:t@github.com/a/b":        {"github.com", "a/b"},
		"git@github.com:acme/shop.git":                   {"github.com", "acme/shop"},
		"ssh://git@github.com/acme/shop":                 {"github.com", "acme/shop"},
		"ssh://git@gitlab.acme.com:2222/a/b/shop.git":    {"gitlab.acme.com", "a/b/shop"},
		"http://gitlab.acme.com:8080/group/sub/shop.git": {"gitlab.acme.com:8080", "group/sub/shop"},
		"/srv/deploy.git":                                {},
		"https://github.com/acme":                        {},
	} {
		if host, path := hosted(address); host != want[0] || path != want[1] {
			t.Errorf("%s: %q, %q, want %q", address, host, path, want)
		}
	}
}
