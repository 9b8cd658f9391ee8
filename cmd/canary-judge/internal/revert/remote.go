package revert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/web"
)

// remote is where the reverted branch is. What git may have been told of it for
// everyday pushes (mirrors, refspecs, tags, submodules) does not hold.
type remote struct {
	*clone
	name    string
	address string // that is pushed to; "" until it is known
}

// branch is a branch on a remote, and the commit it is at.
type branch struct{ ref, at string }

// errNoBranch is the cause where a remote has not the branch.
var errNoBranch = errors.New("no such branch")

func (r *Repository) remote(p *clone) *remote { return &remote{clone: p, name: r.Settings.Remote} }

// refs are the full names that a branch in the settings may mean, those that are meant
// first: x, heads/x, refs/heads/x and REMOTE/x mean one thing.
func (r *Repository) refs(name string) []string {
	if strings.HasPrefix(name, heads) {
		return []string{name}
	}
	for _, prefix := range []string{"refs/remotes/", "remotes/"} {
		if rest, ok := strings.CutPrefix(name, prefix+r.Settings.Remote+"/"); ok {
			return []string{heads + rest}
		}
	}
	if strings.HasPrefix(name, "refs/") {
		return []string{name}
	}
	all := []string{heads + name}
	for _, prefix := range []string{"heads/", r.Settings.Remote + "/"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			all = append(all, heads+rest)
		}
	}
	return all
}

// resolve finds the one address that is pushed to. Reading from there too is what
// makes what is read be what was pushed.
func (m *remote) resolve(ctx context.Context) error {
	if m.address != "" {
		return nil
	}
	all, err := m.output(ctx, "remote", "get-url", "--push", "--all", m.name)
	if err != nil { // a path is a remote, too
		all, err = m.output(ctx, "ls-remote", "--get-url", m.name)
	}
	if err != nil {
		return err
	}
	addresses := strings.Split(all, "\n")
	if len(addresses) > 1 {
		return fmt.Errorf("the remote %s pushes to %d addresses, and which of them deploys cannot be told: name a remote with one (on_fail.revert.push)", m.name, len(addresses))
	}
	m.address = addresses[0]
	m.secrets = append(slices.Clone(m.secrets), credentialsIn(m.address)...)
	// A name of ours for it: pushes and reads go by rules of their own to addresses that
	// git rewrites, and what is on a command line is for all to see.
	read, err := m.output(ctx, "ls-remote", "--get-url", m.name)
	if err != nil {
		return err
	}
	if read != m.address {
		m.git = m.withSettings("remote." + readBack + ".url=" + m.address)
		if read, err = m.output(ctx, "ls-remote", "--get-url", readBack); err != nil {
			return err
		}
		if read != m.address {
			return fmt.Errorf("git pushes to %s at %s, and would read what it pushed at %s: make the rules url.*.insteadOf agree", m.name, web.Quote(m.address, m.secrets...), web.Quote(read, m.secrets...))
		}
	}
	return nil
}

// credentialsIn returns what of an address is for nobody to see: user and password, and the
// values of a query.
func credentialsIn(address string) []web.Secret {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	var all []web.Secret
	add := func(text string, least int) { // a short one would strike out parts of words
		if len(text) >= least {
			all = append(all, web.Secret(text), web.Secret(url.QueryEscape(text)), web.Secret(url.PathEscape(text)))
		}
	}
	if u.User != nil {
		password, _ := u.User.Password()
		add(password, 6)
		add(u.User.Username(), 12) // a token may stand for the user
	}
	for _, values := range u.Query() {
		for _, value := range values {
			add(value, 6)
		}
	}
	return all
}

// readBack is the name under which an address is read that is only pushed to.
const readBack = "canary-judge-read-back"

// reading is the name to read by.
func (m *remote) reading() string {
	if slices.ContainsFunc(m.config, func(c string) bool { return strings.HasPrefix(c, "remote."+readBack+".url=") }) {
		return readBack
	}
	return m.name
}

// read returns where branches are, by their full names. Those that the remote has not
// are left out.
func (m *remote) read(ctx context.Context, refs ...string) (map[string]string, error) {
	if err := m.resolve(ctx); err != nil {
		return nil, err
	}
	said, err := m.output(ctx, append([]string{"ls-remote", "--symref", m.reading()}, refs...)...)
	if err != nil {
		return nil, err
	}
	at := map[string]string{}
	for line := range strings.SplitSeq(said, "\n") {
		value, ref, _ := strings.Cut(line, "\t")
		if !slices.Contains(refs, ref) { // a pattern fits the ends of names, too
			continue
		}
		if other, ok := strings.CutPrefix(value, "ref: "); ok {
			return nil, fmt.Errorf("%s on %s is another name for %s: name that as the branch (on_fail.revert.branch)", ref, m.name, other)
		}
		at[ref] = value
	}
	return at, nil
}

