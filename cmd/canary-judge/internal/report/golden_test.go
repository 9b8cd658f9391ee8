package report_test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

var update = flag.Bool("update", false, "rewrite golden files")

// hostile is a name that means something in every format a report has.
const hostile = "::error::<b>\u202e`x`|[a](http://b) @all #1 :tada: *_~$x$"

const goldenConfig = `
service: shop
provider: recording
baseline: {app: shop}
canary: {app: shop-canary, version: v2}
window: {length: 30m, step: 30s, warmup: 1m, lag: 0s}
metrics:
`

const (
	errorsMetric  = "  - {name: errors, ratio: {bad: 'errors{$arm}', total: 'requests{$arm}'}, tolerance: 25%}\n"
	latencyMetric = "  - {name: latency p95, value: 'latency{$arm}', quantile: none, unit: s, tolerance: 10%}\n"
	memoryMetric  = "  - {name: memory, value: 'memory{$arm}', unit: B, tolerance: 50MiB, advisory: true}\n"
	slowMetric    = "  - {name: slow requests, histogram: 'duration{$arm}', slower_than: 500ms, tolerance: 50%}\n"
	journeyMetric = "  - {name: checkout journey, checks: {failed: 'failed{$arm}', runs: 'runs{$arm}'}, tolerance: 20pt}\n"
	spikesMetric  = "  - {name: latency spikes, value: 'latency{$arm}', unit: s, spikes: {above: 500ms}, tolerance: 5pt}\n"
	loadMetric    = "  - {name: throughput, value: 'load{$arm}', unit: orders, direction: decrease, tolerance: 10%}\n"
)

// rampOfScenes are the stages of scenes with shares.
const rampOfScenes = `stages:
  - {share: 5%, run: [./weight.sh, '5']}
  - {share: 25%, run: [./weight.sh, '25']}
  - {share: 50%, run: [./weight.sh, '50']}
`

// scene is a run to be reported.
type scene struct {
	name    string
	metrics string
	extra   string // more config
	steps   int    // recorded, of 62
	factor  func(metric string, step int) float64
	end     *recording.End

	pristine bool // nothing is bad where the factor is 1

	shares  []float64          // of the traffic, of a stage each quarter of an hour
	traffic map[string]float64 // of the segments, as a part of all; what is not there has none
}

func same(string, int) float64 { return 1 }

func only(name string, factor float64) func(string, int) float64 {
	return func(metric string, _ int) float64 {
		if metric == name {
			return factor
		}
		return 1
	}
}

var scenes = []scene{
	{name: "pass", metrics: strings.Replace(errorsMetric, "25%", "100%", 1) + latencyMetric + memoryMetric, steps: 62, factor: same},
	{name: "fail", metrics: errorsMetric + latencyMetric + memoryMetric, steps: 62, factor: only("errors", 6)},
	{
		name: "fail-many", metrics: errorsMetric + latencyMetric + slowMetric + journeyMetric + loadMetric, steps: 62,
		factor: func(metric string, _ int) float64 {
			return map[string]float64{"throughput": 0.3}[metric] + map[string]float64{"errors": 9, "latency p95": 2.2, "slow requests": 4, "checkout journey": 30}[metric]
		},
	},
	{
		name: "fail-late", metrics: latencyMetric, steps: 62,
		factor: func(_ string, step int) float64 {
			if step < 12 {
				return 1
			}
			return 1.8
		},
	},
	{
		name: "fail-spikes", metrics: latencyMetric + spikesMetric, steps: 62,
		factor: func(_ string, step int) float64 {
			if step%4 == 3 {
				return 5
			}
			return 1
		},
	},
	{
		name: "fail-pristine", metrics: errorsMetric + strings.ReplaceAll(errorsMetric, "errors", "discount errors"), steps: 62,
		factor: only("errors", 30), pristine: true,
	},
	{name: "inconclusive", metrics: errorsMetric + latencyMetric, steps: 62, factor: only("errors", 1.2)},
	{name: "no-data", metrics: errorsMetric + latencyMetric, steps: 62, factor: only("errors", math.NaN())},
	{name: "interrupted", metrics: errorsMetric + latencyMetric, steps: 12, factor: same, end: &recording.End{Why: "interrupted"}},
	{name: "error", metrics: errorsMetric + latencyMetric, steps: 12, factor: same, end: &recording.End{Why: "error", Detail: "prometheus: query prom:9090: 503 Service Unavailable; the source is in trouble: try again when it is well"}},
	{name: "error-at-once", metrics: errorsMetric, factor: same, end: &recording.End{Why: "error", Detail: "prometheus: query prom:9090: 403 Forbidden; check that the credentials may query metrics"}},
	{
		name: "fail-ramp", metrics: errorsMetric + latencyMetric, steps: 62, shares: []float64{0.05, 0.25, 0.5}, extra: rampOfScenes + "on_fail: {run: [./weight.sh, '0']}\n",
		factor: func(metric string, step int) float64 {
			if metric == "errors" && step >= 30 {
				return 4
			}
			return 1
		},
	},
	{name: "held-ramp", metrics: errorsMetric + latencyMetric, steps: 62, shares: []float64{0.05, 0.25}, extra: rampOfScenes + "blast_radius: {at_most: 20}\n", factor: same},
	{
		name: "fail-segment", metrics: errorsMetric + latencyMetric + memoryMetric, steps: 62,
		extra:  "each: {region: [eu, us, ap, sa], endpoint: [/new]}\n",
		factor: only("errors in region=us", 4), traffic: map[string]float64{"eu": 0.5, "us": 0.3, "ap": 0.198, "sa": 0.002},
	},
	{
		name: "held-segment", metrics: strings.Replace(errorsMetric, "25%", "100%", 1), steps: 62, extra: "each: {region: [eu, us]}\n",
		factor: func(metric string, _ int) float64 {
			if metric == "errors in region=us" {
				return math.NaN()
			}
			return 1
		},
		traffic: map[string]float64{"eu": 0.5, "us": 0.5},
	},
	{name: "exposure", metrics: errorsMetric, extra: "exposure: {share: 50%}\n", steps: 62, factor: same},
	{name: "hostile", metrics: strings.Replace(errorsMetric, "errors,", `"`+hostile+`",`, 1), steps: 62, factor: only(hostile, 6)},
}

