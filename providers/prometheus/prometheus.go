// Package prometheus fetches series from the HTTP API of Prometheus, and of
// what speaks it too: Thanos, Mimir, Cortex, VictoriaMetrics, Grafana Cloud.
//
// A query is evaluated at the end of each step, as a range selector of one step
// looks back over exactly that step, and its result is stamped with the step's
// start. The queries of a look travel together, as one expression (batch.go).
// Histograms are read from native ones or from classic series by le;
// either must hold the observations of the step, as increase gives them.
package prometheus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// Name is the provider's name in configs and errors.
const Name = "prometheus"

// Settings is the prometheus section of a config.
type Settings struct {
	URL      string                `yaml:"url" env:"PROMETHEUS_URL" doc:"Address of the server, with any path before /api/v1" example:"http://prometheus:9090"`
	Token    web.Secret            `yaml:"token" env:"PROMETHEUS_TOKEN" doc:"Bearer token"`
	Username string                `yaml:"username" env:"PROMETHEUS_USERNAME" doc:"User name for basic authentication"`
	Password web.Secret            `yaml:"password" env:"PROMETHEUS_PASSWORD" doc:"Password for basic authentication"`
	Headers  map[string]web.Secret `yaml:"headers" doc:"Further request headers, such as X-Scope-OrgID for a tenant"`
	Timeout  providers.Duration    `yaml:"timeout" default:"20s" doc:"Time limit of one request"`
	TLS      TLS                   `yaml:"tls" doc:"Transport security"`
}

// TLS is the tls section of the settings.
type TLS struct {
	CA         string `yaml:"ca" doc:"File of the certificate authorities to trust (PEM)"`
	Cert       string `yaml:"cert" doc:"File of the client certificate (PEM)"`
	Key        string `yaml:"key" doc:"File of the client certificate's key (PEM)"`
	ServerName string `yaml:"server_name" doc:"Name to expect in the server's certificate"`
	Insecure   bool   `yaml:"insecure" doc:"Do not verify the server's certificate"`
}

// Provider queries one server.
type Provider struct {
	base     *url.URL
	settings Settings
	client   *http.Client
	batches  *batches
}

// concurrent is how many requests are under way at once: servers limit what they evaluate
// side by side (20 by default).
const concurrent = 8

// New returns a provider with these settings. transport replaces the network in
// tests; nil is the network.
func New(s Settings, transport http.RoundTripper) (*Provider, error) {
	fail := func(err error, cure string) error {
		return &web.Error{Class: web.Settings, Provider: Name, Doing: "open", Err: err, Cure: cure}
	}
	if s.URL == "" {
		return nil, fail(errors.New("no address is given"), "set prometheus.url or PROMETHEUS_URL")
	}
	base, err := url.Parse(s.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fail(errors.New("the address is not a URL of http or https"), "correct prometheus.url or PROMETHEUS_URL")
	}
	if base.User != nil && s.Username == "" {
		password, _ := base.User.Password()
		s.Username, s.Password = base.User.Username(), web.Secret(password)
	}
	base.User, s.URL = nil, ""
	// A token out of a file or a CI secret may end in a newline, which no header can hold.
	s.Token = web.Secret(strings.TrimSpace(string(s.Token)))
	if problem := s.Token.Problem(); problem != "" {
		return nil, fail(errors.New("the token "+problem), "set PROMETHEUS_TOKEN to the token alone, on one line")
	}
	for name, value := range s.Headers {
		if problem := value.Problem(); problem != "" {
			return nil, fail(fmt.Errorf("the value of the header %s %s", web.Quote(name), problem), "correct prometheus.headers")
		}
	}
	if s.Token != "" && s.Username != "" {
		return nil, fail(errors.New("both a token and a user name are given"), "give one of them")
	}
	t, err := s.TLS.config()
	if err != nil {
		return nil, fail(err, "correct prometheus.tls")
	}
	return &Provider{
		base: base, settings: s, batches: newBatches(),
		client: web.NewClient(web.ClientOptions{Timeout: time.Duration(s.Timeout), TLS: t, Transport: transport}),
	}, nil
}

