package timeseries

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
)

// explorer is a page of the application that shows events, at PATH?query=… and with the
// names of its other parameters; times are milliseconds since the epoch.
type explorer struct {
	path, from, to string
	still          [2]string // keeps the page from following the present
}

// explorers are the pages of event sources whose addresses are known from outside.
//
// Of logs, query is in https://docs.datadoghq.com/dashboards/guide/context-links/, and
// from_ts, to_ts and live in
// https://docs.datadoghq.com/monitors/notify/variables/#dynamic-links.
//
// Of spans and RUM, query is in the links of https://docs.datadoghq.com/error_tracking/ and
// https://docs.datadoghq.com/watchdog/insights/. No page documents their times: start, end
// and paused, and from_ts, to_ts and live, are as published dashboards have them in their
// context links for these pages.
var explorers = map[string]explorer{
	"logs":  {"/logs", "from_ts", "to_ts", [2]string{"live", "false"}},
	"spans": {"/apm/traces", "start", "end", [2]string{"paused", "true"}},
	"rum":   {"/rum/sessions", "from_ts", "to_ts", [2]string{"live", "false"}},
}

// Page returns the page of the site's application that shows the events a query counts, of
// logs in all indexes; "" where none is known.
//
// Other queries have none, above all those for metrics: the address of the Metrics Explorer
// holds its state in a form that Datadog documents nowhere, and a link that shows something
// else is worse than none.
func (f *Fetcher) Page(q providers.Query) string {
	if query.LanguageOf(q.Expr) != query.Events {
		return ""
	}
	events, err := query.ParseEvents(q.Expr)
	if err != nil {
		return ""
	}
	page, known := explorers[events.Source]
	if !known {
		return ""
	}
	parameters := url.Values{
		"query":       {events.Search},
		page.from:     {strconv.FormatInt(q.Start.UnixMilli(), 10)},
		page.to:       {strconv.FormatInt(q.End.UnixMilli(), 10)},
		page.still[0]: {page.still[1]},
	}
	// The documented addresses have %20 for a space. A plus that is the query's is %2B.
	return f.api.App() + page.path + "?" + strings.ReplaceAll(parameters.Encode(), "+", "%20")
}
