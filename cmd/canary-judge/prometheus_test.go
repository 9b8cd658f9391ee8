package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// prometheusServer answers range queries of a little shop, or fails in a way
// that its mode names.
type prometheusServer struct {
	mode  string
	asked sync.Map // queries, in the mode late
}

func (s *prometheusServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.URL.Path == "/hook" {
		return // of somebody who is told of runs
	}
	if status, err := strconv.Atoi(s.mode); err == nil {
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "3600")
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"status":"error","errorType":"x","error":"the server says %d to Bearer hunter2"}`, status)
		return
	}
	switch s.mode {
	case "hung":
		<-r.Context().Done()
		return
	case "halfsent":
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"status":"success","data":`)
		return
	case "html":
		fmt.Fprint(w, "<html>please log in</html>")
		return
	case "empty":
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[]}}`)
		return
	}
	start, _ := strconv.ParseFloat(r.Form.Get("start"), 64)
	end, _ := strconv.ParseFloat(r.Form.Get("end"), 64)
	step, _ := strconv.ParseFloat(r.Form.Get("step"), 64)
	var series []map[string]any
	for mark, query := range batchOf(r.Form.Get("query")) {
		for _, one := range s.series(query, start, end, step) {
			if mark != "" {
				one["metric"].(map[string]string)["canary_judge_query"] = mark
			}
			series = append(series, one)
		}
	}
	s.answer(w, series)
}

// markedQuery is a query of a batch with its mark.
var markedQuery = regexp.MustCompile(`(?s)label_replace\(\((.*?)\n\), "canary_judge_query", "(\d+)", "", ""\)`)

// batchOf returns the queries of a request by their marks, "" for one by itself.
func batchOf(query string) map[string]string {
	all := map[string]string{}
	for _, m := range markedQuery.FindAllStringSubmatch(query, -1) {
		all[m[2]] = m[1]
	}
	if len(all) == 0 {
		all[""] = query
	}
	return all
}

// series are what a query gives.
func (s *prometheusServer) series(query string, start, end, step float64) []map[string]any {
	if strings.Contains(query, "by (region)") {
		var all []map[string]any
		for region, share := range regions {
			all = append(all, map[string]any{"metric": map[string]string{"region": region}, "values": [][2]any{{end, fmt.Sprint(1000 * share)}}})
		}
		return append(all, map[string]any{"metric": map[string]string{}, "values": [][2]any{{end, "7"}}})
	}
	if strings.Contains(query, "by (pod)") {
		return s.pods(query, start, end, step)
	}
	var values [][2]any
	_, again := s.asked.Swap(query, true)
	for at := start; at <= end; at += step {
		if s.mode == "late" && !again && float64(time.Now().Unix())-at < 80 {
			values = append(values, [2]any{at, "5"}) // the rest comes later
			continue
		}
		values = append(values, [2]any{at, strconv.FormatFloat(s.value(query, at), 'g', -1, 64)})
	}
	if s.silent(query) {
		return []map[string]any{}
	}
	series := []map[string]any{{"metric": map[string]string{"app": "shop"}, "values": values}}
	if strings.Contains(query, "_bucket") {
		series = nil
		for _, le := range []string{"0.5", "1", "2.5", "+Inf"} {
			series = append(series, map[string]any{"metric": map[string]string{"le": le}, "values": values})
		}
	}
	if s.mode == "several" {
		series = append(series, map[string]any{"metric": map[string]string{"app": "shop", "pod": "2"}, "values": values})
	}
	return series
}

func (*prometheusServer) answer(w http.ResponseWriter, series []map[string]any) {
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client is gone if it fails
		"status": "success", "data": map[string]any{"resultType": "matrix", "result": series},
	})
}

// pods are what a query divided by pod gives: six of the baseline, or three in the mode few-pods, and one that ended
// early; two of the canary, which began a few steps ago.
func (s *prometheusServer) pods(query string, start, end, step float64) (all []map[string]any) {
	canary := strings.Contains(query, "canary")
	names := []string{"shop-a", "shop-b", "shop-c", "shop-d", "shop-e", "shop-f", "shop-old"}
	switch {
	case canary:
		names = []string{"canary-a", "canary-b"}
	case s.mode == "few-pods":
		names = names[:3]
	}
	for i, name := range names {
		from, to := start, end
		if canary {
			from = end - 3*step
		}
		if name == "shop-old" {
			to = start + 20*step
		}
		var values [][2]any
		for at := from; at <= to; at += step {
			v := s.value(query, at)*(1+0.03*float64(i%3)) + math.Sin(at*float64(i+1))/500
			if !strings.Contains(query, "latency") {
				v = math.Max(0, math.Round(v/6))
			}
			values = append(values, [2]any{at, strconv.FormatFloat(v, 'g', -1, 64)})
		}
		all = append(all, map[string]any{"metric": map[string]string{"pod": name}, "values": values})
	}
	if s.mode == "two-a-pod" {
		all = append(all, map[string]any{"metric": map[string]string{"pod": "shop-a", "zone": "b"}, "values": [][2]any{{end, "1"}}})
	}
	return all
}

// regions are the parts of the shop's requests that come from each.
var regions = map[string]float64{"eu": 0.6, "us": 0.395, "sa": 0.005}

var regionOf = regexp.MustCompile(`region="([^"]*)"`)

// silent reports whether nothing is known of what a query asks for: of a region that there is not,
// or of the canary in the us, in the mode silent-in-us.
func (s *prometheusServer) silent(query string) bool {
	m := regionOf.FindStringSubmatch(query)
	return m != nil && (regions[m[1]] == 0 || m[1] == "us" && s.mode == "silent-in-us" && strings.Contains(query, "canary"))
}

// value is a number of the shop: 2 % errors, ten times that on a broken canary.
func (s *prometheusServer) value(query string, at float64) float64 {
	canary := strings.Contains(query, "canary")
	wobble := math.Sin(at/7 + float64(len(query)))
	total := 900.0
	if canary {
		total = 100
	}
	region := regionOf.FindStringSubmatch(query)
	if region != nil {
		total *= regions[region[1]]
	}
	switch {
	case strings.Contains(query, "errors"), strings.Contains(query, "code=~"):
		bad := 0.02 * total
		if canary && s.mode == "broken" {
			bad *= 10
		}
		if canary && s.mode == "broken-in-us" {
			switch {
			case region == nil:
				bad *= 1 + 3*regions["us"]
			case region[1] == "us":
				bad *= 4
			}
		}
		return math.Round(bad * (1 + 0.2*wobble))
	case strings.Contains(query, "requests"), strings.Contains(query, "_bucket"):
		return math.Round(total * (1 + 0.05*wobble))
	}
	return 0.2 * (1 + 0.02*wobble)
}
