package sources

import (
	"context"
	"errors"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
)

// markTime bounds a marking: the command of the config waits for it.
const markTime = 30 * time.Second

// Mark is how the deployment of the canary is marked as failed in one source.
type Mark struct {
	Source string
	marker providers.Marker
	canary []providers.Label
}

// Marks are those that the settings of the sources ask for, in the order of their names.
func (s Sources) Marks() []Mark {
	var all []Mark
	for _, name := range s.names() {
		if m, ok := providers.AsMarker(s.Providers[name]); ok {
			all = append(all, Mark{name, m, s.Config.Arms[providers.Canary].Labels})
		}
	}
	return all
}

// Markable reports what keeps a failed canary from being marked, before there is one.
func (s Sources) Markable() error {
	var errs []error
	for _, m := range s.Marks() {
		_, err := m.marker.Deployment(m.canary)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Make marks the deployment, or only says which one in a dry run. What came of it is in the
// action, its error too.
func (m Mark) Make(ctx context.Context, dryRun bool) (report.Action, error) {
	action := report.Action{Kind: report.MarkAction, DryRun: dryRun}
	deployment, err := m.marker.Deployment(m.canary)
	if err == nil {
		action.Deployment = m.Source + ": " + deployment
	}
	if err == nil && !dryRun {
		ctx, cancel := context.WithTimeout(ctx, markTime)
		err = m.marker.MarkFailed(ctx, m.canary)
		cancel()
	}
	if err != nil {
		action.Error = err.Error()
	}
	return action, err
}
