package revert

import (
	"fmt"
	"path/filepath"
	"testing"
)

// ours is a script that makes a revert of $bad as canary-judge does.
const ours = `git revert --no-edit $bad >/dev/null; git commit -q --amend -m "Revert \"bad\"

This reverts commit $bad.

canary-judge judged its canary: FAIL

Canary-Judge-Verdict: fail
Canary-Judge-Reverts: $bad"
`

// A revert of ours is never reverted, however it arrived: the failed change would come back.
func TestStatesOfRevertsOfOurs(t *testing.T) {
	const own = "is itself a revert that canary-judge made"
	arrives := func(name, how string) state {
		return state{name: name, exit: 4, says: own, set: script(how + push)}
	}
	byTitle := func(name, message string) state {
		return state{name: name, exit: 4, says: "is a revert by its title", set: func(s *scene) {
			s.sh(ours)
			s.git("commit", "-q", "--amend", "-m", message)
			s.sh("true" + push)
		}}
	}
	playAll(t, []state{
		arrives("as it was made", ours),
		arrives("merged", "git checkout -qb fix;"+ours+"git checkout -q canary; git merge -q --no-ff -m 'Merge pull request #7' fix"),
		arrives("merged with more on top", "git checkout -qb fix;"+ours+"echo x >x; git add x; git commit -qm 'mend the tests'; git checkout -q canary; git merge -q --no-ff -m 'Merge fix' fix"),
		arrives("merged in a merge", "git checkout -qb fix;"+ours+"git checkout -qb more canary; echo x >x; git add x; git commit -qm x; git merge -q --no-ff -m one fix; git checkout -q canary; git merge -q --no-ff -m two more"),
		arrives("merged by its branch's name", "git checkout -qb canary-judge/revert-1; printf 'a\\nb\\nc\\n' >code; git commit -qam 'Take it back'; git checkout -q canary; git merge -q --no-ff -m \"Merge pull request #7 from acme/canary-judge/revert-1\" canary-judge/revert-1"),
		arrives("squashed", ours+"git commit -q --amend -m \"Revert it (#7)\n\n* $(git log -1 --format=%B)\n\n* mend the tests\n\n---------\n\nCo-authored-by: Bob <bob@example.com>\""),
		arrives("squashed and quoted", ours+"git commit -q --amend -m \"Revert it (#7)\n\n$(git log -1 --format=%B | sed 's/^/    /')\n\nCo-authored-by: Bob <bob@example.com>\""),
		arrives("cherry-picked", "git checkout -qb fix;"+ours+"git checkout -q canary; git reset -q --hard $bad; git cherry-pick -x fix >/dev/null"),
		arrives("amended", ours+"git commit -q --amend -m \"$(git log -1 --format=%B)\n\nSigned-off-by: Ada <ada@example.com>\n\nSee the post-mortem.\""),
		arrives("with line ends of Windows", ours+"printf '%s' \"$(git log -1 --format=%B)\" | sed 's/$/\\r/' | git commit -q --amend --cleanup=verbatim -F -"),
		arrives("rebased", "git checkout -qb fix;"+ours+"git checkout -q canary; echo x >x; git add x; git commit -qm x; git rebase -q canary fix; git checkout -q canary; git merge -q --ff-only fix"),
		byTitle("squashed by its title", `Revert "bad" (#8)`),
		byTitle("squashed by its title on GitLab", `Revert "bad"`),
		byTitle("squashed by its title, with others", "Revert \"bad\" and 2 more (!8)\n\nCo-authored-by: Bob <bob@example.com>\nSigned-off-by: Ada <ada@example.com>"),
		{name: "a revert by hand that says why", exit: 1, code: "a\nBAD\nc", subjects: []string{`Revert "Revert "bad""`}, set: script("git revert --no-edit HEAD >/dev/null; git commit -q --amend -m 'Revert \"bad\"\n\nThe shop was slow.'" + push)},
		{name: "a merge that brings reverts by their titles", exit: 1, code: "a\nBAD\nc", subjects: []string{`Revert "Merge main"`}, set: script(
			"git checkout -qb main; printf 'a\\nb\\nc\\n' >code; git commit -qam 'Revert \"bad\" (#8)'; echo x >x; git add x; git commit -qm x; git checkout -q canary; git merge -q --no-ff -m 'Merge main' main" + push)},
		{name: "a change and its revert", exit: 4, says: own, set: func(s *scene) { s.sh(ours + push); s.p.Settings.Commit = "HEAD~2..HEAD" }},
		{name: "a change and its revert by hand", exit: 4, says: "the change takes itself back", set: func(s *scene) {
			s.sh("git revert --no-edit HEAD >/dev/null" + push)
			s.p.Settings.Commit = "HEAD~2..HEAD"
		}},
		{name: "a change and its revert and another", exit: 1, set: func(s *scene) {
			s.sh(ours + "echo d >d; git add d; git commit -qm another" + push)
			s.p.Settings.Commit = "HEAD~3..HEAD"
		}, subjects: []string{`Revert "another"`, "another", `Revert "bad"`}},
		{name: "a change and its revert, merged, and another", exit: 1, set: func(s *scene) {
			s.sh("git checkout -qb fix;" + ours + "git checkout -q canary; git merge -q --no-ff -m 'Merge fix' fix; echo d >d; git add d; git commit -qm another" + push)
			s.p.Settings.Commit = "HEAD~3..HEAD"
		}, subjects: []string{`Revert "another"`, "another", "Merge fix"}},
		{name: "a revert of what was before, and another", exit: 1, says: "is itself a revert that canary-judge made, and stays", set: func(s *scene) {
			s.sh(ours + "echo d >d; git add d; git commit -qm another" + push)
			s.p.Settings.Commit = "HEAD~2..HEAD"
		}, subjects: []string{`Revert "another"`, "another", `Revert "bad"`}},
		{name: "a change that came back in the range", exit: 1, set: func(s *scene) {
			s.sh(ours + "git revert --no-edit HEAD >/dev/null" + push)
			s.p.Settings.Commit = "HEAD~3..HEAD"
		}, subjects: []string{`Revert "bad"`, `Revert "Revert "bad""`}},
		{name: "a merge that brings a change and its revert", exit: 1, code: "a\nb\nc", set: script(
			"git revert --no-edit HEAD >/dev/null; git checkout -qb side; printf 'a\\nb\\nc\\nd\\n' >code; git commit -qam worse; git revert --no-edit HEAD; git commit -q --amend -m \"Revert it\n\nCanary-Judge-Reverts: $(git rev-parse HEAD~1)\"; echo e >e; git add e; git commit -qm e; git checkout -q canary; git merge -q --no-ff -m 'Merge side' side" + push)},
	})
}

