package api

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"

	"github.com/canary-judge/canary-judge/web"
)

// Name is the provider's name in configs and errors.
const Name = "datadog"

// Options are what a client needs to know.
type Options struct {
	APIKey, AppKey web.Secret
	// Site is the organisation's, as people paste it; "" is datadoghq.com.
	Site string
	// URL is where requests go instead of to the site; "" is the site.
	URL string
	// Timeout is the time limit of one request.
	Timeout time.Duration
	// Transport replaces the network in tests; nil is the network.
	Transport http.RoundTripper
}

// Client sends requests of one organisation, and makes errors of what goes wrong with them.
// All that it returns is free of the keys. It may be used by several goroutines at once.
type Client struct {
	apiKey, appKey web.Secret
	sender         *datadog.APIClient
	site           string
	base           *url.URL // instead of the site's, or nil
	limit          limit
}

// siteName is the host part of a site, as in https://api.SITE.
var siteName = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)

// New returns a client. Its errors are of the class web.Settings.
func New(o Options) (*Client, error) {
	fail := func(text, cure string) error {
		return &web.Error{Class: web.Settings, Provider: Name, Doing: "open", Err: errors.New(text), Cure: cure}
	}
	// A GitHub secret that does not exist is an empty string: blank is unset.
	o.APIKey = web.Secret(strings.TrimSpace(string(o.APIKey)))
	o.AppKey = web.Secret(strings.TrimSpace(string(o.AppKey)))
	switch {
	case o.APIKey == "":
		return nil, fail("no API key is given", "set DD_API_KEY")
	case o.AppKey == "":
		return nil, fail("no application key is given", "set DD_APP_KEY; its permission is timeseries_query")
	case o.APIKey.Problem() != "":
		return nil, fail("the API key "+o.APIKey.Problem(), "set DD_API_KEY to the key alone, on one line")
	case o.AppKey.Problem() != "":
		return nil, fail("the application key "+o.AppKey.Problem(), "set DD_APP_KEY to the key alone, on one line")
	}
	c := &Client{apiKey: o.APIKey, appKey: o.AppKey, site: normaliseSite(o.Site)}
	if !siteName.MatchString(c.site) {
		// It is not shown: it may be a key in the wrong place.
		return nil, fail("the site is no name of a host", "set DD_SITE to one such as datadoghq.com or datadoghq.eu")
	}
	if o.URL != "" {
		base, err := url.Parse(o.URL)
		if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
			return nil, fail("the address is not a URL of http or https", "correct datadog.url or DD_URL")
		}
		if base.RawQuery != "" || base.ForceQuery || base.Fragment != "" {
			return nil, fail("the address has a query, or a part after a #, behind which no path can stand", "leave out of datadog.url or DD_URL what follows the ? or the #")
		}
		c.base = base
	}
	settings := datadog.NewConfiguration()
	settings.HTTPClient = web.NewClient(web.ClientOptions{Timeout: o.Timeout, Transport: o.Transport, Seen: c.limit.see})
	settings.UserAgent = "canary-judge (" + settings.UserAgent + ")"
	c.sender = datadog.NewAPIClient(settings)
	return c, nil
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

// Host returns where requests go, a host with its port where that is not the usual one.
func (c *Client) Host() string {
	if c.base != nil {
		return c.base.Host
	}
	return "api." + c.site
}

// App returns the address of the site's application, wherever requests go to:
// https://docs.datadoghq.com/getting_started/site/
func (c *Client) App() string {
	if strings.Count(c.site, ".") == 1 {
		return "https://app." + c.site
	}
	return "https://" + c.site
}

// secrets are what no error may show: a proxy may repeat a request's headers in
// its answer.
func (c *Client) secrets() []web.Secret {
	secrets := []web.Secret{c.apiKey, c.appKey}
	if c.base != nil && c.base.User != nil {
		password, _ := c.base.User.Password()
		secrets = append(secrets, web.Secret(password), web.BasicAuth(c.base.User.Username(), password))
	}
	return secrets
}

// Quote makes a text from an answer fit to be shown, as web.Quote does, without the
// client's secrets.
func (c *Client) Quote(text string) string { return web.Quote(text, c.secrets()...) }
