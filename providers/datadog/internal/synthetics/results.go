package synthetics

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
)

// The answers of
// https://docs.datadoghq.com/api/latest/synthetics/get-a-tests-latest-results/ and
// https://docs.datadoghq.com/api/latest/synthetics/get-a-browser-tests-latest-results/

type resultsAnswer struct {
	Data *[]struct {
		ID         string
		Attributes *struct {
			Status        *string
			RunType       *string      `json:"run_type"`
			StartedAt     *json.Number `json:"started_at"`
			FinishedAt    *json.Number `json:"finished_at"`
			Location      *struct{ ID string }
			Device        *struct{ ID string }
			ExecutionInfo *struct {
				IsFastRetry bool `json:"is_fast_retry"`
				Unhealthy   bool
			} `json:"execution_info"`
		}
	}
}

var (
	// runTypes are those of the API's reference.
	runTypes = []string{"scheduled", "fast", "ci", "triggered"}
	// ended are the statuses of a result that says something about what was tested,
	// and of one that does not: it was not carried out, or not to the end.
	ended = []string{"passed", "failed", "no_data", "skipped", "aborted", "canceled", "cancelled"}
)

// readResults reads a page of results. A result that it does not understand is an
// error: left out, it might be the failed one.
func readResults(body []byte) ([]attempt, error) {
	var a resultsAnswer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, fmt.Errorf("not JSON as the synthetics API answers it: %w: %s", err, body)
	}
	if a.Data == nil {
		return nil, fmt.Errorf("the answer has no data: %s", body)
	}
	var all []attempt
	for _, d := range *a.Data {
		if d.ID == "" || d.Attributes == nil {
			return nil, errors.New("a result has no id or no attributes")
		}
		from := d.Attributes
		r := attempt{id: d.ID}
		var err error
		if r.started, err = readMillis(from.StartedAt); err != nil {
			return nil, fmt.Errorf("result %s: started_at: %w", d.ID, err)
		}
		if r.finished, err = readMillis(from.FinishedAt); err != nil {
			return nil, fmt.Errorf("result %s: finished_at: %w", d.ID, err)
		}
		if from.Status != nil {
			r.status = *from.Status
		}
		if from.RunType != nil {
			r.runType = *from.RunType
		}
		if from.Location != nil {
			r.location = from.Location.ID
		}
		if from.Device != nil {
			r.device = from.Device.ID
		}
		if from.ExecutionInfo != nil {
			r.retry, r.unhealthy = from.ExecutionInfo.IsFastRetry, from.ExecutionInfo.Unhealthy
		}
		switch {
		case r.finished.IsZero():
		case !slices.Contains(ended, r.status):
			return nil, fmt.Errorf("result %s finished with the status %q, which is none of %q", d.ID, r.status, ended)
		case !slices.Contains(runTypes, r.runType):
			return nil, fmt.Errorf("result %s is of the run type %q, which is none of %q", d.ID, r.runType, runTypes)
		case r.started.IsZero() || r.started.After(r.finished):
			return nil, fmt.Errorf("result %s finished at %s without a start before it", d.ID, r.finished.Format(time.RFC3339))
		}
		all = append(all, r)
	}
	if n := len(all); n > 1 && all[0].started.Before(all[n-1].started) && !all[0].finished.IsZero() && all[0].finished.Before(all[n-1].finished) {
		return nil, errors.New("the results do not come newest first")
	}
	return all, nil
}

// readMillis reads milliseconds since the epoch; absent, null and 0 are the zero
// time.
func readMillis(n *json.Number) (time.Time, error) {
	if n == nil || *n == "" || *n == "0" {
		return time.Time{}, nil
	}
	ms, err := n.Int64()
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is no whole number of milliseconds", *n)
	}
	t := time.UnixMilli(ms).UTC()
	if !api.IsPlausible(t) {
		return time.Time{}, fmt.Errorf("%s is no time in milliseconds", *n)
	}
	return t, nil
}

// readTestKind reads what a test is:
// https://docs.datadoghq.com/api/latest/synthetics/get-a-test-configuration/
func readTestKind(body []byte, test string) (testKind, error) {
	var a struct {
		Type, Subtype string
		PublicID      string `json:"public_id"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return testKind{}, fmt.Errorf("not JSON as the synthetics API answers it: %w: %s", err, body)
	}
	if a.Type == "" || a.PublicID != test {
		return testKind{}, fmt.Errorf("the answer is not the test's: %s", body)
	}
	return testKind{a.Type, a.Subtype}, nil
}
