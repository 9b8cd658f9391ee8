package analysis

import (
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Limits of judging a histogram at a quantile (docs/statistics/method.md, section 5.5).
const (
	// tailObservations is how many observations an arm needs above the quantile in a
	// step; steps with fewer are merged.
	tailObservations = 5
	// coarsest is how wide a bucket may be around the quantile, on the scale of
	// logarithms, as a multiple of the tolerance, where both arms have it. Coarser ones
	// hide a change: with factor-2 buckets a true +10% passed a 10% tolerance in 58% of
	// the runs. Where the arms' buckets differ, what interpolation gets wrong differs
	// too, and a bucket may be no wider than the tolerance.
	coarsest = 2.5
	// openEnded is how far, by ratio, a bucket that starts at 0 is taken to reach down
	// from its end: far beyond any tolerance, and finite.
	openEnded = 1000
	// offScale is the fraction of steps in which the canary alone may lie above all
	// bucket bounds before that is itself judged.
	offScale = 0.2
)

// quantileReduction turns histograms into pairs of quantiles, over as many
// merged steps as it takes to have enough observations in the tail.
type quantileReduction struct {
	q, tolerance float64
	waiting      []stagedPair // steps before the merging is fixed
	usable       int          // usable ones among them
	merge        int          // steps in a group; 0 until it is fixed
	group        struct {
		steps, stage     int
		canary, baseline stats.Histogram
	}
	lost     int                  // steps that no group has: of the ones that the end of a stage broke off, and while traffic settled
	groups   int                  // complete groups so far
	planned  int                  // groups planned
	judged   int                  // groups with a quantile in both arms
	wide     int                  // and those of them whose buckets are too wide around it, in either arm
	top      float64              // the highest bucket bound
	above    []stats.PairedCounts // observations above it, a group
	offScale int                  // groups in which only the canary was above it
	fallback *failTest            // judges the observations above it, once there are too many such groups
}

// step takes a step's histograms, usable where both arms have observations; it feeds the judgement whenever a group is
// complete.
func (r *quantileReduction) step(j *judgement, p Pair, usable bool) {
	if r.merge > 0 {
		r.take(j, stagedPair{p, j.stage}, usable)
		return
	}
	r.waiting = append(r.waiting, stagedPair{p, j.stage})
	if usable {
		r.usable++
	}
	if r.usable < firstLookValue {
		return
	}
	r.fix()
	r.planned = j.plan.Steps / r.merge
	r.lose(0)
	j.startTests(r.planned, r.merge)
	for _, w := range r.waiting {
		r.take(j, w, w.Canary.Buckets().Total() > 0 && w.Baseline.Buckets().Total() > 0)
	}
	r.waiting = nil
}

// fix decides how many steps to merge, from the steps before the first look.
func (r *quantileReduction) fix() {
	var canary, baseline float64
	for _, w := range r.waiting {
		if c, b := w.Canary.Buckets().Total(), w.Baseline.Buckets().Total(); c > 0 && b > 0 {
			canary += c / float64(r.usable)
			baseline += b / float64(r.usable)
		}
	}
	r.merge = max(1, int(math.Ceil(tailObservations/(math.Min(canary, baseline)*(1-r.q)))))
}

// take adds a step to the group under way. A step that only one arm has data for
// is left out of both.
func (r *quantileReduction) take(j *judgement, p stagedPair, usable bool) {
	if p.stage != r.group.stage {
		r.lose(r.group.steps)
		r.group.steps, r.group.stage, r.group.canary, r.group.baseline = 0, p.stage, stats.Histogram{}, stats.Histogram{}
	}
	r.group.steps++
	if usable {
		r.group.canary = r.group.canary.Plus(p.Canary.Buckets())
		r.group.baseline = r.group.baseline.Plus(p.Baseline.Buckets())
	}
	if r.group.steps < r.merge {
		return
	}
	canary, baseline := r.group.canary, r.group.baseline
	r.group.steps, r.group.canary, r.group.baseline = 0, stats.Histogram{}, stats.Histogram{}
	r.groups++
	if canary.Total() > 0 {
		r.judge(j, canary, baseline)
	}
}

// judge takes a complete group.
func (r *quantileReduction) judge(j *judgement, canary, baseline stats.Histogram) {
	qc, qb := quantileOf(canary, r.q), quantileOf(baseline, r.q)
	r.noteOffScale(j, canary, baseline, math.IsInf(qc.value, 1) && !math.IsInf(qb.value, 1))
	if r.fallback != nil {
		r.fallback.evidence.add(exact(observation{counts: r.above[len(r.above)-1]}))
		if j.decision != Fail && j.withheld() == "" && r.fallback.look(r.groups) {
			j.decision, j.decider, j.failed = Fail, r.fallback, j.sides[0]
		}
		return
	}
	b, wide, ok := quantilesOf(canary, baseline, r.q, r.tolerance)
	if !ok {
		return
	}
	r.judged++
	if wide {
		r.wide++
	}
	j.look(r.groups, r.groups, b, true)
}

// quantilesOf returns the quantiles of two histograms as far as they are known, and whether
// a bucket is too wide for the tolerance; false where one is beyond all buckets.
func quantilesOf(canary, baseline stats.Histogram, q, tolerance float64) (b bracket, wide, ok bool) {
	qc, qb := quantileOf(canary, q), quantileOf(baseline, q)
	if !finite(qc.value, qb.value) {
		return b, false, false
	}
	limit := math.Log1p(tolerance)
	if qc.endsIn(baseline) && qb.endsIn(canary) {
		limit *= coarsest
	}
	b.low.canary, b.high.canary = qc.within(limit)
	b.high.baseline, b.low.baseline = qb.within(limit)
	return b, math.Max(qc.width(), qb.width()) > limit, true
}

// quantileIn is a quantile, and the ends of the bucket it lies in.
type quantileIn struct{ value, lower, upper float64 }

func quantileOf(h stats.Histogram, q float64) (in quantileIn) {
	in.value, in.lower, in.upper = h.Quantile(q)
	return in
}

// width returns the width of the bucket on the scale of logarithms: infinite for
// one that does not start above 0.
func (q quantileIn) width() float64 {
	if q.lower > 0 {
		return math.Log(q.upper / q.lower)
	}
	return math.Inf(1)
}

// endsIn reports whether a histogram has the ends of the bucket, too: what
// interpolation makes of one bucket it makes of it in both arms.
func (q quantileIn) endsIn(h stats.Histogram) bool { return h.Measures(q.lower) && h.Measures(q.upper) }

// within returns the limits that a quantile is known between: the interpolated
// value in a bucket that is no wider than a limit, the ends of one that is.
// Interpolation in a wide one, and in each arm in another one, made a healthy canary
// 54% slower.
func (q quantileIn) within(limit float64) (low, high float64) {
	if q.width() <= limit {
		return q.value, q.value
	}
	low = q.lower
	if low <= 0 && q.upper > 0 {
		low = q.upper / openEnded
	}
	return low, q.upper
}

// noteOffScale counts what lies above the highest bound, and starts to judge
// that once the canary's quantile lies there too often.
func (r *quantileReduction) noteOffScale(j *judgement, canary, baseline stats.Histogram, only bool) {
	if r.top == 0 && len(baseline.Bounds) > 0 {
		r.top = baseline.Bounds[len(baseline.Bounds)-1]
	}
	above := stats.PairedCounts{N: canary.Total(), M: baseline.Total()}
	// As few of the canary's and as many of the baseline's as its buckets allow.
	above.X, _ = canary.Above(r.top)
	_, above.Y = baseline.Above(r.top)
	if only {
		r.offScale++
	}
	starts := r.fallback == nil && r.groups >= firstLookValue &&
		float64(r.offScale) > offScale*float64(r.groups) && j.metric.Direction != Decrease
	if starts {
		m := Metric{Tolerance: j.metric.Tolerance}
		r.fallback = &failTest{
			planned: r.planned, error: j.share, clock: j.clocks.New(), evidence: newCountsEvidence(m, Increase, nil, false),
			// What the quantile's own tests have spent is gone.
			spentBefore: stats.SpendEarly(j.share, float64(r.groups-1)/float64(r.planned)),
		}
		for _, v := range r.above {
			r.fallback.evidence.add(exact(observation{counts: v}))
		}
	}
	r.above = append(r.above, above)
}

// cannotPass says why the quantile cannot be shown to be within tolerance, or "".
func (r *quantileReduction) cannotPass() Cause {
	switch {
	case r.merge > 0 && r.planned < firstLookValue:
		return TooFewObservations
	case r.fallback != nil:
		return OffScale
	case r.judged > 0 && 2*r.wide >= r.judged:
		return CoarseBuckets
	}
	return ""
}

// stagedPair is a step of a stage of a ramp.
type stagedPair struct {
	Pair
	stage int
}

// lose counts steps that no group will have: the clock of the tests goes on.
func (r *quantileReduction) lose(steps int) {
	if r.lost += steps; r.merge > 0 {
		r.groups += r.lost / r.merge
		r.lost %= r.merge
	}
}