// What others did during the window, or before the second run, counts by where the
// remote's branch is; what was done to the clone does not count.
func TestStatesThatChangeDuringTheWindow(t *testing.T) {
	elsewhere := func(text string) func(*scene) { return func(s *scene) { s.elsewhere(text + push) } }
	const moved = "has moved since the canary was judged"
	playAll(t, []state{
		{name: "somebody pushed", exit: 4, says: moved, during: elsewhere("echo x >x; git add x; git commit -qm later")},
		{name: "another job reverted", exit: 1, already: true, says: "reverted already, by ", during: elsewhere(ours)},
		{name: "another job reverted and somebody pushed", exit: 1, already: true, says: "reverted already", during: elsewhere(ours + "echo x >x; git add x; git commit -qm later")},
		{name: "somebody reverted by hand", exit: 1, already: true, says: "reverted already", during: elsewhere("git revert --no-edit $bad >/dev/null")},
		{name: "a pull request that reverts was merged", exit: 1, already: true, says: "reverted already", during: elsewhere("git checkout -qb fix;" + ours + "git checkout -q -B canary $bad; git merge -q --no-ff -m 'Merge it' fix")},
		{name: "a pull request that reverts was squashed", exit: 1, already: true, says: "reverted already", during: elsewhere(ours + "git commit -q --amend -m \"Undo (#7)\n\n* $(git log -1 --format=%B)\n\nCo-authored-by: Bob <bob@example.com>\"")},
		{name: "a pull request that reverts was squashed by its title", exit: 1, already: true, says: "reverted already", during: elsewhere(ours + "git commit -q --amend -m 'Revert \"bad\" (#8)'")},
		{name: "a pull request that reverts was squashed by its title, and brought back", exit: 4, says: moved, during: elsewhere(ours + "git commit -q --amend -m 'Revert \"bad\" (#8)'; git revert --no-edit HEAD >/dev/null; git commit -q --amend -m 'Revert \"Revert \"bad\" (#8)\" (#9)'")},
		{name: "a title only says that it is reverted", exit: 4, says: moved, during: elsewhere("git commit -q --allow-empty -m 'Revert \"bad\" (#8)'")},
		{name: "somebody reverted, and changed the same line", exit: 1, already: true, code: "a\nnew\nc", says: "reverted already", during: elsewhere(ours + "printf 'a\\nnew\\nc\\n' >code; git commit -qam new")},
		{name: "somebody reverted and brought it back", exit: 4, says: moved, during: elsewhere(ours + "git revert --no-edit HEAD >/dev/null")},
		{name: "somebody brought it back without saying so", exit: 4, says: moved, during: elsewhere(ours + "git checkout -q $bad -- code; git commit -qm 'Try again'")},
		{name: "a merged revert was brought back", exit: 4, says: moved, during: elsewhere("git checkout -qb fix;" + ours + "git checkout -q -B canary $bad; git merge -q --no-ff -m 'Merge it' fix; git revert -m1 --no-edit HEAD >/dev/null")},
		{name: "a message only says that it is reverted", exit: 4, says: moved, during: elsewhere("git commit -q --allow-empty -m \"Canary-Judge-Reverts: $bad\"")},
		{name: "half of a range was reverted", exit: 4, says: moved, set: func(s *scene) {
			s.sh("echo d >d; git add d; git commit -qm d" + push)
			s.p.Settings.Commit = "HEAD~2..HEAD"
		}, during: elsewhere(ours)},
		{name: "all of a range was reverted", exit: 1, already: true, says: "reverted already", set: func(s *scene) {
			s.sh("printf 'a\\nBAD\\nc\\nd\\n' >code; git commit -qam d" + push)
			s.p.Settings.Commit = "HEAD~2..HEAD"
		}, during: elsewhere("git revert --no-edit HEAD HEAD~1 >/dev/null")},
		{name: "a range was reverted in another order and squashed", exit: 1, already: true, says: "reverted already", set: func(s *scene) {
			s.sh("printf 'a\\nBAD\\nc\\nd\\n' >code; git commit -qam d; git tag two" + push)
			s.p.Settings.Commit = "HEAD~2..HEAD"
		}, during: func(s *scene) {
			s.elsewhere(fmt.Sprintf("git checkout -q HEAD~2 -- code; git commit -qm \"Undo\n\nThis reverts commit $bad.\nThis reverts commit %s.\""+push, s.git("rev-parse", "two")))
		}},
		{name: "the branch was rewritten without the change", exit: 4, says: "which does not hold the commit ", during: func(s *scene) {
			s.elsewhere("git reset -q --hard $bad~1; git push -q --force deploy HEAD:canary")
		}},
		{name: "the branch was rewritten with the change", exit: 4, says: moved, set: func(s *scene) {
			s.sh("echo x >x; git add x; git commit -qm x" + push)
			s.p.Settings.Commit = s.bad
		}, during: func(s *scene) {
			s.elsewhere("git reset -q --hard $bad; echo y >y; git add y; git commit -qm y; git push -q --force deploy HEAD:canary")
		}},
		{name: "the branch was deleted", exit: 4, says: "the remote deploy has no refs/heads/canary", during: func(s *scene) { s.elsewhere("git push -q deploy :canary") }},
		{name: "a hook of the remote refuses", exit: 4, says: "the remote's own rules refuse it", during: func(s *scene) { s.hook(s.remote, "pre-receive", "echo not today; exit 1") }},
		{name: "a hook of the remote refuses the branch", exit: 4, says: "the revert is not pushed", during: func(s *scene) { s.hook(s.remote, "update", "exit 1") }},
		{name: "a hook of the remote puts the branch back", exit: 4, says: "is still at ", during: func(s *scene) {
			s.hook(s.remote, "post-receive", `while read old new ref; do git update-ref "$ref" "$old"; done`)
		}},
		{name: "a hook of the remote deploys something else", exit: 1, stays: false, plain: true, during: func(s *scene) {
			s.hook(s.remote, "post-receive", `while read old new ref; do id=$(git -c user.name=x -c user.email=x@y commit-tree -p "$new" -m built "$new^{tree}"); git update-ref "$ref" "$id"; done`)
		}},
		{name: "a hook of the clone refuses pushes", exit: 4, says: "the revert is not pushed", during: func(s *scene) { s.hook(s.dir+"/.git", "pre-push", "echo no; exit 1") }},
		{name: "the branch is checked out on the remote", exit: 4, says: "refusing to update checked out branch", set: func(s *scene) {
			s.sh("git clone -q ../deploy.git ../live -b canary; git remote set-url deploy ../live")
			s.remote = filepath.Join(s.env["HOME"], "live")
		}},
		{name: "the remote is gone", exit: 4, says: "deploy", during: func(s *scene) { s.git("remote", "rename", "deploy", "other") }},

		{name: "another branch was checked out", exit: 1, stays: true, says: "it is not what was judged", during: script("git checkout -q -b other HEAD~1")},
		{name: "another branch was checked out at the same commit", exit: 1, stays: true, says: "it is another branch, other", during: script("git checkout -q -b other")},
		{name: "a private commit on top", exit: 1, stays: true, says: "it is not what was judged", during: script("echo p >p; git add p; git commit -qm private")},
		{name: "a private commit that is a revert", exit: 1, stays: true, says: "it is not what was judged", during: script("git revert --no-edit HEAD >/dev/null")},
		{name: "a revert of ours that was not pushed", exit: 1, stays: true, says: "it is not what was judged", during: script(ours + "echo p >p; git add p; git commit -qm private")},
		{name: "the branch was reset", exit: 1, stays: true, says: "it is not what was judged", during: script("git reset -q --hard HEAD~1")},
		{name: "the branch was renamed", exit: 1, stays: true, says: "it is another branch, new", during: script("git branch -m new")},
		{name: "another branch follows the same", exit: 1, stays: true, says: "another branch", during: script("git checkout -q -b work; git config branch.work.remote deploy; git config branch.work.merge refs/heads/canary")},
		{name: "files were deleted", exit: 1, stays: true, says: "left as it is", during: script("git rm -q code")},
		{name: "the settings of the remote changed to another branch", exit: 4, says: "refs/heads/canary was judged, and the revert is to go to the branch main", during: func(s *scene) {
			s.sh("git push -q deploy HEAD:refs/heads/main")
			s.p.Settings.Branch = "main"
		}},
	})
}
