package prometheus

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

// Dialect is PromQL.
type Dialect struct{}

// labelName is what a label may be called:
// https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// recordingRule is the name of one, which may hold counts of a step already.
var recordingRule = regexp.MustCompile(`[a-zA-Z_]\w*:\w`)

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

// Check implements providers.Dialect: a range selector must look back over
// exactly one step. A longer one counts an event in several steps, a shorter one
// misses some.
func (d Dialect) Check(expr string, part providers.Part, step time.Duration) (providers.Reading, error) {
	return providers.Reading{}, d.check(expr, part, step)
}

func (d Dialect) check(expr string, part providers.Part, step time.Duration) error {
	code, err := withoutText(expr)
	if err != nil {
		return err
	}
	ranges, err := rangeSelectors(code)
	if err != nil {
		return err
	}
	for _, r := range ranges {
		if strings.Contains(r, ":") {
			return fmt.Errorf("the subquery [%s] looks at other times than the step; write the query without it", r)
		}
		if length, err := providers.ParseDuration(r); err != nil || length != step {
			return fmt.Errorf("the range [%s] is not the step of %s, so steps would overlap or leave gaps; write [$step]", r, d.Step(step))
		}
	}
	if len(ranges) == 0 && part != providers.Value && !recordingRule.MatchString(code) {
		return errors.New("counts are what happened in a step; take increase(…[$step]) of the counter")
	}
	return nil
}

// rangeSelectors returns what stands in the brackets of an expression without
// strings and comments.
func rangeSelectors(code string) ([]string, error) {
	var ranges []string
	for i := 0; i < len(code); i++ {
		if code[i] != '[' {
			continue
		}
		end := strings.IndexByte(code[i:], ']')
		if end < 0 {
			return nil, fmt.Errorf("the bracket at character %d has no end", i+1)
		}
		ranges = append(ranges, strings.TrimSpace(code[i+1:i+end]))
		i += end
	}
	return ranges, nil
}

// withoutText returns an expression with spaces for its strings and comments.
func withoutText(expr string) (string, error) {
	code := []byte(expr)
	for i := 0; i < len(expr); i++ {
		from := i
		switch c := expr[i]; c {
		case '"', '\'', '`':
			if i = stringEnd(expr, i); i < 0 {
				return "", fmt.Errorf("the string that starts at character %d has no end", from+1)
			}
		case '#':
			if i = strings.IndexByte(expr[from:], '\n') + from; i < from {
				i = len(expr) - 1
			}
		default:
			continue
		}
		copy(code[from:i+1], strings.Repeat(" ", i+1-from))
	}
	return string(code), nil
}

// stringEnd returns where the string that starts at from ends, -1 if it does
// not.
func stringEnd(expr string, from int) int {
	quote := expr[from]
	for i := from + 1; i < len(expr); i++ {
		switch {
		case expr[i] == '\\' && quote != '`':
			i++
		case expr[i] == quote:
			return i
		}
	}
	return -1
}
