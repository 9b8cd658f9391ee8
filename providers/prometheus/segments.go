package prometheus

import (
	"context"
	"fmt"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// Segments implements providers.SegmentFinder: it asks for the values of the label on the series that the
// queries select, and how much their counters grew.
func (p *Provider) Segments(ctx context.Context, label string, queries []providers.Query) ([]providers.Segment, error) {
	if !labelName.MatchString(label) {
		return nil, &web.Error{
			Class: web.BadQuery, Provider: Name, Doing: "look up segments",
			Err: fmt.Errorf("%s is no name of a label", web.Quote(label)), Cure: "correct each",
		}
	}
	var asked []providers.Query
	known := map[string]bool{}
	for _, q := range queries {
		found, err := lookups(q.Expr)
		if err != nil {
			return nil, &web.Error{Class: web.BadQuery, Provider: Name, Doing: "look up segments", Err: err, Cure: "correct the query"}
		}
		for _, l := range found {
			over := l.over(q.End.Sub(q.Start))
			if known[over] {
				continue
			}
			known[over] = true
			one := q
			one.Part, one.Start = providers.Value, q.End.Add(-q.Step)
			// What has one sample has not grown, and is there all the same.
			one.Expr = fmt.Sprintf("0 * count by (%s) (count_over_time(%s))", label, over)
			if l.ranged {
				one.Expr = fmt.Sprintf("sum by (%s) (increase(%s)) or %s", label, over, one.Expr)
			}
			asked = append(asked, one)
		}
	}
	answers, err := p.Fetch(ctx, asked)
	if err != nil {
		return nil, err
	}
	var series []analysis.Series
	for _, a := range answers {
		if a.Err != nil {
			return nil, a.Err
		}
		series = append(series, a.Series...)
	}
	return providers.SegmentsOf(label, series), nil
}
