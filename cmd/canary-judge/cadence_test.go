package main

import (
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
)

// everyMinute adds to the shop a gauge of both versions that reports each minute.
func everyMinute() datadogtest.Script {
	world := datadogtest.Shop(datadogtest.Canary{})
	for seed, version := range []string{"v1", "v2"} {
		world.Streams = append(world.Streams, datadogtest.Stream{
			Source: "metrics", Metric: "heap", Type: "gauge", Tags: []string{"service:discounts", "version:" + version},
			Level: func(at time.Time) float64 {
				if at.Second() != 0 {
					return math.NaN()
				}
				return 100 + 10*rand.New(rand.NewPCG(uint64(seed), uint64(at.Unix()))).Float64()
			},
		})
	}
	return world
}

// A metric of which each other step has a value is told the same, and the same becomes of
// it, alone in its request and beside others; at its own step it is judged.
func TestSeldomMetric(t *testing.T) {
	t.Parallel()
	const head = "provider: datadog\nbaseline: {service: discounts, version: v1}\ncanary: {service: discounts, version: v2}\n"
	const seldom = "metrics:\n  - {name: heap, value: 'avg:heap{$arm}', tolerance: 20%}\n"
	const beside = "  - {name: latency, value: 'p95:trace.http.request{$arm}', quantile: none, tolerance: 50%}\n  - {name: hits, value: 'sum:trace.http.request.hits{$arm}.as_count()', tolerance: 50%, direction: either, advisory: true}\n"
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	server := httptest.NewServer(&datadogtest.Server{World: everyMinute(), APIKey: apiKey, AppKey: appKey, Now: now})
	defer server.Close()
	live := httptest.NewServer(&datadogtest.Server{World: everyMinute(), APIKey: apiKey, AppKey: appKey})
	defer live.Close()
	const told = "a value every 60s, and steps are of 30s: use step: 60s"
	for _, tt := range []struct {
		name, config string
		code, check  int
		want         string
	}{
		{"alone", head + "window: {length: 40m, step: 30s}\n" + seldom, 4, 3, told},
		{"beside others", head + "window: {length: 40m, step: 30s}\n" + seldom + beside, 4, 3, told},
		{"alone, at its step", head + "window: {length: 40m, step: 60s}\n" + seldom, 0, 0, "PASS"},
		{"beside others, at its step", head + "window: {length: 40m, step: 60s}\n" + seldom + beside, 0, 0, "PASS"},
	} {
		path := filepath.Join(t.TempDir(), "canary.yaml")
		if err := os.WriteFile(path, []byte(tt.config), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, log := judge(t, server.URL, "run", "-c", path, "--start", "2026-11-23T10:00:00Z", "--end", "2026-11-23T10:40:00Z")
		if code != tt.code || !strings.Contains(out+log, tt.want) {
			t.Errorf("%s: exit %d, want %d and %q:\n%s%s", tt.name, code, tt.code, tt.want, out, log)
		}
		code, out, log = judge(t, live.URL, "check", "--live", "-c", path)
		if lines := strings.Count(out, told); code != tt.check || lines != map[bool]int{true: 2}[tt.check != 0] {
			t.Errorf("%s: check: exit %d, want %d; told %d times in\n%s%s", tt.name, code, tt.check, lines, out, log)
		}
	}
}
