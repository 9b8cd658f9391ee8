package datadog

import (
	"context"
	"net/http"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/guards"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/slo"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/synthetics"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/tell"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/timeseries"
	"github.com/canary-judge/canary-judge/web"
)

// Name is the provider's name in configs and errors.
const Name = api.Name

// Settings is the datadog section of a config.
type Settings struct {
	APIKey   web.Secret         `yaml:"api_key" env:"DD_API_KEY,DATADOG_API_KEY" doc:"API key"`
	AppKey   web.Secret         `yaml:"app_key" env:"DD_APP_KEY,DATADOG_APP_KEY" doc:"Application key, with the permission timeseries_query"`
	Site     string             `yaml:"site" env:"DD_SITE,DATADOG_SITE" default:"datadoghq.com" doc:"Site of the organisation" example:"datadoghq.eu"`
	URL      string             `yaml:"url" env:"DD_URL" doc:"Address to send requests to instead of the site's: a proxy, or a stand-in for tests"`
	Timeout  providers.Duration `yaml:"timeout" default:"20s" doc:"Time limit of one request"`
	Events   bool               `yaml:"events" default:"false" doc:"Post an event when a live run starts, and one at its verdict"`
	Notebook bool               `yaml:"notebook" default:"false" doc:"Write a notebook at the verdict: its reason, and a graph of each metric over the run; every report links it"`
	DORA     *DORA              `yaml:"dora" doc:"Mark the canary's deployment as a change failure in DORA metrics when it fails"`
}

// DORA is the dora section of the settings: which deployment is the canary's.
type DORA = tell.DORA

// Provider queries one organisation. What is embedded does what its name says, whole: Runs
// starts synthetic tests and finds them by tags, Watcher watches guards, Teller announces,
// marks and writes notebooks. The rest is shared out here.
type Provider struct {
	*synthetics.Runs
	*guards.Watcher
	*tell.Teller
	api    *api.Client
	series *timeseries.Fetcher
	slos   *slo.Indicators
}

// What a Provider does beside fetching.
var (
	_ providers.Announcer       = (*Provider)(nil)
	_ providers.Diagnoser       = (*Provider)(nil)
	_ providers.FailedRunLister = (*Provider)(nil)
	_ providers.Limited         = (*Provider)(nil)
	_ providers.Linker          = (*Provider)(nil)
	_ providers.Marker          = (*Provider)(nil)
	_ providers.NotebookWriter  = (*Provider)(nil)
	_ providers.SegmentFinder   = (*Provider)(nil)
	_ providers.Starter         = (*Provider)(nil)
	_ providers.TestFinder      = (*Provider)(nil)
	_ providers.Watcher         = (*Provider)(nil)
)

// New returns a provider with these settings. transport replaces the network in
// tests; nil is the network.
func New(s Settings, transport http.RoundTripper) (*Provider, error) {
	c, err := api.New(api.Options{
		APIKey: s.APIKey, AppKey: s.AppKey, Site: s.Site, URL: s.URL, Timeout: time.Duration(s.Timeout), Transport: transport,
	})
	if err != nil {
		return nil, err
	}
	return &Provider{
		Runs: synthetics.New(c), Watcher: guards.New(c),
		Teller: tell.New(c, tell.Options{Events: s.Events, Notebook: s.Notebook, DORA: s.DORA}),
		api:    c, series: timeseries.New(c), slos: slo.New(c),
	}, nil
}

// Fetch implements providers.Provider: SLOs become queries for metrics, which travel with all
// others in as few requests as can be; runs of synthetic tests are asked for by themselves.
func (p *Provider) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	return p.slos.Fetch(ctx, queries, p.fetch)
}

// fetch answers queries for anything but SLOs.
func (p *Provider) fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	answers := make([]providers.Answer, len(queries))
	var series, runs []int // their places
	for i, q := range queries {
		if query.LanguageOf(q.Expr) == query.Runs {
			runs = append(runs, i)
		} else {
			series = append(series, i)
		}
	}
	for _, family := range []struct {
		at    []int
		fetch func(context.Context, []providers.Query) ([]providers.Answer, error)
	}{{series, p.series.Fetch}, {runs, p.Runs.Fetch}} {
		those := make([]providers.Query, len(family.at))
		for n, i := range family.at {
			those[n] = queries[i]
		}
		got, err := family.fetch(ctx, those)
		if err != nil {
			return nil, err
		}
		for n, i := range family.at {
			answers[i] = got[n]
		}
	}
	return answers, nil
}

// Diagnose implements providers.Diagnoser.
func (p *Provider) Diagnose(ctx context.Context, q providers.Query) (string, error) {
	switch query.LanguageOf(q.Expr) {
	case query.Runs:
		return "the test made no run that finished in these steps; check its schedule and whether it is paused", nil
	case query.SLO:
		formula, err := p.slos.Formula(ctx, q)
		if err != nil {
			return "", err
		}
		q = formula
	}
	why, err := p.series.Explain(ctx, q)
	return p.api.Quote(why), err
}

// Segments implements providers.SegmentFinder.
func (p *Provider) Segments(ctx context.Context, label string, queries []providers.Query) ([]providers.Segment, error) {
	return p.series.Segments(ctx, label, queries)
}

// Link implements providers.Linker: the page of the site's application, wherever requests
// are sent to, that shows the events a query counts, or the synthetic test whose runs it does.
func (p *Provider) Link(q providers.Query) string {
	if query.LanguageOf(q.Expr) == query.Runs {
		return p.TestPage(q.Expr)
	}
	return p.series.Page(q)
}

// RateLimit implements providers.Limited.
func (p *Provider) RateLimit() providers.RateLimit { return p.api.RateLimit() }
