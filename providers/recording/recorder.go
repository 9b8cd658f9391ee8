package recording

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// Recorder is a provider that asks another one, saves what is new, and then
// answers from what is saved. A step that has been saved keeps its first answer:
// what comes late does not change what was judged.
type Recorder struct {
	Next providers.Provider
	To   *Recording
	File *Writer // nil to keep the recording in memory only
	// saved is the end of what was asked for and answered, a metric and arm.
	saved map[trackKey]time.Time
}

// Fetch asks Next and answers from the recording. Answers that cannot be saved,
// because they are errors or more than one series, are returned as they came.
func (r *Recorder) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	answers, err := r.Next.Fetch(ctx, queries)
	if err != nil {
		return nil, err
	}
	groups, order := map[trackKey][]int{}, []trackKey{}
	for i, q := range queries {
		key := trackKey{q.Metric, q.Arm}
		if _, ok := groups[key]; !ok {
			order = append(order, key)
		}
		groups[key] = append(groups[key], i)
	}
	for _, key := range order {
		group := groups[key]
		if slices.ContainsFunc(group, func(i int) bool { return answers[i].Err != nil || len(answers[i].Series) > 1 }) {
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
			// What the points are called, and in what unit, is the source's to say.
			if len(kept[n].Series) > 0 && len(answers[i].Series) > 0 {
				kept[n].Series[0].Labels, kept[n].Series[0].Unit = answers[i].Series[0].Labels, answers[i].Series[0].Unit
			}
			answers[i] = kept[n]
		}
	}
	return answers, nil
}

// save adds the steps that are new of one metric and arm.
func (r *Recorder) save(key trackKey, queries []providers.Query, answers []providers.Answer, group []int) error {
	from := r.saved[key]
	if last, ok := r.To.last(key.metric, key.arm); ok && !last.Before(from) {
		from = last.Add(1)
	}
	steps := map[int64]*step{}
	var order []int64
	complement := false
	end := from
	for _, i := range group {
		q := queries[i]
		// Also when it has no points: silence about good events is not none.
		complement = complement || q.Complement
		if q.End.After(end) {
			end = q.End
		}
		for _, s := range answers[i].Series {
			for _, p := range s.Points {
				if p.Time.Before(from) {
					continue
				}
				at := p.Time.UnixNano()
				if steps[at] == nil {
					steps[at] = &step{Point: Point{Time: p.Time, Metric: key.metric, Arm: key.arm, Kind: kindOf(q.Part)}}
					order = append(order, at)
				}
				steps[at].set(q.Part, p)
			}
		}
	}
	slices.Sort(order)
	for _, at := range order {
		p := steps[at].point(complement)
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

// step is a point in the making.
type step struct {
	Point
	infinite bool // a part was
}

// set puts one part of a step in its place.
func (s *step) set(part providers.Part, from analysis.Point) {
	s.infinite = s.infinite || math.IsInf(from.Value(), 0)
	s.Sample = with(s.Sample, part, from)
}

// with returns a sample with one more part of it.
func with(s analysis.Sample, part providers.Part, from analysis.Point) analysis.Sample {
	switch part {
	case providers.Bad:
		return analysis.CountSample(from.Value(), s.Total())
	case providers.Total:
		return analysis.CountSample(s.Bad(), from.Value())
	case providers.Buckets:
		return analysis.BucketSample(from.Buckets())
	}
	return analysis.ValueSample(from.Value())
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
