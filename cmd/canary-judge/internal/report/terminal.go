package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
)

// Terminal tells how a run goes on a terminal, in a table that is written over.
type Terminal struct {
	To     io.Writer
	Config *config.Config
	Colour bool
	Size   func() (columns, rows int) // of the terminal

	last    *job.Look
	history [][]Number // of each metric: what the canary's steps showed, in order
	note    string
	lines   int // written, and to be written over
}

// Wait implements job.Progress.
func (t *Terminal) Wait(until time.Time) {
	if t.last == nil {
		t.note = "waiting for the first step, at " + until.Local().Format(time.TimeOnly)
	}
	t.draw()
}

// Trouble implements job.Progress.
func (t *Terminal) Trouble(err error) {
	t.note = "trouble, will try again: " + Clean(err.Error())
	t.draw()
}

// Look implements job.Progress.
func (t *Terminal) Look(look job.Look) {
	t.last, t.note = &look, ""
	t.draw()
}

// Note implements job.Progress.
func (t *Terminal) Note(note string) {
	t.Clear()
	fmt.Fprintln(t.To, Clean(note))
}

// Clear removes what was drawn, before the report.
func (t *Terminal) Clear() {
	if t.lines > 0 {
		fmt.Fprintf(t.To, "\x1b[%dA\x1b[J", t.lines)
	}
	t.lines = 0
}

// Narrower and lower terminals than these are taken to be this large: nothing could
// be told on them.
const (
	fewestColumns = 20
	fewestRows    = 5
)

func (t *Terminal) draw() {
	columns, rows := t.Size()
	columns, rows = max(columns, fewestColumns)-1, max(rows, fewestRows)-1
	var lines []string
	switch {
	case t.last == nil:
	case t.last.Judge == nil:
		lines = []string{lookLine(t.Config, *t.last)}
	default:
		lines = t.table(columns, rows)
	}
	if t.note != "" {
		lines = append(lines[:min(len(lines), rows-1)], t.note)
	}
	t.Clear()
	for _, line := range lines {
		fmt.Fprintln(t.To, text.Snip(line, columns, "…"))
	}
	t.lines = len(lines)
}

// liveColumns are the columns of the table. The first to go, where the terminal is
// narrow, are those with the highest number.
var liveColumns = []struct {
	title string
	gone  int
}{{"METRIC", 0}, {"BASELINE", 3}, {"CANARY", 3}, {"CHANGE", 2}, {"", 4}, {"CANARY OVER TIME", 5}, {"STATE", 1}}

// table draws the last look within so many columns and rows.
func (t *Terminal) table(columns, rows int) []string {
	look, step := *t.last, t.Config.Window.Step
	lines := []string{fmt.Sprintf("look %d of %d, %s", look.Number, look.Planned,
		span(time.Duration(look.Number)*step, time.Duration(look.Planned)*step))}
	result := look.Judge.Result()
	t.remember(result, look.Pairs)
	left := time.Duration(look.Planned-look.Number) * step
	metrics := make([]Metric, 0, len(result.Metrics))
	cells := map[string][]string{}
	for i, from := range result.Metrics {
		m := measured(from, t.Config.Metrics[i])
		metrics = append(metrics, m)
		cells[m.Name] = t.row(m, i, left)
	}
	guards := guardsOf(look)
	// A row each, but for the look, the header, the row that says what is left out, and the
	// guards.
	const others = 3
	guards = guards[:min(len(guards), max(0, rows-others-1))]
	hidden := 0
	if room := rows - others - len(guards); len(metrics) > room {
		slices.SortStableFunc(metrics, func(a, b Metric) int { return urgency(a) - urgency(b) })
		hidden, metrics = len(metrics)-room, metrics[:room]
	}
	most := 0
	for _, c := range liveColumns {
		most = max(most, c.gone)
	}
	var drawn []string
	for gone := most + 1; gone > 0; gone-- {
		drawn = t.render(metrics, cells, gone, min(longestName, columns/3))
		if widest(drawn) <= columns {
			break
		}
	}
	lines = append(lines, drawn...)
	if hidden > 0 {
		lines = append(lines, fmt.Sprintf("and %s", plural(hidden, "more metric")))
	}
	return append(lines, guards...)
}

// remember keeps what the step showed of the canary, once a look.
func (t *Terminal) remember(result analysis.Result, pairs []analysis.Pair) {
	if t.history == nil {
		t.history = make([][]Number, len(result.Metrics))
	}
	for i, from := range result.Metrics {
		if len(t.history[i]) < result.Looks {
			t.history[i] = append(t.history[i], Number(from.Number(pairs[i].Canary)))
		}
	}
}

// urgency orders metrics by how much a person has to know of them: lower comes first.
func urgency(m Metric) int {
	order := slices.IndexFunc([]analysis.Decision{analysis.Fail, analysis.NoData, analysis.Undecided, analysis.Pass}, m.Is)
	if m.aside() {
		order += 4
	}
	return order
}

