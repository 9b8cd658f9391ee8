package revert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/web"
)

// git runs the program git in a directory. It never asks for anything, never opens
// an editor, and speaks English, since some of what it says is looked at.
type git struct {
	dir     string
	env     []string
	secrets []web.Secret
	// config are settings that count more than those of any file, as KEY=VALUE.
	config []string
}

// passedVariables are the variables for git that it gets from the job: who commits, how the remote
// is reached, and which settings hold. All others would lead it to another repository,
// or to other objects, than those in dir: a job that runs in a git hook inherits them.
var passedVariables = regexp.MustCompile(`^GIT_(AUTHOR|COMMITTER)_(NAME|EMAIL|DATE)$|` +
	`^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|PROXY_COMMAND|ALLOW_PROTOCOL|EXEC_PATH|DISCOVERY_ACROSS_FILESYSTEM|CEILING_DIRECTORIES)$|` +
	`^GIT_(HTTP|SSL|TEST)_|^GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|PARAMETERS|COUNT|KEY_\d+|VALUE_\d+)$`)

// fixedSettings are settings under which git does what it is told and nothing beside: no hooks,
// no housekeeping, no other repositories, objects as they are and not as they are
// replaced here.
var fixedSettings = []string{
	"core.hooksPath=" + os.DevNull, "core.fsmonitor=false", "core.useReplaceRefs=false", "gc.auto=0", "maintenance.auto=false",
	"submodule.recurse=false", "fetch.recurseSubmodules=false", "i18n.commitEncoding=UTF-8", "i18n.logOutputEncoding=UTF-8", "core.quotePath=false",
}

// newGit prepares git with an environment.
func newGit(dir string, env map[string]string, secrets ...web.Secret) git {
	g := git{dir: dir, secrets: secrets, config: fixedSettings}
	for name, value := range env {
		if !strings.HasPrefix(name, "GIT_") || passedVariables.MatchString(name) {
			g.env = append(g.env, name+"="+value)
		}
	}
	slices.Sort(g.env)
	g.env = append(g.env, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_EDITOR=true", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_REPLACE_OBJECTS=1")
	return g
}

// withSettings returns a git with further settings.
func (g git) withSettings(config ...string) git {
	g.config = append(slices.Clone(g.config), config...)
	return g
}

// withVariables returns a git with further variables.
func (g git) withVariables(env ...string) git {
	g.env = append(slices.Clone(g.env), env...)
	return g
}

// trusting returns a git that trusts the repository although its files belong to
// somebody else: GitHub's runner checks out as another user than the one that a
// container runs as. count is what GIT_CONFIG_COUNT is already.
func (g git) trusting(dir string, count string) git {
	n, _ := strconv.Atoi(count) // 0 where it is not set
	return g.withVariables(
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

// output runs git and returns what it prints, without the newline at the end.
func (g git) output(ctx context.Context, args ...string) (string, error) {
	var b bytes.Buffer
	err := g.run(ctx, "", &b, nil, args...)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// do runs git for what it does.
func (g git) do(ctx context.Context, args ...string) error {
	return g.run(ctx, "", io.Discard, nil, args...)
}

// outputOf runs git with a text on its standard input and returns what it prints, without
// the newline at the end.
func (g git) outputOf(ctx context.Context, input string, args ...string) (string, error) {
	var b bytes.Buffer
	err := g.run(ctx, input, &b, nil, args...)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// exitCode runs git for its exit code alone: 0 and 1 are answers, anything else is an
// error.
func (g git) exitCode(ctx context.Context, args ...string) (int, error) {
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
	all := []string{}
	for _, c := range g.config {
		all = append(all, "-c", c)
	}
	cmd := exec.CommandContext(ctx, "git", append(all, args...)...) //nolint:gosec // the arguments are ours, or names that were checked
	cmd.Dir, cmd.Env = g.dir, g.env
	if input != "" {
		cmd.Stdin = strings.NewReader(input)
	}
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	if heard != nil {
		tell := &remoteLines{to: heard, secrets: g.secrets}
		defer tell.end()
		cmd.Stderr = io.MultiWriter(&stderr, tell)
	}
	// Git removes its locks when it is asked to end, and only then.
	cmd.Cancel = func() error { return endGently(cmd.Process) }
	// Also for what a remote's hook leaves behind that holds the pipe.
	cmd.WaitDelay = grace
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		err = nil // git itself has ended well
	}
	if err == nil {
		return nil
	}
	e := &gitError{args: forMessage(args), code: -1, err: err, stderr: web.Quote(stderr.String(), g.secrets...)}
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

// grace is how long git gets to end by itself, once it is asked to.
const grace = 5 * time.Second

// remoteLines passes on what a remote says, a line at a time, without secrets.
type remoteLines struct {
	to      io.Writer
	secrets []web.Secret
	line    []byte
}

func (t *remoteLines) Write(p []byte) (int, error) {
	t.line = append(t.line, p...)
	for {
		at := bytes.IndexByte(t.line, '\n')
		if at < 0 {
			return len(p), nil
		}
		if _, err := fmt.Fprintln(t.to, web.Quote(string(t.line[:at]), t.secrets...)); err != nil {
			return len(p), err
		}
		t.line = t.line[at+1:]
	}
}

// end passes on what came after the last newline.
func (t *remoteLines) end() {
	if len(t.line) > 0 {
		_, _ = t.Write([]byte("\n")) // there is nobody to tell
	}
}

// forMessage is a command line for messages: without what only git needs.
func forMessage(args []string) []string {
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
	{"You are not allowed to", credentials},
	{"protected branch", protected},
	{"GH006", protected},
	{"GH013", protected},
	{"fetch first", moved},
	{"non-fast-forward", moved},
	{"pre-receive hook declined", "the remote's own rules refuse it; its words are above"},
	{"does not appear to be a git repository", "no such remote can be read: git remote -v lists what there is; set on_fail.revert.push"},
	{"unable to auto-detect email address", "set on_fail.revert.author"},
	{"failed to sign", signing},
	{"failed to write commit object", signing},
	{"load public key", signing},
	{"stale info", moved},
}

const (
	signing     = "commit.gpgsign is set, and this job cannot sign commits: give it the key (user.signingkey, gpg.format), or set commit.gpgsign to false for it"
	credentials = "the job may not write to the remote: give it credentials that may; on GitHub: permissions: {contents: write}, and actions/checkout with persist-credentials; on GitLab: a remote with a project access token of the scope write_repository"
	protected   = "the branch is protected: use mode: pr, or let the job past the protection"
	moved       = "the remote's branch has moved on since the canary was judged, and nothing is forced: look at it, and revert what is still to be reverted"
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
