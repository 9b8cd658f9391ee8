package datadogtest

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Script is a world of streams: what happened, by tags.
type Script struct {
	Streams []Stream
	Tests   map[string]Test // by public id
	SLOs    map[string]SLO  // by id
	// Watch returns the monitors as they are at a time; nil for none.
	Watch  func(now time.Time) []Monitor
	Errors []TrackedIssue
	// Late is how long what happened takes to be there.
	Late time.Duration
}

// Stream is what happened with the same tags: a metric's values, or events of a
// kind.
type Stream struct {
	Source string // metrics, logs, rum, spans, …
	Metric string // name of a metric, "" for events
	Type   string // count, gauge or distribution, of a metric
	Unit   string // of the values, or of what events measure; "" for none
	Tags   []string
	// Count is how many happened in the 10 seconds from a time on; NaN is nothing known.
	// A gauge need not have it.
	Count func(time.Time) float64
	// Level is a gauge's value, or the median of a distribution or of what events
	// measure, whose logarithm has the standard deviation Spread.
	Level  func(time.Time) float64
	Spread float64
	// NoPercentiles turns the percentiles of a distribution off.
	NoPercentiles bool
	// Unindexed are tags that come in with a metric, and cannot be queried.
	Unindexed []string
}

// resolution is what trace metrics and the Agent's have.
const resolution = 10 * time.Second

// metricQuery is what the stand-in knows of the metrics query language. Text that it
// does not know it refuses.
var metricQuery = regexp.MustCompile(`^\s*(avg|sum|min|max|count|p\d+(?:\.\d+)?):([\w.]+)\{([^{}]*)\}\s*(?:by\s*\{([\w.,]+)\})?((?:\.as_count\(\)|\.as_rate\(\)|\.rollup\([\w, ]+\))*)\s*$`)

// Metric implements World.
func (s Script) Metric(name string) *Metric {
	var m *Metric
	for _, stream := range s.Streams {
		if stream.Metric != name || name == "" {
			continue
		}
		if m == nil {
			m = &Metric{Type: stream.Type, Unit: stream.Unit, Percentiles: stream.Type == "distribution" && !stream.NoPercentiles}
		}
		m.Tags, m.Unindexed = append(m.Tags, stream.Tags...), append(m.Unindexed, stream.Unindexed...)
	}
	if m != nil {
		slices.Sort(m.Tags)
		m.Tags = slices.Compact(m.Tags)
	}
	return m
}

// Test implements Tester.
func (s Script) Test(id string) (Test, bool) {
	t, known := s.Tests[id]
	return t, known
}

// TestIDs implements Tester.
func (s Script) TestIDs() []string { return slices.Sorted(maps.Keys(s.Tests)) }

// Monitors implements Watched.
func (s Script) Monitors(now time.Time) []Monitor {
	if s.Watch == nil {
		return nil
	}
	return s.Watch(now)
}

// SLO implements Objectives.
func (s Script) SLO(id string) (SLO, bool) {
	one, known := s.SLOs[id]
	return one, known
}

// Query implements World.
func (s Script) Query(q Query) ([]Series, error) {
	switch q.Source {
	case "metrics":
		return s.metric(q)
	case "apm_metrics":
		return s.apm(q)
	}
	keep, err := parseSearch(q.Text)
	if err != nil {
		return nil, err
	}
	how, err := eventAggregation(q)
	if err != nil {
		return nil, err
	}
	matching := s.matching(func(stream Stream) bool {
		return stream.Source == q.Source && stream.Metric == "" && keep(stream.Tags)
	})
	how.noZero = true
	return s.grouped(q, matching, nil, how), nil
}

func eventAggregation(q Query) (aggregation, error) {
	switch {
	case q.Aggregation == "count" && q.Measure == "", q.Aggregation == "cardinality" && q.Measure != "":
		return aggregation{total: true}, nil
	case strings.HasPrefix(q.Aggregation, "pc") && q.Measure != "":
		n, err := strconv.Atoi(q.Aggregation[2:])
		return aggregation{quantile: float64(n) / 100}, err
	}
	return aggregation{}, fmt.Errorf("the stand-in does not know %s of %q", q.Aggregation, q.Measure)
}

// latencies are the percentiles of a latency.
var latencies = map[string]string{
	"latency_p50": "p50", "latency_p75": "p75", "latency_p90": "p90", "latency_p95": "p95", "latency_p99": "p99", "latency_p999": "p99.9",
}

// apm answers by the trace metrics of a service:
// https://docs.datadoghq.com/tracing/metrics/metrics_namespace/
func (s Script) apm(q Query) ([]Series, error) {
	scope := "service:" + q.APM.Service
	for key, value := range map[string]string{"resource_name": q.APM.Resource, "span_kind": q.APM.SpanKind} {
		if strings.ContainsAny(value, " {}(),") {
			return nil, fmt.Errorf("the stand-in knows no %s such as %q", key, value)
		}
		if value != "" {
			scope += " AND " + key + ":" + value
		}
	}
	if q.Text != "" {
		scope += " AND (" + q.Text + ")"
	}
	operation := q.APM.Operation
	if operation == "" {
		operation = s.primary(q)
	}
	switch {
	case q.APM.Service == "":
		return nil, errors.New("the stand-in wants a service")
	case q.APM.Stat == "hits" || q.APM.Stat == "errors":
		q.Text = "sum:trace." + operation + "." + q.APM.Stat + "{" + scope + "}.as_count()"
	case latencies[q.APM.Stat] != "":
		q.Text = latencies[q.APM.Stat] + ":trace." + operation + "{" + scope + "}"
	default:
		return nil, fmt.Errorf("the stand-in does not know the statistic %q", q.APM.Stat)
	}
	return s.metric(q)
}