// row returns a metric's cells, in the order of liveColumns.
func (t *Terminal) row(m Metric, i int, left time.Duration) []string {
	cells := m.cells()
	change := cells[3]
	if cells[4] != "–" {
		change = cells[4]
	}
	state := cells[6]
	if need := m.outlook(left, t.Config.Window.Step); need != "" {
		state += ", " + need
	}
	if t.Colour {
		state = strings.Replace(state, m.Decision, colours[m.Decision].Sprint(m.Decision), 1)
	}
	return []string{Clean(m.Name), cells[1], cells[2], change, bar(m.Effect, m.Tolerance), sparkline(t.history[i]), state}
}

// render draws the columns that go only later than this, with names of so many columns
// at most.
func (t *Terminal) render(metrics []Metric, cells map[string][]string, gone, name int) []string {
	w := table.NewWriter()
	w.SetStyle(table.Style{
		Box:     table.BoxStyle{PaddingRight: "  "},
		Options: table.Options{SeparateColumns: false, SeparateHeader: false, DrawBorder: false},
	})
	w.Style().Format.Header = text.FormatDefault
	var header table.Row
	for _, c := range liveColumns {
		if c.gone < gone {
			header = append(header, c.title)
		}
	}
	w.AppendHeader(header)
	for _, m := range metrics {
		var row table.Row
		for i, c := range liveColumns {
			if c.gone < gone {
				row = append(row, cells[m.Name][i])
			}
		}
		w.AppendRow(row)
	}
	w.SetColumnConfigs([]table.ColumnConfig{{Number: 1, WidthMax: name, WidthMaxEnforcer: snip}})
	lines := strings.Split(w.Render(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}

// longestName is how many columns a metric's name gets at most.
const longestName = 32

func snip(s string, most int) string { return text.Snip(s, most, "…") }

func widest(lines []string) int {
	most := 0
	for _, line := range lines {
		most = max(most, text.StringWidthWithoutEscSequences(line))
	}
	return most
}

// outlook says what an undecided metric needs to pass, when so much time is left:
// "about 6 min more".
func (m Metric) outlook(left, step time.Duration) string {
	if !m.Is(analysis.Undecided) || m.Forecast == nil {
		return ""
	}
	more := float64(m.Forecast.Steps)
	if math.IsNaN(more) || more <= 0 || more > 1e6 {
		return ""
	}
	need := time.Duration(math.Ceil(more)) * step
	number, unit := inUnits(need.Round(max(time.Second, need.Truncate(time.Minute)/10)))
	text := fmt.Sprintf("about %s %s more", number, unit)
	if need > left {
		number, unit = inUnits(left)
		text += fmt.Sprintf(" (%s %s left)", number, unit)
	}
	return text
}

// barWidth is the width of a bar in columns: odd, so that it has a middle.
const barWidth = 25

// bar draws an interval against the limits of a tolerance:
//
//	·····│━━●━━━━━┃▸  from no change (│) and the estimate (●) to the tolerance (┃)
//
// Beyond the ends, where the arrows are, it is not drawn to scale. Empty when there is
// no interval or no tolerance to draw it against.
func bar(e Effect, t Tolerance) string {
	lower, upper := float64(t.Lower), float64(t.Upper)
	left, right := 2*lower, 2*upper
	switch {
	case math.IsNaN(lower):
		left = -upper
	case math.IsNaN(upper):
		right = -lower
	}
	low, high := float64(e.Lower), float64(e.Upper)
	if !(left < right) || math.IsInf(right-left, 0) || math.IsNaN(low) && math.IsNaN(high) {
		return ""
	}
	if math.IsNaN(low) {
		low = math.Inf(-1)
	}
	if math.IsNaN(high) {
		high = math.Inf(1)
	}
	column := func(v float64) int {
		at := (v - left) / (right - left) * (barWidth - 1)
		return int(math.Round(min(max(at, 0), barWidth-1)))
	}
	cells := []rune(strings.Repeat("·", barWidth))
	cells[column(0)] = '│'
	for i := column(low); i <= column(high); i++ {
		cells[i] = '━'
	}
	for _, limit := range []float64{lower, upper} {
		if !math.IsNaN(limit) {
			cells[column(limit)] = '┃'
		}
	}
	if estimate := float64(e.Estimate); estimate >= left && estimate <= right {
		cells[column(estimate)] = '●'
	}
	if low < left {
		cells[0] = '◂'
	}
	if high > right {
		cells[barWidth-1] = '▸'
	}
	return string(cells)
}

// sparkWidth is how many steps a sparkline shows: the last ones.
const sparkWidth = 20

// sparkline draws numbers as bars of eight heights, from the lowest to the highest;
// a gap is a space.
func sparkline(numbers []Number) string {
	const heights = "▁▂▃▄▅▆▇█"
	numbers = numbers[max(0, len(numbers)-sparkWidth):]
	low, high := math.Inf(1), math.Inf(-1)
	for _, n := range numbers {
		if v := float64(n); !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high = min(low, v), max(high, v)
		}
	}
	var b strings.Builder
	for _, n := range numbers {
		v := float64(n)
		switch at := (v - low) / (high - low); {
		case math.IsNaN(v) || math.IsInf(v, 0):
			b.WriteByte(' ')
		case high == low:
			b.WriteRune('▁')
		default:
			b.WriteRune([]rune(heights)[int(math.Round(7*at))])
		}
	}
	return b.String()
}
