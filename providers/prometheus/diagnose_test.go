package prometheus_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/prometheus"
	"github.com/canary-judge/canary-judge/providers/providertest"
)

// answering is a server that knows the answers to some queries, at the end of their window:
// of each, the labels of its series and their values. Its samples come every so often until
// the end, less what is stale.
type answering struct {
	series       map[string]string // query to JSON such as [{"labels":{"a":"b"},"value":"1"}]
	every, stale time.Duration
	end          time.Time
}

func (s answering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // of a test's own client
	start, _ := strconv.ParseFloat(r.Form.Get("start"), 64)
	end, _ := strconv.ParseFloat(r.Form.Get("end"), 64)
	query := r.Form.Get("query")
	type row struct {
		Metric map[string]string `json:"metric"`
		Values [][2]any          `json:"values"`
	}
	rows := []row{}
	if strings.HasPrefix(query, "max(timestamp(") {
		one := row{Metric: map[string]string{}}
		newest := float64(s.end.Unix()) - s.stale.Seconds() - 7
		for at := start; at <= end; at++ {
			sample := newest
			for sample > at {
				sample -= s.every.Seconds()
			}
			one.Values = append(one.Values, [2]any{at, fmt.Sprintf("%.3f", sample)})
		}
		rows = append(rows, one)
	}
	var known []struct {
		Labels map[string]string
		Value  string
	}
	_ = json.Unmarshal([]byte(s.series[query]), &known) // "" is none
	for _, k := range known {
		rows = append(rows, row{k.Labels, [][2]any{{end, k.Value}}})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client is gone if it fails
		"status": "success", "data": map[string]any{"resultType": "matrix", "result": rows},
	})
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	const (
		errors = `sum(increase(errors_total{app="shop",code=~"5.."}[1m]))`
		sel    = `errors_total{app="shop",code=~"5.."}`
		found  = `[{"labels":{"app":"shop","code":"500","pod":"a"},"value":"10"}]`
		some   = `[{"labels":{},"value":"3"}]`
	)
	for _, c := range []struct {
		name, query  string
		every, stale time.Duration
		series       map[string]string
		want         string
	}{
		{
			"scraped once a step", errors, time.Minute, 0,
			map[string]string{"topk(1, count_over_time(" + sel + "[600s]))": found},
			"errors_total has a sample every 1m, and increase needs two in a step of 1m; set window.step to at least 2m, better 4m",
		},
		{
			"scraped often enough", errors, 15 * time.Second, 0,
			map[string]string{"topk(1, count_over_time(" + sel + "[600s]))": found},
			"each selector of the query finds series with enough samples",
		},
		{
			"a gauge needs one sample", `avg(latency{app="shop"})`, time.Minute, 0,
			map[string]string{`topk(1, count_over_time(latency{app="shop"}[600s]))`: found},
			"each selector of the query finds series with enough samples",
		},
		{
			"reports no more", errors, 15 * time.Second, 5 * time.Minute,
			map[string]string{"topk(1, count_over_time(" + sel + "[600s]))": found},
			"nothing reports errors_total any more: its newest sample is of 10:09:53, and these steps begin at 10:12:00",
		},
		{"no such metric", errors, 0, 0, nil, "there are no series of errors_total in the 10m before, whatever their labels; check its spelling"},
		{
			"a label that matches nothing", errors, 0, 0,
			map[string]string{
				"count(count_over_time(errors_total[600s]))":              some,
				`count by (app) (count_over_time(errors_total[600s]))`:    `[{"labels":{"app":"blog"},"value":"2"},{"labels":{"app":"shop-v2"},"value":"2"}]`,
				`count(count_over_time(errors_total{code=~"5.."}[600s]))`: some,
			},
			`nothing matches app="shop": the label app of errors_total is "blog", "shop-v2"`,
		},
		{
			"a label that is not there", errors, 0, 0,
			map[string]string{"count(count_over_time(errors_total[600s]))": some},
			`nothing matches app="shop": errors_total has no label app`,
		},
		{
			"labels that never come together", errors, 0, 0,
			map[string]string{
				"count(count_over_time(errors_total[600s]))":              some,
				`count(count_over_time(errors_total{app="shop"}[600s]))`:  some,
				`count(count_over_time(errors_total{code=~"5.."}[600s]))`: some,
			},
			"each label of " + sel + " by itself is on series of errors_total, all of them together on none",
		},
		{
			"a native histogram", `sum by (le) (increase(latency_bucket{app="shop"}[1m]))`, 0, 0,
			map[string]string{`count(count_over_time(latency{app="shop"}[600s]))`: some},
			`there are no series of latency_bucket, and latency has samples: it is a native histogram; write histogram: sum(increase(latency{app="shop"}[$step]))`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := one("errors")
			q.Expr, q.Step, q.Part = c.query, time.Minute, providers.Total
			q.Start, q.End = q.Start.Add(12*time.Minute), q.Start.Add(15*time.Minute)
			p := open(t, prometheus.Settings{URL: "http://prometheus:9090"},
				providertest.Serve(t, answering{c.series, c.every, c.stale, q.End}))
			got, err := p.Diagnose(t.Context(), q)
			if err != nil || !strings.Contains(got, c.want) {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// A series that begins with its first error adds nothing to what increase counts.
func TestDiagnoseZero(t *testing.T) {
	t.Parallel()
	const born = `(((max_over_time(e{app="shop"}[600s]) == min_over_time(e{app="shop"}[600s])) > 0) unless max_over_time(e{app="shop"}[600s] offset 600s))`
	q := one("errors")
	q.Expr, q.Part = `sum(increase(e{app="shop"}[30s]))`, providers.Bad
	for _, c := range []struct {
		series map[string]string
		want   string
	}{
		{map[string]string{"count" + born: `[{"labels":{},"value":"37"}]`, "sum" + born: `[{"labels":{},"value":"41"}]`},
			"37 series of e came into being in the 10m before, and have not grown since: the 41 events that they began with count for nothing"},
		{nil, ""},
	} {
		p := open(t, prometheus.Settings{URL: "http://prometheus:9090"}, providertest.Serve(t, answering{series: c.series, end: q.End}))
		got, err := p.DiagnoseZero(t.Context(), q)
		if err != nil || !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%q, %v; want %q", got, err, c.want)
		}
	}
}
