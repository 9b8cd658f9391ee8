// Package datadogtest is a stand-in for Datadog's API: an HTTP server with the routes
// that canary-judge uses, over a world that is written in Go and has its own clock. Tests
// run against it, and users try canary-judge without an account
// (examples/datadog/standin).
//
// How true it is, field by field. [code] is read in Datadog's Go client and its
// specification, [cassette] seen in answers recorded from the live API, [docs] its
// documentation, [field] a real payload in a public issue; what is none of these is
// [guess], and no test of canary-judge relies on it being so.
//
// POST /api/v2/query/timeseries:
//   - data.type must be timeseries_request; the text of the 400 otherwise [cassette].
//   - from and to are milliseconds, from inclusive, to exclusive [code]; a window that ends
//     before the retention of 15 months is a 400 with the text [cassette]. What is in
//     seconds lies in 1970 and gets it too.
//   - interval is milliseconds and a wish: raised when more than 1,500 points would come
//     [docs], here by doubling [guess].
//   - Buckets start at multiples of the interval since the epoch [cassette]; the first is
//     the first that starts in the window, the newest is there though it is partial
//     [cassette, of v1].
//   - A bucket without a value in any series is left out of times; a bucket with one
//     in another series is null [cassette]. Counts of events are never 0 [cassette], while
//     counts of a metric are 0 where the metric said 0.
//   - series[].query_index counts formulas [code], group_tags are of the group-by only
//     [cassette]; unit is null or [unit, null] with family, name, plural, short_name and
//     scale_factor [cassette]. A query that matches nothing has no series [cassette].
//   - A metric or tag that does not exist is no error but an empty answer [field].
//   - A scope that cannot be read is a 400 with the text Rule 'scope_or' didn't match
//     [field]; so is one that mixes commas with AND [docs].
//   - Percentiles of a metric for which they are off are empty [field].
//   - as_count sums, other counts are averaged over a bucket [docs]; gauges are
//     averaged, by max: and min: in space too. Interpolation across sources is not there.
//   - Formulas are names of queries only; functions other than as_count, as_rate and rollup
//     are refused [guess: a stand-in must not misread].
//   - apm_metrics has stat, service, operation_name, resource_name, span_kind and
//     query_filter, the scope of a metric; without an operation the primary one is meant
//     [code], that with the most requests [docs]. Nothing matching is an empty answer
//     [cassette]. Numbers and units are those of the trace metrics [guess]; hits, errors and
//     latency percentiles are answered, others are a 400.
//   - Events know count, sum, min, max, avg, cardinality and percentiles [code]; here only
//     count, cardinality (= count) and percentiles are answered, others are a 400.
//
// GET /api/v1/validate: {"valid":true} for a known API key, 403 otherwise [code].
//
// GET /api/v1/metrics/NAME: type, unit, per_unit, statsd_interval [code]; 404 for a metric
// that does not exist [code], with a text of ours [guess].
//
// GET /api/v2/metrics/NAME/all-tags: data.attributes.tags as key:value, ingested_tags for
// those that are not indexed, 404 for a metric that does not exist [code]; the window of
// four hours, which the API has at least, is not looked at.
//
// GET /api/v2/metrics/NAME/tags: data.attributes with tags, metric_type and
// include_percentiles for a distribution, 404 for others: most metrics have no
// configuration of tags [code].
//
// Every route: 401 without keys, 403 with wrong ones, errors as {"errors":["text"]} [code,
// cassette]; X-RateLimit-Limit, -Period, -Remaining, -Reset and -Name on every answer, the
// period aligned to the calendar; 429 when it is used up [docs]. Numbers and names of
// limits are no longer published.
//
// Late data: what happens in 10 seconds is there Late after they have ended, so that the
// newest bucket is partial and is filled up later [field].
package datadogtest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Server answers as Datadog's API does. It can be used by many at a time.
type Server struct {
	World          World
	APIKey, AppKey string
	// Now is the server's clock; nil is the machine's.
	Now func() time.Time
	// Limit is how many requests a Period may have; 0 is no limit.
	Limit  int
	Period time.Duration

	lock      sync.Mutex
	used      map[time.Time]int // requests by the start of their period
	batches   []batch           // that were started
	marks     []Mark
	notebooks []Notebook
}

// World is what an organisation holds.
type World interface {
	// Query returns a series for each group that a query matches. An error is why it is
	// refused.
	Query(Query) ([]Series, error)
	// Metric returns what is known about a metric, nil for one that does not exist.
	Metric(name string) *Metric
}

// Query is what is asked of a world.
type Query struct {
	Source      string   // such as metrics or logs
	Text        string   // a metrics query, the search for events, or the filter of APM's statistics
	Indexes     []string // of logs
	Aggregation string   // of events
	Measure     string   // what is aggregated, "" for count
	APM         APM      // of the source apm_metrics
	// Buckets of Interval start at multiples of it since the epoch, from From
	// (inclusive) to To (exclusive).
	From, To time.Time
	Interval time.Duration
	Now      time.Time // when it is asked
}

