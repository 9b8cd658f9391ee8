package api

import (
	"context"
	"net/url"
	"strings"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"

	"github.com/canary-judge/canary-judge/web"
)

// Call sends a request and returns the body of an answer that is a success. doing says in
// errors what is being done, and to what; for the rest see Send.
func (c *Client) Call(ctx context.Context, doing, method, path string, parameters url.Values, body any) ([]byte, *web.Error) {
	text, status, err := c.Send(ctx, doing, method, path, parameters, body)
	if err == nil && status/100 != 2 {
		err = c.Refused(doing, status, text)
	}
	return text, err
}

// Send sends a request and returns the answer's body and status, which is 0 where none came.
// An answer to a question that says that it is a part of one is an error; a refusal is none.
// path begins with /api/, and parameters may be nil. body is nil or a pointer to what is
// written as JSON: the client panics over a struct.
func (c *Client) Send(ctx context.Context, doing, method, path string, parameters url.Values, body any) ([]byte, int, *web.Error) {
	keys := map[string]datadog.APIKey{
		"apiKeyAuth": {Key: string(c.apiKey)},
		"appKeyAuth": {Key: string(c.appKey)},
	}
	ctx = context.WithValue(ctx, datadog.ContextAPIKeys, keys)
	// The server with this index takes any site; the default one only those the
	// client knew when it was released.
	ctx = context.WithValue(ctx, datadog.ContextServerIndex, 2)
	ctx = context.WithValue(ctx, datadog.ContextServerVariables, map[string]string{"site": c.site})
	base, err := c.sender.Cfg.ServerURLWithContext(ctx, "v2.MetricsApi.QueryTimeseriesData")
	if err != nil {
		return nil, 0, &web.Error{Class: web.Settings, Provider: Name, Doing: doing, Err: err}
	}
	if c.base != nil {
		base = strings.TrimSuffix(c.base.String(), "/")
	}
	headers := map[string]string{"Accept": "application/json"}
	if body != nil {
		headers["Content-Type"] = "application/json"
	}
	datadog.SetAuthKeys(ctx, &headers, [2]string{"apiKeyAuth", "DD-API-KEY"}, [2]string{"appKeyAuth", "DD-APPLICATION-KEY"})
	req, err := c.sender.PrepareRequest(ctx, base+path, method, body, headers, parameters, nil, nil)
	if err != nil {
		return nil, 0, &web.Error{Class: web.Settings, Provider: Name, Doing: doing, Err: err}
	}
	resp, err := c.sender.CallAPI(req) //nolint:bodyclose // ReadBody closes it
	if err != nil {
		return nil, 0, web.TransportError(Name, doing, err, c.secrets()...)
	}
	text, err := datadog.ReadBody(resp)
	if err != nil {
		return nil, 0, web.TransportError(Name, doing, err, c.secrets()...)
	}
	if asks(method, path) && resp.StatusCode/100 == 2 {
		return text, resp.StatusCode, c.checkWhole(doing, text)
	}
	return text, resp.StatusCode, nil
}
