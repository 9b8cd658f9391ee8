package prometheus

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
)

// Classic histograms are a series for each bound. Which bounds there are is told by a
// step's own values alone: the same step reads the same in every window.

// mixedBounds is why a step is a gap whose counts were summed over different bounds.
const mixedBounds = "pods of this arm have different buckets"

// bound is the series of one bucket bound.
type bound struct {
	le     float64
	counts map[time.Time]float64 // cumulative, by step
	pods   map[time.Time]float64 // series that were summed, where it is known
}

// assemble makes histograms of the cumulative series of each bound, those of seriesCount
// among them.
func assemble(rows []row, q providers.Query) (analysis.Series, error) {
	bounds, err := boundsOf(rows, q)
	if err != nil {
		return analysis.Series{}, err
	}
	if !math.IsInf(bounds[len(bounds)-1].le, 1) {
		return analysis.Series{}, errors.New(`the bucket le="+Inf" is missing: how many observations there are cannot be told`)
	}
	labels := maps.Clone(rows[0].Metric)
	delete(labels, "le")
	delete(labels, countLabel)
	s := analysis.Series{Labels: labels, Step: q.Step}
	times := map[time.Time]bool{}
	for _, b := range bounds {
		for at := range b.counts {
			times[at] = true
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(times), time.Time.Compare) {
		s.Points = append(s.Points, pointAt(at, bounds, strings.Contains(q.Expr, "prometheus_buckets")))
	}
	return s, nil
}

// boundsOf returns the bounds by size. le="1" and le="1.0" are one, as they are for
// histogram_quantile: what pods count under either is added.
func boundsOf(rows []row, q providers.Query) ([]bound, error) {
	byLe := map[float64]*bound{}
	seen := map[[2]string]bool{}
	for _, r := range rows {
		text, of := r.Metric["le"], r.Metric[countLabel]
		le, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(le) || math.IsInf(le, -1) {
			return nil, fmt.Errorf("the bucket bound le=%q is no number", text)
		}
		if seen[[2]string{text, of}] {
			return nil, fmt.Errorf("the bucket le=%q is there twice; sum by (le)", text)
		}
		seen[[2]string{text, of}] = true
		points, err := r.points(q)
		if err != nil {
			return nil, err
		}
		b := byLe[le]
		if b == nil {
			b = &bound{le, map[time.Time]float64{}, map[time.Time]float64{}}
			byLe[le] = b
		}
		into := b.counts
		if of != "" {
			into = b.pods
		}
		for _, p := range points {
			if !p.Gap() {
				into[p.Time] += p.Value()
			}
		}
	}
	var all []bound
	for _, b := range byLe {
		all = append(all, *b)
	}
	slices.SortFunc(all, func(a, b bound) int { return cmp.Compare(a.le, b.le) })
	return all, nil
}

// Cumulative counts of the bounds are extrapolated one by one, which may leave a bound a
// hair below the one before it: up to these many events, or this share of them. A pod that
// does not know a bound leaves it lower by all that it counted.
const (
	hairEvents = 1
	hairShare  = 0.05
)

// pointAt returns the histogram of a step: its bounds are those with a count of their own.
// Without one for +Inf it is a gap; so it is where bounds were not counted by all of the
// pods that are summed.
func pointAt(at time.Time, bounds []bound, sparse bool) analysis.Point {
	last := bounds[len(bounds)-1]
	total, ok := last.counts[at]
	if !ok || math.IsInf(total, 0) {
		return analysis.ValuePoint(at, math.NaN())
	}
	var h stats.Histogram
	var below, highest float64
	for _, b := range bounds {
		c, ok := b.counts[at]
		if !ok {
			continue
		}
		if b.pods[at] != last.pods[at] || highest-c > math.Max(hairEvents, hairShare*highest) {
			return analysis.GapPoint(at, mixedBounds)
		}
		highest = math.Max(highest, c)
		c = math.Max(c, below)
		if !math.IsInf(b.le, 1) {
			c = math.Min(c, math.Max(total, below))
			h.Bounds = append(h.Bounds, b.le)
		}
		h.Counts = append(h.Counts, c-below)
		below = c
	}
	if sparse {
		h = occupied(h)
	}
	return analysis.BucketPoint(at, h)
}

// occupied returns a histogram without the bounds between buckets that hold nothing:
// where there is nothing, prometheus_buckets has a bound only because another step of the
// window has something.
func occupied(h stats.Histogram) stats.Histogram {
	var kept stats.Histogram
	for i, b := range h.Bounds {
		if h.Counts[i] > 0 || h.Counts[i+1] > 0 {
			kept.Bounds = append(kept.Bounds, b)
			kept.Counts = append(kept.Counts, h.Counts[i])
		}
	}
	kept.Counts = append(kept.Counts, h.Counts[len(h.Counts)-1])
	return kept
}
