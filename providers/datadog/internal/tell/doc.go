// Package tell is what Datadog is told of a run: announce.go, its start and its verdict as
// events, whose texts are untrusted, so that no mention in them notifies anyone; dora.go, a
// failed canary's deployment as a change failure in DORA metrics; notebook.go, a notebook of
// a run, the one page that is sure to show a metric's query. Nothing is read back.
package tell
