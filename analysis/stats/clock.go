package stats

import "math"

// Clock turns information and error to spend into the nominal level of each
// look of one one-sided sequential test, by the recursion of Armitage,
// McPherson & Rowe (1969) as Lan & DeMets (1983, Biometrika 70:659) use it. With S
// a Brownian motion, the boundary c_j of look j solves
//
//	P(S(I_j) > c_j and S(I_i) <= c_i for every earlier look i) = error spent at look j
//
// and the nominal level is P(S(I_j) > c_j) = 1 - Phi(c_j / sqrt(I_j)). Only the
// ratios of information matter. The zero value is a clock before its first
// look.
//
// The levels are within 1e-8 (relative) of a brute-force recursion on
// thousands of points, and cost about ten microseconds each; see grid for the
// quadrature.
type Clock struct {
	spent float64 // error spent so far
	info  float64 // information at the last look
	step  float64 // information the last look added
	bound float64 // c, the boundary of the last look
	// before holds the mass of the paths that had not crossed by the look before
	// the last one. The density at the last look follows from it and is laid on a
	// grid only when the next step is known: the grid must resolve both.
	before grid
	work   [2]grid // the two grids in turn, kept for their memory
	turn   int
}

// smallestStep and stepGrid define the least new information worth a look, as
// the reference recursion on 601 points from -6.5 sqrt(I) to c has it: a step
// must exceed 1.2 spacings of that grid, or its quadrature would no longer
// resolve the step. Keeping the rule keeps the looks the same, whatever the
// quadrature used here.
const (
	smallestStep = 1.2
	stepGrid     = 600
	stepReach    = 6.5
)

// Next takes the look at which information has grown to info and the error
// spent may reach cumulative. It returns the nominal one-sided level of the look,
// or false when there is no look: no new information, too little of it, or
// nothing to spend. Error that is not spent is carried to the next look, since
// cumulative includes it.
func (c *Clock) Next(info, cumulative float64) (level float64, ok bool) {
	spend, step := cumulative-c.spent, info-c.info
	if spend <= 0 || step <= 0 {
		return 0, false
	}
	if c.info > 0 && math.Sqrt(step) < smallestStep*(c.bound+stepReach*math.Sqrt(c.info))/stepGrid {
		return 0, false
	}
	next := &c.work[c.turn]
	c.turn = 1 - c.turn
	if c.info == 0 {
		next.point()
	} else {
		next.spread(&c.before, c.bound, c.info, c.step, step)
		next.carry(&c.before, c.step, c.info)
	}
	bound := next.crossing(spend, step, info, c.guess(info, spend))
	c.before, c.bound, c.step, c.info, c.spent = *next, bound, step, info, cumulative
	return NormalTail(bound / math.Sqrt(info)), true
}

// guess returns a start for the search for the boundary: the boundary moves
// slowly on the scale of z.
func (c *Clock) guess(info, spend float64) float64 {
	if c.info == 0 {
		return math.Sqrt(info) * NormalTailQuantile(spend)
	}
	return c.bound * math.Sqrt(info/c.info)
}
