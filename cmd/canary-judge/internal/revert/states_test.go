package revert

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// state is a state of a repository, and what a run with a failed canary comes to there.
// Before it, the branch canary has a commit that is pushed and HEAD: bad changes the second
// line of the file code.
type state struct {
	name string
	// set makes the state that the run begins in; nil for that above.
	set func(s *scene)
	// during happens between the first look and the verdict.
	during func(s *scene)
	// exit is the run's code: 1 = done, or nothing to do; 2 = refused before the first look;
	// 4 = refused at the verdict. The command maps errors to them.
	exit int
	// says is in the error, or in the notes.
	says string
	// code is the file code on the remote afterwards; "" = the lines a, b and c
	code string
	// done tells a done revert from one that somebody else did: nothing is pushed then.
	already bool
	// stays is set when what is checked out must not follow.
	stays bool
	// plain is set when the remote's branch is only looked at for the revert to be in it.
	plain bool
	// subjects are those of the remote's newest commits, the newest first; nil = the revert's.
	subjects []string
}

// scene is a repository and what reverts in it.
type scene struct {
	*repo
	p      *Repository
	bad    string
	ref    string // branch on the remote that is reverted
	remote string // directory of the remote
	plain  bool   // the files on the remote are not looked at
}

func setScene(t *testing.T) *scene {
	t.Helper()
	r := newRepo(t)
	s := &scene{repo: r, p: r.repository("HEAD"), ref: "refs/heads/canary", remote: filepath.Join(r.env["HOME"], "deploy.git")}
	s.bad = r.commit("bad", "a\nBAD\nc\n")
	r.push()
	return s
}

// play runs a state.
func (want state) play(t *testing.T) {
	s := setScene(t)
	s.plain = want.plain
	if want.set != nil {
		want.set(s)
	}
	before := s.snapshot()
	judged, err := s.p.Observe(t.Context())
	if now := s.snapshot(); now != before {
		t.Fatalf("to look changed\n%s\ninto\n%s", before, now)
	}
	if want.exit == 2 || err != nil {
		s.refused(2, want, err)
		return
	}
	if _, err := s.p.Revert(t.Context(), judged, evidence, true); want.exit == 1 && err != nil {
		t.Fatalf("a dry run: %v", err)
	}
	if now := s.snapshot(); now != before {
		t.Fatalf("a dry run changed\n%s\ninto\n%s", before, now)
	}
	if want.during != nil {
		want.during(s)
	}
	for time := range 2 {
		before, local, refs, at := s.snapshot(), s.local(), s.refs(), s.at()
		o, err := s.p.Revert(t.Context(), judged, evidence, false)
		if want.exit == 4 || err != nil {
			s.refused(4, want, err)
			if now := s.snapshot(); now != before {
				t.Fatalf("refused, and changed\n%s\ninto\n%s", before, now)
			}
			continue
		}
		if time == 0 && want.already {
			s.followed(want, o, local)
			before = strings.Replace(before, local, s.local(), 1)
		}
		if time == 1 || want.already {
			if now := s.snapshot(); now != before || o.Pushed != "" || len(o.Commands) > 0 || len(o.Notes) == 0 {
				t.Fatalf("run %d: %+v changed\n%s\ninto\n%s", time+1, o, before, now)
			}
		}
		if time == 0 && want.plain {
			s.in(s.remote, "merge-base", "--is-ancestor", o.Reverts[0], s.ref)
			continue
		}
		if time == 0 && !want.already {
			s.pushed(judged, o, refs, at)
			s.followed(want, o, local)
		}
		if time == 0 && !strings.Contains(strings.Join(o.Notes, "\n"), want.says) {
			t.Errorf("it says %q, want %q", o.Notes, want.says)
		}
	}
	if want.exit == 1 {
		s.content(want)
	}
}

// refused checks a refusal.
func (s *scene) refused(code int, want state, err error) {
	s.t.Helper()
	switch {
	case err == nil:
		s.t.Fatalf("it was done, want exit %d: %s", want.exit, want.says)
	case code != want.exit:
		s.t.Fatalf("exit %d, want %d: %v", code, want.exit, err)
	case !strings.Contains(err.Error(), want.says) || want.says == "":
		s.t.Errorf("the error lacks %q:\n%v", want.says, err)
	}
}

// pushed checks that one branch on the remote moved, from what was judged to reverts of it
// and nothing else.
func (s *scene) pushed(judged Change, o Outcome, refs map[string]string, at string) {
	s.t.Helper()
	now := s.refs()
	if o.Pushed != "deploy/"+strings.TrimPrefix(s.ref, heads) || len(o.Reverts) == 0 || now[s.ref] != o.Reverts[0] {
		s.t.Fatalf("%+v; the remote is at %s", o, now[s.ref])
	}
	for ref, id := range now {
		if ref != s.ref && refs[ref] != id {
			s.t.Errorf("%s on the remote went from %q to %s", ref, refs[ref], id)
		}
	}
	if len(now) != len(refs) {
		s.t.Errorf("the remote has %v, and had %v", now, refs)
	}
	all := strings.Fields(s.in(s.remote, "rev-list", now[s.ref], "^"+at))
	if !slices.Equal(all, o.Reverts) || len(all) != len(o.Reverted) || at != judged.Head {
		s.t.Errorf("%s..%s is %v, want %v", at, now[s.ref], all, o.Reverts)
	}
	for i, id := range all {
		message := s.in(s.remote, "log", "-1", "--format=%B", id)
		taken := o.Reverted[len(all)-1-i].SHA
		if !strings.HasPrefix(message, "Revert \"") || !strings.Contains(message, "This reverts commit "+taken) || !strings.HasSuffix(message, "\nCanary-Judge-Reverts: "+taken) {
			s.t.Errorf("the message is\n%s", message)
		}
	}
}

