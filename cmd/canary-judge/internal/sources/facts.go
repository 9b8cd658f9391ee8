package sources

import (
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
)

// Links returns where the queries of a window are to be seen.
func (s Sources) Links(w report.Window) []report.Link {
	var all []report.Link
	for _, name := range s.names() {
		for _, q := range job.Queries(s.Config, w.Start, w.End)[name] {
			part := string(q.Part)
			if q.Complement {
				part = "good"
			}
			if address := providers.Link(s.Providers[name], q); address != "" && q.Start.Before(q.End) {
				all = append(all, report.Link{Metric: q.Metric, Part: part, Arm: string(q.Arm), URL: address})
			}
		}
	}
	return all
}

// RateLimits returns what the sources tell of their limits on requests.
func (s Sources) RateLimits() []report.RateLimit {
	var all []report.RateLimit
	for _, name := range s.names() {
		if l := providers.RateLimitOf(s.Providers[name]); l != (providers.RateLimit{}) {
			all = append(all, report.RateLimit{Provider: name, Said: l.Said, Near: l.Near, Refused: l.Refused})
		}
	}
	return all
}

// FailedRuns returns the failed runs of checks that the run met in the time that it judged.
func (s Sources) FailedRuns(w report.Window) []report.FailedRun {
	var all []report.FailedRun
	for _, name := range s.names() {
		for _, f := range providers.FailedRuns(s.Providers[name]) {
			if at := f.Time.Add(s.Config.Arms[f.Arm].Offset); !at.Before(w.Judged) && at.Before(w.End) {
				all = append(all, report.FailedRun{Metric: f.Metric, Arm: string(f.Arm), Time: f.Time, What: f.What, URL: f.Link})
			}
		}
	}
	return all
}
