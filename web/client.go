package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// ClientOptions says how an HTTP client behaves.
type ClientOptions struct {
	// Timeout bounds each attempt, from dialling to the last byte of the answer; 0
	// means DefaultTimeout.
	Timeout time.Duration
	TLS     *tls.Config // nil for the system's
	// Transport replaces the network in tests.
	Transport http.RoundTripper
	// Seen is told of every answer, also of those that are tried again; nil for
	// nobody.
	Seen func(*http.Response)
}

const (
	// DefaultTimeout bounds an attempt of a request.
	DefaultTimeout = 20 * time.Second
	// retries is how often a request is tried again, as far as the time for
	// the look allows.
	retries = 4
	// shortestWait and longestWait bound the waits before retries, which double and
	// are drawn at random from the upper half: many jobs that fail together do not
	// come back together.
	shortestWait = 500 * time.Millisecond
	longestWait  = 10 * time.Second
	// largestAnswer is what an answer may hold; no window of metrics comes near.
	largestAnswer = 256 << 20
)

var (
	// errTooLarge is an answer that goes on and on.
	errTooLarge = errors.New("the answer is larger than 256 MiB")
	// errNotWhole is an answer of which the rest is elsewhere, or is not there.
	errNotWhole = errors.New("the answer is not whole: 206 Partial Content")
)

// NewClient returns a client that tries again what may pass by itself (no
// connection, a broken-off answer, 408, 429, 5xx), with jitter, within the
// deadline of the request's context and as Retry-After and X-RateLimit-Reset
// ask. It follows no redirect: keys in headers would go along. Answers are
// read whole before they are returned, so that one that breaks off is tried again
// too.
func NewClient(o ClientOptions) *http.Client {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	transport := o.Transport
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig = o.TLS
		t.MaxIdleConnsPerHost = 8
		transport = t
	}
	if o.Seen != nil {
		transport = watched{transport, o.Seen}
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{
		CheckRedirect: stay,
		Transport:     &retrying{&http.Client{Transport: transport, Timeout: o.Timeout, CheckRedirect: stay}},
	}
}

// watched is a RoundTripper whose answers someone is told of.
type watched struct {
	next http.RoundTripper
	seen func(*http.Response)
}

func (w watched) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(req)
	if err == nil {
		w.seen(resp)
	}
	return resp, err
}

// retrying is a RoundTripper that tries again.
type retrying struct{ client *http.Client }

func (r *retrying) RoundTrip(req *http.Request) (*http.Response, error) {
	wrapped, err := retryablehttp.FromRequest(req)
	if err != nil {
		return nil, fmt.Errorf("read the request's body: %w", err)
	}
	wrapped.SetResponseHandler(readWhole(largestAnswer))
	tries := &attempts{}
	client := &retryablehttp.Client{
		HTTPClient:   r.client,
		RetryMax:     retries,
		CheckRetry:   tries.again,
		Backoff:      func(time.Duration, time.Duration, int, *http.Response) time.Duration { return tries.wait },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	resp, err := client.Do(wrapped)
	if err != nil {
		if resp != nil {
			_ = resp.Body.Close() // the error says more
		}
		return nil, err
	}
	return resp, nil
}

// readWhole replaces an answer's body by a copy in memory of at most limit bytes.
func readWhole(limit int64) retryablehttp.ResponseHandlerFunc {
	return func(resp *http.Response) error {
		if resp.StatusCode == http.StatusPartialContent {
			_ = resp.Body.Close() // a part of the data is nothing to judge by
			return errNotWhole
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
		closed := resp.Body.Close()
		if err != nil {
			return fmt.Errorf("the answer broke off: %w", err)
		}
		if int64(len(body)) > limit {
			return errTooLarge
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return closed
	}
}

// attempts is what one request has been through.
type attempts struct {
	failed int           // attempts that failed and were followed by another
	wait   time.Duration // before the next one
}

// again decides whether to try again. A wait that would outlast the time for the
// look is not begun: the answer that is there says more than a deadline.
func (a *attempts) again(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if errors.Is(err, errTooLarge) {
		return false, err
	}
	worth := err == nil && passing(resp.StatusCode)
	if err != nil {
		// The library knows which transport errors are there to stay, such as a
		// certificate that is not trusted.
		worth, _ = retryablehttp.DefaultRetryPolicy(ctx, nil, err)
		resp = nil
	}
	if !worth || a.failed == retries {
		return false, nil
	}
	wait := backoff(a.failed, resp)
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Add(wait).Before(deadline) {
		return false, nil
	}
	a.failed, a.wait = a.failed+1, wait
	return true, nil
}

// passing reports whether a status may be another one next time.
func passing(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests ||
		status >= 500 && status != http.StatusNotImplemented
}

// backoff returns the wait after an attempt, the first of which is 0. resp is its
// answer, nil if it got none.
func backoff(attempt int, resp *http.Response) time.Duration {
	wait := min(shortestWait<<attempt, longestWait)
	wait = wait/2 + rand.N(wait/2) //nolint:gosec // jitter needs no secrecy
	if resp != nil {
		if ask := asked(resp); ask > 0 {
			wait = max(wait, ask+rand.N(shortestWait)) //nolint:gosec // as above
		}
	}
	return wait
}

// asked returns the wait that an answer asks for, 0 if it does not.
func asked(resp *http.Response) time.Duration {
	headers := []string{"Retry-After"}
	if resp.StatusCode == http.StatusTooManyRequests {
		// Datadog sends it with every answer; only here does it say when to come back.
		headers = append(headers, "X-RateLimit-Reset")
	}
	var wait time.Duration
	for _, header := range headers {
		value := resp.Header.Get(header)
		if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 && seconds < 1e6 {
			wait = max(wait, time.Duration(seconds*float64(time.Second)))
		} else if at, err := http.ParseTime(value); err == nil {
			wait = max(wait, time.Until(at))
		}
	}
	return wait
}
