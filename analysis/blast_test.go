package analysis

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

func TestBlastRadius(t *testing.T) {
	t.Parallel()
	// 100 requests a step, 8% of which fail, beside 900 of which 2% do; in one step the
	// baseline is silent and in one the canary.
	pairs := repeat(10, func(int) Pair { return rates(8, 100, 18, 900) })
	pairs = append(pairs, rates(8, 100, nan, nan), rates(nan, nan, 18, 900))
	b, ok := MeasureBlast(ratio(0.25, 0), pairs)
	if !ok || b.Requests != 1100 || b.Failed != 88 || b.All != 1100+9900 {
		t.Errorf("%+v", b)
	}
	near(t, "excess", b.Excess, 88-0.02*1100, 1e-12)
	if !(b.Lower > 0 && b.Lower < b.Excess && b.Excess < b.Upper) {
		t.Errorf("the interval of %g is %g to %g", b.Excess, b.Lower, b.Upper)
	}
	full := b.AtFullTraffic()
	near(t, "failed at full traffic", full.Failed, 0.08*11000, 1e-12)
	near(t, "excess at full traffic", full.Excess, 0.06*11000, 1e-12)

	h := func(fast, slow float64) stats.Histogram {
		return stats.Histogram{Bounds: []float64{0.5}, Counts: []float64{fast, slow}}
	}
	slow := Metric{Kind: Histogram, SlowerThan: 0.5}
	b, ok = MeasureBlast(slow, []Pair{{Baseline: BucketSample(h(90, 10)), Canary: BucketSample(h(30, 20))}})
	if !ok || b.Requests != 50 || b.Failed != 20 || math.Abs(b.Excess-15) > 1e-12 || !math.IsNaN(b.Lower) {
		t.Errorf("slow requests: %+v", b)
	}
	if _, ok := MeasureBlast(value(0.1), pairs); ok {
		t.Error("a value counts no requests")
	}
	if _, ok := MeasureBlast(ratio(0.25, 0), pairs[11:]); ok {
		t.Error("a canary without requests has a blast radius")
	}
}

// The interval of the excess covers the truth as often as it says, with clean
// counts and with ones that come in bursts.
func TestBlastRadiusInterval(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(12, 26))
	poisson := func(mean float64) float64 {
		var n float64
		for limit, p := math.Exp(-mean), rng.Float64(); p > limit; p *= rng.Float64() {
			n++
		}
		return n
	}
	for _, sd := range []float64{0, 0.3} {
		const runs = 600
		covered := 0
		for range runs {
			b, _ := MeasureBlast(ratio(0.25, 0), repeat(20, func(int) Pair {
				noise := func() float64 { return math.Exp(sd*rng.NormFloat64() - sd*sd/2) }
				return rates(poisson(8*noise()), 200, poisson(16*noise()), 800)
			}))
			// The canary fails 4%, the baseline 2%: of 4,000 requests 80 more.
			if b.Lower <= 80 && 80 <= b.Upper {
				covered++
			}
		}
		if c := float64(covered) / runs; c < 0.94 {
			t.Errorf("noise %g: the interval covers the truth in %.3f of the runs, want 0.95", sd, c)
		}
	}
}
