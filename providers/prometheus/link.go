package prometheus

import (
	"fmt"
	"net/url"

	"github.com/canary-judge/canary-judge/providers"
)

// Link implements providers.Linker: the page of Prometheus that draws the query, at the
// ends of its steps, where it was evaluated. What speaks Prometheus's API need not have
// that page. Its parameters are those of the page's own address:
// https://github.com/prometheus/prometheus/blob/v2.42.0/web/ui/react-app/src/utils/index.ts
func (p *Provider) Link(q providers.Query) string {
	parameters := url.Values{
		"g0.expr":        {q.Expr},
		"g0.tab":         {"0"}, // the graph
		"g0.range_input": {fmt.Sprintf("%ds", int(q.End.Sub(q.Start).Seconds()))},
		"g0.end_input":   {q.End.UTC().Format("2006-01-02 15:04:05")},
		"g0.step_input":  {fmt.Sprint(int(max(1, q.Step.Seconds())))},
	}
	page := *p.base
	page.RawQuery, page.Fragment = parameters.Encode(), ""
	return page.JoinPath("graph").String()
}
