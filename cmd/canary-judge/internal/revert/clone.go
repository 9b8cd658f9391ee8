package revert

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/forgeapi"
	"github.com/canary-judge/canary-judge/web"
)

// clone is a repository in which reverts are worked out. Neither its working tree nor
// its index nor any of its branches takes part in that.
type clone struct {
	git
	bare    bool
	dirs    string // where git keeps the repository
	objects string
	minor   int    // of git's version 2.minor
	scratch string // a directory that goes away with the clone
}

// oldest is the first git with merge-tree --write-tree:
// https://github.com/git/git/blob/master/Documentation/RelNotes/2.38.0.txt
const oldest = 38

// open opens the repository. What is made there is kept in it if keep is set and it can
// be written to, and goes away with the value otherwise. Who opens it closes it.
func (r *Repository) open(ctx context.Context, keep bool) (*clone, error) {
	if !config.GitName(r.Settings.Remote) {
		return nil, fmt.Errorf("the remote is named %q, which git would not take for one", web.Quote(r.Settings.Remote))
	}
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return nil, err
	}
	g := newGit(dir, r.Env, r.secrets()...)
	if r.Env["GITHUB_ACTIONS"] == "true" && within(dir, r.Env["GITHUB_WORKSPACE"]) {
		g = g.trusting(r.Env["GITHUB_WORKSPACE"], r.Env["GIT_CONFIG_COUNT"])
	}
	p := &clone{git: g}
	said, err := g.output(ctx, "version")
	if err != nil {
		return nil, err
	}
	if p.minor, err = versionOf(said); err != nil {
		return nil, err
	}
	if err := p.find(ctx); err != nil {
		return nil, err
	}
	if p.git, err = r.identified(ctx, p.git); err != nil {
		return nil, err
	}
	if p.scratch, err = os.MkdirTemp("", "canary-judge-revert-*"); err != nil {
		return nil, fmt.Errorf("work out the revert: %w", err)
	}
	if !keep || !writable(p.objects) {
		err = p.borrow()
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// close removes what is not kept.
func (p *clone) close() { _ = os.RemoveAll(p.scratch) } // what is left there is in the way of nobody

// secrets are the tokens that git may repeat.
func (r *Repository) secrets() []web.Secret {
	return []web.Secret{forgeapi.GitHubToken(r.Env), forgeapi.GitLabToken(r.Env), web.Secret(r.Env["CI_JOB_TOKEN"])}
}

// versionOf reads what git says its version is, as 2.minor, and reports one that is too old.
func versionOf(said string) (minor int, err error) {
	var major int
	if _, err := fmt.Sscanf(said, "git version %d.%d", &major, &minor); err != nil {
		return 0, fmt.Errorf("git says its version is %q, which is none", web.Quote(said))
	}
	if major > 2 {
		return newest, nil
	}
	if major < 2 || minor < oldest {
		return 0, fmt.Errorf("git here is %d.%d, and a revert takes 2.%d or newer (git merge-tree --write-tree): install a newer git, or use the image, which has it", major, minor, oldest)
	}
	return minor, nil
}

// newest stands for the minor version of every git after 2.
const newest = 1000

// find finds the repository's directories.
func (p *clone) find(ctx context.Context) error {
	said, err := p.output(ctx, "rev-parse", "--path-format=absolute", "--is-inside-work-tree", "--is-bare-repository", "--git-dir", "--git-path", "objects")
	if err != nil {
		return err
	}
	lines := strings.SplitN(said, "\n", 4)
	if len(lines) != 4 {
		return fmt.Errorf("git tells its directories as %q", web.Quote(said))
	}
	p.bare, p.dirs, p.objects = lines[1] == "true", filepath.FromSlash(lines[2]), filepath.FromSlash(lines[3])
	if lines[0] != "true" {
		p.dir = p.dirs
	} else {
		top, err := p.output(ctx, "rev-parse", "--show-toplevel")
		if err != nil {
			return err
		}
		p.dir = filepath.FromSlash(top)
	}
	return nil
}

// writable reports whether files can be made in a directory.
func writable(dir string) bool {
	f, err := os.CreateTemp(dir, "tmp_obj_*") // a name that git itself clears away
	if err != nil {
		return false
	}
	return errors.Join(f.Close(), os.Remove(f.Name())) == nil
}

// borrow has git keep new objects apart from the repository, whose own it sees.
func (p *clone) borrow() error {
	apart := filepath.Join(p.scratch, "objects")
	for _, dir := range []string{"info", "pack"} {
		if err := os.MkdirAll(filepath.Join(apart, dir), 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(apart, "info", "alternates"), []byte(p.objects+"\n"), 0o600); err != nil {
		return err
	}
	p.git = p.withVariables("GIT_OBJECT_DIRECTORY=" + apart)
	return nil
}

// identified returns a git that can commit: under the name in the settings,
// under its own, or under ours.
func (r *Repository) identified(ctx context.Context, g git) (git, error) {
	as := func(name, address string) git {
		return g.withVariables("GIT_AUTHOR_NAME="+name, "GIT_AUTHOR_EMAIL="+address, "GIT_COMMITTER_NAME="+name, "GIT_COMMITTER_EMAIL="+address)
	}
	if a := r.Settings.Author; a.Address != "" {
		return as(a.Name, a.Address), nil
	}
	for _, key := range []string{"name", "email"} {
		if r.Env["GIT_COMMITTER_"+strings.ToUpper(key)] != "" || key == "email" && r.Env["EMAIL"] != "" {
			continue
		}
		for _, who := range []string{"committer.", "user."} {
			unset, err := g.exitCode(ctx, "config", "--get", who+key)
			if err != nil {
				return g, err
			}
			if unset == 0 {
				break
			}
			if who == "user." {
				return as("canary-judge", "canary-judge@users.noreply.github.com"), nil
			}
		}
	}
	return g, nil
}
