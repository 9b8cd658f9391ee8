// Package datadog fetches series from Datadog, and what else a run can ask it or tell it. It is
// the front of the packages below it, a room for each family of what Datadog does:
//
//   - timeseries: metrics, events and statistics of APM, by the v2 timeseries endpoint, all
//     queries of a look in one request
//   - slo: the events of SLOs, which become queries for metrics before anything is sent
//   - synthetics: the runs of synthetic tests, those that run by themselves and those that
//     this job starts
//   - guards: monitors, and new issues of Error Tracking
//   - tell: what Datadog is told of a run: events, a mark in DORA metrics, a notebook
//
// They share two: api, how anything is asked, with the keys and the errors; and query, the
// languages of queries, as text. No family imports another.
//
// datadog.go shares a look's queries out among the families, dialect.go their checks, and
// type.go has the presets. What each package does inside is in its own doc comment:
//
//	go doc ./providers/datadog/internal/guards
package datadog
