package timeseries

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
	"github.com/canary-judge/canary-judge/web"
)

// metadata is what Datadog knows about a metric.
type metadata struct {
	known bool
	kind  string   // count, rate, gauge or distribution
	tags  []string // as key:value, of the last four hours
	// unindexed are tags that come in with the metric and cannot be queried.
	unindexed []string
}

// Explain says why nothing matches a query, by
// https://docs.datadoghq.com/api/latest/metrics/#get-metric-metadata,
// https://docs.datadoghq.com/api/latest/metrics/#list-tags-by-metric-name and
// https://docs.datadoghq.com/api/latest/metrics/#list-tag-configuration-by-name
//
// It names tags in the server's words, which may repeat the request's headers.
func (f *Fetcher) Explain(ctx context.Context, q providers.Query) (string, error) {
	switch query.LanguageOf(q.Expr) {
	case query.APM:
		return f.explainAPM(ctx, q)
	case query.Events:
		return f.explainEvents(ctx, q)
	}
	parts, err := query.MetricQueries(q.Expr, q.Part != providers.Value)
	if err != nil {
		return "the query is not understood, " + err.Error(), nil
	}
	for _, part := range parts {
		why, err := f.explainMetric(ctx, part.Aggregator, part.Metric, part.Scope)
		if why != "" || err != nil {
			return why, err
		}
	}
	for _, part := range parts {
		if why := contradiction(query.Words(part.Scope)); why != "" {
			return why, nil
		}
	}
	if q.Part == providers.Bad {
		return "no bad events in these steps, or no traffic: the metric and its tags are there", nil
	}
	return "no traffic in these steps: the metric and each of its tags are there, if not all of them together", nil
}

// explainMetric says what is wrong with a metric and its scope, "" for nothing.
func (f *Fetcher) explainMetric(ctx context.Context, aggregation, name, scope string) (string, error) {
	m, err := f.metadata(ctx, name)
	if err != nil {
		return "", err
	}
	switch {
	case !m.known:
		return fmt.Sprintf("unknown metric: Datadog has never had %s; check its spelling, and the operation in it (the errors of a trace come into being with the first one)", name), nil
	case len(m.tags) == 0:
		return fmt.Sprintf("no traffic: %s is known, but nothing sent it in the last 4 hours", name), nil
	}
	if why := missingTag(name, query.Words(scope), m); why != "" {
		return why, nil
	}
	if strings.HasPrefix(aggregation, "p") || strings.HasPrefix(aggregation, "count(") {
		return f.explainPercentiles(ctx, name, m.kind)
	}
	return "", nil
}

// missingTag names the first tag that a scope asks for and the metric does not have.
func missingTag(name string, scope []string, m metadata) string {
	values := map[string][]string{}
	for _, tag := range m.tags {
		key, value, _ := strings.Cut(tag, ":")
		values[key] = append(values[key], value)
	}
	for i, w := range scope {
		key, value, ok := strings.Cut(w, ":")
		if !ok || strings.HasPrefix(w, "!") || strings.Contains(value, "*") || i > 0 && strings.EqualFold(scope[i-1], "NOT") {
			continue
		}
		key, value = strings.ToLower(key), strings.ToLower(value)
		hidden := slices.ContainsFunc(m.unindexed, func(tag string) bool { return tag == key || strings.HasPrefix(tag, key+":") })
		switch {
		case values[key] == nil && hidden:
			return fmt.Sprintf("tag not on this metric: %s comes in with the tag %s, but it is not indexed; add it to the metric's tags in Datadog's metrics summary", name, key)
		case values[key] == nil:
			return fmt.Sprintf("tag not on this metric: %s has no tag %s; it has %s", name, key, few(slices.Sorted(maps.Keys(values))))
		case !slices.Contains(values[key], value):
			return fmt.Sprintf("unknown tag value: %s has had no %s:%s in the last 4 hours; it has had %s", name, key, value, few(slices.Sorted(slices.Values(values[key]))))
		}
	}
	return ""
}

// contradiction names two tags of a scope of which what is measured may have only one.
func contradiction(scope []string) string {
	if slices.ContainsFunc(scope, func(w string) bool { return slices.Contains([]string{"OR", "NOT", "IN", "("}, strings.ToUpper(w)) }) {
		return ""
	}
	first := map[string]string{}
	for _, w := range scope {
		key, _, ok := strings.Cut(w, ":")
		if !ok || strings.HasPrefix(w, "!") || strings.Contains(w, "*") {
			continue
		}
		if other := first[key]; other != "" && other != w {
			return fmt.Sprintf("no traffic with %s and %s: the query asks for both at once; does it fix a label of the arm?", other, w)
		}
		first[key] = w
	}
	return ""
}

// few lists the first of some words.
func few(all []string) string {
	const enough = 8
	if len(all) > enough {
		return strings.Join(all[:enough], ", ") + fmt.Sprintf(" and %d more", len(all)-enough)
	}
	return strings.Join(all, ", ")
}

// explainPercentiles says why a metric has no percentiles, "" if it has.
func (f *Fetcher) explainPercentiles(ctx context.Context, name, kind string) (string, error) {
	if kind != "" && kind != "distribution" {
		return fmt.Sprintf("percentiles are off: %s is a %s, and only distributions have them", name, kind), nil
	}
	var said struct {
		Data struct {
			Attributes struct {
				Percentiles *bool `json:"include_percentiles"`
			}
		}
	}
	found, err := f.get(ctx, "/api/v2/metrics/"+name+"/tags", &said)
	if err != nil {
		return "", err
	}
	if on := said.Data.Attributes.Percentiles; found && on != nil && !*on {
		return fmt.Sprintf("percentiles are off: switch them on for %s in Datadog's metrics summary", name), nil
	}
	return "", nil
}

// metadata asks what is known about a metric.
func (f *Fetcher) metadata(ctx context.Context, name string) (metadata, error) {
	var m metadata
	var basic struct{ Type string }
	var err error
	if m.known, err = f.get(ctx, "/api/v1/metrics/"+name, &basic); err != nil || !m.known {
		return m, err
	}
	m.kind = basic.Type
	var said struct {
		Data struct {
			Attributes struct {
				Tags     []string
				Ingested []string `json:"ingested_tags"`
			}
		}
	}
	if _, err = f.get(ctx, "/api/v2/metrics/"+name+"/all-tags", &said); err != nil {
		return m, err
	}
	m.tags, m.unindexed = said.Data.Attributes.Tags, said.Data.Attributes.Ingested
	return m, nil
}

// get asks a route about a metric. It reports whether there is such a thing.
func (f *Fetcher) get(ctx context.Context, path string, into any) (bool, error) {
	doing := "ask " + f.api.Host() + " about the metric"
	text, status, err := f.api.Send(ctx, doing, http.MethodGet, path, nil, nil)
	switch {
	case err != nil:
		return false, err
	case status == http.StatusNotFound:
		return false, nil
	case status/100 != 2:
		e := f.api.Refused(doing, status, text)
		if status == http.StatusForbidden {
			e.Cure = "give the application key the permission metrics_read to find out"
		}
		return false, e
	}
	if err := json.Unmarshal(text, into); err != nil {
		return false, &web.Error{
			Class: web.Shape, Provider: api.Name, Doing: doing,
			Detail: f.api.Quote(fmt.Sprintf("not JSON as the API answers it: %v: %s", err, text)),
		}
	}
	return true, nil
}
