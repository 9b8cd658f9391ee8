package prometheus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// mostPoints is how many points are asked for at once; the server refuses more
// than 11,000.
const mostPoints = 10000

// matrix is the answer to a range query:
// https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
type matrix struct {
	Status    string
	Error     string
	Warnings  []string // of Prometheus, Thanos, Mimir
	IsPartial bool     // of VictoriaMetrics
	Data      *struct {
		ResultType string
		Result     []row
	}
}

type row struct {
	Metric     map[string]string
	Values     [][2]json.RawMessage // time in seconds, value as text
	Histograms [][2]json.RawMessage // time, native histogram
}

// native is a native histogram; counts and bounds are text. The four parts of a
// bucket are its boundary rule, lower bound, upper bound and count.
type native struct {
	Buckets [][4]json.RawMessage
}

// fetch asks for one query's series.
func (p *Provider) fetch(ctx context.Context, q providers.Query) ([]analysis.Series, error) {
	var all []analysis.Series
	for from, to := range q.Windows(mostPoints) {
		body, err := p.request(ctx, expression(q), q.Step, from.Add(q.Step), to)
		if err != nil {
			return nil, err
		}
		series, err := read(body, q)
		if err != nil {
			return nil, p.misread(err)
		}
		all = join(all, series)
	}
	sortSeries(all)
	return all, nil
}

// sortSeries orders series by their labels.
func sortSeries(all []analysis.Series) {
	slices.SortStableFunc(all, func(a, b analysis.Series) int { return providers.CompareLabels(a.Labels, b.Labels) })
}

// join appends the points of series to those of the same labels.
func join(all, more []analysis.Series) []analysis.Series {
	if all == nil {
		return more
	}
	for _, s := range more {
		i := slices.IndexFunc(all, func(a analysis.Series) bool { return maps.Equal(a.Labels, s.Labels) })
		if i < 0 {
			all = append(all, s)
			continue
		}
		all[i].Points = append(all[i].Points, s.Points...)
	}
	return all
}

// signature tells series apart by their labels.
func signature(labels map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, "%s=%q,", name, labels[name])
	}
	return b.String()
}

// decode reads one JSON value and nothing after it.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("there is something after the JSON value")
	}
	return nil
}

// misread returns the error of an answer that could not be read. What is wrong with it is told in part in
// the answer's own words, which may repeat the request's.
func (p *Provider) misread(err error) *web.Error {
	var missing partial
	if errors.As(err, &missing) {
		return &web.Error{
			Class: web.Unreachable, Provider: Name, Doing: "query " + p.base.Host,
			Detail: web.Quote(err.Error(), p.secrets()...),
			Cure:   "a part of the data is nothing to judge by: look after the stores behind the server",
		}
	}
	return &web.Error{
		Class: web.Shape, Provider: Name, Doing: "read the answer",
		Detail: web.Quote(err.Error(), p.secrets()...),
	}
}

// partial is the error of an answer that lacks a part of the data, as the server says.
type partial string

func (p partial) Error() string { return string(p) }

// whole reports what keeps an answer from being all that the query selects. Warnings are
// what the server could not read, unless they are about the query: PromQL's own
// (https://github.com/prometheus/prometheus/blob/v3.0.0/util/annotations/annotations.go)
// say that something was left out of the result too, except where they merely mistrust
// the type of a metric.
func (m matrix) whole() error {
	if m.IsPartial {
		return partial("the answer is not whole: some of the stores did not give theirs")
	}
	if m.Error != "" { // beside data
		return partial("the answer is not whole: " + m.Error)
	}
	for _, w := range m.Warnings {
		switch {
		case strings.Contains(w, "PromQL info:"), strings.Contains(w, "is not a counter"), strings.Contains(w, "is not a gauge"):
		case strings.Contains(w, "PromQL warning:"):
			return fmt.Errorf("the server leaves something out: %s; correct the query, or the metric", w)
		default:
			return partial("the answer is not whole: " + w)
		}
	}
	return nil
}

// read reads an answer's series.
func read(body []byte, q providers.Query) ([]analysis.Series, error) {
	rows, err := readRows(body)
	if err != nil {
		return nil, err
	}
	return rowSeries(rows, q)
}

// readRows reads the elements of an answer that is whole.
func readRows(body []byte) ([]row, error) {
	var m matrix
	if err := decode(body, &m); err != nil {
		return nil, fmt.Errorf("not JSON as the query API answers it: %w: %s", err, body)
	}
	switch {
	case m.Status != "success":
		return nil, fmt.Errorf("the status is %q: %s", m.Status, m.Error)
	case m.Data == nil:
		return nil, errors.New("the answer has no data")
	case m.Data.ResultType != "matrix":
		return nil, fmt.Errorf("the result is a %s; want a matrix", m.Data.ResultType)
	}
	if err := m.whole(); err != nil {
		return nil, err
	}
	return m.Data.Result, nil
}

// rowSeries reads the series that a query's elements are.
func rowSeries(rows []row, q providers.Query) ([]analysis.Series, error) {
	if q.Part == providers.Buckets {
		return histograms(rows, q)
	}
	var all []analysis.Series
	for _, r := range rows {
		if len(r.Histograms) > 0 {
			return nil, errors.New("the query gives histograms; take histogram_count, histogram_avg or histogram_quantile of it, or make the metric a histogram")
		}
		points, err := r.points(q)
		if err != nil {
			return nil, err
		}
		all = append(all, analysis.Series{Labels: r.Metric, Step: q.Step, Points: points})
	}
	return all, nil
}

