package recording_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
	"github.com/canary-judge/canary-judge/web"
)

// scripted is a provider that says one thing after another, whatever it is asked.
type scripted struct {
	answers [][]providers.Answer
	err     error
}

func (s *scripted) Fetch(context.Context, []providers.Query) ([]providers.Answer, error) {
	if len(s.answers) == 0 {
		return nil, s.err
	}
	next := s.answers[0]
	s.answers = s.answers[1:]
	return next, nil
}

// one is an answer of one series.
func one(points ...analysis.Point) providers.Answer {
	return providers.Answer{Series: []analysis.Series{{Step: 10 * time.Second, Points: points}}}
}

// none is an answer to which nothing matched.
var none providers.Answer

// query asks for a part of the canary's errors, or latency, over seconds.
func query(part providers.Part, from, to int) providers.Query {
	metric := map[providers.Part]string{providers.Value: "latency", providers.Buckets: "durations"}[part]
	if metric == "" {
		metric = "errors"
	}
	return providers.Query{Metric: metric, Arm: providers.Canary, Part: part, Start: at(from, 0).Time, End: at(to, 0).Time, Step: 10 * time.Second}
}

// good asks for the opposite of bad events.
func good(from, to int) providers.Query {
	q := query(providers.Bad, from, to)
	q.Complement = true
	return q
}

