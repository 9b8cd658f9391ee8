package datadog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// Name is the provider's name in configs and errors.
const Name = "datadog"

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

// Provider queries one organisation.
type Provider struct {
	settings Settings
	client   *datadog.APIClient
	site     string
	base     *url.URL // instead of the site's, or nil
	tests    testKinds
	batches  batches
	failed   failedRuns
	limit    limit
	sets     monitorSets
	finding  findingSearches
	slos     indicators
}

const (
	// mostQueries is how many queries are sent in one request. The API documents no
	// limit; this keeps a body well below what proxies let through.
	mostQueries = 500
	// mostPoints is how many points a series of an answer can have; for more the
	// server would widen the interval:
	// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
	mostPoints = 1500
)

// siteName is the host part of a site, as in https://api.SITE.
var siteName = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)

// New returns a provider with these settings. transport replaces the network in
// tests; nil is the network.
func New(s Settings, transport http.RoundTripper) (*Provider, error) {
	fail := func(text, cure string) error {
		return &web.Error{Class: web.Settings, Provider: Name, Doing: "open", Err: errors.New(text), Cure: cure}
	}
	// A GitHub secret that does not exist is an empty string: blank is unset.
	s.APIKey = web.Secret(strings.TrimSpace(string(s.APIKey)))
	s.AppKey = web.Secret(strings.TrimSpace(string(s.AppKey)))
	switch {
	case s.APIKey == "":
		return nil, fail("no API key is given", "set DD_API_KEY")
	case s.AppKey == "":
		return nil, fail("no application key is given", "set DD_APP_KEY; its permission is timeseries_query")
	case s.APIKey.Problem() != "":
		return nil, fail("the API key "+s.APIKey.Problem(), "set DD_API_KEY to the key alone, on one line")
	case s.AppKey.Problem() != "":
		return nil, fail("the application key "+s.AppKey.Problem(), "set DD_APP_KEY to the key alone, on one line")
	}
	p := &Provider{settings: s, site: normaliseSite(s.Site)}
	if !siteName.MatchString(p.site) {
		// It is not shown: it may be a key in the wrong place.
		return nil, fail("the site is no name of a host", "set DD_SITE to one such as datadoghq.com or datadoghq.eu")
	}
	c := datadog.NewConfiguration()
	c.HTTPClient = web.NewClient(web.ClientOptions{Timeout: time.Duration(s.Timeout), Transport: transport, Seen: p.limit.see})
	c.UserAgent = "canary-judge (" + c.UserAgent + ")"
	if s.URL != "" {
		base, err := url.Parse(s.URL)
		if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
			return nil, fail("the address is not a URL of http or https", "correct datadog.url or DD_URL")
		}
		if base.RawQuery != "" || base.ForceQuery || base.Fragment != "" {
			return nil, fail("the address has a query, or a part after a #, behind which no path can stand", "leave out of datadog.url or DD_URL what follows the ? or the #")
		}
		p.base = base
	}
	p.client = datadog.NewAPIClient(c)
	return p, nil
}

// normaliseSite accepts a site as people paste it: with a scheme, a path, or the
// host of the app or the API.
func normaliseSite(site string) string {
	site = strings.ToLower(strings.TrimSpace(site))
	if site == "" {
		return "datadoghq.com"
	}
	if _, rest, ok := strings.Cut(site, "://"); ok {
		site = rest
	}
	site, _, _ = strings.Cut(site, "/")
	for _, host := range []string{"app.", "api."} {
		site = strings.TrimPrefix(site, host)
	}
	return site
}

// window is what queries of one request share.
type window struct {
	start, end int64 // milliseconds since the epoch
	step       time.Duration
}

// Fetch implements providers.Provider.
func (p *Provider) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	sent, sources, err := p.spread(ctx, queries)
	if err != nil {
		return nil, err
	}
	got, err := p.fetch(ctx, sent)
	if err != nil {
		return nil, err
	}
	answers := make([]providers.Answer, len(queries))
	for i, s := range sources {
		answers[i] = s.answer(queries[i], got)
	}
	return answers, nil
}

// fetch answers queries of metrics, for events and for runs.
func (p *Provider) fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	answers := make([]providers.Answer, len(queries))
	groups, order := map[window][]int{}, []window{}
	var runs []int
	for i, q := range queries {
		if isRuns(q.Expr) {
			runs = append(runs, i)
			continue
		}
		if err := readable(q.Expr); err != nil {
			answers[i] = providers.Answer{Err: providers.Place(q, &web.Error{
				Class: web.BadQuery, Provider: Name, Doing: "read the query", Err: err, Cure: "correct the query",
			})}
			continue
		}
		w := window{q.Start.UnixMilli(), q.End.UnixMilli(), q.Step}
		if _, ok := groups[w]; !ok {
			order = append(order, w)
		}
		groups[w] = append(groups[w], i)
	}
	for _, w := range order {
		group := groups[w]
		for len(group) > 0 {
			n := min(len(group), mostQueries)
			if err := p.fetchGroup(ctx, queries, group[:n], answers); err != nil {
				return nil, err
			}
			group = group[n:]
		}
	}
	if err := p.fetchRuns(ctx, queries, runs, answers); err != nil {
		return nil, err
	}
	return answers, nil
}

