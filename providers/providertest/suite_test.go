package providertest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// memory is a provider that keeps the contract, but for the faults it is given.
type memory struct {
	world *World
	fault fault
}

// fault is what a provider does wrong; nil functions do nothing.
type fault struct {
	query   func(*providers.Query)
	series  func(providers.Query, []analysis.Series) []analysis.Series
	answers func([]providers.Answer)
	err     func(error) error // of one query
	fatal   bool              // one query's error is that of all
	deaf    bool              // to its context
	eager   bool              // one request a query
	blurts  bool              // shows the secret when denied
	meek    bool              // takes a denial for no data
}

func (m memory) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	if ctx.Err() != nil && !m.fault.deaf {
		return nil, ctx.Err()
	}
	requests := 1
	if m.fault.eager {
		requests = len(queries)
	}
	for range requests {
		ok := m.world.Request(ctx)
		if m.fault.deaf && m.world.Mood == Hangs {
			time.Sleep(time.Minute)
		}
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("memory: %w", ctx.Err())
		case !ok && m.fault.meek:
			return make([]providers.Answer, len(queries)), nil
		case !ok && m.fault.blurts:
			return nil, &web.Error{Class: web.Auth, Detail: m.world.Secret}
		case !ok:
			return nil, &web.Error{Class: web.Auth, Provider: "memory"}
		}
	}
	answers := make([]providers.Answer, len(queries))
	for i, q := range queries {
		series, err := m.answer(q)
		if err != nil && m.fault.fatal {
			return nil, err
		}
		answers[i] = providers.Answer{Series: series, Err: err}
	}
	if m.fault.answers != nil {
		m.fault.answers(answers)
	}
	return answers, nil
}

func (m memory) answer(q providers.Query) ([]analysis.Series, error) {
	if m.fault.query != nil {
		m.fault.query(&q)
	}
	all, err := m.world.answer(q)
	if err != nil && m.fault.err != nil {
		err = m.fault.err(err)
	}
	if err == nil && m.fault.series != nil {
		all = m.fault.series(q, all)
	}
	return all, err
}

// each changes every point.
func each(change func(*analysis.Point)) fault {
	return fault{series: func(_ providers.Query, all []analysis.Series) []analysis.Series {
		for _, s := range all {
			for i := range s.Points {
				change(&s.Points[i])
			}
		}
		return all
	}}
}

// whole changes the points of every series.
func whole(change func([]analysis.Point) []analysis.Point) fault {
	return fault{series: func(_ providers.Query, all []analysis.Series) []analysis.Series {
		for i := range all {
			all[i].Points = change(all[i].Points)
		}
		return all
	}}
}

func TestSuitePassesAProviderThatKeepsTheContract(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(w *World) providers.Provider{
		"the world":         func(w *World) providers.Provider { return w },
		"one without fault": func(w *World) providers.Provider { return memory{world: w} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			Test(t, Suite{
				Open:     func(_ *testing.T, w *World) providers.Provider { return open(w) },
				Requests: func(int, int) int { return 1 },
			})
		})
	}
}

