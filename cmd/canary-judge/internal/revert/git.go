package revert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/providers"
)

// git runs the program git in a directory. It never asks for anything, never opens
// an editor, and speaks English, since some of what it says is looked at.
type git struct {
	dir     string
	env     []string
	timeout time.Duration
	secrets []providers.Secret
}

// newGit prepares git with an environment. Variables that would lead it to
// another repository than that in dir are left out: a job that runs in a git hook
// inherits them.
func newGit(dir string, env map[string]string, timeout time.Duration, secrets ...providers.Secret) git {
	leading := []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_QUARANTINE_PATH"}
	g := git{dir: dir, timeout: timeout, secrets: secrets}
	for name, value := range env {
		if !slices.Contains(leading, name) {
			g.env = append(g.env, name+"="+value)
		}
	}
	slices.Sort(g.env)
	g.env = append(g.env, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_EDITOR=true", "GIT_OPTIONAL_LOCKS=0")
	return g
}

// with returns a git with further variables.
func (g git) with(env ...string) git {
	g.env = append(slices.Clone(g.env), env...)
	return g
}

// trusting returns a git that trusts the repository although its files belong to
// somebody else: GitHub's runner checks out as another user than the one that a
// container runs as. count is what GIT_CONFIG_COUNT is already.
func (g git) trusting(dir string, count string) git {
	n, _ := strconv.Atoi(count) // 0 where it is not set
	return g.with(
		"GIT_CONFIG_COUNT="+strconv.Itoa(n+1),
		fmt.Sprintf("GIT_CONFIG_KEY_%d=safe.directory", n),
		fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, dir),
	)
}

// gitError is a git command that failed.
type gitError struct {
	args   []string
	code   int    // exit code, -1 when it did not run to its end
	stderr string // cleaned
	err    error
}

func (e *gitError) Error() string {
	text := "git " + strings.Join(e.args, " ") + ": " + e.err.Error()
	if e.stderr != "" {
		text += ": " + e.stderr
	}
	if cure := cureOf(e.stderr); cure != "" {
		text += "; " + cure
	}
	return text
}

func (e *gitError) Unwrap() error { return e.err }

// out runs git and returns what it prints, without the newline at the end.
func (g git) out(ctx context.Context, args ...string) (string, error) {
	var b bytes.Buffer
	err := g.run(ctx, "", &b, nil, args...)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// do runs git for what it does.
func (g git) do(ctx context.Context, args ...string) error {
	return g.run(ctx, "", io.Discard, nil, args...)
}

// code runs git for its exit code alone: 0 and 1 are answers, anything else is an
// error.
func (g git) code(ctx context.Context, args ...string) (int, error) {
	err := g.do(ctx, args...)
	var e *gitError
	if errors.As(err, &e) && e.code == 1 {
		return 1, nil
	}
	return 0, err
}

// run runs git with a text on its standard input. What it says on its standard
// error goes to heard too, unless that is nil.
func (g git) run(ctx context.Context, input string, stdout, heard io.Writer, args ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, g.timeout, fmt.Errorf("not done within %s; raise the timeout if that is too short", g.timeout))
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...) //nolint:gosec // the arguments are ours, or names that were checked
	cmd.Dir, cmd.Env = g.dir, g.env
	if input != "" {
		cmd.Stdin = strings.NewReader(input)
	}
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	if heard != nil {
		cmd.Stderr = io.MultiWriter(&stderr, heard)
	}
	// A remote's hook may leave something behind that holds the pipe.
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if err == nil {
		return nil
	}
	e := &gitError{args: shown(args), code: -1, err: err, stderr: providers.Quote(stderr.String(), g.secrets...)}
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		e.err, e.stderr = errors.New("git is not installed here"), ""
	case ctx.Err() != nil:
		e.err = context.Cause(ctx)
	case errors.As(err, &exit):
		e.code = exit.ExitCode()
	}
	return e
}

// shown is a command line for messages: without what only git needs.
func shown(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "--quiet" })
}

// cures are what to do about what git complains of, by a part of its words. The
// first that fits counts.
var cures = []struct{ said, cure string }{
	{"dubious ownership", "the repository's files belong to another user than this job's; run the job as that user, such as docker run --user \"$(id -u):$(id -g)\", or allow it: git config --global --add safe.directory DIR"},
	{"not a git repository", "run the job in the repository that is deployed, checked out"},
	{"terminal prompts disabled", credentials},
	{"could not read Username", credentials},
	{"Authentication failed", credentials},
	{"Permission denied (publickey", credentials},
	{"Host key verification failed", "the host is not known: add its key to known_hosts before the job"},
	{"requested URL returned error: 403", credentials},
	{"Write access to repository not granted", credentials},
	{"protected branch", protected},
	{"GH006", protected},
	{"GH013", protected},
	{"fetch first", moved},
	{"non-fast-forward", moved},
	{"pre-receive hook declined", "the remote's own rules refuse it; its words are above"},
	{"does not appear to be a git repository", "no such remote can be read: git remote -v lists what there is; set on_fail.revert.push"},
	{"unable to auto-detect email address", "set on_fail.revert.author"},
	{"gpg failed to sign", "this job cannot sign commits: give it a key, or set commit.gpgsign to false for it"},
	{"index.lock", "another git is at work in the repository, or one crashed: remove the lock if there is none"},
}

const (
	credentials = "the job may not write to the remote: give it credentials that may; on GitHub: permissions: {contents: write}, and actions/checkout with persist-credentials"
	protected   = "the branch is protected: use mode: pr, or let the job past the protection"
	moved       = "the remote's branch has moved on since it was checked out, and nothing is forced: pull, and revert what is still to be reverted"
)

// cureOf returns what to do about what git says, or "".
func cureOf(stderr string) string {
	for _, c := range cures {
		if strings.Contains(stderr, c.said) {
			return c.cure
		}
	}
	return ""
}

// within reports whether a path lies in a directory.
func within(path, dir string) bool {
	if dir == "" {
		return false
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
