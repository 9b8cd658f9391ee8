package prometheus

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/VictoriaMetrics/metricsql"

	"github.com/canary-judge/canary-judge/providers"
)

// prelude gives the parser, which knows MetricsQL's functions and so nearly all of
// Prometheus's, what it lacks: functions that say as much of what they take. Those of
// https://prometheus.io/docs/prometheus/latest/querying/functions/ that are experimental
// are not among them.
const prelude = "WITH (histogram_count(h) = abs(h), histogram_sum(h) = histogram_avg(h)) "

// parse reads a query in PromQL or MetricsQL, which contains it. Its error says where
// the query ends to make sense.
func parse(expr string) (metricsql.Expr, error) {
	if strings.TrimSpace(expr) == "" {
		return nil, errors.New("the query is empty")
	}
	if err := checkExpansion(expr); err != nil {
		return nil, err
	}
	e, err := metricsql.Parse(prelude + expr)
	if err == nil {
		return e, nil
	}
	text := err.Error()
	if name, ok := quoted(unsupported, text); ok {
		call := regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\s*\(`).FindStringIndex(expr)
		if call == nil {
			return nil, fmt.Errorf("there is no function %s", name)
		}
		return nil, &providers.SyntaxError{At: call[0], What: "there is no function " + name}
	}
	if rest, ok := quoted(endless, text); ok {
		return nil, &providers.SyntaxError{At: len(expr) - len(rest), What: "the string has no end"}
	}
	rest, ok := quoted(unparsed, text)
	if !ok || len(rest) > len(expr) {
		return nil, errors.New(strings.TrimPrefix(text, "cannot expand WITH expressions: "))
	}
	what := strings.Replace(unexpected.FindString(text), `unexpected token ""`, "the query ends too early", 1)
	if what == "" {
		what = "unexpected " + first(rest)
	}
	return nil, &providers.SyntaxError{At: len(expr) - len(rest), What: what}
}

// The words of the parser's errors.
var (
	unsupported = regexp.MustCompile(`unsupported function ("(?:[^"\\]|\\.)*")`)
	endless     = regexp.MustCompile(`(?:for the string|end of string in) ("(?:[^"\\]|\\.)*")`)
	unparsed    = regexp.MustCompile(`unparsed data(?: left)?: ("(?:[^"\\]|\\.)*")$`)
	unexpected  = regexp.MustCompile(`unexpected token "(?:[^"\\]|\\.)*"(?:; want [^;]*)?`)
)

// quoted returns the text in the quotes that a pattern finds, and whether it does.
func quoted(pattern *regexp.Regexp, text string) (string, bool) {
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	inside, err := strconv.Unquote(m[1])
	return inside, err == nil
}

// first returns the first word of a text, quoted.
func first(text string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return strconv.Quote(word)
}

// written returns a part of a query as it can be written, cut where it is long.
func written(e metricsql.Expr) string {
	const longest = 60
	text := []rune(string(e.AppendString(nil)))
	if len(text) > longest {
		return string(text[:longest]) + "…"
	}
	return string(text)
}

// selector is a place of a query that selects series.
type selector struct {
	name    string // of the metric, "" where it is not one
	filters []metricsql.LabelFilter
	text    string // filters in one order
	picks   string // text without what is ruled out, "" where nothing is
}

func newSelector(e *metricsql.MetricExpr) selector {
	var s selector
	var groups, picks []string
	for i, group := range e.LabelFilterss {
		var texts, picked []string
		name := ""
		for _, f := range group {
			if f.Label == "__name__" && !f.IsNegative && !f.IsRegexp {
				if name = f.Value; bare(name) {
					continue
				}
			}
			texts = append(texts, string(f.AppendString(nil)))
			if !f.IsNegative {
				picked = append(picked, texts[len(texts)-1])
			}
			s.filters = append(s.filters, f)
		}
		if i == 0 {
			s.name = name
		}
		groups, picks = append(groups, listed(texts)), append(picks, listed(picked))
	}
	if bare(s.name) {
		s.text, s.picks = s.name, s.name
	}
	if inside := strings.Join(groups, " or "); inside != "" || s.name == "" {
		s.text += "{" + inside + "}"
		s.picks += "{" + strings.Join(picks, " or ") + "}"
	}
	if s.picks == s.text {
		s.picks = ""
	}
	return s
}

// bare reports whether the name of a metric is read as that where it stands alone; others, such as 0
// and inf, are written as a label.
func bare(name string) bool {
	e, err := metricsql.Parse(name)
	m, ok := e.(*metricsql.MetricExpr)
	return err == nil && ok && len(m.LabelFilterss) == 1 && len(m.LabelFilterss[0]) == 1 && m.LabelFilterss[0][0].Value == name
}

// listed writes filters in one order.
func listed(filters []string) string {
	slices.Sort(filters)
	return strings.Join(slices.Compact(filters), ",")
}

// vouchedBy reports whether another selector, where it finds anything, shows that this
// one is right and merely finds nothing now: it reads the same metric, which has all of
// the labels that are asked for.
func (s selector) vouchedBy(other selector) bool {
	return s.name != "" && s.name == other.name && !slices.ContainsFunc(s.filters, func(f metricsql.LabelFilter) bool {
		return !slices.ContainsFunc(other.filters, func(g metricsql.LabelFilter) bool { return g.Label == f.Label })
	})
}
