package api_test

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/apitest"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

// failing is a network on which nothing works.
type failing struct {
	err  error
	host *string
}

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) {
	*f.host = r.URL.Host
	return nil, f.err
}

func TestSites(t *testing.T) {
	t.Parallel()
	for site, want := range map[string]string{
		"": "api.datadoghq.com", "  ": "api.datadoghq.com", "datadoghq.eu": "api.datadoghq.eu", "app.datadoghq.eu": "api.datadoghq.eu",
		"https://app.datadoghq.eu": "api.datadoghq.eu", "https://api.us5.datadoghq.com/api/v2/": "api.us5.datadoghq.com",
		"https://us3.datadoghq.com/account": "api.us3.datadoghq.com", "DDOG-GOV.com\n": "api.ddog-gov.com",
		"uk1.datadoghq.com": "api.uk1.datadoghq.com", "new.site.example": "api.new.site.example", // one the client does not know yet
		"datadoghq": "", "data doghq.com": "", "user@datadoghq.com": "", "datadoghq.com:443": "", "a..b": "", "datadoghq.com?x": "", "-": "",
	} {
		t.Run(site, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var host string
				nowhere := failing{&net.DNSError{Err: "no such host", Name: want, IsNotFound: true}, &host}
				c, err := api.New(api.Options{APIKey: apitest.APIKey, AppKey: apitest.AppKey, Site: site, Transport: nowhere})
				if want == "" {
					var e *web.Error
					if !errors.As(err, &e) || e.Class != web.Settings || apitest.ShowsKey(err) {
						t.Errorf("error %v, want one of class %q", err, web.Settings)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				_, failure := c.Call(t.Context(), "query "+c.Host(), http.MethodGet, "/api/v1/x", nil, nil)
				err = failure
				if host != want || !web.Passing(err) || apitest.ShowsKey(err) || !strings.Contains(err.Error(), "query "+want+": lookup "+want+": no such host; check the address") {
					t.Errorf("asked %q, %v; want %q", host, err, want)
				}
			})
		})
	}
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		options api.Options
		want    string
	}{
		{"no keys", api.Options{}, "no API key is given; set DD_API_KEY"},
		{"an API key of two lines", api.Options{APIKey: "hunter2\nhunter2", AppKey: "x"}, "the API key has a newline inside; set DD_API_KEY to the key alone, on one line"},
		{"an application key of two lines", api.Options{APIKey: "x", AppKey: "hunter2\r\nhunter2"}, "the application key has a newline inside; set DD_APP_KEY to the key alone"},
		{"a key for a site", api.Options{APIKey: "x", AppKey: "y", Site: "hunter2"}, "the site is no name of a host; set DD_SITE to one such as datadoghq.com"},
		{"an address with a query", api.Options{APIKey: "x", AppKey: "y", URL: "http://proxy/x?key=hunter2"}, "the address has a query, or a part after a #"},
		{"an address with nothing after the ?", api.Options{APIKey: "x", AppKey: "y", URL: "http://proxy/x?"}, "leave out of datadog.url or DD_URL what follows the ? or the #"},
		{"an address with a part", api.Options{APIKey: "x", AppKey: "y", URL: "http://proxy/x#hunter2"}, "leave out of datadog.url or DD_URL what follows the ? or the #"},
		{"a blank API key", api.Options{APIKey: " \n", AppKey: "hunter2"}, "no API key is given"},
		{"a blank application key", api.Options{APIKey: "hunter2", AppKey: "\t"}, "no application key is given; set DD_APP_KEY; its permission is timeseries_query"},
		{"an address without a scheme", api.Options{APIKey: "hunter2", AppKey: "hunter2", URL: "proxy:80"}, "not a URL of http or https; correct datadog.url or DD_URL"},
		{"an address that is none", api.Options{APIKey: "hunter2", AppKey: "hunter2", URL: "http://a b:hunter2@c"}, "not a URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := api.New(tt.options)
			var e *web.Error
			if !errors.As(err, &e) || e.Class != web.Settings || !strings.Contains(err.Error(), tt.want) || apitest.ShowsKey(err) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	var got http.Header
	c := apitest.Client(t, api.Options{APIKey: " a\n", AppKey: "b ", URL: "https://me:secret@proxy.example/dd", Transport: providertest.Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r.Header
	}))})
	if _, err := c.Call(t.Context(), "try", http.MethodPost, "/api/v1/x", nil, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	want := []string{"a", "b", "application/json", "Basic bWU6c2VjcmV0"} // printf me:secret | base64
	if diff := cmp.Diff(want, []string{got.Get("Dd-Api-Key"), got.Get("Dd-Application-Key"), got.Get("Content-Type"), got.Get("Authorization")}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !strings.HasPrefix(got.Get("User-Agent"), "canary-judge (") {
		t.Errorf("User-Agent %q", got.Get("User-Agent"))
	}
}
