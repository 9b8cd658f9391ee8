//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const terminated = 143

// ramp is a deployment whose canary gets its traffic in stages.
type ramp struct {
	*stack
	name, config, recording, result string
}

// TestRamp has nginx give canaries 5, 20 and 50% of the traffic: a healthy one, which is promoted;
// a broken one, and one that is broken in one region alone, which are taken back before they get more; and healthy ones whose run is killed in each
// stage, or interrupted.
func TestRamp(t *testing.T) {
	cj := build(t)
	broken := behaviour{Errors: 10 * usual.Errors, Median: usual.Median}
	ramps := map[string]*ramp{}
	for _, name := range []string{"healthy", "broken", "regional", "killed", "interrupted"} {
		sc := scenario{name: name, baseline: usual, canary: usual}
		if name == "broken" {
			sc.canary = broken
		}
		if name == "regional" {
			sc.canary = behaviour{Errors: 20 * usual.Errors, Median: usual.Median, Where: "us"}
		}
		ramps[name] = startRamp(t, sc)
		startLoad(t, "http://"+ramps[name].Deployments[0].Address+"/")
	}
	for _, r := range ramps {
		r.waitForData(t, 5*time.Second)
	}
	healthy, bad, killed, stopped := ramps["healthy"], ramps["broken"], ramps["killed"], ramps["interrupted"]
	regional := ramps["regional"]
	good, worse, inOne := healthy.run(t, cj), bad.run(t, cj), regional.run(t, cj)
	victim, ended := killed.run(t, cj), stopped.run(t, cj)

	if code := worse.wait(t, 2*time.Minute); code != fail {
		t.Errorf("broken: exit %d\n%s\n%s", code, &worse.stderr, &worse.stdout)
	}
	if r := readResult(t, bad.result); r.Verdict != "fail" || r.Ramp.Stage > 2 {
		t.Errorf("broken: %s in stage %d", r.Reason, r.Ramp.Stage)
	}
	bad.split(t, "* stable;")
	bad.replay(t, cj, fail)

	stopped.reaches(t, 2)
	ended.signal(syscall.SIGTERM)
	if code := ended.wait(t, patience); code != terminated {
		t.Errorf("interrupted: exit %d\n%s", code, &ended.stderr)
	}
	stopped.split(t, "* stable;")
	again := stopped.run(t, cj, "--resume")

	for stage := 1; stage <= 3; stage++ {
		killed.reaches(t, stage)
		victim.signal(syscall.SIGKILL)
		victim.wait(t, patience)
		victim = killed.run(t, cj, "--resume")
	}
	for name, p := range map[string]*process{"healthy": good, "killed": victim, "interrupted": again} {
		code := p.wait(t, 3*time.Minute)
		t.Logf("%s: exit %d\n%s\n%s", name, code, &p.stderr, &p.stdout)
		if code != pass {
			t.Errorf("%s: exit %d, want %d", name, code, pass)
			continue
		}
		r := ramps[name]
		r.split(t, "* canary;")
		result := readResult(t, r.result)
		if result.Ramp.Stage != 3 {
			t.Errorf("%s: it passed in stage %d", name, result.Ramp.Stage)
		}
		for _, s := range result.Ramp.Stages {
			if s.Steps < 4 && name != "interrupted" || s.Requests == 0 {
				t.Errorf("%s: stage %d was judged for %d steps, with %g requests", name, s.Number, s.Steps, s.Requests)
			}
		}
		r.replay(t, cj, pass)
	}

	if code := inOne.wait(t, 2*time.Minute); code != fail {
		t.Errorf("regional: exit %d\n%s\n%s", code, &inOne.stderr, &inOne.stdout)
	}
	if r := readResult(t, regional.result); r.Verdict != "fail" || !strings.Contains(r.Reason, "errors in region=us are ") || r.Ramp.Stage > 2 {
		t.Errorf("regional: %s in stage %d", r.Reason, r.Ramp.Stage)
	}
	if said := inOne.stderr.String(); !strings.Contains(said, "segments of region: ") {
		t.Errorf("regional: the source was not asked for its regions:\n%s", said)
	}
	regional.split(t, "* stable;")
	regional.replay(t, cj, fail)
}

