package timeseries

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
)

// explainEvents looks for a word of the search that matches nothing by itself, in
// one request.
func (f *Fetcher) explainEvents(ctx context.Context, q providers.Query) (string, error) {
	e, err := query.ParseEvents(q.Expr)
	if err != nil {
		return "", err
	}
	terms := append([]string{"*"}, lonelyTerms(query.Words(e.Search))...)
	queries := make([]providers.Query, len(terms))
	for i, term := range terms {
		queries[i] = q
		queries[i].Expr = e.Source + "(" + query.QuoteText(term) + ")"
		if e.Indexes != nil {
			var indexes []string
			for _, index := range e.Indexes {
				indexes = append(indexes, query.QuoteText(index))
			}
			queries[i].Expr += ".index(" + strings.Join(indexes, ", ") + ")"
		}
		queries[i].Expr += `.rollup("count")`
	}
	answers, err := f.Fetch(ctx, queries)
	if err != nil {
		return "", err
	}
	for i, a := range answers {
		switch {
		case a.Err != nil:
			return "", a.Err
		case len(a.Series) == 0 && i == 0:
			return fmt.Sprintf("no events at all: %s has none in these steps%s", e.Source, inIndexes(e.Indexes)), nil
		case len(a.Series) == 0:
			return fmt.Sprintf("nothing matches %s: no event of %s has it in these steps%s", terms[i], e.Source, inIndexes(e.Indexes)), nil
		}
	}
	return "no traffic in these steps: each word of the search matches some events, all of them together none", nil
}

func inIndexes(indexes []string) string {
	if indexes == nil {
		return ""
	}
	return " (index " + strings.Join(indexes, ", ") + ")"
}

// lonelyTerms are the words of a search that each event must match by itself.
func lonelyTerms(all []string) []string {
	if slices.ContainsFunc(all, func(w string) bool { return w == "OR" }) && !slices.Contains(all, "(") {
		return nil
	}
	var terms []string
	depth := 0
	for i, w := range all {
		switch {
		case w == "(":
			depth++
		case w == ")":
			depth--
		case depth > 0 || w == "AND" || w == "OR" || w == "NOT" || w == "*" || strings.HasPrefix(w, "-") || strings.HasSuffix(w, ":"):
		case i > 0 && all[i-1] == "NOT", i > 0 && all[i-1] == "OR", i+1 < len(all) && all[i+1] == "OR":
		default:
			terms = append(terms, w)
		}
	}
	return terms
}

// explainAPM looks for a word that matches nothing beside the service, in one request.
func (f *Fetcher) explainAPM(ctx context.Context, q providers.Query) (string, error) {
	a, err := query.ParseAPM(q.Expr)
	if err != nil {
		return "", err
	}
	terms := []string{""}
	for _, tag := range a.Filter {
		if !strings.HasPrefix(tag, "NOT ") {
			terms = append(terms, tag)
		}
	}
	queries := make([]providers.Query, len(terms))
	for i, term := range terms {
		of := "service:" + a.Service
		if a.Operation != "" {
			of += " operation_name:" + a.Operation
		}
		queries[i] = q
		queries[i].Expr = query.APMCall + "(" + query.QuoteText(strings.TrimSpace(of+" "+term)) + `).stat("hits")`
	}
	answers, err := f.Fetch(ctx, queries)
	if err != nil {
		return "", err
	}
	for i, answer := range answers {
		switch {
		case answer.Err != nil:
			return "", answer.Err
		case len(answer.Series) == 0 && i == 0 && a.Operation != "":
			return fmt.Sprintf("no traffic at all: the service %s has no traces of the operation %s in these steps; check both, or leave out operation_name for its primary one", a.Service, a.Operation), nil
		case len(answer.Series) == 0 && i == 0:
			return fmt.Sprintf("no traffic at all: the service %s has no traces of its primary operation in these steps; check its name", a.Service), nil
		case len(answer.Series) == 0:
			return fmt.Sprintf("nothing matches %s: no trace of the service %s has it in these steps", terms[i], a.Service), nil
		}
	}
	if strings.HasPrefix(a.Stat, "error") {
		return "no errors in these steps, or no traffic: each word matches some traces of the service", nil
	}
	return "no traffic in these steps: each word matches some traces of the service, all of them together none", nil
}
