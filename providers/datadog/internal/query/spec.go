package query

import "github.com/canary-judge/canary-judge/providers"

// Spec is a query as the API takes it, under a name by which formulas call it: for a metric,
// for events, or for a statistic of APM.
// https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-data-across-multiple-products
type Spec struct {
	Name       string   `json:"name"`
	DataSource string   `json:"data_source"`
	Query      string   `json:"query,omitempty"` // of a metric
	Search     *Search  `json:"search,omitempty"`
	Indexes    []string `json:"indexes,omitempty"` // none = all
	Compute    *Compute `json:"compute,omitempty"`

	Stat          string `json:"stat,omitempty"` // of APM, with what follows
	Service       string `json:"service,omitempty"`
	OperationName string `json:"operation_name,omitempty"`
	ResourceName  string `json:"resource_name,omitempty"`
	SpanKind      string `json:"span_kind,omitempty"`
	QueryFilter   string `json:"query_filter,omitempty"`
}

// Search selects events, in the syntax of their explorer.
type Search struct {
	Query string `json:"query"`
}

// Compute is how events become a number.
type Compute struct {
	Aggregation string `json:"aggregation"`
	Metric      string `json:"metric,omitempty"`
	Interval    int64  `json:"interval"` // milliseconds
}

// SpecOf returns what a query asks for, by a name. What CheckSyntax refuses is taken for a
// query of metrics, whose fault the API finds.
func SpecOf(name string, q providers.Query) Spec {
	switch LanguageOf(q.Expr) {
	case APM:
		if a, err := ParseAPM(q.Expr); err == nil {
			return a.spec(name)
		}
	case Events:
		if e, err := ParseEvents(q.Expr); err == nil {
			return Spec{
				Name: name, DataSource: e.Source, Search: &Search{e.Search}, Indexes: e.Indexes,
				Compute: &Compute{e.aggregation, e.measure, q.Step.Milliseconds()},
			}
		}
	}
	return Spec{Name: name, DataSource: "metrics", Query: q.Expr}
}
