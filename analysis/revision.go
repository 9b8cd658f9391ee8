package analysis

import (
	"math"
	"time"
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
	return m.method().changed(m, earlier, later)
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
