package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// secondAsk is how long after the first time a live check asks again, at most.
const secondAsk = 15 * time.Second

// lateness measures how late data arrive, by what is answered for the steps until now, and
// some seconds later.
type lateness struct {
	config    *config.Config
	now       time.Time // end of the steps that are asked for
	recorders map[string]*recording.Recorder
	newest    time.Duration // since the end of the newest step with data, of the query that is worst
	whose     string        // that query
	partial   time.Duration // since the end of the newest step that is not well below the usual; 0 = all are not
}

func newLateness(c *config.Config, sources map[string]providers.Provider, now time.Time) *lateness {
	l := &lateness{config: c, now: now, recorders: map[string]*recording.Recorder{}}
	begins := map[providers.Arm]time.Time{} // nothing is to be kept
	for _, arm := range providers.Arms {
		begins[arm] = now
	}
	for name, p := range sources {
		l.recorders[name] = &recording.Recorder{Next: p, To: new(recording.Recording), Begins: begins, Changed: job.Changed(c)}
	}
	return l
}

// age is how long ago a step ended.
func (l *lateness) age(q providers.Query, at time.Time) time.Duration {
	return time.Since(at.Add(l.config.Arms[q.Arm].Offset).Add(q.Step)).Truncate(time.Second)
}

// Of counts, a step with less than half of what is usual is not complete yet; below so many
// events that may be chance.
const (
	partialShare = 0.5
	leastUsual   = 30
)

// note takes in the first answer to a query.
func (l *lateness) note(q providers.Query, a providers.Answer) {
	if len(a.Series) != 1 {
		return
	}
	points := slices.DeleteFunc(slices.Clone(a.Series[0].Points), analysis.Point.Gap)
	if len(points) == 0 {
		return
	}
	if age := l.age(q, points[len(points)-1].Time); q.Part != providers.Bad && (l.whose == "" || age > l.newest) {
		l.newest, l.whose = age, fmt.Sprintf("%s, %s of the %s", q.Metric, q.Part, q.Arm)
	}
	if q.Part != providers.Bad && q.Part != providers.Total {
		return
	}
	older := points[:(len(points)+1)/2]
	var counts []float64
	for _, p := range older {
		counts = append(counts, p.Value())
	}
	slices.Sort(counts)
	usual := counts[len(counts)/2]
	whole := len(points)
	for whole > len(older) && points[whole-1].Value() < partialShare*usual {
		whole--
	}
	if usual >= leastUsual && whole < len(points) {
		l.partial = max(l.partial, l.age(q, points[whole-1].Time))
	}
}

// tellLateness says how late data arrive, after asking a second time, and whether that is later than
// the lag.
func (a *app) tellLateness(ctx context.Context, l *lateness, queries map[string][]providers.Query) error {
	w := l.config.Window
	if l.whose == "" {
		return nil
	}
	pause := min(w.Step, secondAsk)
	fmt.Fprintf(a.stdout, "\nhow late data arrive: the newest are of a step that ended %s ago (%s); asking again in %s\n",
		providers.Duration(l.newest), report.Clean(l.whose), providers.Duration(pause))
	select {
	case <-ctx.Done():
		return exit{code: a.interruptCode(ctx)}
	case <-time.After(pause):
	}
	late, what := time.Duration(0), ""
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		limited, cancel := context.WithTimeout(ctx, time.Minute)
		_, err := l.recorders[name].Fetch(limited, queries[name])
		cancel()
		if err != nil {
			return exit{exitNotJudged, err}
		}
		for _, rev := range l.recorders[name].Revisions() {
			q := providers.Query{Arm: rev.First.Arm, Step: w.Step}
			if age := l.age(q, rev.First.Time); age > late {
				late, what = age, fmt.Sprintf("%s of the %s", rev.First.Metric, rev.First.Arm)
			}
		}
	}
	switch {
	case late > w.Lag:
		return exit{exitInconclusive, fmt.Errorf("data arrive later than window.lag: raise it to at least %s (it is %s; %s still changed %s after the end of a step)",
			job.LagFor(late), providers.Duration(w.Lag), what, providers.Duration(late))}
	case l.partial > w.Lag:
		fmt.Fprintf(a.stdout, "  data may arrive later than window.lag (%s): counts are well below the usual in all steps that ended less than %s ago; if that is not the traffic, raise it to at least %s\n",
			providers.Duration(w.Lag), providers.Duration(l.partial), job.LagFor(l.partial))
	case l.newest > w.Lag+w.Step:
		fmt.Fprintf(a.stdout, "  that is longer than window.lag (%s) and a step: data come later, or not in every step; if it is always so, raise window.lag to at least %s, or use longer steps\n",
			providers.Duration(w.Lag), job.LagFor(l.newest))
	case late > 0:
		fmt.Fprintf(a.stdout, "  data still changed up to %s after the end of a step; window.lag (%s) waits for them\n", providers.Duration(late), providers.Duration(w.Lag))
	default:
		fmt.Fprintf(a.stdout, "  nothing has changed; window.lag is %s\n", providers.Duration(w.Lag))
	}
	return nil
}
