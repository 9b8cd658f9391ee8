package revert

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Of jobs that revert the same at the same time, on one tree or on clones of their own, one
// does it, and all others find that it is done. CANARY_JUDGE_ROUNDS sets how many rounds
// are played.
func TestJobsAtTheSameTime(t *testing.T) {
	t.Parallel()
	rounds := 1
	if n, err := strconv.Atoi(os.Getenv("CANARY_JUDGE_ROUNDS")); err == nil {
		rounds = n
	}
	for _, jobs := range []int{2, 5, 20} {
		for _, clones := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d jobs, clones %v", jobs, clones), func(t *testing.T) {
				t.Parallel()
				for range rounds {
					raceOnce(t, jobs, clones)
				}
			})
		}
	}
}

func raceOnce(t *testing.T, jobs int, clones bool) {
	t.Helper()
	s := setScene(t)
	all := make([]*Repository, jobs)
	for i := range all {
		p := *s.p
		if clones {
			p.Dir = filepath.Join(s.env["HOME"], fmt.Sprint("clone", i))
			s.in(s.env["HOME"], "clone", "--quiet", "--origin=deploy", "--branch=canary", s.remote, p.Dir)
		}
		all[i] = &p
	}
	judged := s.observe(all[0])
	outcomes, errs := make([]Outcome, jobs), make([]error, jobs)
	var wait sync.WaitGroup
	for i, p := range all {
		wait.Go(func() { outcomes[i], errs[i] = p.Revert(t.Context(), judged, evidence, false) })
	}
	wait.Wait()
	pushed := 0
	for i, o := range outcomes {
		if errs[i] != nil {
			t.Errorf("job %d of %d: %v", i, jobs, errs[i])
			continue
		}
		if o.Pushed != "" {
			pushed++
		}
		if len(o.Reverts) != 1 || o.Reverts[0] != s.at() {
			t.Errorf("job %d of %d: %+v; the remote is at %s", i, jobs, o, s.at())
		}
	}
	if got := s.in(s.remote, "log", "--format=%s", s.ref); pushed != 1 || got != "Revert \"bad\"\nbad\nstart" {
		t.Errorf("%d pushed; the remote has\n%s", pushed, got)
	}
	if got := s.in(s.remote, "show", s.ref+":code"); got != "a\nb\nc" {
		t.Errorf("code is %q", got)
	}
	for i, p := range all { // each follows, whoever of them pushed
		if head, dirty := s.in(p.Dir, "rev-parse", "HEAD"), s.in(p.Dir, "status", "--porcelain"); head != s.at() || dirty != "" || len(outcomes[i].Notes) > 1 {
			t.Errorf("job %d of %d: its clone is at %s, with %q; it says %q", i, jobs, head, dirty, outcomes[i].Notes)
		}
	}
}

// The tree of a revert is that of git revert --no-edit in a clean clone, wherever that
// succeeds, for random histories; where it conflicts, or changes nothing, it is refused.
// CANARY_JUDGE_HISTORIES sets how many are tried.
func TestTreesAreThoseOfGitRevert(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("git's work, which no race detector sees")
	}
	histories := 12
	if n, err := strconv.Atoi(os.Getenv("CANARY_JUDGE_HISTORIES")); err == nil {
		histories = n
	}
	same, refused := 0, 0
	var mu sync.Mutex
	t.Run("histories", func(t *testing.T) {
		for seed := range histories {
			t.Run(strconv.Itoa(seed), func(t *testing.T) {
				t.Parallel()
				a, b := compareWithGit(t, uint64(seed))
				mu.Lock()
				defer mu.Unlock()
				same, refused = same+a, refused+b
			})
		}
	})
	t.Logf("%d reverts were those of git, %d were refused as by git", same, refused)
	if same < histories || refused == 0 {
		t.Errorf("%d reverts were compared and %d refused: the histories are no test", same, refused)
	}
}

// compareWithGit makes a history and reverts each of its newest commits on top of it.
func compareWithGit(t *testing.T, seed uint64) (same, refused int) {
	s := setScene(t)
	h := &historian{scene: s, rand: rand.New(rand.NewPCG(seed, 12))}
	for range 12 {
		h.commit()
	}
	s.sh("git push -q deploy canary")
	dir := filepath.Join(s.env["HOME"], "git")
	s.in(s.env["HOME"], "clone", "--quiet", "--branch=canary", s.remote, dir)
	// Settings of merges hold for both.
	setting := []string{"core.x=y", "merge.renames=false", "merge.directoryRenames=true", "diff.renames=copies", "merge.renormalize=true", "core.autocrlf=true", "merge.conflictStyle=diff3", "core.ignoreCase=true"}[h.rand.IntN(8)]
	key, value, _ := strings.Cut(setting, "=")
	for _, clone := range []string{s.dir, dir} {
		s.in(clone, "config", key, value)
	}
	s.in(dir, "reset", "--quiet", "--hard")
	for line := range strings.SplitSeq(s.git("rev-list", "--parents", "--first-parent", "-7", "HEAD"), "\n") {
		ids := strings.Fields(line)
		s.p.Settings.Commit, s.p.Settings.Mainline = ids[0], 1
		mainline := ""
		if len(ids) > 2 {
			s.p.Settings.Mainline = 1 + h.rand.IntN(2)
			mainline = fmt.Sprint("-m", s.p.Settings.Mainline)
		}
		theirs := s.shIn(dir, "if git revert --no-edit "+mainline+" "+ids[0]+" >../said 2>&1; then git rev-parse HEAD^{tree}; else git revert --abort 2>/dev/null || true; fi; git reset -q --hard "+h.git("rev-parse", "HEAD")+"; git clean -qdfx")
		ours, err := s.worked(t)
		switch {
		case ours != theirs:
			said, _ := os.ReadFile(filepath.Join(s.env["HOME"], "said"))
			t.Errorf("history %d, %s, %s of %s: %q, and git revert has %q: %v\n%s\n%s", seed, setting, mainline, ids[0], ours, theirs, err, said, s.git("log", "--graph", "--oneline", "--stat"))
		case theirs != "":
			same++
		default:
			refused++
		}
	}
	return same, refused
}

