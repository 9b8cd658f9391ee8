package revert

import (
	"context"
	"net/mail"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRevertACommit(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	bad := r.commit("Rename code to coupon", "a\nBROKEN\nc\n")
	r.push()
	r.write("result.json", "{}") // what the job itself leaves there
	p := r.repository("HEAD")
	judged := r.observe(p)
	o, err := p.Revert(t.Context(), judged, evidence, false)
	if err != nil {
		t.Fatal(err)
	}
	head := r.git("rev-parse", "HEAD")
	if r.read("code") != "a\nb\nc\n" || r.deployed("canary") != head || head == bad {
		t.Errorf("code %q, deployed %s of %s", r.read("code"), r.deployed("canary"), head)
	}
	equal(t, "commands", o.Commands, []string{"git revert --no-edit " + bad, "git push deploy HEAD:refs/heads/canary"})
	equal(t, "reverts", o.Reverts, []string{head})
	if o.Pushed != "deploy/canary" || len(o.Reverted) != 1 || o.Reverted[0].SHA != bad {
		t.Errorf("%+v", o)
	}
	want := `Revert "Rename code to coupon"

This reverts commit ` + bad + `.

canary-judge judged the canary of shop: FAIL after 6 of 30 min: errors
are 4.1x the baseline (2.9x to 5.8x; tolerated 1.25x)

Canary-Judge-Verdict: fail
Canary-Judge-Failed: errors
Canary-Judge-Failed: slow requests
Canary-Judge-Reverts: ` + bad
	if got := r.git("log", "-1", "--format=%B"); got != want {
		t.Errorf("the message is\n%s\nwant\n%s", got, want)
	}
	// Git's own tools read the trailers.
	if got := r.git("log", "-1", "--format=%(trailers:key=Canary-Judge-Reverts,valueonly)"); got != bad {
		t.Errorf("git reads the trailer as %q", got)
	}
	if got := r.git("log", "-1", "--format=%an <%ae> %cn <%ce>"); got != "canary-judge <canary-judge@users.noreply.github.com> canary-judge <canary-judge@users.noreply.github.com>" {
		t.Errorf("the revert is by %s", got)
	}

	// The second time nothing happens.
	before := r.state()
	o, err = p.Revert(t.Context(), judged, evidence, false)
	if err != nil || len(o.Commands) > 0 || o.Pushed != "" || r.state() != before || !slices.Equal(o.Reverts, []string{head}) {
		t.Errorf("the second time: %+v, %v", o, err)
	}
	equal(t, "notes", o.Notes, []string{"the change is reverted already, by " + head})

	// Its own revert is not reverted.
	healed := r.observe(p)
	_, err = p.Revert(t.Context(), healed, evidence, false)
	r.refuses(before, err, "is itself a revert that canary-judge made")
}

func TestRevertARange(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	first := r.commit("one", "a\nb\nc\nd\n")
	second := r.commit("two", "a\nb\nc\nd\ne\n")
	third := r.commit("three", "A\nb\nc\nd\ne\n")
	r.push()
	p := r.repository(first + "..HEAD")
	o, err := p.Revert(t.Context(), r.observe(p), evidence, false)
	if err != nil {
		t.Fatal(err)
	}
	if r.read("code") != "a\nb\nc\nd\n" || r.deployed("canary") != r.git("rev-parse", "HEAD") {
		t.Errorf("code %q", r.read("code"))
	}
	equal(t, "subjects", r.subjects(3), []string{`Revert "two"`, `Revert "three"`, "three"})
	equal(t, "commands", o.Commands, []string{
		"git revert --no-edit " + third, "git revert --no-edit " + second, "git push deploy HEAD:refs/heads/canary",
	})
}

func TestRevertAMerge(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.git("checkout", "--quiet", "-b", "feature")
	r.commit("feature, part one", "a\nb\nc\nd\n")
	r.commit("feature, part two", "a\nb\nc\nd\ne\n")
	r.git("checkout", "--quiet", "canary")
	r.write("other", "x")
	r.git("add", "other")
	r.git("commit", "--quiet", "-m", "beside")
	r.git("merge", "--quiet", "--no-ff", "-m", "Merge feature", "feature")
	r.push()
	for _, commit := range []string{"HEAD", "HEAD^1..HEAD"} {
		merge := r.git("rev-parse", "HEAD")
		p := r.repository(commit)
		o, err := p.Revert(t.Context(), r.observe(p), evidence, false)
		if err != nil {
			t.Fatal(err)
		}
		if r.read("code") != "a\nb\nc\n" || r.read("other") != "x" {
			t.Errorf("%s: code %q", commit, r.read("code"))
		}
		equal(t, "commands", o.Commands, []string{"git revert --no-edit --mainline=1 " + merge, "git push deploy HEAD:refs/heads/canary"})
		r.git("reset", "--quiet", "--hard", merge)
		r.git("push", "--quiet", "--force", "deploy", "canary")
	}
	p := r.repository("HEAD")
	p.Settings.Mainline = 3
	_, err := p.Observe(t.Context())
	r.refuses(r.state(), err, "has 2 parents; on_fail.revert.mainline is 3")
}

func TestADryRunChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	bad := r.commit("bad", "a\nb\n")
	r.push()
	before := r.state()
	p := r.repository("HEAD")
	o, err := p.Revert(t.Context(), r.observe(p), evidence, true)
	if err != nil || r.state() != before {
		t.Errorf("%v; the repository is\n%s", err, r.state())
	}
	equal(t, "commands", o.Commands, []string{"git revert --no-edit " + bad, "git push deploy HEAD:refs/heads/canary"})
}

