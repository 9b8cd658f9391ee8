package datadog

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"

	"github.com/canary-judge/canary-judge/web"
)

// post sends a query and returns the answer's body.
func (p *Provider) post(ctx context.Context, path string, body *request) ([]byte, error) {
	text, err := p.call(ctx, "query "+p.host(), http.MethodPost, path, nil, body)
	if err != nil {
		return nil, err
	}
	return text, nil
}

// call sends a request and returns the body of an answer that is a success.
func (p *Provider) call(ctx context.Context, doing, method, path string, parameters url.Values, body any) ([]byte, *web.Error) {
	text, status, err := p.send(ctx, doing, method, path, parameters, body)
	if err == nil && status/100 != 2 {
		err = p.refused(doing, status, text)
	}
	return text, err
}

// send sends a request and returns the answer's body and status. An answer to a question
// that says that it is a part of one is an error. body is nil or a
// pointer: the client panics over a struct.
func (p *Provider) send(ctx context.Context, doing, method, path string, parameters url.Values, body any) ([]byte, int, *web.Error) {
	keys := map[string]datadog.APIKey{
		"apiKeyAuth": {Key: string(p.settings.APIKey)},
		"appKeyAuth": {Key: string(p.settings.AppKey)},
	}
	ctx = context.WithValue(ctx, datadog.ContextAPIKeys, keys)
	// The server with this index takes any site; the default one only those the
	// client knew when it was released.
	ctx = context.WithValue(ctx, datadog.ContextServerIndex, 2)
	ctx = context.WithValue(ctx, datadog.ContextServerVariables, map[string]string{"site": p.site})
	base, err := p.client.Cfg.ServerURLWithContext(ctx, "v2.MetricsApi.QueryTimeseriesData")
	if err != nil {
		return nil, 0, &web.Error{Class: web.Settings, Provider: Name, Doing: doing, Err: err}
	}
	if p.base != nil {
		base = strings.TrimSuffix(p.base.String(), "/")
	}
	headers := map[string]string{"Accept": "application/json"}
	if body != nil {
		headers["Content-Type"] = "application/json"
	}
	datadog.SetAuthKeys(ctx, &headers, [2]string{"apiKeyAuth", "DD-API-KEY"}, [2]string{"appKeyAuth", "DD-APPLICATION-KEY"})
	req, err := p.client.PrepareRequest(ctx, base+path, method, body, headers, parameters, nil, nil)
	if err != nil {
		return nil, 0, &web.Error{Class: web.Settings, Provider: Name, Doing: doing, Err: err}
	}
	resp, err := p.client.CallAPI(req) //nolint:bodyclose // ReadBody closes it
	if err != nil {
		return nil, 0, web.TransportError(Name, doing, err, p.secrets()...)
	}
	text, err := datadog.ReadBody(resp)
	if err != nil {
		return nil, 0, web.TransportError(Name, doing, err, p.secrets()...)
	}
	if asks(method, path) && resp.StatusCode/100 == 2 {
		return text, resp.StatusCode, p.checkWhole(doing, resp.StatusCode, text)
	}
	return text, resp.StatusCode, nil
}

// isGone reports whether what was asked for is not there.
func isGone(failure *web.Error) bool {
	return failure != nil && strings.HasPrefix(failure.Detail, "404")
}

// named adds to a failure what names the thing that was asked for, where it is not there.
func named(failure *web.Error, name string) *web.Error {
	if isGone(failure) {
		failure.Class = web.BadQuery
		failure.Cure = "check " + name + ", and that DD_SITE and the keys are of its organisation"
	}
	return failure
}

// needing adds to a failure which permissions the application key needs, where it was
// refused.
func needing(failure *web.Error, permissions string) *web.Error {
	if failure != nil && strings.HasPrefix(failure.Detail, "403") {
		failure.Cure = "check DD_API_KEY and DD_SITE, and that the application key has the " + permissions
	}
	return failure
}
