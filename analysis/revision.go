package analysis

import (
	"math"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Revision is a step of one arm whose data changed after they had been judged, or
// could have been: they were fetched before all of them were there. One by a hair is none.
type Revision struct {
	Metric       int           // its place in the plan
	First, Later Sample        // what the source showed first, and what later
	Age          time.Duration // from the end of the step to the later answer
}

// Lateness sums up the revisions of a metric. The zero value is none.
type Lateness struct {
	Revisions int           // of either arm
	Age       time.Duration // the largest: data still changed up to then
}

// What is a hair. A source that is asked again may extrapolate, round or add up in another
// order; none of that moves a decision. Data that come late do.
const (
	// hairShare is the relative change that is one.
	hairShare = 0.01
	// hairOfTolerance is the part of a tolerance that is one, where that is less.
	hairOfTolerance = 0.1
	// hairEvents: a change of counts by less than one event is one. Up to rounding, as a
	// count may be a rate multiplied by a length of time.
	hairEvents = 1 - 1e-6
)

// Changed reports whether a later answer for a step says something else than an earlier
// one, by more than a hair: a count that differs by one event or more and by more than
// 1 %, or by more than a tenth of a relative tolerance where that is less; a value that
// differs by more than that, or than a tenth of an absolute tolerance; or data where
// there were none. A source that falls silent about a step takes nothing back.
func (m Metric) Changed(earlier, later Sample) bool {
	if later.Gap() {
		return false
	}
	switch m.Kind {
	case Ratio, Checks:
		return m.countChanged(orZero(earlier.Bad()), orZero(later.Bad()), 0) ||
			m.countChanged(orZero(earlier.Total()), orZero(later.Total()), 0)
	case Histogram:
		return m.bucketsChanged(earlier.Buckets(), later.Buckets())
	}
	a, b := earlier.Value(), later.Value()
	if earlier.Gap() {
		return true
	}
	hair := m.hair() * math.Max(math.Abs(a), math.Abs(b))
	if m.Tolerance.Absolute && m.Tolerance.Size > 0 {
		hair = hairOfTolerance * m.Tolerance.Size
	}
	return math.Abs(b-a) > hair
}

// hair is the share of a number that is none to speak of.
func (m Metric) hair() float64 {
	if !m.Tolerance.Absolute && m.Tolerance.Size > 0 {
		return math.Min(hairShare, hairOfTolerance*m.Tolerance.Size)
	}
	return hairShare
}

// countChanged compares counts, which are part of at least so many.
func (m Metric) countChanged(a, b, of float64) bool {
	difference := math.Abs(b - a)
	return difference >= hairEvents && difference > m.hair()*math.Max(of, math.Max(a, b))
}

// bucketsChanged compares how many observations there are in all, and up to each bound
// that both have.
func (m Metric) bucketsChanged(a, b stats.Histogram) bool {
	if m.countChanged(a.Total(), b.Total(), 0) {
		return true
	}
	for _, bound := range b.Bounds {
		before, _ := a.Above(bound)
		after, _ := b.Above(bound)
		if slices.Contains(a.Bounds, bound) && m.countChanged(before, after, b.Total()) {
			return true
		}
	}
	return false
}

// revise takes in a revision. What was judged stays as it was judged. From the look on that
// is the first to know of it the metric is neither passed nor failed, and so the run is not
// passed: what is not yet revised cannot be trusted either, as the newest data are the
// least complete.
func (j *judgement) revise(r Revision) {
	if !j.metric.Changed(r.First, r.Later) {
		return
	}
	j.late.Revisions++
	j.late.Age = max(j.late.Age, r.Age)
	j.decision, j.decider, j.failed = Undecided, nil, nil
}
