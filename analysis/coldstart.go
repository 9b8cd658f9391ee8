package analysis

import (
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// ColdStart is a canary that was worse at first, and came down.
type ColdStart struct {
	// Changes are those of the first observations, each by itself, in the units of Effect.
	Changes []float64
	// Observations is how many there were before the first within the tolerance, and Within
	// whether there was one; all of them if there was none.
	Observations int
	Within       bool
}

const (
	// coldStartShown is how many observations are shown.
	coldStartShown = 4
	// shrinkingThird and shrinking are how many standard errors a line must go down by, at
	// the third observation and later. At the second, down is enough.
	shrinkingThird = 1
	shrinking      = 1.645
	// plainlyShrinking is the same where nothing hangs on it but what is said.
	plainlyShrinking = 3
	// shrinkingOn is for how long it is taken to go on, in times of that seen.
	shrinkingOn = 0.5
	// longStart is how many observations it takes to see that without knowing the noise.
	longStart = 5
)

// singles are the differences of a test's observations one by one, oriented, and the variances of
// their errors where they are known; limit is what is tolerated. Without any the evidence has no
// order in time.
type singles struct {
	differences, variances []float64
	limit                  float64
	change                 func(observation int) float64 // in the units of an effect
}

// coldStart reports whether the canary comes down from its first step on, so that it may be within
// the tolerance soon (docs/statistics/history.md, section 14, number 11). All of a warm-up lies on one side,
// and a noise that is known from before the run takes the first two steps of it for a regression.
func (s singles) coldStart() bool {
	line := stats.FitLine(s.differences, s.variances)
	switch n := len(s.differences); {
	case n < 2:
		return false
	case n == 2:
		return line.Slope < 0
	case n == 3:
		return line.Slope < -shrinkingThird*line.Error
	default:
		return line.Slope < -shrinking*line.Error && s.soon(line, shrinkingOn)
	}
}

// plainly is coldStart where nothing hangs on it but what is said of a failure.
func (s singles) plainly() bool {
	n := len(s.differences)
	if n < 3 || n < longStart && s.variances[0] == 0 {
		return false
	}
	line := stats.FitLine(s.differences, s.variances)
	return line.Slope < -plainlyShrinking*line.Error && s.soon(line, 1)
}

// soon reports whether a line leads to what is tolerated if it goes on for some times its length.
func (s singles) soon(line stats.Line, times float64) bool {
	return line.End+times*float64(len(s.differences))*line.Slope <= s.limit
}

// tell returns what is said of it.
func (s singles) tell() *ColdStart {
	c := &ColdStart{Observations: len(s.differences)}
	for i, d := range s.differences {
		if i < coldStartShown {
			c.Changes = append(c.Changes, s.change(i))
		}
		if d <= s.limit {
			c.Observations, c.Within = i, true
			break
		}
	}
	return c
}

// coldStart returns the cold start that is to be told: one that was not failed, or one that a
// regression may be that was found without asking for it. It returns nil for none.
func (j *judgement) coldStart() *ColdStart {
	for _, s := range j.sides {
		first := s.tests[0]
		one := first.evidence.singles()
		switch {
		case j.decision != Fail && first.spared:
		case j.decider == first && !first.sparing && one.plainly():
		default:
			continue
		}
		return one.tell()
	}
	return nil
}

// singles implements evidence.
func (e *valueEvidence) singles() singles {
	s := singles{limit: e.limit(), change: func(i int) float64 {
		d := e.series.Values()[i] - e.shift().By
		return e.change(ratioLimits{d, d, d}).Estimate
	}}
	variance := 0.0
	if e.learned != nil {
		variance = e.learned.fit.Variance()
	}
	for _, d := range e.series.Values() {
		s.differences = append(s.differences, d-e.shift().By)
		s.variances = append(s.variances, variance)
	}
	return s
}

// singles implements evidence: half an event more in each arm keeps the logarithm of none finite.
func (e *countsEvidence) singles() singles {
	if e.pooled {
		return singles{}
	}
	t := e.metric.Tolerance
	excess, shift := 1.0, 0.0
	if e.learned != nil {
		excess, shift = e.learned.fit.Variance(), e.learned.shift.By
	}
	intervals := e.counts.Intervals()
	s := singles{limit: math.Log1p(t.Size), change: func(i int) float64 {
		v := intervals[i]
		return ratioLimits{estimate: v.X / v.N / (v.Y / v.M) / math.Exp(shift)}.relative(e.direction).Estimate
	}}
	if t.Absolute {
		s.limit = t.Size
		s.change = func(i int) float64 {
			return ratioLimits{estimate: intervals[i].Difference(1)}.absolute(e.direction).Estimate
		}
	}
	for _, v := range intervals {
		x, y := v.X+0.5, v.Y+0.5
		p, q := x/(v.N+1), y/(v.M+1)
		difference, variance := math.Log(p/q)-shift, 1/x+1/y
		if t.Absolute {
			difference, variance = p-q, p/(v.N+1)+q/(v.M+1)
		}
		s.differences = append(s.differences, difference)
		s.variances = append(s.variances, excess*variance)
	}
	return s
}

// singles implements evidence: spikes are seldom in the first steps, and the first ones of many
// are no warm-up.
func (e *spikesEvidence) singles() singles { return singles{} }

// singles implements evidence.
func (e *bracketed) singles() singles {
	if e.apart && e.direction == Decrease {
		return e.high.singles()
	}
	return e.low.singles()
}