// points reads the values of a row.
func (r row) points(q providers.Query) ([]analysis.Point, error) {
	points := make([]analysis.Point, 0, len(r.Values))
	for _, v := range r.Values {
		at, err := start(v[0], q, points)
		if err != nil {
			return nil, err
		}
		value, err := text(v[1])
		if err != nil {
			return nil, err
		}
		points = append(points, analysis.ValuePoint(at, value))
	}
	return points, nil
}

// start returns the start of the step that a value was evaluated at the end of.
func start(raw json.RawMessage, q providers.Query, before []analysis.Point) (time.Time, error) {
	var seconds float64
	if err := json.Unmarshal(raw, &seconds); err != nil {
		return time.Time{}, fmt.Errorf("the time %s is no number", raw)
	}
	at := time.UnixMilli(int64(math.Round(seconds * 1e3))).UTC().Add(-q.Step)
	switch {
	case at.Before(q.Start) || !at.Before(q.End):
		return at, fmt.Errorf("a point at %s lies outside the window asked for", at.Format(time.RFC3339))
	case at.Sub(q.Start)%q.Step != 0:
		return at, fmt.Errorf("a point at %s does not fit the step of %s asked for", at.Format(time.RFC3339), q.Step)
	case len(before) > 0 && !at.After(before[len(before)-1].Time):
		return at, fmt.Errorf("the times do not ascend at %s", at.Format(time.RFC3339))
	}
	return at, nil
}

// text reads a number that is written as text.
func text(raw json.RawMessage) (float64, error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return 0, fmt.Errorf("the value %s is no text", raw)
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("the value %q is no number", s)
	}
	return v, nil
}

// histograms reads native histograms, and classic ones from series by le.
func histograms(rows []row, q providers.Query) ([]analysis.Series, error) {
	var all []analysis.Series
	classic := map[string][]row{}
	var order []string
	for _, r := range rows {
		if len(r.Histograms) > 0 {
			points, err := r.natives(q)
			if err != nil {
				return nil, err
			}
			all = append(all, analysis.Series{Labels: r.Metric, Step: q.Step, Points: points})
		}
		if len(r.Values) == 0 {
			continue
		}
		if _, ok := r.Metric["le"]; !ok {
			return nil, errors.New("the query gives plain values; want a native histogram, or series with the label le: sum by (le) (increase(NAME_bucket{…}[$step]))")
		}
		labels := maps.Clone(r.Metric)
		delete(labels, "le")
		delete(labels, countLabel)
		key := signature(labels)
		if classic[key] == nil {
			order = append(order, key)
		}
		classic[key] = append(classic[key], r)
	}
	for _, key := range order {
		s, err := assemble(classic[key], q)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// natives reads the native histograms of a row.
func (r row) natives(q providers.Query) ([]analysis.Point, error) {
	points := make([]analysis.Point, 0, len(r.Histograms))
	for _, v := range r.Histograms {
		at, err := start(v[0], q, points)
		if err != nil {
			return nil, err
		}
		var n native
		if err := json.Unmarshal(v[1], &n); err != nil {
			return nil, fmt.Errorf("a native histogram: %w", err)
		}
		h, err := n.histogram()
		if err != nil {
			return nil, err
		}
		points = append(points, analysis.BucketPoint(at, h))
	}
	return points, nil
}

// histogram turns buckets with two ends each into a row of them: what lies
// between two listed buckets is empty. Which end a bucket includes differs by its
// boundary rule; it is taken to include its upper end, as all above zero do.
func (n native) histogram() (stats.Histogram, error) {
	h := stats.Histogram{Counts: []float64{0}}
	end := math.Inf(-1)
	for _, b := range n.Buckets {
		var v [3]float64
		for i := range v {
			var err error
			if v[i], err = text(b[i+1]); err != nil {
				return h, err
			}
		}
		lower, upper, count := v[0], v[1], v[2]
		switch {
		case !(lower <= upper) || math.IsInf(lower, 1) || math.IsInf(upper, -1) || !(count >= 0) || math.IsInf(count, 1):
			return h, fmt.Errorf("a bucket from %g to %g holds %g", lower, upper, count)
		case lower < end:
			return h, fmt.Errorf("the bucket from %g to %g begins below the end of the one before it, %g", lower, upper, end)
		}
		if lower < upper { // else it holds one value, such as exact zeros, which its end includes
			addBound(&h, lower)
		}
		addBound(&h, upper)
		last := len(h.Counts) - 1
		if !math.IsInf(upper, 1) {
			last--
		}
		h.Counts[last] += count
		end = upper
	}
	return h, nil
}

// addBound adds a bound above all others to a histogram, with nothing in the
// bucket that ends there. One that is there already, or infinite, is none.
func addBound(h *stats.Histogram, bound float64) {
	if n := len(h.Bounds); math.IsInf(bound, 0) || n > 0 && bound <= h.Bounds[n-1] {
		return
	}
	h.Bounds, h.Counts = append(h.Bounds, bound), append(h.Counts, 0)
}
