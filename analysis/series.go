package analysis

import (
	"math"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Point is one value, or one histogram, of a series. What was not put in is a gap:
// a point is made by ValuePoint or BucketPoint, and one that has nothing but a time
// says that there is nothing.
type Point struct {
	Time   time.Time // start of the step, UTC
	sample Sample
}

// ValuePoint returns the value of a step, in the series' unit; NaN is a gap.
func ValuePoint(at time.Time, value float64) Point { return Point{at, ValueSample(value)} }

// BucketPoint returns the observations of a step; a histogram without Counts is a
// gap.
func BucketPoint(at time.Time, h stats.Histogram) Point { return Point{at, BucketSample(h)} }

// At returns what a sample says as a point of the step that begins at a time, in UTC.
func (s Sample) At(start time.Time) Point { return Point{start, s} }

// GapPoint returns a gap of which it is known why it is one, in a few words.
func GapPoint(at time.Time, why string) Point { return Point{at, GapSample(why)} }

// Sample returns what the point says of its step.
func (p Point) Sample() Sample { return p.sample }

// Value returns the value, in the series' unit; NaN for a gap and for a histogram.
func (p Point) Value() float64 { return p.sample.Value() }

// Buckets returns the observations; no Counts for a gap and for a plain value.
func (p Point) Buckets() stats.Histogram { return p.sample.Buckets() }

// Gap reports whether the point says only that there is nothing.
func (p Point) Gap() bool { return p.sample.Gap() }

// Equal reports whether two points say the same of the same moment.
func (p Point) Equal(q Point) bool { return p.Time.Equal(q.Time) && p.sample.Equal(q.sample) }

// Series is the values of one metric over time.
type Series struct {
	Labels map[string]string
	Unit   string        // as the source names it; empty if it does not
	Step   time.Duration // distance between points; 0 = unknown
	Points []Point       // ascending, no two at one time
}

// Sample is what one arm showed in one step. The zero value is a gap: nothing is
// known of an arm but what ValueSample, CountSample or BucketSample was given.
type Sample struct {
	holds         holding
	counted       bool    // how many observations are behind a value is known
	first, second float64 // the value, and how many are behind it; or bad and total
	// more is what few samples have; apart, since a run has half a million of samples.
	more *sampleMore
}

// sampleMore is what a sample has beside numbers.
type sampleMore struct {
	buckets stats.Histogram
	why     string // of a gap
}

// holding is what a sample was made of.
type holding int32

const (
	nothing holding = iota
	aValue
	someCounts
	someBuckets
)

func (h holding) String() string { return name(int(h), "nothing", "a value", "counts", "buckets") }

// ValueSample returns what a Value metric showed, in its unit; NaN is a gap.
func ValueSample(value float64) Sample {
	if math.IsNaN(value) {
		return Sample{}
	}
	return Sample{holds: aValue, first: value}
}

// QuantileSample returns what a Value metric with a Quantile showed: the quantile, in the
// metric's unit, and how many observations it is of, >= 0. A value of NaN is a gap, whatever
// the count, and a count of NaN is not known.
func QuantileSample(value, count float64) Sample {
	s := ValueSample(value)
	if !math.IsNaN(count) {
		s.second, s.counted = count, true
	}
	return s
}

// CountSample returns what a Ratio or Checks showed: bad events or runs among the
// total. A total of NaN is a gap. Bad ones of NaN are ones that the source did not
// mention, which counts as none.
func CountSample(bad, total float64) Sample {
	if math.IsNaN(bad) && math.IsNaN(total) {
		return Sample{}
	}
	return Sample{holds: someCounts, first: bad, second: total}
}

// BucketSample returns what a Histogram metric showed; a histogram without Counts
// is a gap.
func BucketSample(h stats.Histogram) Sample {
	if len(h.Counts) == 0 {
		return Sample{}
	}
	return Sample{holds: someBuckets, more: &sampleMore{buckets: h}}
}

// GapSample returns a gap of which it is known why it is one, in a few words: the
// source has data of the step, and they cannot be read.
func GapSample(why string) Sample {
	if why == "" {
		return Sample{}
	}
	return Sample{more: &sampleMore{why: why}}
}

// Why says why the sample is a gap; "" where it is none, or nothing is known but that
// there is nothing.
func (s Sample) Why() string {
	if s.more == nil {
		return ""
	}
	return s.more.why
}

// Value returns the value, in the metric's unit; NaN for a gap and for what is no
// value.
func (s Sample) Value() float64 { return s.ifHolds(aValue, s.first) }

// Count returns how many observations are behind a value, or would be behind the one that is
// missing, >= 0; NaN where it is not known, and for what is no value.
func (s Sample) Count() float64 {
	if !s.counted {
		return math.NaN()
	}
	return s.second
}

// Bad returns the number of bad events, >= 0; NaN where the source mentioned none,
// for a gap, and for what is no count.
func (s Sample) Bad() float64 { return s.ifHolds(someCounts, s.first) }

// Total returns the number of all events, >= 0; NaN for a gap and for what is no
// count.
func (s Sample) Total() float64 { return s.ifHolds(someCounts, s.second) }

// Buckets returns the observations; no Counts for a gap and for what is no
// histogram.
func (s Sample) Buckets() stats.Histogram {
	if s.more == nil {
		return stats.Histogram{}
	}
	return s.more.buckets
}

// Gap reports whether the arm showed nothing that can be judged.
func (s Sample) Gap() bool {
	return s.holds == nothing || s.holds == someCounts && math.IsNaN(s.second)
}

// Equal reports whether two samples say the same.
func (s Sample) Equal(t Sample) bool {
	same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
	a, b := s.Buckets(), t.Buckets()
	return s.holds == t.holds && s.Why() == t.Why() && same(s.first, t.first) && same(s.second, t.second) && s.counted == t.counted &&
		slices.Equal(a.Bounds, b.Bounds) && slices.EqualFunc(a.Counts, b.Counts, same)
}

func (s Sample) ifHolds(h holding, number float64) float64 {
	if s.holds != h {
		return math.NaN()
	}
	return number
}

// Pair is one metric's step of both arms.
type Pair struct {
	Baseline, Canary Sample
}

// Look is what one look is taken at: a step of each metric, and what stands beside
// the metrics by then.
type Look struct {
	Pairs  []Pair       // in the order of Plan.Metrics, one each
	Guards []GuardState // in the order of Plan.Guards, one each
	// Revisions are of steps before this look's, and not known to the look before.
	Revisions []Revision
	// Stage is that of the plan's ramp, from 0, in which the step lies; 0 without a ramp.
	Stage int
	// Settling: the traffic changed in the step, or had just changed. It is shown to no
	// metric, and the look can fail the canary by a guard alone.
	Settling bool
}
