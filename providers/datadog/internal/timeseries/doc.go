// Package timeseries asks Datadog's query API, and reads what it answers: series of metrics,
// of events and of statistics of APM.
//
// All queries of a look travel in one request, as far as they share a window and a step
// (fetch.go). When the API refuses it without saying which query it means, the halves are
// tried until the faulty ones stand alone. answer.go is the request and the answer; what it
// does not understand is an error, since a half-read answer would be missing data that nobody
// sees. diagnose.go says why nothing matched a query, and page.go which page of the
// application shows the events behind one, where its address is known.
package timeseries
