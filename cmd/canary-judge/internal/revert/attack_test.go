package revert

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A password in the address of a remote, or in its query, is in no message and in nothing
// that is heard.
func TestAddressesWithSecrets(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"http://bob:hunter2hunter2@127.0.0.1:1/x.git", "http://hunter2hunter2@127.0.0.1:1/x.git", "http://127.0.0.1:1/x.git?token=hunter2hunter2",
		"http://bob:hunter2%2Fhunter2@127.0.0.1:1/x.git",
	} {
		s := setScene(t)
		var heard strings.Builder
		s.p.RemoteOutput = &heard
		judged := s.observe(s.p)
		s.sh("git remote set-url deploy '" + address + "'")
		_, start := s.p.Observe(t.Context())
		_, later := s.p.Revert(t.Context(), judged, evidence, false)
		for _, err := range []error{start, later} {
			if err == nil || strings.Contains(err.Error()+heard.String(), "hunter2") || !strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("%s: %v; heard %q", address, err, heard.String())
			}
		}
	}
}

// Over HTTP, a job that may read and not write is refused before the first look; with the
// header that actions/checkout sets it reverts.
func TestOverHTTP(t *testing.T) {
	t.Parallel()
	s := setScene(t)
	s.in(s.remote, "config", "http.receivepack", "true")
	backend := &cgi.Handler{
		Path: filepath.Join(s.git("--exec-path"), "git-http-backend"), Dir: s.remote,
		Env: []string{"GIT_PROJECT_ROOT=" + s.env["HOME"], "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "HOME=" + s.env["HOME"], "PATH=" + s.env["PATH"]},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.URL.String(), "receive-pack") && req.Header.Get("Authorization") != "Basic aHVudGVyMg==" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		backend.ServeHTTP(w, req)
	}))
	defer server.Close()
	s.git("remote", "set-url", "deploy", server.URL+"/deploy.git")
	if _, err := s.p.Observe(t.Context()); err == nil || !strings.Contains(err.Error(), "the job may not write to the remote") {
		t.Error(err)
	}
	s.git("config", "http."+server.URL+"/.extraheader", "Authorization: Basic aHVudGVyMg==")
	o, err := s.p.Revert(t.Context(), s.observe(s.p), evidence, false)
	if err != nil || s.at() != o.Reverts[0] || s.git("rev-parse", "refs/remotes/deploy/canary") != o.Reverts[0] {
		t.Errorf("%+v, %v", o, err)
	}
}

// What a result names comes from a file: it is no option of git's, and no command.
func TestHostileResults(t *testing.T) {
	t.Parallel()
	s := setScene(t)
	judged := s.observe(s.p)
	for _, spoil := range []func(*Change, *Repository){
		func(c *Change, _ *Repository) { c.Commits[0].SHA = "--output=" + filepath.Join(s.env["HOME"], "made") },
		func(c *Change, _ *Repository) { c.Head = "HEAD" },
		func(c *Change, _ *Repository) { c.Commits[0].SHA = s.bad[:12] },
		func(c *Change, _ *Repository) { c.Ref = "--upload-pack=touch made" },
		func(c *Change, _ *Repository) { c.Ref = "refs/heads/../../x" },
		func(c *Change, _ *Repository) { c.Ref = "refs/tags/x" },
		func(_ *Change, p *Repository) { p.Settings.Remote = "--upload-pack=touch made" },
		func(_ *Change, p *Repository) { p.Settings.Remote = "ext::touch made" },
	} {
		c, p := judged, *s.p
		c.Commits = append([]Commit{}, judged.Commits...)
		spoil(&c, &p)
		if o, err := p.Revert(t.Context(), c, evidence, false); err == nil {
			t.Errorf("%+v: %+v", c, o)
		}
	}
	for _, dir := range []string{s.dir, s.env["HOME"]} {
		if _, err := os.Stat(filepath.Join(dir, "made")); err == nil {
			t.Error("a command was run")
		}
	}
	if s.at() != s.bad {
		t.Error("something was pushed")
	}
}

