package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// randomMixture returns what is known of a series drawn at random: short or long, with
// slow noise or none, with outliers or without.
func randomMixture(rng *rand.Rand) Mixture {
	var m Moments
	slow, outliers, y := 0.98*rng.Float64(), 0.05*float64(rng.IntN(2)), 0.0
	for range 2 + rng.IntN(200) {
		e := rng.NormFloat64()
		if rng.Float64() < outliers {
			e *= 20
		}
		y = slow*y + e
		m.Add(y)
	}
	if rng.IntN(2) == 0 {
		return MeanMixture(nil, m, 1e-9)
	}
	counting := math.Exp(3 * rng.NormFloat64())
	return NoiseMixture(nil, m, counting, 100*rng.Float64())
}

// A quantile is where the tail has its probability, whatever the mixture: also where a
// component of little weight makes up the tail, which no first guess knows of.
func TestQuantilesInvertTails(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50000 {
		mix, p := randomMixture(rng), math.Exp(-25*rng.Float64())
		near(t, "upper tail", mix.Tail(mix.TailQuantile(p)), p, 1e-12)
		near(t, "lower tail", mix.CDF(mix.Quantile(p)), p, 1e-12)
	}
}

func BenchmarkTailQuantile(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	mixtures := make([]Mixture, 64)
	for i := range mixtures {
		mixtures[i] = randomMixture(rng)
	}
	for i := 0; b.Loop(); i++ {
		mixtures[i%len(mixtures)].TailQuantile(1e-5)
	}
}
