package analysis

import (
	"errors"
	"fmt"
	"math"
)

// valueMethod compares the values of each step.
type valueMethod struct{}

func (valueMethod) validate(m Metric) error {
	switch {
	case m.Mean && !m.Tolerance.Absolute && m.Scale != Linear:
		return errors.New("the mean of values is compared on the linear scale")
	case m.Quantile != 0 && !(m.Quantile > 0 && m.Quantile < 1):
		return fmt.Errorf("the quantile is %g; it must lie between 0 and 1", m.Quantile)
	}
	return nil
}
func (valueMethod) counted() bool        { return false }
func (valueMethod) paired() bool         { return true }
func (valueMethod) silenceDoubted() bool { return false }
func (valueMethod) absolute() Amount     { return OwnUnits }
func (valueMethod) usualUnit() string    { return "" }
func (valueMethod) traffic() Traffic     { return NoTraffic }
func (valueMethod) firstLook() int       { return firstLookValue }

func (valueMethod) shows(s Sample) bool               { return !s.Gap() && !math.IsInf(s.Value(), 0) }
func (valueMethod) number(_ Metric, s Sample) float64 { return s.Value() }
func (valueMethod) begin(j *judgement)                { j.startTests(j.plan.Steps, 1) }
func (valueMethod) evidence(m Metric, d Direction, p *past) evidence {
	return newValueEvidence(m, d, p, false)
}

func (v valueMethod) past(m Metric, pairs []Pair, _ int) (all []bracket) {
	for _, p := range pairs {
		if b, ok := v.observe(m, p); ok {
			all = append(all, b)
		}
	}
	return all
}

func (valueMethod) tally(a *armTally, _ Metric, s Sample) bool {
	if math.IsInf(s.Value(), 0) {
		return false
	}
	a.values = append(a.values, s.Value())
	a.behind.add(s.Count())
	return true
}

func (valueMethod) observe(m Metric, p Pair) (bracket, bool) {
	o := observation{canary: p.Canary.Value(), baseline: p.Baseline.Value()}
	ok := finite(o.canary, o.baseline)
	if m.quantileOfValues() {
		o.tail = m.tailOf(p)
		ok = ok && o.tail >= leastTail
	}
	return exact(o), ok
}

func (valueMethod) changed(m Metric, earlier, later Sample) bool {
	if earlier.Gap() {
		return true
	}
	if m.quantileOfValues() && earlier.Count() != later.Count() && !math.IsNaN(later.Count()) &&
		(math.IsNaN(earlier.Count()) || m.countChanged(earlier.Count(), later.Count(), 0)) {
		return true
	}
	a, b := earlier.Value(), later.Value()
	hair := m.hair() * math.Max(math.Abs(a), math.Abs(b))
	if m.Tolerance.Absolute && m.Tolerance.Size > 0 {
		hair = hairOfTolerance * m.Tolerance.Size
	}
	return math.Abs(b-a) > hair
}

// finite reports whether both values of a pair are usable.
func finite(canary, baseline float64) bool {
	return !math.IsNaN(canary-baseline) && !math.IsInf(canary, 0) && !math.IsInf(baseline, 0)
}

// mean is geometric where values are compared by their ratio.
func (valueMethod) mean(m Metric, samples []Sample) Sample {
	var sum, logs float64
	for _, s := range samples {
		sum += s.Value()
		logs += math.Log(s.Value()) // NaN or -Inf for what has no logarithm
	}
	n := float64(len(samples))
	if geometric := math.Exp(logs / n); !m.Tolerance.Absolute && m.Scale == Logarithmic && geometric > 0 {
		return ValueSample(geometric)
	}
	return ValueSample(sum / n)
}
