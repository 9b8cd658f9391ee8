package job

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/providers"
)

// grid is the steps of a window.
type grid struct {
	start time.Time
	step  time.Duration
	steps int
	times []time.Time // of steps that are not evenly spaced; nil otherwise
}

// irregular is the grid of the given times, each a step that lasts until the
// next.
func irregular(times []time.Time) grid {
	return grid{start: times[0], step: TypicalStep(times), steps: len(times), times: times}
}

// TypicalStep returns the median distance between times.
func TypicalStep(times []time.Time) time.Duration {
	var distances []time.Duration
	for i := 1; i < len(times); i++ {
		distances = append(distances, times[i].Sub(times[i-1]))
	}
	if len(distances) == 0 {
		return time.Second
	}
	sort.Slice(distances, func(i, j int) bool { return distances[i] < distances[j] })
	return distances[len(distances)/2]
}

// time returns the start of a step.
func (g grid) time(step int) time.Time {
	if g.times != nil {
		return g.times[step]
	}
	return g.start.Add(time.Duration(step) * g.step)
}

// end returns the end of a step.
func (g grid) end(step int) time.Time { return g.time(step).Add(g.step) }

func (g grid) all() []time.Time {
	all := make([]time.Time, g.steps)
	for i := range all {
		all[i] = g.time(i)
	}
	return all
}

// index returns the step that starts at a time, and false when none does.
func (g grid) index(at time.Time) (int, bool) {
	if g.times != nil {
		i := sort.Search(len(g.times), func(i int) bool { return !g.times[i].Before(at) })
		return i, i < len(g.times) && g.times[i].Equal(at)
	}
	d := at.Sub(g.start)
	return int(d / g.step), d%g.step == 0 && d >= 0 && int(d/g.step) < g.steps
}

// before returns the number of steps that have ended at a time.
func (g grid) before(at time.Time) int {
	return sort.Search(g.steps, func(i int) bool { return g.end(i).After(at) })
}

// samples is what each metric showed in each arm and step.
type samples struct {
	config  *config.Config
	grid    grid
	of      map[providers.Arm][][]analysis.Sample // by metric and step
	clamped []int
}

func newSamples(c *config.Config, g grid) *samples {
	s := &samples{config: c, grid: g, of: map[providers.Arm][][]analysis.Sample{}, clamped: make([]int, len(c.Metrics))}
	for _, arm := range providers.Arms {
		all := make([][]analysis.Sample, len(c.Metrics))
		for i := range all {
			all[i] = make([]analysis.Sample, g.steps)
		}
		s.of[arm] = all
	}
	return s
}

// take lays a series on the grid, for the steps from first to before end.
func (s *samples) take(p place, series analysis.Series, first, end int) error {
	offset := s.config.Arms[p.query.Arm].Offset
	into := s.of[p.query.Arm][p.metric]
	for _, point := range series.Points {
		step, ok := s.grid.index(point.Time.Add(offset))
		if !ok {
			return providers.Place(p.query, fmt.Errorf("a point at %s does not start a step of %s; record and judge with the same step",
				point.Time.Format(time.RFC3339Nano), s.grid.step))
		}
		if step < first || step >= end {
			continue
		}
		into[step] = p.query.Part.With(into[step], point)
	}
	return nil
}

// pairs returns the pairs of a step, one a metric.
func (s *samples) pairs(step int) []analysis.Pair {
	pairs := make([]analysis.Pair, len(s.config.Metrics))
	for i, m := range s.config.Metrics {
		if m.GapsOf >= 0 {
			pairs[i] = analysis.Pair{Baseline: s.gap(providers.Baseline, m.GapsOf, step), Canary: s.gap(providers.Canary, m.GapsOf, step)}
			s.of[providers.Baseline][i][step], s.of[providers.Canary][i][step] = pairs[i].Baseline, pairs[i].Canary
			continue
		}
		pairs[i] = analysis.Pair{Baseline: s.fit(providers.Baseline, i, step), Canary: s.fit(providers.Canary, i, step)}
	}
	return pairs
}

// gap counts a step without data as a failed check.
func (s *samples) gap(arm providers.Arm, metric, step int) analysis.Sample {
	return gapSample(s.config.Plan.Metrics[metric], s.of[arm][metric][step])
}

// gapSample is a failed check for what shows nothing of a metric, else one that did not
// fail.
func gapSample(m analysis.Metric, from analysis.Sample) analysis.Sample {
	if m.Shows(from) {
		return analysis.CountSample(0, 1)
	}
	return analysis.CountSample(1, 1)
}

// Fractional counts are extrapolated, each series a little differently, so that
// of events that are all bad there may seem to be more bad ones than events.
// Up to this excess that is what it means; beyond it the queries do not belong
// together, and the judge says so.
const (
	excessEvents = 1
	excessShare  = 0.05
)

// fit returns a sample whose counts fit together.
func (s *samples) fit(arm providers.Arm, metric, step int) analysis.Sample {
	sample := &s.of[arm][metric][step]
	bad, total := sample.Bad(), sample.Total()
	whole := bad == math.Trunc(bad) && total == math.Trunc(total)
	allowed := math.Max(excessEvents, excessShare*total)
	switch {
	case whole:
	case bad > total && bad-total <= allowed:
		*sample = analysis.CountSample(total, total)
		s.clamped[metric]++
	case bad < 0 && -bad <= allowed:
		*sample = analysis.CountSample(0, total)
		s.clamped[metric]++
	}
	return *sample
}
