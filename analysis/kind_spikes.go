package analysis

import (
	"errors"
	"math"
)

// Spike is what a value does in a step that stands out: it lies beyond a bound.
type Spike struct {
	// Bound is in the metric's unit. The bound itself is not beyond it.
	Bound float64
	// Below says that the values below the bound stand out, not those above.
	Below bool
}

// In reports whether a value stands out; NaN does not.
func (s Spike) In(value float64) bool {
	if s.Below {
		return value < s.Bound
	}
	return value > s.Bound
}

// spikesMethod judges a Value by how many steps stand out, as the difference of both arms'
// shares of them.
type spikesMethod struct{}

func (spikesMethod) validate(m Metric) error {
	switch {
	case math.IsNaN(m.Spikes.Bound) || math.IsInf(m.Spikes.Bound, 0):
		return errors.New("the bound of the spikes is no number")
	case !m.Tolerance.Absolute || m.Direction != Increase:
		return errors.New("spikes need an absolute tolerance, a difference of shares, and the direction increase: more of them is worse")
	}
	return nil
}

func (spikesMethod) counted() bool        { return false }
func (spikesMethod) paired() bool         { return true }
func (spikesMethod) silenceDoubted() bool { return false }
func (spikesMethod) absolute() Amount     { return RatePoints }
func (spikesMethod) usualUnit() string    { return "" }
func (spikesMethod) traffic() Traffic     { return NoTraffic }

func (spikesMethod) shows(s Sample) bool                        { return valueMethod{}.shows(s) }
func (spikesMethod) number(m Metric, s Sample) float64          { return valueMethod{}.number(m, s) }
func (spikesMethod) begin(j *judgement)                         { valueMethod{}.begin(j) }
func (spikesMethod) tally(a *armTally, m Metric, s Sample) bool { return valueMethod{}.tally(a, m, s) }
func (spikesMethod) observe(m Metric, p Pair) (bracket, bool)   { return valueMethod{}.observe(m, p) }
func (spikesMethod) firstLook() int                             { return firstLookSpikes }

// past: spikes are rare, and a history of them is not used.
func (spikesMethod) past(Metric, []Pair, int) []bracket { return nil }

func (spikesMethod) evidence(m Metric, _ Direction, _ *past) evidence { return newSpikesEvidence(m) }

// changed compares what is judged: whether the step stands out.
func (spikesMethod) changed(m Metric, earlier, later Sample) bool {
	return earlier.Gap() || m.Spikes.In(earlier.Value()) != m.Spikes.In(later.Value())
}

// mean is the first: days in which a step stands out and such in which it does not have
// none together that does so as often as one of them. Nothing is decided by it.
func (spikesMethod) mean(_ Metric, samples []Sample) Sample { return samples[0] }