func TestAShallowCloneThatLacksTheParent(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	bad := r.commit("bad", "a\nBAD\nc\n")
	r.push()
	r.git("clone", "--quiet", "--depth=1", "--branch=canary", "file://"+filepath.Join(r.env["HOME"], "deploy.git"), filepath.Join(r.env["HOME"], "shallow"))
	r.dir = filepath.Join(r.env["HOME"], "shallow")
	p := r.repository("HEAD")
	p.Settings.Remote = "origin"
	_, err := p.Observe(t.Context())
	if err == nil || !strings.Contains(err.Error(), "lacks the parent of "+bad[:12]) || !strings.Contains(err.Error(), "git fetch --deepen=1") {
		t.Errorf("%v", err)
	}
	p.Settings.Commit = "HEAD~1"
	if _, err := p.Observe(t.Context()); err == nil || !strings.Contains(err.Error(), "the clone is shallow: fetch more of it") {
		t.Errorf("%v", err)
	}
	// What it says helps.
	r.git("fetch", "--quiet", "--deepen=1")
	p.Settings.Commit = "HEAD"
	if _, err := p.Revert(t.Context(), r.observe(p), evidence, false); err != nil {
		t.Error(err)
	}
	if r.read("code") != "a\nb\nc\n" {
		t.Errorf("code %q", r.read("code"))
	}
}

// A revert by hand counts as one, until it is taken back itself.
func TestRevertsByHand(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	bad := r.commit("bad", "a\nBAD\nc\n")
	r.push()
	p := r.repository(bad)
	judged := r.observe(p)
	r.git("revert", "--no-edit", bad)
	r.push()
	o, err := p.Revert(t.Context(), judged, evidence, false)
	if err != nil || len(o.Commands) > 0 {
		t.Errorf("reverted by hand: %+v, %v", o, err)
	}
	r.git("revert", "--no-edit", "HEAD")
	r.push()
	judged = r.observe(p)
	o, err = p.Revert(t.Context(), judged, evidence, false)
	if err != nil || len(o.Reverts) != 1 || r.read("code") != "a\nb\nc\n" {
		t.Errorf("applied again: %+v, %v", o, err)
	}
}

