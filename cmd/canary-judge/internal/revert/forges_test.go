package revert

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
)

// host is a stand-in for GitHub or GitLab.
type host interface {
	http.Handler
	// all are the proposals: title, branch, base and body of each.
	all() [][4]string
	// settle has the newest proposal be merged or closed.
	settle(merged bool)
	// env is what a job has to call it at an address.
	env(address string) map[string]string
	address(n int) string
}

func (h *hub) all() [][4]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all [][4]string
	for _, p := range h.pulls {
		all = append(all, [4]string{p["title"], p["head"], p["base"], p["body"]})
	}
	return all
}

func (h *hub) settle(merged bool) {
	p := h.pulls[len(h.pulls)-1]
	p["state"] = "closed"
	if merged {
		p["merged_at"] = "2026-11-25T10:00:00Z"
	}
}

func (h *hub) env(address string) map[string]string {
	return map[string]string{"GITHUB_API_URL": address, "GITHUB_REPOSITORY": "acme/shop", "GITHUB_TOKEN": token}
}

func (h *hub) address(n int) string { return fmt.Sprintf("https://github.com/acme/shop/pull/%d", 7+n) }

// lab is a stand-in for GitLab's API: https://docs.gitlab.com/api/merge_requests/
type lab struct {
	mu       sync.Mutex
	requests []map[string]any
	status   int // of an answer to a new merge request; 0 = 201
	answer   string
}

func (l *lab) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case req.Header.Get("PRIVATE-TOKEN") != token:
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"message":"401 Unauthorized %s"}`, req.Header.Get("PRIVATE-TOKEN"))
	case req.URL.EscapedPath() != "/api/v4/projects/acme%2Fweb%2Fshop/merge_requests":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message":"404 Project Not Found"}`)
	case req.Method == http.MethodGet:
		found := []map[string]any{}
		q := req.URL.Query()
		for _, r := range l.requests {
			if r["source_branch"] == q.Get("source_branch") && r["target_branch"] == q.Get("target_branch") && q.Get("state") == "all" {
				found = append([]map[string]any{r}, found...)
			}
		}
		_ = json.NewEncoder(w).Encode(found)
	case l.status != 0:
		w.WriteHeader(l.status)
		fmt.Fprint(w, l.answer)
	default:
		var r map[string]any
		if err := json.NewDecoder(req.Body).Decode(&r); err != nil || req.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, other := range l.requests {
			if other["source_branch"] == r["source_branch"] && other["state"] == "opened" {
				w.WriteHeader(http.StatusConflict)
				fmt.Fprint(w, `{"message":["Another open merge request already exists for this source branch: !7"]}`)
				return
			}
		}
		r["web_url"], r["state"] = l.address(len(l.requests)), "opened"
		l.requests = append(l.requests, r)
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(r)
	}
}

func (l *lab) all() [][4]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all [][4]string
	for _, r := range l.requests {
		all = append(all, [4]string{r["title"].(string), r["source_branch"].(string), r["target_branch"].(string), r["description"].(string)})
	}
	return all
}

func (l *lab) settle(merged bool) {
	state := "closed"
	if merged {
		state = "merged"
	}
	l.requests[len(l.requests)-1]["state"] = state
}

func (l *lab) env(address string) map[string]string {
	return map[string]string{"GITLAB_CI": "true", "CI_API_V4_URL": address + "/api/v4", "CI_PROJECT_PATH": "acme/web/shop", "GITLAB_TOKEN": token}
}

func (l *lab) address(n int) string {
	return fmt.Sprintf("https://gitlab.com/acme/web/shop/-/merge_requests/%d", 7+n)
}

// proposing has a scene propose its reverts to a host.
func (s *scene) proposing(h host) {
	s.t.Helper()
	server := httptest.NewServer(h)
	s.t.Cleanup(server.Close)
	s.p.Settings.Mode = config.PullRequestRevert
	s.p.Env = h.env(server.URL)
	for name, value := range s.env {
		s.p.Env[name] = value
	}
}