// startRamp starts a deployment whose canary has no traffic yet.
func startRamp(t *testing.T, sc scenario) *ramp {
	t.Helper()
	dir := t.TempDir()
	r := &ramp{stack: &stack{Dir: dir, Root: os.Geteuid() == 0, Weight: filepath.Join(dir, "weight.conf")}, name: sc.name}
	if err := os.WriteFile(r.Weight, []byte("split_clients $request_id $arm { * stable; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.start(t, []scenario{sc})
	script, err := filepath.Abs("../examples/stages/nginx-weight.sh")
	if err != nil {
		t.Fatal(err)
	}
	weight := func(percent int) string {
		return fmt.Sprintf("[env, NGINX_WEIGHT=%s, 'NGINX_COMMAND=%s -e stderr -p %s -c %s/nginx.conf', %s, '%d']", r.Weight, lookUp(t, "nginx"), dir, dir, script, percent)
	}
	text := `provider: prometheus
prometheus: {url: %q}
baseline: {flavour: baseline}
canary: {flavour: canary}
window: {length: 100s, step: 2s, warmup: 2s, lag: 2s}
stages:
  - {share: 5%%, run: %s, at_least: 8s}
  - {share: 20%%, run: %s, at_least: 8s}
  - {share: 50%%, run: %s, at_least: 8s}
exposure: {tolerance: 30%%}
on_pass: {run: %s}
on_fail: {run: %s}
on_interrupt: {run: %s}
metrics:
  - name: errors
    ratio:
      bad: sum(increase(http_requests_total{$arm,code="500"}[$step]))
      total: sum(increase(http_requests_total{$arm}[$step]))
    tolerance: 100%%
`
	if sc.canary.Where != "" {
		// Over all it is some 3 times as bad, which is tolerated.
		text = strings.Replace(text, "tolerance: 100%%", "tolerance: 300%%", 1) + "each: {region: \"*\"}\n"
	}
	text = fmt.Sprintf(text, r.prometheus, weight(5), weight(20), weight(50), weight(100), weight(0), weight(0))
	r.config, r.recording, r.result = filepath.Join(dir, "canary.yaml"), filepath.Join(dir, "run.jsonl"), filepath.Join(dir, "result.json")
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// run starts to judge.
func (r *ramp) run(t *testing.T, cj tool, more ...string) *process {
	t.Helper()
	return cj.start(t, append([]string{"run", "-c", r.config, "--record", r.recording, "-o", "text", "-o", "json=" + r.result}, more...)...)
}

// reaches waits until a stage has been set and some steps fetched since.
func (r *ramp) reaches(t *testing.T, stage int) {
	t.Helper()
	eventually(t, time.Minute, fmt.Sprintf("stage %d of %s", stage, r.name), func(context.Context) error {
		text, err := os.ReadFile(r.recording)
		if err != nil {
			return err
		}
		begun := bytes.LastIndex(text, fmt.Appendf(nil, `"stage":{"number":%d,`, stage))
		if begun < 0 || bytes.Count(text[begun:], []byte(`"look":`)) < 3 {
			return fmt.Errorf("it has not come to it")
		}
		return nil
	})
}

// split checks how nginx splits the traffic.
func (r *ramp) split(t *testing.T, want string) {
	t.Helper()
	if got := string(read(t, r.Weight)); !strings.Contains(got, "{ "+want+" }") {
		t.Errorf("%s: nginx splits the traffic by %q, want %q", r.name, got, want)
	}
}

// replay checks that a replay is the run.
func (r *ramp) replay(t *testing.T, cj tool, code int) {
	t.Helper()
	again := filepath.Join(t.TempDir(), "replay.json")
	if p, got := cj.run(t, "replay", r.recording, "-o", "json="+again); got != code {
		t.Errorf("%s: the replay exits %d, want %d\n%s", r.name, got, code, &p.stderr)
	}
	sameResult(t, r.result, again)
}