// A remote that does not end is ended; what came of it is read back.
func TestARemoteThatHangs(t *testing.T) {
	t.Parallel()
	s := setScene(t)
	judged := s.observe(s.p)
	// It ends with the test: what runs it has lost its parent by then.
	s.hook(s.remote, "pre-receive", "while [ -e hooks/pre-receive ]; do sleep 0.1; done; exit 1")
	s.p.Settings.Timeout = 8 * time.Second
	began := time.Now()
	_, err := s.p.Revert(t.Context(), judged, evidence, false)
	if err == nil || !strings.Contains(err.Error(), "the revert is not pushed") || !strings.Contains(err.Error(), "not done within 8s") {
		t.Error(err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %s", took)
	}
	for _, dir := range []string{filepath.Join(s.dir, ".git"), s.remote} {
		if found := s.shIn(dir, "find . -name '*.lock'"); found != "" {
			t.Errorf("locks are left: %s", found)
		}
	}
	if err := os.Remove(filepath.Join(s.remote, "hooks", "pre-receive")); err != nil {
		t.Fatal(err)
	}
	s.p.Settings.Timeout = time.Minute
	if o, err := s.p.Revert(t.Context(), judged, evidence, false); err != nil || s.at() != o.Reverts[0] {
		t.Errorf("afterwards: %+v, %v", o, err)
	}
}

func TestVersionsOfGit(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]int{
		"git version 2.37.9": 0, "git version 2.38.0": 38, "git version 2.39.5 (Apple Git-154)": 39, "git version 2.47.1.windows.2": 47, "git version 3.0.0": newest,
		"git version 1.8.3": 0, "hub version 2.14": 0,
	} {
		minor, err := versionOf(said)
		if (err != nil) != (want == 0) || err == nil && minor != want {
			t.Errorf("%s: %d, %v", said, minor, err)
		}
		if want == 0 && strings.HasPrefix(said, "git version 2") && !strings.Contains(err.Error(), "a revert takes 2.38 or newer") {
			t.Error(err)
		}
	}
}

// What git writes: https://github.com/git/git/blob/v2.43.0/t/t3501-revert-cherry-pick.sh
func TestSubjectsAreThoseOfGit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of    string
		minor int
		want  string
	}{
		{"bad", 39, `Revert "bad"`},
		{`Revert "bad"`, 39, `Revert "Revert "bad""`},
		{`Revert "bad"`, 43, `Reapply "bad"`},
		{`Reapply "bad"`, 43, `Revert "Reapply "bad""`},
		{`Revert "Revert "bad""`, 43, `Revert "Revert "Revert "bad"""`},
		{"", 43, `Revert ""`},
	} {
		if got := subject(c.of, c.minor); got != c.want {
			t.Errorf("%q in 2.%d: %q, want %q", c.of, c.minor, got, c.want)
		}
	}
}

// What --commit names by HEAD counts from where HEAD was when the run began.
func TestPartOfThen(t *testing.T) {
	t.Parallel()
	s := setScene(t)
	s.sh("echo d >d; git add d; git commit -qm d" + push)
	s.p.Settings.Commit = "HEAD~2..HEAD"
	judged := s.observe(s.p)
	head := s.git("rev-parse", "HEAD")
	s.sh("git commit -q --allow-empty -m later")
	for text, want := range map[string][]string{"HEAD": {head}, "@": {head}, "HEAD~1": {s.bad}, "HEAD^": {s.bad}, "HEAD~1..": {head}, "HEAD~2..HEAD": {head, s.bad}, "@~2..@~1": {s.bad}} {
		part, err := s.p.Part(t.Context(), judged, text)
		if err != nil || !slices.Equal(names(part.Commits), want) {
			t.Errorf("%s: %v %v, want %v", text, names(part.Commits), err, want)
		}
	}
}
