package prometheus_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/prometheus"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"native histograms", "classic histograms"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			providertest.Test(t, providertest.Suite{
				Open: func(t *testing.T, w *providertest.World) providers.Provider {
					server := httptest.NewServer(&standIn{world: w, classic: kind == "classic histograms"})
					t.Cleanup(server.Close)
					return open(t, prometheus.Settings{URL: server.URL + "/prom/", Token: web.Secret(w.Secret)}, nil)
				},
				// 11,000 points a series at most, and of all together not too many.
				Requests: func(queries, steps int) int { return 1 + (steps-1)/11000 + queries*steps/50_000 },
			})
		})
	}
}

func open(t *testing.T, s prometheus.Settings, transport http.RoundTripper) *prometheus.Provider {
	t.Helper()
	p, err := prometheus.New(s, transport)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// standIn answers range queries as Prometheus does:
// https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
type standIn struct {
	world   *providertest.World
	classic bool // histograms are series by le
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.URL.Path != "/prom/api/v1/query_range" {
		http.NotFound(w, r)
		return
	}
	if !s.world.Request(r.Context()) || r.Header.Get("Authorization") != "Bearer "+s.world.Secret {
		http.Error(w, "not with "+r.Header.Get("Authorization"), http.StatusUnauthorized)
		return
	}
	start, end := stamp(r, "start"), stamp(r, "end")
	seconds, _ := strconv.ParseFloat(r.Form.Get("step"), 64)
	step := time.Duration(seconds * float64(time.Second))
	switch {
	case step <= 0 || end.Before(start):
		fail(w, http.StatusBadRequest, "bad_data", "invalid parameter")
		return
	case end.Sub(start)/step > 11000:
		fail(w, http.StatusBadRequest, "bad_data", "exceeded maximum resolution of 11,000 points per timeseries")
		return
	}
	result := []map[string]any{}
	for mark, expr := range expressions(r.Form.Get("query")) {
		reply := s.world.Reply(expr)
		if reply.Refused != "" {
			fail(w, http.StatusBadRequest, "bad_data", reply.Refused)
			return
		}
		for _, one := range reply.Series {
			// Evaluated at the end of each step, the last one included.
			points := providertest.Within(one.Points, start.Add(-step), end.Add(-step+1))
			labels := map[string]string{}
			maps.Copy(labels, one.Labels)
			if mark != "" {
				labels["canary_judge_query"] = mark
			}
			result = append(result, s.rows(labels, points, step)...)
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"status": "success",
		"data":   map[string]any{"resultType": "matrix", "result": result},
	})
}

// marked is an expression of a batch with its mark.
var marked = regexp.MustCompile(`(?s)label_replace\(\((.*?)\n\), "canary_judge_query", "(\d+)", "", ""\)`)

// expressions returns what a request asks for, by its mark in a batch, "" for one alone.
func expressions(query string) map[string]string {
	all := map[string]string{}
	for _, m := range marked.FindAllStringSubmatch(query, -1) {
		all[m[2]] = m[1]
	}
	if len(all) == 0 {
		all[""] = query
	}
	return all
}

func stamp(r *http.Request, name string) time.Time {
	seconds, _ := strconv.ParseFloat(r.Form.Get(name), 64)
	return time.UnixMilli(int64(math.Round(seconds * 1e3))).UTC()
}

func fail(w http.ResponseWriter, status int, kind, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "error", "errorType": kind, "error": text})
}

// number writes a sample value.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// rows returns the elements of a matrix for a series.
func (s *standIn) rows(labels map[string]string, points []analysis.Point, step time.Duration) []map[string]any {
	if len(points) == 0 {
		return nil
	}
	evaluated := func(p analysis.Point) json.Number {
		return json.Number(strconv.FormatFloat(float64(p.Time.Add(step).UnixMilli())/1e3, 'f', -1, 64))
	}
	var values, histograms [][2]any
	classic := map[string][][2]any{}
	for _, p := range points {
		at := evaluated(p)
		switch {
		case len(p.Buckets().Counts) == 0:
			values = append(values, [2]any{at, number(p.Value())})
		case s.classic:
			var cumulative float64
			for i, c := range p.Buckets().Counts {
				cumulative += c
				le := "+Inf"
				if i < len(p.Buckets().Bounds) {
					le = number(p.Buckets().Bounds[i])
				}
				classic[le] = append(classic[le], [2]any{at, number(cumulative)})
			}
		default:
			histograms = append(histograms, [2]any{at, native(p)})
		}
	}
	if len(classic) > 0 {
		var rows []map[string]any
		for le, values := range classic { // in any order, as the server has them
			by := maps.Clone(labels)
			by["le"] = le
			rows = append(rows, map[string]any{"metric": by, "values": values})
		}
		return rows
	}
	row := map[string]any{"metric": labels}
	if values != nil {
		row["values"] = values
	}
	if histograms != nil {
		row["histograms"] = histograms
	}
	return []map[string]any{row}
}

// native writes a native histogram with bounds of its own, without the empty
// buckets, which the server leaves out.
func native(p analysis.Point) map[string]any {
	var buckets [][4]any
	lower := math.Inf(-1)
	var count float64
	for i, c := range p.Buckets().Counts {
		upper := math.Inf(1)
		if i < len(p.Buckets().Bounds) {
			upper = p.Buckets().Bounds[i]
		}
		if c > 0 {
			buckets = append(buckets, [4]any{0, number(lower), number(upper), number(c)})
		}
		count += c
		lower = upper
	}
	return map[string]any{"count": number(count), "sum": fmt.Sprint(count * 0.2), "buckets": buckets}
}
