// Package datadog fetches series from Datadog's v2 timeseries endpoint, and counts
// the runs of its synthetic tests.
//
// All metric queries of a look travel in one request, as far as they share a window
// and a step, those of SLOs among them; the runs of a test take a request or two. The
// official client's core does authentication, sites and transport; the request and the
// answer are a handful of types of our own, because the generated ones take minutes and
// gigabytes to compile and turn what they do not understand into zeros without an error.
//
// # Where things are
//
// Metrics: datadog.go and timeseries.go, in one request a look; call.go is how any request
// is sent; metricquery.go reads their queries. apm.go has statistics of APM by the data
// source apm_metrics, in the same request.
//
// Events: events.go, dialect.go, words.go and tagfilter.go turn the syntax of Datadog's
// monitors into requests; what is not understood is refused.
//
// SLOs: slo.go and sli.go. A query for one becomes those of the SLO, narrowed to the arm,
// before anything is sent; what comes back is added up. Formulas are solved for bad events by
// cancelling equal queries.
//
// Synthetic tests: runs.go and results.go read runs, from the v2 API because only it tells
// retries, runs in CI and runs under way apart. Results are read newest first until before
// the window, so that a page proves itself complete. tagged.go replaces tests by a tag by
// their ids before anything else sees them: a recording names them by ids. batch.go starts
// runs (providers.Starter), a CI batch for each arm and step; Fetch reads a batch until it is
// over or out of time, and never starts one. failed.go has the failed runs behind the
// counts, with their pages.
//
// Guards (providers.Watcher): guards.go. monitors.go is what one monitor says of a canary,
// muting.go its downtimes, monitorset.go what all that a search finds say, found once for
// all looks. newerrors.go is issues of Error Tracking that came with the canary, read by
// issues.go.
//
// What Datadog is told: announce.go, a run's start and verdict as events, whose texts are
// untrusted, so that no mention in them notifies anyone; dora.go, a failed canary's
// deployment as a change failure; notebook.go, a notebook of a run, the one page that is sure
// to show a metric's query.
//
// Beside these: diagnose.go says why nothing matched, limit.go what is left of the rate
// limit, whole.go whether an answer is all there is, and link.go has the pages of the
// application that show a query, where their address is known.
package datadog
