package storedog

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// changes are the changes of the story.
var changes = []string{"ask-a-partner", "flag", "good", "rename-code-to-coupon", "slow", "wrong-total"}

// TestChanges applies each change to a copy of the shop and builds it.
func TestChanges(t *testing.T) {
	t.Parallel()
	patches, err := filepath.Glob("changes/*.patch")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range patches {
		names = append(names, strings.TrimSuffix(filepath.Base(path), ".patch"))
	}
	if !slices.Equal(names, changes) {
		t.Errorf("the changes are %q, want %q", names, changes)
	}
	for _, path := range patches {
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "storedog")
			if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
				t.Fatal(err)
			}
			run(t, dir, "git", "init", "--quiet")
			run(t, dir, "git", "add", "--all")
			run(t, dir, "git", "commit", "--quiet", "--message=Open Storedog")
			run(t, dir, "git", "am", "--quiet", path)
			if files := run(t, dir, "git", "show", "--format=", "--name-only", "HEAD"); strings.Count(files, "\n") != 1 {
				t.Errorf("it changes more than one file:\n%s", files)
			}
			message := strings.TrimSpace(run(t, dir, "git", "show", "--no-patch", "--format=%B", "HEAD"))
			if subject, body, _ := strings.Cut(message, "\n\n"); len(subject) > 70 || body == "" {
				t.Errorf("the message is no subject and sentence:\n%s", message)
			}
			run(t, dir, "go", "build", "./...")
		})
	}
}

// run runs a command, with nothing of the user's git config, and returns its output.
func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Storedog", "GIT_AUTHOR_EMAIL=storedog@example.com",
		"GIT_COMMITTER_NAME=Storedog", "GIT_COMMITTER_EMAIL=storedog@example.com", "GOFLAGS=-buildvcs=false")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}
