package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/command"
	"github.com/canary-judge/canary-judge/providers/datadog"
	"github.com/canary-judge/canary-judge/providers/prometheus"
	"github.com/canary-judge/canary-judge/providers/recording"
)

const leastSteps = analysis.LeastSteps

// types are the providers there are, a line each.
func types() []providers.Type {
	return []providers.Type{
		command.Type(),
		datadog.Type(),
		prometheus.Type(),
		recording.Type(),
	}
}

// open opens the providers that a config uses.
func (a *app) open(c *config.Config, verbose io.Writer) (map[string]providers.Provider, error) {
	all := map[string]providers.Provider{}
	var errs []error
	for _, t := range types() {
		settings, used := c.Settings[t.Name]
		if !used {
			continue
		}
		p, err := a.openOne(t.Name, settings)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if verbose != nil {
			p = verboseProvider{p, t.Name, verbose}
		}
		all[t.Name] = p
	}
	return all, errors.Join(errs...)
}

// openOne opens the provider with a name.
func (a *app) openOne(name string, settings any) (providers.Provider, error) {
	if p, replaced := a.instead[name]; replaced {
		return p, nil
	}
	all := types()
	at := slices.IndexFunc(all, func(t providers.Type) bool { return t.Name == name })
	return all[at].Open(settings)
}

// verboseProvider is a provider whose requests are told of.
type verboseProvider struct {
	providers.Provider
	name string
	to   io.Writer
}

// Unwrap returns the provider itself.
func (v verboseProvider) Unwrap() providers.Provider { return v.Provider }

// Fetch tells what was fetched, and how long it took.
func (v verboseProvider) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	began := time.Now()
	answers, err := v.Provider.Fetch(ctx, queries)
	took := time.Since(began).Round(time.Millisecond)
	windows := map[string]bool{}
	for _, q := range queries {
		windows[fmt.Sprintf("%s to %s", q.Start.Format(time.TimeOnly), q.End.Format(time.TimeOnly))] = true
	}
	fmt.Fprintf(v.to, "fetched %d queries from %s in %s, %v", len(queries), v.name, took, slices.Sorted(maps.Keys(windows)))
	if said := providers.RateLimitOf(v.Provider).Said; said != "" {
		fmt.Fprintf(v.to, ", %s", report.Clean(said))
	}
	if err != nil {
		fmt.Fprintf(v.to, ": failed")
	}
	fmt.Fprintln(v.to)
	return answers, err
}

// Start tells that checks were started.
func (v verboseProvider) Start(ctx context.Context, queries []providers.Query, limit time.Duration) error {
	err := providers.Start(ctx, v.Provider, queries, limit)
	if errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	fmt.Fprintf(v.to, "started checks at %s, of which at most %s is waited for", v.name, providers.Duration(limit))
	if err != nil {
		fmt.Fprintf(v.to, ": failed")
	}
	fmt.Fprintln(v.to)
	return err
}
