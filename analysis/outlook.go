package analysis

import (
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Outlook is what a metric's history says, before the run, of a canary that goes on as in it
// (docs/statistics/method.md, section 13.21). It is a forecast: nothing is decided by it.
type Outlook struct {
	// Passes is about how likely the metric passes within the window, 0 to 1; NaN where there is
	// no history to tell by.
	Passes float64
	// Steps is about how many steps a window takes for a run of all its metrics to pass with
	// likelyPass if all are like this one, 0 where no number does; and Tolerance about which
	// tolerance does in this window, in the units of Tolerance.Size. Both 0 if Passes is NaN.
	Steps     int
	Tolerance float64
}

// likelyPass is the chance of a run to pass that a window is to be long enough for.
const likelyPass = 0.8

// Outlooks returns the outlook of each metric. It is to be asked before the first look.
func (j *Judge) Outlooks() []Outlook {
	level := j.plan.lastLevel()
	must := 0.0
	for _, m := range j.metrics {
		if m.metric.MustPass() {
			must++
		}
	}
	all := make([]Outlook, len(j.metrics))
	for i, m := range j.metrics {
		all[i] = m.outlook(level, math.Pow(likelyPass, 1/must))
	}
	return all
}

// lastLevel returns the nominal level of a PASS test's last look, if all bring as much.
func (p Plan) lastLevel() (last float64) {
	var clock stats.Clock
	may := p.spending(p.FalseAlarm)
	for k := 1; k <= p.Steps; k++ {
		if level, ok := clock.Next(float64(k), stats.SpendLater(may.wrongPass, float64(k)/float64(p.Steps), may.exponent)); ok {
			last = level
		}
	}
	return last
}

// outlook asks all sides, each of which has to pass with the given chance in the window that
// is looked for.
func (j *judgement) outlook(level, chance float64) Outlook {
	o := Outlook{Passes: math.NaN()}
	if j.metric.Tolerance.Size == 0 {
		return o
	}
	for i, s := range j.sides {
		l := s.learned()
		if l == nil {
			return Outlook{Passes: math.NaN()}
		}
		side := l.outlook(j.past, j.plan.Steps, level, chance)
		if i == 0 {
			o = side
			continue
		}
		o.Passes = math.Max(0, o.Passes+side.Passes-1) // of which at most one misses in a run
		o.Tolerance = math.Max(o.Tolerance, side.Tolerance)
		if o.Steps = max(o.Steps, side.Steps); side.Steps == 0 {
			o.Steps = 0
		}
	}
	return o
}

// learned returns what the test over the whole run has learned, nil for nothing.
func (s *side) learned() *learned {
	switch e := exactly(s.tests[0].evidence).(type) {
	case *valueEvidence:
		return e.learned
	case *countsEvidence:
		return e.learned
	}
	return nil
}

// outlook: the estimate over n observations is about normal, with the long-run variance over n
// and what all of them share; it passes at the last look where it lies below the tolerance by
// the quantile of the level. Where the rates are below a floor, that will do as well.
func (l *learned) outlook(p *past, planned int, level, chance float64) Outlook {
	z, more := stats.NormalTailQuantile(level), stats.NormalTailQuantile(1-chance)
	offset := l.plainOffset()
	// What is pooled, or has gaps, makes fewer observations than steps, in the run as before it.
	observed := float64(p.result.Usable) / float64(p.result.Steps)
	margin, step := l.tau-offset, math.Max(l.fit.LongRun, l.floor*l.floor)/observed
	se := math.Sqrt(step/float64(planned) + l.shift.Variance)
	o := Outlook{Passes: stats.NormalTail(z - margin/se), Tolerance: l.size(p.metric.Tolerance, offset+(z+more)*se)}
	if math.IsInf(l.tau, 1) { // no event was seen, of which so many points were a multiple
		o = Outlook{}
	} else if room := math.Pow(math.Max(margin, 0)/(z+more), 2) - l.shift.Variance; room > 0 {
		o.Steps = int(math.Ceil(step / room))
	}
	if limit := p.metric.harmlessRate(); limit > 0 {
		o.Passes = math.Max(o.Passes, l.belowFloor(limit, observed*float64(planned), level))
		if n := l.stepsBelowFloor(limit, observed, level, chance); n > 0 && (o.Steps == 0 || n < o.Steps) {
			o.Steps = n
		}
	}
	return o
}

// plainOffset returns the difference of the arms that stays in the effect, 0 unless it is
// plainly there.
func (l *learned) plainOffset() float64 {
	if l.removed || !l.comparable || math.Abs(l.fit.Offset) <= stats.PlainOffset*math.Sqrt(l.fit.OffsetVariance) {
		return 0
	}
	return l.fit.Offset
}

// size turns a difference on the scale of the comparison into a size of the tolerance.
func (l *learned) size(t Tolerance, tau float64) float64 {
	switch {
	case t.Absolute:
		return t.Size * tau / l.tau
	case l.comparable:
		return math.Expm1(tau)
	}
	return t.Size * tau / l.tau
}

// harmlessRate returns the rate below which a metric passes whatever the baseline; 0 for none.
func (m Metric) harmlessRate() float64 {
	switch {
	case !m.Counted() || m.Direction != Increase:
		return 0
	case m.Tolerance.Absolute:
		return m.Tolerance.Size // of a baseline without any
	}
	return (1 + m.Tolerance.Size) * m.Floor
}

// belowFloor returns the chance that the upper limit of the canary's rate lies below a limit
// after n observations like those of the history: that the events are no more than the
// most of which it does.
func (l *learned) belowFloor(limit, n, level float64) float64 {
	phi := math.Max(1, l.fit.Variance())
	total, expected := n*l.canary.total/phi, n*l.canary.bad/phi
	if !(total > 0) {
		return 0
	}
	// A limit of a rare event's rate is that of a Poisson mean, a hair above Clopper and Pearson's.
	below := func(x float64) bool { return stats.PoissonAtMost(x, limit*total) < level }
	if !below(0) {
		return 0
	}
	low, high := 0.0, math.Ceil(limit*total)
	for high-low > 1 {
		if middle := math.Floor((low + high) / 2); below(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return stats.PoissonAtMost(low, expected)
}

// stepsBelowFloor returns how many steps it takes for belowFloor to be a chance, 0 where
// no number up to mostPlanned is; observed is how many observations a step makes.
func (l *learned) stepsBelowFloor(limit, observed, level, chance float64) int {
	low, high := 0, mostPlanned
	if l.belowFloor(limit, observed*float64(high), level) < chance {
		return 0
	}
	for high-low > 1 {
		if middle := (low + high) / 2; l.belowFloor(limit, observed*float64(middle), level) >= chance {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
