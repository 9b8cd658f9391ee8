package guards

import (
	"context"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/web"
)

// Watcher reads guards. It remembers which monitors a search has found and which searches for
// issues have found any, for the length of a run. It may be used by several goroutines at once.
type Watcher struct {
	api     *api.Client
	sets    monitorSets
	finding findingSearches
}

// New returns a watcher that asks by a client.
func New(c *api.Client) *Watcher { return &Watcher{api: c} }

// Watch implements providers.Watcher by the state of monitors, and by the issues of
// Error Tracking.
func (w *Watcher) Watch(ctx context.Context, guards []providers.Guard, since time.Time) ([]providers.Sighting, error) {
	sightings := make([]providers.Sighting, len(guards))
	for i, g := range guards {
		s, failure := w.sighting(ctx, g, since)
		if failure != nil {
			return nil, failure
		}
		s.Guard, s.Detail = g.Name, w.api.Quote(s.Detail)
		sightings[i] = s
	}
	return sightings, nil
}

func (w *Watcher) sighting(ctx context.Context, g providers.Guard, since time.Time) (providers.Sighting, *web.Error) {
	switch {
	case g.Errors != nil:
		return w.newErrors(ctx, g.Errors, since)
	case g.Search != "":
		return w.monitorSet(ctx, g, since)
	}
	return w.monitor(ctx, g.ID, g.Labels, since)
}