// onBoth runs a test with each host.
func onBoth(t *testing.T, test func(t *testing.T, s *scene, h host)) {
	t.Helper()
	t.Parallel()
	for name, h := range map[string]host{"GitHub": &hub{}, "GitLab": &lab{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setScene(t)
			s.proposing(h)
			test(t, s, h)
		})
	}
}

func TestProposals(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene, h host) {
		before, judged := s.local(), s.observe(s.p)
		branch := "canary-judge/revert-" + s.bad[:12]
		o, err := s.p.Revert(t.Context(), judged, evidence, false)
		if err != nil || o.PullRequest != h.address(0) || o.Pushed != "deploy/"+branch || len(o.Reverts) != 1 {
			t.Fatalf("%+v, %v", o, err)
		}
		got := h.all()[0]
		if got[0] != `Revert "bad"` || got[1] != branch || got[2] != "canary" || !strings.Contains(got[3], "\nCanary-Judge-Reverts: "+s.bad+"\n") || !strings.Contains(got[3], evidence.Report) {
			t.Errorf("%q", got)
		}
		if s.at() != s.bad || s.refs()[heads+branch] != o.Reverts[0] || s.local() != before {
			t.Errorf("the remote has %v; the clone went from\n%s\nto\n%s", s.refs(), before, s.local())
		}
		// Open: found.
		again, err := s.p.Revert(t.Context(), judged, evidence, false)
		if err != nil || again.PullRequest != h.address(0) || len(h.all()) != 1 || len(again.Commands) > 0 || len(again.Notes) != 1 || again.Reverts[0] != o.Reverts[0] {
			t.Errorf("%+v, %v", again, err)
		}
		// Closed: somebody decided against it, with or without the branch.
		h.settle(false)
		for range 2 {
			again, err = s.p.Revert(t.Context(), judged, evidence, false)
			if err == nil || again.PullRequest != h.address(0) || !strings.Contains(err.Error(), "was closed without being merged") || len(h.all()) != 1 {
				t.Errorf("%+v, %v", again, err)
			}
			s.in(s.remote, "update-ref", "-d", heads+branch)
		}
		if s.refs()[heads+branch] != "" {
			t.Error("the branch came back")
		}
		// Merged.
		h.settle(true)
		s.elsewhere("git fetch -q ../work " + o.Reverts[0] + "; git merge -q --no-ff -m 'Merge it' " + o.Reverts[0] + push)
		again, err = s.p.Revert(t.Context(), judged, evidence, false)
		if err != nil || len(again.Reverts) == 0 || len(again.Commands) > 0 || len(h.all()) != 1 {
			t.Errorf("%+v, %v", again, err)
		}
		// Merged, and brought back: proposed again, on what there is now.
		s.elsewhere("git revert -m 1 --no-edit HEAD >/dev/null" + push)
		tip := s.at()
		again, err = s.p.Revert(t.Context(), judged, evidence, false)
		if err != nil || again.PullRequest != h.address(1) || len(again.Reverts) != 1 || s.in(s.remote, "rev-parse", again.Reverts[0]+"^") != tip {
			t.Errorf("%+v, %v", again, err)
		}
	})
}

// A branch that is there is used only if it holds the reverts and nothing else.
func TestProposalsWithALeftOverBranch(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene, h host) {
		branch := heads + "canary-judge/revert-" + s.bad[:12]
		s.sh("git push -q deploy HEAD~1:" + branch)
		stale := s.refs()[branch]
		o, err := s.p.Revert(t.Context(), s.observe(s.p), evidence, false)
		other := branch + "-on-" + s.bad[:12]
		if err != nil || s.refs()[branch] != stale || s.refs()[other] != o.Reverts[0] || h.all()[0][1] != strings.TrimPrefix(other, heads) {
			t.Errorf("%+v, %v; %v", o, err, s.refs())
		}
		s.sh("git push -q --force deploy HEAD:" + other)
		if _, err := s.p.Revert(t.Context(), s.observe(s.p), evidence, false); err == nil || !strings.Contains(err.Error(), "look at them, and delete them") {
			t.Error(err)
		}
	})
}

