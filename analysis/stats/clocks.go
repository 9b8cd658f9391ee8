package stats

import "math"

// SpendEarly returns the error a FAIL test may have spent after a fraction of
// its planned looks, 0 to 1: error * sqrt(fraction), which finds big changes
// early (the power family of Kim & DeMets 1987, Biometrika 74:149, with
// exponent 1/2).
func SpendEarly(total, fraction float64) float64 { return total * math.Sqrt(fraction) }

// SpendLater returns the error a PASS test may have spent after a fraction of
// its planned looks, 0 to 1: error * fraction^exponent, of the same family. With the exponent
// 1 it is spent evenly; a larger one, up to 2 or so, leaves more of it to the end.
func SpendLater(total, fraction, exponent float64) float64 {
	if exponent == 1 {
		return total * fraction
	}
	return total * math.Pow(fraction, exponent)
}

// Clocks hands out clocks and lets those that have seen the same looks share
// one recursion. The zero value is ready to use; it is not safe for concurrent
// use.
type Clocks struct {
	root history
}

// SharedClock is one test's view of a clock. Looks are offered as they come;
// their levels are worked out when one is asked for, so that a test that is far
// from any decision costs nothing.
type SharedClock struct {
	seen  *history
	looks int // how many entries of seen this test has offered
}

// history is a sequence of offered looks, and the levels of as many of them
// as were asked for.
type history struct {
	offers []offer
	levels []float64 // NaN where an offer was no look
	clock  Clock
	forks  map[fork]*history
}

type offer struct{ info, cumulative float64 }

// fork says where a history leaves its parent: the index and the first offer
// that differs.
type fork struct {
	at int
	offer
}

// New returns a clock before its first look.
func (c *Clocks) New() *SharedClock { return &SharedClock{seen: &c.root} }

// Offer adds the look at which information has grown to info and the error
// spent may reach cumulative; see Clock.Next. Looks are offered in order.
func (s *SharedClock) Offer(info, cumulative float64) {
	next := offer{info, cumulative}
	h := s.seen
	switch {
	case s.looks == len(h.offers):
		h.offers = append(h.offers, next)
	case h.offers[s.looks] != next:
		s.seen = h.leave(s.looks, next)
	}
	s.looks++
}

// leave returns the history that agrees with h on the first at offers and goes
// on with another one.
func (h *history) leave(at int, next offer) *history {
	key := fork{at, next}
	if f, ok := h.forks[key]; ok {
		return f
	}
	f := &history{offers: make([]offer, at, at+16)}
	copy(f.offers, h.offers)
	f.offers = append(f.offers, next)
	if h.forks == nil {
		h.forks = map[fork]*history{}
	}
	h.forks[key] = f
	return f
}

// Looks returns how many looks were offered.
func (s *SharedClock) Looks() int { return s.looks }

// Ceiling returns an upper bound on the level of the last offered look, without
// the work of finding it: the event that the level is the probability of lies
// within the event of having crossed by now, whose probability is the error
// spent so far. It is 0 before the first offer.
func (s *SharedClock) Ceiling() float64 {
	if s.looks == 0 {
		return 0
	}
	// The margin covers the error of the quadrature.
	const margin = 1 + 1e-6
	return margin * s.seen.offers[s.looks-1].cumulative
}

// Level returns the nominal level of the last offered look, or false when it
// was no look.
func (s *SharedClock) Level() (level float64, ok bool) {
	if s.looks == 0 {
		return 0, false
	}
	level = s.seen.level(s.looks - 1)
	return level, !math.IsNaN(level)
}

// LastLevel returns the level of the latest offer that was a look, or false
// when there was none.
func (s *SharedClock) LastLevel() (level float64, ok bool) {
	for i := s.looks - 1; i >= 0; i-- {
		if level = s.seen.level(i); !math.IsNaN(level) {
			return level, true
		}
	}
	return 0, false
}

// level returns the level of the i-th offer, NaN when it was no look.
func (h *history) level(i int) float64 {
	for n := len(h.levels); n <= i; n++ {
		level, ok := h.clock.Next(h.offers[n].info, h.offers[n].cumulative)
		if !ok {
			level = math.NaN()
		}
		h.levels = append(h.levels, level)
	}
	return h.levels[i]
}
