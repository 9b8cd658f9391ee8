package synthetics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/web"
)

// batchKey says what a batch was started for.
type batchKey struct {
	arm  providers.Arm
	step time.Time // its start, in UTC
}

// batches are the CI batches of synthetic tests that were started.
type batches struct {
	mutex   sync.Mutex
	started map[batchKey]*batch
}

// batch is a CI batch of one arm and step.
type batch struct {
	id       string
	tests    []batchTest
	deadline time.Time
	over     bool            // nothing is asked of it any more
	runs     []batchRun      // of the tests that came to an end
	lost     map[string]bool // tests whose runs count for nothing: some did not end in time
}

// batchRun is a run of a batch, with its retries.
type batchRun struct {
	test, id, location string
	passed             bool
}

// batchRequest is the request of
// https://docs.datadoghq.com/api/latest/synthetics/trigger-tests-from-cicd-pipelines/
// with the options that datadog-ci adds to it:
// https://github.com/DataDog/datadog-ci/blob/master/packages/plugin-synthetics/src/interfaces.ts
type batchRequest struct {
	Tests   []batchTest `json:"tests"`
	Options struct {
		// Timeout is when Datadog gives the batch up, in milliseconds.
		Timeout int64 `json:"batch_timeout"`
		// SelectiveRerun would take the results of earlier runs on the same commit for
		// those of tests that passed then, and is on by default in some organisations.
		SelectiveRerun bool `json:"selective_rerun"`
	} `json:"options"`
}

type batchTest struct {
	PublicID  string            `json:"public_id"`
	StartURL  string            `json:"startUrl,omitempty"`
	Variables map[string]string `json:"variables,omitempty"`
	Locations []string          `json:"locations,omitempty"`
}

// Start implements providers.Starter with a CI batch for each arm: in one, the runs of
// a test that is aimed at both could not be told apart.
func (r *Runs) Start(ctx context.Context, queries []providers.Query, limit time.Duration) error {
	tests := map[providers.Arm][]batchTest{}
	var step time.Time
	for _, q := range queries {
		test, err := r.aimed(ctx, q)
		if err != nil {
			return err
		}
		step = q.Start.UTC()
		at := slices.IndexFunc(tests[q.Arm], func(t batchTest) bool { return t.PublicID == test.PublicID })
		switch {
		case at < 0:
			tests[q.Arm] = append(tests[q.Arm], test)
		case !reflect.DeepEqual(tests[q.Arm][at], test):
			return providers.Place(q, &web.Error{
				Class: web.BadQuery, Provider: api.Name, Doing: "start the synthetic test " + test.PublicID,
				Detail: "it would be aimed at two places for one arm", Cure: "aim it at one",
			})
		}
	}
	for _, arm := range providers.Arms {
		if len(tests[arm]) == 0 {
			continue
		}
		if err := r.startBatch(ctx, batchKey{arm, step}, tests[arm], limit); err != nil {
			return err
		}
	}
	return nil
}

// aimed returns the test that a query has started. A start URL that the test would not
// heed is an error: both arms would be the same, and the canary never looked at.
func (r *Runs) aimed(ctx context.Context, q providers.Query) (batchTest, error) {
	doing := "start the runs of a synthetic test"
	parsed, err := parseRuns(q.Expr)
	if err == nil && parsed.Aim == nil {
		err = errors.New("its runs are not started by this job")
	}
	if err != nil {
		return batchTest{}, providers.Place(q, &web.Error{Class: web.BadQuery, Provider: api.Name, Doing: doing, Err: err, Cure: "correct the query"})
	}
	kind, failure := r.kindOf(ctx, parsed.Test)
	if failure != nil {
		return batchTest{}, providers.Place(q, failure)
	}
	// Which tests heed it: getBasePayload of
	// https://github.com/DataDog/datadog-ci/blob/master/packages/plugin-synthetics/src/utils/internal.ts
	if parsed.Aim.StartURL != "" && kind.kind != "browser" && kind.subtype != "http" {
		return batchTest{}, providers.Place(q, &web.Error{
			Class: web.BadQuery, Provider: api.Name, Doing: "aim the synthetic test " + parsed.Test,
			Detail: "it has no start URL: only browser tests and HTTP tests of one request do",
			Cure:   "let the addresses in the test begin with a variable, and set it under variables",
		})
	}
	return batchTest{parsed.Test, parsed.Aim.StartURL, parsed.Aim.Variables, parsed.Aim.Locations}, nil
}

