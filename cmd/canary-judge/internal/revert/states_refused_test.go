package revert

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// What could not be reverted is refused before the first look, and nothing changes. Only
// where there is nothing that could be, the canary is judged all the same.
func TestStatesThatAreRefusedAtTheStart(t *testing.T) {
	commit := func(name string) func(*scene) { return func(s *scene) { s.p.Settings.Commit = name } }
	playAll(t, []state{
		{name: "a commit that was not pushed", exit: 2, says: "commits that were not pushed are not deployed; push them first (git push deploy ", set: script("git commit -q --allow-empty -m private")},
		{name: "commits below that were not pushed", exit: 2, says: "commits that were not pushed", set: func(s *scene) {
			s.sh("git commit -q --allow-empty -m private")
			s.p.Settings.Commit = s.bad
		}},
		{name: "a branch that the remote has not", exit: 2, says: "the remote deploy has no refs/heads/feature: push it first", set: script("git checkout -q -b feature")},
		{name: "a branch that follows another", exit: 2, says: "the branch work follows refs/heads/canary", set: script("git checkout -q -b work; git config branch.work.remote deploy; git config branch.work.merge refs/heads/canary")},
		{name: "a remote branch that moved on", exit: 2, says: "check out what is deployed, and judge that: git fetch deploy refs/heads/canary", set: func(s *scene) { s.elsewhere("git commit -q --allow-empty -m later" + push) }},
		{name: "a remote branch that moved on and was fetched", exit: 2, says: "what is checked out is not what is deployed", set: func(s *scene) {
			s.elsewhere("git commit -q --allow-empty -m later" + push)
			s.git("fetch", "-q", "deploy")
		}},
		{name: "the merge that GitHub tries", exit: 2, says: "the merge that GitHub makes of a pull request to try it (refs/pull/7/merge)", set: func(s *scene) {
			s.sh("git checkout -q --detach HEAD~1; git merge -q --no-ff -m 'Merge x into y' $bad")
			s.p.Settings.Branch = "canary"
			s.p.Env = map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/pull/7/merge"}
			for name, value := range s.env {
				s.p.Env[name] = value
			}
		}},
		{name: "the merge that GitLab tries", exit: 2, says: "the merge that GitLab makes of a merge request to try it", set: func(s *scene) {
			s.sh("git checkout -q --detach; git commit -q --allow-empty -m Merge; git push -q deploy HEAD:refs/merge-requests/7/merge")
			s.p.Settings.Branch = "canary"
			s.p.Env = maps.Clone(s.env)
			maps.Copy(s.p.Env, map[string]string{"GITLAB_CI": "true", "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result"})
		}},
		{name: "HEAD detached and no branch named", exit: 2, says: "HEAD is detached, so there is no branch to push to: check out the branch, or name it with on_fail.revert.branch", set: script("git checkout -q --detach")},
		{name: "another branch checked out", exit: 2, says: "the branch canary is checked out, and main is expected (on_fail.revert.branch)", set: branchNamed("main")},
		{name: "a tag for a branch", exit: 2, says: "refs/tags/v1 is no branch", set: func(s *scene) {
			s.sh("git tag v1; git push -q deploy v1; git checkout -q --detach")
			s.p.Settings.Branch = "refs/tags/v1"
		}},
		{name: "no name of a branch", exit: 2, says: "is no name of a branch", set: func(s *scene) { s.sh("git checkout -q --detach"); s.p.Settings.Branch = "a..b" }},
		{name: "a pattern for a branch", exit: 2, says: "is no name of a branch", set: func(s *scene) { s.sh("git checkout -q --detach"); s.p.Settings.Branch = "can*" }},
		{name: "a branch that is two on the remote", exit: 2, says: "the remote deploy has refs/heads/deploy/canary and refs/heads/canary: write the one that is meant in full", set: func(s *scene) {
			s.sh("git push -q deploy HEAD:refs/heads/deploy/canary")
			s.p.Settings.Branch = "deploy/canary"
		}},
		{name: "a branch that is another name for one", exit: 2, says: "refs/heads/canary on deploy is another name for refs/heads/main", set: func(s *scene) {
			s.sh("git push -q deploy HEAD:refs/heads/main")
			s.in(s.remote, "symbolic-ref", "refs/heads/canary", "refs/heads/main")
		}},
		{name: "a commit that is not there", exit: 2, says: "the repository has no commit v9.9", set: commit("v9.9")},
		{name: "a commit that is a tag and a branch", exit: 2, says: "x is a branch and a tag here, of different commits: write refs/heads/x or refs/tags/x", set: func(s *scene) { s.sh("git branch x; git tag x HEAD~1"); s.p.Settings.Commit = "x" }},
		{name: "a commit that is the beginning of one and a branch", exit: 2, says: "is a branch or a tag here, and the beginning of another commit, ", set: func(s *scene) {
			s.git("branch", s.bad[:9], "HEAD~1")
			s.p.Settings.Commit = s.bad[:9]
		}},
		{name: "a commit of another branch", exit: 2, says: "(side) is not part of the branch, which is at ", set: func(s *scene) {
			s.sh("git checkout -qb side HEAD~1; git commit -q --allow-empty -m side; git checkout -q canary")
			s.p.Settings.Commit = "side"
		}},
		{name: "an empty range", exit: 2, says: "the range HEAD..HEAD holds no commit", set: commit("HEAD..HEAD")},
		{name: "the first commit", exit: 2, says: "is the first there is", set: commit("HEAD~1")},
		{name: "a range down to the first commit", exit: 2, says: "has no commit HEAD~2", set: commit("HEAD~2..HEAD")},
		{name: "a parent that a merge has not", exit: 2, says: "has 2 parents; on_fail.revert.mainline is 3", set: func(s *scene) {
			s.sh("git checkout -qb side HEAD~1; echo x >x; git add x; git commit -qm x; git checkout -q canary; git merge -q --no-ff -m 'Merge side' side" + push)
			s.p.Settings.Mainline = 3
		}},
		{name: "a conflict", exit: 2, says: "(bad) conflicts with later changes in code: revert by hand, git revert ", set: func(s *scene) {
			s.sh("printf 'a\\nWORSE\\nc\\n' >code; git commit -qam worse" + push)
			s.p.Settings.Commit = s.bad
		}},
		{name: "a conflict in a path of odd characters", exit: 2, says: "conflicts with later changes in a b\"ü", set: func(s *scene) {
			s.sh("for i in 1 2 3; do echo $i >'a b\"ü'; git add .; git commit -qm $i; done" + push)
			s.p.Settings.Commit = "HEAD~1"
		}},
		{name: "a conflict of a file that is gone", exit: 2, says: "conflicts with later changes in code", set: func(s *scene) {
			s.sh("git rm -q code; git commit -qm gone" + push)
			s.p.Settings.Commit = s.bad
		}},
		{name: "a conflict of a submodule", exit: 2, says: "conflicts with later changes in sub", set: func(s *scene) {
			s.sh("for i in 1 2 3; do git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),sub; git commit -qm $i; done" + push)
			s.p.Settings.Commit = "HEAD~1"
		}},
		{name: "a conflict in the middle of a range", exit: 2, says: "(bad) conflicts with later changes in code", set: func(s *scene) {
			s.sh("git checkout -qb fix; printf 'a\\nFIX\\nc\\n' >code; git commit -qam fix; git checkout -q canary; git merge -q --no-ff -m 'Merge fix' fix; git revert -m1 --no-edit HEAD; printf 'a\\nBAD\\nC\\n' >code; git commit -qam three; git commit -q --allow-empty -m empty; printf 'a\\nX\\nC\\n' >code; git commit -qam x" + push)
			s.p.Settings.Commit = s.bad
		}},
		{name: "a commit without changes", exit: 4, says: "changed nothing, so there is nothing to revert", set: script("git commit -q --allow-empty -m empty" + push)},
		{name: "commits without changes", exit: 4, says: "changed nothing, so there is nothing to revert", set: func(s *scene) {
			s.sh("git commit -q --allow-empty -m one; git commit -q --allow-empty -m two" + push)
			s.p.Settings.Commit = "HEAD~2..HEAD"
		}},
		{name: "a change that is gone", exit: 2, says: "is not there any more", set: func(s *scene) {
			s.sh("printf 'a\\nb\\nc\\n' >code; git commit -qam undo" + push)
			s.p.Settings.Commit = s.bad
		}},
		{name: "changes that take each other back", exit: 2, says: "take each other back", set: func(s *scene) {
			s.sh("printf 'a\\nb\\nc\\n' >code; git commit -qam undo" + push)
			s.p.Settings.Commit = "HEAD~2..HEAD"
		}},
		{name: "no such remote", exit: 2, says: "no such remote can be read", set: func(s *scene) { s.p.Settings.Remote = "nowhere" }},
		{name: "a remote of two addresses", exit: 2, says: "pushes to 2 addresses", set: script("git init -q --bare ../mirror.git; git remote set-url --add deploy ../mirror.git")},
		{name: "a remote of two addresses for pushes", exit: 2, says: "pushes to 2 addresses", set: script("git init -q --bare ../mirror.git; git config remote.deploy.pushurl ../deploy.git; git config --add remote.deploy.pushurl ../mirror.git")},
		{name: "an address for pushes that has not the branch", exit: 2, says: "the remote deploy has no refs/heads/canary", set: script("git init -q --bare ../mirror.git; git config remote.deploy.pushurl ../mirror.git")},
		{name: "an address that rules rewrite one way to push and another to read", exit: 2, says: "make the rules url.*.insteadOf agree", set: script("git config url.../deploy.git.pushInsteadOf shop:; git config remote.deploy.url shop:x; git config url.../.insteadOf ../deploy.git")},
		{name: "no key to sign with", exit: 2, says: "this job cannot sign commits", set: script("git config commit.gpgsign true; git config gpg.format ssh; git config user.signingKey /nowhere/key")},
		{name: "no program to sign with", exit: 2, says: "this job cannot sign commits", set: script("git config commit.gpgsign true; git config gpg.program /nowhere/gpg")},
		{name: "a repository without a commit", exit: 2, says: "the repository has no commit yet", set: script("git checkout -q --orphan new; git rm -q --cached -r .")},
		{name: "a history without the branch's", exit: 2, says: "what is checked out is not what is deployed", set: script("git checkout -q --orphan new; git commit -qm new; git branch -q -f canary; git checkout -q canary")},
		{name: "a shallow clone without the parent", exit: 2, says: "fetch it with git fetch --deepen=1", set: func(s *scene) { s.clone("--depth=1") }},
		{name: "a shallow clone without the commit", exit: 2, says: "the clone is shallow: fetch more of it", set: func(s *scene) { s.clone("--depth=1"); s.p.Settings.Commit = s.bad + "~1" }},
		{name: "a shallow clone without what a merge brought", exit: 2, says: "so that it cannot be told what the change holds; the clone is shallow", set: func(s *scene) {
			s.sh("git checkout -qb side HEAD~1; for i in 1 2 3; do echo $i >x; git add x; git commit -qm $i; done; git checkout -q canary; git merge -q --no-ff -m 'Merge side' side" + push)
			s.clone("--depth=2")
		}},
		{name: "a shallow clone without some of a range", exit: 2, says: "shallow", set: func(s *scene) {
			s.sh("for i in 1 2 3; do echo $i >x; git add x; git commit -qm $i; done; git push -q deploy HEAD~3:refs/heads/base" + push)
			s.clone("--depth=2")
			s.sh("git fetch -q --depth=1 deploy base:base")
			s.p.Settings.Commit = "base..HEAD"
		}},
		{name: "no repository", exit: 2, says: "run the job in the repository that is deployed", set: func(s *scene) {
			s.p.Dir = filepath.Join(s.env["HOME"], "empty")
			if err := os.MkdirAll(s.p.Dir, 0o755); err != nil {
				s.t.Fatal(err)
			}
		}},
	})
}
