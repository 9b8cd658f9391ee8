package recording_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// instancesOfAll are instances of each kind, with gaps, and one that takes several lines.
func instancesOfAll() []recording.Instance {
	one := func(metric, name string, kind recording.Kind, steps ...analysis.Sample) recording.Instance {
		return recording.Instance{
			Metric: metric, Arm: providers.Baseline, Name: name, Kind: kind, Start: begin.Add(-time.Hour), Step: 30 * time.Second, Steps: steps,
		}
	}
	var long []analysis.Sample
	for i := range 4100 {
		long = append(long, analysis.ValueSample(float64(i)))
	}
	buckets := stats.Histogram{Bounds: []float64{0.1, 1}, Counts: []float64{5, 3, 0}}
	return []recording.Instance{
		one("latency", "a", recording.Values, analysis.ValueSample(0.25), analysis.Sample{}, analysis.ValueSample(1e-9)),
		one("latency", "b <&>", recording.Values, long...),
		one("latency", "c", recording.Values, long[:3]...),
		one("p95", "a", recording.Values, analysis.QuantileSample(0.25, 40), analysis.QuantileSample(math.NaN(), 0), analysis.Sample{}),
		one("errors", "a", recording.Counts, analysis.CountSample(1, 20), analysis.Sample{}, analysis.CountSample(math.NaN(), 7)),
		one("slow", "a", recording.Histograms, analysis.BucketSample(buckets), analysis.GapSample("why"), analysis.Sample{}),
	}
}

// Instances are read as they were written, those of a history that was not finished are not, and a reader that
// knows nothing of them sees marks of a look.
func TestInstancesAreKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	w := create(t, path, recording.Header{})
	unfinished := recording.History{Start: begin, From: begin, Since: begin, To: begin, By: "pod", Instances: instancesOfAll()[:1], Steps: 9}
	must(t, w.History(unfinished))
	want := recording.History{
		Start: begin, From: begin.Add(-2 * time.Hour), Since: begin.Add(-time.Hour), To: begin, By: "pod", Instances: instancesOfAll(), Warmup: 1, Steps: 60,
	}
	must(t, w.History(want))
	must(t, w.Abandon())
	text := content(t, path)
	if n := strings.Count(text, `"instance":`); n != 1+len(want.Instances)+2 {
		t.Errorf("%d lines of instances", n)
	}
	for i, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
		var old struct {
			Look *int      `json:"look"`
			Time time.Time `json:"t"`
		}
		if must(t, json.Unmarshal([]byte(line), &old)); old.Look == nil || *old.Look != 0 || !old.Time.Equal(begin) {
			t.Errorf("others read line %d as %+v", i+2, old)
		}
	}
	check := func(text string) {
		t.Helper()
		r, err := recording.Read(strings.NewReader(text))
		must(t, err)
		// A gap may be one in several ways, which are written alike.
		if diff := cmp.Diff(texts(t, want.Instances), texts(t, r.History.Instances)); diff != "" {
			t.Errorf("(-written +read):\n%s", diff)
		}
		for i, one := range r.History.Instances {
			if len(one.Steps) != len(want.Instances[i].Steps) || one.Kind != want.Instances[i].Kind {
				t.Errorf("%s: %d steps", one.Name, len(one.Steps))
			}
			for n, s := range one.Steps {
				if s.Gap() != want.Instances[i].Steps[n].Gap() && !math.IsNaN(want.Instances[i].Steps[n].Value()) {
					t.Errorf("%s of %s, step %d is a gap: %v", one.Metric, one.Name, n, s.Gap())
				}
			}
		}
	}
	check(text)
	lines := strings.SplitAfter(text, "\n")
	check(strings.Join(append([]string{lines[0], lines[1]}, lines[3:]...), "")) // the mark of the first is not there
}

// texts are instances as they stand in a file.
func texts(t *testing.T, all []recording.Instance) (lines []string) {
	t.Helper()
	for _, one := range all {
		text, err := json.Marshal(one)
		must(t, err)
		lines = append(lines, string(text))
	}
	return lines
}

