package job

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// Steps before the new ones are fetched again with them, in the same requests: providers
// see whether the step is the one they asked for, and data that come late show. So many
// steps, or those of so long, whichever is more.
const (
	overlapSteps = 12
	overlapTime  = 10 * time.Minute
)

// overlap is how many steps before the new ones are fetched again.
func (r *underWay) overlap() int {
	return max(overlapSteps, int((overlapTime+r.grid.step-1)/r.grid.step))
}

// record puts a recorder before each provider.
func (r *underWay) record() {
	begins, fetched := map[providers.Arm]time.Time{}, map[providers.Arm]time.Time{}
	for _, arm := range providers.Arms {
		offset := r.Config.Arms[arm].Offset
		begins[arm] = r.grid.time(0).Add(-offset)
		if !r.Recording.Judged.IsZero() {
			fetched[arm] = r.Recording.Judged.Add(-offset)
		}
	}
	r.recorders = map[string]*recording.Recorder{}
	for name, p := range r.Providers {
		r.recorders[name] = &recording.Recorder{
			Next: p, To: r.Recording, File: r.File, Begins: begins, Fetched: fetched, Changed: Changed(r.Config),
		}
		r.source[name] = r.recorders[name]
	}
}

// Changed returns what reports whether a later answer of a config's metric is another one
// than an earlier, by more than a hair.
func Changed(c *config.Config) func(earlier, later recording.Point) bool {
	named := map[string]analysis.Metric{}
	for _, m := range c.Plan.Metrics {
		named[m.Name] = m
	}
	return func(earlier, later recording.Point) bool {
		m, ok := named[later.Metric]
		return ok && m.Changed(earlier.Sample, later.Sample)
	}
}

// glance asks a provider for what is neither recorded nor judged. Its recorder remembers
// the answers.
func (r *underWay) glance(ctx context.Context, provider string, queries []providers.Query) ([]providers.Answer, error) {
	if recorder := r.recorders[provider]; recorder != nil {
		return recorder.Glance(ctx, queries)
	}
	return r.Providers[provider].Fetch(ctx, queries)
}

// keepRevisions keeps what was answered otherwise than before, for the steps up to the
// given number, before it is judged by.
func (r *underWay) keepRevisions(ready int) error {
	end := r.grid.end(ready - 1)
	for _, name := range slices.Sorted(maps.Keys(r.recorders)) {
		for _, rev := range r.recorders[name].Revisions() {
			ended := rev.First.Time.Add(r.Config.Arms[rev.First.Arm].Offset).Add(r.grid.step)
			rev.Age = r.age(ended)
			r.Recording.Revise(end, rev)
			if r.File != nil {
				if err := r.File.Revision(r.mark(ready), end, rev); err != nil {
					return err
				}
			}
		}
	}
	r.asked = r.now()
	return nil
}

// age is how late the data of a step that ended then have come. All that is known is that
// it was after they had been asked for the last time: one step later, when that is longer
// ago, as after an outage.
func (r *underWay) age(ended time.Time) time.Duration {
	asked := max(r.asked.Sub(ended), r.Config.Window.Lag)
	return max(0, min(r.now().Sub(ended), asked+r.grid.step).Truncate(time.Second))
}

// mark is the number of the look after so many steps, 0 in the warm-up.
func (r *underWay) mark(steps int) int { return max(0, steps-r.Config.Window.Warmup) }

// newRevisions returns the revisions that the look after a step is the first to know.
func (r *underWay) newRevisions(step int) []analysis.Revision {
	var all []analysis.Revision
	for ; r.revised < len(r.seen.Revisions); r.revised++ {
		rev := r.seen.Revisions[r.revised]
		if !rev.Known.Before(r.grid.end(step)) {
			break
		}
		for i, m := range r.Config.Metrics {
			first, later := rev.First.Sample, rev.Later.Sample
			switch {
			case m.Name == rev.First.Metric:
			case m.GapsOf >= 0 && r.Config.Metrics[m.GapsOf].Name == rev.First.Metric:
				of := r.Config.Plan.Metrics[m.GapsOf]
				first, later = gapSample(of, first), gapSample(of, later)
			default:
				continue
			}
			all = append(all, analysis.Revision{Metric: i, First: first, Later: later, Age: rev.Age})
		}
	}
	return all
}

// noteLateness says once, and early, that data come late.
func (r *underWay) noteLateness() {
	if r.lateSaid || r.revised == 0 {
		return
	}
	for _, m := range r.judge.Result().Metrics {
		if m.Late.Revisions > 0 {
			r.lateSaid = true
			r.Progress.Note(fmt.Sprintf("going on, but %s can neither pass nor fail like that: %s", m.Name, LateData(m.Late, r.Config.Window.Lag)))
			return
		}
	}
}

// LateData says that data come later than they are waited for, and what to do.
func LateData(l analysis.Lateness, lag time.Duration) string {
	points := "a point"
	if l.Revisions > 1 {
		points = fmt.Sprintf("%d points", l.Revisions)
	}
	return fmt.Sprintf("data arrive later than window.lag: raise it to at least %s (it is %s; %s changed after having been fetched, at the latest %s after the end of the step)",
		LagFor(l.Age), providers.Duration(lag), points, providers.Duration(l.Age))
}

// LagFor returns a lag that is long enough for data of an age, as one would write it.
func LagFor(age time.Duration) providers.Duration {
	unit := time.Minute
	switch {
	case age <= 10*time.Second:
		unit = time.Second
	case age <= 2*time.Minute:
		unit = 5 * time.Second
	case age <= 10*time.Minute:
		unit = 30 * time.Second
	}
	return providers.Duration((age + unit - 1) / unit * unit)
}
