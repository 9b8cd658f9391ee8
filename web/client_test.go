package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// script is a network that gives one outcome an attempt, the last one for ever.
type script struct {
	outcomes []func(*http.Request) (*http.Response, error)
	bodies   []string    // of the requests
	times    []time.Time // of the attempts
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		s.bodies = append(s.bodies, string(body))
	}
	s.times = append(s.times, time.Now())
	return s.outcomes[min(len(s.times), len(s.outcomes))-1](r)
}

// waits returns the times between attempts.
func (s *script) waits() []time.Duration {
	var all []time.Duration
	for i := 1; i < len(s.times); i++ {
		all = append(all, s.times[i].Sub(s.times[i-1]))
	}
	return all
}

// says is an answer with headers, as name and value in turn.
func says(status int, body io.Reader, headers ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(body), Request: r}, nil
	}
}

func status(code int, headers ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		return says(code, strings.NewReader("body"), headers...)(r)
	}
}

func fails(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// hangs until the request is given up.
func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// torn is an answer that breaks off.
func torn(r *http.Request) (*http.Response, error) {
	return says(http.StatusOK, io.MultiReader(strings.NewReader("half"), broken{}))(r)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// post sends a body and returns the answer's, or the error.
func post(ctx context.Context, transport http.RoundTripper) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://source.example/path", strings.NewReader("question"))
	if err != nil {
		return "", err
	}
	resp, err := NewClient(ClientOptions{Transport: transport}).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, body), err
}

func TestRetries(t *testing.T) {
	t.Parallel()
	type outcome = func(*http.Request) (*http.Response, error)
	const forever = time.Hour
	for _, tt := range []struct {
		name     string
		outcomes []outcome
		deadline time.Duration
		want     string // the answer; or of the error
		attempts int
		least    time.Duration // the shortest and longest that it all may take
		most     time.Duration
	}{
		{"well", []outcome{status(200)}, forever, "200 body", 1, 0, 0},
		{"no content", []outcome{status(204)}, forever, "204 body", 1, 0, 0},
		// Waits double from 0.5 s; the upper half of each is drawn from.
		{"well again", []outcome{status(503), status(500), status(200)}, forever, "200 body", 3, 750 * time.Millisecond, 1500 * time.Millisecond},
		{"never well", []outcome{status(503)}, forever, "503 body", 5, 3750 * time.Millisecond, 7500 * time.Millisecond},
		{"timed out there", []outcome{status(408), status(200)}, forever, "200 body", 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"no connection", []outcome{fails(errors.New("connection refused")), status(200)}, forever, "200 body", 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"never a connection", []outcome{fails(errors.New("connection refused"))}, forever, "connection refused", 5, 3750 * time.Millisecond, 7500 * time.Millisecond},
		{"broken off", []outcome{torn, torn, status(200)}, forever, "200 body", 3, 750 * time.Millisecond, 1500 * time.Millisecond},
		{"always broken off", []outcome{torn}, forever, "the answer broke off: unexpected EOF", 5, 3750 * time.Millisecond, 7500 * time.Millisecond},
		{"a part of it", []outcome{status(206), status(200)}, forever, "200 body", 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"always a part of it", []outcome{status(206)}, forever, "the answer is not whole: 206 Partial Content", 5, 3750 * time.Millisecond, 7500 * time.Millisecond},
		{"hung", []outcome{hangs, status(200)}, forever, "200 body", 2, DefaultTimeout + 250*time.Millisecond, DefaultTimeout + 500*time.Millisecond},

		{"bad request", []outcome{status(400)}, forever, "400 body", 1, 0, 0},
		{"unauthorized", []outcome{status(401)}, forever, "401 body", 1, 0, 0},
		{"forbidden", []outcome{status(403)}, forever, "403 body", 1, 0, 0},
		{"not found", []outcome{status(404)}, forever, "404 body", 1, 0, 0},
		{"not implemented", []outcome{status(501)}, forever, "501 body", 1, 0, 0},
		{"redirect", []outcome{status(307, "Location", "http://elsewhere.example/")}, forever, "307 body", 1, 0, 0},

		{"Retry-After", []outcome{status(429, "Retry-After", "30"), status(200)}, forever, "200 body", 2, 30 * time.Second, 30500 * time.Millisecond},
		{"Retry-After of a busy server", []outcome{status(503, "Retry-After", "30"), status(200)}, forever, "200 body", 2, 30 * time.Second, 30500 * time.Millisecond},
		// A bubble of testing/synctest starts at this time.
		{"Retry-After as a date", []outcome{status(429, "Retry-After", "Sat, 01 Jan 2000 00:00:20 GMT"), status(200)}, forever, "200 body", 2, 20 * time.Second, 20500 * time.Millisecond},
		{"Retry-After in the past", []outcome{status(429, "Retry-After", "Fri, 31 Dec 1999 00:00:00 GMT"), status(200)}, forever, "200 body", 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"Retry-After of no time", []outcome{status(429, "Retry-After", "0"), status(200)}, forever, "200 body", 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"Retry-After that is nothing", []outcome{status(429, "Retry-After", "NaN"), status(429, "Retry-After", "-5"), status(200)}, forever, "200 body", 3, 750 * time.Millisecond, 1500 * time.Millisecond},
		{"X-RateLimit-Reset", []outcome{status(429, "X-RateLimit-Reset", "12.5"), status(200)}, forever, "200 body", 2, 12500 * time.Millisecond, 13 * time.Second},
		{"the longer of both", []outcome{status(429, "X-RateLimit-Reset", "12", "Retry-After", "3"), status(200)}, forever, "200 body", 2, 12 * time.Second, 12500 * time.Millisecond},
		// It comes with every answer of Datadog and means the limit, which was not met.
		{"X-RateLimit-Reset of a broken server", []outcome{status(500, "X-RateLimit-Reset", "3000"), status(200)}, forever, "200 body", 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"X-RateLimit-Reset as a time since the epoch", []outcome{status(429, "X-RateLimit-Reset", "1795428000"), status(200)}, forever, "200 body", 2, 250 * time.Millisecond, 500 * time.Millisecond},

		// Past the deadline the answer that is there says more than the deadline.
		{"a wait past the deadline", []outcome{status(429, "Retry-After", "30")}, 29 * time.Second, "429 body", 1, 0, 0},
		{"a back-off past the deadline", []outcome{status(503)}, 1700 * time.Millisecond, "503 body", 3, 750 * time.Millisecond, 1500 * time.Millisecond},
		{"no time for another try", []outcome{fails(errors.New("connection refused"))}, 200 * time.Millisecond, "connection refused", 1, 0, 0},
		{"hung until the deadline", []outcome{hangs}, 5 * time.Second, "context deadline exceeded", 1, 5 * time.Second, 5 * time.Second},
		{"hung longer than an attempt may take", []outcome{hangs}, DefaultTimeout + 100*time.Millisecond, "context deadline exceeded", 1, DefaultTimeout, DefaultTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.deadline)
				defer cancel()
				s := &script{outcomes: tt.outcomes}
				began := time.Now()
				got, err := post(ctx, s)
				took := time.Since(began)
				if err != nil {
					got = err.Error()
				}
				if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
					t.Errorf("%q, want %q", got, tt.want)
				}
				if len(s.times) != tt.attempts || took < tt.least || took > tt.most {
					t.Errorf("%d attempts in %s, after waits of %s; want %d in %s to %s", len(s.times), took, s.waits(), tt.attempts, tt.least, tt.most)
				}
				for _, body := range s.bodies {
					if body != "question" {
						t.Errorf("an attempt sent %q", body)
					}
				}
			})
		})
	}
}

