package synthetics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
)

// batchState is what an answer says of a batch.
type batchState struct {
	running bool
	runs    []batchRun
	lost    map[string]bool
}

var stillRunning = batchState{running: true}

// batchAnswer is the answer of
// https://docs.datadoghq.com/api/latest/synthetics/get-details-of-batch/. A run that fails
// and is tried again is one result, under way until the last attempt has ended:
// isNonFinalResult of
// https://github.com/DataDog/datadog-ci/blob/master/packages/plugin-synthetics/src/utils/internal.ts
type batchAnswer struct {
	Data *struct {
		Status  string
		Results []batchResult
	}
}

type batchResult struct {
	Status         string
	Test           string `json:"test_public_id"`
	ID             string `json:"result_id"`
	First          string `json:"initial_result_id"` // of a retry
	Location       string
	TimedOut       bool                       `json:"timed_out"`
	SelectiveRerun *struct{ Decision string } `json:"selective_rerun"`
}

// readBatch reads how a batch goes. A result that it does not understand is an error, and
// a test with fewer runs than locations has lost them: what is left out might have failed.
func readBatch(body []byte, tests []batchTest) (batchState, error) {
	var a batchAnswer
	if err := json.Unmarshal(body, &a); err != nil {
		return batchState{}, fmt.Errorf("not JSON as the synthetics API answers it: %w: %s", err, body)
	}
	if a.Data == nil {
		return batchState{}, fmt.Errorf("the answer has no data: %s", body)
	}
	switch a.Data.Status {
	case "in_progress":
		return stillRunning, nil
	case "passed", "failed":
	default:
		return batchState{}, fmt.Errorf("the batch has the status %q, which is none of in_progress, passed and failed", a.Data.Status)
	}
	state, bad, err := sumUp(a.Data.Results, tests)
	if err != nil {
		return batchState{}, err
	}
	if a.Data.Status == "failed" && !bad {
		return batchState{}, errors.New("the batch failed, and none of its results did")
	}
	for _, t := range tests {
		if n := state.count(t.PublicID); n > 0 && n < len(t.Locations) {
			state.lost[t.PublicID] = true
		}
	}
	return state, nil
}

// sumUp returns what the results of a batch that is over say of its tests, and whether any
// attempt failed or did not end.
func sumUp(results []batchResult, tests []batchTest) (state batchState, bad bool, err error) {
	state.lost = map[string]bool{}
	retried := retriedIn(results)
	seen := map[string]bool{}
	for _, r := range results {
		if !slices.ContainsFunc(tests, func(t batchTest) bool { return t.PublicID == r.Test }) {
			return batchState{}, false, fmt.Errorf("a result is of the test %q, which was not started", r.Test)
		}
		end, err := r.end()
		switch {
		case err != nil:
			return batchState{}, false, err
		case end == skipped:
			continue
		case end == unfinished:
			state.lost[r.Test], bad = true, true
			continue
		case seen[r.ID]:
			return batchState{}, false, fmt.Errorf("the result %s is there twice", r.ID)
		}
		seen[r.ID] = true
		bad = bad || end == failed
		if !retried[r.ID] {
			state.runs = append(state.runs, batchRun{r.Test, r.ID, r.Location, end == passed})
		}
	}
	return state, bad, nil
}

// retriedIn returns the ids of results of which there is a retry.
func retriedIn(results []batchResult) map[string]bool {
	retried := map[string]bool{}
	for _, r := range results {
		if r.First != r.ID {
			retried[r.First] = true
		}
	}
	return retried
}

// runEnd is how a run of a batch ended.
type runEnd int

const (
	skipped    runEnd = iota // it was not carried out, by a decision of Datadog's
	unfinished               // it ran out of time
	passed
	failed
)

// end returns how the run ended.
func (r batchResult) end() (runEnd, error) {
	switch {
	case r.SelectiveRerun != nil && r.SelectiveRerun.Decision == "skip", r.Status == "skipped":
		return skipped, nil
	case r.TimedOut, r.Status == "in_progress":
		return unfinished, nil
	case r.Status != "passed" && r.Status != "failed":
		return unfinished, fmt.Errorf("a result has the status %q, which is none of in_progress, passed, failed and skipped", r.Status)
	case r.ID == "":
		return unfinished, errors.New("a result that ended has no result_id")
	case r.Status == "passed":
		return passed, nil
	}
	return failed, nil
}

// count returns how many runs of a test came to an end.
func (s batchState) count(test string) int {
	n := 0
	for _, r := range s.runs {
		if r.test == test {
			n++
		}
	}
	return n
}

// mostPolled is how many results one request asks for; their ids stand in its address.
const mostPolled = 50

// unhealthy asks which of the failed runs came from a location that was in trouble
// itself, by https://docs.datadoghq.com/api/latest/synthetics/poll-test-results/. Those
// of which the API does not tell are taken for healthy: they failed.
func (r *Runs) unhealthy(ctx context.Context, runs []batchRun) (map[string]bool, error) {
	var ids []string
	for _, r := range runs {
		if !r.passed {
			ids = append(ids, r.id)
		}
	}
	all := map[string]bool{}
	doing := "read why synthetic tests failed"
	for part := range slices.Chunk(ids, mostPolled) {
		text, err := json.Marshal(part)
		if err != nil {
			return nil, r.api.Misread(doing, err)
		}
		body, status, failure := r.api.Send(ctx, doing, http.MethodGet, "/api/v2/synthetics/tests/poll_results", url.Values{"result_ids": {string(text)}}, nil)
		switch {
		case failure != nil:
			return nil, failure
		case status == http.StatusNotFound:
			continue // results take a while to be found
		case status/100 != 2:
			return nil, api.CureForbidden(r.api.Refused(doing, status, body), "permission synthetics_read")
		}
		if err := readUnhealthy(body, all); err != nil {
			return nil, r.api.Misread(doing, err)
		}
	}
	return all, nil
}

// readUnhealthy notes the ids of results that an answer says are unhealthy.
func readUnhealthy(body []byte, into map[string]bool) error {
	var a struct {
		Data *[]struct {
			ID         string
			Attributes struct{ Result struct{ Unhealthy bool } }
		}
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("not JSON as the synthetics API answers it: %w: %s", err, body)
	}
	if a.Data == nil {
		return fmt.Errorf("the answer has no data: %s", body)
	}
	for _, d := range *a.Data {
		if d.Attributes.Result.Unhealthy {
			into[d.ID] = true
		}
	}
	return nil
}
