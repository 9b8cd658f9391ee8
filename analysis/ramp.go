package analysis

import (
	"errors"
	"fmt"
	"math"
)

// Ramp is a run in stages: in each the canary gets more of the traffic than in the one before,
// and the next begins when the evidence allows it. All stages are judged by the same tests,
// under the run's one error rate: their clocks run on the information that was gathered.
type Ramp struct {
	Stages []Stage
	// Early has the run pass in any stage; without, it passes in the last one alone.
	Early bool
	// AtMost is how many more requests may fail in the next stage than would at the
	// baseline's rate, as the evidence allows at the worst; 0 means that Budget says it.
	AtMost float64
	// Budget is the same as a number of steps of all requests, both arms' together, > 0: so
	// much of the traffic may fail because of a stage.
	Budget float64
}

// Stage is a part of a ramp.
type Stage struct {
	Share float64 // of the traffic that the canary gets, between 0 and 1
	Steps int     // judged steps that the stage lasts at the least, 1 or more
}

func (r Ramp) validate(steps int) error {
	least, share := 0, 0.0
	for i, s := range r.Stages {
		switch {
		case !(s.Share > 0 && s.Share < 1):
			return fmt.Errorf("stage %d of the ramp has the share %g; it must lie between 0 and 1", i+1, s.Share)
		case s.Share <= share:
			return fmt.Errorf("stage %d of the ramp has no larger share than the one before", i+1)
		case s.Steps < 1:
			return fmt.Errorf("stage %d of the ramp lasts %d steps; want 1 or more", i+1, s.Steps)
		}
		share = s.Share
		least += s.Steps
	}
	switch {
	case len(r.Stages) == 0:
		return errors.New("the ramp has no stages")
	case least > steps:
		return fmt.Errorf("the stages of the ramp last %d steps, and %d are planned", least, steps)
	case !(r.AtMost >= 0) || !(r.Budget > 0):
		return fmt.Errorf("a ramp needs to know how many requests a stage may cost; got %g, and %g steps of traffic", r.AtMost, r.Budget)
	}
	return nil
}

// ramp is how far a run is in its ramp.
type ramp struct {
	stage int // from 0
	steps int // judged in it
	// requests are those of the metric that exposure goes by, in this stage.
	canary, baseline float64
}

// settle takes the look after a step in which the traffic settled: the metrics learn only that
// time went on.
func (j *Judge) settle() {
	for _, m := range j.metrics {
		if m.quantile != nil {
			m.quantile.lose(1)
		}
	}
	for _, g := range j.guards {
		if g == GuardAlerting {
			j.verdict = VerdictFail
		}
	}
}

// rampMayPass reports whether the ramp, if there is one, is far enough for a pass.
func (j *Judge) rampMayPass() bool {
	r := j.plan.Ramp
	if r == nil || r.Early {
		return true
	}
	last := len(r.Stages) - 1
	return j.ramp.stage == last && j.ramp.steps >= r.Stages[last].Steps
}

// Hold is why a ramp stays in its stage.
type Hold string

// The reasons for which a ramp stays in its stage, in the order in which they are asked for.
const (
	NoHold           Hold = ""
	HoldForTime      Hold = "the stage has not lasted as long as it has to"
	HoldForGuard     Hold = "a guard is not quiet"
	HoldForExposure  Hold = "the canary does not get its share of the traffic"
	HoldForLook      Hold = "a metric could not be looked at yet"
	HoldForTolerance Hold = "the estimate of a metric lies beyond its tolerance"
	HoldForHarm      Hold = "the next stage could cost too many requests"
	// HoldForWindow is found by who knows how long the traffic takes to settle.
	HoldForWindow Hold = "the rest of the window is too short for the stages that are left"
)

// RampState is where a run is in its ramp, and what keeps it there.
type RampState struct {
	Stage  int // from 0
	Stages int
	Share  float64 // of the traffic, that the canary is to get in this stage
	Steps  int     // judged in this stage
	// Hold is why the ramp may not go on; empty when it may, and in the last stage, once it
	// has lasted as long as it has to.
	Hold   Hold
	Metric string // that is the reason; "" where none is
	// Harm is how many more requests than at the baseline's rate could fail in the next stage,
	// while it lasts as long as it has to, at the worst that the interval over all looks
	// allows: that of the metric which allows most. NaN where no metric counts failed
	// requests, before its first look, and in the last stage.
	Harm float64
	// AtMost is what Harm may come to; NaN where it is not known.
	AtMost float64
}

