package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The judge asks for a decision without dispersion and at a higher level first,
// and goes on only if that is favourable. That is sound as long as more
// dispersion and a smaller level never turn a claim true. Checked by brute
// force over small and large counts.
func TestDispersionAndLevelOnlyWeakenClaims(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20000 {
		scale := math.Exp(6 * rng.Float64())
		v := PairedCounts{N: math.Ceil(scale * (1 + 20*rng.Float64())), M: math.Ceil(scale * (1 + 20*rng.Float64()))}
		v.X, v.Y = math.Floor(v.N*math.Pow(rng.Float64(), 3)), math.Floor(v.M*math.Pow(rng.Float64(), 3))
		c := NewCounts(1 + rng.Float64())
		c.Add(v)
		ceiling := math.Pow(10, -1.3-4*rng.Float64())
		level, phi := ceiling*rng.Float64(), 1+9*rng.Float64()
		for _, claim := range []struct {
			name  string
			holds func(level, phi float64) bool
		}{
			{"above limit", func(a, phi float64) bool { return c.aboveLimit(phi) < a }},
			{"below limit", func(a, phi float64) bool { return c.belowLimit(phi) < a }},
			{"ratio above", c.Above},
			{"ratio below", c.Below},
			{"rate above", func(a, phi float64) bool { return c.FirstRateLower(a, phi) > 0.01 }},
			{"rate below", func(a, phi float64) bool { return c.FirstRateUpper(a, phi) < 0.01 }},
			{"difference above", func(a, phi float64) bool { return v.Difference(1) > 0.02 && v.DifferenceLower(1, a, phi) > 0.02 }},
			{"difference below", func(a, phi float64) bool { return v.Difference(1) < 0.02 && v.DifferenceUpper(1, a, phi) < 0.02 }},
		} {
			if claim.holds(level, phi) && !claim.holds(ceiling, 1) {
				t.Fatalf("%s: %+v holds at level %g and dispersion %g, not at %g and 1", claim.name, v, level, phi, ceiling)
			}
		}
	}
}

func TestLimitsHoldTheEstimate(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 2))
	for range 300 {
		c := NewCounts(1.25)
		for range 3 + rng.IntN(20) {
			n, m := float64(1+rng.IntN(2000)), float64(1+rng.IntN(2000))
			c.Add(PairedCounts{X: float64(rng.IntN(int(n)/4 + 1)), N: n, Y: float64(rng.IntN(int(m)/4 + 1)), M: m})
		}
		level := 0.49 * math.Pow(rng.Float64(), 4)
		phi := c.Dispersion(level)
		if phi < 1 || c.SecondDispersion() < 1 {
			t.Fatalf("a dispersion below 1: %g, %g", phi, c.SecondDispersion())
		}
		lower, estimate, upper := c.RatioLower(level, phi), c.Ratio(), c.RatioUpper(level, phi)
		if !math.IsNaN(estimate) && !(lower <= estimate && estimate <= upper) {
			t.Fatalf("level %g: %g <= %g <= %g does not hold", level, lower, estimate, upper)
		}
		// The p-value and the limit are two ways to say the same.
		if byLimit, byP := lower > 1.25, c.aboveLimit(phi) < level; byLimit != byP && math.Abs(lower-1.25) > 1e-6 {
			t.Fatalf("above 1.25 by limit %v (%g), by p-value %v", byLimit, lower, byP)
		}
		if byLimit, byP := upper < 1.25, c.belowLimit(phi) < level; byLimit != byP && math.Abs(upper-1.25) > 1e-6 {
			t.Fatalf("below 1.25 by limit %v (%g), by p-value %v", byLimit, upper, byP)
		}
		before := c.Dispersion(level)
		if c.Add(PairedCounts{N: 0, Y: 3, M: 10}) || c.Dispersion(level) != before || c.Ratio() != estimate {
			t.Fatal("an interval without a total changed something")
		}
	}
}

// With equal totals everywhere the conditional test is a binomial test, whose
// tail can be summed by hand.
func TestAboveLimitIsTheBinomialTail(t *testing.T) {
	t.Parallel()
	c := NewCounts(1.5)
	c.Add(PairedCounts{X: 5, N: 100, Y: 2, M: 100})
	c.Add(PairedCounts{X: 4, N: 100, Y: 1, M: 100})
	p := 1.5 / 2.5
	var want float64
	for k := 9; k <= 12; k++ {
		lg := func(n int) float64 { v, _ := math.Lgamma(float64(n + 1)); return v }
		want += math.Exp(lg(12) - lg(k) - lg(12-k) + float64(k)*math.Log(p) + float64(12-k)*math.Log(1-p))
	}
	near(t, "AboveLimit", c.aboveLimit(1), want, 1e-12)
}

func TestForecastAgreesWithTheTable(t *testing.T) {
	t.Parallel()
	// docs/statistics/method.md, section 6, for dispersion 1 and a small canary.
	for r, want := range map[float64]float64{0.05: 4300, 0.10: 1130, 0.25: 206, 0.50: 62, 1: 21} {
		near(t, "events", EventsToPass(r, 0, 1), want, 0.02)
	}
	near(t, "P1 events", EventsToPass(0.25, 1, 1), 412, 0.01)
}

// Sums of e^-mean mean^k / k!, by hand; 10 of 10 as R's ppois(10, 10).
func TestPoissonAtMost(t *testing.T) {
	for _, c := range []struct{ x, mean, want float64 }{
		{0, 0, 1}, {5, 0, 1}, {0, 3, math.Exp(-3)}, {2, 3, 8.5 * math.Exp(-3)}, {10, 10, 0.5830398},
	} {
		near(t, "at most", PoissonAtMost(c.x, c.mean), c.want, 1e-7)
	}
}
