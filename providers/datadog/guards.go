package datadog

import (
	"context"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// Watch implements providers.Watcher by the state of monitors, and by the issues of
// Error Tracking.
func (p *Provider) Watch(ctx context.Context, guards []providers.Guard, since time.Time) ([]providers.Sighting, error) {
	sightings := make([]providers.Sighting, len(guards))
	for i, g := range guards {
		s, failure := p.sighting(ctx, g, since)
		if failure != nil {
			return nil, failure
		}
		s.Guard, s.Detail = g.Name, web.Quote(s.Detail, p.secrets()...)
		sightings[i] = s
	}
	return sightings, nil
}

func (p *Provider) sighting(ctx context.Context, g providers.Guard, since time.Time) (providers.Sighting, *web.Error) {
	switch {
	case g.Errors != nil:
		return p.newErrors(ctx, g.Errors, since)
	case g.Search != "":
		return p.monitorSet(ctx, g, since)
	}
	return p.monitor(ctx, g.ID, g.Labels, since)
}

var _ providers.Watcher = (*Provider)(nil)
