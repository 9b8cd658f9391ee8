package stats

import (
	"math"
	"testing"
)

// Of distinct values the probability that their mean is positive, each weighted by an
// exponential variable, is the sum over the positive ones of the products of
// y / (y - other), by partial fractions; of n values -c and one h it is (h / (h + c))^n.
func TestPositiveMean(t *testing.T) {
	exact := func(values []float64) float64 {
		var p float64
		for i, y := range values {
			if y <= 0 {
				continue
			}
			product := 1.0
			for j, other := range values {
				if j != i {
					product *= y / (y - other)
				}
			}
			p += product
		}
		return p
	}
	for _, values := range [][]float64{
		{-1, 2}, {-1, -2, 3}, {-3, -1, 0.5, 2}, {-1, -2, -3, -4, -5, 10}, {-5, -4, 1, 2, 3, 4}, {-1, 2, 2.5, 3, 40}, {-0.3, -0.2, -0.1, 0.4},
		{-1e9, -2e9, 5e9}, {1e-9, -2e-9, 3e-9},
	} {
		if got, want := positiveMean(values), exact(values); math.Abs(got/want-1) > 0.05 {
			t.Errorf("%v: %g, want %g", values, got, want)
		}
	}
	for _, n := range []int{4, 30, 200} {
		for _, h := range []float64{0.5, 5, 50} {
			values := []float64{h}
			for range n {
				values = append(values, -1)
			}
			if got, want := positiveMean(values), math.Pow(h/(h+1), float64(n)); math.Abs(got/want-1) > 0.1 {
				t.Errorf("%d values -1, one %g: %g, want %g", n, h, got, want)
			}
		}
	}
	for _, symmetric := range [][]float64{{-1, 1}, {-3, -1, 1, 3}, {-3, -1, 1 + 1e-9, 3}} {
		if got := positiveMean(symmetric); math.Abs(got-0.5) > 1e-4 {
			t.Errorf("%v: %g, want 0.5", symmetric, got)
		}
	}
	if positiveMean([]float64{-1, 0}) != 0 || positiveMean([]float64{0, 1}) != 1 {
		t.Error("all of one sign")
	}
}

// The limits are where the probabilities are the level, and enclose the mean.
func TestMeanLimits(t *testing.T) {
	var p Paired
	for _, v := range []float64{1, 2, 1.5, 1.2, 9, 1.1, 1.7, 0.4, 2.2, 1.3} {
		p.Add(v)
	}
	for _, level := range []float64{0.2, 0.05, 0.001} {
		lower, upper := p.MeanLower(level), p.MeanUpper(level)
		if math.Abs(p.MeanBelow(lower)/level-1) > 1e-6 || math.Abs(p.MeanAbove(upper)/level-1) > 1e-6 {
			t.Errorf("level %g: limits %g, %g at %g and %g", level, lower, upper, p.MeanBelow(lower), p.MeanAbove(upper))
		}
		if mean := p.Raw().Mean(); !(lower < mean && mean < upper) {
			t.Errorf("level %g: %g to %g, the mean is %g", level, lower, upper, mean)
		}
	}
	if p.Outlying(0) != 1 {
		t.Errorf("%d values stand out, want 1", p.Outlying(0))
	}
	var constant Paired
	for range 5 {
		constant.Add(2)
	}
	if constant.MeanLower(0.05) != 2 || constant.MeanUpper(0.05) != 2 || constant.MeanBelow(1) != 0 || constant.MeanAbove(1) != 1 {
		t.Error("constant")
	}
}
