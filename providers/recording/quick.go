package recording

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// quick reads points as Writer writes them, values and counts, several times as
// fast as a general decoder: a large recording is half a million of them. Whatever
// is not exactly that, it leaves to the general one.
type quick struct {
	stamp string // of the last point, since many share theirs
	at    time.Time
	names map[string]string // metrics, so that a name is kept once
}

// point reads a line, and reports whether it could.
func (q *quick) point(line []byte) (p Point, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"t":"`))
	if !ok {
		return p, false
	}
	stamp, rest, ok := bytes.Cut(rest, []byte(`","metric":"`))
	if !ok || !q.parse(stamp) {
		return p, false
	}
	name, rest, ok := bytes.Cut(rest, []byte(`","arm":"`))
	if !ok || !plain(name) {
		return p, false
	}
	arm, rest, ok := bytes.Cut(rest, []byte(`",`))
	if !ok {
		return p, false
	}
	p = Point{Time: q.at, Metric: q.name(name)}
	switch string(arm) {
	case string(providers.Baseline):
		p.Arm = providers.Baseline
	case string(providers.Canary):
		p.Arm = providers.Canary
	default:
		return p, false
	}
	if rest, ok = bytes.CutSuffix(rest, []byte("}")); !ok {
		return p, false
	}
	if value, is := bytes.CutPrefix(rest, []byte(`"value":`)); is {
		value, count, counted := bytes.Cut(value, []byte(`,"count":`))
		v, ok := quickNumber(value)
		p.Sample = analysis.ValueSample(v)
		if counted && ok {
			var n float64
			n, ok = quickNumber(count)
			p.Sample = analysis.QuantileSample(v, n)
		}
		return p, ok
	}
	p.Kind = Counts
	first, second, ok := bytes.Cut(rest, []byte(`,"total":`))
	if !ok {
		return p, false
	}
	if first, ok = bytes.CutPrefix(first, []byte(`"bad":`)); !ok {
		return p, false
	}
	bad, ok := quickNumber(first)
	if !ok {
		return p, false
	}
	total, ok := quickNumber(second)
	p.Sample = analysis.CountSample(bad, total)
	return p, ok
}

// parse reads a time into q.at.
func (q *quick) parse(stamp []byte) bool {
	if len(stamp) > 0 && string(stamp) == q.stamp {
		return true
	}
	at, err := time.Parse(time.RFC3339, string(stamp))
	if err != nil {
		return false
	}
	q.stamp, q.at = string(stamp), at.UTC()
	return true
}

// name returns the one text for a metric's name.
func (q *quick) name(text []byte) string {
	if kept, ok := q.names[string(text)]; ok {
		return kept
	}
	if q.names == nil {
		q.names = map[string]string{}
	}
	kept := string(text)
	q.names[kept] = kept
	return kept
}

// plain reports whether a text stands for itself inside of a JSON string, and is
// some.
func plain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return len(text) > 0
}

// quickNumber reads a JSON number, or null as NaN.
func quickNumber(text []byte) (float64, bool) {
	if string(text) == "null" {
		return math.NaN(), true
	}
	digits := bytes.TrimPrefix(text, []byte("-"))
	// JSON knows no leading zeros, no infinity and no hexadecimals; strconv does.
	if len(digits) == 0 || digits[0] < '0' || digits[0] > '9' || digits[0] == '0' && len(digits) > 1 && digits[1] != '.' && digits[1] != 'e' && digits[1] != 'E' {
		return 0, false
	}
	for i, c := range digits {
		switch {
		case c >= '0' && c <= '9', c == 'e', c == 'E', c == '-', c == '+':
		case c == '.' && i+1 < len(digits) && digits[i+1] >= '0' && digits[i+1] <= '9':
		default:
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(string(text), 64)
	return v, err == nil
}
