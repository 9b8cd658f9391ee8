package providers

import (
	"context"
	"math"
	"slices"

	"github.com/canary-judge/canary-judge/analysis"
)

// SegmentFinder is a provider that can tell which values a label has.
type SegmentFinder interface {
	// Segments returns the values that a label has in what queries select within their window, which
	// they share, each once; what has no such label is left out.
	Segments(ctx context.Context, label string, queries []Query) ([]Segment, error)
}

// Segment is a value of a label.
type Segment struct {
	Value string // untrusted text
	// Size is how much has it, compared with the others: events where queries count them, 0 where
	// that is not known.
	Size float64
}

// SegmentsOf returns the values that a label has on series with data, each once, in the order of the
// series; the size is the sum of their points.
func SegmentsOf(label string, series []analysis.Series) []Segment {
	at := map[string]int{}
	var all []Segment
	for _, s := range series {
		value := s.Labels[label]
		if value == "" || !slices.ContainsFunc(s.Points, func(p analysis.Point) bool { return !math.IsNaN(p.Value()) }) {
			continue
		}
		i, ok := at[value]
		if !ok {
			i = len(all)
			at[value], all = i, append(all, Segment{Value: value})
		}
		for _, p := range s.Points {
			if v := p.Value(); v > 0 && !math.IsInf(v, 1) {
				all[i].Size += v
			}
		}
	}
	return all
}
