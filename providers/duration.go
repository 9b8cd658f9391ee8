package providers

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time as configs write it: Go's and Prometheus's units,
// largest first, such as 90s, 1h30m, 1d, 250ms.
type Duration time.Duration

// durationUnits are the units, in the order they may follow each other.
var durationUnits = []struct {
	name string
	unit time.Duration
}{
	{"w", 7 * 24 * time.Hour},
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
	{"us", time.Microsecond},
}

// longestDuration is what a length of time may be; no window comes near.
const longestDuration = 100 * 365 * 24 * time.Hour

var durationPart = regexp.MustCompile(`^(\d+)(\.\d+)?(ms|us|µs|[wdhms])`)

var errDuration = errors.New("want a length of time with its unit, such as 90s, 30m or 1d")

// ParseDuration reads a length of time. It is never negative.
func ParseDuration(text string) (time.Duration, error) {
	rest := strings.TrimSpace(text)
	if rest == "0" {
		return 0, nil
	}
	if rest == "" {
		return 0, errDuration
	}
	var total time.Duration
	next := 0
	for rest != "" {
		part := durationPart.FindStringSubmatch(rest)
		if part == nil {
			return 0, fmt.Errorf("%q: %w%s", text, errDuration, meantDuration(text))
		}
		name := strings.Replace(part[3], "µs", "us", 1)
		i := next
		for i < len(durationUnits) && durationUnits[i].name != name {
			i++
		}
		if i == len(durationUnits) {
			return 0, fmt.Errorf("%q: each unit once, the largest first", text)
		}
		length, ok := durationOf(part[1], part[2], durationUnits[i].unit)
		if !ok || length > longestDuration-total {
			return 0, fmt.Errorf("%q is longer than a hundred years", text)
		}
		total += length
		next, rest = i+1, rest[len(part[0]):]
	}
	return total, nil
}

// spelledDuration is one number with a unit that is written in another way, or none.
var spelledDuration = regexp.MustCompile(`^(\d+(?:\.\d+)?)\s*(\pL*)\.?$`)

// spelledUnits are units as people write them, by their first letters and the longest form.
var spelledUnits = []struct{ unit, word string }{
	{"s", "seconds"}, {"m", "minutes"}, {"m", "mins"}, {"h", "hours"}, {"h", "hrs"}, {"d", "days"}, {"w", "weeks"}, {"ms", "milliseconds"}, {"ms", "msecs"}, {"s", "secs"},
}

// meantDuration says what a length of time was probably meant to be.
func meantDuration(text string) string {
	if strings.HasPrefix(text, "-") {
		return "; it is never negative"
	}
	m := spelledDuration.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return ""
	}
	unit := strings.ToLower(m[2])
	if unit == "" {
		return fmt.Sprintf("; for seconds write %ss", m[1])
	}
	for _, u := range spelledUnits {
		if unit == u.unit || len(unit) > 1 && strings.HasPrefix(u.word, unit) || unit+"s" == u.word {
			return fmt.Sprintf("; did you mean %s%s?", m[1], u.unit)
		}
	}
	return ""
}

// durationOf multiplies whole and fraction, such as 1 and .5, by a unit, exactly
// for the whole and to the nanosecond for the fraction. It returns false when
// that is too long.
func durationOf(whole, fraction string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > int64(longestDuration/unit) {
		return 0, false
	}
	length := time.Duration(n) * unit
	if fraction != "" {
		part, _ := strconv.ParseFloat(fraction, 64) // only digits get here
		length += time.Duration(math.Round(part * float64(unit)))
	}
	return length, true
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Pattern is what a duration looks like, as a regular expression.
func (Duration) Pattern() string { return `0|(\d+(\.\d+)?(ms|us|µs|[wdhms]))+` }

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String writes the duration with its largest whole units, such as 1h30m, in a
// form that ParseDuration reads. There is no unit below the microsecond, which has
// decimals instead.
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	if d < 0 {
		return time.Duration(d).String() // none is, but a sum in a message may be
	}
	rest := time.Duration(d)
	var b strings.Builder
	for _, u := range durationUnits {
		n := rest / u.unit
		rest -= n * u.unit
		switch below := u.unit == time.Microsecond && rest > 0; {
		case below:
			fmt.Fprintf(&b, "%d.%03d%s", n, rest, u.name)
		case n > 0:
			fmt.Fprintf(&b, "%d%s", n, u.name)
		}
	}
	return b.String()
}
