package datadog_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog"
	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	providertest.Test(t, providertest.Suite{
		Open: func(t *testing.T, w *providertest.World) providers.Provider {
			now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
			standIn := &datadogtest.Server{World: conforming{w}, APIKey: w.Secret, AppKey: w.Secret + "-app", Now: now}
			server := httptest.NewServer(http.StripPrefix("/dd", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				// A server learns that its client is gone only after it has read the body.
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				if !w.Request(r.Context()) {
					http.Error(rw, `{"errors":["Forbidden for `+r.Header.Get("DD-API-KEY")+`"]}`, http.StatusForbidden)
					return
				}
				standIn.ServeHTTP(rw, r)
			})))
			t.Cleanup(server.Close)
			return open(t, datadog.Settings{URL: server.URL + "/dd/", APIKey: web.Secret(w.Secret), AppKey: web.Secret(w.Secret + "-app")}, nil)
		},
		// Datadog hands out no buckets.
		Parts: []providers.Part{providers.Value, providers.Bad, providers.Total},
		// All queries in one request, 1,500 points at most.
		Requests: func(_, steps int) int { return 1 + (steps-1)/1500 },
	})
}

func open(t *testing.T, s datadog.Settings, transport http.RoundTripper) *datadog.Provider {
	t.Helper()
	p, err := datadog.New(s, transport)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// conforming is the world of the conformance suite.
type conforming struct{ world *providertest.World }

// Query implements datadogtest.World.
func (c conforming) Query(q datadogtest.Query) ([]datadogtest.Series, error) {
	reply := c.world.Reply(q.Text)
	if reply.Refused != "" {
		return nil, errors.New(reply.Refused)
	}
	var all []datadogtest.Series
	for _, one := range reply.Series {
		var s datadogtest.Series
		for name, value := range one.Labels {
			s.Tags = append(s.Tags, name+":"+value)
		}
		// One bucket more than the window: the one that its end cuts.
		for _, p := range providertest.Within(one.Points, q.From, q.To.Add(q.Interval)) {
			s.Points = append(s.Points, datadogtest.Point{Time: p.Time, Value: p.Value()})
		}
		all = append(all, s)
	}
	return all, nil
}

// Metric implements datadogtest.World.
func (conforming) Metric(string) *datadogtest.Metric { return nil }
