package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/canary-judge/canary-judge/analysis"
)

// mostBounds is how many bucket bounds a list names.
const mostBounds = 16

// Bounds lists bucket bounds, which ascend, in a metric's unit: the first and the
// last where there are too many to read.
func Bounds(bounds []float64, unit string) string {
	var all []string
	for _, b := range bounds {
		all = append(all, measure(b, unit))
	}
	switch n := len(all); {
	case n == 0:
		return "none"
	case n > mostBounds:
		return fmt.Sprintf("%d from %s to %s", n, all[0], all[n-1])
	}
	return strings.Join(all, ", ")
}

// NextBounds says which bucket bounds are next to x, which is none; -Inf and +Inf
// stand for none below and above.
func NextBounds(x, below, above float64, unit string) string {
	text := fmt.Sprintf("no bucket ends at %s", measure(x, unit))
	switch {
	case math.IsInf(below, -1) && math.IsInf(above, 1):
		return text + ", and no other does"
	case math.IsInf(below, -1):
		return text + fmt.Sprintf(": the first ends at %s", measure(above, unit))
	case math.IsInf(above, 1):
		return text + fmt.Sprintf(": the last ends at %s", measure(below, unit))
	}
	return text + fmt.Sprintf(": the next ones end at %s and %s", measure(below, unit), measure(above, unit))
}

// bothHave says at which bounds arms can be compared.
func bothHave(bounds []float64, unit string) string {
	if len(bounds) == 0 {
		return "the arms have no bucket bound in common"
	}
	return "set slower_than to a bound that both arms have: " + Bounds(bounds, unit)
}

// surelySlower returns above what the requests that count as slow lie: the bound
// asked for, or the one above it that there is.
func surelySlower(from analysis.MetricResult) float64 {
	if from.BoundAbove > from.BoundBelow && !math.IsInf(from.BoundAbove, 1) {
		return from.BoundAbove
	}
	return from.SlowerThan
}