// worked returns the tree of a revert, "" where it is refused.
func (s *scene) worked(t *testing.T) (string, error) {
	p, err := s.p.open(t.Context(), false)
	if err != nil {
		return "", err
	}
	defer p.close()
	commits, err := p.named(t.Context(), s.p.Settings.Commit)
	if err != nil {
		return "", err
	}
	tip := s.git("rev-parse", "HEAD")
	steps, err := s.p.plan(t.Context(), p, tip, commits)
	if err == nil {
		err = p.changing(t.Context(), tip, steps)
	}
	if err != nil {
		return "", err
	}
	return steps[0].tree, nil
}

// historian makes random commits.
type historian struct {
	*scene
	rand *rand.Rand
	n    int
}

func (h *historian) commit() {
	h.n++
	if h.rand.IntN(5) == 0 {
		h.sh(fmt.Sprintf("git checkout -q -b side%d HEAD~%d", h.n, h.rand.IntN(2)))
		h.change()
		h.change()
		h.sh(fmt.Sprintf("git checkout -q canary; git merge -q --no-ff -m merge%d side%d >/dev/null 2>&1 || { git checkout -q --ours . 2>/dev/null || true; git add -A; git commit -q --allow-empty -m 'merge%d by hand'; }", h.n, h.n, h.n))
		return
	}
	h.change()
}

// change changes one of few files, so that changes meet.
func (h *historian) change() {
	h.n++
	name := fmt.Sprintf("f%d", h.rand.IntN(4))
	lines := func() string {
		var b strings.Builder
		for i := range 8 {
			fmt.Fprintf(&b, "line %d %d\\n", i, h.rand.IntN(2))
		}
		return b.String()
	}
	line := 1 + h.rand.IntN(8)
	script := []string{
		fmt.Sprintf("printf '%s' >%s", lines(), name),
		fmt.Sprintf("[ -f %s ] && sed -i '%ds/.*/changed %d/' %s || printf '%s' >%s", name, line, h.n, name, lines(), name),
		fmt.Sprintf("[ -f %s ] && sed -i '%ds/.*/changed %d/' %s || printf '%s' >%s", name, line, h.n, name, lines(), name),
		fmt.Sprintf("[ -f %s ] && sed -i '%da added %d' %s || printf '%s' >%s", name, line, h.n, name, lines(), name),
		fmt.Sprintf("[ -e %s ] && { rm -rf d%d; mkdir -p d%d; git mv -f %s d%d/moved; } || printf '%s' >%s", name, h.n, h.n, name, h.n, lines(), name),
		fmt.Sprintf("[ -e %s ] && git rm -qf %s || printf '%s' >%s", name, name, lines(), name),
		fmt.Sprintf("[ -f %s ] && chmod $([ -x %s ] && echo -x || echo +x) %s || printf '%s' >%s", name, name, name, lines(), name),
		fmt.Sprintf(`printf 'x\000%d' >bin`, h.n),
		fmt.Sprintf(`printf '%s' | sed 's/$/\r/' >crlf; sed -i '%ds/ /-/' crlf`, lines(), line),
		fmt.Sprintf("ln -sfn nowhere%d link", h.n),
		fmt.Sprintf("rm -rf %s; ln -s target%d %s", name, h.n, name),
		"git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),sub",
		fmt.Sprintf("mkdir -p e; for i in 1 2 3; do echo $i %d >e/$i; done; [ ! -d e ] || git add e", h.n),
		fmt.Sprintf("[ -d e ] && git mv e e%d || echo x >x%d", h.n, h.n),
		fmt.Sprintf("echo '* %s' >.gitattributes", []string{"merge=union", "-text", "binary", "text=auto"}[h.rand.IntN(4)]),
	}[h.rand.IntN(15)]
	h.sh(script + "; git add -A -- ':!sub'; git commit -qm 'commit " + strconv.Itoa(h.n) + "' --allow-empty")
}
