package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// Class says what kind of trouble an Error is, and so what can be done.
type Class string

// The classes.
const (
	Auth        Class = "not allowed"       // the credentials are refused, or lack a permission
	BadQuery    Class = "bad query"         // the source does not understand the query
	Limit       Class = "rate limit"        // too many requests
	Unreachable Class = "unreachable"       // no connection, no answer in time, or the source is in trouble
	Shape       Class = "unexpected answer" // an answer that does not say what was asked
	Settings    Class = "settings"          // the API cannot be used as configured
)

// Error is trouble with an API, such as every provider returns.
type Error struct {
	Class    Class
	Provider string // the name of what was asked, "" for what is found in answers
	Doing    string // what was being done, and to what
	Detail   string // the source's own words; cut, and free of secrets
	Cure     string // what to do next
	Err      error  // the cause, or nil
}

func (e *Error) Error() string {
	parts := []string{e.Doing}
	if e.Provider != "" {
		parts = []string{e.Provider, e.Doing}
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	if e.Detail != "" {
		parts = append(parts, e.Detail)
	}
	text := strings.Join(parts, ": ")
	if e.Cure != "" {
		text += "; " + e.Cure
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Passing reports whether the trouble may pass by itself: the next look is worth
// a try.
func Passing(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Class == Unreachable || e.Class == Limit
}

// longestDetail is how much of an answer's body is quoted in an error.
const longestDetail = 512

// mostQuoted is how much of a text is looked at to quote some of it, in bytes.
const mostQuoted = 64 << 10

// Quote makes a text from outside fit for an error message: one line,
// printable, cut, and without the secrets or the password of any URL.
func Quote(text string, secrets ...Secret) string {
	if len(text) > mostQuoted {
		// A secret at the cut is known no more, and goes with the end.
		text = hide(text[:mostQuoted], secrets)
		text = text[:max(0, len(text)-mostQuoted/8)]
	}
	text = hide(text, secrets)
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	// Once more: what was dropped may have stood in the middle of a secret.
	text = strings.ToValidUTF8(hide(strings.Join(strings.Fields(text), " "), secrets), "\ufffd")
	if runes := []rune(text); len(runes) > longestDetail {
		text = string(runes[:longestDetail]) + "…"
	}
	return text
}

// TransportError returns the error of a request that got no answer.
func TransportError(provider, doing string, err error, secrets ...Secret) *Error {
	if errors.Is(err, context.Canceled) {
		return &Error{Class: Unreachable, Provider: provider, Doing: doing, Err: context.Canceled}
	}
	e := &Error{
		Class: Unreachable, Provider: provider, Doing: doing,
		Detail: Quote(reason(err), secrets...),
		Cure:   "check the address, the network and the proxy settings",
	}
	if errors.Is(err, errNotWhole) {
		e.Cure = "nothing is judged by a part of the data: see what the source, or what stands between, lacks"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		e.Err = context.DeadlineExceeded
		e.Cure = "the source is slow or hangs: try the query by hand, or raise the timeout"
	}
	return e
}

// reason drops the method and URL that net/http puts before an error: the URL
// may hold a password, and Doing says it already.
func reason(err error) string {
	var request *url.Error
	for errors.As(err, &request) {
		err = request.Err
	}
	return err.Error()
}

// StatusError returns the error of an answer whose status is not a success.
// detail is what the source says about it.
func StatusError(provider, doing string, status int, detail string, secrets ...Secret) *Error {
	e := &Error{
		Provider: provider,
		Doing:    doing,
		Detail:   strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status))),
	}
	if detail = Quote(detail, secrets...); detail != "" {
		e.Detail += ": " + detail
	}
	switch {
	case status == http.StatusUnauthorized:
		e.Class, e.Cure = Auth, "check that the credentials are set, and are of this server"
	case status == http.StatusForbidden:
		e.Class, e.Cure = Auth, "check that the credentials may query metrics"
	case status == http.StatusNotFound:
		e.Class, e.Cure = Settings, "check the address: there is no query API at this path"
	case status == http.StatusTooManyRequests:
		e.Class, e.Cure = Limit, "use longer steps or fewer metrics, or ask for a higher limit"
	case status == http.StatusRequestTimeout || status >= 500:
		e.Class, e.Cure = Unreachable, "the source is in trouble: try again when it is well"
	case status >= 300 && status < 400:
		e.Class, e.Cure = Settings, "the source redirects; give its final address, since credentials follow no redirect"
	default:
		e.Class, e.Cure = BadQuery, "correct the query"
	}
	return e
}
