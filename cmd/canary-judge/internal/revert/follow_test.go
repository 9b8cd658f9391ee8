package revert

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A job that broke off between its push and the clone's follow is gone on with: the clone
// follows to what the first job would have left, or a sentence says why it does not.
func TestAFollowAfterACrash(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, between, says string
	}{
		{"nothing since", "true", ""},
		{"a detached HEAD", "git checkout -q --detach", ""},
		{"a file that is changed", "echo mine >>code", "code"},
		{"a file in the way", "git checkout -q --detach; echo mine >gone", "gone"},
		{"an ignored file in the way", "git checkout -q --detach; echo gone >>.git/info/exclude; echo mine >gone", "gone"},
		{"a file that is staged elsewhere", "echo mine >mine; git add mine", ""},
		{"a private commit", "git commit -q --allow-empty -m mine", "it is not what was judged"},
		{"a git that was killed", "touch .git/index.lock", "index.lock"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			s := setScene(t)
			s.sh("echo x >gone; git add gone; git commit -qm more; git rm -q gone; git commit -qm one; echo d >>code; git commit -qam two" + push)
			s.p.Settings.Commit = "HEAD~2..HEAD"
			judged := s.observe(s.p)
			first, err := s.p.Revert(t.Context(), judged, evidence, false)
			if err != nil || s.git("rev-parse", "HEAD") != first.Reverts[0] {
				t.Fatalf("%+v, %v", first, err)
			}
			s.sh("git reset -q --hard " + judged.Head + "\n" + c.between)
			before := s.local()
			again, err := s.p.Revert(t.Context(), judged, evidence, false)
			if err != nil || !slices.Equal(again.Reverts, first.Reverts) || again.Pushed != "" {
				t.Fatalf("%+v, %v; want %+v", again, err, first)
			}
			said := strings.Join(again.Notes[1:], "\n")
			if c.says == "" {
				if said != "" || s.git("rev-parse", "HEAD") != first.Reverts[0] || s.read("code") != "a\nBAD\nc\n" || s.git("diff", "--name-only") != "" {
					t.Errorf("it says %q; the clone is\n%s", said, s.local())
				}
				return
			}
			if !strings.Contains(said, "was left as it is") || !strings.Contains(said, c.says) || s.local() != before {
				t.Errorf("it says %q; the clone went from\n%s\nto\n%s", said, before, s.local())
			}
		})
	}
}

// files is a change of many kinds, on top of what is there.
const manyFiles = `printf 'small\n' >grows; head -c 300000 /dev/zero >shrinks; echo d >deleted; ln -s code link; echo f >turns; chmod +x code; mkdir dir; echo x >dir/x
git add .; git commit -qm before
seq 200000 >grows; echo small >shrinks; git rm -q deleted; ln -sf grows link; git rm -q turns; mkdir turns; seq 9000 >turns/into; seq 90000 >new; mkdir -p a/b; seq 9000 >a/b/c; chmod -x code; git rm -qr dir; seq 9000 >dir
git add .; git commit -qm after
git revert --no-edit HEAD >/dev/null; git commit -q --amend -m judged` + push

