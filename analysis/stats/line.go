package stats

import "math"

// Line is a straight line through a series, in order of time, by least squares.
type Line struct {
	Slope float64 // change from one element to the next
	Error float64 // standard error of the slope; NaN for fewer than two elements
	End   float64 // height at the last element
}

// FitLine fits a line to a series whose elements have independent errors of the given variances, one
// for each. Where the series scatters about the line by more than those, the error of the
// slope is as much larger; variances of 0 leave it to the scatter alone.
func FitLine(series, variances []float64) Line {
	n := float64(len(series))
	middle, mean := (n-1)/2, 0.0
	for _, v := range series {
		mean += v / n
	}
	spread, product, known := 0.0, 0.0, 0.0
	for i, v := range series {
		x := float64(i) - middle
		spread += x * x
		product += x * v
		known += x * x * variances[i]
	}
	l := Line{Slope: product / spread}
	l.End = mean + l.Slope*middle
	residual := 0.0
	for i, v := range series {
		r := v - mean - l.Slope*(float64(i)-middle)
		residual += r * r
	}
	l.Error = math.Sqrt(math.Max(known/spread, residual/(n-2)) / spread)
	if n == 2 {
		l.Error = math.Sqrt(known) / spread
	}
	return l
}
