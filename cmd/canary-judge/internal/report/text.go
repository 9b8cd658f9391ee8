package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/canary-judge/canary-judge/analysis"
)

// Text writes the report for a terminal or a log. Colour marks the verdict and
// the decisions. Lines are wrapped to the width, in characters; 0 = they are not, as a log needs it.
func (r *Report) Text(w io.Writer, colour bool, width int) error {
	var b strings.Builder
	paint := func(word, decision string) string {
		if !colour {
			return word
		}
		return colours[decision].Sprint(word)
	}
	sentence := Clean(r.Headline())
	if verdict := strings.ToUpper(r.Verdict); strings.HasPrefix(sentence, verdict) {
		sentence = paint(verdict, r.Verdict) + strings.TrimPrefix(sentence, verdict)
	}
	fmt.Fprintln(&b, wrapped(sentence, "", width))
	for _, line := range r.glance() {
		fmt.Fprintln(&b, wrapped(Clean(line), "", width))
	}
	if r.Window.Looks > 0 {
		table := r.table(paint)
		if width > 0 && text.LongestLineLen(table) > width {
			table = r.list(paint, width)
		}
		fmt.Fprintf(&b, "\n%s\n", table)
	}
	for _, s := range r.remarks() {
		fmt.Fprintf(&b, "\n%s\n", s.title)
		for i := range s.lines {
			fmt.Fprintln(&b, wrapped(s.plain(i), "  ", width))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// wrapped breaks a line between words so that it fits, and indents it; what follows the first break is indented by two
// more. A word that is longer than the width, such as an address, stays whole.
func wrapped(line, indent string, width int) string {
	if width <= len(indent)+2 || utf8.RuneCountInString(line)+len(indent) <= width {
		return indent + line
	}
	var b strings.Builder
	at := len(indent)
	b.WriteString(indent)
	for i, word := range strings.Fields(line) {
		n := text.StringWidthWithoutEscSequences(word)
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteString("\n" + indent + "  ")
			at = len(indent) + 2
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

// list is the table for who has no room for it: some lines a metric.
func (r *Report) list(paint func(word, decision string) string, width int) string {
	var lines []string
	for _, m := range r.sorted() {
		cells := cleanAll(m.cells())
		decision := paint(m.mark()+" "+cells[6], m.Decision)
		lines = append(lines, wrapped(decision+": "+cells[0], "", width),
			wrapped(fmt.Sprintf("%s against %s, %s", cells[2], cells[1], m.changed(cells)), "    ", width))
	}
	return strings.Join(lines, "\n")
}

// colours are those of verdicts and decisions.
var colours = map[string]text.Colors{
	analysis.VerdictPass.String():         {text.FgGreen, text.Bold},
	analysis.VerdictFail.String():         {text.FgRed, text.Bold},
	analysis.VerdictInconclusive.String(): {text.FgYellow, text.Bold},
	analysis.Undecided.String():           {text.FgYellow},
	analysis.NoData.String():              {text.FgYellow},
}

// cells returns a metric's row: name, baseline, canary, change, interval,
// tolerance and decision.
func (m Metric) cells() []string {
	e := m.Effect
	if math.IsNaN(float64(e.Estimate)) {
		e.Estimate = m.plainChange()
	}
	s := styleOf(e)
	estimate, limits := "–", "–"
	if !math.IsNaN(float64(e.Lower)) || !math.IsNaN(float64(e.Upper)) {
		limits = interval(e, m.Tolerance, s)
	}
	if v := float64(e.Estimate); !math.IsNaN(v) {
		estimate = change(v, e.Unit, s, estimated)
		if h := m.History; h != nil && h.Removed {
			// The numbers of the arms have it still in them.
			estimate += " on top of " + change(float64(h.Offset), e.Unit, asPercentage, estimated)
		}
	} else if !strings.HasSuffix(limits, "x") {
		s = asPercentage // no multiple stands beside it: as configs have it
	}
	decision := m.Decision
	if m.DecidedLook > 0 && m.DecidedLook < m.Steps {
		// The interval has moved on since.
		decision += fmt.Sprintf(" at look %d", m.DecidedLook)
	}
	if m.belowFloor() {
		decision += ", below the floor"
	}
	switch {
	case m.Advisory:
		decision += " (advisory)"
	case m.Hold && m.Holds:
		decision = "beyond, holds"
	case m.Hold:
		decision += " (hold)"
	}
	if m.FailOnly && !m.IsPart() && !m.Is(analysis.Fail) {
		decision += " (fail only)"
	}
	baseline, canary, rates := m.levels()
	return []string{
		m.Name, m.level(m.Baseline, baseline, rates), m.level(m.Canary, canary, rates),
		estimate, limits, tolerated(m.Tolerance, s), decision,
	}
}

// plainChange is the change of the numbers in the table, for a metric that has
// not been looked at yet.
func (m Metric) plainChange() Number {
	baseline, canary, _ := m.levels()
	if m.Compared != nil && m.Compared.Apart {
		return Number(math.NaN())
	}
	if m.Effect.Unit != relativeUnit {
		return canary - baseline
	}
	return canary/baseline - 1
}

// levels are what stands beside the change: a number of each arm over the steps that
// were compared, and whether they are rates. Where there are none yet, and in results
// that lack them, they are of all steps.
func (m Metric) levels() (baseline, canary Number, rates bool) {
	switch c := m.Compared; {
	case c != nil:
		return c.Baseline.Level, c.Canary.Level, !math.IsNaN(float64(c.Canary.Total))
	case math.IsNaN(float64(m.Canary.Rate)) && math.IsNaN(float64(m.Baseline.Rate)):
		return m.Baseline.Median, m.Canary.Median, false
	}
	return m.Baseline.Rate, m.Canary.Rate, true
}

// level is what an arm showed, in one number.
func (m Metric) level(s Summary, level Number, rate bool) string {
	switch {
	case s.Steps == 0:
		return "no data"
	case rate && m.Compared != nil && m.Compared.Apart:
		return "at least " + percentage(float64(level))
	case rate:
		return percentage(float64(level))
	}
	return measure(float64(level), m.Unit)
}

var columns = []string{"METRIC", "BASELINE", "CANARY", "CHANGE", "INTERVAL", "TOLERATED", "DECISION"}

// table draws the metrics over all requests.
func (r *Report) table(paint func(word, decision string) string) string {
	t := table.NewWriter()
	t.SetStyle(table.Style{
		Box:     table.BoxStyle{PaddingRight: "  ", MiddleVertical: ""},
		Options: table.Options{SeparateColumns: false, SeparateHeader: false, DrawBorder: false},
	})
	t.Style().Format.Header = text.FormatDefault
	header := table.Row{}
	for _, c := range columns {
		header = append(header, c)
	}
	t.AppendHeader(header)
	for _, m := range r.sorted() {
		row := table.Row{}
		for i, cell := range m.cells() {
			cell = Clean(cell)
			if i == len(columns)-1 {
				cell = paint(m.mark()+" "+cell, m.Decision)
			}
			row = append(row, cell)
		}
		t.AppendRow(row)
	}
	lines := strings.Split(t.Render(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRightFunc(line, unicode.IsSpace)
	}
	return strings.Join(lines, "\n")
}

// Titles of remarks on the run as a whole.
const (
	doubtsTitle     = "Doubts about the data:"
	historyTitle    = "History:"
	blastTitle      = "Blast radius:"
	comparisonTitle = "About the comparison:"
	exposureTitle   = "Exposure:"
	rampTitle       = "Stages:"
	guardsTitle     = "Guards:"
	comparedTitle   = "Compared:"
	windowTitle     = "Window:"
	limitTitle      = "Rate limit:"
	failedRunsTitle = "Failed runs, the latest first:"
	pagesTitle      = "Look at:"
)

// section is a part of the remarks.
type section struct {
	title string
	lines []string
	pages []string // address of what each of the first lines is about, "" = none
}

// page returns the address of what a line is about, "" = none.
func (s section) page(line int) string {
	if line >= len(s.pages) {
		return ""
	}
	return s.pages[line]
}

// plain is a line with its address, for what shows no links.
func (s section) plain(line int) string {
	text := s.lines[line]
	if page := s.page(line); page != "" {
		text += ": " + page
	}
	return Clean(text)
}

// remarks lists what the table cannot say: why something was not decided, what is
// doubtful, what the canary did to its users.
func (r *Report) remarks() []section {
	all := r.overridden()
	add := func(title string, lines []string) {
		if len(lines) > 0 {
			all = append(all, section{title: title, lines: lines})
		}
	}
	if r.Window.Looks == 0 {
		add(limitTitle, r.Generated.tightLimits())
		return all
	}
	failed, open, doubts := r.metricRemarks()
	if len(failed) > 1 {
		add("Failed:", failed)
	}
	if len(open) > 1 || len(open) == 1 && !strings.Contains(r.Reason, open[0]) {
		add("Not decided:", open)
	}
	add(segmentsTitle, r.segmentLines())
	if len(r.decisiveGuards()) > 0 {
		all = slices.Insert(all, 0, section{title: guardsTitle, lines: r.guardLines()})
	}
	add(nextTitle, r.nextLines())
	for _, done := range r.actions() {
		if len(done.lines) > 0 {
			all = append(all, done)
		}
	}
	if lines, pages := r.failedRunLines(); len(lines) > 0 {
		all = append(all, section{failedRunsTitle, lines, pages})
	}
	if pages := r.pages(); len(pages) > 0 {
		s := section{title: pagesTitle}
		for _, p := range pages {
			s.lines, s.pages = append(s.lines, p.Name), append(s.pages, webPage(p.URL))
		}
		all = append(all, s)
	}
	add(doubtsTitle, append(slices.DeleteFunc(slices.Clone(r.Doubts), func(d string) bool { return slices.Contains(doubts, d) }), doubts...))
	add(historyTitle, r.historyLines())
	add(comparisonTitle, r.Notes)
	add(rampTitle, r.rampLines())
	add(blastTitle, r.blastLines())
	if e := r.Exposure; e != nil {
		add(exposureTitle, []string{fmt.Sprintf("the canary got %s of the requests, %s are expected", percentage(float64(e.Observed)), percentage(float64(e.Expected)))})
	}
	if len(r.decisiveGuards()) == 0 {
		add(guardsTitle, r.guardLines())
	}
	step := time.Duration(float64(r.Window.Step) * float64(time.Second))
	add(comparedTitle, r.compared())
	add(windowTitle, []string{fmt.Sprintf("%s to %s, %d of %s, one every %s; false alarms %s, wrong passes %s over the whole run",
		r.Window.Judged.Format(time.RFC3339), r.Window.End.Format(time.RFC3339), r.Window.Looks, plural(r.Window.Steps, "look"), seconds(step.Seconds()),
		percentage(r.FalseAlarm), percentage(r.WrongPass))})
	add(limitTitle, r.Generated.tightLimits())
	return all
}

// metricRemarks says of the metrics why they failed, why they were not decided, and what is doubtful.
func (r *Report) metricRemarks() (failed, open, doubts []string) {
	for _, m := range r.Metrics {
		switch {
		case m.IsPart() && m.aside():
			continue // few requests have many doubts
		case m.IsPart():
		case m.Is(analysis.Undecided), m.Is(analysis.NoData):
			open = append(open, m.Name+": "+m.Reason)
		case m.Is(analysis.Fail):
			failed = append(failed, m.Name+": "+m.Reason)
		}
		for _, w := range m.Warnings {
			doubts = append(doubts, m.Name+": "+w)
		}
	}
	return failed, open, doubts
}

// actions says what was done at the verdict, what would have been in a dry run, and
// what could not.
func (r *Report) actions() []section {
	if r.Generated == nil {
		return nil
	}
	done, would, failed := section{title: "Done:"}, section{title: "Not done, in a dry run:"}, section{title: "Failed to do:"}
	if r.Generated.Observe {
		would.title = "Not done, as it only observes:"
	}
	for _, a := range r.Generated.Actions {
		into, notes := &done, a.Notes
		switch {
		case a.DryRun:
			into = &would
		case a.Error != "":
			failed.lines = append(failed.lines, a.Error)
		case a.Kind == RevertAction && len(a.Commands) == 0 && a.PullRequest == "":
			why := "the change is reverted already"
			if len(notes) > 0 {
				why, notes = notes[0], notes[1:]
			}
			into.lines = append(into.lines, "nothing: "+why)
		}
		if a.Kind == RevertAction || a.Error == "" {
			into.lines = append(into.lines, a.Commands...)
		}
		if a.Deployment != "" && (a.Error == "" || a.DryRun) {
			into.lines = append(into.lines, "mark as failed in "+a.Deployment)
		}
		if a.DryRun && a.Error != "" {
			into.lines = append(into.lines, "it would fail: "+a.Error)
		}
		if page := webPage(a.PullRequest); page != "" {
			into.pages = append(into.pages, slices.Repeat([]string{""}, len(into.lines)-len(into.pages))...)
			into.lines, into.pages = append(into.lines, "pull request"), append(into.pages, page)
		} else if a.PullRequest != "" {
			into.lines = append(into.lines, a.PullRequest)
		}
		into.lines = append(into.lines, notes...)
	}
	return []section{done, would, failed, {title: untoldTitle, lines: r.Generated.Untold}}
}

// Done lists what was done at the verdict, what would have been, and what could
// not, a line each.
func (r *Report) Done() []string {
	var lines []string
	for _, s := range r.actions() {
		if len(s.lines) == 0 {
			continue
		}
		lines = append(lines, s.title)
		for i := range s.lines {
			lines = append(lines, "  "+s.plain(i))
		}
	}
	return lines
}

// blastLines says whom the canary met, and what harm it did.
func (r *Report) blastLines() []string {
	b := r.Blast
	if b == nil {
		return nil
	}
	failed := "failed"
	if i := slices.IndexFunc(r.Metrics, func(m Metric) bool { return m.Name == b.Metric }); i >= 0 {
		failed = r.Metrics[i].words().wentWrong
	}
	of := ""
	if b.Users != nil {
		of = fmt.Sprintf(" of at least %s users", tally(float64(*b.Users)))
	}
	bad := tally(float64(b.Failed))
	if b.AtLeast {
		bad = "at least " + bad
	}
	by := ""
	if b.Metric != "" {
		by = "by " + b.Metric + ": "
	}
	line := by + fmt.Sprintf("%s requests%s met the canary, warm-up included (%s of all); %s of them %s", tally(float64(b.Requests)), of,
		percentage(float64(b.Share)), bad, failed)
	if b.Excess < 0.5 || math.IsNaN(float64(b.Excess)) {
		return []string{line}
	}
	lines := []string{line + fmt.Sprintf(", about %s more than at the baseline's rate%s", tally(math.Round(float64(b.Excess))), likely(b.Lower, b.Upper))}
	if b.Lower > 0 {
		lines = append(lines, fmt.Sprintf("had all %s requests met the canary, about %s more would have %s%s", tally(float64(b.Full.Requests)),
			tally(math.Round(float64(b.Full.Excess))), strings.Replace(failed, "were", "been", 1), likely(b.Full.Lower, b.Full.Upper)))
	}
	return lines
}

// likely writes the interval of a number of requests.
func likely(lower, upper Number) string {
	if math.IsNaN(float64(lower)) {
		return ""
	}
	return fmt.Sprintf(" (95%% interval: %s to %s)", tally(math.Round(float64(lower))), tally(math.Round(float64(upper))))
}

// compared says what the arms are.
func (r *Report) compared() []string {
	var lines []string
	if r.Service != "" {
		lines = append(lines, "service: "+r.Service)
	}
	for _, a := range []struct {
		name string
		arm  Arm
	}{{"canary", r.Arms.Canary}, {"baseline", r.Arms.Baseline}} {
		var labels []string
		for _, l := range a.arm.Labels {
			labels = append(labels, l.Name+"="+l.Value)
		}
		line := a.name + ": " + strings.Join(labels, ", ")
		if a.arm.Offset > 0 {
			line += fmt.Sprintf(", %s earlier", seconds(float64(a.arm.Offset)))
		}
		if len(labels) > 0 {
			lines = append(lines, line)
		}
	}
	return lines
}

// Clean makes text from outside harmless in one line of a terminal or a CI log: no
// control characters, none that turn the direction of what follows, and nothing
// that GitHub's runner takes for a command, which are :: at the start of a line
// and ##[ anywhere.
func Clean(s string) string {
	if rest, ok := strings.CutPrefix(strings.TrimSpace(s), "::"); ok {
		s = ": :" + rest
	}
	s = strings.ReplaceAll(s, "##[", "## [")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return '·'
		}
		return r
	}, s)
}
