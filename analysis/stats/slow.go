package stats

import "math"

// Autocorrelation returns what a MeanMixture, or a NoiseMixture, knows of the
// autocorrelation of neighbours: its posterior mean, 0 to 1. NaN of another mixture.
func (m Mixture) Autocorrelation() float64 {
	if len(m) < phiSteps {
		return math.NaN()
	}
	var mean float64
	for i, c := range m[len(m)%phiSteps:] { // the first of counts is without any
		mean += c.Weight * phiGrid[i%phiSteps].phi
	}
	return mean
}

// Autocorrelation is that of Other; NaN with a history, which tells slow noise by itself.
func (p Posterior) Autocorrelation() float64 {
	if len(p.Alike) > 0 {
		return math.NaN()
	}
	return p.Other.Autocorrelation()
}

// Autocorrelation is that of the residuals behind Dispersion, NaN where they scatter no
// more than the events make them: there is no other noise then.
func (c *Counts) Autocorrelation() float64 {
	c.estimateNoise()
	if !(c.noise.scatter > c.noise.variance) {
		return math.NaN()
	}
	return c.noise.posterior.Autocorrelation()
}