// readable reports what is wrong with a query in a language that is read here.
func readable(expr string) error {
	var err error
	switch {
	case isAPM(expr):
		_, err = parseAPM(expr)
	case isEvents(expr):
		_, err = parseEvents(expr)
	}
	return err
}

// fetchGroup answers the queries at the given places, which share a window. When
// the server finds fault with a request of several queries it does not say which
// one it means, so the halves are tried until the faulty ones stand alone.
func (p *Provider) fetchGroup(ctx context.Context, queries []providers.Query, at []int, answers []providers.Answer) error {
	err := p.fetchTogether(ctx, queries, at, answers)
	var e *web.Error
	if err == nil || !errors.As(err, &e) || e.Class != web.BadQuery {
		return err
	}
	if len(at) == 1 {
		answers[at[0]] = providers.Answer{Err: providers.Place(queries[at[0]], err)}
		return nil
	}
	half := len(at) / 2
	if err := p.fetchGroup(ctx, queries, at[:half], answers); err != nil {
		return err
	}
	return p.fetchGroup(ctx, queries, at[half:], answers)
}

// fetchTogether answers queries that share a window in as few requests as the
// limit on points allows.
func (p *Provider) fetchTogether(ctx context.Context, queries []providers.Query, at []int, answers []providers.Answer) error {
	collected := make([]collector, len(at))
	first := queries[at[0]]
	for from, to := range first.Windows(mostPoints) {
		body, err := p.post(ctx, "/api/v2/query/timeseries", timeseriesRequest(queries, at, from, to))
		if err != nil {
			return err
		}
		if err := p.read(body, from, to, first.Step, collected); err != nil {
			return err
		}
	}
	for n, i := range at {
		answers[i] = providers.Answer{Series: collected[n].series()}
	}
	return nil
}

// read reads an answer into the collectors. What is wrong with it is told in part
// in the answer's own words, which may repeat the request's.
func (p *Provider) read(body []byte, from, to time.Time, step time.Duration, into []collector) error {
	err := readTimeseries(body, from, to, step, into)
	if err == nil {
		return nil
	}
	e := &web.Error{
		Class: web.Shape, Provider: Name, Doing: "read the answer",
		Detail: web.Quote(err.Error(), p.secrets()...),
	}
	if errors.Is(err, errQuery) {
		e.Class, e.Doing, e.Cure = web.BadQuery, "query "+p.host(), "correct the query"
	}
	return e
}

// host returns where requests go.
func (p *Provider) host() string {
	if p.base != nil {
		return p.base.Host
	}
	return "api." + p.site
}

// refused returns the error of an answer that is not a success.
func (p *Provider) refused(doing string, status int, body []byte) *web.Error {
	detail := string(body)
	var said struct{ Errors json.RawMessage }
	if json.Unmarshal(body, &said) == nil && len(said.Errors) > 0 {
		detail = errorTexts(said.Errors)
	}
	e := web.StatusError(Name, doing, status, detail, p.secrets()...)
	switch status {
	case http.StatusUnauthorized:
		e.Cure = "check DD_API_KEY, DD_APP_KEY and DD_SITE: keys are of one site"
	case http.StatusForbidden:
		e.Cure = "check DD_API_KEY and DD_SITE, and that the application key has the permission timeseries_query"
	}
	return e
}

// errorTexts reads the shapes in which the API reports errors: a text, a list of
// texts, or a list of objects with a title and a detail.
func errorTexts(raw json.RawMessage) string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return one
	}
	var texts []string
	if json.Unmarshal(raw, &texts) == nil {
		return strings.Join(texts, "; ")
	}
	var objects []struct{ Title, Detail string }
	if json.Unmarshal(raw, &objects) == nil {
		texts = nil // what the try above could not read are empty texts
		for _, o := range objects {
			texts = append(texts, strings.TrimSpace(o.Title+" "+o.Detail))
		}
		return strings.Join(texts, "; ")
	}
	return string(bytes.TrimSpace(raw))
}

// secrets are what no error may show: a proxy may repeat a request's headers in
// its answer.
func (p *Provider) secrets() []web.Secret {
	secrets := []web.Secret{p.settings.APIKey, p.settings.AppKey}
	if p.base != nil && p.base.User != nil {
		password, _ := p.base.User.Password()
		secrets = append(secrets, web.Secret(password), web.BasicAuth(p.base.User.Username(), password))
	}
	return secrets
}
