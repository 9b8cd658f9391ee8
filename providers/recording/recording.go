// Package recording keeps what a run fetched: in memory, in a file that is
// appended to look by look (JSON lines, plain or gzip), and as a provider that
// answers from it. A CSV export of anything is read as a recording too.
//
// A live run is the replay of a recording that is still being written: Recorder
// saves what another provider answers and then answers from the recording, so
// that a run and its replay see the same numbers by construction.
package recording

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// Format is the first line's word for what the file is.
const Format = "canary-judge/recording/v1"

// Header is the first line of a recording.
type Header struct {
	Format  string          `json:"format"`
	Tool    string          `json:"tool,omitempty"`   // version of the tool that wrote it
	Started time.Time       `json:"started,omitzero"` // when the run started, by the wall clock
	Window  *Window         `json:"window,omitempty"` // what was planned; nil for a CSV
	Config  json.RawMessage `json:"config,omitempty"` // the config as used, without secrets
	Change  json.RawMessage `json:"change,omitempty"` // what was under judgement, for who reverts it
	Writer  *Process        `json:"writer,omitempty"` // who began it
	// Notes are what was assumed when another tool's file was read; Units are those of its
	// values, by metric.
	Notes []string          `json:"notes,omitempty"`
	Units map[string]string `json:"units,omitempty"`
}

// Window is the time a run was to judge.
type Window struct {
	Start  time.Time `json:"start"`  // of the first step, warm-up included
	Step   string    `json:"step"`   // as Go writes durations
	Warmup int       `json:"warmup"` // steps skipped first
	Steps  int       `json:"steps"`  // steps judged after them
}

// Point is what one arm of one metric showed in one step.
type Point struct {
	Time   time.Time
	Metric string
	Arm    providers.Arm
	// Kind is what the metric holds, and so what a gap is a gap of.
	Kind   Kind
	Sample analysis.Sample // of that kind, or a gap
}

// MarshalJSON writes a point as it stands in a recording.
func (p Point) MarshalJSON() ([]byte, error) { return json.Marshal(pointLine(p)) }

// Recording holds points in memory. The zero value is empty and ready to use.
type Recording struct {
	Header   Header
	Warnings []string // what was dropped on reading
	// Judged is the end of the last step that a look was recorded for; zero when the
	// recording has no looks, as a CSV.
	Judged time.Time
	End    *End
	// Actions are what was done at the verdict, in the order in which it began.
	Actions []Action
	// Concluded is whether everything that follows the verdict was done.
	Concluded bool
	// Writer is who wrote the recording last; nil when it does not say.
	Writer *Process
	// Sightings are what guards said, as they were seen.
	Sightings []Sighting
	// Revisions are what the source answered otherwise when it was asked again, in the
	// order of the looks that knew of them.
	Revisions []Revision
	// Diagnoses are what was found out about queries that found nothing to judge.
	Diagnoses []Diagnosis
	// History is what was looked at before the run; nil when nothing was, or when that is not
	// all there.
	History *History
	// Stages are those of a ramp that the run has set, in their order; one that was set again,
	// after traffic had been taken from the canary, is there again.
	Stages []Stage

	before time.Time // what Judged was at the look before
	tracks map[trackKey]*track
	order  []trackKey // as they first appeared
	quick  quick
	// instances are those of a history that is still being read.
	instances []Instance
}

// Sighting is what a guard said at a time: the end of the last step that the look
// was for.
type Sighting struct {
	Time time.Time
	providers.Sighting
}

// Sighted returns what a guard said first at a time or later, and false when the
// recording does not say.
func (r *Recording) Sighted(guard string, at time.Time) (Sighting, bool) {
	for _, s := range r.Sightings {
		if s.Guard == guard && !s.Time.Before(at) {
			return s, true
		}
	}
	return Sighting{}, false
}

// Look notes that all steps up to end have been fetched, for a look or in the warm-up.
func (r *Recording) Look(end time.Time) {
	if end = end.UTC(); !end.Equal(r.Judged) {
		r.before, r.Judged = r.Judged, end
	}
}

// Revise adds a revision that was seen when the steps up to end were fetched.
func (r *Recording) Revise(end time.Time, rev Revision) {
	r.Look(end)
	rev.Known = r.before
	r.Revisions = append(r.Revisions, rev)
}

type trackKey struct {
	metric string
	arm    providers.Arm
}

// track is the points of one metric and arm, by ascending time.
type track struct {
	kind    Kind
	times   []int64 // nanoseconds since the epoch
	first   []float64
	second  []float64
	buckets []analysis.Sample
}

