// Package query is what Datadog can be asked, as text: the languages of its queries, read
// strictly, and how the labels of an arm are written into them. Nothing here sends anything.
//
// language.go tells the languages apart. Metrics: metricparser.go takes a formula apart,
// metricfunctions.go says which functions leave data as they are, metriccheck.go what a
// formula counts or measures. Events: events.go, in the syntax of Datadog's monitors. APM:
// apm.go, in the same style. What is not understood is refused: a part that is dropped would
// be a filter that nobody misses.
//
// dialect.go writes an arm's labels into a query, where that can be done without changing
// what the rest means. words.go splits any filter into words, narrow.go adds tags to the scope
// of a metric, and tagfilter.go says whether a filter of tags, read by tagparser.go, holds of a
// thing of which some tags are known. spec.go is a query as the API takes it.
package query