func TestRecorder(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	buckets := func(second int, counts ...float64) analysis.Point {
		return analysis.BucketPoint(at(second, nan).Time, stats.Histogram{Bounds: []float64{1}, Counts: counts})
	}
	both := func(from, to int) []providers.Query {
		return []providers.Query{query(providers.Bad, from, to), query(providers.Total, from, to)}
	}
	goodOf := func(from, to int) []providers.Query {
		return []providers.Query{good(from, to), query(providers.Total, from, to)}
	}
	for _, tt := range []struct {
		name    string
		queries [][]providers.Query // of each fetch
		source  [][]providers.Answer
		want    []providers.Answer // to the last fetch, and again from the file
	}{
		{
			"a step keeps its first answer",
			[][]providers.Query{{query(providers.Value, 0, 20)}, {query(providers.Value, 0, 30)}},
			[][]providers.Answer{{one(at(0, 1), at(10, 2))}, {one(at(0, 7), at(10, nan), at(20, 3))}},
			[]providers.Answer{one(at(0, 1), at(10, 2), at(20, 3))},
		},
		{
			"a gap stays one",
			[][]providers.Query{{query(providers.Value, 0, 20)}, {query(providers.Value, 0, 30)}},
			[][]providers.Answer{{one(at(0, 1), at(10, nan))}, {one(at(0, 1), at(10, 2), at(20, 3))}},
			[]providers.Answer{one(at(0, 1), at(10, nan), at(20, 3))},
		},
		{
			"what comes late for a step that was not there is not taken",
			[][]providers.Query{{query(providers.Value, 0, 20)}, {query(providers.Value, 0, 30)}},
			[][]providers.Answer{{one(at(0, 1))}, {one(at(0, 1), at(10, 2), at(20, 3))}},
			[]providers.Answer{one(at(0, 1), at(20, 3))},
		},
		{
			"what comes after nothing at all is new",
			[][]providers.Query{{query(providers.Value, 0, 20)}, {query(providers.Value, 0, 30)}},
			[][]providers.Answer{{none}, {one(at(10, 2), at(20, 3))}},
			[]providers.Answer{one(at(20, 3))},
		},
		{
			"the parts of a metric go together",
			[][]providers.Query{both(0, 30)},
			[][]providers.Answer{{one(at(0, 0), at(20, 2)), one(at(0, 5), at(10, 6), at(20, 7))}},
			[]providers.Answer{one(at(0, 0), at(10, nan), at(20, 2)), one(at(0, 5), at(10, 6), at(20, 7))},
		},
		{
			"no bad events were ever mentioned",
			[][]providers.Query{both(0, 20)},
			[][]providers.Answer{{none, one(at(0, 5), at(10, 6))}},
			[]providers.Answer{one(at(0, nan), at(10, nan)), one(at(0, 5), at(10, 6))},
		},
		{
			"bad events without a total",
			[][]providers.Query{both(0, 20)},
			[][]providers.Answer{{one(at(10, 6)), none}},
			[]providers.Answer{one(at(10, 6)), one(at(10, nan))},
		},
		{
			"infinities are gaps",
			[][]providers.Query{{query(providers.Value, 0, 30)}},
			[][]providers.Answer{{one(at(0, inf), at(10, -inf), at(20, 0))}},
			[]providers.Answer{one(at(0, nan), at(10, nan), at(20, 0))},
		},
		{
			// A bad count of NaN beside a total would count as none.
			"an infinite part makes all of the step a gap",
			[][]providers.Query{both(0, 30)},
			[][]providers.Answer{{one(at(0, inf), at(10, 1), at(20, 1)), one(at(0, 5), at(10, inf), at(20, 5))}},
			[]providers.Answer{one(at(0, nan), at(10, nan), at(20, 1)), one(at(0, nan), at(10, nan), at(20, 5))},
		},
		{
			"good events become bad ones",
			[][]providers.Query{goodOf(0, 30)},
			[][]providers.Answer{{one(at(0, 4), at(10, 0), at(20, 7.5)), one(at(0, 5), at(10, 6), at(20, 7))}},
			// More good events than events is extrapolation, for who judges to weigh.
			[]providers.Answer{one(at(0, 1), at(10, 6), at(20, -0.5)), one(at(0, 5), at(10, 6), at(20, 7))},
		},
		{
			"a step without good events is a gap",
			[][]providers.Query{goodOf(0, 30)},
			[][]providers.Answer{{one(at(0, 4), at(20, nan)), one(at(0, 5), at(10, 6), at(20, 7))}},
			[]providers.Answer{one(at(0, 1), at(10, nan), at(20, nan)), one(at(0, 5), at(10, nan), at(20, nan))},
		},
		{
			// Where everything fails, the series of good events may end or never begin.
			"no good events at all are gaps",
			[][]providers.Query{goodOf(0, 20), goodOf(20, 40)},
			[][]providers.Answer{{one(at(0, 4), at(10, 4)), one(at(0, 5), at(10, 5))}, {none, one(at(20, 5), at(30, 5))}},
			[]providers.Answer{one(at(20, nan), at(30, nan)), one(at(20, nan), at(30, nan))},
		},
		{
			"good events without a total are gaps",
			[][]providers.Query{goodOf(0, 20)},
			[][]providers.Answer{{one(at(0, 4)), none}},
			[]providers.Answer{one(at(0, nan)), one(at(0, nan))},
		},
		{
			"histograms",
			[][]providers.Query{{query(providers.Buckets, 0, 30)}},
			[][]providers.Answer{{one(buckets(0, 1, 2), at(10, nan), buckets(20, 0, 0))}},
			[]providers.Answer{one(buckets(0, 1, 2), at(10, nan), buckets(20, 0, 0))},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "run.jsonl")
			file := create(t, path, recording.Header{})
			r := &recording.Recorder{Next: &scripted{answers: tt.source}, To: new(recording.Recording), File: file}
			var got []providers.Answer
			for _, queries := range tt.queries {
				var err error
				got, err = r.Fetch(t.Context(), queries)
				must(t, err)
			}
			same := cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateEmpty()}
			if diff := cmp.Diff(tt.want, got, same); diff != "" {
				t.Errorf("live (-want +got)\n%s", diff)
			}
			must(t, file.Close(recording.End{Why: "window"}))
			replay, err := recording.Open(path)
			must(t, err)
			got, err = replay.Fetch(t.Context(), tt.queries[len(tt.queries)-1])
			must(t, err)
			if diff := cmp.Diff(tt.want, got, same); diff != "" {
				t.Errorf("replayed (-want +got)\n%s", diff)
			}
		})
	}
}

