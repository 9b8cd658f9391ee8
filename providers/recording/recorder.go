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
		kept, err := r.To.Fetch(ctx, parts)
		if err != nil {
			return nil, err
		}
		for n, i := range group {
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
	steps := map[int64]*Point{}
	var order []int64
	complement := false
	end := from
	for _, i := range group {
		q := queries[i]
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
					steps[at] = &Point{
						Time: p.Time, Metric: key.metric, Arm: key.arm, Kind: kindOf(q.Part),
						Value: math.NaN(), Bad: math.NaN(), Total: math.NaN(),
					}
					order = append(order, at)
				}
				steps[at].set(q.Part, p)
				complement = complement || q.Complement
			}
		}
	}
	slices.Sort(order)
	for _, at := range order {
		if complement {
			steps[at].turn()
		}
		if err := r.To.Add(*steps[at]); err != nil {
			return err
		}
		if r.File != nil {
			if err := r.File.Point(*steps[at]); err != nil {
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

// set puts one part of a step in its place.
func (p *Point) set(part providers.Part, from analysis.Point) {
	value := from.Value
	if math.IsInf(value, 0) {
		// JSON knows no infinity, and no metric has one: it is as good as a gap.
		value = math.NaN()
	}
	switch part {
	case providers.Bad:
		p.Bad = value
	case providers.Total:
		p.Total = value
	case providers.Buckets:
		p.Buckets = from.Buckets
	default:
		p.Value = value
	}
}

// turn makes bad counts of good ones. Where the source says nothing of good
// events, nothing is known: reading them as none would make all events bad.
func (p *Point) turn() {
	if math.IsNaN(p.Bad) {
		p.Total = math.NaN()
	}
	p.Bad = p.Total - p.Bad
}

var _ providers.Provider = (*Recorder)(nil)
var _ providers.Provider = (*Recording)(nil)