// A disk that fills while the clone follows loses no file: what was checked out is put
// back. The revert itself is pushed.
func TestADiskThatFillsWhileTheCloneFollows(t *testing.T) {
	t.Parallel()
	for _, left := range []int{0, 4, 40, 400, 1000, 4000} { // KiB
		t.Run(fmt.Sprint(left, "_KiB"), func(t *testing.T) {
			t.Parallel()
			s := setScene(t)
			s.sh(manyFiles)
			disk := filepath.Join(s.env["HOME"], "disk")
			if err := os.Mkdir(disk, 0o700); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk).CombinedOutput(); err != nil {
				t.Skipf("takes a disk of its own: %s", out)
			}
			t.Cleanup(func() {
				if out, err := exec.Command("umount", "--lazy", disk).CombinedOutput(); err != nil {
					t.Error(string(out))
				}
			})
			s.sh("git remote set-url deploy \"$PWD/../deploy.git\"; cp -a . ../disk/work")
			s.dir = filepath.Join(disk, "work")
			s.p.Dir = s.dir
			judged := s.observe(s.p)
			before := s.local()
			s.sh(fmt.Sprintf("free=$(df -k . | awk 'END {print $4}'); head -c $(((free - %d) * 1024)) /dev/zero >../fill", left))
			o, err := s.p.Revert(t.Context(), judged, evidence, false)
			if err != nil {
				if left > 4 || s.local() != before {
					t.Errorf("%v; the clone went from\n%s\nto\n%s", err, before, s.local())
				}
				return // which needs room for the commit
			}
			if s.at() != o.Reverts[0] {
				t.Errorf("the remote is at %s: %+v", s.at(), o)
			}
			if s.git("rev-parse", "HEAD") == o.Reverts[0] {
				if left < 1000 || s.git("status", "--porcelain") != "" {
					t.Errorf("followed: %s", s.git("status", "--porcelain"))
				}
				return
			}
			if now := s.local(); left >= 4000 || now != before || !strings.Contains(strings.Join(o.Notes, "\n"), "was left as it is (") {
				t.Errorf("it says %q; the clone went from\n%s\nto\n%s", o.Notes, before, now)
			}
			s.sh("rm ../fill")
			if said := s.git("diff", "--name-only", "HEAD"); said != "" {
				t.Errorf("git sees changes in %s", said)
			}
		})
	}
}

// failsAfter has files pass a filter that fails from its nth run on.
func (s *scene) failsAfter(n int) {
	s.t.Helper()
	s.file("../filter", fmt.Sprintf("#!/bin/sh\necho >>'%[1]s/runs'\n[ $(wc -l <'%[1]s/runs') -le %d ] && cat\n", s.env["HOME"], n), 0o755)
	s.git("config", "filter.f.smudge", s.env["HOME"]+"/filter")
	s.git("config", "filter.f.clean", "cat")
	s.git("config", "filter.f.required", "true")
	s.file(".git/info/attributes", "code filter=f\nother filter=f\n", 0o600)
}

// What breaks off in the midst of the files is put back, and what cannot be is said, with
// the command that does it.
func TestAFollowThatBreaksOff(t *testing.T) {
	t.Parallel()
	for fine, want := range []string{
		"the filter of code fails", // found before anything is touched
		"the filter of other fails",
		"smudge filter f failed", // in the follow, and put back
		"smudge filter f failed",
		"", // followed
	} {
		t.Run(fmt.Sprint(fine), func(t *testing.T) {
			t.Parallel()
			for _, heals := range []bool{true, false} {
				if !heals && (fine < 2 || fine > 3) {
					continue
				}
				s := setScene(t)
				s.sh("echo one >other; echo 1 >more; git add .; git commit -qm one; echo two >other; echo BAD >code; echo 2 >more; echo new >new; git add .; git commit -qm two; git reset -q --hard HEAD~1; git cherry-pick HEAD@{1} >/dev/null; git revert --no-edit HEAD >/dev/null; git commit -q --amend -m judged" + push)
				s.failsAfter(fine)
				if heals { // once it has failed in the follow
					s.file("../filter", strings.Replace(readFile(t, s.env["HOME"]+"/filter"), "&& cat", fmt.Sprintf("|| [ $(wc -l <'%s/runs') -gt %d ] && cat", s.env["HOME"], max(fine, 2)+1), 1), 0o755)
				}
				judged := s.observe(s.p)
				before := s.local()
				o, err := s.p.Revert(t.Context(), judged, evidence, false)
				if err != nil || s.at() != o.Reverts[0] {
					t.Fatalf("%+v, %v", o, err)
				}
				said := strings.Join(o.Notes, "\n")
				if !strings.Contains(said, want) || want == "" && said != "" {
					t.Errorf("it says %q, want %q", said, want)
				}
				switch _, command, lacks := strings.Cut(said, "make room, and run: "); {
				case want == "":
					if s.git("rev-parse", "HEAD") != o.Reverts[0] || s.git("status", "--porcelain") != "" {
						t.Errorf("the clone is\n%s", s.local())
					}
				case lacks == heals:
					t.Errorf("it says %q", said)
				case lacks:
					s.sh("git config --remove-section filter.f; " + command)
					fallthrough
				default:
					if now := s.local(); now != before {
						t.Errorf("the clone went from\n%s\nto\n%s", before, now)
					}
				}
			}
		})
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
