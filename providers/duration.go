package providers

import (
	"errors"
	"fmt"
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
	{"µs", time.Microsecond},
}

var durationPart = regexp.MustCompile(`^(\d+(?:\.\d+)?)(ms|us|µs|[wdhms])`)

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
	var total float64
	next := 0
	for rest != "" {
		part := durationPart.FindStringSubmatch(rest)
		if part == nil {
			return 0, fmt.Errorf("%q: %w", text, errDuration)
		}
		i := next
		for i < len(durationUnits) && durationUnits[i].name != part[2] {
			i++
		}
		if i == len(durationUnits) {
			return 0, fmt.Errorf("%q: each unit once, the largest first", text)
		}
		value, err := strconv.ParseFloat(part[1], 64)
		if err != nil {
			return 0, fmt.Errorf("%q: %w", text, errDuration)
		}
		total += value * float64(durationUnits[i].unit)
		next, rest = i+1, rest[len(part[0]):]
	}
	const longest = 100 * 365 * 24 * float64(time.Hour)
	if total > longest {
		return 0, fmt.Errorf("%q is longer than a hundred years", text)
	}
	return time.Duration(total), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String writes the duration with its largest whole units, such as 1h30m.
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	rest := time.Duration(d)
	var b strings.Builder
	for _, u := range durationUnits {
		if n := rest / u.unit; n > 0 && u.name != "µs" {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			rest -= n * u.unit
		}
	}
	if rest > 0 {
		return time.Duration(d).String()
	}
	return b.String()
}
