//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Bounds of latency histograms, as pods have them.
var (
	usualBounds  = []string{"0.05", "0.1", "0.25", "0.5", "1", "2.5"}
	otherBounds  = []string{"0.05", "0.1", "0.2", "0.4", "0.8", "1.6"}
	spelledOut   = []string{"0.05", "0.1", "0.25", "0.5", "1.0", "2.5"}
	coarseBounds = []string{"0.1", "1", "2.5"}
)

const (
	buckets      = "    histogram: sum by (le) (increase(http_request_duration_seconds_bucket{$arm}[$step]))\n    unit: s\n"
	slowQuery    = buckets + "    slower_than: 500ms\n    tolerance: 50%\n"
	strictQuery  = buckets + "    slower_than: 500ms\n    tolerance: 25%\n"
	betweenQuery = buckets + "    slower_than: 800ms\n    tolerance: 50%\n"
	p95Query     = buckets + "    quantile: p95\n    tolerance: 25%\n"
	rangesQuery  = "    histogram: prometheus_buckets(sum by (vmrange) (increase(request_duration_seconds_bucket{$arm}[$step])))\n    unit: s\n    quantile: p95\n    tolerance: 25%\n"
	errorsQuery  = "    ratio:\n      bad: sum(increase(http_requests_total{$arm,code=~\"5..\"}[$step]))\n      total: sum(increase(http_requests_total{$arm}[$step]))\n      absent: zero\n    tolerance: 50%\n"
	cannotJudge  = 4
	healthy      = 0.02
	fiveTimesBad = 0.10
)

// pastCase is what canary-judge makes of a past.
type pastCase struct {
	name, of string // of which data
	metric   string
	exits    []int
	says     string // in what it prints
	only     string // the store that has such data; "" = all
	path     string // in front of the API's, where a proxy answers for the store
}

var pastCases = []pastCase{
	{name: "nothing wrong", of: "usual", metric: slowQuery, exits: []int{pass}},
	{name: "a bound that there is not", of: "usual", metric: betweenQuery, exits: []int{inconclusive}, says: "1 s"},
	{name: "a canary with coarser buckets", of: "coarse", metric: p95Query, exits: []int{inconclusive}},
	{name: "new pods with other bounds", of: "changed", metric: strictQuery, exits: []int{pass, inconclusive}},
	{name: "new pods with other bounds, p95", of: "changed", metric: p95Query, exits: []int{pass, inconclusive}},
	{name: "pods with different bounds", of: "mixed", metric: slowQuery, exits: []int{inconclusive}, says: "pods of this arm have different buckets"},
	{name: "two spellings of a bound", of: "spelled", metric: slowQuery, exits: []int{pass}},
	{name: "buckets of VictoriaMetrics' own", of: "ranges", only: "VictoriaMetrics", metric: rangesQuery, exits: []int{pass}},
	{name: "a pod that is bad", of: "partial", metric: errorsQuery, exits: []int{fail}},
	{name: "its store is down, as Thanos says it", of: "partial", metric: errorsQuery, path: "/warnings", exits: []int{cannotJudge}, says: "the answer is not whole: No StoreAPIs matched"},
	{name: "its store is down, as VictoriaMetrics says it", of: "partial", metric: errorsQuery, path: "/partial", exits: []int{cannotJudge}, says: "the answer is not whole"},
	{name: "harmless notices", of: "partial", metric: errorsQuery, path: "/infos", exits: []int{fail}},
}

// fill makes the data of all cases.
func fill(d *past) {
	for i := range 2 {
		offset := time.Duration(1+5*i) * time.Second
		pods := func(scenario, service string, from, to time.Duration, rate float64) pod {
			return pod{scenario, service, fmt.Sprintf("%s%d-%s", service, i, from), from + offset, to, rate}
		}
		all := func(scenario, service string, rate float64) pod { return pods(scenario, service, 0, length, rate) }
		for _, s := range []struct {
			name   string
			canary []string // bounds
		}{
			{"usual", usualBounds}, {"coarse", coarseBounds},
			{"mixed", [][]string{usualBounds, otherBounds}[i]}, {"spelled", [][]string{usualBounds, spelledOut}[i]},
		} {
			d.durations(all(s.name, "base", 10), usualBounds...)
			d.durations(all(s.name, "canary", 10), s.canary...)
		}
		d.durations(all("changed", "base", 20), usualBounds...)
		d.durations(pods("changed", "canary", 0, 15*time.Minute, 20), usualBounds...)
		d.durations(pods("changed", "canary", 15*time.Minute, length, 20), otherBounds...)
		d.ranges(all("ranges", "base", 20))
		d.ranges(all("ranges", "canary", 20))
		d.requests(all("partial", "base", 15), healthy)
		d.requests(all("partial", "canary", 15), []float64{healthy, fiveTimesBad}[i])
	}
}

// TestPast judges data as stores really give them: buckets that differ between arms, pods
// and times, and answers that are not whole.
func TestPast(t *testing.T) {
	cj := build(t)
	d := newPast()
	fill(d)
	for store, start := range map[string]func(*testing.T, *past) string{"Prometheus": prometheusOf, "VictoriaMetrics": victoriaMetricsOf} {
		t.Run(store, func(t *testing.T) {
			proxy := httptest.NewServer(forgetful{store: start(t, d)})
			t.Cleanup(proxy.Close)
			for _, c := range pastCases {
				if c.only != "" && c.only != store {
					continue
				}
				t.Run(c.name, func(t *testing.T) { c.judge(t, cj, d, proxy.URL+c.path) })
			}
		})
	}
}

func (c pastCase) judge(t *testing.T, cj tool, d *past, store string) {
	config := filepath.Join(t.TempDir(), "canary.yaml")
	text := fmt.Sprintf("provider: prometheus\nprometheus: {url: %q}\nbaseline: {case: %s, service: base}\ncanary: {case: %[2]s, service: canary}\n"+
		"window: {step: 1m}\nmetrics:\n  - name: durations\n%s", store, c.of, c.metric)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(after time.Duration) string { return d.start.Add(after).UTC().Format(time.RFC3339) }
	p, code := cj.run(t, "run", "-q", "-c", config, "--start", at(5*time.Minute), "--end", at(45*time.Minute))
	said := p.stdout.String() + p.stderr.String()
	ok := strings.Contains(said, c.says)
	for _, want := range c.exits {
		if code == want && ok {
			return
		}
	}
	t.Errorf("exit code %d, want one of %v and %q in:\n%s", code, c.exits, c.says, said)
}

// forgetful stands before a store as what unites several does. The first part of the path
// says how it tells that one of them, which has the second pod of the canary, is down.
type forgetful struct{ store string }

func (f forgetful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	how, api, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/api/")
	if how == "warnings" || how == "partial" {
		r.Form.Set("query", strings.ReplaceAll(r.Form.Get("query"), `service="canary"`, `service="canary",pod!~"canary1.*"`))
	}
	if how == "" || strings.HasPrefix(how, "api") {
		how, api = "", strings.TrimPrefix(r.URL.Path, "/api/")
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, f.store+"/api/"+api, strings.NewReader(r.Form.Encode()))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	var answer map[string]any
	if json.Unmarshal(body, &answer) == nil && how != "" {
		switch how {
		case "warnings":
			answer["warnings"] = []string{"No StoreAPIs matched for this query"}
		case "partial":
			answer["isPartial"] = true
		case "infos":
			answer["infos"] = []string{"PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket"}
		}
		body, _ = json.Marshal(answer) // it was JSON
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(body) // the client is gone if it fails
}