// config returns the TLS configuration, nil when nothing is set.
func (t TLS) config() (*tls.Config, error) {
	if t == (TLS{}) {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, InsecureSkipVerify: t.Insecure} //nolint:gosec // only when asked for
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read the certificate authorities: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("no certificate in %s", t.CA)
		}
	}
	if t.Cert != "" || t.Key != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("load the client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// Fetch implements providers.Provider.
func (p *Provider) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	answers := make([]providers.Answer, len(queries))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(concurrent)
	for _, b := range p.batched(queries) {
		group.Go(func() error { return p.fetchBatch(groupCtx, b, queries, answers) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return answers, nil
}

// request asks for an expression between the ends of two steps and returns the
// answer's body.
func (p *Provider) request(ctx context.Context, expr string, step time.Duration, first, last time.Time) ([]byte, error) {
	form := url.Values{
		"query": {expr},
		"start": {stamp(first)},
		"end":   {stamp(last)},
		"step":  {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
		// All of the data or an error; who knows neither takes no notice.
		"partial_response":      {"false"}, // https://thanos.io/tip/components/query.md/#partial-response-strategy
		"deny_partial_response": {"1"},     // https://docs.victoriametrics.com/victoriametrics/cluster-victoriametrics/#cluster-availability
	}
	resp, err := p.send(ctx, http.MethodPost, form)
	if err == nil && (resp.StatusCode == http.StatusMethodNotAllowed || resp.StatusCode == http.StatusNotImplemented) {
		// Some proxies let only GET through.
		_ = resp.Body.Close() // already read whole
		resp, err = p.send(ctx, http.MethodGet, form)
	}
	if err != nil {
		return nil, web.TransportError(Name, "query "+p.base.Host, err, p.secrets()...)
	}
	defer resp.Body.Close() //nolint:errcheck // already read whole
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, web.TransportError(Name, "query "+p.base.Host, err, p.secrets()...)
	}
	if resp.StatusCode/100 != 2 {
		return nil, p.refused(resp.StatusCode, body)
	}
	return body, nil
}

// send sends the form in the body of a POST or the address of a GET.
func (p *Provider) send(ctx context.Context, method string, form url.Values) (*http.Response, error) {
	target := p.base.JoinPath("api/v1/query_range")
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	} else {
		if target.RawQuery != "" {
			target.RawQuery += "&"
		}
		target.RawQuery += form.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "canary-judge")
	for name, value := range p.settings.Headers {
		req.Header.Set(name, string(value))
	}
	switch {
	case p.settings.Token != "":
		req.Header.Set("Authorization", "Bearer "+string(p.settings.Token))
	case p.settings.Username != "":
		req.SetBasicAuth(p.settings.Username, string(p.settings.Password))
	}
	return p.client.Do(req)
}

// stamp writes a time as the API reads it.
func stamp(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1e3, 'f', -1, 64)
}

// refused returns the error of an answer that is not a success.
func (p *Provider) refused(status int, body []byte) *web.Error {
	var said struct{ ErrorType, Error string }
	detail := string(body)
	if decode(body, &said) == nil && said.Error != "" {
		detail = said.Error
	}
	e := web.StatusError(Name, "query "+p.base.Host, status, detail, p.secrets()...)
	switch {
	case status == http.StatusUnprocessableEntity:
		// The query was understood and could not be evaluated.
		e.Class, e.Cure = web.BadQuery, "correct the query, or make it cheaper"
	case status == http.StatusServiceUnavailable && said.ErrorType == "timeout":
		// As when we run out of patience first: it may pass, as load does.
		e.Cure = "the server ran out of time for the query: try it by hand, or make it cheaper"
	}
	return e
}

// secrets are what no error may show: a proxy may repeat a request's headers in
// its answer.
func (p *Provider) secrets() []web.Secret {
	secrets := []web.Secret{
		p.settings.Token, p.settings.Password, web.BasicAuth(p.settings.Username, string(p.settings.Password)),
	}
	for _, v := range p.settings.Headers {
		secrets = append(secrets, v)
	}
	// What an address asks for may be a key.
	for _, values := range p.base.Query() {
		for _, v := range values {
			if len(v) >= 8 { // shorter ones are names of tenants
				secrets = append(secrets, web.Secret(v))
			}
		}
	}
	return secrets
}