// branch finds the branch that has one of several names.
func (m *remote) branch(ctx context.Context, names []string) (branch, error) {
	for _, name := range names {
		if !strings.HasPrefix(name, heads) {
			return branch{}, fmt.Errorf("%s is no branch: what is deployed by a revert is one (on_fail.revert.branch)", name)
		}
		if bad, err := m.exitCode(ctx, "check-ref-format", name); err != nil {
			return branch{}, err
		} else if bad == 1 {
			return branch{}, fmt.Errorf("%s is no name of a branch as git has them (on_fail.revert.branch)", name)
		}
	}
	at, err := m.read(ctx, names...)
	if err != nil {
		return branch{}, err
	}
	var there []branch
	for _, name := range names {
		if id := at[name]; id != "" {
			there = append(there, branch{name, id})
		}
	}
	switch len(there) {
	case 0:
		return branch{}, fmt.Errorf("%w: the remote %s has no %s: push it first, or name the branch that is deployed (on_fail.revert.branch)", errNoBranch, m.name, strings.Join(names, " or "))
	case 1:
		return there[0], nil
	}
	return branch{}, fmt.Errorf("the remote %s has %s and %s: write the one that is meant in full (on_fail.revert.branch)", m.name, there[0].ref, there[1].ref)
}

// target is the branch on the remote that a revert is for, and where it is now: that
// which is deployed, or the one that the pull request is for.
func (r *Repository) target(ctx context.Context, p *clone, deployed string) (branch, error) {
	names := []string{deployed}
	if r.Settings.Base != "" {
		names = r.refs(r.Settings.Base)
	}
	m := r.remote(p)
	b, err := m.branch(ctx, names)
	if err != nil {
		if r.Settings.Base != "" {
			err = fmt.Errorf("on_fail.revert.base: %w", err)
		}
		return b, err
	}
	return b, m.fetch(ctx, b)
}

// fetch gets the commits of a branch, unless they are here. No branch here moves.
func (m *remote) fetch(ctx context.Context, b branch) error {
	if _, missing := m.output(ctx, "cat-file", "-e", b.at+"^{commit}"); missing == nil {
		return nil
	}
	err := m.do(ctx, "fetch", "--quiet", "--no-tags", "--no-prune", "--no-write-fetch-head", "--no-auto-gc", "--recurse-submodules=no", "--refmap=", m.reading(), b.ref)
	if err != nil {
		return err
	}
	if _, missing := m.output(ctx, "cat-file", "-e", b.at+"^{commit}"); missing != nil {
		return fmt.Errorf("%s on %s moves while it is read: try again", b.ref, m.name)
	}
	return nil
}

// pushing are the arguments of a push of one object to one branch that is where it was
// seen last, and of nothing else. An empty id stands for a branch that is not there yet.
func (m *remote) pushing(id string, b branch) []string {
	return []string{
		"push", "--porcelain", "--no-follow-tags", "--recurse-submodules=no", "--force-with-lease=" + b.ref + ":" + b.at,
		m.name, id + ":" + b.ref,
	}
}

// pusher is git as it pushes. Of the repository's hooks only that before a push is run,
// which may refuse.
func (m *remote) pusher(ctx context.Context) (git, error) {
	g := m.withSettings("remote."+m.name+".mirror=false", "push.followTags=false")
	// As the repository has it, which may keep its hooks elsewhere.
	g.config = slices.DeleteFunc(g.config, func(c string) bool { return strings.HasPrefix(c, "core.hooksPath=") })
	hook, err := g.output(ctx, "rev-parse", "--path-format=absolute", "--git-path", "hooks/pre-push")
	if err != nil {
		return g, err
	}
	hooks := filepath.Join(m.scratch, "hooks")
	if err := os.MkdirAll(hooks, 0o700); err != nil {
		return g, err
	}
	if info, err := os.Stat(hook); err == nil && info.Mode()&0o111 != 0 {
		script := "#!/bin/sh\nexec '" + strings.ReplaceAll(hook, "'", `'\''`) + "' \"$@\"\n"
		if err := os.WriteFile(filepath.Join(hooks, "pre-push"), []byte(script), 0o700); err != nil { //nolint:gosec // git runs it
			return g, err
		}
	}
	return g.withSettings("core.hooksPath=" + hooks), nil
}

// push moves a branch from where it was seen to a commit, and reports whether it did:
// another job may have made and pushed the very same commit.
func (m *remote) push(ctx context.Context, id string, b branch, heard io.Writer) (moved bool, err error) {
	if err := m.resolve(ctx); err != nil {
		return false, err
	}
	g, err := m.pusher(ctx)
	if err != nil {
		return false, err
	}
	var said bytes.Buffer
	err = g.run(ctx, "", &said, heard, m.pushing(id, b)...)
	var e *gitError
	for line := range strings.SplitSeq(said.String(), "\n") {
		// https://git-scm.com/docs/git-push#_output: a flag, the refs, and a reason.
		moved = moved || strings.HasPrefix(line, " \t") || strings.HasPrefix(line, "*\t")
		if errors.As(err, &e) && strings.HasPrefix(line, "!\t") {
			e.stderr = strings.TrimSpace(e.stderr + " " + web.Quote(line, m.secrets...))
		}
	}
	return moved && err == nil, err
}

// mayPush reports why the job may not push to a branch. It pushes nothing.
func (m *remote) mayPush(ctx context.Context, id, ref string) error {
	if err := m.resolve(ctx); err != nil {
		return err
	}
	g, err := m.pusher(ctx)
	if err != nil {
		return err
	}
	return g.do(ctx, append([]string{"push", "--dry-run", "--no-verify"}, m.pushing(id, branch{ref, id})[1:]...)...)
}
