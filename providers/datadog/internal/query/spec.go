package query

import (
	"fmt"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
)

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

	GroupBy any `json:"group_by,omitempty"` // facets of events, names of tags of APM
}

// facet is what events are grouped by.
type facet struct {
	Facet string `json:"facet"`
	Limit int    `json:"limit"`
	Sort  sort   `json:"sort"`
}

type sort struct {
	Aggregation string `json:"aggregation"`
	Order       string `json:"order"`
}

// mostGroups is how many groups of events are asked for; the API gives 10 unless it is told.
const mostGroups = 1000

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
	before, tag := undivided(q.Expr)
	switch LanguageOf(q.Expr) {
	case APM:
		if a, err := ParseAPM(before); err == nil {
			s := a.spec(name)
			s.divide(APM, tag)
			return s
		}
	case Events:
		if e, err := ParseEvents(before); err == nil {
			s := Spec{
				Name: name, DataSource: e.Source, Search: &Search{e.Search}, Indexes: e.Indexes,
				Compute: &Compute{e.aggregation, e.measure, q.Step.Milliseconds()},
			}
			s.divide(Events, tag)
			return s
		}
	}
	return Spec{Name: name, DataSource: "metrics", Query: q.Expr}
}

// divide asks for a group for each value of a tag, "" for none.
func (s *Spec) divide(l Language, tag string) {
	switch {
	case tag == "":
	case l == APM:
		s.GroupBy = []string{tag}
	default:
		s.GroupBy = []facet{{tag, mostGroups, sort{"count", "desc"}}}
	}
}

// Grouped returns what asks for a query's parts by the values of a tag, each under a name of its own that
// begins with the one given: of a formula each metric by itself.
func Grouped(name string, q providers.Query, tag string) ([]Spec, error) {
	if !IsTag(tag + ":x") {
		return nil, fmt.Errorf("%q is no name of a tag", tag)
	}
	spec := SpecOf(name, q)
	switch LanguageOf(q.Expr) {
	case APM, Events:
		spec.divide(LanguageOf(q.Expr), tag)
		return []Spec{spec}, nil
	case Metrics:
		parts, err := MetricQueries(q.Expr, q.Part != providers.Value)
		if err != nil {
			return nil, err
		}
		var all []Spec
		for i, part := range parts {
			text := part.name() + "{" + part.Scope + "} by {" + tag + "}"
			if part.asCount {
				text += ".as_count()"
			}
			all = append(all, Spec{Name: fmt.Sprint(name, "part", i), DataSource: spec.DataSource, Query: text})
		}
		return all, nil
	}
	return nil, fmt.Errorf("%s has no segments", strings.TrimSpace(q.Expr))
}
