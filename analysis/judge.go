package analysis

import (
	"errors"
	"fmt"
	"slices"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Judge takes a run's steps one at a time and decides at each. It does only the
// work a new step brings.
type Judge struct {
	plan    Plan
	metrics []*judgement
	guards  []GuardState // at the last look; nil before the first
	looks   int
	verdict Verdict
	ramp    ramp
}

// Errors of Step that are the caller's doing.
var (
	ErrJudged    = errors.New("the run has its verdict")
	ErrNoMore    = errors.New("all planned steps are taken")
	errPairCount = errors.New("a look needs one pair a metric")
	errGuards    = errors.New("a look needs one state a guard")
	errRevision  = errors.New("a revision is of no metric of the plan")
	errStage     = errors.New("a look is in a stage of the plan's ramp, and in none before that of the last look")
)

// NewJudge returns a judge of a valid plan, before its first step.
func NewJudge(p Plan) (*Judge, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if p.PassAfter == 0 {
		p.PassAfter = DefaultPassAfter
	}
	p.PassAfter = min(p.PassAfter, p.Steps)
	j := &Judge{plan: p}
	clocks := &stats.Clocks{}
	var total float64
	for _, m := range p.Metrics {
		if !m.Advisory && !m.Hold {
			total += weight(m)
		}
	}
	if total == 0 { // nothing can fail the run
		total = 1
	}
	for _, m := range p.Metrics {
		j.metrics = append(j.metrics, newJudgement(m, p, min(p.FalseAlarm, p.FalseAlarm*weight(m)/total), clocks))
	}
	j.join()
	return j, nil
}

// weight returns a metric's share of the false-alarm rate before it is divided
// by the sum of all.
func weight(m Metric) float64 {
	if m.Weight == 0 {
		return 1
	}
	return m.Weight
}

// Step takes the next step and the look that follows it. It returns the verdict of
// that look, which is the only verdict there is; Inconclusive means there is none
// yet. Numbers that make no sense are an error, and change nothing.
func (j *Judge) Step(l Look) (Verdict, error) {
	switch {
	case len(l.Pairs) != len(j.metrics):
		return j.verdict, fmt.Errorf("%w: got %d for %d", errPairCount, len(l.Pairs), len(j.metrics))
	case len(l.Guards) != len(j.plan.Guards):
		return j.verdict, fmt.Errorf("%w: got %d for %d", errGuards, len(l.Guards), len(j.plan.Guards))
	case slices.ContainsFunc(l.Revisions, func(r Revision) bool { return r.Metric < 0 || r.Metric >= len(j.metrics) }):
		return j.verdict, errRevision
	case l.Stage < j.ramp.stage || l.Stage > 0 && (j.plan.Ramp == nil || l.Stage >= len(j.plan.Ramp.Stages)):
		return j.verdict, errStage
	case j.verdict != VerdictInconclusive:
		return j.verdict, ErrJudged
	case j.looks == j.plan.Steps:
		return j.verdict, ErrNoMore
	}
	for i, m := range j.metrics {
		for _, err := range []error{m.metric.check("baseline", l.Pairs[i].Baseline), m.metric.check("canary", l.Pairs[i].Canary)} {
			if err != nil {
				return j.verdict, fmt.Errorf("metric %q: %w", m.metric.Name, err)
			}
		}
	}
	j.looks++
	j.guards = slices.Clone(l.Guards)
	for _, r := range l.Revisions {
		j.metrics[r.Metric].revise(r)
	}
	if l.Stage > j.ramp.stage {
		j.ramp = ramp{stage: l.Stage}
	}
	if l.Settling {
		j.settle()
		return j.verdict, nil
	}
	j.ramp.steps++
	if e := j.plan.Exposure; e != nil {
		j.ramp.expose(l.Pairs[e.Metric])
	}
	for i, p := range l.Pairs {
		m := j.metrics[i]
		m.stage = l.Stage
		before := m.decision
		m.step(j.looks, p)
		if m.decision != before {
			m.decided = j.looks
		}
	}
	j.verdict = j.conclude()
	for _, m := range j.metrics {
		if m.decision == Undecided {
			m.decided = 0
		}
	}
	return j.verdict, nil
}

// conclude returns the verdict of the look: FAIL as soon as one deciding metric
// fails or a guard alerts, PASS when all metrics that must have passed and nothing beside them
// stands against it, nor any that can only fail. While something does, the metrics go on being tested: one
// that has passed can still fail.
func (j *Judge) conclude() Verdict {
	if slices.Contains(j.guards, GuardAlerting) {
		return VerdictFail
	}
	passed := !slices.Contains(j.guards, GuardUnread)
	for _, m := range j.metrics {
		if m.metric.Advisory {
			continue
		}
		if m.decision == Fail {
			return VerdictFail
		}
		passed = passed && (m.decision == Pass || m.metric.FailOnly)
	}
	if !passed || j.looks < j.plan.PassAfter {
		return VerdictInconclusive
	}
	if e := j.Exposure(); e != nil && e.Off {
		return VerdictInconclusive
	}
	if !j.rampMayPass() {
		return VerdictInconclusive
	}
	for _, m := range j.metrics {
		switch {
		case m.metric.MustPass():
			m.askAgain()
			passed = passed && m.decision == Pass
		case m.metric.FailOnly:
			passed = passed && !m.holds()
		}
	}
	if !passed {
		return VerdictInconclusive
	}
	return VerdictPass
}

// Looks returns the number of looks taken.
func (j *Judge) Looks() int { return j.looks }

// Verdict returns the verdict so far.
func (j *Judge) Verdict() Verdict { return j.verdict }
