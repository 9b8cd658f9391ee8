package job

import (
	"errors"
	"fmt"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// A source that reports less often than the step leaves the steps between without data. With
// half of them gone a value may be judged or not by a single point more or less, so that it
// is one rule that such a step is refused, whatever else is asked for with it. Counts are
// judged by the steps that have some: events may well come every other step.

// enoughPoints is how many evenly spaced points in each arm are no accident: that traffic
// which comes in every other step by chance does so takes luck of 1 in 4^10.
const enoughPoints = 6

// spacing returns how many steps lie from one with data to the next, and how many have data;
// 0 when they are not evenly spaced.
func spacing(steps int, has func(step int) bool) (distance, points int) {
	last := -1
	for step := range steps {
		if !has(step) {
			continue
		}
		if points++; points > 1 {
			if distance != 0 && step-last != distance {
				return 0, points
			}
			if distance = step - last; distance == 1 {
				return 1, points
			}
		}
		last = step
	}
	return distance, points
}

// checkSpacing reports a metric of which a live source has a value every few steps only, in
// both arms. A recording is judged by what it holds.
func (r *underWay) checkSpacing(ready int) error {
	if r.Recording == nil {
		return nil
	}
	var errs []error
	for i, m := range r.Config.Metrics {
		if !r.Config.Plan.Metrics[i].EachStepCounts() || m.GapsOf >= 0 || m.Of != "" {
			continue // a segment of few requests has a value now and then
		}
		distances := map[int]bool{}
		for _, arm := range providers.Arms {
			all := r.series.of[arm][i]
			distance, points := spacing(ready, func(step int) bool { return !all[step].Gap() })
			if points < enoughPoints {
				distance = 0
			}
			distances[distance] = true
		}
		if len(distances) != 1 || distances[0] || distances[1] {
			continue
		}
		for distance := range distances {
			errs = append(errs, &web.Error{
				Class: web.BadQuery, Doing: fmt.Sprintf("metric %q has %s", m.Name, everyText(distance, r.grid.step)),
			})
		}
	}
	return errors.Join(errs...)
}

// everyText says how often there is a value, and which step that asks for.
func everyText(distance int, step time.Duration) string {
	every := time.Duration(distance) * step
	return fmt.Sprintf("a value every %gs, and steps are of %gs: use step: %[1]gs", every.Seconds(), step.Seconds())
}

// Sparse says of an answer to a query that it has a value every few steps only, and which
// step that asks for; "" when it has not. It takes points from one end of the window to
// the other, at least three of them, or two where a number is asked for: bad events may keep
// away, and do not count.
func Sparse(q providers.Query, a providers.Answer) string {
	if len(a.Series) != 1 || q.Part == providers.Bad {
		return ""
	}
	there := map[int]bool{}
	for _, p := range a.Series[0].Points {
		if !p.Gap() {
			there[int(p.Time.Sub(q.Start)/q.Step)] = true
		}
	}
	steps := q.Steps()
	distance, points := spacing(steps, func(step int) bool { return there[step] })
	least := 3
	if q.Part == providers.Value {
		least = 2
	}
	if distance < 2 || points < least {
		return ""
	}
	first, last := false, false
	for step := range distance {
		first, last = first || there[step], last || there[steps-1-step]
	}
	if !first || !last {
		return ""
	}
	return everyText(distance, q.Step)
}
