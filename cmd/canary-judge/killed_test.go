package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var kills = flag.Int("kills", 40, "runs that TestKilled kills")

// killedConfig reverts and tells at a fail, which broken data are after a few looks.
const killedConfig = `service: shop
provider: prometheus
baseline: {app: shop}
canary: {app: canary}
window: {length: 30m, step: 30s, warmup: 1m}
metrics:
  - name: errors
    ratio: {bad: 'sum(increase(errors{$arm}[$step]))', total: 'sum(increase(requests{$arm}[$step]))'}
    tolerance: 25%
on_fail:
  revert: {commit: HEAD, push: origin, branch: main}
  run: [sh, -c, "echo told >> told"]
`

// TestKilled kills runs with a revert and a hook at random moments, until one comes to its
// end: whatever the moments, the verdict is the one it had been, the remote is reverted
// once, the hook ran at most once, and the result is whole.
func TestKilled(t *testing.T) {
	t.Parallel()
	n := *kills
	if testing.Short() {
		n = min(n, 20)
	}
	server := httptest.NewServer(&prometheusServer{mode: "broken"})
	t.Cleanup(server.Close)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	k := &killer{template: t.TempDir(), program: link(t, self), url: server.URL}
	k.begin(t)
	took := time.Minute
	for range 4 {
		began := time.Now()
		v := k.victim(t)
		if code, out := v.run(nil); code != exitFail {
			t.Fatalf("a run that nothing kills: exit %d\n%s", code, out)
		}
		took = min(took, time.Since(began))
	}
	moments := make(chan float64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for at := range moments {
				k.kill(t, at, took)
			}
		})
	}
	for runs := 0; runs < 5*n && k.dead() < n; runs++ {
		moments <- rand.Float64()
	}
	close(moments)
	workers.Wait()
	t.Logf("%d runs killed (%d of them after the verdict), %d resumed after that; the hook ran in %d, and in %d nobody knows; one takes %s",
		k.killed, k.late, k.resumed, k.hooks, k.unknown, took)
	if k.killed < n || k.late < n/4 {
		t.Errorf("only %d runs were killed, and %d of them after the verdict", k.killed, k.late)
	}
}

// killer is what all runs share, and what came of them.
type killer struct {
	template, program, url string

	sync.Mutex
	killed, late, resumed, hooks, unknown int
}

func (k *killer) dead() int {
	k.Lock()
	defer k.Unlock()
	return k.killed
}

func (k *killer) count(n *int) {
	k.Lock()
	defer k.Unlock()
	*n++
}

// begin makes the repository that every run starts from: a good commit, and one to revert.
func (k *killer) begin(t *testing.T) {
	t.Helper()
	script := `set -e
git init -q --bare -b main remote.git
git init -q -b main work
cd work
git config user.name Dev && git config user.email dev@example.com
git remote add origin ../remote.git
echo good > price && git add price && git commit -qm Good
echo bad > price && git commit -qam Bad
git push -q origin main`
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Env = k.template, k.env()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(k.template, "canary.yaml"), []byte(killedConfig), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (k *killer) env() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + k.template, "GIT_CONFIG_NOSYSTEM=1", "PROMETHEUS_URL=" + k.url}
}

// victim is one run with its own repository.
type victim struct {
	*killer
	dir string
}

