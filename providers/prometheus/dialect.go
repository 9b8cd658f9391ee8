package prometheus

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/canary-judge/canary-judge/providers"
)

// Dialect is PromQL.
type Dialect struct{}

// labelName is what a label may be called:
// https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// Filter implements providers.Dialect: service="discounts",env="prod".
func (Dialect) Filter(labels []providers.Label, _ providers.Around) (string, error) {
	matchers := make([]string, len(labels))
	for i, l := range labels {
		if !labelName.MatchString(l.Name) {
			return "", fmt.Errorf("%q is no label name in PromQL; letters, digits and _ are", l.Name)
		}
		matchers[i] = l.Name + "=" + strconv.Quote(l.Value)
	}
	return strings.Join(matchers, ","), nil
}

// Value implements providers.Dialect. The value is to stand inside quotes, so it
// comes escaped and without them. Which quotes is not known: all that could end
// any of them, or mean something where there are none, is written as a number,
// which outside quotes is a syntax error.
func (Dialect) Value(l providers.Label, _ providers.Around) (string, error) {
	var b strings.Builder
	for rest := l.Value; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, rest[0])
		case unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-+.:/", r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		rest = rest[size:]
	}
	return b.String(), nil
}

// Step implements providers.Dialect, in milliseconds where seconds do not do.
func (Dialect) Step(step time.Duration) string {
	if step%time.Second == 0 {
		return strconv.FormatInt(int64(step/time.Second), 10) + "s"
	}
	return strconv.FormatInt(step.Milliseconds(), 10) + "ms"
}
