package analysis

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// hist is a histogram of 1000 observations with shares of a hundredth.
func hist(bounds []float64, percent ...float64) stats.Histogram {
	h := stats.Histogram{Bounds: bounds, Counts: make([]float64, len(percent))}
	for i, p := range percent {
		h.Counts[i] = 10 * p
	}
	return h
}

func bucketPair(canary, baseline stats.Histogram) Pair {
	return Pair{Baseline: BucketSample(baseline), Canary: BucketSample(canary)}
}

func TestSlowerThanBetweenBounds(t *testing.T) {
	t.Parallel()
	half, three := []float64{0.5, 1}, []float64{0.5, 1, 2.5}
	steady := func(p Pair) func(int) Pair { return func(int) Pair { return p } }
	for _, c := range []struct {
		name         string
		pair         func(step int) Pair
		absolute     bool
		direction    Direction
		floor        float64
		want         Verdict
		cause        Cause
		below, above float64
	}{
		// Above 0.8 s may lie all of the canary's and none of the baseline's.
		{"all may be slower", steady(bucketPair(hist(three, 0, 100, 0, 0), hist(three, 100, 0, 0, 0))), false, Increase, 0.001, VerdictInconclusive, UnmeasuredBound, 0.5, 1},
		// At either bound the arms are equal: 0.9 s against 0.6 s.
		{"equal at both bounds", steady(bucketPair(hist(half, 0, 100, 0), hist(half, 0, 100, 0))), false, Increase, 0, VerdictInconclusive, UnmeasuredBound, 0.5, 1},
		// 2% against 1% above 1 s, and 11% against 11% above 0.8 s if the rest is slower.
		{"twice as many above the bound above", steady(bucketPair(hist(half, 89, 9, 2), hist(half, 89, 10, 1))), false, Increase, 0, VerdictInconclusive, UnmeasuredBound, 0.5, 1},
		// At least 30% against at most 6%.
		{"more for certain", steady(bucketPair(hist(half, 50, 20, 30), hist(half, 94, 5, 1))), false, Increase, 0, VerdictFail, "", 0.5, 1},
		// At most 3% against at least 5%.
		{"fewer for certain", steady(bucketPair(hist(half, 97, 2, 1), hist(half, 90, 5, 5))), false, Increase, 0, VerdictPass, "", 0.5, 1},
		{"below the floor for certain", steady(bucketPair(hist(half, 97, 2, 1), hist(half, 98, 1, 1))), false, Increase, 0.05, VerdictPass, "", 0.5, 1},
		{"points more for certain", steady(bucketPair(hist(half, 50, 20, 30), hist(half, 94, 5, 1))), true, Increase, 0, VerdictFail, "", 0.5, 1},
		{"points fewer for certain", steady(bucketPair(hist(half, 97, 2, 1), hist(half, 97, 2, 1))), true, Increase, 0, VerdictPass, "", 0.5, 1},
		// A decrease is bad: at most 3% against at least 5%, and the other way round.
		{"a decrease for certain", steady(bucketPair(hist(half, 97, 2, 1), hist(half, 90, 5, 5))), false, Decrease, 0, VerdictFail, "", 0.5, 1},
		{"no decrease for certain", steady(bucketPair(hist(half, 90, 5, 5), hist(half, 97, 2, 1))), false, Decrease, 0, VerdictPass, "", 0.5, 1},
		{"either way, down", steady(bucketPair(hist(half, 97, 2, 1), hist(half, 90, 5, 5))), false, Either, 0, VerdictFail, "", 0.5, 1},
		{"either way, equal", steady(bucketPair(hist(half, 89, 10, 1), hist(half, 89, 10, 1))), false, Either, 0, VerdictInconclusive, UnmeasuredBound, 0.5, 1},
		// The canary lacks 0.8 s: 11% of the baseline's against 1 to 11%.
		{"one arm lacks the bound", steady(bucketPair(hist(half, 89, 10, 1), hist([]float64{0.5, 0.8, 1}, 80, 9, 10, 1))), false, Increase, 0, VerdictPass, "", 0.5, 1},
		{"one arm lacks the bound, and may be worse", steady(bucketPair(hist(half, 80, 19, 1), hist([]float64{0.5, 0.8, 1}, 80, 16, 3, 1))), false, Increase, 0, VerdictInconclusive, UnmeasuredBound, 0.5, 1},
		{"above all bounds", steady(bucketPair(hist([]float64{0.5}, 80, 20), hist([]float64{0.5}, 80, 20))), false, Increase, 0, VerdictInconclusive, UnmeasuredBound, 0.5, math.Inf(1)},
		// New pods with other bounds after 3 steps; nothing changed otherwise.
		{"bounds that change", func(step int) Pair {
			b := hist([]float64{0.4, 0.8, 1.6}, 88, 6, 4, 2)
			if step >= 3 {
				return bucketPair(hist([]float64{0.5, 1, 2.5}, 91, 5, 3, 1), b)
			}
			return bucketPair(b, b)
		}, false, Increase, 0, VerdictInconclusive, UnmeasuredBound, 0.5, 1},
		{"empty buckets hide nothing", steady(bucketPair(hist(half, 94, 0, 6), hist(half, 94, 0, 6))), false, Increase, 0, VerdictPass, "", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := Metric{Name: "slow", Kind: Histogram, SlowerThan: 0.8, Tolerance: Tolerance{Size: 0.25}, Floor: c.floor, Direction: c.direction}
			if c.absolute {
				m.Tolerance = Tolerance{Size: 0.1, Absolute: true}
			}
			// A little noise, so that the arms are not one series.
			r := judge(t, m, 40, repeat(40, func(i int) Pair {
				p := c.pair(i)
				h := p.Canary.Buckets()
				more := stats.Histogram{Bounds: h.Bounds, Counts: make([]float64, len(h.Counts))}
				for k, n := range h.Counts {
					more.Counts[k] = n * (1 + 0.01*float64(i%7))
				}
				return bucketPair(more, p.Baseline.Buckets())
			})...)
			got := r.Metrics[0]
			if r.Verdict != c.want || got.Cause != c.cause || got.BoundBelow != c.below || got.BoundAbove != c.above {
				t.Errorf("%v (%s) between %g and %g, effect %+v", r.Verdict, got.Cause, got.BoundBelow, got.BoundAbove, got.Effect)
			}
		})
	}
}

