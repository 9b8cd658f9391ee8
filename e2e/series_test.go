//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// past is data of the last hours that a store has of services: each sample is of a pod
// that was scraped every 15 s.
type past struct {
	start   time.Time
	rng     *rand.Rand
	samples map[string]map[string][]sample // by metric and labels
}

type sample struct {
	at    time.Time
	value float64
}

// length is how long the past lasts.
const length = 50 * time.Minute

func newPast() *past {
	return &past{
		start: time.Now().Add(-2 * time.Hour).Truncate(time.Minute), rng: rand.New(rand.NewPCG(7, 11)),
		samples: map[string]map[string][]sample{},
	}
}

// pod is one that is scraped, and counts its requests from its start.
type pod struct {
	scenario, service, name string
	from, to                time.Duration // scraped, since the start of the past
	rate                    float64       // requests a second
}

func (p pod) labels(more string) string {
	return fmt.Sprintf(`{case=%q,service=%q,pod=%q,%s}`, p.scenario, p.service, p.name, more)
}

// put adds a sample.
func (d *past) put(metric, labels string, at time.Duration, value float64) {
	if d.samples[metric] == nil {
		d.samples[metric] = map[string][]sample{}
	}
	d.samples[metric][labels] = append(d.samples[metric][labels], sample{d.start.Add(at), value})
}

// scrapes calls do with each scrape of a pod, and the requests since the one before.
func (d *past) scrapes(p pod, do func(at time.Duration, requests int)) {
	const interval = 15 * time.Second
	for at := p.from; at < p.to; at += interval {
		requests := 0
		if at > p.from {
			requests = d.poisson(p.rate * interval.Seconds())
		}
		do(at, requests)
	}
}

// poisson returns how many of many independent events happen.
func (d *past) poisson(mean float64) int {
	n := 0
	for t := d.rng.ExpFloat64(); t < mean; t += d.rng.ExpFloat64() {
		n++
	}
	return n
}

// requests adds the counters of a pod, a share of whose requests fail.
func (d *past) requests(p pod, errors float64) {
	var good, bad float64
	d.scrapes(p, func(at time.Duration, requests int) {
		for range requests {
			if d.rng.Float64() < errors {
				bad++
			} else {
				good++
			}
		}
		d.put("http_requests_total", p.labels(`code="200"`), at, good)
		d.put("http_requests_total", p.labels(`code="500"`), at, bad)
	})
}

// durations adds the histogram of a pod whose requests take some 200 ms, half of them
// between 130 and 300.
func (d *past) durations(p pod, bounds ...string) {
	counts := make([]float64, len(bounds))
	limits := make([]float64, len(bounds))
	for i, le := range bounds {
		limits[i], _ = strconv.ParseFloat(le, 64) // they are the test's own
	}
	var all float64
	d.scrapes(p, func(at time.Duration, requests int) {
		for range requests {
			seconds := 0.2 * math.Exp(0.6*d.rng.NormFloat64())
			for i, limit := range limits {
				if seconds <= limit {
					counts[i]++
				}
			}
		}
		all += float64(requests)
		for i, le := range bounds {
			d.put("http_request_duration_seconds_bucket", p.labels(`le="`+le+`"`), at, counts[i])
		}
		d.put("http_request_duration_seconds_bucket", p.labels(`le="+Inf"`), at, all)
	})
}

// ranges adds VictoriaMetrics' own histogram of such a pod: a counter for each range of
// which it has seen something, 18 a decade.
// https://docs.victoriametrics.com/victoriametrics/keyconcepts/#histogram
func (d *past) ranges(p pod) {
	const decade = 18
	counts := map[string]float64{}
	d.scrapes(p, func(at time.Duration, requests int) {
		for range requests {
			seconds := 0.2 * math.Exp(0.6*d.rng.NormFloat64())
			k := math.Floor(decade * math.Log10(seconds))
			counts[fmt.Sprintf("%.3e...%.3e", math.Pow(10, k/decade), math.Pow(10, (k+1)/decade))]++
		}
		for within, n := range counts {
			d.put("request_duration_seconds_bucket", p.labels(`vmrange="`+within+`"`), at, n)
		}
	})
}

// text is the past as the text that stores read: OpenMetrics has times in seconds, and
// VictoriaMetrics takes milliseconds.
func (d *past) text(unit time.Duration) string {
	var b strings.Builder
	for metric, series := range d.samples {
		family, kind := strings.TrimSuffix(metric, "_total"), "counter"
		if name, ok := strings.CutSuffix(metric, "_bucket"); ok {
			family, kind = name, "histogram"
		}
		fmt.Fprintf(&b, "# TYPE %s %s\n", family, kind)
		for labels, all := range series {
			slices.SortFunc(all, func(a, b sample) int { return a.at.Compare(b.at) })
			for _, s := range all {
				fmt.Fprintf(&b, "%s%s %s %s\n", metric, labels, strconv.FormatFloat(s.value, 'f', -1, 64),
					strconv.FormatFloat(float64(s.at.UnixMilli())/float64(unit.Milliseconds()), 'f', -1, 64))
			}
		}
	}
	return b.String() + "# EOF\n"
}

// prometheusOf starts a Prometheus that has the past, and returns its address.
func prometheusOf(t *testing.T, d *past) string {
	t.Helper()
	dir, address := t.TempDir(), freeAddresses(t, 1)[0]
	text, config := filepath.Join(dir, "past.om"), filepath.Join(dir, "prometheus.yml")
	for path, content := range map[string]string{text: d.text(time.Second), config: "global: {scrape_interval: 1h}\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tsdb := filepath.Join(dir, "tsdb")
	if out, err := command(t, lookUp(t, "promtool"), "tsdb", "create-blocks-from", "openmetrics", text, tsdb).CombinedOutput(); err != nil {
		t.Fatalf("make the blocks: %v\n%s", err, out)
	}
	startDaemon(t, "prometheus", command(t, lookUp(t, "prometheus"), "--log.level=warn", "--config.file="+config,
		"--storage.tsdb.path="+tsdb, "--web.listen-address="+address))
	eventually(t, 60*time.Second, "prometheus", func(ctx context.Context) error {
		return answers(ctx, "http://"+address+"/-/ready", http.StatusOK)
	})
	return "http://" + address
}

// victoriaMetricsOf starts a VictoriaMetrics that has the past, and returns its address.
func victoriaMetricsOf(t *testing.T, d *past) string {
	t.Helper()
	address := freeAddresses(t, 1)[0]
	startDaemon(t, "victoria-metrics", command(t, lookUp(t, "victoria-metrics"), "-loggerLevel=ERROR",
		"-storageDataPath="+t.TempDir(), "-httpListenAddr="+address, "-retentionPeriod=1"))
	url := "http://" + address
	eventually(t, 60*time.Second, "victoria-metrics", func(ctx context.Context) error {
		return answers(ctx, url+"/health", http.StatusOK)
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v1/import/prometheus", strings.NewReader(d.text(time.Millisecond)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // there is nothing in it
	if resp.StatusCode/100 != 2 {
		t.Fatalf("import into victoria-metrics: %s", resp.Status)
	}
	if err := answers(t.Context(), url+"/internal/force_flush", http.StatusOK); err != nil {
		t.Fatalf("flush victoria-metrics: %v", err)
	}
	return url
}
