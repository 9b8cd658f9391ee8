package providertest

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
)

// Check reports how an answer breaks the contract that holds for every answer,
// whatever the source knows.
func Check(q providers.Query, a providers.Answer) error {
	if a.Err != nil && len(a.Series) > 0 {
		return fmt.Errorf("an answer has both series and an error: %w", a.Err)
	}
	for i, s := range a.Series {
		if i > 0 && providers.CompareLabels(a.Series[i-1].Labels, s.Labels) > 0 {
			return fmt.Errorf("the series are not ordered by labels: %v before %v", a.Series[i-1].Labels, s.Labels)
		}
		if s.Step != 0 && s.Step != q.Step {
			return fmt.Errorf("a series has a step of %s; %s was asked for", s.Step, q.Step)
		}
		if err := checkPoints(q, s.Points); err != nil {
			return fmt.Errorf("series %v: %w", s.Labels, err)
		}
	}
	return nil
}

func checkPoints(q providers.Query, points []analysis.Point) error {
	for i, p := range points {
		at := p.Time.Format(time.RFC3339Nano)
		switch {
		case p.Time.Location() != time.UTC:
			return fmt.Errorf("the time %s is not in UTC", at)
		case p.Time.Before(q.Start) || !p.Time.Before(q.End):
			return fmt.Errorf("the point at %s lies outside of the window [%s, %s)", at, q.Start.Format(time.RFC3339Nano), q.End.Format(time.RFC3339Nano))
		case p.Time.Sub(q.Start)%q.Step != 0:
			return fmt.Errorf("the point at %s is no whole number of steps of %s after %s", at, q.Step, q.Start.Format(time.RFC3339Nano))
		case i > 0 && !p.Time.After(points[i-1].Time):
			return fmt.Errorf("the times do not ascend at %s", at)
		case q.Part != providers.Buckets && len(p.Buckets().Counts) > 0:
			return fmt.Errorf("the point at %s has buckets that nobody asked for", at)
		case q.Part == providers.Buckets && !math.IsNaN(p.Value()):
			return fmt.Errorf("the point at %s is the value %g; want a histogram", at, p.Value())
		}
		if err := checkBuckets(p); err != nil {
			return fmt.Errorf("the histogram at %s: %w", at, err)
		}
	}
	return nil
}

func checkBuckets(p analysis.Point) error {
	h := p.Buckets()
	if len(h.Counts) == 0 {
		return nil
	}
	if len(h.Counts) != len(h.Bounds)+1 {
		return fmt.Errorf("%d counts for %d bounds", len(h.Counts), len(h.Bounds))
	}
	for i, b := range h.Bounds {
		if math.IsNaN(b) || math.IsInf(b, 0) || i > 0 && b <= h.Bounds[i-1] {
			return fmt.Errorf("the bounds %v are not finite and ascending", h.Bounds)
		}
	}
	for _, c := range h.Counts {
		if !(c >= 0) || math.IsInf(c, 1) {
			return fmt.Errorf("the counts %v are not finite and at least 0", h.Counts)
		}
	}
	return nil
}

// compare reports how an answer differs from what the world holds for a query.
func compare(w *World, q providers.Query, a providers.Answer, oneSeries bool) error {
	if err := Check(q, a); err != nil {
		return fmt.Errorf("%s: %w", q.Expr, err)
	}
	reply := w.Reply(q.Expr)
	if reply.Refused != "" {
		if a.Err == nil {
			return fmt.Errorf("%s: the source refuses the query, the answer has no error", q.Expr)
		}
		if !strings.Contains(a.Err.Error(), q.Metric) {
			return fmt.Errorf("%s: the error does not name the metric %q: %w", q.Expr, q.Metric, a.Err)
		}
		return nil
	}
	if a.Err != nil {
		return fmt.Errorf("%s: %w", q.Expr, a.Err)
	}
	want, got := known(reply.Series, q, oneSeries), known(a.Series, q, oneSeries)
	if slices.EqualFunc(want, got, same) {
		return nil // sooner than cmp finds out
	}
	for i := range min(len(want), len(got)) {
		want[i].Points, got[i].Points = differing(want[i].Points, got[i].Points)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("%s: the answer differs from what the source holds (-want +got):\n%s", q.Expr, diff)
	}
	return nil
}

// same reports whether series are equal.
func same(a, b analysis.Series) bool {
	return maps.Equal(a.Labels, b.Labels) && slices.EqualFunc(a.Points, b.Points, analysis.Point.Equal)
}

// differing returns a few points of each from where they begin to differ: nobody
// reads thousands, and to compare them in detail takes long.
func differing(a, b []analysis.Point) ([]analysis.Point, []analysis.Point) {
	const few = 20
	i := 0
	for i < min(len(a), len(b)) && a[i].Equal(b[i]) {
		i++
	}
	return a[i:min(len(a), i+few)], b[i:min(len(b), i+few)]
}

// simple returns a histogram without the bounds between two empty buckets: a source
// need not tell them.
func simple(h stats.Histogram) stats.Histogram {
	if len(h.Counts) == 0 {
		return h
	}
	s := stats.Histogram{Counts: []float64{h.Counts[0]}}
	for i, bound := range h.Bounds {
		last := len(s.Counts) - 1
		if s.Counts[last] == 0 && h.Counts[i+1] == 0 {
			continue
		}
		s.Bounds, s.Counts = append(s.Bounds, bound), append(s.Counts, h.Counts[i+1])
	}
	return s
}

// known returns the series of a window without what the contract leaves open:
// units, empty buckets, and gaps, which may be NaN or no point at all, so that a series of gaps
// alone may be left out. Where a source knows one series only, it need not know
// its labels.
func known(all []analysis.Series, q providers.Query, oneSeries bool) []analysis.Series {
	var some []analysis.Series
	for _, s := range all {
		k := analysis.Series{Labels: s.Labels}
		if oneSeries {
			k.Labels = nil
		}
		for _, p := range Within(s.Points, q.Start, q.End) {
			if !p.Gap() {
				if q.Part == providers.Buckets {
					p = analysis.BucketPoint(p.Time, simple(p.Buckets()))
				}
				k.Points = append(k.Points, p)
			}
		}
		if len(k.Points) > 0 {
			some = append(some, k)
		}
	}
	slices.SortStableFunc(some, func(a, b analysis.Series) int { return providers.CompareLabels(a.Labels, b.Labels) })
	return some
}

// exposes reports whether an error shows a secret, however it is printed.
func exposes(err error, secret string) error {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, err); strings.Contains(text, secret) {
			return fmt.Errorf("the error shows the secret when printed with %s", verb)
		}
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", inner, inner, inner), secret) {
			return errors.New("the cause of the error shows the secret")
		}
	}
	return nil
}
