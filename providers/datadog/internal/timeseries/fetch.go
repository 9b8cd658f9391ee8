package timeseries

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
	"github.com/canary-judge/canary-judge/web"
)

const (
	// mostQueries is how many queries are sent in one request. The API documents no
	// limit; this keeps a body well below what proxies let through.
	mostQueries = 500
	// mostPoints is how many points a series of an answer can have; for more the
	// server would widen the interval:
	// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
	mostPoints = 1500
)

// Fetcher asks the query API of one organisation. It has no state of its own.
type Fetcher struct{ api *api.Client }

// New returns a fetcher that asks by a client.
func New(c *api.Client) *Fetcher { return &Fetcher{c} }

// window is what queries of one request share.
type window struct {
	start, end int64 // milliseconds since the epoch
	step       time.Duration
}

// Fetch answers queries for metrics, for events and for statistics of APM, each at its place.
// An error in an answer is that query's own; the error returned is of all of them.
func (f *Fetcher) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	answers := make([]providers.Answer, len(queries))
	groups, order := map[window][]int{}, []window{}
	for i, q := range queries {
		if err := query.CheckSyntax(q.Expr); err != nil {
			answers[i] = providers.Answer{Err: providers.Place(q, &web.Error{
				Class: web.BadQuery, Provider: api.Name, Doing: "read the query", Err: err, Cure: "correct the query",
			})}
			continue
		}
		w := window{q.Start.UnixMilli(), q.End.UnixMilli(), q.Step}
		if _, ok := groups[w]; !ok {
			order = append(order, w)
		}
		groups[w] = append(groups[w], i)
	}
	for _, w := range order {
		group := groups[w]
		for len(group) > 0 {
			n := min(len(group), mostQueries)
			if err := f.fetchGroup(ctx, queries, group[:n], answers); err != nil {
				return nil, err
			}
			group = group[n:]
		}
	}
	return answers, nil
}

// fetchGroup answers the queries at the given places, which share a window. When
// the server finds fault with a request of several queries it does not say which
// one it means, so the halves are tried until the faulty ones stand alone.
func (f *Fetcher) fetchGroup(ctx context.Context, queries []providers.Query, at []int, answers []providers.Answer) error {
	err := f.fetchTogether(ctx, queries, at, answers)
	var e *web.Error
	if err == nil || !errors.As(err, &e) || e.Class != web.BadQuery {
		return err
	}
	if len(at) == 1 {
		answers[at[0]] = providers.Answer{Err: providers.Place(queries[at[0]], err)}
		return nil
	}
	half := len(at) / 2
	if err := f.fetchGroup(ctx, queries, at[:half], answers); err != nil {
		return err
	}
	return f.fetchGroup(ctx, queries, at[half:], answers)
}

// fetchTogether answers queries that share a window in as few requests as the
// limit on points allows.
func (f *Fetcher) fetchTogether(ctx context.Context, queries []providers.Query, at []int, answers []providers.Answer) error {
	collected := make([]collector, len(at))
	first := queries[at[0]]
	for from, to := range first.Windows(mostPoints) {
		body, failure := f.api.Call(ctx, "query "+f.api.Host(), http.MethodPost, "/api/v2/query/timeseries", nil, timeseriesRequest(queries, at, from, to))
		if failure != nil {
			return failure
		}
		if err := f.read(body, from, to, first.Step, collected); err != nil {
			return err
		}
	}
	for n, i := range at {
		answers[i] = providers.Answer{Series: collected[n].series()}
	}
	return nil
}

// read reads an answer into the collectors. What is wrong with it is told in part
// in the answer's own words, which may repeat the request's.
func (f *Fetcher) read(body []byte, from, to time.Time, step time.Duration, into []collector) error {
	err := readTimeseries(body, from, to, step, into)
	if err == nil {
		return nil
	}
	e := &web.Error{
		Class: web.Shape, Provider: api.Name, Doing: "read the answer",
		Detail: f.api.Quote(err.Error()),
	}
	if errors.Is(err, errQuery) {
		e.Class, e.Doing, e.Cure = web.BadQuery, "query "+f.api.Host(), "correct the query"
	}
	return e
}
