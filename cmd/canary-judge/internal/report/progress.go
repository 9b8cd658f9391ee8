package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
)

// Log tells how a run goes in one line a look, for a log.
type Log struct {
	To     io.Writer
	Config *config.Config
	Quiet  bool // troubles only

	trouble string // the last one told
}

// Wait implements job.Progress: a log waits silently.
func (l *Log) Wait(time.Time) {}

// Trouble implements job.Progress.
func (l *Log) Trouble(err error) {
	text := "trouble, will try again at the next step: " + Clean(err.Error())
	if text == l.trouble {
		text = "the same trouble, will try again"
	} else {
		l.trouble = text
	}
	fmt.Fprintf(l.To, "%s %s\n", time.Now().UTC().Format(time.TimeOnly), text)
}

// Look implements job.Progress.
func (l *Log) Look(look job.Look) {
	l.trouble = ""
	if !l.Quiet {
		fmt.Fprintln(l.To, lookLine(l.Config, look))
	}
}

// Note implements job.Progress.
func (l *Log) Note(text string) {
	if !l.Quiet {
		fmt.Fprintln(l.To, Clean(text))
	}
}

// mostInLine is how many metrics a line of a look describes.
const mostInLine = 4

// lookLine describes a look in one line.
func lookLine(c *config.Config, look job.Look) string {
	step := c.Window.Step
	line := fmt.Sprintf("%s look %d of %d", look.Time.UTC().Format(time.TimeOnly), look.Number, look.Planned)
	if look.Judge == nil {
		return fmt.Sprintf("%s recorded %d of %d steps", look.Time.UTC().Format(time.TimeOnly), look.Number, look.Planned)
	}
	line += " (" + span(time.Duration(look.Number)*step, time.Duration(look.Planned)*step) + ")"
	effects, decisions := look.Judge.Effects(), look.Judge.Decisions()
	var parts []string
	for i, m := range c.Plan.Metrics {
		if len(parts) == mostInLine && len(c.Plan.Metrics) > mostInLine+1 {
			parts = append(parts, fmt.Sprintf("%d more", len(c.Plan.Metrics)-i))
			break
		}
		parts = append(parts, Clean(m.Name)+" "+brief(effects[i], decisions[i], c, i))
	}
	if look.Verdict != analysis.Inconclusive {
		line += " " + strings.ToUpper(look.Verdict.String())
	}
	return line + ": " + strings.Join(parts, "; ")
}

// brief describes a metric in a few words.
func brief(e analysis.Effect, d analysis.Decision, c *config.Config, i int) string {
	unit := relativeUnit
	switch m := c.Plan.Metrics[i]; {
	case m.Tolerance.Absolute && m.Kind == analysis.Value:
		unit = c.Metrics[i].Unit
	case m.Tolerance.Absolute:
		unit = pointsUnit
	}
	limits := Tolerance{Lower: Number(math.NaN()), Upper: Number(math.NaN()), Unit: unit}
	effect := Effect{Number(e.Estimate), Number(e.Lower), Number(e.Upper), unit, e.Since}
	text := "too early"
	if !math.IsNaN(e.Lower) || !math.IsNaN(e.Upper) {
		s := styleOf(effect)
		text = interval(effect, limits, s)
		if !math.IsNaN(e.Estimate) {
			text = fmt.Sprintf("%s (%s)", change(e.Estimate, unit, s, estimated), text)
		}
	}
	if d != analysis.Undecided {
		text += " " + d.String()
	}
	return text
}

// Terminal tells how a run goes on a terminal, in lines that are written over.
type Terminal struct {
	To     io.Writer
	Config *config.Config
	Width  func() int // columns of the terminal

	last  *job.Look
	note  string
	lines int // written, and to be written over
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
func (t *Terminal) Note(text string) {
	t.erase()
	t.lines = 0
	fmt.Fprintln(t.To, Clean(text))
}

// Clear removes what was drawn, before the report.
func (t *Terminal) Clear() {
	t.erase()
	t.lines = 0
}

func (t *Terminal) erase() {
	if t.lines > 0 {
		fmt.Fprintf(t.To, "\x1b[%dA\x1b[J", t.lines)
	}
}

func (t *Terminal) draw() {
	var lines []string
	if t.last != nil {
		lines = t.table()
	}
	if t.note != "" {
		lines = append(lines, t.note)
	}
	t.erase()
	width := t.Width()
	for _, line := range lines {
		if runes := []rune(line); len(runes) >= width && width > 1 {
			line = string(runes[:width-2]) + "…"
		}
		fmt.Fprintln(t.To, line)
	}
	t.lines = len(lines)
}

// table describes the last look, a line a metric.
func (t *Terminal) table() []string {
	look := *t.last
	if look.Judge == nil {
		return []string{lookLine(t.Config, look)}
	}
	step := t.Config.Window.Step
	lines := []string{fmt.Sprintf("look %d of %d, %s", look.Number, look.Planned,
		span(time.Duration(look.Number)*step, time.Duration(look.Planned)*step))}
	effects, decisions := look.Judge.Effects(), look.Judge.Decisions()
	longest := 0
	for _, m := range t.Config.Plan.Metrics {
		longest = max(longest, len([]rune(m.Name)))
	}
	for i, m := range t.Config.Plan.Metrics {
		lines = append(lines, fmt.Sprintf("  %-*s  %s", min(longest, 40), Clean(m.Name), brief(effects[i], decisions[i], t.Config, i)))
	}
	return lines
}
