package analysis

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Direction is the movement that is bad.
type Direction int

// The directions.
const (
	Increase Direction = iota // more is worse
	Decrease                  // less is worse
	Either                    // any change is: two tests at half the error each
)

func (d Direction) String() string { return name(d, "increase", "decrease", "either") }

// Tolerance is the change that is accepted.
type Tolerance struct {
	// Size is the accepted change, >= 0. Relative: a fraction of the baseline, 0.1
	// for canary <= 1.1 x baseline where an increase is bad, and canary >= baseline /
	// 1.1 where a decrease is (the same distance on the scale of
	// logarithms). Absolute: in the metric's unit, or a difference of rates for Ratio
	// and Checks, and of shares of steps for Spikes. With 0 an unchanged canary can fail but not pass.
	Size     float64
	Absolute bool
}

// Limit returns the ratio canary/baseline at which a relative tolerance ends
// when the bad movement is d, Increase or Decrease.
func (t Tolerance) Limit(d Direction) float64 {
	if d == Decrease {
		return 1 / (1 + t.Size)
	}
	return 1 + t.Size
}

// Scale is the scale on which a Value with a relative tolerance is compared.
type Scale int

// The scales.
const (
	Logarithmic Scale = iota // until the first value that is not positive, then Linear
	Linear
)

// Metric says what is measured and what change of it is accepted.
type Metric struct {
	Name      string
	Kind      Kind
	Direction Direction
	Tolerance Tolerance
	// Floor is a rate, 0 to 1: a canary rate below (1 + tolerance) x Floor is fine
	// whatever the baseline. Ratio, Checks and "slower than" with a relative tolerance
	// only; 0 is none.
	Floor float64
	// SlowerThan makes a Histogram a ratio of the observations above this bound, in
	// the metric's unit; 0 means it is judged at Quantile.
	SlowerThan float64
	// Quantile, between 0 and 1, is where a Histogram is judged when SlowerThan is
	// 0. Of a Value it says that the values are such a quantile of the observations of a
	// step, whose number its samples give; 0 that they are none.
	Quantile float64
	// Spikes makes a Value one of steps that stand out: judged is the share of them, by an
	// absolute tolerance, which is the difference of the arms' shares. nil = its mean.
	Spikes *Spike
	// Scale is where a Value with a relative tolerance starts.
	Scale Scale
	// Mean judges the mean of a Value, whatever its steps are like, instead of its typical
	// step: none is pulled in. With a relative tolerance it takes the Linear scale.
	Mean bool
	// PoissonCounts trusts the counts of a Ratio to scatter like independent events
	// (dispersion 1): quicker, and wrong when they come in bursts.
	PoissonCounts bool
	// AbsentIsZero says that the bad events of a Ratio are none when the source
	// never mentions them, not even once in the run, in either arm.
	AbsentIsZero bool
	// ZerosMadeUp says that the query of a Ratio's bad events can give 0 where the
	// source knows nothing of them (or vector(0), default_zero): a 0 is silence then,
	// as an absent count is, and only other counts mention bad events.
	ZerosMadeUp bool
	// CountsOverlap says that an event may be counted in more than one step: the counts
	// are larger than what happened, and shown to be what they are not. Nothing passes.
	CountsOverlap bool
	// Advisory metrics are measured and reported, and decide nothing.
	Advisory bool
	// FailOnly metrics can fail the run, which does not wait for them to pass: it passes once
	// they have been looked at and none of their estimates lies beyond its tolerance.
	FailOnly bool
	// Hold metrics never fail the run: what would fail another metric holds it, so that a ramp
	// waits and nothing passes, until the estimate is back within the tolerance.
	Hold bool
	// Of is the name of the metric that this one is a part of: the same, in one segment of its
	// requests; "" = of none. A part with FailOnly holds the run up less easily than another
	// metric does: for want of requests it does not.
	Of string
	// Weight is the metric's share of the false-alarm rate relative to the other
	// deciding metrics; 0 means 1.
	Weight float64
	// History is what was seen of the metric before the run; nil = nothing, and noise has to
	// be learned in the run.
	History *History
}

// Plan is everything that is fixed before the first look.
type Plan struct {
	// Steps is the number of steps, and so of looks, planned: 3 or more. It cannot
	// grow during a run.
	Steps int
	// FalseAlarm is the chance, over the whole run, that a canary within all
	// tolerances fails; WrongPass that one beyond a tolerance passes. Between 0
	// and 0.5.
	FalseAlarm, WrongPass float64
	// PassAfter is the first look at which the run may pass; 0 means
	// DefaultPassAfter.
	PassAfter int
	Metrics   []Metric
	// Guards are the names of what watches over the canary beside the metrics; each has
	// a state at each look.
	Guards   []string
	Exposure *Exposure // nil = whatever the canary gets
	Ramp     *Ramp     // nil = the canary's share of the traffic is nothing that the run changes
}