// Each fault is one that a provider has had, here or among the peers.
func TestSuiteFindsFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault fault
		by    string // the case that finds it
	}{
		{"a gap is 0", each(func(p *analysis.Point) {
			if p.Gap() {
				*p = analysis.ValuePoint(p.Time, 0)
			}
		}), "gaps are no zeros"},
		{"0 is a gap", each(func(p *analysis.Point) {
			if p.Value() == 0 {
				*p = analysis.Point{Time: p.Time}
			}
		}), "gaps are no zeros"},
		{"holes are filled with the last value", whole(func(points []analysis.Point) []analysis.Point {
			var filled []analysis.Point
			for _, p := range points {
				for n := len(filled); n > 0 && p.Time.Sub(filled[n-1].Time) > step; n = len(filled) {
					filled = append(filled, analysis.ValuePoint(filled[n-1].Time.Add(step), filled[n-1].Value()))
				}
				filled = append(filled, p)
			}
			return filled
		}), "gaps are no zeros"},
		{"the end is in the window", fault{query: func(q *providers.Query) { q.End = q.End.Add(step) }}, "half-open windows"},
		{"the start is not", fault{query: func(q *providers.Query) { q.Start = q.Start.Add(step) }}, "half-open windows"},
		{"the window is ignored", fault{query: func(q *providers.Query) { q.Start, q.End = at(-1e6), at(1e6) }}, "half-open windows"},
		{"a time is the end of the step", each(func(p *analysis.Point) { p.Time = p.Time.Add(step) }), "half-open windows"},
		{"times are local", each(func(p *analysis.Point) { p.Time = p.Time.In(time.FixedZone("", 3600)) }), "values are exact"},
		{"times are off the grid", each(func(p *analysis.Point) { p.Time = p.Time.Add(time.Millisecond) }), "values are exact"},
		{"times descend", whole(func(ps []analysis.Point) []analysis.Point { slices.Reverse(ps); return ps }), "values are exact"},
		{"points come twice", whole(func(ps []analysis.Point) []analysis.Point {
			return slices.Insert(ps, 0, ps[0])
		}), "half-open windows"},
		{"values are rounded", each(func(p *analysis.Point) { *p = analysis.ValuePoint(p.Time, float64(float32(p.Value()))) }), "values are exact"},
		{"only the first series", fault{series: func(_ providers.Query, all []analysis.Series) []analysis.Series {
			return all[:min(len(all), 1)]
		}}, "every series, ordered by labels"},
		{"series in any order", fault{series: func(_ providers.Query, all []analysis.Series) []analysis.Series {
			slices.Reverse(all)
			return all
		}}, "every series, ordered by labels"},
		{"answers in any order", fault{answers: slices.Reverse[[]providers.Answer]}, "all parts, in the order of the queries"},
		{"a histogram is a value", each(func(p *analysis.Point) {
			if len(p.Buckets().Counts) > 0 {
				*p = analysis.ValuePoint(p.Time, 0)
			}
		}), "all parts, in the order of the queries"},
		{"a histogram lacks its last bucket", each(func(p *analysis.Point) {
			if h := p.Buckets(); len(h.Counts) > 0 {
				h.Counts = h.Counts[:len(h.Counts)-1]
				*p = analysis.BucketPoint(p.Time, h)
			}
		}), "all parts, in the order of the queries"},
		{"a server's limit cuts the window", whole(func(ps []analysis.Point) []analysis.Point {
			return ps[:min(len(ps), 11000)]
		}), "a window of 12,000 steps, and of one"},
		{"no data is an error", fault{series: func(q providers.Query, all []analysis.Series) []analysis.Series {
			if len(all) == 0 {
				return []analysis.Series{{Points: []analysis.Point{analysis.ValuePoint(q.Start, 0)}}}
			}
			return all
		}}, "nothing matches"},
		{"one query's error is that of all", fault{fatal: true}, "one query's error is its own"},
		{"an error is no data", fault{err: func(error) error { return nil }}, "one query's error is its own"},
		{"an error does not say of what", fault{err: func(err error) error { return errors.Unwrap(err) }}, "one query's error is its own"},
		{"an error shows the secret", fault{err: func(err error) error {
			return fmt.Errorf("%w (asked with 7e5c0ffee-key)", err)
		}}, "one query's error is its own"},
		{"a denial shows the secret", fault{blurts: true}, "denied"},
		{"a denial is no data", fault{meek: true}, "denied"},
		{"one request a query", fault{eager: true}, "many queries"},
		{"the query is decoded once too often", fault{query: func(q *providers.Query) {
			q.Expr, _ = url.QueryUnescape(q.Expr)
		}}, "queries arrive as they are"},
		{"deaf to its context before", fault{deaf: true}, "cancelled before"},
		{"deaf to its context while the source hangs", fault{deaf: true}, "cancelled while the source hangs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(cases, func(c caseOf) bool { return c.name == tt.by })
			// In a bubble, to be deaf for a minute takes no time.
			synctest.Test(t, func(t *testing.T) {
				open := func(w *World) providers.Provider {
					w.begin()
					return memory{w, tt.fault}
				}
				suite := Suite{
					Parts:    []providers.Part{providers.Value, providers.Bad, providers.Total, providers.Buckets},
					Requests: func(int, int) int { return 1 },
				}
				err := cases[i].run(open, suite)
				if err == nil {
					t.Errorf("%q does not find it", tt.by)
				}
				t.Log(err)
				time.Sleep(time.Hour) // of the bubble: until the deaf have returned
			})
		})
	}
}
