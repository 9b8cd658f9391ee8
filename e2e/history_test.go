//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// slowMachine is a canary whose machine is a fifth slower, whatever it runs; a release that
// is a quarter slower is deployed on one of them.
const (
	fast        = 20 * time.Millisecond
	slowMachine = fast * 6 / 5
)

var machines = []scenario{
	{name: "slower", baseline: behaviour{Median: fast, Spread: 0.15}, canary: behaviour{Median: slowMachine, Spread: 0.15}},
	{name: "released", baseline: behaviour{Median: fast, Spread: 0.15}, canary: behaviour{Median: slowMachine, Spread: 0.15, Released: slowMachine * 5 / 4}},
}

// learned is how long before the runs the services are watched: 40 steps, of which history
// takes 30.
const learned = 80 * time.Second

// TestSlowMachine judges canaries on a slower machine, by what was there before the deployment.
func TestSlowMachine(t *testing.T) {
	t.Parallel()
	cj := build(t)
	s := startStack(t, machines)
	for _, d := range s.Deployments {
		startLoad(t, "http://"+d.Address+"/")
	}
	s.waitForData(t, learned)

	without := s.judgeMachine(t, cj, "slower", "off")
	removed := s.judgeMachine(t, cj, "slower", "{offset: remove}")
	s.release(t, "released")
	worse := s.judgeMachine(t, cj, "released", "{offset: remove}")

	if code := without.run.wait(t, 90*time.Second); code != fail {
		t.Errorf("without history the machine is blamed on the canary: exit %d, want %d\n%s", code, fail, &without.run.stdout)
	}
	if code := removed.run.wait(t, 90*time.Second); code != pass || !strings.Contains(removed.run.stdout.String(), "that was there before") {
		t.Errorf("with history: exit %d, want %d, and what was removed\n%s\n%s", code, pass, &removed.run.stdout, &removed.run.stderr)
	}
	code := worse.run.wait(t, 90*time.Second)
	if r := readResult(t, worse.result); code != fail || r.Window.Looks > 5 {
		t.Errorf("a release that is a quarter slower: exit %d after %d looks, want %d within 5\n%s\n%s", code, r.Window.Looks, fail, &worse.run.stdout, &worse.run.stderr)
	}
	for _, j := range []judged{removed, worse} {
		again := filepath.Join(t.TempDir(), "replay.json")
		cj.run(t, "replay", j.recording, "-o", "json="+again)
		sameResult(t, j.result, again)
	}
}

// judgeMachine starts to judge a scenario with a history.
func (s *stack) judgeMachine(t *testing.T, cj tool, scenario, history string) judged {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "canary.yaml")
	text := fmt.Sprintf(`provider: prometheus
prometheus: {url: %q}
baseline: {scenario: %s, flavour: baseline}
canary: {scenario: %[2]s, flavour: canary}
window: {length: 40s, step: 2s, warmup: 0s, lag: 2s}
history: %[3]s
metrics:
  - name: latency
    value: |-
      sum(increase(http_request_duration_seconds_sum{$arm}[$step]))
      / sum(increase(http_request_duration_seconds_count{$arm}[$step]))
    unit: s
    tolerance: 10%%
`, s.prometheus, scenario, history)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	j := judged{recording: filepath.Join(dir, "run.jsonl"), result: filepath.Join(dir, "result.json")}
	j.run = cj.start(t, "run", "-c", config, "--record", j.recording, "-o", "text", "-o", "json="+j.result)
	return j
}

// release deploys the release of a scenario on its canary.
func (s *stack) release(t *testing.T, scenario string) {
	t.Helper()
	for _, d := range s.Deployments {
		if d.Name != scenario {
			continue
		}
		for _, address := range d.Services["canary"] {
			eventually(t, 10*time.Second, "the release", func(ctx context.Context) error {
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/release", http.NoBody)
				if err != nil {
					return err
				}
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					return err
				}
				return resp.Body.Close()
			})
		}
	}
}
