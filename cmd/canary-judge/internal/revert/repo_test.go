package revert

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
)

// repo is a real repository with a real remote, deploy.
type repo struct {
	t   *testing.T
	dir string
	env map[string]string
}

// template is a repository that newRepo copies.
var template = sync.OnceValues(func() (string, error) {
	root, err := os.MkdirTemp("", "canary-judge-template-*")
	if err != nil {
		return "", err
	}
	script := `git init --quiet --bare deploy.git
git init --quiet --initial-branch=canary work
cd work
git remote add deploy ../deploy.git
printf 'a\nb\nc\n' >code
git add code
git commit --quiet -m start
git push --quiet deploy canary
rm -rf .git/hooks ../deploy.git/hooks/*`
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "HOME="+root, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return root, nil
})

func TestMain(m *testing.M) {
	m.Run()
	if root, err := template(); err == nil {
		_ = os.RemoveAll(root)
	}
}

// newRepo makes a repository with a file of three lines, in a commit on the branch
// canary that is pushed, and no identity: a CI runner has none.
func newRepo(t *testing.T) *repo {
	t.Helper()
	from, err := template()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return &repo{t: t, dir: filepath.Join(root, "work"), env: map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": root, "GIT_CONFIG_NOSYSTEM": "1", "TMPDIR": os.TempDir(),
	}}
}

// in runs git in a directory and returns what it prints. Commits have a person's
// name.
func (r *repo) in(dir string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	for name, value := range r.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		cmd.Env = append(cmd.Env, "GIT_"+who+"_NAME=Ada", "GIT_"+who+"_EMAIL=ada@example.com")
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *repo) git(args ...string) string {
	r.t.Helper()
	return r.in(r.dir, args...)
}

func (r *repo) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repo) read(name string) string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// commit commits a text of the file code and returns the commit.
func (r *repo) commit(subject, text string) string {
	r.t.Helper()
	r.write("code", text)
	r.git("add", "code")
	r.git("commit", "--quiet", "-m", subject)
	return r.git("rev-parse", "HEAD")
}

func (r *repo) push() { r.t.Helper(); r.git("push", "--quiet", "deploy", "canary") }

// deployed returns the commit that the remote's branch is at, "" for none.
func (r *repo) deployed(branch string) string {
	r.t.Helper()
	sha, _, _ := strings.Cut(r.git("ls-remote", "deploy", "refs/heads/"+branch), "\t")
	return sha
}

// state is all that a refusal must leave as it was.
func (r *repo) state() string {
	r.t.Helper()
	return strings.Join([]string{
		r.git("rev-parse", "HEAD"), r.git("status", "--porcelain=v2", "--branch"), r.git("for-each-ref", "refs/heads"), r.read("code"), r.deployed("canary"),
	}, "\n")
}

// repository returns what is under test, for a commit.
func (r *repo) repository(commit string) *Repository {
	s := config.DefaultRevert()
	s.Commit, s.Remote, s.Timeout = commit, "deploy", time.Minute
	return &Repository{Dir: r.dir, Settings: s, Env: r.env}
}

var evidence = Evidence{
	Service: "shop", Verdict: "fail", Failed: []string{"errors", "slow requests"}, Report: "### FAIL\n",
	Reason: "FAIL after 6 of 30 min: errors are 4.1x the baseline (2.9x to 5.8x; tolerated 1.25x)",
}

// observe is Observe where it must not fail.
func (r *repo) observe(repository *Repository) Change {
	r.t.Helper()
	c, err := repository.Observe(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// refuses checks that an error says all of the texts, and that nothing has changed.
func (r *repo) refuses(before string, err error, texts ...string) {
	r.t.Helper()
	if err == nil {
		r.t.Fatalf("it was done; want an error that says %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			r.t.Errorf("the error lacks %q:\n%v", text, err)
		}
	}
	if after := r.state(); after != before {
		r.t.Errorf("the repository was left as\n%s\nand was\n%s", after, before)
	}
}

// subjects returns the subjects of the newest commits.
func (r *repo) subjects(n int) []string {
	r.t.Helper()
	all := strings.Split(r.git("log", "--format=%s"), "\n")
	return all[:min(n, len(all))]
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}