// primary returns the operation of a service with the most requests, "" for none.
func (s Script) primary(q Query) string {
	requests := map[string]float64{}
	best := ""
	for _, stream := range s.matching(func(stream Stream) bool { return slices.Contains(stream.Tags, "service:"+q.APM.Service) }) {
		name, traced := strings.CutPrefix(stream.Metric, "trace.")
		name, hits := strings.CutSuffix(name, ".hits")
		if traced && hits {
			requests[name] += stream.Count(q.From)
			if best == "" || requests[name] > requests[best] {
				best = name
			}
		}
	}
	return best
}

func (s Script) metric(q Query) ([]Series, error) {
	m := metricQuery.FindStringSubmatch(q.Text)
	if m == nil {
		return nil, errors.New("Error parsing query: unable to parse " + q.Text)
	}
	keep, err := parseScope(m[3])
	if err != nil {
		return nil, err
	}
	matching := s.matching(func(stream Stream) bool { return stream.Metric == m[2] && keep(stream.Tags) })
	if len(matching) == 0 {
		return nil, nil
	}
	how := aggregation{total: strings.Contains(m[5], ".as_count()") || m[1] == "count", space: m[1]}
	if strings.HasPrefix(m[1], "p") {
		if matching[0].NoPercentiles || matching[0].Type != "distribution" {
			return nil, nil
		}
		percent, err := strconv.ParseFloat(m[1][1:], 64)
		if err != nil {
			return nil, err
		}
		how.quantile = percent / 100
	}
	var by []string
	if m[4] != "" {
		by = strings.Split(m[4], ",")
	}
	return s.grouped(q, matching, by, how), nil
}

func (s Script) matching(keep func(Stream) bool) []Stream {
	var some []Stream
	for _, stream := range s.Streams {
		if keep(stream) {
			some = append(some, stream)
		}
	}
	return some
}

// grouped returns a series for each group of streams.
func (s Script) grouped(q Query, streams []Stream, by []string, how aggregation) []Series {
	groups := map[string][]Stream{}
	var order []string
	for _, stream := range streams {
		var tags []string
		for _, key := range by {
			at := slices.IndexFunc(stream.Tags, func(t string) bool { return strings.HasPrefix(t, key+":") })
			if at >= 0 {
				tags = append(tags, stream.Tags[at])
			}
		}
		name := strings.Join(tags, ",")
		if _, there := groups[name]; !there {
			order = append(order, name)
		}
		groups[name] = append(groups[name], stream)
	}
	var all []Series
	for _, name := range order {
		one := Series{Unit: groups[name][0].Unit}
		if how.total {
			one.Unit = ""
		}
		if name != "" {
			one.Tags = strings.Split(name, ",")
		}
		start := q.From.Truncate(q.Interval)
		if start.Before(q.From) {
			start = start.Add(q.Interval)
		}
		for ; start.Before(q.To); start = start.Add(q.Interval) {
			if v := s.bucket(groups[name], start, q, how); !math.IsNaN(v) {
				one.Points = append(one.Points, Point{start, v})
			}
		}
		if len(one.Points) > 0 {
			all = append(all, one)
		}
	}
	return all
}

// aggregation is how what happened in a bucket becomes a number.
type aggregation struct {
	total    bool    // the number of what happened
	noZero   bool    // events: nothing is no number
	quantile float64 // of what was measured, 0 for none
	space    string  // avg, sum, min or max of several streams
}

// bucket returns the value of a bucket, NaN for none.
func (s Script) bucket(streams []Stream, start time.Time, q Query, how aggregation) float64 {
	var counts, levels []float64 // of what is there, a stream and 10 s each
	var spreads []float64
	for at := start; at.Before(start.Add(q.Interval)); at = at.Add(resolution) {
		if at.Add(resolution + s.Late).After(q.Now) {
			break
		}
		for _, stream := range streams {
			count, level := 1.0, math.NaN()
			if stream.Count != nil {
				count = stream.Count(at)
			}
			if stream.Level != nil {
				level = stream.Level(at)
			}
			if math.IsNaN(count) || stream.Count == nil && math.IsNaN(level) {
				continue
			}
			counts, levels, spreads = append(counts, count), append(levels, level), append(spreads, stream.Spread)
		}
	}
	total := sum(counts)
	switch {
	case len(counts) == 0 || how.noZero && total == 0:
		return math.NaN()
	case how.quantile > 0:
		return mixedQuantile(how.quantile, counts, levels, spreads)
	case how.total:
		return total
	case math.IsNaN(levels[0]): // a count that nobody asked to be one is averaged
		return total / float64(len(counts))
	case how.space == "max":
		return slices.Max(levels)
	case how.space == "min":
		return slices.Min(levels)
	}
	return sum(levels) / float64(len(levels))
}

func sum(all []float64) float64 {
	total := 0.0
	for _, v := range all {
		total += v
	}
	return total
}

// mixedQuantile returns a quantile of log-normal distributions together, each
// weighted by its count, to one part in a thousand million.
func mixedQuantile(q float64, counts, medians, spreads []float64) float64 {
	total := sum(counts)
	if total == 0 {
		return math.NaN()
	}
	low, high := slices.Min(medians)/1e4, slices.Max(medians)*1e4
	for high/low > 1+1e-9 {
		middle := math.Sqrt(low * high)
		below := 0.0
		for i, n := range counts {
			below += n / total * 0.5 * math.Erfc(-math.Log(middle/medians[i])/spreads[i]/math.Sqrt2)
		}
		if below < q {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}
