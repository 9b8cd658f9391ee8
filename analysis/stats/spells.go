package stats

import "math"

// SpellDispersion returns the factor, at least 1, by which the number of steps that are in
// a state scatters more than if each step were in it by itself. length is how many steps a
// stay in the state lasts on average, >= 1; share is the part of all steps that are in
// it, 0 to 1. It is (1+r)/(1-r) with the correlation r of neighbours of a Markov chain of
// two states, which these two numbers determine (Gabriel 1959, Biometrika 46:454):
// one is left with probability 1/length and entered with share/(1-share)/length, so that
// r = 1 - 1/(length (1-share)). Where stays are as long as chance makes them, 1/(1-share),
// it is 1.
func SpellDispersion(length, share float64) float64 {
	return math.Max(1, 2*length*(1-share)-1)
}
