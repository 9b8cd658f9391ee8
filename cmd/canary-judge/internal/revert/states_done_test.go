package revert

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// push pushes what is checked out.
const push = "\ngit push --quiet deploy HEAD:refs/heads/canary"

func script(text string) func(*scene) { return func(s *scene) { s.sh(text) } }

func branchNamed(name string) func(*scene) { return func(s *scene) { s.p.Settings.Branch = name } }

// clone has the state be that of another clone of the remote.
func (s *scene) clone(args ...string) {
	s.t.Helper()
	s.git(append(append([]string{"clone", "--quiet", "--origin=deploy", "--branch=canary"}, args...), "file://"+s.remote, filepath.Join(s.env["HOME"], "other"))...)
	s.dir = filepath.Join(s.env["HOME"], "other")
	s.p.Dir = s.dir
}

// Whatever the files, the change, the branch and the clone are like: exactly the change is
// taken back.
func TestStatesThatAreReverted(t *testing.T) {
	playAll(t, []state{
		{name: "the newest commit", exit: 1, subjects: []string{`Revert "bad"`, "bad", "start"}},
		{name: "an older commit", exit: 1, set: func(s *scene) {
			s.sh("echo x >more; git add more; git commit -qm later" + push)
			s.p.Settings.Commit = s.bad
		}, subjects: []string{`Revert "bad"`, "later", "bad"}},
		{name: "an abbreviated commit", exit: 1, set: func(s *scene) { s.p.Settings.Commit = s.bad[:9] }},
		{name: "a range", exit: 1, set: func(s *scene) {
			s.sh("echo d >>code; git commit -qam two; echo e >>code; git commit -qam three" + push)
			s.p.Settings.Commit = "HEAD~3..HEAD"
		}, subjects: []string{`Revert "bad"`, `Revert "two"`, `Revert "three"`, "three"}},
		{name: "a range with an empty commit", exit: 1, set: func(s *scene) {
			s.sh("git commit -q --allow-empty -m 'trigger CI'" + push)
			s.p.Settings.Commit = "HEAD~2..HEAD"
		}, subjects: []string{`Revert "bad"`, "trigger CI"}},
		{name: "a range with a merge", exit: 1, set: func(s *scene) {
			s.sh("git checkout -qb side HEAD~1; echo x >x; git add x; git commit -qm x; git checkout -q canary; git merge -q --no-ff -m 'Merge side' side" + push)
			s.p.Settings.Commit = "HEAD~2..HEAD"
		}, subjects: []string{`Revert "bad"`, `Revert "Merge side"`, "Merge side"}},
		{name: "a merge", exit: 1, code: "a\nBAD\nc", set: func(s *scene) {
			s.sh("git checkout -qb side HEAD~1; echo x >x; git add x; git commit -qm x; git checkout -q canary; git merge -q --no-ff -m 'Merge side' side" + push)
		}, subjects: []string{`Revert "Merge side"`, "Merge side"}},
		{name: "a merge back to its second parent", exit: 1, set: func(s *scene) {
			s.sh("git checkout -qb side HEAD~1; echo x >x; git add x; git commit -qm x; git checkout -q canary; git merge -q --no-ff -m 'Merge side' side" + push)
			s.p.Settings.Mainline = 2
		}},
		{name: "a merge of three", exit: 1, code: "a\nBAD\nc", set: func(s *scene) {
			s.sh("for i in 1 2; do git checkout -qb side$i HEAD~1; echo $i >f$i; git add f$i; git commit -qm f$i; git checkout -q canary; done; git merge -q -m octopus side1 side2" + push)
		}},
		{name: "a merge that settled a conflict", exit: 1, code: "a\nBAD\nc", set: func(s *scene) {
			s.sh("git checkout -qb side HEAD~1; echo side >code; git commit -qam side; git checkout -q canary; git merge -q side || echo both >code; git commit -qam 'Merge side'" + push)
		}},
		{name: "a file that became executable", exit: 1, code: "a\nBAD\nc", set: script("chmod +x code; git commit -qam mode" + push)},
		{name: "a renamed file", exit: 1, code: "a\nBAD\nc", set: script("git mv code kode; git commit -qm rename" + push)},
		{name: "a file renamed since", exit: 1, set: func(s *scene) {
			s.sh("git mv code kode; git commit -qm rename" + push)
			s.p.Settings.Commit, s.plain = s.bad, true
		}},
		{name: "a deleted file", exit: 1, code: "a\nBAD\nc", set: script("git rm -q code; git commit -qm gone" + push)},
		{name: "a new file in a new directory", exit: 1, code: "a\nBAD\nc", set: script("mkdir -p d/e; echo x >d/e/f; git add d; git commit -qm new" + push)},
		{name: "a binary file", exit: 1, code: "a\nBAD\nc", set: script(`printf 'a\000b' >bin; git add bin; git commit -qm one; printf 'a\000c' >bin; git commit -qam two` + push)},
		{name: "a symbolic link", exit: 1, code: "a\nBAD\nc", set: script("ln -s code link; git add link; git commit -qm one; ln -sf nowhere link; git commit -qam two" + push)},
		{name: "a file that became a directory", exit: 1, code: "a\nBAD\nc", set: script("echo x >x; git add x; git commit -qm x; git rm -q x; mkdir x; echo y >x/y; git add x; git commit -qm dir" + push)},
		{name: "a submodule", exit: 1, code: "a\nBAD\nc", set: script("git update-index --add --cacheinfo 160000,$bad,sub; git commit -qm sub; git update-index --cacheinfo 160000,$(git rev-parse HEAD),sub; git commit -qm 'move sub'" + push)},
		{name: "line ends of Windows", exit: 1, code: "a\nBAD\nc", set: script(`git config core.autocrlf true; printf 'x\r\ny\r\n' >crlf; git add crlf; git commit -qm one; printf 'x\r\nz\r\n' >crlf; git commit -qam two` + push)},
		{name: "line ends that are files' own", exit: 1, code: "a\nBAD\nc", set: script(`printf 'x\r\ny\r\n' >crlf; git add crlf; git commit -qm one; printf 'x\r\nz\r\n' >crlf; git commit -qam two` + push)},
		{name: "a path that is no UTF-8", exit: 1, code: "a\nBAD\nc", set: script(`f=$(printf 'b\344h'); echo x >"$f"; git add .; git commit -qm one; echo y >"$f"; git commit -qam two` + push)},
		{name: "a message that is no UTF-8", exit: 1, set: script(`git -c i18n.commitEncoding=ISO-8859-1 commit -q --amend -m "$(printf 'b\344h')"; git push -q --force deploy canary`), subjects: []string{`Revert "bäh"`}},
		{name: "no message", exit: 1, set: script(`git commit -q --amend --allow-empty-message -m ''; git push -q --force deploy canary`), subjects: []string{`Revert ""`}},
		{name: "a revert by hand", exit: 1, code: "a\nBAD\nc", set: script("git revert --no-edit HEAD >/dev/null" + push)},
		{name: "a branch of the commit's abbreviated name", exit: 1, set: func(s *scene) {
			s.git("branch", s.bad[:9])
			s.p.Settings.Commit = s.bad[:9]
		}},
		{name: "a commit that was reverted and came back", exit: 1, set: func(s *scene) {
			s.sh("git revert --no-edit HEAD; git revert --no-edit HEAD" + push)
			s.p.Settings.Commit = s.bad
		}},
		{name: "a commit that only messages say is reverted", exit: 1, set: func(s *scene) {
			s.sh("git commit -q --allow-empty -m \"This reverts commit $bad.\"" + push)
			s.p.Settings.Commit = s.bad
		}},

		{name: "the branch by its full name", exit: 1, set: branchNamed("refs/heads/canary")},
		{name: "the branch with its remote", exit: 1, set: branchNamed("deploy/canary")},
		{name: "the branch with heads", exit: 1, set: branchNamed("heads/canary")},
		{name: "the branch as the remote's", exit: 1, set: branchNamed("refs/remotes/deploy/canary")},
		{name: "the branch with remotes", exit: 1, set: branchNamed("remotes/deploy/canary")},
		{name: "a tag of the branch's name", exit: 1, set: func(s *scene) {
			s.sh("git tag canary HEAD~1; git push -q deploy refs/tags/canary")
			s.p.Settings.Branch = "canary"
		}},
		{name: "a tag of the branch's name and no name in the settings", exit: 1, set: script("git tag canary HEAD~1; git push -q deploy refs/tags/canary")},
		{name: "a branch of odd characters", exit: 1, set: func(s *scene) {
			s.ref = "refs/heads/feature/ü+#1'\"$(x)"
			s.git("checkout", "-q", "-b", strings.TrimPrefix(s.ref, heads))
			s.git("push", "-q", "deploy", s.ref)
		}},
		{name: "a branch that ends as others do", exit: 1, set: func(s *scene) {
			s.sh("git push -q deploy HEAD~1:refs/heads/x/refs/heads/canary")
		}},
		{name: "a detached HEAD", exit: 1, set: func(s *scene) { s.git("checkout", "-q", "--detach"); s.p.Settings.Branch = "canary" }},
		{name: "a branch checked out that is named as a remote one", exit: 1, set: script("git update-ref refs/heads/deploy/canary HEAD~1")},

		{name: "a bare clone", exit: 1, set: func(s *scene) { s.clone("--bare") }},
		{name: "a mirror", exit: 1, set: func(s *scene) { s.clone("--mirror") }},
		{name: "a linked worktree", exit: 1, set: func(s *scene) {
			s.sh("git checkout -q --detach; git worktree add -q ../tree canary")
			s.dir = filepath.Join(s.env["HOME"], "tree")
			s.p.Dir = s.dir
		}},
		{name: "a directory below", exit: 1, set: func(s *scene) { s.file("d/e", "x", 0o600); s.p.Dir = filepath.Join(s.dir, "d") }},
		{name: "a sparse checkout", exit: 1, set: script("mkdir -p d; echo x >d/f; git add d; git commit -qm d; git sparse-checkout set d >/dev/null; git rm -q --sparse d/f; git commit -qm gone" + push), code: "a\nBAD\nc"},
		{name: "a shallow clone with the parent", exit: 1, set: func(s *scene) { s.clone("--depth=2") }},
		{name: "a clone without files", exit: 1, set: func(s *scene) {
			s.in(s.remote, "config", "uploadpack.allowFilter", "true")
			s.clone("--filter=blob:none")
		}},
		{name: "a clone without directories", exit: 1, set: func(s *scene) {
			s.in(s.remote, "config", "uploadpack.allowFilter", "true")
			s.clone("--filter=tree:0")
		}},
		{name: "large files elsewhere", exit: 1, code: "a\nBAD\nc", set: func(s *scene) {
			s.sh("git config filter.lfs.clean false; git config filter.lfs.smudge false; git config filter.lfs.required true; " +
				"echo '*.big filter=lfs diff=lfs merge=lfs -text' >.git/info/attributes; " +
				"printf 'oid sha256:1\\n' | git hash-object -w --stdin >o; git update-index --add --cacheinfo 100644,$(cat o),x.big; rm o; git commit -qm big; " +
				"printf 'oid sha256:2\\n' | git hash-object -w --stdin >o; git update-index --cacheinfo 100644,$(cat o),x.big; rm o; git commit -qm bigger" + push)
		}, stays: true, says: "left as it is"},
		{name: "a repository of SHA-256", exit: 1, set: func(s *scene) {
			s.sh("cd ..; rm -rf deploy.git work; git init -q --bare --object-format=sha256 deploy.git; git init -q -b canary --object-format=sha256 work; cd work; git remote add deploy ../deploy.git; " +
				"printf 'a\\nb\\nc\\n' >code; git add code; git commit -qm start; printf 'a\\nBAD\\nc\\n' >code; git commit -qam bad" + push)
		}},

		{name: "objects that are replaced here", exit: 1, set: script("git replace $bad $(git commit-tree -m other HEAD~1^{tree} -p HEAD~1)")},
		{name: "parents that are grafted here", exit: 1, set: script("echo $bad >.git/info/grafts")},
		{name: "notes", exit: 1, set: script("git notes add -m note HEAD; git config notes.displayRef '*'")},
		{name: "attributes that merge by union", exit: 1, code: "a\nMORE\nc", set: func(s *scene) {
			s.sh("echo 'code merge=union' >.gitattributes; git add .; git commit -qm union; printf 'a\\nBAD\\nMORE\\nc\\n' >code; git commit -qam more; printf 'a\\nMORE\\nc\\n' >code; git commit -qam less" + push)
			s.p.Settings.Commit, s.plain = s.bad, true
		}},
		{name: "settings that change what git prints", exit: 1, set: script("git config log.showSignature true; git config color.ui always; git config log.decorate full; git config core.abbrev 5; git config format.pretty oneline; git config i18n.logOutputEncoding ISO-8859-1; git config core.quotePath true; git config log.follow true; git config log.date iso; git config column.ui always")},
		{name: "settings of commits", exit: 1, set: script("git config commit.template nowhere; git config commit.cleanup scissors; git config core.commentChar R; git config revert.reference true; git config commit.verbose true; git config user.useConfigOnly true")},
		{name: "settings of merges", exit: 1, set: script("git config merge.ff false; git config merge.autostash true; git config merge.log true; git config branch.canary.mergeOptions '--no-commit --squash'; git config merge.verifySignatures true; git config pull.rebase true"), stays: true, says: "left as it is"},
		{name: "hooks that rewrite", exit: 1, set: func(s *scene) {
			for _, name := range []string{"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-merge", "post-checkout", "reference-transaction", "pre-merge-commit", "post-index-change"} {
				s.hook(filepath.Join(s.dir, ".git"), name, "echo hooked >>code; touch ../hooked; exit 1")
			}
		}},
		{name: "a hook before pushes that agrees", exit: 1, set: func(s *scene) {
			s.hook(filepath.Join(s.dir, ".git"), "pre-push", `test "$1" = deploy && read local id ref old && test "$ref" = refs/heads/canary && git cat-file -e "$id"`)
		}},

		{name: "pushes of all branches", exit: 1, set: script("git config push.default matching; git branch other; git push -q deploy other; git checkout -q other; git commit -q --allow-empty -m private; git checkout -q canary")},
		{name: "pushes of tags", exit: 1, set: script("git config push.followTags true; git tag -a -m v1 v1 HEAD; git tag -a -m v0 v0 HEAD~1")},
		{name: "pushes of other refs", exit: 1, set: script("git config remote.deploy.push refs/heads/*:refs/heads/all/*; git config --add remote.deploy.push +HEAD:refs/heads/x")},
		{name: "pushes of all there is", exit: 1, set: script("git config remote.deploy.mirror true; git tag private")},
		{name: "pushes of submodules", exit: 1, set: script("git config push.recurseSubmodules on-demand; git config submodule.recurse true")},
		{name: "pushes to where something else follows", exit: 1, set: script("git config branch.canary.remote deploy; git config branch.canary.merge refs/heads/main; git push -q deploy HEAD~1:refs/heads/main; git config push.default upstream; git config remote.pushDefault nowhere; git config branch.canary.pushRemote nowhere")},
		{name: "a lease that is required", exit: 1, set: script("git config push.useForceIfIncludes true")},
		{name: "fetches that prune", exit: 1, set: script("git config fetch.prune true; git config fetch.pruneTags true; git tag private")},
		{name: "an address for pushes", exit: 1, set: func(s *scene) {
			s.sh("git init -q --bare ../mirror.git; git push -q ../mirror.git HEAD~1:refs/heads/canary; git config remote.deploy.url ../mirror.git; git config remote.deploy.pushurl ../deploy.git")
		}},
		{name: "an address that is rewritten to a URL", exit: 1, set: script("git config remote.deploy.url shop:deploy.git; git config url.file://$(dirname $PWD)/.insteadOf shop:")},
		{name: "an address that is rewritten", exit: 1, set: script("git config remote.deploy.url shop:deploy.git; git config url.../.insteadOf shop:")},
		{name: "an address that is rewritten for pushes", exit: 1, set: func(s *scene) {
			s.sh("git init -q --bare ../mirror.git; git push -q ../mirror.git HEAD~1:refs/heads/canary; git config remote.deploy.url ../mirror.git; git config url.../deploy.git.pushInsteadOf ../mirror.git")
		}},
		{name: "a HEAD on the remote that is the branch", exit: 1, set: func(s *scene) { s.in(s.remote, "symbolic-ref", "HEAD", s.ref) }},
		{name: "a HEAD on the remote that is nothing", exit: 1, set: func(s *scene) { s.in(s.remote, "symbolic-ref", "HEAD", "refs/heads/none") }},
		{name: "a remote with hooks that hold on to the pipe", exit: 1, set: func(s *scene) { s.hook(s.remote, "post-receive", "echo deployed; exit 3") }},

		{name: "changes that are not committed", exit: 1, set: func(s *scene) {
			s.sh("echo x >other; git add other; git commit -qm other" + push)
			s.p.Settings.Commit = s.bad
			s.write("other", "mine")
		}},
		{name: "changes of the same file", exit: 1, set: func(s *scene) { s.write("code", "mine") }, stays: true, says: "would be overwritten"},
		{name: "changes that are staged", exit: 1, set: script("echo mine >code; git add code"), stays: true, says: "would be overwritten"},
		{name: "attributes that are not committed", exit: 1, set: func(s *scene) { s.file(".gitattributes", "* merge=union text eol=crlf\n", 0o600) }},
		{name: "a deleted file that is not committed", exit: 1, set: script("git rm -q code"), stays: true, says: "left as it is"},
		{name: "a merge under way", exit: 1, set: script("git checkout -qb side HEAD~1; echo s >s; git add s; git commit -qm s; git checkout -q canary; git merge -q --no-commit --no-ff side"), stays: true, says: "left as it is"},
		{name: "a rebase under way", exit: 1, set: func(s *scene) {
			s.sh("GIT_SEQUENCE_EDITOR='echo break >' git rebase -q -i HEAD~1 || true; git checkout -q --detach $bad")
			s.p.Settings.Branch = "canary"
		}, stays: true, says: "something is under way"},
		{name: "a bisect under way", exit: 1, set: func(s *scene) { s.sh("git bisect start -q >/dev/null") }, stays: true, says: "something is under way"},
		{name: "a filter that fails", exit: 1, code: "a\nBAD\nc", stays: true, says: "the filter of a.z fails", set: script("git config filter.z.clean cat; git config filter.z.smudge false; git config filter.z.required true; echo '*.z filter=z' >.gitattributes; echo 1 >a.z; git add .; git commit -qm one; echo 2 >a.z; git commit -qam two" + push)},
		{name: "a lock of another git", exit: 1, set: func(s *scene) { s.file(".git/index.lock", "", 0o600) }, stays: true, says: "index.lock"},
		{name: "a file that git ignores in the way", exit: 1, code: "a\nBAD\nc", set: script("echo x >x; git add x; git commit -qm x; git rm -q x; echo x >.gitignore; git add .; git commit -qm gone" + push + "; echo mine >x"), stays: true, says: "would be overwritten"},
		{name: "a file that git does not know in the way", exit: 1, code: "a\nBAD\nc", set: script("echo x >x; git add x; git commit -qm x; git rm -q x; git commit -qm gone" + push + "; echo mine >x"), stays: true, says: "would be overwritten"},
		{name: "files that git does not know", exit: 1, set: func(s *scene) { s.file("result.json", "{}", 0o600) }},

		{name: "variables of a hook", exit: 1, set: func(s *scene) {
			s.p.Env = map[string]string{
				"GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere", "GIT_INDEX_FILE": "/nowhere/index", "GIT_OBJECT_DIRECTORY": "/nowhere", "GIT_QUARANTINE_PATH": "/nowhere",
				"GIT_COMMON_DIR": "/nowhere", "GIT_NAMESPACE": "x", "GIT_PREFIX": "x/", "GIT_ALTERNATE_OBJECT_DIRECTORIES": "/nowhere", "GIT_GRAFT_FILE": "/nowhere",
				"GIT_SHALLOW_FILE": "/nowhere", "GIT_REPLACE_REF_BASE": "refs/x", "GIT_REFLOG_ACTION": "x", "GIT_PUSH_OPTION_COUNT": "1", "GIT_TRACE": "1", "GIT_CONFIG": "/nowhere", "GIT_LITERAL_PATHSPECS": "1", "GIT_ATTR_SOURCE": "x",
			}
			for name, value := range s.env {
				s.p.Env[name] = value
			}
		}},
		{name: "a directory of odd characters", exit: 1, set: func(s *scene) {
			to := filepath.Join(s.env["HOME"], "a b:\"c\" ü")
			if err := os.Rename(s.dir, to); err != nil {
				s.t.Fatal(err)
			}
			s.dir, s.p.Dir = to, to
		}},
		{name: "a submodule of another repository", exit: 1, set: func(s *scene) {
			s.in(s.env["HOME"], "init", "-q", "super")
			s.in(filepath.Join(s.env["HOME"], "super"), "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "-b", "canary", s.remote, "sub")
			s.dir = filepath.Join(s.env["HOME"], "super", "sub")
			s.p.Dir = s.dir
			s.git("remote", "rename", "origin", "deploy")
		}},
		{name: "a detached worktree beside the branch", exit: 1, set: func(s *scene) {
			s.sh("git worktree add -q --detach ../tree canary")
			s.dir = filepath.Join(s.env["HOME"], "tree")
			s.p.Dir, s.p.Settings.Branch = s.dir, "canary"
		}},
		{name: "a packed clone", exit: 1, set: script("git gc -q; git pack-refs --all; git commit-graph write --reachable --changed-paths 2>/dev/null")},
		{name: "a clone that borrows objects", exit: 1, set: func(s *scene) { s.clone("--reference", s.dir) }},
		{name: "settings of a worktree", exit: 1, set: script("git config extensions.worktreeConfig true; git config --worktree core.sparseCheckout true; git config --worktree core.sparseCheckoutCone true; git sparse-checkout set >/dev/null")},
		{name: "an author with a key", exit: 1, set: func(s *scene) {
			s.sh("ssh-keygen -q -t ed25519 -N '' -f ../key; git config gpg.format ssh; git config user.signingKey \"$PWD/../key\"; git config commit.gpgsign true")
		}},
	})
}

// A revert is signed when commits are to be.
func TestRevertsAreSigned(t *testing.T) {
	t.Parallel()
	s := setScene(t)
	s.sh("ssh-keygen -q -t ed25519 -N '' -f ../key; git config gpg.format ssh; git config user.signingKey \"$PWD/../key\"; git config commit.gpgsign true")
	if _, err := s.p.Revert(t.Context(), s.observe(s.p), evidence, false); err != nil {
		t.Fatal(err)
	}
	if raw := s.in(s.remote, "cat-file", "commit", s.ref); !strings.Contains(raw, "BEGIN SSH SIGNATURE") {
		t.Errorf("no signature in\n%s", raw)
	}
}
