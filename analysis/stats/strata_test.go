package stats

import (
	"math"
	"testing"
)

func TestStandardised(t *testing.T) {
	t.Parallel()
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
			t.Errorf("%s is %.12g, want %.12g", what, got, want)
		}
	}
	// One stratum, and strata that share alike, are their sums.
	one := PairedCounts{3, 100, 20, 900}
	if got := Standardised([]PairedCounts{one, {}, {1, 5, 0, 0}}); got != one {
		t.Errorf("one stratum is %+v", got)
	}
	alike := Standardised([]PairedCounts{{3, 100, 20, 900}, {9, 300, 30, 2700}})
	near("X", alike.X, 12)
	near("N", alike.N, 400)
	near("Y", alike.Y, 50)
	near("M", alike.M, 3600)

	// Simpson's paradox: 1% fail in both arms at a share of 1%, 10% in both at a share of
	// half. The sums say 9.8% against 4.0%.
	paradox := Standardised([]PairedCounts{{1, 100, 99, 9900}, {500, 5000, 500, 5000}})
	near("the difference of equal arms", paradox.Difference(1), 0)

	// Greenland & Robins 1985: the risk difference of Mantel and Haenszel is
	// sum((x m - y n)/(n+m)) / sum(n m/(n+m)).
	strata := []PairedCounts{{5, 100, 60, 1900}, {40, 800, 50, 1200}, {90, 1500, 20, 500}}
	var above, below float64
	for _, v := range strata {
		above += (v.X*v.M - v.Y*v.N) / (v.N + v.M)
		below += v.N * v.M / (v.N + v.M)
	}
	got := Standardised(strata)
	near("the risk difference", got.Difference(1), above/below)
	// The variance of a weighted mean of rates that are all p is p(1-p) sum(w^2/n)/W^2.
	var w2n float64
	for _, v := range strata {
		w := v.N * v.M / (v.N + v.M)
		w2n += w * w / v.N
	}
	near("the variance of the first rate", 1/got.N, w2n/(below*below))
	if none := Standardised(nil); none != (PairedCounts{}) {
		t.Errorf("no strata are %+v", none)
	}
}