func TestWhoReverts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		setup func(r *repo, p *Repository)
		want  string
	}{
		{"git's own", func(r *repo, _ *Repository) {
			r.git("config", "user.name", "Bob")
			r.git("config", "user.email", "bob@example.com")
		}, "Bob <bob@example.com>, Bob <bob@example.com>"},
		{"the config's", func(_ *repo, p *Repository) {
			p.Settings.Author = mail.Address{Name: "Release bot", Address: "bot@example.com"}
		}, "Release bot <bot@example.com>, Release bot <bot@example.com>"},
		{"the environment's", func(r *repo, _ *Repository) {
			for _, who := range []string{"AUTHOR", "COMMITTER"} {
				r.env["GIT_"+who+"_NAME"], r.env["GIT_"+who+"_EMAIL"] = "Eve", "eve@example.com"
			}
		}, "Eve <eve@example.com>, Eve <eve@example.com>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t)
			r.commit("bad", "a\nBAD\nc\n")
			r.push()
			p := r.repository("HEAD")
			c.setup(r, p)
			if _, err := p.Revert(t.Context(), r.observe(p), evidence, false); err != nil {
				t.Fatal(err)
			}
			if got := r.git("log", "-1", "--format=%an <%ae>, %cn <%ce>"); got != c.want {
				t.Errorf("the revert is by %s, want %s", got, c.want)
			}
		})
	}
}

// A detached HEAD is what many CI systems check out; with the branch named, that is
// enough.
func TestADetachedHeadWithABranchNamed(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.commit("bad", "a\nBAD\nc\n")
	r.push()
	r.git("checkout", "--quiet", "--detach")
	p := r.repository("HEAD")
	p.Settings.Branch = "canary"
	o, err := p.Revert(t.Context(), r.observe(p), evidence, false)
	if err != nil || o.Pushed != "deploy/canary" || r.deployed("canary") != r.git("rev-parse", "HEAD") {
		t.Errorf("%+v, %v", o, err)
	}
}

// The files of a container's workspace belong to somebody else.
func TestARepositoryOfSomebodyElse(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.commit("bad", "a\nBAD\nc\n")
	r.push()
	p := r.repository("HEAD")
	p.Env = map[string]string{"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
	for name, value := range r.env {
		p.Env[name] = value
	}
	_, err := p.Observe(t.Context())
	if err == nil || !strings.Contains(err.Error(), "belong to another user") || !strings.Contains(err.Error(), "safe.directory") {
		t.Errorf("%v", err)
	}
	p.Env["GITHUB_ACTIONS"], p.Env["GITHUB_WORKSPACE"] = "true", r.dir
	r.git("config", "--global", "safe.directory", "../deploy.git") // a remote is another machine's, elsewhere
	if _, err := p.Observe(t.Context()); err != nil {
		t.Errorf("in GitHub's workspace: %v", err)
	}
	p.Env["GIT_CONFIG_COUNT"], p.Env["GIT_CONFIG_KEY_0"], p.Env["GIT_CONFIG_VALUE_0"] = "1", "core.abbrev", "10"
	if _, err := p.Observe(t.Context()); err != nil {
		t.Errorf("with settings in the environment: %v", err)
	}
}

func TestWithoutGitOrARepository(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	p := r.repository("HEAD")
	p.Dir = r.env["HOME"]
	if _, err := p.Observe(t.Context()); err == nil || !strings.Contains(err.Error(), "run the job in the repository that is deployed") {
		t.Errorf("%v", err)
	}
	// A job in a hook inherits variables that lead elsewhere.
	p = r.repository("HEAD~0")
	r.commit("bad", "a\n")
	r.push()
	p.Env = map[string]string{"GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere/index"}
	for name, value := range r.env {
		p.Env[name] = value
	}
	if _, err := p.Observe(t.Context()); err != nil {
		t.Errorf("in a hook: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Observe(ctx); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("cancelled: %v", err)
	}
}

// Texts from outside stay in their places in a message, and are no options.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	subject := "--amend \"; $(touch /tmp/x) `x` # no comment"
	bad := r.commit(subject, "a\nBAD\nc\n")
	r.push()
	e := evidence
	e.Failed = []string{"# name", "Canary-Judge-Reverts: 0000"}
	p := r.repository("HEAD")
	if _, err := p.Revert(t.Context(), r.observe(p), e, false); err != nil {
		t.Fatal(err)
	}
	if got := r.subjects(1)[0]; got != `Revert "`+subject+`"` {
		t.Errorf("the subject is %q", got)
	}
	if got := r.git("log", "-1", "--format=%(trailers:key=Canary-Judge-Reverts,valueonly)"); got != bad {
		t.Errorf("the trailer is %q", got)
	}
}