// Brute force: whatever the truth between the bounds, a claim on what is known of it
// is a claim on the truth.
func TestABracketClaimsNothingThatIsNotSo(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 12))
	claims := [2]int{}
	for range 4000 {
		m := Metric{Name: "slow", Kind: Histogram, SlowerThan: 1, Tolerance: Tolerance{Size: 0.25}, PoissonCounts: true}
		switch rng.IntN(3) {
		case 0:
			m.Tolerance = Tolerance{Size: 0.05, Absolute: true}
		case 1:
			m.Floor = 0.1
		}
		d := Direction(rng.IntN(2))
		if m.Floor > 0 {
			d = Increase
		}
		known, truth := m.method().evidence(m, d, nil), newCountsEvidence(m, d, nil, false)
		for range 3 {
			n, y := float64(100+rng.IntN(400)), float64(100+rng.IntN(400))
			sure, open := rng.Float64(), 0.2*rng.Float64()*rng.Float64()
			arm := func(n, at float64) (least, true, most float64) {
				least = math.Round(n * at * rng.Float64())
				most = math.Min(n, least+math.Round(n*open))
				return least, least + math.Round((most-least)*rng.Float64()), most
			}
			lc, tc, mc := arm(n, sure)
			lb, tb, mb := arm(y, sure)
			known.add(bracket{
				low:  observation{counts: stats.PairedCounts{X: lc, N: n, Y: mb, M: y}},
				high: observation{counts: stats.PairedCounts{X: mc, N: n, Y: lb, M: y}},
			})
			truth.add(exact(observation{counts: stats.PairedCounts{X: tc, N: n, Y: tb, M: y}}))
		}
		const level = 0.01
		if known.beyond(level, false) {
			claims[0]++
			if !truth.beyond(level, false) {
				t.Fatalf("%v, %+v: beyond the tolerance, which the truth is not", d, m.Tolerance)
			}
		}
		if known.within(level, false) {
			claims[1]++
			if !truth.within(level, false) {
				t.Fatalf("%v, %+v: within the tolerance, which the truth is not", d, m.Tolerance)
			}
		}
	}
	if claims[0] < 100 || claims[1] < 100 {
		t.Errorf("only %v claims were put to the test", claims)
	}
}