// Many jobs that fail together must not come back together.
func TestWaitsDiffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		different := map[time.Duration]bool{}
		for range 20 {
			s := &script{outcomes: []func(*http.Request) (*http.Response, error){status(429, "Retry-After", "5"), status(200)}}
			if _, err := post(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			different[s.waits()[0]] = true
		}
		if len(different) < 10 {
			t.Errorf("20 waits had %d different lengths", len(different))
		}
	})
}

func TestCancelEndsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		began := time.Now()
		_, err := post(ctx, &script{outcomes: []func(*http.Request) (*http.Response, error){status(429, "Retry-After", "60")}})
		if took := time.Since(began); !errors.Is(err, context.Canceled) || took != 3*time.Second {
			t.Errorf("%v after %s; want the end of the context after 3s", err, took)
		}
	})
}

// The cause of a cancellation, such as a signal, is told.
func TestCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	_, err := post(ctx, &script{outcomes: []func(*http.Request) (*http.Response, error){hangs}})
	if !errors.Is(err, cause) && !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestAnswersHaveALimit(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]error{9: nil, 10: nil, 11: errTooLarge} {
		resp := &http.Response{Body: io.NopCloser(bytes.NewReader(make([]byte, size)))}
		if err := readWhole(10)(resp); !errors.Is(err, want) {
			t.Errorf("%d bytes: %v, want %v", size, err, want)
		}
	}
	// Another try would be as large.
	again, err := (&attempts{}).again(t.Context(), &http.Response{StatusCode: 200}, errTooLarge)
	if again || !errors.Is(err, errTooLarge) {
		t.Errorf("again: %t, %v", again, err)
	}
}

type unreadable struct{ io.Reader }

func (unreadable) Read([]byte) (int, error) { return 0, errors.New("no body") }

func TestRequestWithoutABody(t *testing.T) {
	t.Parallel()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://source.example", unreadable{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewClient(ClientOptions{Transport: &script{}}).Do(req)
	if err == nil || !strings.Contains(err.Error(), "read the request's body: no body") {
		t.Errorf("error %v", err)
	}
}

func TestDefaultTransport(t *testing.T) {
	t.Parallel()
	inner := NewClient(ClientOptions{}).Transport.(*retrying).client
	got := []any{inner.Timeout, inner.Transport.(*http.Transport).Proxy != nil, inner.Transport == http.DefaultTransport}
	if diff := cmp.Diff([]any{DefaultTimeout, true, false}, got); diff != "" {
		t.Errorf("timeout, proxy from the environment, shared with others (-want +got)\n%s", diff)
	}
}
