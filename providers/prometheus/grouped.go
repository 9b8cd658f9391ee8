package prometheus

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// aggregations are the operators that leave no label but those they are told to keep:
// https://prometheus.io/docs/prometheus/latest/querying/operators/#aggregation-operators
// and https://docs.victoriametrics.com/victoriametrics/metricsql/#aggregate-functions
var aggregations = words(`sum min max avg group stddev stdvar count count_values bottomk topk quantile limitk limit_ratio
	any bottomk_avg bottomk_last bottomk_max bottomk_median bottomk_min distinct geomean histogram mad median mode outliers_iqr
	outliers_mad outliersk quantiles share sum2 topk_avg topk_last topk_max topk_median topk_min zscore`)

// words makes a set of the words of a text.
func words(text string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(text) {
		all[w] = true
	}
	return all
}

// token is what a query is made of, as far as grouping it asks: a string, a comment, a filter in braces, a
// range in brackets, a word, or any other sign.
var token = regexp.MustCompile("(?s)^(?:\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`[^`]*`|#[^\n]*|\\s+|[A-Za-z_:][A-Za-z0-9_:.]*|.)")

// tokens divides a query.
func tokens(expr string) []string {
	var all []string
	for expr != "" {
		t := token.FindString(expr)
		all, expr = append(all, t), expr[len(t):]
	}
	return all
}

// grouped returns a query with a series for each value of a label (providers.Type): every aggregation keeps
// the label, and what is matched by labels is matched by this one too. The query is changed where it says so, and
// nowhere else.
func grouped(expr, label string) (string, error) {
	if !labelName.MatchString(label) {
		return "", fmt.Errorf("%q is no name of a label", label)
	}
	g := &grouping{tokens: tokens(expr), label: label}
	if err := g.change(); err != nil {
		return "", err
	}
	text := strings.Join(g.tokens, "")
	_, err := parse(text)
	return text, err
}

// grouping changes the tokens of a query in place: what is added to one is written into it.
type grouping struct {
	tokens []string
	label  string
}

func (g *grouping) change() error {
	for i := 0; i < len(g.tokens); i++ {
		word := strings.ToLower(g.tokens[i])
		next := g.next(i + 1)
		switch {
		case word == "{":
			i = g.end(i) // of a filter, which has words of its own
		case g.sign(next) == "(" && (word == "scalar" || word == "absent" || word == "absent_over_time"):
			return fmt.Errorf("%s(…) has no label %s", word, g.label)
		case word == "on" && g.sign(next) == "(":
			g.keep(next)
		case word == "ignoring" && g.sign(next) == "(":
			if g.lists(next) {
				return fmt.Errorf("ignoring(%s) matches what differs by it", g.label)
			}
		case aggregations[word] && g.grouper(next):
			if err := g.aggregate(next); err != nil {
				return err
			}
			i = g.end(g.next(next + 1))
		case aggregations[word] && g.sign(next) == "(":
			after := g.next(g.end(next) + 1)
			if !g.grouper(after) {
				g.tokens[i] += " by (" + g.label + ") "
				continue
			}
			if err := g.aggregate(after); err != nil {
				return err
			}
		}
	}
	return nil
}

// aggregate has an aggregation, whose by or without stands at a place, keep the label.
func (g *grouping) aggregate(at int) error {
	list := g.next(at + 1)
	switch {
	case g.sign(list) != "(":
	case strings.EqualFold(g.tokens[at], "by"):
		g.keep(list)
	case g.lists(list):
		return fmt.Errorf("without (%s) takes that label away", g.label)
	}
	return nil
}

// grouper reports whether by or without stands at a place.
func (g *grouping) grouper(at int) bool {
	word := strings.ToLower(g.sign(at))
	return word == "by" || word == "without"
}

// keep adds the label to the list that begins at a place.
func (g *grouping) keep(list int) {
	switch end := g.end(list); {
	case g.lists(list) || end == list:
	case g.next(list+1) == end:
		g.tokens[list] += g.label
	default:
		g.tokens[list] += g.label + ", "
	}
}

// lists reports whether the list that begins at a place has the label.
func (g *grouping) lists(list int) bool {
	return slices.ContainsFunc(g.tokens[list:g.end(list)], func(t string) bool { return strings.Trim(t, "\"'`") == g.label })
}

// next returns the place of the next token that says something, from one on.
func (g *grouping) next(at int) int {
	for at < len(g.tokens) && (strings.TrimSpace(g.tokens[at]) == "" || strings.HasPrefix(g.tokens[at], "#")) {
		at++
	}
	return at
}

// sign returns the token at a place, "" behind the end.
func (g *grouping) sign(at int) string {
	if at >= len(g.tokens) {
		return ""
	}
	return g.tokens[at]
}

// end returns the place of what closes the parenthesis or brace at a place; of none the place itself.
func (g *grouping) end(at int) int {
	depth := 0
	for i := at; i < len(g.tokens); i++ {
		switch g.tokens[i][:1] {
		case "(", "{":
			depth++
		case ")", "}":
			if depth--; depth <= 0 {
				return i
			}
		}
	}
	return at
}
