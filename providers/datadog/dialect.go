package datadog

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/canary-judge/canary-judge/providers"
)

// Dialect is the metrics query language.
type Dialect struct{}

// tagName is what a tag's name may be:
// https://docs.datadoghq.com/getting_started/tagging/#define-tags
var tagName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_.:/-]*$`)

// longestTag is how many characters a tag can have, its name included; longer ones
// are cut when stored.
const longestTag = 200

// Filter implements providers.Dialect: service:discounts,env:prod.
func (d Dialect) Filter(labels []providers.Label) (string, error) {
	tags := make([]string, len(labels))
	for i, l := range labels {
		if !tagName.MatchString(l.Name) {
			return "", fmt.Errorf("%q is no tag name", l.Name)
		}
		value, err := d.Value(l)
		if err != nil {
			return "", err
		}
		tags[i] = strings.ToLower(l.Name) + ":" + value
	}
	return strings.Join(tags, ","), nil
}

// Value implements providers.Dialect: the value as Datadog stores it, in lower
// case, with one _ for what tags cannot hold, and none at the end. What could end
// the filter it stands in is refused, since no tag that was meant has it.
// https://docs.datadoghq.com/developers/guide/what-best-practices-are-recommended-for-naming-metrics-and-tags/
func (Dialect) Value(l providers.Label) (string, error) {
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
	case utf8.RuneCountInString(l.Name)+1+utf8.RuneCountInString(stored) > longestTag:
		return "", fmt.Errorf("%s: the tag is longer than %d characters, and Datadog cuts it", l.Name, longestTag)
	}
	return stored, nil
}

var underscores = regexp.MustCompile(`__+`)

// Step implements providers.Dialect: seconds, as rollup takes them.
func (Dialect) Step(step time.Duration) string {
	return strconv.FormatInt(int64(step/time.Second), 10)
}

// rollup is an explicit rollup with its seconds.
var rollup = regexp.MustCompile(`\.rollup\(\s*(?:\w+\s*,\s*)?(\d+)\s*\)`)

// Check implements providers.Dialect.
func (d Dialect) Check(expr string, part providers.Part, step time.Duration) error {
	if isRuns(expr) {
		return checkRuns(expr, part)
	}
	switch {
	case part == providers.Buckets:
		return errors.New("Datadog hands out no buckets; make it a ratio of threshold counts: good: count(v: v<=0.5):NAME{$arm}.as_count(), total: count:NAME{$arm}.as_count()") //nolint:staticcheck // the name is a proper noun
	case part != providers.Value && !strings.Contains(expr, ".as_count()"):
		return errors.New("counts need .as_count(): without it Datadog averages and interpolates them")
	case step%time.Second != 0:
		return fmt.Errorf("the step is %s; Datadog's steps are whole seconds", step)
	}
	for _, m := range rollup.FindAllStringSubmatch(expr, -1) {
		if m[1] != d.Step(step) {
			return fmt.Errorf("%s is not the step of %ss; write .rollup(…, $step)", m[0], d.Step(step))
		}
	}
	return nil
}
