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
	"github.com/canary-judge/canary-judge/providers/datadog"
	"github.com/canary-judge/canary-judge/providers/prometheus"
	"github.com/canary-judge/canary-judge/providers/recording"
)

const leastSteps = analysis.LeastSteps

// types are the providers there are, a line each.
func types() []providers.Type {
	return []providers.Type{
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
		all[t.Name] = p
		if w, watches := p.(providers.Watcher); verbose != nil && watches {
			all[t.Name] = watchful{loud{t.Name, p, verbose}, w}
		} else if verbose != nil {
			all[t.Name] = loud{t.Name, p, verbose}
		}
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

// loud tells of every fetch of a provider.
type loud struct {
	name string
	next providers.Provider
	to   io.Writer
}

// unwrapped returns a provider without what tells of its fetches.
func unwrapped(p providers.Provider) providers.Provider {
	switch wrapped := p.(type) {
	case loud:
		return wrapped.next
	case watchful:
		return wrapped.next
	}
	return p
}

// watchful tells of every fetch of a provider that is a Watcher too.
type watchful struct {
	loud
	providers.Watcher
}

func (l loud) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	began := time.Now()
	answers, err := l.next.Fetch(ctx, queries)
	took := time.Since(began).Round(time.Millisecond)
	windows := map[string]bool{}
	for _, q := range queries {
		windows[fmt.Sprintf("%s to %s", q.Start.Format(time.TimeOnly), q.End.Format(time.TimeOnly))] = true
	}
	fmt.Fprintf(l.to, "fetched %d queries from %s in %s, %v", len(queries), l.name, took, slices.Sorted(maps.Keys(windows)))
	if said := l.RateLimit().Said; said != "" {
		fmt.Fprintf(l.to, ", %s", report.Clean(said))
	}
	if err != nil {
		fmt.Fprintf(l.to, ": failed")
	}
	fmt.Fprintln(l.to)
	return answers, err
}

// DiagnoseZero implements providers.ZeroDiagnoser for a provider that does.
func (l loud) DiagnoseZero(ctx context.Context, q providers.Query) (string, error) {
	if d, ok := l.next.(providers.ZeroDiagnoser); ok {
		return d.DiagnoseZero(ctx, q)
	}
	return "", nil
}

// Diagnose implements providers.Diagnoser for a provider that does.
func (l loud) Diagnose(ctx context.Context, q providers.Query) (string, error) {
	if d, ok := l.next.(providers.Diagnoser); ok {
		return d.Diagnose(ctx, q)
	}
	return "", nil
}

// RateLimit implements providers.Limited for a provider that does.
func (l loud) RateLimit() providers.RateLimit {
	if limited, ok := l.next.(providers.Limited); ok {
		return limited.RateLimit()
	}
	return providers.RateLimit{}
}

// Start implements providers.Starter for a provider that does.
func (l loud) Start(ctx context.Context, queries []providers.Query, limit time.Duration) error {
	starter, ok := l.next.(providers.Starter)
	if !ok {
		return fmt.Errorf("the provider %s has no checks to start", l.name)
	}
	err := starter.Start(ctx, queries, limit)
	fmt.Fprintf(l.to, "started checks at %s, of which at most %s is waited for", l.name, providers.Duration(limit))
	if err != nil {
		fmt.Fprintf(l.to, ": failed")
	}
	fmt.Fprintln(l.to)
	return err
}

// Link implements providers.Linker for a provider that does.
func (l loud) Link(q providers.Query) string {
	if linker, ok := l.next.(providers.Linker); ok {
		return linker.Link(q)
	}
	return ""
}
