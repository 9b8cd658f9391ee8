package ledger

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

// JSON writes a summary as JSON.
func (s *Summary) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(s)
}

// Text writes a summary for people.
func (s *Summary) Text(w io.Writer) error {
	var b strings.Builder
	for i, p := range s.parts(s.weeks()) {
		if i > 0 {
			b.WriteByte('\n')
		}
		if p.Title != "" {
			b.WriteString(p.Title + "\n")
		}
		if len(p.Rows) > 0 {
			b.WriteString(plainTable(p.Columns, p.Rows) + "\n")
		}
		for _, line := range p.Lines {
			b.WriteString(line + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// part is a part of a summary as it is shown.
type part struct {
	Title   string
	Columns []string
	Rows    [][]string
	Bars    []bar // of weeks, in the page
	Lines   []string
}

// parts are what is shown of a summary, in every format for people, with what shows the weeks. All texts are clean.
func (s *Summary) parts(weeks part) []part {
	if s.Runs == 0 {
		return clean([]part{{Lines: append([]string{"The ledger has no run yet: canary-judge run --ledger FILE adds one a run."}, s.Skipped...)}})
	}
	all := []part{{Lines: append([]string{s.sentence()}, s.times()...)}, s.worth(), weeks, s.metrics()}
	if len(s.Overrides) > 0 {
		p := part{Title: "Overridden"}
		for _, o := range s.Overrides {
			p.Lines = append(p.Lines, fmt.Sprintf("%s: to %s by %s, because %s", o.Run, o.Verdict, o.By, o.Because))
		}
		all = append(all, p)
	}
	if len(s.Skipped) > 0 {
		all = append(all, part{Title: "Left out", Lines: s.Skipped})
	}
	return clean(all)
}

// sentence is the summary in one.
func (s *Summary) sentence() string {
	services := ""
	if n := len(s.Services); n > 0 && n <= 3 {
		services = " of " + english.WordSeries(s.Services, "and")
	} else if n > 0 {
		services = " of " + english.Plural(n, "service", "")
	}
	pass, fail, open, broken, observed := 0, 0, 0, 0, 0
	for _, w := range s.Weeks {
		pass, fail, open, broken, observed = pass+w.Pass, fail+w.Fail, open+w.Inconclusive, broken+w.NotJudged, observed+w.Observed
	}
	line := fmt.Sprintf("%s%s, %s to %s: %d passed, %d failed, %d inconclusive, %d not judged.",
		english.Plural(s.Runs, "run", ""), services, s.From.UTC().Format(time.DateOnly), s.To.UTC().Format(time.DateOnly), pass, fail, open, broken)
	if observed > 0 {
		line += fmt.Sprintf(" %d of them only observed.", observed)
	}
	return line
}

// times says how long verdicts took.
func (s *Summary) times() []string {
	var lines []string
	for _, o := range s.Outcomes {
		line := fmt.Sprintf("%s took %s in the median", map[string]string{"pass": "A pass", "fail": "A fail", "inconclusive": "What stayed inconclusive"}[o.Outcome], duration(o.Median))
		if o.Runs >= 10 {
			line += ", nine of ten at most " + duration(o.P90)
		}
		lines = append(lines, line+".")
	}
	return lines
}

// worth says whether the judge was right, as far as anybody has said.
func (s *Summary) worth() part {
	p := part{Title: "Was it right?"}
	if s.Good.Runs+s.Bad.Runs == 0 {
		p.Lines = append(p.Lines, "Nobody has said yet which changes were good and which were bad, so there is no telling.")
	}
	if t := s.Good; t.Runs > 0 {
		p.Lines = append(p.Lines, fmt.Sprintf("Of %s that %s good, %d passed, %d failed%s: false alarms %s.",
			english.Plural(t.Runs, "change", ""), were(t.Runs), t.Pass, t.Fail, t.rest(), t.share()))
	}
	if t := s.Bad; t.Runs > 0 {
		p.Lines = append(p.Lines, fmt.Sprintf("Of %s that %s bad, %d failed, %d passed%s: missed %s.",
			english.Plural(t.Runs, "change", ""), were(t.Runs), t.Fail, t.Pass, t.rest(), t.share()))
	}
	if sp := s.Spared; sp != nil {
		p.Lines = append(p.Lines, fmt.Sprintf("The bad changes that failed met %s requests, of which about %s failed because of them; had all traffic met them as long, about %s would have.",
			count(sp.Requests), count(sp.Excess), count(sp.AtFull)))
	}
	for _, d := range s.Derived {
		p.Lines = append(p.Lines, fmt.Sprintf("Run %s counts as %s: %s.", d.Run, d.Truth, d.Because))
	}
	if n := len(s.Unlabelled); n > 0 {
		p.Lines = append(p.Lines, fmt.Sprintf("Nobody has said whether %s right; the newest: %s.", english.PluralWord(n, "this fail was", fmt.Sprintf("these %d fails were", n)), strings.Join(s.Unlabelled[:min(n, 3)], "; ")))
	}
	if len(s.Unlabelled) > 0 || s.Good.Runs+s.Bad.Runs == 0 {
		p.Lines = append(p.Lines, `Say so with: canary-judge ledger label RUN good|bad --because "…" --ledger FILE`)
	}
	return p
}

// rest names the outcomes that are neither right nor wrong.
func (t Truth) rest() string {
	out := ""
	if t.Inconclusive > 0 {
		out += fmt.Sprintf(", %d %s inconclusive", t.Inconclusive, were(t.Inconclusive))
	}
	if t.NotJudged > 0 {
		out += fmt.Sprintf(", %d could not be judged", t.NotJudged)
	}
	return out
}

// share writes the share of wrong verdicts with its limits.
func (t Truth) share() string {
	if math.IsNaN(float64(t.Wrong)) {
		return "cannot be told"
	}
	return fmt.Sprintf("%s (95%% confidence: %s to %s)", percent(t.Wrong), percent(t.Lower), percent(t.Upper))
}

// weeks is the table of weeks.
func (s *Summary) weeks() part {
	p := part{Title: "By week, of its Monday", Columns: []string{"WEEK", "RUNS", "PASS", "FAIL", "INCONCLUSIVE", "NOT JUDGED"}}
	for _, w := range s.Weeks {
		p.Rows = append(p.Rows, append([]string{w.Monday}, numbers(w.Runs, w.Pass, w.Fail, w.Inconclusive, w.NotJudged)...))
	}
	return p
}

// metrics is the table of what decided, and what kept runs from a decision.
func (s *Summary) metrics() part {
	p := part{Title: "What decided", Columns: []string{"METRIC", "RUNS", "FAILED", "FALSE", "OPEN", "ALONE", "NO DATA", "LAST"}}
	for _, m := range s.Metrics {
		name := m.Name
		if len(s.Services) > 1 && m.Service != "" {
			name = m.Service + ": " + name
		}
		if m.Advisory {
			name += " (advisory)"
		}
		p.Rows = append(p.Rows, append([]string{name}, numbers(m.Runs, m.Failed, m.Alarms, m.Kept, m.Alone, m.NoData, m.Last)...))
	}
	for _, g := range s.Guards {
		p.Lines = append(p.Lines, fmt.Sprintf("The guard %s failed %s.", g.Name, english.Plural(g.Failed, "run", "")))
	}
	p.Lines = append(p.Lines, "Failed: runs that it failed; false: those of them labelled good.",
		"Open: inconclusive runs in which it was undecided; alone: nothing else was.",
		"Last: runs that passed when it did, and not before.")
	return p
}

func numbers(all ...int) []string {
	var out []string
	for _, n := range all {
		out = append(out, humanize.Comma(int64(n)))
	}
	return out
}

func were(n int) string { return english.PluralWord(n, "was", "were") }

// percent writes a rate: 0.0473 is 4.7%.
func percent(rate report.Number) string {
	p := float64(rate) * 100
	switch {
	case p == 0 || p >= 99.95:
		return fmt.Sprintf("%.0f%%", p)
	case p < 0.1:
		return "below 0.1%"
	}
	return fmt.Sprintf("%.1f%%", p)
}

// duration writes a time.
func duration(seconds report.Number) string {
	switch s := float64(seconds); {
	case s < 120:
		return fmt.Sprintf("%.0f s", s)
	case s < 7200:
		return humanize.FtoaWithDigits(s/60, 1) + " min"
	default:
		return humanize.FtoaWithDigits(s/3600, 1) + " h"
	}
}

// count writes a number of requests.
func count(n report.Number) string { return humanize.Comma(int64(math.Round(float64(n)))) }

// clean makes all texts of parts fit to be shown.
func clean(parts []part) []part {
	for _, p := range parts {
		for i := range p.Lines {
			p.Lines[i] = report.Clean(p.Lines[i])
		}
		for _, row := range p.Rows {
			for i := range row {
				row[i] = report.Clean(row[i])
			}
		}
	}
	return parts
}

// plainTable draws a table without lines, numbers to the right.
func plainTable(columns []string, rows [][]string) string {
	t := table.NewWriter()
	t.SetStyle(table.Style{Box: table.BoxStyle{PaddingRight: "  "}, Options: table.Options{}})
	t.Style().Format.Header = text.FormatDefault
	var configs []table.ColumnConfig
	header := table.Row{}
	for i, c := range columns {
		header = append(header, c)
		if i > 0 {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	for _, row := range rows {
		cells := table.Row{}
		for _, cell := range row {
			cells = append(cells, cell)
		}
		t.AppendRow(cells)
	}
	lines := strings.Split(t.Render(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
