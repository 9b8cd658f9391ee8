// Package release keeps the commits that are deployed: in a bare git repository that
// they are pushed to, and built, each in a directory of its own.
package release

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Repository is the git repository that changes are pushed to.
type Repository struct {
	Path     string // of the bare repository
	Releases string // directory of the commits that were built
}

// Create makes the repository, with the files of a directory as the one commit of
// the branches. What git ignores there stays out.
func (r Repository) Create(ctx context.Context, source string, branches ...string) (commit string, err error) {
	if _, err := r.git(ctx, nil, "init", "--quiet", "--bare", "--initial-branch="+branches[0]); err != nil {
		return "", err
	}
	// The hook runs even where the user's config has put hooks elsewhere.
	if _, err := r.git(ctx, nil, "config", "core.hooksPath", filepath.Join(r.Path, "hooks")); err != nil {
		return "", err
	}
	index := []string{"GIT_INDEX_FILE=" + filepath.Join(r.Path, "seed-index"), "GIT_WORK_TREE=" + source}
	defer os.Remove(filepath.Join(r.Path, "seed-index"))
	if _, err := r.gitIn(ctx, source, index, "add", "--all", "."); err != nil {
		return "", err
	}
	tree, err := r.git(ctx, index, "write-tree")
	if err != nil {
		return "", err
	}
	if commit, err = r.git(ctx, nil, "commit-tree", "-m", "Open Storedog", tree); err != nil {
		return "", err
	}
	for _, branch := range branches {
		if _, err := r.git(ctx, nil, "update-ref", "refs/heads/"+branch, commit); err != nil {
			return "", err
		}
	}
	return commit, nil
}

// WriteHook writes the hook that runs after each push.
func (r Repository) WriteHook(script string) error {
	if err := os.MkdirAll(filepath.Join(r.Path, "hooks"), 0o755); err != nil {
		return fmt.Errorf("write the hook: %w", err)
	}
	if err := os.WriteFile(filepath.Join(r.Path, "hooks", "post-receive"), []byte(script), 0o755); err != nil {
		return fmt.Errorf("write the hook: %w", err)
	}
	return nil
}

// version returns the short name of a commit, at least 7 digits.
func (r Repository) version(ctx context.Context, commit string) (string, error) {
	return r.git(ctx, nil, "rev-parse", "--short=7", "--verify", commit+"^{commit}")
}

// checkOut writes the files of a commit into a directory.
func (r Repository) checkOut(ctx context.Context, commit, dir string) error {
	env := []string{"GIT_INDEX_FILE=" + dir + ".index", "GIT_WORK_TREE=" + dir}
	defer os.Remove(dir + ".index")
	_, err := r.gitIn(ctx, dir, env, "checkout", "--quiet", "--force", commit, "--", ".")
	return err
}

func (r Repository) git(ctx context.Context, env []string, args ...string) (string, error) {
	return r.gitIn(ctx, filepath.Dir(r.Path), env, args...)
}

// gitIn runs git on the repository, in a directory, and returns what it prints. The
// user's config has no say, nor has the environment of the hook this may run in.
func (r Repository) gitIn(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "GIT_") {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	cmd.Env = append(cmd.Env,
		"GIT_DIR="+r.Path, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Storedog", "GIT_AUTHOR_EMAIL=storedog@example.com",
		"GIT_COMMITTER_NAME=Storedog", "GIT_COMMITTER_EMAIL=storedog@example.com")
	cmd.Env = append(cmd.Env, env...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(stdout.String()), nil
}