// What cannot be one series of a recording is for who asked to refuse.
func TestRecorderPassesOn(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	two := providers.Answer{Series: []analysis.Series{
		{Labels: map[string]string{"pod": "a"}, Points: []analysis.Point{at(0, 1)}}, {Labels: map[string]string{"pod": "b"}, Points: []analysis.Point{at(0, 2)}},
	}}
	source := []providers.Answer{{Err: boom}, one(at(0, 5)), two, one(at(0, 9))}
	queries := []providers.Query{
		query(providers.Bad, 0, 10), query(providers.Total, 0, 10), query(providers.Value, 0, 10),
		{Metric: "other", Arm: providers.Baseline, Part: providers.Value, Start: begin, End: begin.Add(10 * time.Second), Step: 10 * time.Second},
	}
	r := &recording.Recorder{Next: &scripted{answers: [][]providers.Answer{source}}, To: new(recording.Recording)}
	got, err := r.Fetch(t.Context(), queries)
	must(t, err)
	if diff := cmp.Diff([]providers.Answer{{Err: boom}, one(at(0, 5)), two, one(at(0, 9))}, got, cmpopts.EquateErrors()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	want := []recording.Metric{{Name: "other", Points: map[providers.Arm]int{providers.Baseline: 1}}}
	if diff := cmp.Diff(want, r.To.Metrics()); diff != "" {
		t.Errorf("recorded (-want +got)\n%s", diff)
	}
}

func TestRecorderKeepsLabelsAndUnit(t *testing.T) {
	t.Parallel()
	answer := providers.Answer{Series: []analysis.Series{{
		Labels: map[string]string{"version": "a"}, Unit: "s", Step: 10 * time.Second, Points: []analysis.Point{at(0, 1)},
	}}}
	r := &recording.Recorder{Next: &scripted{answers: [][]providers.Answer{{answer}}}, To: new(recording.Recording)}
	got, err := r.Fetch(t.Context(), []providers.Query{query(providers.Value, 0, 10)})
	must(t, err)
	if diff := cmp.Diff([]providers.Answer{answer}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRecorderFails(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	r := &recording.Recorder{Next: &scripted{err: boom}, To: new(recording.Recording)}
	if _, err := r.Fetch(t.Context(), []providers.Query{query(providers.Value, 0, 10)}); !errors.Is(err, boom) {
		t.Errorf("error %v, want %v", err, boom)
	}
	// What cannot be saved must not be judged.
	file := create(t, filepath.Join(t.TempDir(), "run.jsonl"), recording.Header{})
	bad := analysis.BucketPoint(at(0, nan).Time, stats.Histogram{Counts: []float64{math.Inf(1)}})
	r = &recording.Recorder{Next: &scripted{answers: [][]providers.Answer{{one(bad)}}}, To: new(recording.Recording), File: file}
	if _, err := r.Fetch(t.Context(), []providers.Query{query(providers.Buckets, 0, 10)}); err == nil {
		t.Error("saved an infinite count")
	}
	must(t, file.Abandon())
	r = &recording.Recorder{Next: &scripted{answers: [][]providers.Answer{{one(at(0, 1))}, {one(at(10, 1))}}}, To: new(recording.Recording)}
	_, err := r.Fetch(t.Context(), []providers.Query{query(providers.Value, 0, 10)})
	must(t, err)
	other := query(providers.Bad, 10, 20)
	other.Metric = "latency"
	if _, err := r.Fetch(t.Context(), []providers.Query{other}); err == nil {
		t.Error("saved two kinds of points under one name")
	}
}

// After a crash, the run goes on with what was saved.
func TestRecorderGoesOn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	file := create(t, path, recording.Header{})
	r := &recording.Recorder{Next: &scripted{answers: [][]providers.Answer{{one(at(0, 1), at(10, 2))}}}, To: new(recording.Recording), File: file}
	_, err := r.Fetch(t.Context(), []providers.Query{query(providers.Value, 0, 20)})
	must(t, err)
	must(t, file.Abandon())
	file, to, err := recording.Resume(path)
	must(t, err)
	r = &recording.Recorder{Next: &scripted{answers: [][]providers.Answer{{one(at(0, 7), at(10, 8), at(20, 9))}}}, To: to, File: file}
	got, err := r.Fetch(t.Context(), []providers.Query{query(providers.Value, 0, 30)})
	must(t, err)
	must(t, file.Abandon())
	if diff := cmp.Diff([]providers.Answer{one(at(0, 1), at(10, 2), at(20, 9))}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	again, err := recording.Open(path)
	must(t, err)
	if diff := cmp.Diff(got[0].Series[0].Points, held(t, again, "latency", providers.Value)); diff != "" {
		t.Errorf("the file (-want +got)\n%s", diff)
	}
}

func TestType(t *testing.T) {
	t.Parallel()
	typ := recording.Type()
	settings := typ.Settings().(*recording.Settings)
	var e *web.Error
	if _, err := typ.Open(settings); !errors.As(err, &e) || e.Class != web.Settings {
		t.Errorf("no path: %v", err)
	}
	settings.Path = filepath.Join(t.TempDir(), "run.jsonl")
	must(t, create(t, settings.Path, recording.Header{}).Abandon())
	if _, err := typ.Open(settings); err != nil {
		t.Error(err)
	}
	filter, err := typ.Filter([]providers.Label{{Name: "service", Value: "a b"}, {Name: "env", Value: "c"}}, providers.Around{})
	value, err2 := typ.Value(providers.Label{Name: "service", Value: "a b"}, providers.Around{})
	reading, err3 := typ.Check("anything", providers.Bad, time.Second)
	got := []any{filter, err, value, err2, typ.Step(90 * time.Second), reading, err3}
	if diff := cmp.Diff([]any{"service=a b,env=c", nil, "a b", nil, "1m30s", providers.Reading{}, nil}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