// earliest (inclusive) and latest (exclusive) bound the times of points: outside
// of them it is some other number, and far outside nanoseconds overflow.
var (
	earliest = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Add appends a point; times must ascend within a metric and arm, and a metric
// holds one kind of points.
func (r *Recording) Add(p Point) error {
	if p.Time.Before(earliest) || !p.Time.Before(latest) {
		return fmt.Errorf("metric %q, %s: %s is no time of a measurement", p.Metric, p.Arm, p.Time.UTC().Format(time.RFC3339))
	}
	for _, arm := range providers.Arms {
		if t := r.tracks[trackKey{p.Metric, arm}]; t != nil && t.kind != p.Kind {
			return fmt.Errorf("metric %q, %s: %s after %s; a metric holds one kind", p.Metric, p.Arm, p.Kind, t.kind)
		}
	}
	key := trackKey{p.Metric, p.Arm}
	t := r.tracks[key]
	if t == nil {
		if r.tracks == nil {
			r.tracks = map[trackKey]*track{}
		}
		t = &track{kind: p.Kind}
		r.tracks[key] = t
		r.order = append(r.order, key)
	}
	at := p.Time.UnixNano()
	if n := len(t.times); n > 0 && at <= t.times[n-1] {
		last := time.Unix(0, t.times[n-1]).UTC().Format(time.RFC3339Nano)
		if at == t.times[n-1] {
			return fmt.Errorf("metric %q, %s: a second point at %s", p.Metric, p.Arm, last)
		}
		return fmt.Errorf("metric %q, %s: %s comes after %s: time goes backwards",
			p.Metric, p.Arm, p.Time.UTC().Format(time.RFC3339Nano), last)
	}
	t.times = append(t.times, at)
	kinds[p.Kind].add(t, p.Sample)
	return nil
}

// Metric is what a recording holds of a metric.
type Metric struct {
	Name string
	Kind Kind
	// Points counts the points an arm has, gaps included.
	Points map[providers.Arm]int
	// Counted says that there are values of which it is known how many observations they are
	// of.
	Counted bool
}

// Parts returns the parts of a step that the metric's points hold.
func (m Metric) Parts() []providers.Part {
	return slices.DeleteFunc(m.Kind.Parts(), func(p providers.Part) bool { return p == providers.Count && !m.Counted })
}

// Metrics lists the metrics in the order of their first points.
func (r *Recording) Metrics() []Metric {
	var metrics []Metric
	for _, key := range r.order {
		i := slices.IndexFunc(metrics, func(m Metric) bool { return m.Name == key.metric })
		if i < 0 {
			i = len(metrics)
			metrics = append(metrics, Metric{Name: key.metric, Kind: r.tracks[key].kind, Points: map[providers.Arm]int{}})
		}
		metrics[i].Points[key.arm] = len(r.tracks[key].times)
		metrics[i].Counted = metrics[i].Counted || r.tracks[key].kind == Values && len(r.tracks[key].second) > 0
	}
	return metrics
}

// Times returns the distinct times of all points, ascending, in UTC.
func (r *Recording) Times() []time.Time {
	seen := map[int64]bool{}
	var all []int64
	for _, t := range r.tracks {
		for _, at := range t.times {
			if !seen[at] {
				seen[at] = true
				all = append(all, at)
			}
		}
	}
	slices.Sort(all)
	times := make([]time.Time, len(all))
	for i, at := range all {
		times[i] = time.Unix(0, at).UTC()
	}
	return times
}

// Points yields all points, metric by metric and arm by arm, each by ascending time.
func (r *Recording) Points() iter.Seq[Point] {
	return func(yield func(Point) bool) {
		for _, key := range r.order {
			t := r.tracks[key]
			for i, at := range t.times {
				if !yield(Point{Time: time.Unix(0, at).UTC(), Metric: key.metric, Arm: key.arm, Kind: t.kind, Sample: t.sample(i)}) {
					return
				}
			}
		}
	}
}

// last returns the time of the last point of a metric and arm, and false when
// there is none.
func (r *Recording) last(metric string, arm providers.Arm) (time.Time, bool) {
	t := r.tracks[trackKey{metric, arm}]
	if t == nil || len(t.times) == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, t.times[len(t.times)-1]).UTC(), true
}

// at returns the point of a step, a gap when there is none.
func (r *Recording) at(key trackKey, kind Kind, at time.Time) Point {
	p := gap(key, kind, at)
	t := r.tracks[key]
	if t == nil || t.kind != kind {
		return p
	}
	if i, ok := slices.BinarySearch(t.times, at.UnixNano()); ok {
		p.Sample = t.sample(i)
	}
	return p
}

// latest returns what was last answered for a step.
func (r *Recording) latest(key trackKey, kind Kind, at time.Time) Point {
	for _, rev := range slices.Backward(r.Revisions) {
		if p := rev.Later; p.Metric == key.metric && p.Arm == key.arm && p.Time.Equal(at) {
			return p
		}
	}
	return r.at(key, kind, at)
}

// Fetch answers from the recording: the series of the query's metric, arm and
// part, or none. It implements providers.Provider; Expr plays no role.
func (r *Recording) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	answers := make([]providers.Answer, len(queries))
	for i, q := range queries {
		t := r.tracks[trackKey{q.Metric, q.Arm}]
		if t == nil {
			continue
		}
		points, err := t.points(q)
		if err != nil {
			answers[i].Err = providers.Place(q, err)
			continue
		}
		if len(points) > 0 {
			answers[i].Series = []analysis.Series{{Unit: r.Header.Units[q.Metric], Step: q.Step, Points: points}}
		}
	}
	return answers, nil
}

// points returns a query's points.
func (t *track) points(q providers.Query) ([]analysis.Point, error) {
	if want := kindOf(q.Part); t.kind != want {
		return nil, fmt.Errorf("the recording holds %s, the config asks for %s", t.kind, want)
	}
	from, _ := slices.BinarySearch(t.times, q.Start.UnixNano())
	to, _ := slices.BinarySearch(t.times, q.End.UnixNano())
	points := make([]analysis.Point, 0, max(0, to-from))
	for i := from; i < to; i++ {
		points = append(points, q.Part.Of(t.sample(i), time.Unix(0, t.times[i]).UTC()))
	}
	return points, nil
}

// sample returns what a point shows.
func (t *track) sample(i int) analysis.Sample { return kinds[t.kind].sample(t, i) }
