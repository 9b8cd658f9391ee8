// Package providertest checks that a provider keeps the contract of
// providers.Provider. The tests of every provider run it, each with a source of
// its own protocol that holds the same world.
package providertest

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// World is what a source holds, and how it behaves. A stand-in for the source
// calls Request for each request and answers with what Reply and Within return.
type World struct {
	Step    time.Duration
	Replies []Reply
	Mood    Mood
	// Secret is the key or password that the provider is opened with. A stand-in that
	// refuses or denies repeats it in what it says, as careless servers do.
	Secret string

	requests atomic.Int64
	arrived  chan struct{} // gets a value when a request begins to hang
	ended    chan struct{} // closed when the case has ended
}

// begin makes the world ready for a case, and end lets go of what hangs in it.
func (w *World) begin() { w.arrived, w.ended = make(chan struct{}, 1), make(chan struct{}) }
func (w *World) end()   { close(w.ended) }

// Mood is how a source behaves as a whole.
type Mood int

// The moods.
const (
	Well   Mood = iota
	Hangs       // takes requests and does not answer
	Denies      // refuses the secret
)

// Reply is what a source knows for one query. To a query that has none, nothing
// matches.
type Reply struct {
	Metric string
	Arm    providers.Arm
	Part   providers.Part
	Expr   string
	// Series are those that match, not ordered by labels. A point of NaN is one that
	// the source knows to be missing, such as a null; one with Buckets is a histogram.
	// There are points outside of the windows that are asked for.
	Series []analysis.Series
	// Refused is why the source does not answer the query, "" if it does. A recording,
	// which understands everything, holds another kind of points then.
	Refused string
}

// Reply returns what the source knows for a query's expression.
func (w *World) Reply(expr string) Reply {
	i := slices.IndexFunc(w.Replies, func(r Reply) bool { return r.Expr == expr })
	if i < 0 {
		return Reply{Expr: expr}
	}
	return w.Replies[i]
}

// Request tells the world of a request. While the world hangs it returns only when
// ctx, the request's context, is done. It reports whether the request may be
// answered; if not, the secret is to be refused.
func (w *World) Request(ctx context.Context) bool {
	w.requests.Add(1)
	if w.Mood == Hangs {
		select {
		case w.arrived <- struct{}{}:
		default:
		}
		select {
		case <-ctx.Done():
		case <-w.ended:
		}
	}
	return w.Mood == Well
}

// Requests returns how many requests there have been.
func (w *World) Requests() int { return int(w.requests.Load()) }

// Fetch answers from the world itself, in one request: World is a provider that
// keeps the contract, for tests of what stands around one.
func (w *World) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if ok := w.Request(ctx); ctx.Err() != nil {
		return nil, ctx.Err()
	} else if !ok {
		return nil, &web.Error{Class: web.Auth, Provider: "world", Doing: "answer"}
	}
	answers := make([]providers.Answer, len(queries))
	for i, q := range queries {
		series, err := w.answer(q)
		answers[i] = providers.Answer{Series: series, Err: err}
	}
	return answers, nil
}

func (w *World) answer(q providers.Query) ([]analysis.Series, error) {
	reply := w.Reply(q.Expr)
	if reply.Refused != "" {
		return nil, providers.Place(q, &web.Error{
			Class: web.BadQuery, Provider: "world", Doing: "answer",
			Detail: web.Quote(reply.Refused, web.Secret(w.Secret)),
		})
	}
	var all []analysis.Series
	for _, s := range reply.Series {
		if s.Points = Within(s.Points, q.Start, q.End); len(s.Points) > 0 {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b analysis.Series) int { return providers.CompareLabels(a.Labels, b.Labels) })
	return all, nil
}

// Within returns the points from start (inclusive) to end (exclusive).
func Within(points []analysis.Point, start, end time.Time) []analysis.Point {
	var some []analysis.Point
	for _, p := range points {
		if !p.Time.Before(start) && p.Time.Before(end) {
			some = append(some, p)
		}
	}
	return some
}
