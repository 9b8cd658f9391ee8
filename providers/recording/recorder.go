package recording

import (
	"context"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// Recorder is a provider that asks another one, saves what is new, and then
// answers from what is saved. A step that has been saved keeps its first answer:
// what comes late does not change what was judged. Where Next answers otherwise when it
// is asked for a step again, that is kept as a revision.
type Recorder struct {
	Next providers.Provider
	To   *Recording
	File *Writer // nil to keep the recording in memory only
	// Begins is where an arm's first step begins. What lies before is compared with what
	// Glance saw, and not saved. None begins at once.
	Begins map[providers.Arm]time.Time
	// Fetched is the end of what had been fetched of an arm when To was read, gaps included.
	Fetched map[providers.Arm]time.Time
	// Changed reports whether a later answer says something else than an earlier one, by
	// more than a hair. nil sees no revisions.
	Changed func(earlier, later Point) bool

	saved     map[trackKey]time.Time      // end of what was asked for and answered
	seen      map[trackKey]map[int64]seen // answers to steps that may be asked for again
	revisions []Revision
}

// seen is what was answered for a step: first, and the last time that it had changed.
type seen struct{ first, last Point }

// Fetch asks Next and answers from the recording. Answers that cannot be saved,
// because they are errors or more than one series, are returned as they came.
func (r *Recorder) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	answers, err := r.Next.Fetch(ctx, queries)
	if err != nil {
		return nil, err
	}
	groups, order := grouped(queries)
	for _, key := range order {
		group := groups[key]
		if fit(answers, group) {
			r.compare(key, queries, answers, group)
		}
		for _, i := range group {
			answers[i].Series = Since(answers[i].Series, r.Begins[key.arm])
		}
		if !fit(answers, group) {
			continue
		}
		if err := r.save(key, queries, answers, group); err != nil {
			return nil, err
		}
		parts := make([]providers.Query, len(group))
		for n, i := range group {
			parts[n] = queries[i]
		}
		kept, err := r.To.Fetch(context.WithoutCancel(ctx), parts) // what is saved counts
		if err != nil {
			return nil, err
		}
		for n, i := range group {
			kept[n].Series = Since(kept[n].Series, r.Begins[key.arm]) // what was recorded of before is for others
			// What the points are called, and in what unit, is the source's to say.
			if len(kept[n].Series) > 0 && len(answers[i].Series) > 0 {
				kept[n].Series[0].Labels, kept[n].Series[0].Unit = answers[i].Series[0].Labels, answers[i].Series[0].Unit
			}
			answers[i] = kept[n]
		}
	}
	return answers, nil
}

// Glance asks Next without saving anything, and remembers the answers: whether they have
// changed shows when Fetch asks for the same steps.
func (r *Recorder) Glance(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	answers, err := r.Next.Fetch(ctx, queries)
	if err != nil {
		return nil, err
	}
	groups, order := grouped(queries)
	for _, key := range order {
		if group := groups[key]; fit(answers, group) {
			steps := steps(key, queries, answers, group)
			for at := range times(queries, group) {
				r.remember(key, at, steps.at(key, kindOf(queries[group[0]].Part), at))
			}
		}
	}
	return answers, nil
}

// Revisions returns the revisions seen since it was last called, without their age.
func (r *Recorder) Revisions() []Revision {
	all := r.revisions
	r.revisions = nil
	return all
}

// grouped returns the places of the queries of each metric and arm, and these in order.
func grouped(queries []providers.Query) (map[trackKey][]int, []trackKey) {
	groups, order := map[trackKey][]int{}, []trackKey{}
	for i, q := range queries {
		key := trackKey{q.Metric, q.Arm}
		if _, ok := groups[key]; !ok {
			order = append(order, key)
		}
		groups[key] = append(groups[key], i)
	}
	return groups, order
}

// fit reports whether answers can be saved.
func fit(answers []providers.Answer, group []int) bool {
	return !slices.ContainsFunc(group, func(i int) bool { return answers[i].Err != nil || len(answers[i].Series) > 1 })
}

// Since returns the series that have points from a time on, with those alone.
func Since(all []analysis.Series, begin time.Time) []analysis.Series {
	var some []analysis.Series
	for _, s := range all {
		from := slices.IndexFunc(s.Points, func(p analysis.Point) bool { return !p.Time.Before(begin) })
		if from > 0 {
			s.Points = s.Points[from:]
		}
		if from >= 0 {
			some = append(some, s)
		}
	}
	return some
}

