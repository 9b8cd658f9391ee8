package analysis

import "math"

// bracketed is the evidence on what is known only between two readings. The canary
// is beyond the tolerance if it is so even at the reading most favourable to it,
// and within it if it is so even at the least favourable one, whatever the truth
// between. For events slower than x the former sets what the canary has above the
// bound above x against what the baseline has above the bound below x. To set both
// arms against each other at one bound, be it either, would not be sound: with the
// bounds 0.5 s and 1 s, a canary whose requests all take 0.9 s and a baseline whose
// requests all take 0.6 s are equal at both, and all and none above 0.8 s; and
// twice as many above 1 s need not be any more above 0.8 s.
type bracketed struct {
	direction Direction
	low, high evidence
	apart     bool // the readings have differed
}

func (e *bracketed) add(b bracket) {
	e.low.add(bracket{b.low, b.low, b.stage})
	e.high.add(bracket{b.high, b.high, b.stage})
	e.apart = e.apart || b.low != b.high
}

func (e *bracketed) ready() bool { return e.low.ready() && (!e.apart || e.high.ready()) }

func (e *bracketed) readyToPass() bool {
	return e.low.readyToPass() && (!e.apart || e.high.readyToPass())
}

func (e *bracketed) information() float64 { return e.low.information() }

func (e *bracketed) beyond(level float64, optimistic bool) bool {
	if e.apart && e.direction == Decrease {
		return e.high.beyond(level, optimistic)
	}
	return e.low.beyond(level, optimistic)
}

func (e *bracketed) within(level float64, optimistic bool) bool {
	if e.apart && e.direction == Increase {
		return e.high.within(level, optimistic)
	}
	return e.low.within(level, optimistic)
}

func (e *bracketed) tolerated() bool {
	if e.apart && e.direction == Increase {
		return e.high.tolerated()
	}
	return e.low.tolerated()
}

func (e *bracketed) observations() int { return e.low.observations() }

// effect has the limits of the readings they hold for, and the estimate that is
// nearest to no change: NaN where there may be none.
func (e *bracketed) effect(failLevel, passLevel float64) Effect {
	all := e.low.effect(failLevel, passLevel)
	if !e.apart {
		return all
	}
	high := e.high.effect(failLevel, passLevel)
	all.Upper = high.Upper
	switch {
	case all.Estimate > 0:
	case high.Estimate < 0:
		all.Estimate = high.Estimate
	default:
		all.Estimate = math.NaN()
	}
	return all
}

// exactly returns the evidence behind what is known exactly so far, nil when it is
// not.
func exactly(e evidence) evidence {
	if b, ok := e.(*bracketed); ok {
		if b.apart {
			return nil
		}
		return b.low
	}
	return e
}

// eachValue does something with the evidence on values behind an evidence.
func eachValue(e evidence, do func(*valueEvidence)) {
	switch e := e.(type) {
	case *valueEvidence:
		do(e)
	case *bracketed:
		eachValue(e.low, do)
		eachValue(e.high, do)
	}
}