// Ramp returns where the run is in its ramp as of the last look; nil when it has none.
//
// A ramp goes on when the stage has lasted as long as it has to; no guard stands against it;
// the canary gets its share of the traffic; every metric that decides has had its look, and its
// data withhold nothing; and more users would not be harmed by more than is accepted. Of a
// ratio that is the upper limit of the failed requests that the next stage brings, from the
// interval at the level that PASS has at this look, which holds over all looks; of other
// metrics, that their estimate lies within the tolerance. A part that can only fail is in the way
// only where it would keep the run from passing.
func (j *Judge) Ramp() *RampState {
	r := j.plan.Ramp
	if r == nil {
		return nil
	}
	stage := r.Stages[j.ramp.stage]
	s := &RampState{Stage: j.ramp.stage, Stages: len(r.Stages), Share: stage.Share, Steps: j.ramp.steps, Harm: math.NaN(), AtMost: math.NaN()}
	last := j.ramp.stage == len(r.Stages)-1
	hold := func(h Hold, metric string) {
		if s.Hold == NoHold {
			s.Hold, s.Metric = h, metric
		}
	}
	if j.ramp.steps < stage.Steps {
		hold(HoldForTime, "")
	}
	if last {
		return s
	}
	for i, g := range j.guards {
		if g != GuardQuiet {
			hold(HoldForGuard, j.plan.Guards[i])
		}
	}
	if e := j.Exposure(); e != nil && e.Off {
		hold(HoldForExposure, j.plan.Metrics[j.plan.Exposure.Metric].Name)
	}
	for _, m := range j.metrics {
		if !m.metric.Advisory && !m.optional() && !m.looked() {
			hold(HoldForLook, m.metric.Name)
		}
	}
	for _, m := range j.metrics {
		if m.beyond || m.optional() && m.holds() || !m.metric.Advisory && !m.optional() && m.looked() && !m.countsHarm() && m.stale() {
			hold(HoldForTolerance, m.metric.Name)
		}
	}
	next := r.Stages[j.ramp.stage+1]
	for _, m := range j.metrics {
		if m.metric.Advisory || m.whole != nil || !m.countsHarm() {
			continue // the harm in a part is counted in the whole
		}
		rate, requests := m.harmRate(), m.requestsEachStep()
		harm, atMost := math.Max(rate, 0)*next.Share*float64(next.Steps)*requests, r.AtMost
		if atMost == 0 {
			atMost = r.Budget * requests
		}
		if !(harm <= s.Harm) {
			s.Harm, s.AtMost = harm, atMost
		}
		if !(harm <= atMost) {
			hold(HoldForHarm, m.metric.Name)
		}
	}
	return s
}

// optional reports whether the metric is a part that the run does not wait for.
func (j *judgement) optional() bool { return j.whole != nil && j.metric.FailOnly }

// looked reports whether the metric had a look that could have failed it and one that could
// have passed it, and its data withhold nothing.
func (j *judgement) looked() bool {
	if len(j.sides) == 0 || j.withheld() != "" {
		return false
	}
	for _, s := range j.sides {
		if s.tests[0].clock.Looks() == 0 || s.pass.Looks() == 0 {
			return false
		}
	}
	return true
}

// stale reports whether an estimate lies beyond the tolerance.
func (j *judgement) stale() bool {
	for _, s := range j.sides {
		if s.stale() {
			return true
		}
	}
	return false
}

// countsHarm reports whether what the metric counts are failed requests among all.
func (j *judgement) countsHarm() bool {
	return j.metric.Traffic() == AllTraffic && j.metric.Direction != Decrease
}

// harmRate returns the upper limit of the share of the canary's requests that fail beyond the
// baseline's rate; NaN where none can be given.
func (j *judgement) harmRate() float64 {
	for _, s := range j.sides {
		e, counts := exactly(s.tests[0].evidence).(*countsEvidence)
		level, looked := s.pass.LastLevel()
		if s.direction == Increase && counts && looked {
			return e.excessUpper(level)
		}
	}
	return math.NaN()
}

// requestsEachStep returns the requests of both arms in a step, on average over the run.
func (j *judgement) requestsEachStep() float64 {
	t := j.tally
	return (t.canary.counts.total + t.baseline.counts.total) / float64(t.elapsed)
}
