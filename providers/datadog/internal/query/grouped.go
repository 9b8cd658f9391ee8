package query

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// scopeOf is the scope of a metric and what it is grouped by: in a query that is read, nothing else has braces.
var scopeOf = regexp.MustCompile(`(\{[^{}]*\})(?:\s*by\s*\{([^{}]*)\})?`)

// Divided returns a query with a series for each value of a tag (providers.Type). In a query for metrics each metric
// of a formula keeps the tag; behind one for events, or for statistics of APM, it is written in the same way, which
// only what is sent understands: those of a config have one series.
func Divided(expr, tag string) (string, error) {
	switch {
	case !tagName.MatchString(tag):
		return "", fmt.Errorf("%q is no tag name", tag)
	case tag != strings.ToLower(tag):
		return "", fmt.Errorf("names of tags are in lower case: write %s", strings.ToLower(tag))
	}
	switch LanguageOf(expr) {
	case APM, Events:
		return strings.TrimSpace(expr) + " by {" + tag + "}", nil
	case Metrics:
		return scopeOf.ReplaceAllStringFunc(expr, func(text string) string {
			m := scopeOf.FindStringSubmatch(text)
			tags := strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ' ' })
			if !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
			return m[1] + " by {" + strings.Join(tags, ",") + "}"
		}), nil
	}
	return "", fmt.Errorf("%s is asked for whole", strings.TrimSpace(expr))
}

// dividedBy is a query for events, or for statistics of APM, that Divided wrote.
var dividedBy = regexp.MustCompile(`(?s)^(.*\)) by \{([^{}]+)\}$`)

// undivided returns a query for events, or for statistics of APM, as it was before Divided, and the tag; "" for none.
func undivided(expr string) (before, tag string) {
	if m := dividedBy.FindStringSubmatch(expr); m != nil {
		return m[1], m[2]
	}
	return expr, ""
}
