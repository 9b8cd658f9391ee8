package query

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// Dialect writes labels into queries of all languages, and checks those that the query API
// takes: for metrics, for events and for statistics of APM.
type Dialect struct{}

// tagName is what a tag's name may be:
// https://docs.datadoghq.com/getting_started/tagging/#define-tags
var tagName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_.:/-]*$`)

// narrowing is what IsTag takes.
var narrowing = regexp.MustCompile(`^[^\s{}(),"'!*$\\]+:[^\s{}(),"'!*$\\]+$`)

// IsTag reports whether a text is one tag, as key:value, which narrows a scope whatever
// operators this has.
func IsTag(text string) bool { return narrowing.MatchString(text) }

// LongestTag is how many characters a tag can have, its name included; longer ones
// are cut when stored.
const LongestTag = 200

// Filter implements providers.Dialect. In the scope of a metric it is
// service:discounts,env:prod, or service:discounts AND env:prod where the scope
// has operators, which cannot be mixed with commas
// (https://docs.datadoghq.com/metrics/advanced-filtering/); in the search of events it is
// service:discounts env:prod (https://docs.datadoghq.com/logs/explorer/search_syntax/). What
// it is in the scopes of an SLO shows when this is looked up: until then it has commas. For
// APM its words must all hold.
func (d Dialect) Filter(labels []providers.Label, at providers.Around) (string, error) {
	language := LanguageOf(at.Before)
	if language != SLO && language != APM && isEvents(at.Before+at.After) {
		return searchFilter(labels, at)
	}
	tags := make([]string, len(labels))
	for i, l := range labels {
		if !tagName.MatchString(l.Name) {
			return "", fmt.Errorf("%q is no tag name", l.Name)
		}
		value, err := TagValue(l)
		if err != nil {
			return "", err
		}
		tags[i] = strings.ToLower(l.Name) + ":" + value
	}
	switch language {
	case SLO:
		return strings.Join(tags, ","), nil
	case APM:
		return apmFilter(tags, at)
	}
	before := at.Before[strings.LastIndex(at.Before, "{")+1:]
	after, _, closed := strings.Cut(at.After, "}")
	if !closed || len(before) == len(at.Before) || strings.Contains(before, "}") {
		return "", errors.New("$arm stands in the braces of a scope, as in sum:NAME{$arm}")
	}
	inside := position{Words(before), Words(after)}
	switch {
	case glued(before, after):
		return "", fmt.Errorf("in {%s$arm%s} the labels would be one word with what stands beside them; put a comma or AND between", before, after)
	case inside.besideOr():
		return "", fmt.Errorf("in {%s$arm%s} the arm holds for one side of OR only; put the alternatives in parentheses: {(A OR B) AND $arm}", before, after)
	case len(tags) == 1:
		return tags[0], nil
	case strings.HasSuffix(before, "!"):
		return "", errors.New("!$arm would negate the first label only; write NOT $arm, with AND for commas")
	case !boolean(slices.Concat(inside.before, inside.after)):
		return strings.Join(tags, ","), nil
	case inside.negated():
		return "(" + strings.Join(tags, " AND ") + ")", nil
	}
	return strings.Join(tags, " AND "), nil
}

// boolean reports whether a scope has operators that are words, or parentheses.
func boolean(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"AND", "OR", "NOT", "IN", "("}, strings.ToUpper(w))
	})
}

// Value implements providers.Dialect: in the scope of a metric the value as
// Datadog stores it, and in the search of events escaped for it too.
func (Dialect) Value(l providers.Label, at providers.Around) (string, error) {
	if LanguageOf(at.Before) != SLO && LanguageOf(at.Before+at.After) != APM && isEvents(at.Before+at.After) {
		before, after, err := searchAround(at)
		if err == nil {
			err = alternative(l, before, after)
		}
		if err != nil {
			return "", err
		}
		return searchValue(l, at)
	}
	_, before, inScope := cutLast(at.Before, "{")
	if inScope && !strings.Contains(before, "}") {
		after, _, _ := strings.Cut(at.After, "}")
		if err := alternative(l, before, after); err != nil {
			return "", err
		}
	}
	return TagValue(l)
}

func cutLast(text, sign string) (before, after string, found bool) {
	i := strings.LastIndex(text, sign)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(sign):], true
}

