package stats

import (
	"math"
	"slices"
)

// shiftWindow is over how many elements a level is looked for, and shiftErrors how many standard
// errors of its mean make it another one.
const (
	shiftWindow = 30
	shiftErrors = 5
)

// LastShift returns how many elements of a series, in order of time, lie before the last change of
// its level: 0 if it has one level throughout, or is too short to tell. What stands out by itself is
// pulled in first; a level is that of 30 elements, and another one if it is off the median by more
// than five standard errors of autocorrelated noise, and by more than least. The noise is measured
// within windows of that length, so that the changes do not count as noise.
func LastShift(series []float64, least float64) int {
	n := len(series)
	if n < 2*shiftWindow {
		return 0
	}
	var all Paired
	for _, v := range series {
		all.Add(v)
	}
	values := all.winsorisedValues()
	windows := make([]level, n-shiftWindow+1)
	var scatter, steps []float64
	for i := range windows {
		windows[i] = levelOf(values[i : i+shiftWindow])
		scatter, steps = append(scatter, windows[i].scatter), append(steps, windows[i].steps)
	}
	most := math.Max(least, shiftErrors*meanError(median(scatter), median(steps)))
	centre := all.Median()
	other := func(l level) bool { return math.Abs(l.mean-centre) > most }
	last := len(windows) - 1
	for ; last >= 0 && !other(windows[last]); last-- {
	}
	if last == len(windows)-1 {
		for ; last > 0 && other(windows[last-1]); last-- {
		}
	}
	if last < 0 {
		return 0
	}
	return last + shiftWindow
}

// level is a window of a series: its mean, its variance, and half the mean square of the steps
// from one element to the next.
type level struct{ mean, scatter, steps float64 }

func levelOf(window []float64) (l level) {
	n := float64(len(window))
	for _, v := range window {
		l.mean += v / n
	}
	for i, v := range window {
		l.scatter += (v - l.mean) * (v - l.mean) / (n - 1)
		if i > 0 {
			l.steps += (v - window[i-1]) * (v - window[i-1]) / (n - 1) / 2
		}
	}
	return l
}

// meanError returns the standard error of the mean of a window of autocorrelated noise from the
// variance within windows and from that of the steps, which is 1 - phi of the whole: of the first
// phi, in steps of 0.05, that explains how much smaller it is, up to 0.95.
func meanError(scatter, steps float64) float64 {
	const n = shiftWindow
	var of, within float64
	for phi := 0.0; phi < 0.96; phi += 0.05 {
		// The variance of the mean, in those of one element, and what is left within the window.
		of = ((1+phi)/(1-phi) - 2*phi*(1-math.Pow(phi, n))/(n*(1-phi)*(1-phi))) / n
		within = (1 - of) * n / (n - 1)
		if (1-phi)*scatter <= steps*within {
			break
		}
	}
	return math.Sqrt(scatter / within * of)
}

// median returns the middle of values that are not empty, which it sorts.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
