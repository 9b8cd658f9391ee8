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

// silentMinutes is how long the history of TestSilence is.
const silentMinutes = 20

// silent is what keeps a query of Prometheus from giving anything, in the history that
// TestSilence makes.
var silent = []struct{ name, canary, bad, total, want string }{
	{
		"scraped once a step", "rare", `sum(increase(requests_total{$arm,code="500"}[$step]))`, `sum(increase(requests_total{$arm}[$step]))`,
		"canary: requests_total has a sample every 1m, and increase needs two in a step of 1m; set window.step to at least 2m",
	},
	{
		"a label that matches nothing", "cannary", `sum(increase(requests_total{$arm,code="500"}[$step]))`, `sum(increase(requests_total{$arm}[$step]))`,
		`canary: nothing matches app="cannary": the label app of requests_total is "baseline", "canary", "rare"`,
	},
	{
		"a series for each error", "canary", `sum(increase(failures_total{$arm}[$step]))`, `sum(increase(requests_total{$arm}[$step]))`,
		"series of failures_total came into being",
	},
}

// TestSilence asks a real Prometheus why it has nothing to judge. Its history is made up,
// so that nothing waits.
func TestSilence(t *testing.T) {
	prometheus, promtool := lookUp(t, "prometheus"), lookUp(t, "promtool")
	cj, dir := build(t), t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	end := time.Now().UTC().Add(-time.Hour).Truncate(time.Minute)
	start := end.Add(-silentMinutes * time.Minute)
	blocks := command(t, promtool, "tsdb", "create-blocks-from", "openmetrics", write("history.om", silentHistory(start)), filepath.Join(dir, "tsdb"))
	if out, err := blocks.CombinedOutput(); err != nil {
		t.Fatalf("make the history: %v\n%s", err, out)
	}
	address := freeAddresses(t, 1)[0]
	startDaemon(t, "prometheus", command(t, prometheus, "--log.level=warn", "--web.listen-address="+address,
		"--config.file="+write("prometheus.yml", "global: {scrape_interval: 1h}\n"), "--storage.tsdb.path="+filepath.Join(dir, "tsdb")))
	eventually(t, 60*time.Second, "prometheus", func(ctx context.Context) error {
		return answers(ctx, "http://"+address+"/-/ready", http.StatusOK)
	})
	for i, c := range silent {
		t.Run(c.name, func(t *testing.T) {
			config := write(fmt.Sprintf("canary%d.yaml", i), fmt.Sprintf(`provider: prometheus
prometheus: {url: "http://%s"}
baseline: {app: baseline}
canary: {app: %s}
window: {step: 1m, warmup: 0s}
metrics:
  - name: errors
    ratio: {bad: '%s', total: '%s', absent: zero}
    tolerance: 25%%
`, address, c.canary, c.bad, c.total))
			recording, saved, again := filepath.Join(dir, fmt.Sprint(i, ".jsonl")), filepath.Join(dir, fmt.Sprint(i, ".json")), filepath.Join(dir, fmt.Sprint(i, "again.json"))
			p, code := cj.run(t, "run", "-c", config, "--start", start.Add(2*time.Minute).Format(time.RFC3339), "--end", end.Format(time.RFC3339),
				"--record", recording, "-o", "text", "-o", "json="+saved)
			t.Logf("exit %d\n%s\n%s", code, &p.stderr, &p.stdout)
			if !strings.Contains(p.stdout.String(), c.want) || !strings.Contains(p.stderr.String(), strings.TrimPrefix(c.want, "canary: ")) {
				t.Errorf("neither or only one of log and report says %q", c.want)
			}
			if _, replayed := cj.run(t, "replay", recording, "-o", "json="+again); replayed != code {
				t.Errorf("the replay exits %d, the run did %d", replayed, code)
			}
			sameResult(t, saved, again)
		})
	}
}

// silentHistory is a text in OpenMetrics' format: counters that are scraped every 15 s, and
// of the app rare every minute; of the failures each is a series of its own.
func silentHistory(start time.Time) string {
	var requests, failures strings.Builder
	requests.WriteString("# TYPE requests counter\n")
	failures.WriteString("# TYPE failures counter\n")
	for _, app := range []string{"baseline", "canary", "rare"} {
		every := 15
		if app == "rare" {
			every = 60
		}
		for _, code := range []string{"200", "500"} {
			for second := 7; second < silentMinutes*60; second += every {
				fmt.Fprintf(&requests, "requests_total{app=%q,code=%q} %d %d\n", app, code, second*len(app), start.Unix()+int64(second))
			}
		}
		for id := range silentMinutes {
			for second := 60*id + 7; second < silentMinutes*60; second += every {
				fmt.Fprintf(&failures, "failures_total{app=%q,id=\"%d\"} 1 %d\n", app, id, start.Unix()+int64(second))
			}
		}
	}
	return requests.String() + failures.String() + "# EOF\n"
}
