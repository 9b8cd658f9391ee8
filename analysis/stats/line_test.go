package stats

import (
	"math"
	"testing"
)

// The first of Anscombe's four data sets, in the order of x from 4 to 14, whose line is
// published (Anscombe 1973, The American Statistician 27:17; R's lm(y1 ~ x1, anscombe)).
func TestFitLine(t *testing.T) {
	series := []float64{4.26, 5.68, 7.24, 4.82, 6.95, 8.81, 8.04, 8.33, 10.84, 7.58, 9.96}
	l := FitLine(series, make([]float64, len(series)))
	near(t, "slope", l.Slope, 0.5000909, 1e-6)
	near(t, "its error", l.Error, 0.1179055, 1e-6)
	near(t, "end", l.End, 3.0000909+14*0.5000909, 1e-6)

	known := make([]float64, len(series))
	for i := range known {
		known[i] = 4
	}
	near(t, "error of known variances", FitLine(series, known).Error, math.Sqrt(4.0/110), 1e-6)
	near(t, "error of two", FitLine([]float64{3, 1}, []float64{0.5, 1.5}).Error, math.Sqrt2, 1e-6)
	near(t, "slope of two", FitLine([]float64{3, 1}, []float64{0.5, 1.5}).Slope, -2, 1e-6)
}
