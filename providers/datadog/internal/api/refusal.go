package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/web"
)

// Refused returns the error of an answer that is not a success.
func (c *Client) Refused(doing string, status int, body []byte) *web.Error {
	detail := string(body)
	var said struct{ Errors json.RawMessage }
	if json.Unmarshal(body, &said) == nil && len(said.Errors) > 0 {
		detail = ErrorTexts(said.Errors)
	}
	e := web.StatusError(Name, doing, status, detail, c.secrets()...)
	switch status {
	case http.StatusUnauthorized:
		e.Cure = "check DD_API_KEY, DD_APP_KEY and DD_SITE: keys are of one site"
	case http.StatusForbidden:
		e.Cure = "check DD_API_KEY and DD_SITE, and that the application key has the permission timeseries_query"
	}
	return e
}

// Misread returns the error of an answer that does not say what was asked. One that is
// ErrNotWhole may be whole when it is asked for again.
func (c *Client) Misread(doing string, err error) *web.Error {
	e := &web.Error{Class: web.Shape, Provider: Name, Doing: doing, Detail: c.Quote(err.Error())}
	if errors.Is(err, ErrNotWhole) {
		e.Class, e.Cure = web.Unreachable, "nothing is judged by a part of the data: it may pass; if it does not, ask for less at once, and see https://status.datadoghq.com"
	}
	return e
}

// IsNotFound reports whether what was asked for is not there. nil is no failure.
func IsNotFound(failure *web.Error) bool {
	return failure != nil && strings.HasPrefix(failure.Detail, "404")
}

// CureNotFound makes of a failure to find something one of the query, which says what names
// the thing, such as "the monitor's id". Others and nil are returned as they are.
func CureNotFound(failure *web.Error, name string) *web.Error {
	if IsNotFound(failure) {
		failure.Class = web.BadQuery
		failure.Cure = "check " + name + ", and that DD_SITE and the keys are of its organisation"
	}
	return failure
}

// CureForbidden adds to a failure for lack of a permission which ones the application key
// needs, such as "permission monitors_read". Others and nil are returned as they are.
func CureForbidden(failure *web.Error, permissions string) *web.Error {
	if failure != nil && strings.HasPrefix(failure.Detail, "403") {
		failure.Cure = "check DD_API_KEY and DD_SITE, and that the application key has the " + permissions
	}
	return failure
}

// ErrorTexts reads the shapes in which the API reports errors: a text, a list of
// texts, or a list of objects with a title and a detail.
func ErrorTexts(raw json.RawMessage) string {
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

var (
	// earliest is before anything that Datadog tells of, and after whatever seconds that are
	// taken for milliseconds come to.
	earliest = time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	// latest is after anything; far beyond it times overflow.
	latest = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// IsPlausible reports whether a time can be that of something which Datadog tells of: it was
// read in the unit that it is written in.
func IsPlausible(t time.Time) bool { return !t.Before(earliest) && t.Before(latest) }
