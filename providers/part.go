package providers

import (
	"time"

	"github.com/canary-judge/canary-judge/analysis"
)

// parts has how each part of a step belongs to what the step shows.
var parts = map[Part]struct {
	with func(s analysis.Sample, from analysis.Point) analysis.Sample
	of   func(s analysis.Sample, at time.Time) analysis.Point
}{
	Value: {
		func(s analysis.Sample, from analysis.Point) analysis.Sample {
			return analysis.QuantileSample(from.Value(), s.Count())
		},
		func(s analysis.Sample, at time.Time) analysis.Point { return analysis.ValuePoint(at, s.Value()) },
	},
	Count: {
		func(s analysis.Sample, from analysis.Point) analysis.Sample {
			return analysis.QuantileSample(s.Value(), from.Value())
		},
		func(s analysis.Sample, at time.Time) analysis.Point { return analysis.ValuePoint(at, s.Count()) },
	},
	Bad: {
		func(s analysis.Sample, from analysis.Point) analysis.Sample {
			return analysis.CountSample(from.Value(), s.Total())
		},
		func(s analysis.Sample, at time.Time) analysis.Point { return analysis.ValuePoint(at, s.Bad()) },
	},
	Total: {
		func(s analysis.Sample, from analysis.Point) analysis.Sample {
			return analysis.CountSample(s.Bad(), from.Value())
		},
		func(s analysis.Sample, at time.Time) analysis.Point { return analysis.ValuePoint(at, s.Total()) },
	},
	Buckets: {
		func(_ analysis.Sample, from analysis.Point) analysis.Sample { return from.Sample() },
		func(s analysis.Sample, at time.Time) analysis.Point { return s.At(at) },
	},
}

// With returns what a step shows once a point of an answer for this part of it is there
// too.
func (p Part) With(s analysis.Sample, from analysis.Point) analysis.Sample {
	return parts[p].with(s, from)
}

// Of returns this part of what the step that begins at a time shows, as an answer has it.
func (p Part) Of(s analysis.Sample, at time.Time) analysis.Point { return parts[p].of(s, at) }
