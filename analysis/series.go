package analysis

import (
	"math"
	"time"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// Point is one value of a series.
type Point struct {
	Time  time.Time // start of the step, UTC
	Value float64   // in the series' unit; NaN = gap
	// Buckets holds the observations of the step for a series of histograms; no
	// Counts = gap. Value is NaN then.
	Buckets stats.Histogram
}

// Gap reports whether the point says only that there is nothing.
func (p Point) Gap() bool { return math.IsNaN(p.Value) && len(p.Buckets.Counts) == 0 }

// Series is the values of one metric over time.
type Series struct {
	Labels map[string]string
	Unit   string        // as the source names it; empty if it does not
	Step   time.Duration // distance between points; 0 = unknown
	Points []Point       // ascending, no two at one time
}

// Sample is what one arm showed in one step.
type Sample struct {
	Value float64 // of a Value metric; NaN = gap
	// Bad and Total are the counts of a Ratio or of Checks. Total NaN = gap; Bad NaN
	// with a Total = the source mentioned no bad events, which counts as 0.
	Bad, Total float64
	Buckets    stats.Histogram // of a Histogram metric; no Counts = gap
}

// NoSample is an arm that showed nothing.
func NoSample() Sample { return Sample{Value: math.NaN(), Bad: math.NaN(), Total: math.NaN()} }

// Pair is one metric's step of both arms.
type Pair struct {
	Baseline, Canary Sample
}
