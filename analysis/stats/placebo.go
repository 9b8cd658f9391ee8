package stats

import "math"

// Learning from what had no change and no pair: earlier days, of which each is set against the
// others, and the instances of one arm, likewise (docs/statistics/history.md, sections 7
// and 8). Neither has an offset; both have a variance of it.

// LearnDays returns what earlier windows say, a series of differences each, of the day against
// the mean of all others on the scale of the comparison: the noise, and how much one day
// differs from the mean of them all. It needs two or more.
func LearnDays(days [][]float64) *Learned {
	q := float64(len(days))
	// A day's distance from the mean of all is less than from that of the others.
	all := (q - 1) / q
	return learnParts(days, all*all*(1+1/q), 1)
}

// LearnInstances returns what the instances of the baseline say of how much a canary of
// some instances differs from a baseline of others: a series of differences each, of the
// instance against the mean of all others. It needs two or more.
func LearnInstances(instances [][]float64, canary, baseline int) *Learned {
	j := float64(len(instances))
	factor := (j - 1) / j * (1/float64(canary) + 1/float64(baseline))
	return learnParts(instances, factor, factor)
}

// learnParts learns from parts of which none has a change. The variance of their means, and
// that of their noise, count times a factor each.
func learnParts(parts [][]float64, between, within float64) *Learned {
	var means Moments
	var noise Paired
	for _, part := range parts {
		var own Paired
		for _, v := range part {
			own.Add(v)
		}
		means.Add(own.Winsorised().Mean())
		noise.addCentred(own.winsorisedValues())
	}
	l := learn(noise.values, unrelatedValues, 0)
	for i := range l.Noise {
		l.Noise[i].Variance *= within
	}
	l.LongRun *= within
	l.Deviation = madToSigma * noise.medianDeviation() * math.Sqrt(within)
	l.between(means.Variance()*between, float64(len(parts)))
	return l
}

// LearnCountDays is LearnDays of counts: a series of intervals each, of the day in the first
// arm and all the others in the second.
func LearnCountDays(days [][]PairedCounts) *Learned {
	return learnCountParts(days, 1+1/float64(len(days)))
}

// LearnCountInstances is LearnInstances of counts: a series of intervals each, of the
// instance in the first arm and all the others in the second.
func LearnCountInstances(instances [][]PairedCounts, canary, baseline int) *Learned {
	return learnCountParts(instances, 1/float64(canary)+1/float64(baseline))
}

// learnCountParts takes the residuals of each part at its own ratio.
func learnCountParts(parts [][]PairedCounts, factor float64) *Learned {
	var all residuals
	var means Moments
	var squares float64
	for _, part := range parts {
		c := NewCounts(1)
		for _, v := range part {
			c.Add(v)
		}
		r := c.residuals()
		n := float64(len(r.values))
		all.values = append(all.values, r.values...)
		all.variance += r.variance * n
		squares += r.variance * n * r.uneven
		means.Add(math.Log(r.ratio))
	}
	all.uneven = squares / all.variance
	all.variance /= float64(len(all.values))
	l := learnCounts(all, 0, 0)
	j := float64(len(parts))
	// One part against the others differs by j/(j-1) times the variance of a part.
	factor *= (j - 1) / j
	l.LongRun *= factor
	l.between(means.Variance()*factor, j)
	return l
}

// between sets the variance between parts as the error of an offset of 0.
func (l *Learned) between(variance, parts float64) {
	l.Offset, l.OffsetVariance, l.OffsetDF = 0, variance, parts-1
}

// addCentred appends values less their mean.
func (p *Paired) addCentred(values []float64) {
	var m Moments
	for _, v := range values {
		m.Add(v)
	}
	for _, v := range values {
		p.Add(v - m.Mean())
	}
}