// followed checks that what is checked out either follows the remote, and nobody's work is
// lost, or stays as it was, with a word about it.
func (s *scene) followed(want state, o Outcome, before string) {
	s.t.Helper()
	head := s.git("rev-parse", "HEAD")
	if followed := head == o.Reverts[0]; followed == want.stays {
		s.t.Errorf("it followed: %v; %q", followed, o.Notes)
	}
	if want.stays && s.local() != before {
		s.t.Errorf("what is checked out went from\n%s\nto\n%s", before, s.local())
	}
	if want.stays != strings.Contains(strings.Join(o.Notes, "\n"), "was left as it is") {
		s.t.Errorf("it says %q", o.Notes)
	}
}

// content checks the file code on the remote, and the newest subjects.
func (s *scene) content(want state) {
	s.t.Helper()
	text := want.code
	if text == "" {
		text = "a\nb\nc"
	}
	if s.plain {
		return
	}
	if got := s.in(s.remote, "show", s.ref+":code"); got != strings.TrimSpace(text) {
		s.t.Errorf("code on the remote is %q, want %q", got, text)
	}
	if len(want.subjects) > 0 {
		got := strings.Split(s.in(s.remote, "log", fmt.Sprintf("-%d", len(want.subjects)), "--first-parent", "--format=%s", s.ref), "\n")
		equal(s.t, "subjects", got, want.subjects)
	}
}

// refs are the refs of the remote.
func (s *scene) refs() map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for line := range strings.SplitSeq(s.in(s.remote, "for-each-ref", "--format=%(refname) %(objectname)"), "\n") {
		ref, id, _ := strings.Cut(line, " ")
		all[ref] = id
	}
	return all
}

func (s *scene) at() string { s.t.Helper(); return s.refs()[s.ref] }

// local is all of the clone that is somebody's: branches, tags, HEAD, index, files. What
// git keeps for itself is no part of it.
func (s *scene) local() string {
	s.t.Helper()
	var b strings.Builder
	dirs := s.git("rev-parse", "--absolute-git-dir")
	head, _ := os.ReadFile(filepath.Join(dirs, "HEAD"))
	fmt.Fprintf(&b, "HEAD %s%s\n", head, s.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags", "refs/notes", "refs/replace"))
	if s.git("rev-parse", "--is-bare-repository") == "true" {
		return b.String()
	}
	b.WriteString(s.git("ls-files", "--stage", "-v") + "\n")
	_ = filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == ".git":
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.Type().IsRegular():
			text, _ := os.ReadFile(path)
			fmt.Fprintf(&b, "%q %x\n", path, sha256.Sum256(text))
		case d.Type()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(path)
			fmt.Fprintf(&b, "%q -> %q\n", path, to)
		}
		return nil
	})
	for _, name := range append(underWay, "MERGE_HEAD", "REVERT_HEAD", "CHERRY_PICK_HEAD", "index.lock") {
		if _, err := os.Stat(filepath.Join(dirs, name)); err == nil {
			fmt.Fprintln(&b, "there is", name)
		}
	}
	return b.String()
}

// snapshot is the clone and the remote.
func (s *scene) snapshot() string {
	s.t.Helper()
	return s.local() + s.in(s.remote, "for-each-ref")
}

// file writes, stages nothing.
func (s *scene) file(name, text string, mode fs.FileMode) {
	s.t.Helper()
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}

// hook installs a hook in a git directory.
func (s *scene) hook(dir, name, script string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "hooks"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hooks", name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// sh runs a script in the clone.
func (s *scene) sh(script string) string { s.t.Helper(); return s.shIn(s.dir, script) }

// shIn runs a script in a directory, by the person Ada. $bad is the bad commit.
func (s *scene) shIn(dir, script string) string {
	s.t.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = dir
	for name, value := range s.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Env = append(cmd.Env, "bad="+s.bad, "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_EDITOR=true")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// elsewhere runs a script in another clone, on the branch canary, as a colleague would.
func (s *scene) elsewhere(script string) {
	s.t.Helper()
	dir := filepath.Join(s.env["HOME"], "elsewhere")
	if _, err := os.Stat(dir); err != nil {
		s.in(s.env["HOME"], "clone", "--quiet", "--origin=deploy", "--branch=canary", s.remote, dir)
	}
	s.in(dir, "fetch", "--quiet", "deploy")
	s.in(dir, "reset", "--quiet", "--hard", "deploy/canary")
	s.shIn(dir, script)
}

func playAll(t *testing.T, states []state) {
	t.Helper()
	t.Parallel()
	for _, s := range states {
		t.Run(strings.ReplaceAll(s.name, " ", "_"), func(t *testing.T) { t.Parallel(); s.play(t) })
	}
}
