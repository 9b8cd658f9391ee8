package datadogtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// batch is what was started from CI.
type batch struct {
	id      string
	started time.Time
	timeout time.Duration
	runs    []batchRun
}

// batchRun is a run of a batch.
type batchRun struct {
	test, id, location string
	takes              time.Duration
	failed             bool
}

// batch answers the routes of batches, and reports whether it was one:
//
// POST /api/v1/synthetics/tests/trigger/ci: tests with public_id, startUrl, variables and
// locations [code], options with batch_timeout in milliseconds and selective_rerun
// [datadog-ci]; batch_id, locations, results and triggered_check_ids [code]. A test that
// does not exist is a 404 [guess], one of an API test without a start URL of its own heeds
// none [datadog-ci].
//
// GET /api/v1/synthetics/ci/batch/ID: data with status in_progress, passed or failed and
// results, one for each test and location, with status, test_public_id, result_id,
// location, retries, max_retries and timed_out [datadog-ci]; a batch that is not over at
// its timeout fails, with timed_out at the results that were under way [datadog-ci]; 404
// for one that does not exist [datadog-ci].
//
// GET /api/v2/synthetics/tests/poll_results: data with id and attributes.result with
// status, unhealthy and finished_at, for the ids in result_ids, a JSON array [code,
// datadog-ci].
//
// [datadog-ci] is read in https://github.com/DataDog/datadog-ci, packages/plugin-synthetics.
func (s *Server) batch(w http.ResponseWriter, r *http.Request, now time.Time) bool {
	id, isBatch := strings.CutPrefix(r.URL.Path, "/api/v1/synthetics/ci/batch/")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/api/v1/synthetics/tests/trigger/ci":
		s.startBatch(w, r, now)
	case r.Method == http.MethodGet && isBatch:
		s.batchState(w, id, now)
	case r.Method == http.MethodGet && r.URL.Path == "/api/v2/synthetics/tests/poll_results":
		s.pollResults(w, r)
	default:
		return false
	}
	return true
}

func (s *Server) startBatch(w http.ResponseWriter, r *http.Request, now time.Time) {
	var asked struct {
		Tests []struct {
			PublicID  string `json:"public_id"`
			StartURL  string `json:"startUrl"`
			Variables map[string]string
			Locations []string
		}
		Options struct {
			Timeout int64 `json:"batch_timeout"`
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Tests) == 0 {
		complain(w, http.StatusBadRequest, "Invalid body")
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	b := batch{id: fmt.Sprintf("00000000-0000-4000-8000-%012d", len(s.batches)+1), started: now, timeout: 30 * time.Minute}
	if asked.Options.Timeout > 0 {
		b.timeout = time.Duration(asked.Options.Timeout) * time.Millisecond
	}
	var triggered []string
	results := []map[string]any{}
	for _, t := range asked.Tests {
		var test Test
		known := false
		if world, has := s.World.(Tester); has {
			test, known = world.Test(t.PublicID)
		}
		if !known {
			complain(w, http.StatusNotFound, "Synthetics test not found")
			return
		}
		url := t.StartURL
		if test.Type != "browser" && test.Subtype != "http" {
			url = ""
		}
		locations := t.Locations
		if len(locations) == 0 {
			locations = []string{"aws:eu-central-1"}
		}
		for _, location := range locations {
			failed := test.Failed != nil && test.Failed(now)
			if test.Aimed != nil {
				failed = test.Aimed(now, url, t.Variables)
			}
			run := batchRun{t.PublicID, fmt.Sprintf("%d%03d", 1000+len(s.batches), len(b.runs)), location, test.Takes, failed}
			b.runs = append(b.runs, run)
			results = append(results, map[string]any{"public_id": run.test, "result_id": run.id, "location": 1})
		}
		triggered = append(triggered, t.PublicID)
	}
	s.batches = append(s.batches, b)
	answer(w, map[string]any{"batch_id": b.id, "locations": []any{}, "results": results, "triggered_check_ids": triggered})
}

func (s *Server) batchState(w http.ResponseWriter, id string, now time.Time) {
	s.lock.Lock()
	defer s.lock.Unlock()
	at := slices.IndexFunc(s.batches, func(b batch) bool { return b.id == id })
	if at < 0 {
		complain(w, http.StatusNotFound, "Batch not found")
		return
	}
	b := s.batches[at]
	status, results := "passed", []map[string]any{}
	for _, run := range b.runs {
		result := map[string]any{
			"status": "passed", "test_public_id": run.test, "result_id": run.id, "location": run.location,
			"execution_rule": "blocking", "retries": nil, "max_retries": 0, "timed_out": nil,
		}
		switch late := run.takes > b.timeout; {
		case late && now.Sub(b.started) >= b.timeout:
			result["status"], result["timed_out"] = "failed", true
		case now.Sub(b.started) < run.takes:
			result["status"] = "in_progress"
		case run.failed:
			result["status"] = "failed"
		}
		switch {
		case result["status"] == "in_progress":
			status = "in_progress"
		case result["status"] == "failed" && status == "passed":
			status = "failed"
		}
		results = append(results, result)
	}
	answer(w, map[string]any{"data": map[string]any{"status": status, "results": results}})
}

func (s *Server) pollResults(w http.ResponseWriter, r *http.Request) {
	var ids []string
	if err := json.Unmarshal([]byte(r.URL.Query().Get("result_ids")), &ids); err != nil {
		complain(w, http.StatusBadRequest, "result_ids is no JSON array")
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	data := []map[string]any{}
	for _, b := range s.batches {
		for _, run := range b.runs {
			if !slices.Contains(ids, run.id) {
				continue
			}
			status := "passed"
			if run.failed {
				status = "failed"
			}
			data = append(data, map[string]any{"id": run.id, "type": "result", "attributes": map[string]any{
				"result": map[string]any{"id": run.id, "status": status, "unhealthy": false, "finished_at": b.started.Add(run.takes).UnixMilli()},
			}})
		}
	}
	answer(w, map[string]any{"data": data})
}
