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
// pair a step, those of the warm-up included: users met the canary then, too. It
// returns false when the canary has had no request, or when the metric
// counts nothing. Of a slower-than histogram, those that are certain to be slower count
// as bad, in both arms.
func MeasureBlast(m Metric, pairs []Pair) (b BlastRadius, ok bool) {
	if !m.Counted() {
		return b, false
	}
	series := stats.NewCounts(1)
	var sum stats.PairedCounts
	for _, p := range pairs {
		v := m.events(p)
		series.Add(v)
		sum.X += v.X
		sum.N += v.N
		sum.Y += v.Y
		sum.M += v.M
	}
	b = BlastRadius{Requests: sum.N, All: sum.N + sum.M, Failed: sum.X, Excess: sum.N * sum.Difference(1), Lower: math.NaN(), Upper: math.NaN()}
	if series.Len() >= firstLookRatio {
		phi := series.Dispersion(blastLevel)
		b.Lower = sum.N * sum.DifferenceLower(1, blastLevel, phi)
		b.Upper = sum.N * sum.DifferenceUpper(1, blastLevel, phi)
	}
	return b, sum.N > 0
}
