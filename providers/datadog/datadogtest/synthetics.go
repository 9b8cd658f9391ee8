package datadogtest

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Tester is a World that has synthetic tests.
type Tester interface {
	// Test returns a synthetic test by its public id.
	Test(id string) (Test, bool)
	// TestIDs lists the public ids of all tests, in a stable order.
	TestIDs() []string
}

// Test is a synthetic test: it runs on schedule from one location.
type Test struct {
	Type string // api or browser
	Name string
	Tags []string
	// Subtype of an API test: http, multi and others.
	Subtype string
	Every   time.Duration // from one run to the next, which start at whole multiples since the epoch; 0 = it is paused
	Takes   time.Duration // from its start to its end
	// Failed reports whether the run that starts at a time fails.
	Failed func(time.Time) bool
	// Aimed reports whether the run that is started at a time fails, for it goes to this
	// start URL, "" for the test's own, with these variables. Nil: as Failed.
	Aimed func(at time.Time, startURL string, variables map[string]string) bool
}

// pageOfResults is how many results an answer holds, newest first.
const pageOfResults = 150

// synthetics answers the routes of synthetic tests, and reports whether it was one:
//
// GET /api/v1/synthetics/tests/ID: public_id and type [code]; 404 for one that does not
// exist [docs].
//
// GET /api/v1/synthetics/tests: tests with public_id, name, type, status and tags [code];
// page_size is 100 unless asked otherwise, and pages are counted from 0 [code]; a page
// beyond the last one is empty [guess].
//
// GET /api/v2/synthetics/tests/ID/results, and for browser tests
// /api/v2/synthetics/tests/browser/ID/results: data, newest first, with id and
// attributes status, run_type, started_at and finished_at in milliseconds, location and
// execution_info; to_ts is the end of the time asked for, exclusive [docs]; the size
// of a page is a [guess].
func (s *Server) synthetics(w http.ResponseWriter, r *http.Request, now time.Time) bool {
	if r.Method != http.MethodGet {
		return false
	}
	if r.URL.Path == "/api/v1/synthetics/tests" {
		s.listTests(w, r)
		return true
	}
	path, results := strings.CutPrefix(r.URL.Path, "/api/v2/synthetics/tests/")
	id, config := strings.CutPrefix(r.URL.Path, "/api/v1/synthetics/tests/")
	if !results && !config || path == "poll_results" {
		return false
	}
	kind := "api"
	if results {
		if rest, browser := strings.CutPrefix(path, "browser/"); browser {
			path, kind = rest, "browser"
		}
		id, results = strings.CutSuffix(path, "/results")
	}
	var test Test
	known := false
	if world, has := s.World.(Tester); has {
		test, known = world.Test(id)
	}
	switch {
	case !known, !config && (!results || test.Type != kind):
		complain(w, http.StatusNotFound, "Synthetics test not found")
	case config:
		answer(w, map[string]any{"public_id": id, "type": test.Type, "subtype": test.Subtype, "status": "live"})
	default:
		to := now.UnixMilli() + 1
		if text := r.URL.Query().Get("to_ts"); text != "" {
			asked, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				complain(w, http.StatusBadRequest, "to_ts is no number")
				return true
			}
			to = min(to, asked)
		}
		answer(w, map[string]any{"data": test.results(id, time.UnixMilli(to).UTC())})
	}
	return true
}

// listTests answers with a page of all tests.
func (s *Server) listTests(w http.ResponseWriter, r *http.Request) {
	size, errSize := strconv.Atoi(cmp.Or(r.URL.Query().Get("page_size"), "100"))
	page, errPage := strconv.Atoi(cmp.Or(r.URL.Query().Get("page_number"), "0"))
	if errSize != nil || errPage != nil || size < 1 || page < 0 {
		complain(w, http.StatusBadRequest, "Invalid page")
		return
	}
	tests := []map[string]any{}
	if world, has := s.World.(Tester); has {
		ids := world.TestIDs()
		for _, id := range ids[min(page*size, len(ids)):min((page+1)*size, len(ids))] {
			test, _ := world.Test(id)
			status := "live"
			if test.Every == 0 {
				status = "paused"
			}
			tests = append(tests, map[string]any{"public_id": id, "name": test.Name, "type": test.Type, "subtype": test.Subtype, "status": status, "tags": test.Tags})
		}
	}
	answer(w, map[string]any{"tests": tests})
}

// results returns the newest results of runs that finished before a time.
func (t Test) results(id string, to time.Time) []map[string]any {
	all := []map[string]any{}
	if t.Every == 0 {
		return all
	}
	for start := to.Truncate(t.Every); len(all) < pageOfResults; start = start.Add(-t.Every) {
		finished := start.Add(t.Takes)
		if !finished.Before(to) {
			continue
		}
		status := "passed"
		if t.Failed(start) {
			status = "failed"
		}
		all = append(all, map[string]any{"id": fmt.Sprintf("%s-%d", id, start.Unix()), "type": "result_rum", "attributes": map[string]any{
			"status": status, "run_type": "scheduled", "started_at": start.UnixMilli(), "finished_at": finished.UnixMilli(),
			"location": map[string]string{"id": "aws:eu-central-1"}, "execution_info": map[string]bool{"is_fast_retry": false, "unhealthy": false},
		}})
	}
	return all
}
