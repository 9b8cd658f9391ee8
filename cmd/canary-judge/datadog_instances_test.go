package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
)

// hosts are six machines of a service, and two fresh ones of its canary, of which the baseline's differ by some percent.
func hosts() datadogtest.Script {
	var s datadogtest.Script
	add := func(host, version string, level float64) {
		seed := float64(len(s.Streams) + 1)
		wobble := func(at time.Time) float64 { return math.Sin(seed * float64(at.Unix())) }
		tags := []string{"service:shop", "version:" + version, "host:" + host}
		counts := func(name string, mean float64) datadogtest.Stream {
			return datadogtest.Stream{Source: "metrics", Metric: name, Type: "count", Tags: tags, Count: func(at time.Time) float64 {
				return math.Round(mean * (1 + 0.2*wobble(at)))
			}}
		}
		s.Streams = append(s.Streams, counts("shop.requests", 400), counts("shop.errors", 20), datadogtest.Stream{
			Source: "metrics", Metric: "shop.latency", Type: "gauge", Unit: "second", Tags: tags,
			Level: func(at time.Time) float64 { return 0.2 * level * (1 + 0.02*wobble(at)) },
		})
	}
	for i := range 6 {
		add("host-"+strconv.Itoa(i), "v1", 1+0.02*float64(i-3))
	}
	add("fresh-0", "v2", 1)
	add("fresh-1", "v2", 1.03)
	return s
}

// The instances of both arms are asked for in one request.
func TestDatadogInstances(t *testing.T) {
	t.Parallel()
	var divided atomic.Int32
	server := &datadogtest.Server{
		World: hosts(), APIKey: apiKey, AppKey: appKey, Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) },
	}
	counted := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if strings.Contains(string(body), "by {host}") {
			divided.Add(1)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		server.ServeHTTP(w, r)
	}))
	defer counted.Close()
	dir := t.TempDir()
	path, recorded := filepath.Join(dir, "canary.yaml"), filepath.Join(dir, "run.jsonl")
	const config = `provider: datadog
baseline: {service: shop, version: v1}
canary: {service: shop, version: v2}
window: {length: 30m, step: 30s}
history: {length: 2h, instances: host}
metrics:
  - name: errors
    ratio: {bad: 'sum:shop.errors{$arm}.as_count()', total: 'sum:shop.requests{$arm}.as_count()'}
    tolerance: 50%
  - {name: latency, value: 'avg:shop.latency{$arm}', unit: s, tolerance: 15%}
`
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, log := judge(t, counted.URL, "run", "-c", path, "--start", "2026-11-23T10:00:00Z", "--end", "2026-11-23T11:00:00Z", "--record", recorded, "-o", "json")
	var live, again report.Report
	if err := json.Unmarshal([]byte(out), &live); err != nil {
		t.Fatalf("exit %d, %v: %s", code, err, log)
	}
	if n := divided.Load(); n != 1 {
		t.Errorf("%d requests by instance, want 1", n)
	}
	want := report.HistoryInstances{Learned: 6, Baseline: 6, Canary: 2}
	for _, m := range live.Metrics {
		if h := m.History; h == nil || h.Ignored != "" || h.Instances == nil || *h.Instances != want || !(h.Trust > 0) {
			t.Errorf("%s: %+v", m.Name, h)
		}
	}
	// By docs/statistics/history.md, section 8, of levels of .94, .96, .98, 1, 1.02 and 1.04: the logarithm of each
	// less the mean of the others' has a standard deviation of .04540, times sqrt(5/6 (1/2 + 1/6)).
	if got := float64(live.Metrics[1].History.Between); math.Abs(got-0.0338) > 0.0005 {
		t.Errorf("machines make the arms differ by %g", got)
	}
	if live.Verdict != "pass" {
		t.Errorf("%s: %s", live.Verdict, live.Reason)
	}
	_, out, log = judge(t, "http://nowhere.invalid", "replay", recorded, "-o", "json")
	if err := json.Unmarshal([]byte(out), &again); err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	if h := again.Metrics[1].History; h == nil || h.Says != live.Metrics[1].History.Says || again.Reason != live.Reason || again.LookedAt.Hash != live.LookedAt.Hash {
		t.Errorf("the replay says %+v, %s", h, again.Reason)
	}
}