// startBatch starts the tests of an arm.
func (r *Runs) startBatch(ctx context.Context, key batchKey, tests []batchTest, limit time.Duration) error {
	doing := "start the synthetic tests of the " + string(key.arm)
	b := &batch{tests: tests, deadline: key.step.Add(limit), lost: map[string]bool{}}
	request := batchRequest{Tests: tests}
	request.Options.Timeout = max(limit, time.Second).Milliseconds()
	body, failure := r.api.Call(ctx, doing, http.MethodPost, "/api/v1/synthetics/tests/trigger/ci", nil, &request)
	if failure != nil {
		return api.CureForbidden(api.CureNotFound(failure, "the public id of each test"), "permissions synthetics_read and synthetics_write, for these tests too")
	}
	var err error
	if b.id, err = readStarted(body, b.tests); err != nil {
		return r.api.Misread(doing, err)
	}
	r.batches.mutex.Lock()
	defer r.batches.mutex.Unlock()
	if r.batches.started == nil {
		r.batches.started = map[batchKey]*batch{}
	}
	r.batches.started[key] = b
	return nil
}

// readStarted reads the id of a batch that was started.
func readStarted(body []byte, tests []batchTest) (string, error) {
	var a struct {
		BatchID   *string   `json:"batch_id"`
		Triggered *[]string `json:"triggered_check_ids"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return "", fmt.Errorf("not JSON as the synthetics API answers it: %w: %s", err, body)
	}
	if a.BatchID == nil || *a.BatchID == "" {
		return "", fmt.Errorf("the answer has no batch_id: %s", body)
	}
	if a.Triggered != nil {
		for _, test := range tests {
			if !slices.Contains(*a.Triggered, test.PublicID) {
				return "", fmt.Errorf("the test %s is not among those that were started: %s", test.PublicID, body)
			}
		}
	}
	return *a.BatchID, nil
}

// countStarted answers a query for runs that were started. A step for which none were, or
// whose runs did not end in time, has no point.
func (r *Runs) countStarted(ctx context.Context, q providers.Query, runs runsQuery, into *providers.Answer) error {
	if _, err := r.aimed(ctx, q); err != nil {
		var e *web.Error
		if errors.As(err, &e) && e.Class == web.BadQuery {
			into.Err = err
			return nil
		}
		return err
	}
	r.batches.mutex.Lock()
	defer r.batches.mutex.Unlock()
	s := analysis.Series{Step: q.Step}
	for at := q.Start.UTC(); at.Before(q.End); at = at.Add(q.Step) {
		b := r.batches.started[batchKey{q.Arm, at}]
		if b == nil {
			continue
		}
		if !b.over {
			if err := r.settle(ctx, b); err != nil {
				return err
			}
		}
		count, ran := b.count(runs)
		r.noteBatch(q, runs, at, b)
		if ran {
			s.Points = append(s.Points, analysis.ValuePoint(at, count))
		}
	}
	if len(s.Points) > 0 {
		into.Series = []analysis.Series{s}
	}
	return nil
}

// count returns how many of a test's runs a query counts, and whether there were any.
func (b *batch) count(r runsQuery) (count float64, ran bool) {
	for _, run := range b.runs {
		if run.test != r.Test {
			continue
		}
		ran = true
		if r.counted == "runs" || run.passed == (r.counted == "passed") {
			count++
		}
	}
	return count, ran
}

// settle asks how a batch goes. One that is under way after its deadline is given up:
// those of its runs that ended may have done so because they passed.
func (r *Runs) settle(ctx context.Context, b *batch) error {
	doing := "read the batch " + r.api.Quote(b.id) + " of synthetic tests"
	body, status, failure := r.api.Send(ctx, doing, http.MethodGet, "/api/v1/synthetics/ci/batch/"+url.PathEscape(b.id), nil, nil)
	state := stillRunning // one that has just been started may not be found yet
	switch {
	case failure != nil:
		return failure
	case status == http.StatusNotFound:
	case status/100 != 2:
		return api.CureForbidden(r.api.Refused(doing, status, body), "permission synthetics_read")
	default:
		var err error
		if state, err = readBatch(body, b.tests); err != nil {
			return r.api.Misread(doing, err)
		}
	}
	if state.running {
		if !time.Now().Before(b.deadline) {
			b.over = true
			for _, test := range b.tests {
				b.lost[test.PublicID] = true
			}
		}
		return nil
	}
	unhealthy, err := r.unhealthy(ctx, state.runs)
	if err != nil {
		return err
	}
	b.over, b.lost = true, state.lost
	b.runs = slices.DeleteFunc(state.runs, func(r batchRun) bool { return state.lost[r.test] || unhealthy[r.id] })
	return nil
}
