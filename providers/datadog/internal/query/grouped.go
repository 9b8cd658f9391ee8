package query

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// scopeOf is the scope of a metric and what it is grouped by: in a query that is read, nothing else has braces.
var scopeOf = regexp.MustCompile(`(\{[^{}]*\})(?:\s*by\s*\{([^{}]*)\})?`)

// Divided returns a query for metrics with a series for each value of a tag (providers.Type): each metric
// of a formula keeps it.
func Divided(expr, tag string) (string, error) {
	if !tagName.MatchString(tag) {
		return "", fmt.Errorf("%q is no tag name", tag)
	}
	if LanguageOf(expr) != Metrics {
		return "", errors.New("only queries for metrics are divided by a tag")
	}
	return scopeOf.ReplaceAllStringFunc(expr, func(text string) string {
		m := scopeOf.FindStringSubmatch(text)
		tags := strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ' ' })
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
		return m[1] + " by {" + strings.Join(tags, ",") + "}"
	}), nil
}