// APM is what is asked of trace metrics by the source apm_metrics.
type APM struct {
	Stat, Service string
	Operation     string // "" for the primary one
	Resource      string // "" for all
	SpanKind      string // "" for all
}

// Series is a series of an answer.
type Series struct {
	Tags   []string // of the grouping, such as version:v1
	Unit   string   // name of the unit, "" for none
	Points []Point  // ascending
}

// Point is the value of a bucket; NaN is a null.
type Point struct {
	Time  time.Time // start of the bucket
	Value float64
}

// Metric is what is known about a metric.
type Metric struct {
	Type        string // count, rate, gauge or distribution
	Unit        string
	Tags        []string // as key:value
	Unindexed   []string // come in with the metric, and cannot be queried
	Percentiles bool     // of a distribution
}

// mostPoints is how many points a series can have:
// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
const mostPoints = 1500

// retention is how long metrics are kept.
const retention = 15 * 31 * 24 * time.Hour

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	if s.Now != nil {
		now = s.Now()
	}
	w.Header().Set("Content-Type", "application/json")
	if !s.allowed(w, now) {
		complain(w, http.StatusTooManyRequests, fmt.Sprintf("Rate limit of %d requests in %.0f seconds reached. Please try again later.", s.Limit, s.Period.Seconds()))
		return
	}
	validate := r.URL.Path == "/api/v1/validate"
	apiKey, appKey := r.Header.Get("DD-API-KEY"), r.Header.Get("DD-APPLICATION-KEY")
	switch {
	case apiKey == "" || appKey == "" && !validate:
		complain(w, http.StatusUnauthorized, "Unauthorized")
		return
	case apiKey != s.APIKey || appKey != s.AppKey && !validate:
		complain(w, http.StatusForbidden, "Forbidden")
		return
	}
	v1Name, isV1 := strings.CutPrefix(r.URL.Path, "/api/v1/metrics/")
	v2Path, isV2 := strings.CutPrefix(r.URL.Path, "/api/v2/metrics/")
	v2Name, leaf, _ := strings.Cut(v2Path, "/")
	switch {
	case r.Method == http.MethodGet && validate:
		answer(w, map[string]any{"valid": true})
	case r.Method == http.MethodPost && r.URL.Path == "/api/v2/query/timeseries":
		s.timeseries(w, r, now)
	case r.Method == http.MethodGet && isV1:
		s.metadata(w, v1Name)
	case r.Method == http.MethodGet && isV2 && leaf == "all-tags":
		s.allTags(w, v2Name)
	case r.Method == http.MethodGet && isV2 && leaf == "tags":
		s.tagConfiguration(w, v2Name)
	case s.synthetics(w, r, now), s.batch(w, r, now), s.monitors(w, r, now), s.issues(w, r, now), s.slo(w, r), s.dora(w, r), s.notebook(w, r):
	default:
		complain(w, http.StatusNotFound, "Not found")
	}
}

// allowed counts a request and says how many are left.
func (s *Server) allowed(w http.ResponseWriter, now time.Time) bool {
	if s.Limit == 0 {
		return true
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.used == nil {
		s.used = map[time.Time]int{}
	}
	start := now.Truncate(s.Period).UTC()
	ok := s.used[start] < s.Limit
	if ok {
		s.used[start]++
	}
	for name, value := range map[string]int{
		"Limit": s.Limit, "Period": int(s.Period.Seconds()), "Remaining": s.Limit - s.used[start],
		"Reset": int(math.Ceil(start.Add(s.Period).Sub(now).Seconds())),
	} {
		w.Header().Set("X-RateLimit-"+name, strconv.Itoa(value))
	}
	w.Header().Set("X-RateLimit-Name", "query_timeseries_public")
	return ok
}

// asked is the body of a timeseries request.
type asked struct {
	Data struct {
		Type       string
		Attributes struct {
			From, To, Interval int64
			Formulas           []struct{ Formula string }
			Queries            []struct {
				Name, Query   string
				DataSource    string `json:"data_source"`
				Indexes       []string
				Stat, Service string
				OperationName string `json:"operation_name"`
				ResourceName  string `json:"resource_name"`
				SpanKind      string `json:"span_kind"`
				QueryFilter   string `json:"query_filter"`

				Search  struct{ Query string }
				Compute struct {
					Aggregation, Metric string
					Interval            int64
				}
			}
		}
	}
}

func (s *Server) timeseries(w http.ResponseWriter, r *http.Request, now time.Time) {
	var a asked
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		complain(w, http.StatusBadRequest, "API input validation failed: "+err.Error())
		return
	}
	at := a.Data.Attributes
	from, to, interval := time.UnixMilli(at.From).UTC(), time.UnixMilli(at.To).UTC(), time.Duration(at.Interval)*time.Millisecond
	switch {
	case a.Data.Type != "timeseries_request":
		complain(w, http.StatusBadRequest, `API input validation failed: Invalid type. Expected "timeseries_request".`)
		return
	case now.Sub(to) > retention:
		complain(w, http.StatusBadRequest, "Queries ending outside the retention date are invalid")
		return
	case !from.Before(to) || interval <= 0 || len(at.Queries) == 0:
		complain(w, http.StatusBadRequest, "API input validation failed: a window, an interval and queries are needed")
		return
	}
	for to.Sub(from)/interval > mostPoints {
		interval *= 2
	}
	queries := map[string]Query{}
	for _, q := range at.Queries {
		queries[q.Name] = Query{
			Source: q.DataSource, Text: q.Query + q.Search.Query + q.QueryFilter, Indexes: q.Indexes,
			APM:         APM{q.Stat, q.Service, q.OperationName, q.ResourceName, q.SpanKind},
			Aggregation: q.Compute.Aggregation, Measure: q.Compute.Metric,
			From: from, To: to, Interval: interval, Now: now,
		}
	}
	var rows []row
	for index, f := range at.Formulas {
		q, ok := queries[f.Formula]
		if !ok {
			complain(w, http.StatusBadRequest, "the stand-in knows no formulas but names of queries: "+f.Formula)
			return
		}
		all, err := s.World.Query(q)
		if err != nil {
			complain(w, http.StatusBadRequest, err.Error())
			return
		}
		for _, one := range all {
			rows = append(rows, row{one, index})
		}
	}
	answer(w, laidOut(rows))
}

