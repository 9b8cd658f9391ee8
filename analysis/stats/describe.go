package stats

import (
	"math"

	"github.com/montanaflynn/stats"
)

// Description is a plain description of a sample, in the sample's unit. All
// but N are NaN for an empty sample.
type Description struct {
	N                      int
	Mean, Median, Min, Max float64
	P95                    float64 // 95th percentile, by linear interpolation
	Deviation              float64 // standard deviation with divisor N-1; NaN below two values
}

// Describe describes a sample of finite values.
func Describe(sample []float64) Description {
	d := Description{N: len(sample)}
	// The library reports an empty sample as an error and returns NaN with it,
	// which is what a Description says of it too.
	d.Mean, _ = stats.Mean(sample)
	d.Median, _ = stats.Median(sample)
	d.Min, _ = stats.Min(sample)
	d.Max, _ = stats.Max(sample)
	d.P95, _ = stats.Percentile(sample, 95)
	d.Deviation = math.NaN()
	if len(sample) > 1 {
		d.Deviation, _ = stats.StandardDeviationSample(sample)
	}
	return d
}
