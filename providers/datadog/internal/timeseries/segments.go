package timeseries

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
	"github.com/canary-judge/canary-judge/web"
)

// withoutTag is the group of what has no such tag.
const withoutTag = "n/a"

// Segments returns the values of a tag in what queries select within their window, which they share. It asks for each
// query grouped by the tag.
func (f *Fetcher) Segments(ctx context.Context, tag string, queries []providers.Query) ([]providers.Segment, error) {
	var specs []query.Spec
	known := map[string]bool{}
	for i, q := range queries {
		grouped, err := query.Grouped(fmt.Sprint("q", i), q, tag)
		if err != nil {
			return nil, &web.Error{Class: web.BadQuery, Provider: api.Name, Doing: "look up segments", Err: err, Cure: "correct the query, or write the values that are segments"}
		}
		for _, s := range grouped {
			same := s
			same.Name = ""
			if key := fmt.Sprintf("%+v", same); !known[key] {
				known[key] = true
				specs = append(specs, s)
			}
		}
	}
	var series []analysis.Series
	for len(specs) > 0 {
		n := min(len(specs), mostQueries)
		groups, err := f.grouped(ctx, queries[0], specs[:n])
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			series = append(series, g.series()...)
		}
		specs = specs[n:]
	}
	return slices.DeleteFunc(providers.SegmentsOf(tag, series), func(s providers.Segment) bool { return strings.EqualFold(s.Value, withoutTag) }), nil
}

// grouped asks for specs over a query's window.
func (f *Fetcher) grouped(ctx context.Context, q providers.Query, specs []query.Spec) ([]collector, error) {
	a := attributes{From: q.Start.UnixMilli(), To: q.End.UnixMilli(), Interval: q.Step.Milliseconds(), Queries: specs}
	for _, s := range specs {
		a.Formulas = append(a.Formulas, formula{s.Name})
	}
	collected := make([]collector, len(specs))
	body, failure := f.api.Call(ctx, "look up segments at "+f.api.Host(), http.MethodPost, "/api/v2/query/timeseries", nil, &request{requestData{Type: "timeseries_request", Attributes: a}})
	if failure != nil {
		return nil, failure
	}
	return collected, f.read(body, q.Start, q.End, q.Step, collected)
}
