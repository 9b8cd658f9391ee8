//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// fleetStart is when the canary's pods of a fleet start; its run starts a minute later.
const fleetStart = 29 * time.Minute

// fleet adds six pods of a baseline whose shares of errors differ from machine to machine, and two fresh ones of a
// canary on bad machines, which fail so many times as often as they would anyway.
func fleet(d *past, name string, times float64) {
	shares := []float64{0.012, 0.016, 0.019, 0.021, 0.024, 0.028, 0.026, 0.027}
	for i, share := range shares {
		p := pod{name, "base", fmt.Sprint("base", i), time.Duration(1+i) * time.Second, length, 10}
		if i >= 6 {
			p.service, p.name, p.from = "canary", fmt.Sprint("canary", i), fleetStart
			share *= times
		}
		d.requests(p, share)
		d.durations(p, usualBounds...)
	}
}

// TestFreshInstances judges canaries of fresh pods by what the pods of the baseline showed before, out of stores as they
// are: bad machines are not blamed on the release, and a bad release is.
func TestFreshInstances(t *testing.T) {
	cj := build(t)
	d := newPast()
	fleet(d, "unlucky", 1)
	fleet(d, "worse", 4)
	for store, start := range map[string]func(*testing.T, *past) string{"Prometheus": prometheusOf, "VictoriaMetrics": victoriaMetricsOf} {
		t.Run(store, func(t *testing.T) {
			address := start(t, d)
			for _, c := range []struct {
				scenario, history string
				exits             []int
			}{
				{"unlucky", "off", []int{fail}},
				{"unlucky", "{length: 25m, instances: pod}", []int{pass, inconclusive}},
				{"worse", "{length: 25m, instances: pod}", []int{fail}},
			} {
				t.Run(c.scenario+" "+c.history, func(t *testing.T) { judgeFleet(t, cj, d, address, c.scenario, c.history, c.exits) })
			}
		})
	}
}

func judgeFleet(t *testing.T, cj tool, d *past, store, scenario, history string, exits []int) {
	t.Helper()
	dir := t.TempDir()
	config, recorded := filepath.Join(dir, "canary.yaml"), filepath.Join(dir, "run.jsonl")
	live, replayed := filepath.Join(dir, "live.json"), filepath.Join(dir, "replayed.json")
	text := fmt.Sprintf("provider: prometheus\nprometheus: {url: %q}\nbaseline: {case: %s, service: base}\ncanary: {case: %[2]s, service: canary}\n"+
		"window: {length: 20m, step: 30s}\nhistory: %s\nmetrics:\n  - name: errors\n%s  - name: slow\n    advisory: true\n%s",
		store, scenario, history, "    ratio:\n      bad: sum(increase(http_requests_total{$arm,code=~\"5..\"}[$step]))\n      total: sum(increase(http_requests_total{$arm}[$step]))\n    tolerance: 10%\n", slowQuery)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(after time.Duration) string { return d.start.Add(after).UTC().Format(time.RFC3339) }
	p, code := cj.run(t, "run", "-q", "-c", config, "--start", at(fleetStart+time.Minute), "--end", at(length), "--record", recorded, "-o", "text", "-o", "json="+live)
	ok := false
	for _, want := range exits {
		ok = ok || code == want
	}
	if !ok {
		t.Errorf("exit %d, want one of %v\n%s\n%s", code, exits, &p.stdout, &p.stderr)
	}
	cj.run(t, "replay", recorded, "-o", "json="+replayed)
	sameResult(t, live, replayed)
	body, err := os.ReadFile(live)
	if err != nil {
		t.Fatal(err)
	}
	var result struct {
		Metrics []struct {
			Name    string
			History *struct {
				Ignored   string
				Instances struct{ Learned, Baseline, Canary int }
			}
		}
	}
	if err := json.Unmarshal(body, &result); err != nil {
		t.Fatal(err)
	}
	for _, m := range result.Metrics {
		if history == "off" {
			continue
		}
		if h := m.History; h == nil || h.Ignored != "" || h.Instances.Learned != 6 || h.Instances.Baseline != 6 {
			t.Errorf("%s: %+v", m.Name, h)
		}
	}
	t.Logf("exit %d: %s", code, &p.stdout)
}
