package timeseries

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
)

// The request and answer of
// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products

type request struct {
	Data requestData `json:"data"`
}

type requestData struct {
	Type       string     `json:"type"`
	Attributes attributes `json:"attributes"`
}

type attributes struct {
	From     int64        `json:"from"`     // milliseconds, inclusive
	To       int64        `json:"to"`       // milliseconds, exclusive
	Interval int64        `json:"interval"` // milliseconds; a wish
	Queries  []query.Spec `json:"queries"`
	Formulas []formula    `json:"formulas"`
}

type formula struct {
	Formula string `json:"formula"`
}

// answer is read with pointers wherever absent, null and zero differ.
type answer struct {
	Data *struct {
		Type       string
		Attributes *struct {
			Times  []json.Number
			Series []struct {
				GroupTags  []string `json:"group_tags"`
				QueryIndex *int     `json:"query_index"`
				Unit       []*unit
			}
			Values [][]*float64
		}
	}
	Errors json.RawMessage
}

type unit struct{ Name string }

// timeseriesRequest asks for the queries at the given places, each under its own
// formula, whose place the answer's query_index repeats. It is a pointer because
// the client panics over a struct.
func timeseriesRequest(queries []providers.Query, at []int, from, to time.Time) *request {
	a := attributes{From: from.UnixMilli(), To: to.UnixMilli(), Interval: queries[at[0]].Step.Milliseconds()}
	for n, i := range at {
		name := "q" + strconv.Itoa(n)
		a.Queries = append(a.Queries, query.SpecOf(name, queries[i]))
		a.Formulas = append(a.Formulas, formula{name})
	}
	return &request{requestData{Type: "timeseries_request", Attributes: a}}
}

// collector gathers the series of one query over the parts of its window.
type collector struct {
	order  []string
	groups map[string]*analysis.Series
}

// series returns the series ordered by their group tags.
func (c *collector) series() []analysis.Series {
	var all []analysis.Series
	for _, tags := range c.order {
		if s := c.groups[tags]; len(s.Points) > 0 {
			all = append(all, *s)
		}
	}
	slices.SortStableFunc(all, func(a, b analysis.Series) int { return providers.CompareLabels(a.Labels, b.Labels) })
	return all
}

// group returns the series of a group, which is new or goes on.
func (c *collector) group(tags []string, step time.Duration, unit string) *analysis.Series {
	key := strings.Join(slices.Sorted(slices.Values(tags)), ",")
	if c.groups == nil {
		c.groups = map[string]*analysis.Series{}
	}
	s := c.groups[key]
	if s == nil {
		s = &analysis.Series{Labels: labels(tags), Step: step, Unit: unit}
		c.groups[key] = s
		c.order = append(c.order, key)
	}
	return s
}

// labels reads group tags such as version:a.
func labels(tags []string) map[string]string {
	all := map[string]string{}
	for _, tag := range tags {
		name, value, _ := strings.Cut(tag, ":")
		all[name] = value
	}
	return all
}

// unitNames are the units that configs have a word for.
var unitNames = map[string]string{
	"nanosecond": "ns", "microsecond": "us", "millisecond": "ms", "second": "s", "minute": "m", "hour": "h",
	"byte": "B", "kibibyte": "KiB", "mebibyte": "MiB", "gibibyte": "GiB",
	"percent": "percent", "fraction": "fraction",
}

// errQuery is the server's complaint about a query in an answer that is no
// error by its status.
var errQuery = errors.New("the server finds fault with the query")

// readTimeseries reads an answer into the collectors, one a query. Anything it
// does not understand is an error: a half-read answer would be missing data that
// nobody sees.
func readTimeseries(body []byte, from, to time.Time, step time.Duration, into []collector) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("not JSON as the query API answers it: %w: %s", err, body)
	}
	if said := bytes.TrimSpace(a.Errors); len(said) > 0 && !slices.Contains([]string{"null", `""`, "[]"}, string(said)) {
		return fmt.Errorf("%w: %s", errQuery, api.ErrorTexts(a.Errors))
	}
	if a.Data == nil || a.Data.Attributes == nil {
		return errors.New("the answer has no data")
	}
	if a.Data.Type != "" && a.Data.Type != "timeseries_response" {
		return fmt.Errorf("the answer is a %s, not a timeseries_response", a.Data.Type)
	}
	got := a.Data.Attributes
	if len(got.Series) != len(got.Values) {
		return fmt.Errorf("%d series but %d rows of values", len(got.Series), len(got.Values))
	}
	times, err := readTimes(got.Times, step)
	if err != nil {
		return err
	}
	for i, s := range got.Series {
		switch {
		case s.QueryIndex == nil || *s.QueryIndex < 0 || *s.QueryIndex >= len(into):
			return errors.New("a series does not say which query it answers")
		case len(got.Values[i]) != len(times):
			return fmt.Errorf("%d values for %d times", len(got.Values[i]), len(times))
		}
		series := into[*s.QueryIndex].group(s.GroupTags, step, unitOf(s.Unit))
		for n, value := range got.Values[i] {
			if times[n].Before(from) || !times[n].Before(to) {
				continue // the bucket that the window's end cuts is another look's
			}
			p := analysis.Point{Time: times[n]}
			if value != nil {
				p = analysis.ValuePoint(times[n], *value)
			}
			if last := len(series.Points) - 1; last >= 0 && !p.Time.After(series.Points[last].Time) {
				return fmt.Errorf("two values at %s", p.Time.Format(time.RFC3339))
			}
			series.Points = append(series.Points, p)
		}
	}
	return nil
}

// unitOf returns the unit of the numbers, "" when there is none or when they are
// per something.
func unitOf(u []*unit) string {
	if len(u) == 0 || u[0] == nil || len(u) > 1 && u[1] != nil {
		return ""
	}
	if name, ok := unitNames[u[0].Name]; ok {
		return name
	}
	return u[0].Name
}

var errWiderStep = errors.New("the server widened the step")

// readTimes reads the time axis all series share, in milliseconds. A bucket that
// has no value in any series is left out of it, so the distance between times is no sign
// that the server widened the step: a metric alone that reports seldom has such an axis too.
// A time off the grid is one.
func readTimes(raw []json.Number, step time.Duration) ([]time.Time, error) {
	times := make([]time.Time, len(raw))
	for i, n := range raw {
		ms, err := n.Int64()
		if err != nil {
			return nil, fmt.Errorf("the time %s is no whole number", n)
		}
		if ms%step.Milliseconds() != 0 {
			return nil, fmt.Errorf("%w: a point at %s does not fit the %s asked for",
				errWiderStep, time.UnixMilli(ms).UTC().Format(time.RFC3339), step)
		}
		times[i] = time.UnixMilli(ms).UTC()
		if i > 0 && !times[i].After(times[i-1]) {
			return nil, fmt.Errorf("the times do not ascend at %s", times[i].Format(time.RFC3339))
		}
	}
	return times, nil
}
