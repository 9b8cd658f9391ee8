package datadog

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
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
func (p *Provider) FailedRuns() []providers.FailedRun {
	p.failed.mutex.Lock()
	defer p.failed.mutex.Unlock()
	keys := slices.SortedFunc(maps.Keys(p.failed.seen), func(a, b failedRun) int {
		return cmp.Or(p.failed.seen[a].Time.Compare(p.failed.seen[b].Time), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Arm, b.Arm), cmp.Compare(a.id, b.id))
	})
	var all []providers.FailedRun
	for _, key := range keys {
		all = append(all, p.failed.seen[key])
	}
	return all
}

// noteFailed remembers the failed trials that a query counted.
func (p *Provider) noteFailed(q providers.Query, r runsQuery, trials []trial) {
	if q.Part != providers.Bad {
		return
	}
	for _, t := range trials {
		if !t.passed && r.counts(q, t) {
			p.noteRun(q, t.last, t.finished, r.Test+" failed"+from(t.location), p.runPage(r.Test, t.last, ""))
		}
	}
}

// noteBatch remembers the failed runs of a batch that a query counted, and that it
// counted none where some did not end.
func (p *Provider) noteBatch(q providers.Query, r runsQuery, at time.Time, b *batch) {
	if q.Part != providers.Bad {
		return
	}
	if b.lost[r.Test] {
		p.noteRun(q, b.id, at, r.Test+" did not end everywhere in time, and its runs of this step do not count", p.batchPage(b.id))
	}
	for _, run := range b.runs {
		if run.test == r.Test && !run.passed {
			p.noteRun(q, run.id, at, r.Test+" failed"+from(run.location), p.runPage(r.Test, run.id, b.id))
		}
	}
}

func (p *Provider) noteRun(q providers.Query, id string, at time.Time, what, link string) {
	p.failed.add(failedRun{q.Key(), id}, providers.FailedRun{
		Metric: q.Metric, Arm: q.Arm, Time: at, What: web.Quote(what, p.secrets()...), Link: link,
	})
}

func from(location string) string {
	if location == "" {
		return ""
	}
	return " from " + location
}

// runPage returns the page of a run, of a batch unless that is "": getResultUrl of
// https://github.com/DataDog/datadog-ci/blob/master/packages/plugin-synthetics/src/utils/public.ts
func (p *Provider) runPage(test, id, batch string) string {
	p.tests.mutex.Lock()
	kind := p.tests.known[test].kind
	p.tests.mutex.Unlock()
	page, parameters := p.app()+"/synthetics/details/"+test, url.Values{}
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
func (p *Provider) batchPage(batch string) string {
	return p.app() + "/synthetics/explorer/ci?" + url.Values{"batchResultId": {batch}}.Encode()
}

var _ providers.FailedRunLister = (*Provider)(nil)
