//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scenario is a deployment and what canary-judge is to make of it.
type scenario struct {
	name             string
	baseline, canary behaviour
	exits            []int    // that are right
	looks            int      // at the latest
	failed           []string // metrics of which at least one fails, and no other; nil = none
}

// usual is how a service behaves that nothing is wrong with.
var usual = behaviour{Errors: 0.03, Median: 20 * time.Millisecond}

// scenarios leave so much room between what they do and what is tolerated that
// the verdict does not hang on luck: of 10,000 simulated broken canaries, 16 took
// more than 5 looks. Only the healthy one may lack evidence, as 8% of the simulated
// ones did on errors: some 110 failed requests in two minutes are not many.
var scenarios = []scenario{
	{
		name: "broken", baseline: usual, canary: behaviour{Errors: 10 * usual.Errors, Median: usual.Median},
		exits: []int{fail}, looks: 5, failed: []string{"errors"},
	},
	{
		name: "slow", baseline: usual, canary: behaviour{Errors: usual.Errors, Median: usual.Median * 3 / 2},
		exits: []int{fail}, looks: 24, failed: []string{"slow requests", "latency mean"},
	},
	{
		name: "healthy", baseline: usual, canary: usual,
		exits: []int{pass, inconclusive}, looks: 24,
	},
}

// judged is a run of canary-judge and the files it writes.
type judged struct {
	load              *load
	run               *process
	recording, result string
}

// TestCanary judges real canaries, a passable and two bad ones.
func TestCanary(t *testing.T) {
	t.Parallel()
	cj := build(t)
	s := startStack(t, scenarios)
	loads := map[string]*load{}
	for _, d := range s.Deployments {
		loads[d.Name] = startLoad(t, "http://"+d.Address+"/")
	}
	// A canary is judged beside a baseline that has been there for a while.
	s.waitForData(t, 20*time.Second)

	// All at the same time: the runs take minutes, and mostly wait.
	dir := t.TempDir()
	runs := map[string]judged{}
	for _, sc := range scenarios {
		j := judged{load: loads[sc.name], recording: filepath.Join(dir, sc.name+".jsonl"), result: filepath.Join(dir, sc.name+".json")}
		args := append(s.on(sc.name), "--record", j.recording, "-o", "text", "-o", "json="+j.result)
		j.run = cj.start(t, append([]string{"run"}, args...)...)
		runs[sc.name] = j
	}
	t.Run("interrupted", func(t *testing.T) { interrupt(t, cj, s) })
	for _, sc := range scenarios[:2] {
		t.Run(sc.name, func(t *testing.T) { sc.check(t, cj, runs[sc.name]) })
	}
	t.Run("csv", func(t *testing.T) { judgeCSV(t, cj, runs["broken"].recording) })
	s.waitForData(t, 65*time.Second)
	t.Run("record", func(t *testing.T) { recordPast(t, cj, s) })
	t.Run("check", func(t *testing.T) { checkLive(t, cj, s) })
	sc := scenarios[2]
	t.Run(sc.name, func(t *testing.T) { sc.check(t, cj, runs[sc.name]) })
	if !t.Failed() {
		update(t, runs)
	}
}

// check waits for the verdict on a scenario and checks it, and that of a replay.
func (sc scenario) check(t *testing.T, cj tool, j judged) {
	code := j.run.wait(t, 3*time.Minute)
	t.Logf("exit %d\n%s\n%s", code, &j.run.stderr, &j.run.stdout)
	if !slices.Contains(sc.exits, code) {
		t.Fatalf("exit %d, want one of %v", code, sc.exits)
	}
	r := readResult(t, j.result)
	if want := map[int]string{pass: "pass", fail: "fail", inconclusive: "inconclusive"}[code]; r.Verdict != want {
		t.Errorf("the verdict is %q, want %q", r.Verdict, want)
	}
	if r.Reason == "" || !strings.Contains(j.run.stdout.String(), r.Reason) {
		t.Errorf("the text lacks the reason %q", r.Reason)
	}
	if r.Window.Looks > sc.looks {
		t.Errorf("it took %d looks, want at most %d", r.Window.Looks, sc.looks)
	}
	failed := r.failed()
	if (len(failed) > 0) != (len(sc.failed) > 0) {
		t.Errorf("the failed metrics are %q, want some of %q", failed, sc.failed)
	}
	for _, name := range failed {
		if !slices.Contains(sc.failed, name) {
			t.Errorf("the metric %q failed, want none but %q", name, sc.failed)
		}
	}
	checkTraffic(t, r, j.load)

	again := filepath.Join(t.TempDir(), "replay.json")
	if p, got := cj.run(t, "replay", j.recording, "-o", "json="+again); got != code {
		t.Errorf("the replay exits %d, the run did %d\n%s", got, code, &p.stderr)
	}
	sameResult(t, j.result, again)
}

