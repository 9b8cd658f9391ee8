package datadog

import (
	"context"
	"errors"
	"net/url"

	"github.com/canary-judge/canary-judge/providers"
)

// call sends a request beside the queries, and returns the body of an answer that is
// a success. body is nil or a pointer.
func (p *Provider) call(ctx context.Context, doing, method, path string, parameters url.Values, body any) ([]byte, *providers.Error) {
	if len(parameters) > 0 {
		path += "?" + parameters.Encode()
	}
	text, status, err := p.send(ctx, method, path, doing, body)
	var e *providers.Error
	switch {
	case errors.As(err, &e):
		return nil, e
	case err != nil:
		return nil, &providers.Error{Class: providers.Unreachable, Provider: Name, Doing: doing, Err: err}
	case status/100 != 2:
		return nil, p.refused(doing, status, text)
	}
	return text, nil
}
