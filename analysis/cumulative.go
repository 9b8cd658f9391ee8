package analysis

import "math"

// growth is how the counts of one arm develop, to tell counts of steps from counters that
// were put in as they are and count from their start.
type growth struct {
	seen         int // steps with counts
	steps        int // those with other counts than the one before
	total, bad   float64
	fell         bool    // a total did not grow, or bad events became fewer
	levels       float64 // sum of all totals
	sum, squares float64 // of the differences of neighbouring totals
}

// From leastGrowth steps on, totals that never fell are taken for those of a counter. Of
// three independent numbers one in six grows twice, and in both arms one in 36; the first one
// that does not grow ends it. Load that climbs grows, too: from manySteps on the growth must be
// even as well.
const (
	leastGrowth = 3
	manySteps   = 10
)

// evenly is how little the growth of a counter varies, as a share of the level. The
// difference of two independent counts varies by twice their level (a Poisson variable's
// variance is its mean), and by more when events come in bursts; that of two states
// of a counter by what happens in a step, which is little beside all that it has counted.
const evenly = 1

// add takes the counts of a step; NaN for bad events is silence about them.
func (g *growth) add(total, bad float64) {
	if math.IsNaN(total) {
		return
	}
	g.seen++
	if g.steps > 0 {
		d := total - g.total
		if d == 0 && (math.IsNaN(bad) || bad == g.bad) {
			return // a counter that nothing happened to, or that was not read anew
		}
		g.fell = g.fell || d <= 0 || bad < g.bad
		g.sum += d
		g.squares += d * d
	}
	g.steps++
	g.total, g.levels = total, g.levels+total
	if !math.IsNaN(bad) {
		g.bad = bad
	}
}

// cumulative reports whether the counts look like the states of a counter.
func (g *growth) cumulative() bool {
	// Load in stages grows, too, and stays for longer.
	if g.steps < leastGrowth || g.fell || 2*g.steps < g.seen {
		return false
	}
	if g.steps < manySteps {
		return true
	}
	n := float64(g.steps - 1)
	mean := g.sum / n
	return (g.squares-n*mean*mean)/(n-1) < evenly*g.levels/float64(g.steps)
}
