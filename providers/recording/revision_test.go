package recording_test

import (
	"context"
	"encoding/json"
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

// Both answers are in the file, and a reader that knows nothing of revisions sees marks of
// looks: it reads what it knows of a line, and of these "look" and "t" are enough for it.
func TestRevisionsAreKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	w := create(t, path, recording.Header{})
	memory := new(recording.Recording)
	look := func(number int, seconds int, revised ...recording.Revision) {
		end := at(seconds, 0).Time
		for _, rev := range revised {
			must(t, w.Revision(number, end, rev))
			memory.Revise(end, rev)
		}
		must(t, w.Look(number, end))
		memory.Look(end)
	}
	revision := func(p recording.Point, later analysis.Sample, age time.Duration) recording.Revision {
		q := p
		q.Sample = later
		return recording.Revision{First: p, Later: q, Age: age}
	}
	all := samples(0)
	look(0, 10)
	look(1, 20, revision(all[0], analysis.ValueSample(7), 50*time.Second), revision(all[1], analysis.ValueSample(0), 50*time.Second))
	look(2, 30)
	look(3, 40, revision(all[2], analysis.CountSample(3, 4), 90*time.Minute),
		revision(all[5], analysis.BucketSample(stats.Histogram{Bounds: []float64{1}, Counts: []float64{0, 2.5}}), 0))
	must(t, w.Close(recording.End{Why: "window"}))

	r, err := recording.Open(path)
	must(t, err)
	if diff := cmp.Diff(memory.Revisions, r.Revisions); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	for i, want := range []int{10, 10, 30, 30} {
		if got := r.Revisions[i].Known; !got.Equal(at(want, 0).Time) {
			t.Errorf("revision %d is known after %s, want second %d", i, got, want)
		}
	}
	if !r.Judged.Equal(at(40, 0).Time) || r.End == nil {
		t.Errorf("judged until %s, end %v", r.Judged, r.End)
	}
	for i, text := range strings.Split(strings.TrimSpace(content(t, path)), "\n") {
		var line map[string]json.RawMessage
		must(t, json.Unmarshal([]byte(text), &line))
		if line["revised"] != nil && (len(line) != 3 || line["look"] == nil || line["t"] == nil) {
			t.Errorf("line %d is no mark of a look to who does not know revisions: %s", i+1, text)
		}
	}
}

func TestRevisionsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const first, later = `{"t":"2026-11-23T10:00:00Z","metric":"m","arm":"canary","value":1}`, `{"t":"2026-11-23T10:00:00Z","metric":"m","arm":"canary","value":2}`
	for _, c := range []struct{ revised, want string }{
		{`{"age":"soon","first":` + first + `,"later":` + later + `}`, `the age of a revision is "soon"`},
		{`{"age":"-5s","first":` + first + `,"later":` + later + `}`, `the age of a revision is "-5s"`},
		{`{"age":"5s","first":` + first + `}`, "no first or no later answer"},
		{`{"age":"5s","first":` + first + `,"later":` + strings.Replace(later, "canary", "baseline", 1) + `}`, "not of the same point"},
		{`{"age":"5s","first":` + first + `,"later":` + strings.Replace(later, `"value"`, `"total"`, 1) + `}`, "not of the same point"},
		{`{"age":"5s","first":` + first + `,"later":` + strings.Replace(later, `"2026`, `"x`, 1) + `}`, "want a time such as"},
	} {
		_, err := recording.Read(strings.NewReader(`{"format":"canary-judge/recording/v1"}` + "\n" +
			`{"look":1,"t":"2026-11-23T10:00:30Z","revised":` + c.revised + "}\n"))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v, want %q", c.revised, err, c.want)
		}
	}
}

// A step is compared with what was last said of it: before the window, in it, and where
// there was nothing. What is before the window is not saved.
func TestRecorderSeesRevisions(t *testing.T) {
	t.Parallel()
	source := &scripted{answers: [][]providers.Answer{
		{one(at(-20, 5), at(-10, 6))},
		{one(at(-20, 5), at(-10, 7), at(0, 1), at(20, 3))},
		{one(at(-10, 7), at(0, 2), at(10, 9), at(20, 3), at(30, 4))},
		{one(at(0, 2), at(10, 9), at(20, 4), at(30, 4), at(40, 5))},
	}}
	r := &recording.Recorder{
		Next: source, To: new(recording.Recording),
		Begins:  map[providers.Arm]time.Time{providers.Canary: at(0, 0).Time},
		Changed: func(a, b recording.Point) bool { return !b.Sample.Gap() && !a.Sample.Equal(b.Sample) },
	}
	ask := func(from, to int, fetch func(context.Context, []providers.Query) ([]providers.Answer, error)) []providers.Answer {
		answers, err := fetch(t.Context(), []providers.Query{query(providers.Value, from, to)})
		must(t, err)
		return answers
	}
	ask(-20, 0, r.Glance)
	if got := r.Revisions(); len(got) != 0 {
		t.Errorf("revised before anything was asked twice: %v", got)
	}
	type change struct {
		at           int
		first, later analysis.Sample
	}
	value := analysis.ValueSample
	for _, c := range []struct {
		from, to int
		want     []change
	}{
		{-20, 30, []change{{-10, value(6), value(7)}}},
		{-10, 40, []change{{0, value(1), value(2)}, {10, analysis.Sample{}, value(9)}}},
		{0, 50, []change{{20, value(3), value(4)}}},
	} {
		answers := ask(c.from, c.to, r.Fetch)
		if first := answers[0].Series[0].Points[0]; first.Time.Before(at(0, 0).Time) || first.Value() != 1 {
			t.Errorf("the first point is %v at %s, want what was said first at the window's start", first.Value(), first.Time)
		}
		var got []change
		for _, rev := range r.Revisions() {
			got = append(got, change{int(rev.First.Time.Sub(at(0, 0).Time).Seconds()), rev.First.Sample, rev.Later.Sample})
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(change{})); diff != "" {
			t.Errorf("from %d to %d (-want +got):\n%s", c.from, c.to, diff)
		}
	}
}

// After a crash what was fetched before counts as it was, its gaps too.
func TestAResumedRecorderKeepsGaps(t *testing.T) {
	t.Parallel()
	to := new(recording.Recording)
	must(t, to.Add(recording.Point{Time: at(0, 0).Time, Metric: "latency", Arm: providers.Canary, Sample: analysis.ValueSample(1)}))
	to.Look(at(20, 0).Time)
	r := &recording.Recorder{
		Next: &scripted{answers: [][]providers.Answer{{one(at(0, 1), at(10, 2), at(20, 3))}}}, To: to,
		Fetched: map[providers.Arm]time.Time{providers.Canary: to.Judged},
		Changed: func(a, b recording.Point) bool { return !a.Sample.Equal(b.Sample) },
	}
	answers, err := r.Fetch(t.Context(), []providers.Query{query(providers.Value, 0, 30)})
	must(t, err)
	if diff := cmp.Diff([]providers.Answer{one(at(0, 1), at(20, 3))}, answers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := r.Revisions(); len(got) != 1 || !got[0].First.Sample.Gap() || got[0].Later.Sample.Value() != 2 {
		t.Errorf("revisions %v", got)
	}
}