// An instance that cannot be one is an error in its line.
func TestInstancesThatAreNone(t *testing.T) {
	t.Parallel()
	const head = `"metric":"m","arm":"baseline","name":"a","from":"2026-11-23T10:00:00Z","step":"30s",`
	for text, want := range map[string]string{
		`{"name":"a"}`:                             "no metric, or no name",
		`{"metric":"m","arm":"x","name":"a"}`:      `arm is "x"`,
		`{"metric":"m","arm":"canary","name":"a"}`: `from of an instance is ""`,
		`{"metric":"m","arm":"canary","name":"a","from":"2026-11-23T10:00:00Z"}`: `step of an instance is ""`,
		`{` + head + `"step":"-1s","value":[1]}`:                                 `step of an instance is "-1s"`,
		`{` + head + `"value":[]}`:                                               "has no steps",
		`{` + head + `"value":[1,2],"count":[1]}`:                                "2 values and 1 counts",
		`{` + head + `"bad":[1],"total":[1,2]}`:                                  "2 totals and 1 counts",
		`{` + head + `"buckets":[{"bounds":[1],"counts":[1]}]}`:                  "1 counts for 1 bounds",
		`{` + head + `"buckets":[{"bounds":[1],"counts":[1,-1]}]}`:               "a bucket holds -1",
		`{` + head + `"value":[1]}` + "}\n" + `{"look":0,"t":"2026-11-23T11:00:00Z","history":` + `{"from":"2026-11-23T09:00:00Z","since":"2026-11-23T09:00:00Z","to":"2026-11-23T10:00:00Z","by":"pod","instances":2,"steps":9}`: "of 2 instances, and 1 stand before it",
	} {
		_, err := recording.Read(strings.NewReader(lines(header, `{"look":0,"t":"2026-11-23T11:00:00Z","instance":`+text+`}`)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// What queries that are divided by a label were answered becomes instances.
func TestAnswersBecomeInstances(t *testing.T) {
	t.Parallel()
	query := func(metric string, part providers.Part, complement bool) providers.Query {
		return providers.Query{
			Metric: metric, Arm: providers.Baseline, Part: part, Start: begin, End: begin.Add(90 * time.Second), Step: 30 * time.Second, Complement: complement,
		}
	}
	series := func(pod string, values ...float64) analysis.Series {
		s := analysis.Series{Labels: map[string]string{}}
		if pod != "" {
			s.Labels["pod"] = pod
		}
		for i, v := range values {
			s.Points = append(s.Points, analysis.ValuePoint(begin.Add(time.Duration(i)*30*time.Second), v))
		}
		return s
	}
	answer := func(all ...analysis.Series) providers.Answer { return providers.Answer{Series: all} }
	queries := []providers.Query{
		query("errors", providers.Bad, false), query("errors", providers.Total, false),
		query("good", providers.Bad, true), query("good", providers.Total, false), query("latency", providers.Value, false),
	}
	nan := math.NaN()
	all, err := recording.InstancesOf("pod", queries, []providers.Answer{
		answer(series("", 0, 0, 0), series("b", 3, 4, 5)), answer(series("a", 10, 11, 12), series("b", 20, 21)),
		answer(series("a", 9, nan, 8)), answer(series("a", 10, 10, 10)),
		answer(series("z", math.Inf(1), 2), series("N/A", 1, 2)),
	})
	must(t, err)
	var got []string
	for _, one := range all {
		text := fmt.Sprintf("%s %s:", one.Metric, one.Name)
		for _, s := range one.Steps {
			switch one.Kind {
			case recording.Counts:
				text += fmt.Sprintf(" %g/%g", s.Bad(), s.Total())
			default:
				text += fmt.Sprintf(" %g", s.Value())
			}
		}
		got = append(got, text)
	}
	want := []string{"errors a: 0/10 0/11 0/12", "errors b: 3/20 4/21 5/NaN", "good a: 1/10 NaN/NaN 2/10", "latency z: NaN 2 NaN"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = recording.InstancesOf("pod", queries[4:], []providers.Answer{answer(series("a", 1), series("a", 2))})
	if err == nil || !strings.Contains(err.Error(), "2 series have pod=a") {
		t.Errorf("two series of an instance: %v", err)
	}
	down := errors.New("down")
	if _, err = recording.InstancesOf("pod", queries[4:], []providers.Answer{{Err: down}}); !errors.Is(err, down) {
		t.Errorf("a query that failed: %v", err)
	}
}