// checkTraffic checks that the result has seen the requests that were sent.
func checkTraffic(t *testing.T, r result, l *load) {
	t.Helper()
	near := func(what string, got, want, off float64) {
		if math.Abs(got-want) > off*want {
			t.Errorf("%s is %.4g, want about %.4g", what, got, want)
		}
	}
	m := r.metric(t, "errors")
	sent := l.between(r.Window.From, r.Window.End)
	near("the number of requests", m.Baseline.Total+m.Canary.Total, float64(sent), 0.1)
	near("the canary's share of them", r.Exposure.Observed, 0.1, 0.25)
}

// interrupt interrupts a run after its first look, and goes on with it.
func interrupt(t *testing.T, cj tool, s *stack) {
	file, result := filepath.Join(t.TempDir(), "interrupted.jsonl"), filepath.Join(t.TempDir(), "interrupted.json")
	args := append([]string{"run", "--record", file, "-o", "json=" + result}, s.on("broken")...)
	p := cj.start(t, args...)
	eventually(t, time.Minute, "the first look", func(context.Context) error {
		if text, err := os.ReadFile(file); err != nil || !bytes.Contains(text, []byte(`"look":1,`)) {
			return fmt.Errorf("it is not in the recording (%w)", err)
		}
		return nil
	})
	p.signal(syscall.SIGINT)
	if code := p.wait(t, patience); code != interrupted {
		t.Errorf("exit %d after SIGINT, want %d\n%s", code, interrupted, &p.stderr)
	}
	if r := readResult(t, result); r.Verdict != "inconclusive" || r.Window.Looks != 1 {
		t.Errorf("after SIGINT the result is %s with %d looks, want inconclusive with 1", r.Verdict, r.Window.Looks)
	}
	p = cj.start(t, append(args, "--resume")...)
	if code := p.wait(t, time.Minute); code != fail {
		t.Errorf("exit %d of the resumed run, want %d\n%s", code, fail, &p.stderr)
	}
	again := filepath.Join(t.TempDir(), "replay.json")
	if p, code := cj.run(t, "replay", file, "-o", "json="+again); code != fail {
		t.Errorf("the replay of the resumed run exits %d, want %d\n%s", code, fail, &p.stderr)
	}
	sameResult(t, result, again)
}

// recordPast records a time that lies behind, and replays it.
func recordPast(t *testing.T, cj tool, s *stack) {
	file := filepath.Join(t.TempDir(), "past.jsonl")
	args := append([]string{"record"}, s.on("healthy")...)
	p, code := cj.run(t, append(args, "--start", "-60s", "--end", "-5s", "--record", file)...)
	t.Logf("exit %d\n%s%s", code, &p.stderr, &p.stdout)
	if code != 0 {
		t.Fatalf("exit %d, want 0", code)
	}
	result := filepath.Join(t.TempDir(), "past.json")
	if _, code := cj.run(t, "replay", file, "-o", "json="+result); code != pass && code != inconclusive {
		t.Errorf("the replay of it exits %d, want %d or %d", code, pass, inconclusive)
	}
	if r := readResult(t, result); r.Window.Looks < 5 {
		t.Errorf("the replay of it has %d looks, want 5 or more", r.Window.Looks)
	}
}

// checkLive asks what comes back of every metric.
func checkLive(t *testing.T, cj tool, s *stack) {
	p, code := cj.run(t, append([]string{"check", "--live"}, s.on("healthy")...)...)
	t.Logf("exit %d\n%s%s", code, &p.stderr, &p.stdout)
	if code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
	for _, name := range []string{"errors", "slow requests", "latency mean", "memory"} {
		if !strings.Contains(p.stdout.String(), "\n  "+name+", ") {
			t.Errorf("nothing is said of what came back for %q", name)
		}
	}
}