// record makes the recording of a scene.
func (s scene) record(t *testing.T, c *config.Config) *recording.Recording {
	t.Helper()
	rng := rand.New(rand.NewPCG(11, 26))
	r := &recording.Recording{End: s.end}
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	r.Header.Window = &recording.Window{Start: start}
	noise := func(sd float64) float64 { return math.Exp(sd * rng.NormFloat64()) }
	for step := range s.steps {
		for _, m := range c.Metrics {
			for _, arm := range providers.Arms {
				p := recording.Point{Time: start.Add(time.Duration(step) * 30 * time.Second), Metric: m.Name, Arm: arm}
				factor, traffic := 1.0, 900.0
				if arm == providers.Canary {
					factor, traffic = s.factor(m.Name, step), 100
				}
				if s.shares != nil {
					share := s.shares[min(step/30, len(s.shares)-1)]
					if traffic = 1000 * share; arm == providers.Baseline {
						traffic = 1000 - traffic
					}
				}
				if m.Of != "" {
					if traffic *= s.traffic[m.Segment.Value]; traffic == 0 {
						continue
					}
				}
				switch {
				case m.Queries[providers.Buckets] != nil:
					p.Kind = recording.Histograms
					p.Sample = analysis.BucketSample(stats.Histogram{Bounds: []float64{0.1, 0.25, 0.4, 0.55, 1}, Counts: []float64{traffic / 2, traffic / 4, traffic / 8, traffic / 16, math.Round(factor * traffic / 50 * noise(.1)), 0}})
				case m.Name == "checkout journey":
					p.Kind, p.Sample = recording.Counts, analysis.CountSample(0, 1)
					if rng.Float64() < 0.02*factor {
						p.Sample = analysis.CountSample(1, 1)
					}
				case m.Queries[providers.Total] != nil:
					total := math.Round(traffic * noise(.05))
					bad := math.Round(0.02 * traffic * factor * noise(.15))
					if s.pristine && factor == 1 {
						bad = 0
					}
					p.Kind, p.Sample = recording.Counts, analysis.CountSample(bad, total)
				default:
					level := map[string]float64{"latency p95": 0.208, "latency spikes": 0.208, "memory": 4e8, "throughput": 31}[cmp.Or(m.Of, m.Name)]
					p.Sample = analysis.ValueSample(level * factor * noise(.03))
				}
				if math.IsNaN(factor) {
					continue
				}
				if err := r.Add(p); err != nil {
					t.Fatal(err)
				}
			}
		}
		r.Judged = start.Add(time.Duration(step+1) * 30 * time.Second)
	}
	if s.steps == 0 {
		r.Judged = start
	}
	for i, share := range s.shares {
		if began := start.Add(time.Duration(i) * 15 * time.Minute); began.Before(r.Judged) {
			r.Stages = append(r.Stages, recording.Stage{Number: i + 1, Share: share, Look: max(0, 30*i-2), Began: began, Done: began.Add(4 * time.Second)})
		}
	}
	return r
}

// report judges the recording of a scene.
func (s scene) report(t *testing.T) *report.Report {
	t.Helper()
	c := s.config(t)
	return report.New(c, s.run(t, c, silence{}))
}

// config is that of a scene.
func (s scene) config(t *testing.T) *config.Config {
	t.Helper()
	c, err := config.Parse("canary.yaml", []byte(goldenConfig+s.metrics+s.extra), config.Options{Types: []providers.Type{recording.Type()}})
	if err != nil {
		// A name with control characters gets no further than a CSV.
		t.Fatal(err)
	}
	return c
}

// run judges the recording of a scene and tells how it goes.
func (s scene) run(t *testing.T, c *config.Config, progress job.Progress) *job.Outcome {
	t.Helper()
	r := s.record(t, c)
	j := &job.Job{
		Config: c, Providers: map[string]providers.Provider{recording.Name: r}, Progress: progress,
		Start: r.Header.Window.Start, Available: r.Judged, Sightings: r,
	}
	o, err := j.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if r.End != nil && o.Ended == job.AtTheFilesEnd {
		o.Ended, o.Detail = job.End(r.End.Why), r.End.Detail
	}
	return o
}

type silence struct{}

func (silence) Wait(time.Time) {}
func (silence) Look(job.Look)  {}
func (silence) Trouble(error)  {}
func (silence) Note(string)    {}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			r := s.report(t)
			for extension, write := range map[string]func(io.Writer) error{
				"txt":  func(w io.Writer) error { return r.Text(w, false, 0) },
				"md":   r.Markdown,
				"json": r.JSON,
				"html": r.HTML,
				"xml":  r.JUnit,
				"om":   r.OpenMetrics,
			} {
				var b bytes.Buffer
				if err := write(&b); err != nil {
					t.Fatal(err)
				}
				golden(t, s.name+"."+extension, b.String())
			}
		})
	}
}

// golden compares with a golden file, or rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run make golden", err)
	}
	if diff := gocmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; make golden rewrites it):\n%s", name, diff)
	}
}
