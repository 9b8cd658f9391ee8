package exports

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// leastMeeting is the share of an arm's times at which the other has a reading, too,
// below which the two are not taken for times of one grid.
const leastMeeting = 0.5

// onOneGrid brings the times of both arms together as the options say, and refuses to
// go on when they do not meet.
func (im *importer) onOneGrid(all metrics) error {
	first, last := all.ends()
	if len(first) < 2 {
		return errors.New("an arm has no values at all")
	}
	if im.options.Align {
		shift := im.alignment(first)
		all.each(func(s *series) {
			if s.arm == providers.Canary {
				for i := range s.readings {
					s.readings[i].at = s.readings[i].at.Add(shift)
				}
			}
		})
		first[providers.Canary] = first[providers.Canary].Add(shift)
	} else if err := apart(first, last); err != nil {
		return err
	}
	if im.options.Step > 0 {
		origin := first[providers.Baseline]
		if c := first[providers.Canary]; c.Before(origin) {
			origin = c
		}
		var err error
		all.each(func(s *series) { err = errors.Join(err, s.snap(origin, im.options.Step)) })
		if err != nil {
			return err
		}
	}
	return im.meets(all)
}

// apart reports arms that were measured one after the other.
func apart(first, last map[providers.Arm]time.Time) error {
	b, c := providers.Baseline, providers.Canary
	if !last[b].Before(first[c]) && !last[c].Before(first[b]) {
		return nil
	}
	span := func(arm providers.Arm) string {
		return fmt.Sprintf("the %s's times are %s to %s", arm, first[arm].Format(time.RFC3339), last[arm].Format(time.RFC3339))
	}
	return fmt.Errorf("%s, %s: the arms were not measured at the same time; --align lays the canary's first step over the baseline's, "+
		"and whatever else changed in between then counts as the canary's", span(b), span(c))
}

// alignment returns by how much the canary is moved, and says so.
func (im *importer) alignment(first map[providers.Arm]time.Time) time.Duration {
	shift := first[providers.Baseline].Sub(first[providers.Canary])
	im.note("the arms were measured one after the other: the canary's times were moved by %s, so that its first step is the baseline's; "+
		"what else changed in between counts as the canary's", shift)
	return shift
}

// each visits all series.
func (all metrics) each(do func(*series)) {
	for _, name := range all.names {
		for _, arm := range providers.Arms {
			if s := all.of[name][arm]; s != nil {
				do(s)
			}
		}
	}
}

// ends returns the first and last times of each arm.
func (all metrics) ends() (first, last map[providers.Arm]time.Time) {
	first, last = map[providers.Arm]time.Time{}, map[providers.Arm]time.Time{}
	all.each(func(s *series) {
		for _, r := range s.readings {
			if at, ok := first[s.arm]; !ok || r.at.Before(at) {
				first[s.arm] = r.at
			}
			if at, ok := last[s.arm]; !ok || r.at.After(at) {
				last[s.arm] = r.at
			}
		}
	})
	return first, last
}

// snap moves each reading to the nearest step.
func (s *series) snap(origin time.Time, step time.Duration) error {
	for i := range s.readings {
		r := &s.readings[i]
		n := math.Round(float64(r.at.Sub(origin)) / float64(step))
		r.at = origin.Add(time.Duration(n) * step)
		if i > 0 && !s.readings[i-1].at.Before(r.at) {
			return fmt.Errorf("the series %q: %stwo values in the step of %s at %s; give a shorter --step",
				web.Quote(s.title), lines(s.readings[i-1], *r), step, r.at.Format(time.RFC3339))
		}
	}
	return nil
}

// meets checks that the arms have values at the same times.
func (im *importer) meets(all metrics) error {
	for _, name := range all.names {
		b, c := all.of[name][providers.Baseline], all.of[name][providers.Canary]
		if b == nil || c == nil {
			continue
		}
		at := map[int64]bool{}
		for _, r := range b.readings {
			at[r.at.UnixNano()] = true
		}
		common := 0
		for _, r := range c.readings {
			if at[r.at.UnixNano()] {
				common++
			}
		}
		most := max(len(b.readings), len(c.readings))
		switch {
		case common == most:
		case float64(common) < leastMeeting*float64(most):
			return fmt.Errorf("metric %q: the arms have %d of %d times in common; --step %s puts them on one grid, each value at the nearest step",
				name, common, most, short(typical(b, c)))
		default:
			im.note("metric %q: the arms have %d of %d times in common, and only these are compared; --step puts times that are nearly the same on one grid", name, common, most)
		}
	}
	return nil
}

// short writes a duration as people do: 1m, not 1m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// typical returns the median distance of readings, whole seconds where it has some.
func typical(all ...*series) time.Duration {
	var distances []time.Duration
	for _, s := range all {
		for i := 1; i < len(s.readings); i++ {
			distances = append(distances, s.readings[i].at.Sub(s.readings[i-1].at))
		}
	}
	if len(distances) == 0 {
		return time.Minute
	}
	slices.Sort(distances)
	d := distances[len(distances)/2]
	if d > time.Second {
		d = d.Round(time.Second)
	}
	return d
}
