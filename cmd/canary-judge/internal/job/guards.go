package job

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// watchable is how long after its steps a look can ask guards: they say how
// things are now.
const watchable = 5 * time.Minute

// watch asks the guards for the steps up to the given number, and keeps what they
// say before it is judged by, so that a replay sees the same.
func (r *underWay) watch(ctx context.Context, ready int) error {
	if len(r.Config.Guards) == 0 || r.Sightings != nil {
		return nil
	}
	at := r.grid.end(ready - 1)
	var said []providers.Sighting
	if late := r.now().Sub(at) - r.Config.Window.Lag; late > max(watchable, 2*r.Config.Window.Step) {
		for _, g := range r.Config.Guards {
			said = append(said, providers.Sighting{Guard: g.Name, State: providers.Unread, Detail: "was not asked: the window is past, and guards tell the present"})
		}
	} else {
		var err error
		if said, err = r.ask(ctx); err != nil {
			return err
		}
	}
	r.noteGuards(said)
	for _, s := range said {
		kept := recording.Sighting{Time: at.UTC(), Sighting: s}
		r.seen.Sightings = append(r.seen.Sightings, kept)
		if r.File != nil {
			if err := r.File.Sighting(kept); err != nil {
				return err
			}
		}
	}
	return nil
}

// ask asks all guards now, in the config's order.
func (r *underWay) ask(ctx context.Context) ([]providers.Sighting, error) {
	ctx, cancel := r.lookContext(ctx)
	defer cancel()
	return Watch(ctx, r.Config, r.Providers, r.grid.time(0))
}

// Watch asks all guards of a config what they say now of what happened since a time.
func Watch(ctx context.Context, c *config.Config, sources map[string]providers.Provider, since time.Time) ([]providers.Sighting, error) {
	var all []providers.Sighting
	for _, g := range c.Guards {
		said, err := providers.Watch(ctx, sources[g.Provider], []providers.Guard{g.Guard}, since)
		if errors.Is(err, errors.ErrUnsupported) {
			return nil, fmt.Errorf("%s: the provider %s keeps no guards", g.Name, g.Provider)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, said...)
	}
	return all, nil
}

// sighted returns what the guards said after a step, in the config's order.
func (r *underWay) sighted(step int) []recording.Sighting {
	var seen []recording.Sighting
	for _, g := range r.Config.Guards {
		s, ok := r.seen.Sighted(g.Name, r.grid.end(step))
		if !ok {
			s = recording.Sighting{Time: r.grid.end(step).UTC(), Sighting: providers.Sighting{
				Guard: g.Name, State: providers.Unread, Detail: "was not asked: the recording does not hold what it said",
			}}
		}
		seen = append(seen, s)
	}
	return seen
}

// states are what sightings mean to the judge.
func states(seen []recording.Sighting) []analysis.GuardState {
	var all []analysis.GuardState
	for _, s := range seen {
		// A state that nobody knows stays the zero value: unread.
		all = append(all, map[providers.State]analysis.GuardState{
			providers.Quiet: analysis.GuardQuiet, providers.Alerting: analysis.GuardAlerting,
		}[s.State])
	}
	return all
}

// noteGuards says once, and early, which guards will keep the canary from passing.
func (r *underWay) noteGuards(said []providers.Sighting) {
	var unread []string
	for _, g := range said {
		if g.State == providers.Unread {
			unread = append(unread, g.Guard+" "+g.Detail)
		}
	}
	if len(unread) > 0 && !r.doubted {
		r.doubted = true
		r.Progress.Note("going on, but the canary cannot pass like that: " + strings.Join(unread, "; "))
	}
}
