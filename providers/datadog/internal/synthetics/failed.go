package synthetics

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/canary-judge/canary-judge/providers"
)

// mostFailedRuns bounds the failed runs that are remembered.
const mostFailedRuns = 1000

// failedRun tells runs apart: what is fetched again is not another one.
type failedRun struct {
	providers.Key
	id string
}

// failedRuns are the failed runs behind what was counted.
type failedRuns struct {
	mutex sync.Mutex
	seen  map[failedRun]providers.FailedRun
}

// add remembers a failed run.
func (f *failedRuns) add(key failedRun, run providers.FailedRun) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.seen == nil {
		f.seen = map[failedRun]providers.FailedRun{}
	}
	if _, known := f.seen[key]; !known && len(f.seen) >= mostFailedRuns {
		delete(f.seen, slices.MinFunc(slices.Collect(maps.Keys(f.seen)), func(a, b failedRun) int { return f.seen[a].Time.Compare(f.seen[b].Time) }))
	}
	f.seen[key] = run
}

// FailedRuns implements providers.FailedRunLister.
func (r *Runs) FailedRuns() []providers.FailedRun {
	r.failed.mutex.Lock()
	defer r.failed.mutex.Unlock()
	keys := slices.SortedFunc(maps.Keys(r.failed.seen), func(a, b failedRun) int {
		return cmp.Or(r.failed.seen[a].Time.Compare(r.failed.seen[b].Time), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Arm, b.Arm), cmp.Compare(a.id, b.id))
	})
	var all []providers.FailedRun
	for _, key := range keys {
		all = append(all, r.failed.seen[key])
	}
	return all
}

// noteFailed remembers the failed trials that a query counted.
func (r *Runs) noteFailed(q providers.Query, runs runsQuery, trials []trial) {
	if q.Part != providers.Bad {
		return
	}
	for _, t := range trials {
		if !t.passed && runs.counts(q, t) {
			r.noteRun(q, t.last, t.finished, runs.Test+" failed"+from(t.location), r.runPage(runs.Test, t.last, ""))
		}
	}
}

// noteBatch remembers the failed runs of a batch that a query counted, and that it
// counted none where some did not end.
func (r *Runs) noteBatch(q providers.Query, runs runsQuery, at time.Time, b *batch) {
	if q.Part != providers.Bad {
		return
	}
	if b.lost[runs.Test] {
		r.noteRun(q, b.id, at, runs.Test+" did not end everywhere in time, and its runs of this step do not count", r.batchPage(b.id))
	}
	for _, run := range b.runs {
		if run.test == runs.Test && !run.passed {
			r.noteRun(q, run.id, at, runs.Test+" failed"+from(run.location), r.runPage(runs.Test, run.id, b.id))
		}
	}
}

func (r *Runs) noteRun(q providers.Query, id string, at time.Time, what, link string) {
	r.failed.add(failedRun{q.Key(), id}, providers.FailedRun{
		Metric: q.Metric, Arm: q.Arm, Time: at, What: r.api.Quote(what), Link: link,
	})
}

func from(location string) string {
	if location == "" {
		return ""
	}
	return " from " + location
}

// TestPage returns the page of the synthetic test whose runs a query counts, "" for a query that is
// none. Its address is in
// https://docs.datadoghq.com/continuous_testing/cicd_integrations/configuration/
func (r *Runs) TestPage(expr string) string {
	runs, err := parseRuns(expr)
	if err != nil {
		return ""
	}
	return r.api.App() + "/synthetics/details/" + url.PathEscape(runs.Test)
}

// runPage returns the page of a run, of a batch unless that is "": getResultUrl of
// https://github.com/DataDog/datadog-ci/blob/master/packages/plugin-synthetics/src/utils/public.ts
func (r *Runs) runPage(test, id, batch string) string {
	r.tests.mutex.Lock()
	kind := r.tests.known[test].kind
	r.tests.mutex.Unlock()
	page, parameters := r.api.App()+"/synthetics/details/"+test, url.Values{}
	if kind == "browser" {
		page += "/result/" + url.PathEscape(id)
	} else {
		parameters.Set("resultId", id)
	}
	if batch != "" {
		parameters.Set("batch_id", batch)
		parameters.Set("from_ci", "true")
	}
	if len(parameters) > 0 {
		page += "?" + parameters.Encode()
	}
	return page
}

// batchPage returns the page of a batch, as getBatchUrl of datadog-ci does.
func (r *Runs) batchPage(batch string) string {
	return r.api.App() + "/synthetics/explorer/ci?" + url.Values{"batchResultId": {batch}}.Encode()
}