// compare looks for steps that were answered before, and are answered otherwise now.
func (r *Recorder) compare(key trackKey, queries []providers.Query, answers []providers.Answer, group []int) {
	if r.Changed == nil {
		return
	}
	kind, now := kindOf(queries[group[0]].Part), steps(key, queries, answers, group)
	saved, begins := r.end(key), r.Begins[key.arm]
	again := map[int64]seen{}
	for at := range times(queries, group) {
		nanos := at.UnixNano()
		known, ok := r.seen[key][nanos]
		if !ok && at.Before(saved) && !at.Before(begins) {
			known, ok = seen{r.To.at(key, kind, at), r.To.latest(key, kind, at)}, true
		}
		later := now.at(key, kind, at)
		if !ok {
			known = seen{later, later}
		}
		if r.Changed(known.last, later) {
			known.last = later
			r.revisions = append(r.revisions, Revision{First: known.first, Later: later})
		}
		again[nanos] = known
	}
	if r.seen == nil {
		r.seen = map[trackKey]map[int64]seen{}
	}
	r.seen[key] = again // what is no longer asked for is forgotten
}

func (r *Recorder) remember(key trackKey, at time.Time, p Point) {
	if r.seen == nil {
		r.seen = map[trackKey]map[int64]seen{}
	}
	if r.seen[key] == nil {
		r.seen[key] = map[int64]seen{}
	}
	r.seen[key][at.UnixNano()] = seen{p, p}
}

// end returns the end of what is saved of a metric and arm, gaps included.
func (r *Recorder) end(key trackKey) time.Time {
	end := r.saved[key]
	if end.Before(r.Fetched[key.arm]) {
		end = r.Fetched[key.arm]
	}
	if last, ok := r.To.last(key.metric, key.arm); ok && !last.Before(end) {
		end = last.Add(1)
	}
	return end
}

// save adds the steps that are new of one metric and arm.
func (r *Recorder) save(key trackKey, queries []providers.Query, answers []providers.Answer, group []int) error {
	from := r.end(key)
	end := from
	for _, i := range group {
		if queries[i].End.After(end) {
			end = queries[i].End
		}
	}
	now := steps(key, queries, answers, group)
	for _, at := range slices.Sorted(maps.Keys(now)) {
		p := now[at]
		if p.Time.Before(from) {
			continue
		}
		if err := r.To.Add(p); err != nil {
			return err
		}
		if r.File != nil {
			if err := r.File.Point(p); err != nil {
				return err
			}
		}
	}
	if r.saved == nil {
		r.saved = map[trackKey]time.Time{}
	}
	r.saved[key] = end
	return nil
}

// answered are the points of one metric and arm, by nanoseconds since the epoch.
type answered map[int64]Point

// at returns the point of a step, a gap when there is none.
func (a answered) at(key trackKey, kind Kind, at time.Time) Point {
	if p, ok := a[at.UnixNano()]; ok {
		return p
	}
	return gap(key, kind, at)
}

// gap is a step that nothing is known of.
func gap(key trackKey, kind Kind, at time.Time) Point {
	return Point{Time: at, Metric: key.metric, Arm: key.arm, Kind: kind}
}

// times are the steps that all queries of a group ask for together.
func times(queries []providers.Query, group []int) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		q := queries[group[0]]
		for at := q.Start; at.Before(q.End); at = at.Add(q.Step) {
			if !yield(at) {
				return
			}
		}
	}
}

// steps puts the parts of one metric and arm together.
func steps(key trackKey, queries []providers.Query, answers []providers.Answer, group []int) answered {
	made := map[int64]*step{}
	complement := false
	for _, i := range group {
		q := queries[i]
		// Also when it has no points: silence about good events is not none.
		complement = complement || q.Complement
		for _, s := range answers[i].Series {
			for _, p := range s.Points {
				at := p.Time.UnixNano()
				if made[at] == nil {
					made[at] = &step{Point: gap(key, kindOf(q.Part), p.Time)}
				}
				made[at].set(q.Part, p)
			}
		}
	}
	all := answered{}
	for at, s := range made {
		all[at] = s.point(complement)
	}
	return all
}

// step is a point in the making.
type step struct {
	Point
	infinite bool // a part was
}

// set puts one part of a step in its place.
func (s *step) set(part providers.Part, from analysis.Point) {
	s.infinite = s.infinite || math.IsInf(from.Value(), 0)
	s.Sample = part.With(s.Sample, from)
}

// point returns what is saved of a step. JSON knows no infinity, and no metric has
// one: it is a gap. Of good events, which the complement of bad ones are, nothing
// is known where the source says nothing: reading that as none would make all
// events bad, and as no bad ones would make none so.
func (s *step) point(complement bool) Point {
	p := s.Point
	switch {
	case s.infinite, complement && math.IsNaN(p.Sample.Bad()):
		p.Sample = analysis.Sample{}
	case complement:
		p.Sample = analysis.CountSample(p.Sample.Total()-p.Sample.Bad(), p.Sample.Total())
	}
	return p
}

var _ providers.Provider = (*Recorder)(nil)
var _ providers.Provider = (*Recording)(nil)