// Defaults of docs/statistics/method.md, section 6.
const (
	DefaultFalseAlarm = 0.05
	DefaultWrongPass  = 0.05
	DefaultPassAfter  = 5
	DefaultFloor      = 0.001 // of error ratios
	LeastSteps        = 3     // fewer allow no look at all
)

// Validate reports everything that is wrong with the plan.
func (p Plan) Validate() error {
	var errs []error
	if p.Steps < LeastSteps {
		errs = append(errs, fmt.Errorf("%d steps are planned; the first look needs %d", p.Steps, LeastSteps))
	}
	for _, rate := range []struct {
		name string
		rate float64
	}{{"false-alarm", p.FalseAlarm}, {"wrong-pass", p.WrongPass}} {
		if !(rate.rate > 0 && rate.rate < 0.5) {
			errs = append(errs, fmt.Errorf("the %s rate is %g; it must lie between 0 and 0.5", rate.name, rate.rate))
		}
	}
	mustPass := 0
	names := map[string]bool{}
	for _, m := range p.Metrics {
		if names[m.Name] {
			errs = append(errs, fmt.Errorf("metric %q: two metrics have this name", m.Name))
		}
		names[m.Name] = true
		if m.MustPass() {
			mustPass++
		}
		if err := errors.Join(m.validate(), p.validatePart(m)); err != nil {
			errs = append(errs, fmt.Errorf("metric %q: %w", m.Name, err))
		}
	}
	for i, guard := range p.Guards {
		if slices.Contains(p.Guards[:i], guard) {
			errs = append(errs, fmt.Errorf("guard %q: two guards have this name", guard))
		}
	}
	if p.Exposure != nil {
		errs = append(errs, p.Exposure.validate(p.Metrics, p.Ramp != nil))
	}
	if p.Ramp != nil {
		errs = append(errs, p.Ramp.validate(p.Steps))
	}
	if mustPass == 0 {
		errs = append(errs, errors.New("no metric has to pass: give at least one that is neither advisory nor fail_only"))
	}
	return errors.Join(errs...)
}

func (m Metric) validate() error {
	switch {
	case !m.Kind.known():
		return fmt.Errorf("%s is no kind of metric", m.Kind)
	case m.Tolerance.Size < 0 || math.IsNaN(m.Tolerance.Size) || math.IsInf(m.Tolerance.Size, 0):
		return fmt.Errorf("the tolerance is %g; it must be 0 or more", m.Tolerance.Size)
	case m.Floor < 0 || m.Floor >= 1:
		return fmt.Errorf("the floor is %g; a rate lies between 0 and 1", m.Floor)
	case m.Floor > 0 && !m.Counted():
		return errors.New("a floor belongs to a rate: a ratio, checks, or a histogram with slower_than")
	case m.Floor > 0 && (m.Tolerance.Absolute || m.Direction != Increase):
		return errors.New("a floor needs a relative tolerance and the direction increase")
	case m.Mean && m.Kind != Value:
		return errors.New("the mean is judged of values alone")
	case m.Advisory && m.FailOnly:
		return errors.New("an advisory metric decides nothing, one that is fail_only can fail the run: leave one of them out")
	case m.Hold && m.Advisory:
		return errors.New("an advisory metric decides nothing, one with hold holds the run: leave one of them out")
	case m.Hold && m.FailOnly && m.Of == "":
		return errors.New("a metric that is fail_only can fail the run, one with hold never does: leave one of them out")
	case m.Weight < 0 || math.IsNaN(m.Weight) || math.IsInf(m.Weight, 0):
		return fmt.Errorf("the weight is %g; it must be more than 0", m.Weight)
	}
	return m.method().validate(m)
}

// MustPass reports whether the run passes only when the metric does.
func (m Metric) MustPass() bool { return !m.Advisory && !m.FailOnly }

// sides returns the directions that are tested.
func (m Metric) sides() []Direction {
	if m.Direction == Either {
		return []Direction{Increase, Decrease}
	}
	return []Direction{m.Direction}
}

// name returns the word for a value of an enumeration.
func name[T ~int](v T, words ...string) string {
	if v < 0 || int(v) >= len(words) {
		return fmt.Sprintf("%T(%d)", v, int(v))
	}
	return words[v]
}
