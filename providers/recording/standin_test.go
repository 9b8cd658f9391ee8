package recording_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/providers/recording"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	numbers := []providers.Part{providers.Value, providers.Count, providers.Bad, providers.Total}
	for _, tt := range []struct {
		name  string
		parts []providers.Part
		open  func(*testing.T, *providertest.World) providers.Provider
	}{
		{"JSON lines", nil, func(t *testing.T, w *providertest.World) providers.Provider {
			return openFile(t, "world.jsonl", jsonLines(w))
		}},
		{"JSON lines, compressed", nil, func(t *testing.T, w *providertest.World) providers.Provider {
			return openFile(t, "world.jsonl.gz", zip(t, jsonLines(w)))
		}},
		{"CSV", numbers, func(t *testing.T, w *providertest.World) providers.Provider {
			return openFile(t, "world.csv", commas(w, "time,metric,arm,value,total,count", time.RFC3339Nano))
		}},
		{"CSV of a spreadsheet", numbers, func(t *testing.T, w *providertest.World) providers.Provider {
			text := commas(w, `"count","total","value","arm","metric","time"`, "")
			return openFile(t, "world.csv", "\ufeff"+strings.ReplaceAll(text, "\n", "\r\n"))
		}},
		{"written by a Writer", nil, func(t *testing.T, w *providertest.World) providers.Provider { return written(t, w, "world.jsonl") }},
		{"written by a Writer, compressed", nil, func(t *testing.T, w *providertest.World) providers.Provider { return written(t, w, "world.jsonl.gz") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			providertest.Test(t, providertest.Suite{Open: tt.open, Parts: tt.parts, OneSeries: true, Offline: true})
		})
	}
	t.Run("a Recorder", func(t *testing.T) {
		t.Parallel()
		providertest.Test(t, providertest.Suite{
			Open: func(t *testing.T, w *providertest.World) providers.Provider {
				file, err := recording.Create(filepath.Join(t.TempDir(), "world.jsonl"), recording.Header{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := file.Close(recording.End{Why: "window"}); err != nil {
						t.Error(err)
					}
				})
				return &recording.Recorder{Next: w, To: new(recording.Recording), File: file}
			},
			Requests: func(int, int) int { return 1 },
		})
	})
}

// openFile opens a recording of the given text.
func openFile(t *testing.T, name, text string) *recording.Recording {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := recording.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func zip(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// written writes a world's points with a Writer and opens the file.
func written(t *testing.T, w *providertest.World, name string) providers.Provider {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	file, err := recording.Create(path, recording.Header{Tool: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range points(w) {
		if err := file.Point(p); err != nil {
			t.Fatal(err)
		}
		if i%4000 == 0 {
			if err := file.Look(1, p.Time); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := file.Close(recording.End{Why: "window"}); err != nil {
		t.Fatal(err)
	}
	r, err := recording.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// points are what a recording of a world holds. What the world refuses is there as
// another kind of points.
func points(w *providertest.World) []recording.Point {
	type place struct {
		metric string
		arm    providers.Arm
		at     time.Time
	}
	all := map[place]*recording.Point{}
	get := func(r providertest.Reply, p analysis.Point, k recording.Kind) *recording.Point {
		key := place{r.Metric, r.Arm, p.Time}
		if all[key] == nil {
			all[key] = &recording.Point{Time: p.Time, Metric: r.Metric, Arm: r.Arm, Kind: k}
		}
		return all[key]
	}
	for _, r := range w.Replies {
		for _, s := range r.Series {
			for _, p := range s.Points {
				switch {
				case r.Refused != "":
					get(r, p, recording.Counts).Sample = analysis.CountSample(1, 2)
				case r.Part == providers.Bad:
					c := get(r, p, recording.Counts)
					c.Sample = analysis.CountSample(p.Value(), c.Sample.Total())
				case r.Part == providers.Total:
					c := get(r, p, recording.Counts)
					c.Sample = analysis.CountSample(c.Sample.Bad(), p.Value())
				case r.Part == providers.Value:
					v := get(r, p, recording.Values)
					v.Sample = analysis.QuantileSample(p.Value(), v.Sample.Count())
				case r.Part == providers.Count:
					v := get(r, p, recording.Values)
					v.Sample = analysis.QuantileSample(v.Sample.Value(), p.Value())
				case r.Part == providers.Buckets:
					get(r, p, recording.Histograms).Sample = analysis.BucketSample(p.Buckets())
				default:
					get(r, p, recording.Values).Sample = analysis.ValueSample(p.Value())
				}
			}
		}
	}
	var list []recording.Point
	for _, p := range all {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b recording.Point) int {
		return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.Metric, b.Metric), strings.Compare(string(a.Arm), string(b.Arm)))
	})
	return list
}

// jsonLines writes a recording as the design has it.
func jsonLines(w *providertest.World) string {
	lines := []string{`{"format":"canary-judge/recording/v1"}`}
	null := func(v float64) any {
		if math.IsNaN(v) {
			return nil
		}
		return v
	}
	for _, p := range points(w) {
		line := map[string]any{"t": p.Time, "metric": p.Metric, "arm": p.Arm}
		switch p.Kind {
		case recording.Counts:
			line["bad"], line["total"] = null(p.Sample.Bad()), null(p.Sample.Total())
		case recording.Histograms:
			line["bounds"], line["counts"] = p.Sample.Buckets().Bounds, p.Sample.Buckets().Counts
		default:
			line["value"] = null(p.Sample.Value())
			if n := p.Sample.Count(); !math.IsNaN(n) {
				line["count"] = n
			}
		}
		text, err := json.Marshal(line)
		if err != nil {
			panic(err)
		}
		lines = append(lines, string(text))
	}
	return strings.Join(lines, "\n") + "\n"
}

// commas writes a recording as CSV with the columns of the header in their order.
// Times have the given layout, or are seconds since the epoch.
func commas(w *providertest.World, header, layout string) string {
	var b strings.Builder
	fmt.Fprintln(&b, header)
	empty := func(v float64) string {
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	for _, p := range points(w) {
		row := map[string]string{"time": p.Time.Format(layout), "metric": p.Metric, "arm": string(p.Arm), "value": empty(p.Sample.Value()), "count": empty(p.Sample.Count())}
		if layout == "" {
			row["time"] = strconv.FormatInt(p.Time.Unix(), 10)
		}
		if p.Kind == recording.Counts {
			row["value"], row["total"] = empty(p.Sample.Bad()), empty(p.Sample.Total())
		}
		var cells []string
		for _, name := range strings.Split(strings.ReplaceAll(header, `"`, ""), ",") {
			cells = append(cells, `"`+row[name]+`"`)
		}
		fmt.Fprintln(&b, strings.Join(cells, ","))
	}
	return b.String()
}
