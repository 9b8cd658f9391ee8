package analysis

import (
	"errors"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Exposure is the share of the traffic that the canary should get. A canary that
// gets far less, or far more, is wired up wrongly: what it shows may not be
// what it would show, and it cannot pass.
type Exposure struct {
	Metric    int     // the Ratio whose totals are the traffic, as a place in Plan.Metrics
	Share     float64 // of both arms together, between 0 and 1; of a Ramp, its stages say it
	Tolerance float64 // how far the share may be off, as a part of it, >= 0
}

// exposureLevel is the chance that a share which is as expected ever counts as off, at any of a
// stage's looks: small, for no canary is wired up a little wrongly.
const exposureLevel = 1e-3

// ExposureResult is the traffic the canary got.
type ExposureResult struct {
	Expected, Observed float64 // shares; Observed is NaN without traffic
	Lower, Upper       float64 // limits of the share, which hold at all looks at once
	Off                bool    // shown to be beyond its tolerance
}

func (e Exposure) validate(metrics []Metric, ramp bool) error {
	switch {
	case e.Metric < 0 || e.Metric >= len(metrics) || !metrics[e.Metric].Kind.known() || metrics[e.Metric].Traffic() != AllTraffic:
		return errors.New("exposure needs a ratio metric, whose totals are the traffic")
	case !ramp && !(e.Share > 0 && e.Share < 1) || !(e.Tolerance >= 0):
		return errors.New("the expected exposure must lie between 0 and 1")
	}
	return nil
}

// Exposure compares the traffic so far, or in this stage of a ramp, with what was expected; nil
// when nothing was.
func (j *Judge) Exposure() *ExposureResult {
	e := j.plan.Exposure
	if e == nil {
		return nil
	}
	share := e.Share
	if r := j.plan.Ramp; r != nil {
		share = r.Stages[j.ramp.stage].Share
	}
	canary, all := j.ramp.canary, j.ramp.canary+j.ramp.baseline
	lower, upper := stats.ProportionSequence(canary, all, share, exposureLevel)
	return &ExposureResult{
		Expected: share, Observed: canary / all, Lower: lower, Upper: upper,
		Off: lower > share*(1+e.Tolerance) || upper < share/(1+e.Tolerance),
	}
}

// expose counts the requests of a step.
func (r *ramp) expose(p Pair) {
	if !p.Canary.Gap() {
		r.canary += p.Canary.Total()
	}
	if !p.Baseline.Gap() {
		r.baseline += p.Baseline.Total()
	}
}
