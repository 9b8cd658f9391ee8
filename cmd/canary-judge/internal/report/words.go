package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// significant writes a number with about three significant digits, without an
// exponent where a person would not use one.
func significant(v float64) string { return digits(v, 3) }

// digits writes a number with this many significant digits, and all digits
// before the point.
func digits(v float64, n int) string {
	switch magnitude := math.Abs(v); {
	case math.IsNaN(v):
		return "?"
	case math.IsInf(v, 0):
		return "∞"
	case magnitude >= 1e15: // no person reads so many digits
		return strconv.FormatFloat(v, 'g', n, 64)
	case magnitude >= 1000:
		return humanize.Commaf(math.Round(v))
	case magnitude < 1e-4 && v != 0:
		return strconv.FormatFloat(v, 'g', n, 64)
	default:
		before := 1
		if magnitude >= 1 {
			before = int(math.Log10(magnitude)) + 1
		} else if v != 0 {
			before = int(math.Floor(math.Log10(magnitude))) + 1
		}
		return trimZeros(strconv.FormatFloat(v, 'f', max(0, n-before), 64))
	}
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

// tally writes a count of events, which need not be whole.
func tally(n float64) string {
	if math.Abs(n) < 10 && n != math.Trunc(n) {
		return trimZeros(strconv.FormatFloat(n, 'f', 1, 64))
	}
	return humanize.Commaf(math.Round(n))
}

// timeUnits are sizes of the units of time in seconds.
var timeUnits = map[string]float64{"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}

// byteUnits are sizes of the units of information in bytes.
var byteUnits = map[string]float64{
	"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

// measure writes a value with its unit, in the multiple a person would use.
func measure(v float64, unit string) string {
	if math.IsNaN(v) {
		return "–"
	}
	if size, ok := timeUnits[unit]; ok {
		return seconds(v * size)
	}
	if size, ok := byteUnits[unit]; ok {
		return bytesText(v * size)
	}
	switch unit {
	case "":
		return significant(v)
	case "percent", "%":
		return significant(v) + "%"
	case "fraction":
		return significant(v*100) + "%"
	}
	return significant(v) + " " + unit
}

func seconds(s float64) string {
	switch magnitude := math.Abs(s); {
	case magnitude == 0:
		return "0 s"
	case magnitude < 1e-6:
		return significant(s*1e9) + " ns"
	case magnitude < 1e-3:
		return significant(s*1e6) + " µs"
	case magnitude < 1:
		return significant(s*1e3) + " ms"
	case magnitude < 120:
		return significant(s) + " s"
	case magnitude < 7200:
		return significant(s/60) + " min"
	}
	return significant(s/3600) + " h"
}

func bytesText(b float64) string {
	sign := ""
	if b < 0 {
		sign, b = "-", -b
	}
	return sign + humanize.IBytes(uint64(b))
}

// percentage writes a rate: 0.0473 is 4.73%.
func percentage(rate float64) string {
	if math.IsNaN(rate) {
		return "–"
	}
	return significant(rate*100) + "%"
}

// style is how a relative change is written: as a multiple of the baseline where
// it is large, as a percentage where it is not.
type style bool

const (
	asMultiple   style = true
	asPercentage style = false
)

func styleOf(e Effect) style {
	ratio := 1 + float64(e.Estimate)
	return style(ratio >= 2 || ratio <= 0.5 || math.IsNaN(ratio))
}

// tiny starts what is less than least, and so too small to be written as a multiple.
const (
	tiny  = "less than "
	least = 1e-4
)

// relative writes a relative change, with n significant digits. A change from nothing is
// infinite, and has no size.
func (s style) relative(change float64, n int) string {
	ratio := 1 + change
	switch {
	case math.IsInf(change, 1):
		return "from none"
	case s == asMultiple && ratio > 0 && ratio < least:
		return tiny + digits(least, n) + "x"
	case s == asMultiple:
		return digits(ratio, n) + "x"
	}
	return signed(change*100, n) + "%"
}

func signed(v float64, n int) string {
	text := digits(v, n)
	if v > 0 && text != "0" {
		text = "+" + text
	}
	return text
}

// Digits of what is estimated, and of what was given and is written as it was,
// as far as that is not many more.
const (
	estimated = 2
	given     = 3
	givenMost = 5
)

// exactly writes a number that was given.
func exactly(v float64, write func(v float64, n int) string) string {
	if rounded := digits(v, givenMost); rounded == trimZeros(strconv.FormatFloat(v, 'f', 9, 64)) {
		return write(v, givenMost)
	}
	return write(v, given)
}

// change writes an effect's value in its unit.
func change(v float64, unit string, s style, n int) string {
	switch unit {
	case relativeUnit:
		return s.relative(v, n)
	case pointsUnit:
		return signed(v*100, n) + " points"
	}
	text := measure(v, unit)
	if v > 0 {
		text = "+" + text
	}
	return text
}

// Units of effects.
const (
	relativeUnit = "relative"
	pointsUnit   = "points"
)

// interval writes an effect's limits, with enough digits to tell them from the
// limits of the tolerance.
func interval(e Effect, t Tolerance, s style) string {
	n := estimated
	for _, limit := range []Number{e.Lower, e.Upper} {
		for _, end := range []Number{t.Lower, t.Upper} {
			for n < estimated+3 && limit != end && change(float64(limit), e.Unit, s, n) == change(float64(end), e.Unit, s, n) {
				n++
			}
		}
	}
	lower, upper := e.limits(t)
	write := func(v float64) string { return change(v, e.Unit, s, n) }
	switch {
	case math.IsNaN(lower) && math.IsNaN(upper):
		return tooEarly
	case math.IsNaN(upper):
		return "at least " + write(lower)
	case math.IsNaN(lower):
		return atMost(write(upper))
	}
	if e.Unit == pointsUnit {
		return strings.TrimSuffix(write(lower), " points") + " to " + write(upper)
	}
	return write(lower) + " to " + write(upper)
}

// atMost writes an upper limit alone.
func atMost(limit string) string {
	if strings.HasPrefix(limit, tiny) {
		return limit
	}
	return "at most " + limit
}

// tooEarly stands for an interval that says nothing yet.
const tooEarly = "too early to tell"

// furthest is how far a limit may lie and still tell a person anything: a thousand times,
// or a thousandth of, the baseline; for a difference, a thousand times what was estimated
// or is tolerated. Beyond it the data rule out nothing that anybody would ask.
const furthest = 1000

// limits returns the limits of an effect that tell a person anything, NaN for those that
// do not.
func (e Effect) limits(t Tolerance) (lower, upper float64) {
	lower, upper = float64(e.Lower), float64(e.Upper)
	low, most := 1.0/furthest-1, furthest-1.0
	if e.Unit != relativeUnit {
		most = furthest * max(magnitude(e.Estimate), magnitude(t.Size))
		low = -most
	}
	if !(lower >= low) || math.IsInf(lower, 1) {
		lower = math.NaN()
	}
	if !(upper <= most) || math.IsInf(upper, -1) {
		upper = math.NaN()
	}
	return lower, upper
}

// magnitude returns how large a number is, 0 where it is missing.
func magnitude(n Number) float64 {
	if v := math.Abs(float64(n)); finite(v) {
		return v
	}
	return 0
}

// tolerated writes the limits of a tolerance.
func tolerated(t Tolerance, s style) string {
	lower, upper := float64(t.Lower), float64(t.Upper)
	write := func(v float64) string {
		shown := v // as it will be shown
		if t.Unit == relativeUnit && s == asMultiple {
			shown = 1 + v
		} else if t.Unit == relativeUnit || t.Unit == pointsUnit {
			shown = v * 100
		}
		return exactly(shown, func(_ float64, n int) string { return change(v, t.Unit, s, n) })
	}
	switch {
	case math.IsNaN(lower):
		return write(upper)
	case math.IsNaN(upper):
		return write(lower)
	}
	return write(lower) + " to " + write(upper)
}

// effectPhrase says how large the effect is: "4.1x the baseline (2.9x to 5.8x;
// tolerated 1.25x)". An effect without an estimate has no size, and no phrase.
func effectPhrase(m Metric) string {
	s := styleOf(m.Effect)
	estimate := float64(m.Effect.Estimate)
	limits := fmt.Sprintf("(%s; tolerated %s)%s", interval(m.Effect, m.Tolerance, s), tolerated(m.Tolerance, s), m.removedPhrase())
	switch {
	case math.IsNaN(estimate):
		return ""
	case math.IsInf(estimate, 0):
		size := interval(m.Effect, m.Tolerance, s)
		if size == tooEarly {
			return fmt.Sprintf("up from none in the baseline (%s by how much; tolerated %s)", size, tolerated(m.Tolerance, s))
		}
		return fmt.Sprintf("%s the baseline (tolerated %s)", size, tolerated(m.Tolerance, s))
	case m.Effect.Unit == relativeUnit && s == asMultiple:
		return fmt.Sprintf("%s the baseline %s", s.relative(estimate, estimated), limits)
	case m.Effect.Unit == relativeUnit && math.Abs(estimate) < 0.0005:
		return "the same as the baseline " + limits
	case m.Effect.Unit == pointsUnit && estimate == 0:
		return "the same as the baseline " + limits
	}
	where := "above"
	if estimate < 0 {
		where = "below"
	}
	size := strings.TrimPrefix(change(math.Abs(estimate), m.Effect.Unit, s, estimated), "+")
	return fmt.Sprintf("%s %s the baseline %s", size, where, limits)
}

// countsPhrase says what the counts behind a rate are: "57 of 1,204 canary
// requests failed, about 43 more than the baseline would have".
func countsPhrase(m Metric, slower string) string {
	canary, baseline := m.counted()
	if math.IsNaN(float64(canary.Total)) || canary.Total == 0 {
		return ""
	}
	did := "failed"
	switch {
	case m.Spikes != nil:
		did = m.words().wentWrong
	case slower != "":
		did = "took longer than " + slower
	}
	text := fmt.Sprintf("%s of %s canary %s %s", tally(float64(canary.Bad)), tally(float64(canary.Total)), m.words().events, did)
	excess := float64(canary.Bad) - float64(canary.Total)*float64(baseline.Level)
	switch {
	case baseline.Bad == 0:
		text += fmt.Sprintf(", none of %s baseline ones", tally(float64(baseline.Total)))
	case excess >= 0.5:
		text += fmt.Sprintf(", about %s more than the baseline would have", tally(math.Max(1, math.Round(excess))))
	case excess <= -0.5:
		text += fmt.Sprintf(", about %s fewer than the baseline would have", tally(math.Max(1, math.Round(-excess))))
	}
	return text
}

// counted returns the events that were compared; of results that lack them, all.
func (m Metric) counted() (canary, baseline ComparedArm) {
	if m.Compared != nil {
		return m.Compared.Canary, m.Compared.Baseline
	}
	return ComparedArm{m.Canary.Rate, m.Canary.Bad, m.Canary.Total}, ComparedArm{m.Baseline.Rate, m.Baseline.Bad, m.Baseline.Total}
}

// valuesPhrase says what the values were: "typically 312 ms against 208 ms".
func valuesPhrase(m Metric) string {
	baseline, canary, _ := m.levels()
	if math.IsNaN(float64(canary)) || math.IsNaN(float64(baseline)) {
		return ""
	}
	return fmt.Sprintf("typically %s against %s", measure(float64(canary), m.Unit), measure(float64(baseline), m.Unit))
}

// span writes how much of a window has passed: "6 of 30 min", "45 s of 30 min".
func span(part, whole time.Duration) string {
	wholeText, unit := inUnits(whole)
	if part >= whole {
		return wholeText + " " + unit
	}
	partText, partUnit := inUnits(part)
	if part == 0 || partUnit == unit {
		return partText + " of " + wholeText + " " + unit
	}
	return partText + " " + partUnit + " of " + wholeText + " " + unit
}

// inUnits writes a length of time in the unit a person would use.
func inUnits(d time.Duration) (number, unit string) {
	size := time.Hour
	switch {
	case d < 90*time.Second:
		size, unit = time.Second, "s"
	case d < 3*time.Hour:
		size, unit = time.Minute, "min"
	default:
		unit = "h"
	}
	return trimZeros(strconv.FormatFloat(float64(d)/float64(size), 'f', 1, 64)), unit
}

// length writes a length of time in words.
func length(d time.Duration) string {
	switch {
	case d >= 3*time.Hour:
		return digits(d.Hours(), 2) + " hours"
	case d >= 90*time.Second:
		return significant(math.Ceil(d.Minutes())) + " minutes"
	}
	return significant(d.Seconds()) + " seconds"
}

// plural writes a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return humanize.Comma(int64(n)) + " " + noun + "s"
}
