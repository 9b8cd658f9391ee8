package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// bigRecording writes the recording of a canary whose numbers are those of its baseline
// times a factor, and scatter in both arms by a share of themselves: half of the metrics
// values, half ratios with totals of their own, all with a tolerance of 25 %. Where the
// factor is 1, the last has a tolerance of 0, so that all looks are taken.
func bigRecording(b *testing.B, metrics, steps int, factor, scatter float64) string {
	b.Helper()
	type m map[string]any
	var list []m
	for i := range metrics {
		name := fmt.Sprint("metric ", i)
		one := m{"name": name, "value": fmt.Sprintf("x%d{$arm}", i), "tolerance": "25%"}
		if i%2 == 1 {
			one = m{"name": name, "ratio": m{"bad": fmt.Sprintf("e%d{$arm}[30s]", i), "total": fmt.Sprintf("t%d{$arm}[30s]", i)}, "tolerance": "25%"}
		}
		if i == metrics-1 && factor == 1 {
			one["tolerance"] = "0%"
		}
		list = append(list, one)
	}
	config, err := json.Marshal(m{
		"provider": "prometheus", "baseline": m{"app": "a"}, "canary": m{"app": "b"}, "metrics": list,
		"window": m{"length": (time.Duration(steps) * 30 * time.Second).String(), "step": "30s", "warmup": "0s", "lag": "0s"},
	})
	if err != nil {
		b.Fatal(err)
	}
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	path := filepath.Join(b.TempDir(), "big.jsonl")
	w, err := recording.Create(path, recording.Header{Config: config, Window: &recording.Window{Start: start, Step: "30s", Steps: steps}})
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	count := func(mean float64) float64 { return math.Max(0, math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())) }
	for step := range steps {
		for i := range metrics {
			for _, arm := range providers.Arms {
				p := recording.Point{Time: start.Add(time.Duration(step) * 30 * time.Second), Metric: fmt.Sprint("metric ", i), Arm: arm}
				level, traffic := 1.0, 9000.0
				if arm == providers.Canary {
					level, traffic = factor, 1000
				}
				level *= math.Exp(scatter * rng.NormFloat64())
				if i%2 == 0 {
					p.Sample = analysis.ValueSample(100 * level)
				} else {
					total := count(traffic)
					p.Kind, p.Sample = recording.Counts, analysis.CountSample(count(0.01*level*total), total)
				}
				if err := w.Point(p); err != nil {
					b.Fatal(err)
				}
			}
		}
		if err := w.Look(step+1, start.Add(time.Duration(step+1)*30*time.Second)); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(recording.End{Why: "window"}); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkReplay replays all looks, from the file to the text report: of an unchanged
// canary, of which most looks show at once that there is nothing to decide, and of one so
// near its tolerances that no look is settled cheaply.
func BenchmarkReplay(b *testing.B) {
	for _, c := range []struct {
		name            string
		metrics, steps  int
		factor, scatter float64
	}{
		{"unchanged", 1, 240, 1, 0.05},
		{"unchanged", 1000, 240, 1, 0.05},
		{"near", 1000, 240, 1.1, 0.5},
		{"near", 1000, 120, 1.1, 0.5},
		{"near", 500, 240, 1.1, 0.5},
	} {
		b.Run(fmt.Sprintf("%s/%dx%d", c.name, c.metrics, c.steps), func(b *testing.B) {
			file := bigRecording(b, c.metrics, c.steps, c.factor, c.scatter)
			b.ReportAllocs()
			for b.Loop() {
				a := &app{env: map[string]string{}, args: []string{"replay", file}, stdout: io.Discard, stderr: io.Discard}
				if code := a.run(b.Context()); code != exitInconclusive {
					b.Fatal(code)
				}
			}
		})
	}
}

// BenchmarkShippedRecording replays the recording of the README's first command.
func BenchmarkShippedRecording(b *testing.B) {
	for b.Loop() {
		a := &app{env: map[string]string{}, args: []string{"replay", "../../testdata/broken.jsonl"}, stdout: io.Discard, stderr: io.Discard}
		if code := a.run(b.Context()); code != exitFail {
			b.Fatal(code)
		}
	}
}
