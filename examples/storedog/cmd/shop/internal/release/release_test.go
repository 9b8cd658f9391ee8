package release

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// newRepository returns a repository of a module with a program, and its commit.
func newRepository(t *testing.T, program string) (r Repository, commit string) {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "source")
	for path, text := range map[string]string{
		"go.mod": "module kennel\n\ngo 1.26\n", "cmd/dog/main.go": program,
		".gitignore": "*.log\n", "yesterday.log": "woof",
	} {
		path = filepath.Join(source, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r = Repository{Path: filepath.Join(dir, "deploy.git"), Releases: filepath.Join(dir, "releases")}
	if err := os.Mkdir(r.Releases, 0o755); err != nil {
		t.Fatal(err)
	}
	commit, err := r.Create(t.Context(), source, "main", "canary")
	if err != nil {
		t.Fatal(err)
	}
	return r, commit
}

func TestRelease(t *testing.T) {
	t.Parallel()
	r, commit := newRepository(t, "package main\n\nfunc main() { println(\"woof\") }\n")
	for _, branch := range []string{"main", "canary"} {
		if got, err := r.git(t.Context(), nil, "rev-parse", branch); err != nil || got != commit {
			t.Errorf("%s is %s (%v), want %s", branch, got, err, commit)
		}
	}
	if files, err := r.git(t.Context(), nil, "ls-tree", "-r", "--name-only", "main"); err != nil || files != ".gitignore\ncmd/dog/main.go\ngo.mod" {
		t.Errorf("the files are %q (%v)", files, err)
	}
	if _, err := r.Find(t.Context(), commit); err == nil || !strings.Contains(err.Error(), "was not built") {
		t.Errorf("a release that was not built: %v", err)
	}
	var says bytes.Buffer
	built, err := r.Build(t.Context(), commit, &says, "dog")
	if err != nil {
		t.Fatalf("%v\n%s", err, &says)
	}
	if found, err := r.Find(t.Context(), commit); err != nil || found != built {
		t.Errorf("found is %v (%v), want %v", found, err, built)
	}
	if !strings.HasPrefix(commit, built.Version) || len(built.Version) < 7 {
		t.Errorf("the version of %s is %q", commit, built.Version)
	}
	if out, err := exec.Command(filepath.Join(built.Bin, "dog")).CombinedOutput(); err != nil || string(out) != "woof\n" {
		t.Errorf("the program says %q (%v)", out, err)
	}
}

func TestBuildFails(t *testing.T) {
	t.Parallel()
	r, commit := newRepository(t, "package main\n\nfunc main() { woof() }\n")
	var says bytes.Buffer
	if _, err := r.Build(t.Context(), commit, &says, "dog"); err == nil {
		t.Error("it builds what does not compile")
	}
	if !strings.Contains(says.String(), "undefined: woof") {
		t.Errorf("the compiler says %q", &says)
	}
	if left, err := os.ReadDir(r.Releases); err != nil || len(left) > 0 {
		t.Errorf("%v is left (%v)", left, err)
	}
}
