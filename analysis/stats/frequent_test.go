package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// How often a claim is made that is not so, when the ratio is exactly the limit, is
// summed over all that two binomial counts can be. The claims choose between two tests by
// the counts themselves: what is summed is both together.
func TestFrequentEventsKeepTheLevel(t *testing.T) {
	t.Parallel()
	for _, limit := range []float64{1.05, 1.25, 2} {
		for _, trials := range [][2]float64{{5, 5}, {5, 11}, {5, 60}, {60, 5}, {20, 20}, {10, 40}} {
			n, m := trials[0], trials[1]
			for _, level := range []float64{0.05, 0.001} {
				var above, below [][2]float64
				for x := 0.0; x <= n; x++ {
					for y := 0.0; y <= m; y++ {
						c := NewCounts(limit)
						c.Add(PairedCounts{X: x, N: n, Y: y, M: m})
						if c.Above(level, 1) {
							above = append(above, [2]float64{x, y})
						}
						if c.Below(level, 1) {
							below = append(below, [2]float64{x, y})
						}
					}
				}
				for second := 0.1; second*limit < 1; second += 0.05 {
					probability := func(claims [][2]float64) (p float64) {
						x, y := distuv.Binomial{N: n, P: limit * second}, distuv.Binomial{N: m, P: second}
						for _, c := range claims {
							p += x.Prob(c[0]) * y.Prob(c[1])
						}
						return p
					}
					if p := probability(above); p > level {
						t.Errorf("limit %g, %g and %g trials, level %g, rate %.2f: above with probability %.2g", limit, n, m, level, second, p)
					}
					// MOVER is approximate: at very small levels, and a few trials against
					// many, up to four times the level. What comes of it in whole runs is
					// in TestCalibration.
					most := 1.1 * level
					if level < 0.01 {
						most = 4 * level
					}
					if p := probability(below); p > most {
						t.Errorf("limit %g, %g and %g trials, level %g, rate %.2f: below with probability %.2g", limit, n, m, level, second, p)
					}
				}
			}
		}
	}
}

// Five of five trials against none of eleven: Poisson counts make 1 in 335 of it,
// (5/16)^5; the exact conditional test (Fisher 1935) 1 in 4368; and the likeliest rate
// that both may have, 5/16, 1 in 20,700.
func TestFrequentEventsAreNotPoisson(t *testing.T) {
	t.Parallel()
	c := NewCounts(1)
	c.Add(PairedCounts{X: 5, N: 5, Y: 0, M: 11})
	if p := c.aboveLimit(1); math.Abs(p-math.Pow(5.0/16, 5)) > 1e-12 {
		t.Fatal("the Poisson test makes ", p)
	}
	if !c.Above(1e-3, 1) {
		t.Error("it is not above at a level of .001")
	}
	if c.Above(math.Pow(5.0/16, 5)*math.Pow(11.0/16, 11), 1) {
		t.Error("it is above at a level below its own probability")
	}
}

// Rare events are compared as they were.
func TestRareEventsAreComparedAsPoisson(t *testing.T) {
	t.Parallel()
	c := NewCounts(1.25)
	for _, v := range []PairedCounts{{X: 30, N: 200, Y: 9, M: 100}, {X: 45, N: 250, Y: 11, M: 130}, {X: 41, N: 240, Y: 9, M: 120}} {
		c.Add(v)
	}
	for level := 0.3; level > 1e-6; level /= 3 {
		if got, want := c.Above(level, 1), c.aboveLimit(1) < level; got != want {
			t.Errorf("level %g: above is %v, by the conditional test %v", level, got, want)
		}
	}
}

func TestFrequentLimitsSayWhatTheClaimsSay(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		c := NewCounts(1 + rng.Float64())
		first, second := 0.3+0.7*rng.Float64(), 0.3+0.7*rng.Float64()
		for range 3 + rng.IntN(20) {
			n, m := 20*rng.Float64(), 20*rng.Float64()
			c.Add(PairedCounts{X: first * n, N: n, Y: second * m, M: m})
		}
		level := 0.49 * math.Pow(rng.Float64(), 4)
		phi := c.Dispersion(level)
		lower, estimate, upper := c.RatioLower(level, phi), c.Ratio(), c.RatioUpper(level, phi)
		if !(lower <= estimate && estimate <= upper) {
			t.Fatalf("level %g: %g <= %g <= %g does not hold", level, lower, estimate, upper)
		}
		near(t, "estimate", estimate, first/second, 1e-12)
		if by := lower > c.limit; by != c.Above(level, phi) && math.Abs(lower-c.limit) > 1e-9 {
			t.Errorf("the lower limit %g says %v of being above %g", lower, by, c.limit)
		}
		if by := upper < c.limit; by != c.Below(level, phi) && math.Abs(upper-c.limit) > 1e-9 {
			t.Errorf("the upper limit %g says %v of being below %g", upper, by, c.limit)
		}
	}
}

// Error rates that rise by and by, while the first arm gets more and more of the traffic,
// are the same in both arms and stay so.
func TestFrequentEventsAreComparedWithinTheirInterval(t *testing.T) {
	t.Parallel()
	c := NewCounts(1.25)
	for k := range 40 {
		rate, share := 0.2+0.015*float64(k), 0.05+0.02*float64(k)
		n, m := 1000*share, 1000*(1-share)
		c.Add(PairedCounts{X: rate * n, N: n, Y: rate * m, M: m})
	}
	near(t, "ratio", c.Ratio(), 1, 1e-12)
	if sums := c.Totals(); sums.X/sums.N < 1.25*sums.Y/sums.M {
		t.Fatalf("the sums are alike, and show nothing: %+v", sums)
	}
	if c.Above(0.4, 1) || !c.Below(0.01, 1) {
		t.Error("equal rates are not shown to be")
	}
}