// A quantile in a bucket that is wider than what is asked for, in either arm, is
// known only between the bucket's ends.
func TestQuantilesInWideBuckets(t *testing.T) {
	t.Parallel()
	fine := []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5}
	coarse := []float64{0.1, 1, 2.5}
	by16 := func(from float64) (bounds []float64) {
		for b := from; b < 5; b *= 1.6 {
			bounds = append(bounds, b)
		}
		return bounds
	}
	// Lognormal latencies of a median of 0.2 s, sigma 0.6: p95 is at 0.54 s.
	draw := func(rng *rand.Rand, bounds []float64, factor float64) stats.Histogram {
		h := stats.Histogram{Bounds: bounds, Counts: make([]float64, len(bounds)+1)}
		for range 600 {
			v, i := 0.2*factor*math.Exp(0.6*rng.NormFloat64()), 0
			for i < len(bounds) && v > bounds[i] {
				i++
			}
			h.Counts[i]++
		}
		return h
	}
	for _, c := range []struct {
		name             string
		canary, baseline []float64
		factor           float64
		want             Verdict
		cause            Cause
	}{
		{"healthy, coarser in the canary", coarse, fine, 1, VerdictInconclusive, CoarseBuckets},
		{"healthy, coarser in the baseline", fine, coarse, 1, VerdictInconclusive, CoarseBuckets},
		{"healthy, coarse in both", coarse, coarse, 1, VerdictInconclusive, CoarseBuckets},
		// p95 at 2.2 s against 0.54 s: above 1 s against at most 1 s, which may be equal.
		{"may be equal", coarse, coarse, 4, VerdictInconclusive, CoarseBuckets},
		// 1.6x a bucket is within two and a half times the tolerance, which will do where
		// both arms have the bucket.
		{"healthy, the same buckets", by16(0.05), by16(0.05), 1, VerdictPass, ""},
		{"healthy, others", by16(0.05), by16(0.06), 1, VerdictInconclusive, CoarseBuckets},
		// Above 1 s against at most 0.5 s or 1 s.
		{"slower for certain", fine, []float64{0.05, 0.1, 0.25, 0.6, 1}, 4, VerdictFail, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(7, 8))
			m := Metric{Name: "p95", Kind: Histogram, Quantile: 0.95, Tolerance: Tolerance{Size: 0.25}}
			r := judge(t, m, 40, repeat(40, func(int) Pair { return bucketPair(draw(rng, c.canary, c.factor), draw(rng, c.baseline, 1)) })...)
			if got := r.Metrics[0]; r.Verdict != c.want || got.Cause != c.cause {
				t.Errorf("%v (%s), effect %+v", r.Verdict, got.Cause, got.Effect)
			}
		})
	}
}

// New pods of a healthy canary have other buckets from step 15 on.
func TestQuantilesWhoseBucketsChange(t *testing.T) {
	t.Parallel()
	a, b := []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5}, []float64{0.05, 0.1, 0.2, 0.4, 0.8, 1.6}
	ha, hb := hist(a, 1, 11, 52, 29, 6.6, 0.4, 0), hist(b, 1, 11, 38, 37, 12, 1, 0)
	m := Metric{Name: "p95", Kind: Histogram, Quantile: 0.95, Tolerance: Tolerance{Size: 0.25}}
	r := judge(t, m, 40, repeat(40, func(i int) Pair {
		if i < 15 {
			return bucketPair(ha, ha)
		}
		return bucketPair(hb, ha)
	})...)
	if got := r.Metrics[0]; r.Verdict != VerdictInconclusive || got.Cause != CoarseBuckets {
		t.Errorf("%v (%s)", r.Verdict, got.Cause)
	}
}

// The canary has no buckets where the baseline has its highest ones.
func TestOffTheScaleOfOneArmOnly(t *testing.T) {
	t.Parallel()
	m := Metric{Name: "p95", Kind: Histogram, Quantile: 0.95, Tolerance: Tolerance{Size: 0.25}}
	low, high := []float64{0.1, 0.11, 0.12}, []float64{0.1, 0.11, 0.12, 0.13, 0.14}
	r := judge(t, m, 40, repeat(40, func(i int) Pair {
		return bucketPair(hist(low, 50, 20, 20, 10+float64(i%3)), hist(high, 50, 20, 20, 8, 2, 0))
	})...)
	if got := r.Metrics[0]; r.Verdict != VerdictInconclusive || got.Cause != OffScale {
		t.Errorf("%v (%s)", r.Verdict, got.Cause)
	}
}

// Every sixth minute is eight times as slow; docs/statistics/method.md, section 10, point 7.
func TestSpikesOfTheCanaryAloneDoNotPass(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	noisy := func(every int, both bool) []Pair {
		return repeat(40, func(i int) Pair {
			c, b := 100*math.Exp(0.04*rng.NormFloat64()), 100*math.Exp(0.04*rng.NormFloat64())
			if every > 0 && i%every == 5 {
				c *= 8
				if both {
					b *= 8
				}
			}
			return values(c, b)
		})
	}
	r := judge(t, value(0.1), 40, noisy(6, false)...)
	got := r.Metrics[0]
	// Six of 40 steps: 8^(6/40) - 1.
	if r.Verdict != VerdictInconclusive || got.Cause != SpikesAdd || math.Abs(got.MeanChange-0.366) > 0.05 {
		t.Errorf("%v (%s), mean %g", r.Verdict, got.Cause, got.MeanChange)
	}
	if r := judge(t, value(0.1), 40, noisy(0, false)...); r.Verdict != VerdictPass {
		t.Errorf("without spikes: %v", r.Verdict)
	}
	if r := judge(t, value(0.1), 40, noisy(6, true)...); r.Verdict != VerdictPass {
		t.Errorf("with spikes in both arms: %v", r.Verdict)
	}
}
