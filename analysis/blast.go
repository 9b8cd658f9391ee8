package analysis

import (
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// BlastRadius is the traffic that met the canary, and the harm it did to it.
type BlastRadius struct {
	Requests float64 // of the canary
	All      float64 // of both arms
	Failed   float64 // bad ones among Requests
	// Excess is how many more of Requests failed than at the baseline's rate, less
	// than 0 where fewer did. NaN without traffic in the baseline.
	Excess float64
	// Lower and Upper are the limits of its confidence interval, each at
	// blastLevel; NaN when there are too few steps to tell how the counts scatter.
	Lower, Upper float64
}

const (
	// blastLevel is the one-sided level of the limits of Excess: together 95%. It is
	// an ordinary interval, said once when all is over, and makes no decision.
	blastLevel = 0.025
)

// AtFullTraffic returns what the blast radius would have been had all requests met
// the canary.
func (b BlastRadius) AtFullTraffic() BlastRadius {
	more := b.All / b.Requests
	return BlastRadius{
		Requests: b.All, All: b.All, Failed: b.Failed * more,
		Excess: b.Excess * more, Lower: b.Lower * more, Upper: b.Upper * more,
	}
}

// MeasureBlast sums up the samples of a metric whose bad events are counted, a
// pair a step, those of the warm-up included: users met the canary then, too. Steps in which
// the arms share the traffic differently, such as the stages of a ramp, are given apart: each
// is compared within itself, and what they come to is added up, with the errors of their limits
// in squares. It
// returns false when the canary has had no request, or when the metric
// counts nothing. Of a slower-than histogram, those that are certain to be slower count
// as bad, in both arms.
func MeasureBlast(m Metric, strata ...[]Pair) (b BlastRadius, ok bool) {
	if !m.Counted() {
		return b, false
	}
	series := stats.NewCounts(1)
	sums := make([]stats.PairedCounts, len(strata))
	for i, pairs := range strata {
		for _, p := range pairs {
			v := m.events(p)
			series.Add(v)
			sums[i] = sums[i].Plus(v)
		}
	}
	enough := series.Len() >= firstLookRatio
	phi, below, above := math.NaN(), 0.0, 0.0
	if enough {
		phi = series.Dispersion(blastLevel)
	}
	for _, sum := range sums {
		b.All += sum.N + sum.M
		if sum.N == 0 {
			continue
		}
		b.Requests += sum.N
		b.Failed += sum.X
		excess := sum.N * sum.Difference(1)
		b.Excess += excess
		if enough {
			below = math.Hypot(below, excess-sum.N*sum.DifferenceLower(1, blastLevel, phi))
			above = math.Hypot(above, sum.N*sum.DifferenceUpper(1, blastLevel, phi)-excess)
		}
	}
	b.Lower, b.Upper = math.NaN(), math.NaN()
	if enough {
		b.Lower, b.Upper = b.Excess-below, b.Excess+above
	}
	return b, b.Requests > 0
}
