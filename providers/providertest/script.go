package providertest

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
)

// start is where windows of the suite start, step 0.
var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// step is one that all sources can have.
const step = 30 * time.Second

// none stands for a step that the source has no point for, where NaN stands for
// one that it knows to be missing.
var none = math.Inf(-1)

// world returns a world of the given replies.
func world(replies ...Reply) *World {
	return &World{Step: step, Replies: replies, Secret: "7e5c0ffee-key"}
}

// value is what the source knows of a value metric of the canary.
func value(metric string, first int, vs ...float64) Reply {
	return reply(metric, providers.Canary, providers.Value, values(first, vs...))
}

func reply(metric string, arm providers.Arm, part providers.Part, series []analysis.Series) Reply {
	return Reply{Metric: metric, Arm: arm, Part: part, Expr: fmt.Sprintf("%s_of_%s_in_%s", part, metric, arm), Series: series}
}

// values makes a series from the given step on.
func values(first int, vs ...float64) []analysis.Series {
	s := analysis.Series{Labels: map[string]string{"job": "shop"}, Step: step}
	for i, v := range vs {
		if v != none {
			s.Points = append(s.Points, analysis.ValuePoint(at(first+i), v))
		}
	}
	return []analysis.Series{s}
}

// buckets makes a series of histograms that differ by step, with the bounds 0.1,
// 0.25 and 1. Each number is the count of the second bucket of a step.
func buckets(first int, counts ...float64) []analysis.Series {
	s := values(first, counts...)
	for i, p := range s[0].Points {
		s[0].Points[i] = analysis.BucketPoint(p.Time, stats.Histogram{Bounds: []float64{0.1, 0.25, 1}, Counts: []float64{2, p.Value(), 0, 0.5}})
	}
	return s
}

// sequence returns n fractional numbers that differ.
func sequence(n int) []float64 {
	vs := make([]float64, n)
	for i := range vs {
		vs[i] = 0.1 + float64(i)
	}
	return vs
}

// at returns the start of a step.
func at(n int) time.Time { return start.Add(time.Duration(n) * step) }

// query asks for a reply over the steps from first to before end.
func (w *World) query(r Reply, first, end int) providers.Query {
	return providers.Query{
		Metric: r.Metric, Arm: r.Arm, Part: r.Part, Expr: r.Expr,
		Start: at(first), End: at(end), Step: w.Step,
	}
}

// queries asks for all replies over the steps before end.
func (w *World) queries(end int) []providers.Query {
	var all []providers.Query
	for _, r := range w.Replies {
		all = append(all, w.query(r, 0, end))
	}
	return all
}

// ask fetches twice and compares the answers with the world: a provider remembers
// nothing that would change them.
func (w *World) ask(p providers.Provider, s Suite, queries []providers.Query) error {
	for range 2 {
		if err := w.askOnce(p, s, queries); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) askOnce(p providers.Provider, s Suite, queries []providers.Query) error {
	answers, err := p.Fetch(context.Background(), queries)
	if err != nil {
		return fmt.Errorf("Fetch: %w", err)
	}
	if len(answers) != len(queries) {
		return fmt.Errorf("%d answers to %d queries", len(answers), len(queries))
	}
	for i, q := range queries {
		if err := compare(w, q, answers[i], s.OneSeries); err != nil {
			return err
		}
		if err := exposes(answers[i].Err, w.Secret); err != nil {
			return err
		}
	}
	return nil
}

// count fetches once and compares the answers with the world, and the number of
// requests with what is needed.
func (w *World) count(p providers.Provider, s Suite, queries []providers.Query, steps int) error {
	before := w.Requests()
	if err := w.askOnce(p, s, queries); err != nil {
		return err
	}
	if s.Requests == nil {
		return nil
	}
	if n, most := w.Requests()-before, s.Requests(len(queries), steps); n > most {
		return fmt.Errorf("%d queries over %d steps took %d requests; %d are enough", len(queries), steps, n, most)
	}
	return nil
}