// The set of commits names the branch; several jobs open one.
func TestProposalsOfARangeAtTheSameTime(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene, h host) {
		s.sh("echo d >>code; git commit -qam two" + push)
		s.p.Settings.Commit = "HEAD~2..HEAD"
		judged := s.observe(s.p)
		var wait sync.WaitGroup
		for range 5 {
			wait.Go(func() {
				if o, err := s.p.Revert(t.Context(), judged, evidence, false); err != nil || o.PullRequest != h.address(0) || len(o.Reverts) != 2 {
					t.Errorf("%+v, %v", o, err)
				}
			})
		}
		wait.Wait()
		all := h.all()
		if len(all) != 1 || all[0][0] != `Revert "two" and 1 more` || len(s.refs()) != 2 || s.in(s.remote, "show", heads+all[0][1]+":code") != "a\nb\nc" {
			t.Fatalf("%q, %v", all, s.refs())
		}
		s.p.Settings.Commit = "HEAD"
		if _, err := s.p.Revert(t.Context(), s.observe(s.p), evidence, false); err != nil || h.all()[1][1] == all[0][1] {
			t.Errorf("%q, %v", h.all(), err)
		}
	})
}

// A pull request is for a branch that has the change: it is made on top of that branch, and
// brings nothing else.
func TestProposalsForAnotherBranch(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene, h host) {
		s.sh("git push -q deploy HEAD:refs/heads/main; git tag main HEAD~1; git push -q deploy refs/tags/main")
		s.elsewhere("echo m >m; git add m; git commit -qm 'only on main'; git push -q deploy HEAD:refs/heads/main")
		s.sh("echo x >x; git add x; git commit -qm 'only on canary'" + push)
		s.p.Settings.Commit, s.p.Settings.Base = s.bad, "deploy/main"
		o, err := s.p.Revert(t.Context(), s.observe(s.p), evidence, false)
		if err != nil || h.all()[0][2] != "main" || s.in(s.remote, "rev-parse", o.Reverts[0]+"^") != s.refs()["refs/heads/main"] {
			t.Errorf("%+v, %v: %q", o, err, h.all())
		}
		s.p.Settings.Commit = "HEAD"
		if _, err := s.p.Observe(t.Context()); err == nil || !strings.Contains(err.Error(), "to refs/heads/main (on_fail.revert.base): the commit ") {
			t.Error(err)
		}
		s.p.Settings.Base = "none"
		if _, err := s.p.Observe(t.Context()); err == nil || !strings.Contains(err.Error(), "on_fail.revert.base: no such branch") {
			t.Error(err)
		}
	})
}

func TestRefusalsOfGitLab(t *testing.T) {
	t.Parallel()
	s, l := setScene(t), &lab{status: http.StatusForbidden, answer: `{"message":"403 Forbidden"}`}
	s.proposing(l)
	judged := s.observe(s.p)
	refused := func(texts ...string) {
		t.Helper()
		_, err := s.p.Revert(t.Context(), judged, evidence, false)
		for _, text := range texts {
			if err == nil || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), token) {
				t.Errorf("no %q in %v", text, err)
			}
		}
	}
	refused("is pushed to deploy/canary-judge/revert-", "the merge request is not open", "403 Forbidden", "the scope api and the role Developer")
	l.status, l.answer = http.StatusBadRequest, `{"message":{"target_branch":["is invalid"]}}`
	refused("target_branch", "is invalid", "check on_fail.revert.base")
	s.p.Env["CI_PROJECT_PATH"] = "acme/other"
	refused("404 Project Not Found")
	s.p.Env["GITLAB_TOKEN"] = token + "x"
	refused("check GITLAB_TOKEN")
	delete(s.p.Env, "GITLAB_TOKEN")
	s.p.Env["CI_JOB_TOKEN"] = token
	refused("a merge request needs a token", "CI_JOB_TOKEN may not open merge requests")
	if _, err := s.p.Observe(t.Context()); err == nil || !strings.Contains(err.Error(), "a merge request needs a token") {
		t.Errorf("at the start: %v", err)
	}
}

