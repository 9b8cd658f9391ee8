package analysis

import (
	"fmt"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Kind is what a metric measures, and so how it is judged. What differs between kinds is
// asked of the Metric, which asks the method of its kind; nothing else compares kinds.
type Kind int

// The kinds of metrics.
const (
	Value     Kind = iota // one number an arm and step: the mean of paired differences, or how many stand out
	Ratio                 // bad events of a total: the ratio, or difference, of rates
	Histogram             // buckets: judged as "slower than" (a Ratio) or at a quantile (a Value)
	Checks                // failed of independent runs: the difference of failure rates
	kindCount
)

// kinds has what each kind is called, what its samples hold, and how a metric of it is
// judged.
var kinds = [kindCount]struct {
	word   string
	holds  holding
	method func(Metric) method
}{
	Value: {"value", aValue, func(m Metric) method {
		if m.Spikes != nil {
			return spikesMethod{}
		}
		return valueMethod{}
	}},
	Ratio:  {"ratio", someCounts, func(Metric) method { return ratioMethod{} }},
	Checks: {"checks", someCounts, func(Metric) method { return checksMethod{} }},
	Histogram: {"histogram", someBuckets, func(m Metric) method {
		if m.SlowerThan > 0 {
			return slowerMethod{}
		}
		return quantileMethod{}
	}},
}

// method is how a metric is judged: everything that depends on its kind. There is no
// default for any of it, so that a new kind has to answer each question.
type method interface {
	// validate reports what is wrong with a metric beside what is with one of any kind.
	validate(m Metric) error
	// counted reports whether the metric is judged by counts of events, as rates.
	counted() bool
	// paired reports whether the arms are compared step by step, so that a step without
	// data in one of them is a gap.
	paired() bool
	// silenceDoubted reports whether a source that never mentions bad events, not even
	// none, may have been asked the wrong thing.
	silenceDoubted() bool
	// shows reports whether a sample has anything to compare.
	shows(s Sample) bool
	// number is what a sample comes to, in one number.
	number(m Metric, s Sample) float64
	// tally adds a sample that is no gap to the sums of its arm. It reports whether the
	// step counts as one with data.
	tally(a *armTally, m Metric, s Sample) bool
	// observe reduces a pair to an observation, and reports whether there is anything to
	// compare.
	observe(m Metric, p Pair) (bracket, bool)
	// begin makes a judgement ready for its first step.
	begin(j *judgement)
	// evidence returns what a test in a direction starts with, which may be a past.
	evidence(m Metric, d Direction, p *past) evidence
	// past returns the observations of pairs from before the run, in order of time, over as
	// many merged steps as those of the run.
	past(m Metric, pairs []Pair, merge int) []bracket
	// changed reports whether a later sample, no gap, says something else than an earlier
	// one.
	changed(m Metric, earlier, later Sample) bool
	// mean returns what several samples, none of them a gap, come to together: the baseline of
	// several days.
	mean(m Metric, samples []Sample) Sample
	// absolute returns what an absolute tolerance is an amount of.
	absolute() Amount
	// usualUnit returns the unit of the numbers where none is said, "" for none.
	usualUnit() string
	// traffic returns how well the totals count the requests.
	traffic() Traffic
	// firstLook returns how many steps with data in both arms the first look takes, at
	// the least.
	firstLook() int
}

// Amount is what an absolute tolerance is an amount of.
type Amount int

// What absolute tolerances are amounts of.
const (
	NoAmount   Amount = iota // there is none: the tolerance is relative
	OwnUnits                 // the numbers, in the metric's own unit
	RatePoints               // a difference of rates
)

// Traffic is how well the totals of a metric count the requests that an arm got.
type Traffic int

// How well totals count requests; a larger one does better.
const (
	NoTraffic       Traffic = iota // there are no totals, or not of requests
	MeasuredTraffic                // those that were measured
	AllTraffic                     // all of them
)

// Kinds returns all kinds.
func Kinds() []Kind {
	all := make([]Kind, kindCount)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

func (k Kind) String() string {
	if !k.known() {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kinds[k].word
}

func (k Kind) known() bool { return k >= 0 && k < kindCount }

// method returns how the metric is judged. Its kind must be one there is.
func (m Metric) method() method { return kinds[m.Kind].method(m) }

// Counted reports whether the metric is judged by counts of events: a ratio,
// checks, or a histogram by what is slower than a bound.
func (m Metric) Counted() bool { return m.method().counted() }

// Paired reports whether the arms are compared step by step, so that a step without data in
// one of them is a gap. Checks are not: each run is a trial of its own.
func (m Metric) Paired() bool { return m.method().paired() }

// EachStepCounts reports whether the metric is judged step by step, and not by the events
// that there are: a step without data tells nothing, though others have many.
func (m Metric) EachStepCounts() bool { return m.Paired() && !m.Counted() }

// SilenceDoubted reports whether a source that never mentions the metric's bad events, not
// even none, may have been asked the wrong thing. A ratio's may; AbsentIsZero settles it.
func (m Metric) SilenceDoubted() bool { return m.method().silenceDoubted() }

// Shows reports whether a sample has anything that the metric can be judged by: a finite
// value, or at least one event or observation.
func (m Metric) Shows(s Sample) bool { return m.method().shows(s) }

// Number returns what a sample comes to in one number: the value, the rate of bad events,
// or the quantile, in the metric's unit. NaN for a gap, and for a rate of no events.
func (m Metric) Number(s Sample) float64 { return m.method().number(m, s) }

// Amount returns what an absolute tolerance of the metric is an amount of.
func (m Metric) Amount() Amount { return m.method().absolute() }

// UsualUnit returns the unit of the metric's numbers where none is said: s for a histogram,
// which is one of seconds by convention
// (https://prometheus.io/docs/practices/naming/#base-units), "" for others.
func (m Metric) UsualUnit() string { return m.method().usualUnit() }

// Traffic returns how well the metric's totals count the requests that an arm got.
func (m Metric) Traffic() Traffic { return m.method().traffic() }

// FirstLook returns how many steps with data in both arms the first look at the metric
// takes, at the least: more where steps are pooled or merged.
func (m Metric) FirstLook() int { return m.method().firstLook() }

// Totals reports whether the metric's samples say how many events there were in a step:
// counts, or observations in buckets.
func (m Metric) Totals() bool { return kinds[m.Kind].holds != aValue }

// events returns how many bad events and events in all a pair of samples has for certain,
// canary first: 0 of a metric that does not count.
func (m Metric) events(p Pair) stats.PairedCounts {
	b, _ := m.method().observe(m, p)
	v := b.low.counts
	v.Y = b.high.counts.Y
	return v
}