func (k *killer) victim(t *testing.T) victim {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if out, err := exec.Command("cp", "-r", k.template, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return victim{k, dir}
}

// file is a path beside the repository.
func (v victim) file(name string) string { return filepath.Join(v.dir, name) }

// run runs the job, and goes on with its recording if there is one. Once kill is closed it
// is killed, and the code is -1.
func (v victim) run(kill <-chan struct{}) (code int, out string) {
	args := []string{"run", "-c", "../canary.yaml", "--record", "../run.jsonl", "--start", "-40m", "--end", "-10m", "-o", "json=../result.json", "-o", "text"}
	if info, err := os.Stat(v.file("run.jsonl")); err == nil && info.Size() > 0 {
		args = append(args, "--resume")
	}
	cmd := exec.Command(v.program, args...)
	// A file, and no pipe: what the job started may hold its output when it is killed, and
	// all that it said before is to be read, however busy the machine.
	said, err := os.Create(v.file("said"))
	if err != nil {
		return -2, err.Error()
	}
	defer said.Close()
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = v.file("work"), v.env(), said, said
	if err := cmd.Start(); err != nil {
		return -2, err.Error()
	}
	ended := make(chan struct{})
	if kill != nil {
		go func() {
			select {
			case <-kill:
				_ = cmd.Process.Kill() // it may have ended
			case <-ended:
			}
		}()
	}
	err = cmd.Wait()
	close(ended)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return -2, err.Error()
	}
	text, err := os.ReadFile(said.Name())
	if err != nil {
		return -2, err.Error()
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// has reports whether the recording holds a text.
func (v victim) has(text string) bool {
	recorded, err := os.ReadFile(v.file("run.jsonl"))
	return err == nil && bytes.Contains(recorded, []byte(text))
}

// kill kills a run at a moment, a share of what a run takes, or of what is left of it
// after the verdict; perhaps kills it once more when it goes on; and looks at the end.
func (k *killer) kill(t *testing.T, at float64, took time.Duration) {
	v := k.victim(t)
	defer os.RemoveAll(v.dir)
	for round := 0; ; round++ {
		var moment chan struct{}
		if round < 1+rand.IntN(2) {
			moment = make(chan struct{})
			go v.strike(moment, at, took, rand.IntN(2) == 0)
		}
		code, out := v.run(moment)
		if code == -1 {
			k.count(&k.killed)
			if v.has(`"end":"verdict"`) {
				k.count(&k.late)
			}
			if !v.has(`"concluded":true`) {
				continue
			}
			code, out = v.run(nil) // killed when all was done: there is nothing to go on with
			if code != exitUsage || !strings.Contains(out, "the run has ended; replay it instead") {
				t.Errorf("killed at the very end: exit %d\n%s", code, out)
			}
			if problem := v.whole(); problem != "" {
				t.Errorf("killed at the very end: %s", problem)
			}
			return
		}
		if round > 0 {
			k.count(&k.resumed)
		}
		if problem := v.look(code, out); problem != "" {
			t.Errorf("killed at %.3f of %s, %d times: %s\n%s", at, took, round, problem, out)
		}
		return
	}
}

// strike closes a channel at a moment.
func (v victim) strike(moment chan<- struct{}, at float64, took time.Duration, afterVerdict bool) {
	wait := time.Duration(at * float64(took))
	if afterVerdict {
		for deadline := time.Now().Add(2 * took); !v.has(`"end":"verdict"`) && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		wait /= 2
	}
	time.Sleep(wait)
	close(moment)
}

// look says what is wrong at the end of a run, "" if nothing is.
func (v victim) look(code int, out string) string {
	if code != exitFail && code != exitNotJudged || !strings.Contains(out, "FAIL after") {
		return fmt.Sprintf("exit %d", code)
	}
	in := func(dir string, args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", v.file(dir)}, args...)...)
		cmd.Env = v.env()
		text, err := cmd.CombinedOutput()
		if err != nil {
			return err.Error() + ": " + string(text)
		}
		return strings.TrimSpace(string(text))
	}
	git := func(args ...string) string { return in("remote.git", args...) }
	if here, there := in("work", "rev-parse", "HEAD"), git("rev-parse", "main"); here != there && !strings.Contains(out, "was left as it is") {
		return fmt.Sprintf("the clone is at %s, the remote at %s, and nobody says so", here, there)
	}
	if got := git("log", "--format=%s", "main"); got != "Revert \"Bad\"\nBad\nGood" {
		return "the remote's main is\n" + got
	}
	if got := git("show", "main:price"); got != "good" {
		return "the remote's price is " + got
	}
	told, err := os.ReadFile(v.file("work/told"))
	unknown := strings.Contains(out, "nobody knows how far it came")
	switch {
	case string(told) != "" && string(told) != "told\n":
		return fmt.Sprintf("the hook said %q", told)
	case err != nil && !unknown:
		return "the hook did not run"
	case unknown != (code == exitNotJudged):
		return fmt.Sprintf("exit %d", code)
	}
	if unknown {
		v.count(&v.unknown)
	} else {
		v.count(&v.hooks)
	}
	return v.whole()
}

// whole says what is wrong with the result, which a replay of the recording must come to.
func (v victim) whole() string {
	cmd := exec.Command(v.program, "replay", "../run.jsonl", "-o", "json")
	cmd.Dir, cmd.Env = v.file("work"), v.env()
	replayed, _ := cmd.Output() // it exits with 1
	saved, err := os.ReadFile(v.file("result.json"))
	if err != nil {
		return err.Error()
	}
	var want, got map[string]any
	if err := errors.Join(json.Unmarshal(replayed, &want), json.Unmarshal(saved, &got)); err != nil {
		return err.Error()
	}
	generated, _ := got["generated"].(map[string]any)
	if actions, _ := generated["actions"].([]any); len(actions) != 2 || got["verdict"] != "fail" {
		return fmt.Sprintf("verdict %v, actions %v", got["verdict"], actions)
	}
	delete(want, "generated")
	delete(got, "generated")
	if diff := cmp.Diff(want, got); diff != "" {
		return "the replay's result differs:\n" + diff
	}
	return ""
}