// holding is a network on which requests of one method get no answer.
type holding struct {
	method string
	held   atomic.Bool // whether they do
}

func (h *holding) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != h.method || !h.held.Load() {
		return http.DefaultTransport.RoundTrip(req)
	}
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// The time of a revert bounds requests to its host and what tries them again; what is left
// to do is done the next time.
func TestAHostThatHangs(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene, h host) {
		network := &holding{method: http.MethodPost}
		s.p.Transport = network
		judged := s.observe(s.p)
		for _, c := range []struct{ method, doing string }{{http.MethodPost, "open "}, {http.MethodGet, "list "}} {
			network.method, s.p.Settings.Timeout = c.method, 8*time.Second
			network.held.Store(true)
			began := time.Now()
			_, err := s.p.Revert(t.Context(), judged, evidence, false)
			for _, text := range []string{c.doing, " of acme/", "is pushed to deploy/canary-judge/revert-", "not done within 8s", "raise on_fail.revert.timeout", "run canary-judge revert on the result, or open it by hand"} {
				if err == nil || !strings.Contains(err.Error(), text) {
					t.Errorf("no %q in %v", text, err)
				}
			}
			if took := time.Since(began); took > 40*time.Second {
				t.Errorf("it took %s", took)
			}
		}
		network.held.Store(false)
		s.p.Settings.Timeout = time.Minute
		if o, err := s.p.Revert(t.Context(), judged, evidence, false); err != nil || o.PullRequest != h.address(0) || len(h.all()) != 1 {
			t.Errorf("afterwards: %+v, %v", o, err)
		}
	})
}

// Where the remote is tells GitLab from GitHub, then where the job runs.
func TestWhichForge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host   string
		env    string // NAME=VALUE, separated by spaces
		forge  config.Forge
		gitlab bool
	}{
		{"github.com", "GITLAB_CI=true GITLAB_TOKEN=x", config.AnyForge, false},
		{"gitlab.com", "GITHUB_ACTIONS=true GITHUB_TOKEN=x", config.AnyForge, true},
		{"git.acme.com", "GITLAB_CI=true CI_SERVER_HOST=git.acme.com", config.AnyForge, true},
		{"git.acme.com:8443", "CI_SERVER_URL=https://git.acme.com:8443", config.AnyForge, true},
		{"git.acme.com", "GITHUB_ACTIONS=true GITHUB_SERVER_URL=https://git.acme.com", config.AnyForge, false},
		{"", "GITLAB_CI=true", config.AnyForge, true},
		{"", "GITHUB_ACTIONS=true", config.AnyForge, false},
		{"", "GITLAB_TOKEN=x", config.AnyForge, true},
		{"", "GITLAB_TOKEN=x GITHUB_TOKEN=x", config.AnyForge, false},
		{"", "", config.AnyForge, false},
		{"git.acme.com", "GITHUB_TOKEN=x", config.GitLab, true},
		{"gitlab.acme.com", "GITLAB_CI=true", config.GitHub, false},
	} {
		r := &Repository{Settings: config.Revert{Forge: c.forge}, Env: map[string]string{}}
		for _, pair := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(pair, "=")
			r.Env[name] = value
		}
		if got := r.isGitLab(c.host); got != c.gitlab {
			t.Errorf("%+v: GitLab %v", c, got)
		}
	}
}