// row is a series of the answer to a formula.
type row struct {
	Series
	index int
}

// laidOut lays rows on one time axis, which has the times at which any of them has
// a value.
func laidOut(rows []row) map[string]any {
	axis := []int64{}
	for _, r := range rows {
		for _, p := range r.Points {
			if !math.IsNaN(p.Value) {
				axis = append(axis, p.Time.UnixMilli())
			}
		}
	}
	slices.Sort(axis)
	axis = slices.Compact(axis)
	series, values := []map[string]any{}, [][]*float64{}
	for _, r := range rows {
		if len(r.Points) == 0 {
			continue
		}
		line := make([]*float64, len(axis))
		for _, p := range r.Points {
			if i, ok := slices.BinarySearch(axis, p.Time.UnixMilli()); ok && !math.IsNaN(p.Value) {
				line[i] = &p.Value
			}
		}
		tags := r.Tags
		if tags == nil {
			tags = []string{}
		}
		series = append(series, map[string]any{"group_tags": tags, "query_index": r.index, "unit": unitOf(r.Unit)})
		values = append(values, line)
	}
	return map[string]any{"data": map[string]any{
		"id": "0", "type": "timeseries_response",
		"attributes": map[string]any{"times": axis, "series": series, "values": values},
	}}
}

// units are those that worlds here have.
var units = map[string]map[string]any{
	"second":     {"family": "time", "name": "second", "plural": "seconds", "short_name": "s", "scale_factor": 1},
	"nanosecond": {"family": "time", "name": "nanosecond", "plural": "nanoseconds", "short_name": "ns", "scale_factor": 1e-9},
	"byte":       {"family": "bytes", "name": "byte", "plural": "bytes", "short_name": "B", "scale_factor": 1},
	"nanocore":   {"family": "cpu", "name": "nanocore", "plural": "nanocores", "short_name": "ncores", "scale_factor": 1e-9},
	"request":    {"family": "network", "name": "request", "plural": "requests", "short_name": "req", "scale_factor": 1},
}

// unitOf returns a unit as answers have it, nil for none.
func unitOf(name string) any {
	if u, ok := units[name]; ok {
		return []any{u, nil}
	}
	return nil
}

func (s *Server) metadata(w http.ResponseWriter, name string) {
	m := s.World.Metric(name)
	if m == nil {
		complain(w, http.StatusNotFound, "metric_name not found")
		return
	}
	answer(w, map[string]any{"type": m.Type, "unit": m.Unit, "per_unit": nil, "statsd_interval": 10, "description": nil, "short_name": nil, "integration": nil})
}

func (s *Server) allTags(w http.ResponseWriter, name string) {
	m := s.World.Metric(name)
	if m == nil {
		complain(w, http.StatusNotFound, "Not found")
		return
	}
	answer(w, map[string]any{"data": map[string]any{"id": name, "type": "metrics", "attributes": map[string]any{"tags": m.Tags, "ingested_tags": m.Unindexed}}})
}

func (s *Server) tagConfiguration(w http.ResponseWriter, name string) {
	m := s.World.Metric(name)
	if m == nil || m.Type != "distribution" {
		complain(w, http.StatusNotFound, "Not found")
		return
	}
	var keys []string
	for _, tag := range m.Tags {
		key, _, _ := strings.Cut(tag, ":")
		keys = append(keys, key)
	}
	slices.Sort(keys)
	answer(w, map[string]any{"data": map[string]any{"id": name, "type": "manage_tags", "attributes": map[string]any{
		"tags": slices.Compact(keys), "metric_type": m.Type, "include_percentiles": m.Percentiles,
	}}})
}

// answer sends a success.
func answer(w http.ResponseWriter, body any) { _ = json.NewEncoder(w).Encode(body) } // a client that is gone misses nothing

// complain sends an error.
func complain(w http.ResponseWriter, status int, text string) {
	w.WriteHeader(status)
	answer(w, map[string]any{"errors": []string{text}})
}
