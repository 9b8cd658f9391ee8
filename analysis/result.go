package analysis

import (
	"math"
	"slices"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Decision is what is known of one metric.
type Decision int

// The decisions.
const (
	Undecided Decision = iota // neither shown to be within tolerance nor beyond it
	Pass                      // shown to be within tolerance
	Fail                      // shown to be beyond it
	NoData                    // could not be looked at
)

func (d Decision) String() string { return name(d, "undecided", "pass", "fail", "no data") }

// Verdict is what is known of the canary.
type Verdict int

// The verdicts.
const (
	VerdictInconclusive Verdict = iota // not enough evidence, or none
	VerdictPass                        // every metric that must pass has, and every guard is quiet
	VerdictFail                        // a deciding metric has failed, or a guard alerts
)

func (v Verdict) String() string { return name(v, "inconclusive", "pass", "fail") }

// Cause is why a metric could not be decided, or could not pass.
type Cause string

// The causes.
const (
	LateData            Cause = "data changed after they were judged"
	NoDataAtAll         Cause = "no usable step"
	Unreadable          Cause = "too many steps cannot be read"
	TooFewDays          Cause = "too few earlier days to compare with"
	TooManyGaps         Cause = "fewer than half of the steps are usable"
	BadNeverMentioned   Cause = "the bad events were never mentioned"
	SameSeries          Cause = "both arms show the same series"
	BaselineNotPositive Cause = "the baseline's mean is not positive"
	TooFewObservations  Cause = "too few observations for this quantile"
	CountUnknown        Cause = "how many observations are behind the quantile is not known"
	FewBehind           Cause = "too few observations are behind the quantile"
	CoarseBuckets       Cause = "the buckets are too coarse"
	FellSilent          Cause = "an arm has fallen silent"
	UnmeasuredBound     Cause = "no bucket ends where the metric is judged"
	EqualSteps          Cause = "steps in which both arms show the same say little"
	SpikesAdd           Cause = "steps in which the canary stands out bring the mean beyond the tolerance"
	OffScale            Cause = "the canary lies above the highest bucket"
	CumulativeCounts    Cause = "the totals grow in every step, as counters do"
	OverlappingCounts   Cause = "events are counted in more than one step"
	ZeroTolerance       Cause = "a tolerance of 0 passes only what is better"
	ZeroInOneArm        Cause = "the values of one arm are zero in every step"
	OtherUnits          Cause = "so much better that the units may differ"
	NotEnoughEvidence   Cause = "not enough evidence"
)

// Result is what a judge knows after its last look.
type Result struct {
	Verdict Verdict
	Looks   int // taken
	Steps   int // planned
	Metrics []MetricResult
	// Guards are what the guards said at the last look, in the plan's order; empty before
	// the first.
	Guards []GuardResult
	// Exposure is nil when no share was expected.
	Exposure *ExposureResult
}

// MetricResult is what is known of one metric.
type MetricResult struct {
	Metric
	Decision Decision
	// Holds says that a metric with FailOnly keeps the run from passing as things are: it has
	// not been looked at, its data withhold every decision, or its estimate lies beyond the
	// tolerance; and of one with Hold, that it is shown to be beyond its tolerance, and not back.
	Holds     bool
	DecidedAt int    // the look of the decision, 0 for none
	Cause     Cause  // why it is undecided or has no data; empty otherwise
	Effect    Effect // NaN limits before the first look
	Share     float64
	// Compared is what the effect is of.
	Compared Compared
	// Baseline and Canary sum up the arms over all steps, usable or not.
	Baseline, Canary ArmSummary
	Elapsed, Usable  int  // steps so far, and those with data in both arms
	Looks            int  // looks of the test over the whole run
	Linear           bool // a relative Value metric had values that have no logarithm
	// Observations is the number of those that the arms were compared in, each of one
	// step or of several; Events is what they hold of a metric that counts, canary
	// first.
	Observations int
	Events       stats.PairedCounts
	// Gaps is the number of steps that an arm is missing from although it has events,
	// or values, at other times. Where they are few to begin with, silence is none.
	Gaps int
	// Bounds are the bucket bounds that both arms of a histogram with SlowerThan had in
	// the last step. Where SlowerThan is none of them, BoundBelow and BoundAbove are the
	// ones next to it in either arm, -Inf or +Inf where there is none: what lies between
	// may be slower or not. Both are 0 where nothing lies between.
	Bounds                 []float64
	BoundBelow, BoundAbove float64
	// FewBehind is the number of steps with values in both arms that are of too few
	// observations, or of an unknown number; 0 for values that are no quantiles.
	FewBehind     int
	Merged        int     // steps merged for a quantile; 0 or 1 = none
	OffScaleBound float64 // the bound above which the canary is judged instead of at its quantile; 0 = none
	// PulledIn is the number of steps of a value that stand out and were pulled in, 0 where
	// that makes no difference that matters: the effect is that of the others, in which the
	// typical step is seen.
	PulledIn int
	// MeanChange is the change with the steps in which a value stands out as they are,
	// in the units of Effect; NaN unless the cause is SpikesAdd or some were pulled in.
	MeanChange float64
	// Doubts are reasons to ask whether what was compared is what was meant.
	Doubts []Doubt
	// Autocorrelation of neighbouring steps, of the difference between the arms: the
	// posterior mean, NaN unless SlowNoise is doubted.
	Autocorrelation float64
	// ColdStart is what the canary showed at first, nil unless it was worse and came down: a
	// regression that is none, or may be none.
	ColdStart *ColdStart
	// BadNeverMentioned: the source never said anything of bad events.
	BadNeverMentioned bool
	Late              Lateness // of the data, as far as it was seen
	// Learned is what came of the metric's history; nil when it had none.
	Learned  *HistoryResult
	Forecast Forecast
	// Limit is the effect at which the tolerance ends, in the units of Effect:
	// upper, lower, or both (NaN = no limit on that side).
	UpperLimit, LowerLimit float64
}

// ArmSummary sums up one arm of one metric.
type ArmSummary struct {
	Steps  int               // steps with data
	Unread int               // steps without, of which the source has data that cannot be read
	Why    string            // why the latest of those cannot; "" for none
	Bad    float64           // Ratio, Checks: bad events
	Total  float64           // Ratio, Checks, Histogram: events
	Values stats.Description // Value, and the quantiles of a Histogram
	// Behind is how many observations are behind a value that is a quantile, on average of
	// the steps that say so; NaN where none does.
	Behind float64
}

// Rate returns Bad / Total, NaN without a total.
func (a ArmSummary) Rate() float64 { return a.Bad / a.Total }

// Result returns what is known so far.
func (j *Judge) Result() Result {
	r := Result{Verdict: j.verdict, Looks: j.looks, Steps: j.plan.Steps, Guards: j.Guards(), Exposure: j.Exposure()}
	for _, m := range j.metrics {
		r.Metrics = append(r.Metrics, m.result())
	}
	return r
}

// Guards returns what the guards said at the last look, in the plan's order; nothing
// before the first.
func (j *Judge) Guards() []GuardResult {
	var all []GuardResult
	for i, state := range j.guards {
		all = append(all, GuardResult{j.plan.Guards[i], state})
	}
	return all
}

func (j *judgement) result() MetricResult {
	t := j.tally
	r := MetricResult{
		Metric: j.metric, Decision: j.decision, Holds: j.beyond || j.metric.FailOnly && j.decision != Fail && j.holds(), DecidedAt: j.decided, Share: j.share,
		Compared: j.compared(), Baseline: t.baseline.arm(), Canary: t.canary.arm(),
		Elapsed: t.elapsed, Usable: t.usable, Observations: t.compared, Events: t.events, Gaps: j.gaps(),
		Bounds: j.bounds.common, BoundBelow: j.bounds.below, BoundAbove: j.bounds.above, Late: j.late,
		BadNeverMentioned: j.metric.SilenceDoubted() && t.usable > 0 && !t.badMentioned,
	}
	r.Effect = Effect{Estimate: math.NaN(), Lower: math.NaN(), Upper: math.NaN(), Absolute: j.metric.Tolerance.Absolute}
	r.UpperLimit, r.LowerLimit = j.metric.Limits()
	r.MeanChange, r.FewBehind = math.NaN(), t.fewBehind
	if v, ok := j.firstValue(); ok {
		r.Linear = v.contrast == excess && j.metric.Scale == Logarithmic
		if r.PulledIn = v.pulledIn(); r.PulledIn > 0 {
			r.MeanChange = v.rawChange()
		}
	}
	if q := j.quantile; q != nil {
		r.Merged = q.merge
		if q.fallback != nil {
			r.OffScaleBound = q.top
		}
	}
	if len(j.sides) > 0 {
		r.Looks = j.sides[0].tests[0].clock.Looks()
		r.Effect = j.effect()
	}
	r.Learned = j.learnedSoFar()
	r.ColdStart = j.coldStart()
	r.Doubts, r.Autocorrelation = j.doubts(r.Effect, r.ColdStart != nil), math.NaN()
	if slices.Contains(r.Doubts, SlowNoise) {
		r.Autocorrelation = j.autocorrelation()
	}
	if j.decision == Undecided {
		r.Cause = j.cause()
		if r.Cause == NoDataAtAll || r.Cause == TooManyGaps || r.Cause == Unreadable {
			r.Decision = NoData
		}
		r.Forecast = j.forecast()
		if i := slices.IndexFunc(j.sides, (*side).heldBySpikes); r.Cause == SpikesAdd && i >= 0 {
			eachValue(j.sides[i].tests[0].evidence, func(v *valueEvidence) { r.MeanChange = v.rawChange() })
		}
	}
	return r
}

// Limits returns the effects at which the tolerance ends, in the units of Effect: NaN
// on a side on which any change is accepted.
func (m Metric) Limits() (upper, lower float64) {
	upper, lower = math.NaN(), math.NaN()
	t := m.Tolerance
	for _, d := range m.sides() {
		limit := t.Limit(d) - 1
		if t.Absolute {
			limit = t.Size
			if d == Decrease {
				limit = -t.Size
			}
		}
		if d == Decrease {
			lower = limit
		} else {
			upper = limit
		}
	}
	return upper, lower
}

// cause says why the metric is undecided.
func (j *judgement) cause() Cause {
	if c := j.barred(); c != "" {
		return c
	}
	switch {
	case j.bounds.open:
		return UnmeasuredBound
	case slices.ContainsFunc(j.sides, (*side).heldBySpikes):
		return SpikesAdd
	case slices.ContainsFunc(j.sides, (*side).heldByTies):
		return EqualSteps
	}
	if j.metric.Tolerance.Size == 0 {
		return ZeroTolerance
	}
	return NotEnoughEvidence
}

// effect returns the effect of the side that failed, or of both sides together:
// the wider limits.
func (j *judgement) effect() Effect {
	none := Effect{Estimate: math.NaN(), Lower: math.NaN(), Upper: math.NaN(), Absolute: j.metric.Tolerance.Absolute}
	if j.decider != nil {
		if e, ok := j.failed.effect(j.decider); ok {
			return e
		}
		return none
	}
	all := none
	for i, s := range j.sides {
		if !s.tests[0].evidence.ready() {
			return none
		}
		e, ok := s.effect(s.tests[0])
		if !ok {
			return none
		}
		if i == 0 {
			all = e
			continue
		}
		all.Lower, all.Upper = math.Min(all.Lower, e.Lower), math.Max(all.Upper, e.Upper)
	}
	return all
}

func (a armTally) arm() ArmSummary {
	return ArmSummary{Steps: a.steps, Unread: a.unread, Why: a.why, Bad: a.counts.bad, Total: a.counts.total, Values: stats.Describe(a.values), Behind: a.behind.mean()}
}

// Effects returns the effect of each metric as of the last look.
func (j *Judge) Effects() []Effect {
	effects := make([]Effect, len(j.metrics))
	for i, m := range j.metrics {
		effects[i] = m.effect()
	}
	return effects
}

// Decisions returns the decision on each metric as of the last look. Undecided
// stands for NoData too: what is missing may still come.
func (j *Judge) Decisions() []Decision {
	decisions := make([]Decision, len(j.metrics))
	for i, m := range j.metrics {
		decisions[i] = m.decision
	}
	return decisions
}
