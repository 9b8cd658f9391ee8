package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Results of a journey, values of the label result.
const (
	passed = "passed"
	failed = "failed"
)

// longestJourney is how long a journey may take; longer is failed.
const longestJourney = 5 * time.Second

// checks makes all journeys through all flavours, again and again.
type checks struct {
	client   *http.Client
	store    string // URL
	flavours []string
	every    time.Duration // from the start of a journey to the start of the next
	runs     *prometheus.CounterVec
}

// newChecks returns checks whose results are counted from 0: increase() cannot see
// the birth of a counter.
func newChecks(store string, flavours []string, every time.Duration, registerer prometheus.Registerer) *checks {
	c := &checks{
		client: &http.Client{Timeout: longestJourney, Transport: &http.Transport{MaxIdleConnsPerHost: len(journeys) * len(flavours)}},
		store:  store, flavours: flavours, every: every,
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "synthetic_runs_total",
			Help: "Journeys of the synthetic checks, by result.",
		}, []string{"journey", "flavour", "result"}),
	}
	registerer.MustRegister(c.runs)
	c.each(func(j journey, flavour string) {
		c.runs.WithLabelValues(j.name, flavour, passed)
		c.runs.WithLabelValues(j.name, flavour, failed)
	})
	return c
}

// each does something for each journey through each flavour.
func (c *checks) each(do func(j journey, flavour string)) {
	for _, j := range journeys {
		for _, flavour := range c.flavours {
			do(j, flavour)
		}
	}
}

// run checks until the context is done.
func (c *checks) run(ctx context.Context) {
	var running sync.WaitGroup
	c.each(func(j journey, flavour string) {
		running.Go(func() { c.repeat(ctx, j, flavour) })
	})
	running.Wait()
}

// repeat makes a journey again and again, one at a time.
func (c *checks) repeat(ctx context.Context, j journey, flavour string) {
	ticker := time.NewTicker(c.every)
	defer ticker.Stop()
	before := passed
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := j.travel(ctx, c.client, c.store, flavour)
		if ctx.Err() != nil {
			return // it was cut short, which says nothing of the store
		}
		result := passed
		if err != nil {
			result = failed
		}
		c.runs.WithLabelValues(j.name, flavour, result).Inc()
		if result != before { // a line a change, not a line a failure
			slog.Info("journey", "name", j.name, "flavour", flavour, "result", result, "err", err)
			before = result
		}
	}
}