// alternative reports that a label's value would be one of several alternatives, of which the
// others are the same in both arms.
func alternative(l providers.Label, before, after string) error {
	if p := (position{Words(before), Words(after)}); p.besideOr() || p.firstOfIn() {
		return fmt.Errorf("in %q the label %s holds for one side of OR only, or for one of the values of IN; put it beside the alternatives: (A OR B) AND %[2]s:$arm.%[2]s", before+"$arm."+l.Name+after, l.Name)
	}
	return nil
}

// TagValue returns a label's value as Datadog stores it, in lower case, with one _
// for what tags cannot hold, and none at the end. What could end the filter it stands
// in is refused, since no tag that was meant has it.
// https://docs.datadoghq.com/developers/guide/what-best-practices-are-recommended-for-naming-metrics-and-tags/
func TagValue(l providers.Label) (string, error) {
	if strings.ContainsAny(l.Value, "{}(),\"'*!") || strings.ContainsFunc(l.Value, unicode.IsSpace) {
		return "", fmt.Errorf("%s: %q cannot be a tag's value; letters, digits and _ - : . / can", l.Name, l.Value)
	}
	stored := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-:./", r) {
			return r
		}
		return '_'
	}, strings.ToLower(l.Value))
	stored = strings.TrimSuffix(underscores.ReplaceAllString(stored, "_"), "_")
	switch {
	case stored == "" || strings.HasSuffix(stored, ":"):
		return "", fmt.Errorf("%s: %q leaves no value that a tag can have; letters, digits and _ - : . / can stand in it", l.Name, l.Value)
	case utf8.RuneCountInString(l.Name)+1+utf8.RuneCountInString(stored) > LongestTag:
		return "", fmt.Errorf("%s: the tag is longer than %d characters, and Datadog cuts it", l.Name, LongestTag)
	}
	return stored, nil
}

var underscores = regexp.MustCompile(`__+`)

// Step implements providers.Dialect: seconds, as rollup takes them.
func (Dialect) Step(step time.Duration) string {
	return strconv.FormatInt(int64(step/time.Second), 10)
}

// Check implements providers.Dialect, for the languages of the query API.
func (d Dialect) Check(expr string, part providers.Part, step time.Duration) (providers.Reading, error) {
	whole := Whole(expr)
	if part == providers.Buckets {
		return whole, errors.New("Datadog hands out no buckets; make it a ratio of threshold counts: good: count(v: v<=0.5):NAME{$arm}.as_count(), total: count:NAME{$arm}.as_count()") //nolint:staticcheck // the name is a proper noun
	}
	if err := CheckStep(step); err != nil {
		return whole, err
	}
	switch LanguageOf(expr) {
	case APM:
		q, err := ParseAPM(expr)
		if err != nil {
			return whole, err
		}
		return ofQuantile(q.scope(), q.Stat), q.check(part)
	case Events:
		q, err := ParseEvents(expr)
		if err != nil {
			return whole, err
		}
		return ofQuantile(q.scope(), q.aggregation), q.check(part)
	}
	counts := part != providers.Value
	n, err := parseMetrics(expr, counts)
	if err != nil {
		return whole, err
	}
	reading := readMetrics(n, counts)
	reading.Quantile = quantileOfMetrics(n)
	return reading, checkMetrics(n, counts, d.Step(step))
}

// Whole returns the reading of a query that asks for one thing, as it is written.
func Whole(scope string) providers.Reading {
	return providers.Reading{Scopes: []providers.Scope{{Text: strings.TrimSpace(scope)}}}
}

// ofQuantile is Whole of a query for what is named, which may be a quantile.
func ofQuantile(scope, name string) providers.Reading {
	r := Whole(scope)
	r.Quantile = analysis.NamedQuantile(name)
	return r
}

// CheckStep returns what is wrong with a step that Datadog does not have.
func CheckStep(step time.Duration) error {
	if step%time.Second != 0 {
		return fmt.Errorf("the step is %s; Datadog's steps are whole seconds", step)
	}
	return nil
}

// mixed reports whether a scope has operators of both kinds. A comma in the
// parentheses of IN is none.
func mixed(words []string) bool {
	depth, symbol := 0, false
	for _, w := range words {
		switch {
		case w == "(":
			depth++
		case w == ")":
			depth--
		case w == "," && depth == 0 || strings.HasPrefix(w, "!"):
			symbol = true
		}
	}
	return symbol && boolean(words)
}
