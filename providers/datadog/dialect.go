package datadog

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/providers"
)

// Dialect is the metrics query language.
type Dialect struct{}

// tagName is what a tag's name may be:
// https://docs.datadoghq.com/getting_started/tagging/#define-tags
var tagName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_.:/-]*$`)

// longestTag is how long a tag's value can be; longer ones are cut when stored.
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
		tags[i] = l.Name + ":" + value
	}
	return strings.Join(tags, ","), nil
}

// Value implements providers.Dialect: the value as Datadog stores it, in lower
// case and with _ for what tags cannot hold. What could end the filter it stands
// in is refused, since no tag that was meant has it.
func (Dialect) Value(l providers.Label) (string, error) {
	if strings.ContainsAny(l.Value, "{}(),\"'*!\n\t ") {
		return "", fmt.Errorf("%s: %q cannot be a tag's value; letters, digits and _ - : . / can", l.Name, l.Value)
	}
	if len(l.Value) > longestTag {
		return "", fmt.Errorf("%s: the value is longer than %d characters", l.Name, longestTag)
	}
	stored := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', strings.ContainsRune("_-:./", r), r > 127:
			return r
		}
		return '_'
	}, strings.ToLower(l.Value))
	return stored, nil
}

// Step implements providers.Dialect: seconds, as rollup takes them.
func (Dialect) Step(step time.Duration) string {
	return strconv.FormatInt(int64(step/time.Second), 10)
}

// rollup is an explicit rollup with its seconds.
var rollup = regexp.MustCompile(`\.rollup\(\s*(?:\w+\s*,\s*)?(\d+)\s*\)`)

// Check implements providers.Dialect.
func (d Dialect) Check(expr string, part providers.Part, step time.Duration) error {
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
