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
	Share     float64 // of both arms together, between 0 and 1
	Tolerance float64 // how far the share may be off, as a part of it, >= 0
}

// exposureLevel is the one-sided level at which a share counts as off: small,
// since it is looked at again and again, and no canary is wired up a little
// wrongly.
const exposureLevel = 1e-4

// ExposureResult is the traffic the canary got.
type ExposureResult struct {
	Expected, Observed float64 // shares; Observed is NaN without traffic
	Lower, Upper       float64 // confidence limits of the share
	Off                bool    // shown to be beyond its tolerance
}

func (e Exposure) validate(metrics []Metric) error {
	switch {
	case e.Metric < 0 || e.Metric >= len(metrics) || !metrics[e.Metric].Kind.known() || metrics[e.Metric].Traffic() != AllTraffic:
		return errors.New("exposure needs a ratio metric, whose totals are the traffic")
	case !(e.Share > 0 && e.Share < 1) || !(e.Tolerance >= 0):
		return errors.New("the expected exposure must lie between 0 and 1")
	}
	return nil
}

// Exposure compares the traffic so far with what was expected; nil when nothing
// was.
func (j *Judge) Exposure() *ExposureResult {
	e := j.plan.Exposure
	if e == nil {
		return nil
	}
	t := j.metrics[e.Metric].tally
	canary, all := t.canary.counts.total, t.canary.counts.total+t.baseline.counts.total
	lower, upper := stats.Proportion(canary, all, exposureLevel)
	return &ExposureResult{
		Expected: e.Share, Observed: canary / all, Lower: lower, Upper: upper,
		Off: lower > e.Share*(1+e.Tolerance) || upper < e.Share/(1+e.Tolerance),
	}
}
