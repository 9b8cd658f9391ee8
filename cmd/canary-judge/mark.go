package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
)

// markTime bounds a marking: the command of the config waits for it.
const markTime = 30 * time.Second

// marker is a source in which a failed canary is marked.
type marker struct {
	name string
	providers.Marker
}

// markers returns the sources whose settings ask to mark a failed canary.
func markers(sources map[string]providers.Provider) []marker {
	var all []marker
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		if m, ok := providers.AsMarker(sources[name]); ok {
			all = append(all, marker{name, m})
		}
	}
	return all
}

// markable reports what keeps a failed canary from being marked, before there is one. In
// a dry run, which marks nothing, it only says so.
func (a *app) markable(o *options, c *config.Config, sources map[string]providers.Provider) error {
	if o.recordOnly {
		return nil
	}
	var errs []error
	for _, m := range markers(sources) {
		_, err := m.Deployment(c.Arms[providers.Canary].Labels)
		errs = append(errs, err)
	}
	err := errors.Join(errs...)
	if err != nil && o.dryRun {
		a.complain(err)
		return nil
	}
	return err
}

// mark marks the deployment of the canary as failed.
func (a *app) mark(ctx context.Context, o *options, m marker, canary []providers.Label, r *report.Report) error {
	action := report.Action{Kind: report.MarkAction, DryRun: o.dryRun}
	deployment, err := m.Deployment(canary)
	if err == nil {
		action.Deployment = m.name + ": " + deployment
	}
	if err == nil && !o.dryRun {
		ctx, cancel := context.WithTimeout(ctx, markTime)
		err = m.MarkFailed(ctx, canary)
		cancel()
	}
	if err != nil {
		action.Error = err.Error()
	}
	r.Generated.Actions = append(r.Generated.Actions, action)
	return err
}
