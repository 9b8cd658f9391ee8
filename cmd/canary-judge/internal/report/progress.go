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
	"github.com/canary-judge/canary-judge/providers"
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

// Beginning says what a run compares, and until when: for who watches it before there is a look.
func Beginning(c *config.Config, start time.Time) string {
	w := c.Window
	judged := start.Add(time.Duration(w.Warmup) * w.Step)
	end := judged.Add(w.Length())
	var labels []string
	for _, arm := range []providers.Arm{providers.Canary, providers.Baseline} {
		var some []string
		for _, l := range c.Arms[arm].Labels {
			some = append(some, l.Name+"="+l.Value)
		}
		if len(some) > 0 {
			labels = append(labels, fmt.Sprintf("the %s (%s)", arm, strings.Join(some, ", ")))
		}
	}
	text := ""
	if len(labels) == 2 {
		text = " of " + strings.Join(labels, " against ")
	}
	return fmt.Sprintf("comparing %s%s, one look every %s from %s to %s UTC", plural(len(c.Metrics), "metric"), text, seconds(w.Step.Seconds()),
		judged.UTC().Format(time.TimeOnly), end.UTC().Format(time.TimeOnly))
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
	wholes := 0
	for _, m := range c.Plan.Metrics {
		if m.Of == "" {
			wholes++
		}
	}
	for i, m := range c.Plan.Metrics {
		if m.Of != "" {
			continue
		}
		if len(parts) == mostInLine && wholes > mostInLine+1 {
			parts = append(parts, fmt.Sprintf("%d more", wholes-mostInLine))
			break
		}
		parts = append(parts, Clean(m.Name)+" "+brief(effects[i], decisions[i], c, i))
	}
	if i := worstPart(effects, decisions, c); i >= 0 {
		parts = append(parts, "of the segments the worst is "+Clean(c.Plan.Metrics[i].Name)+" "+brief(effects[i], decisions[i], c, i))
	}
	if look.Settling {
		line += ", not judged: the traffic settles"
	}
	if look.Verdict != analysis.VerdictInconclusive {
		line += " " + strings.ToUpper(look.Verdict.String())
	}
	return line + ": " + strings.Join(append(parts, guardsOf(look)...), "; ")
}

// guardsOf says which guards fail the canary at a look, and why, and which keep it from
// passing; of those that are quiet nothing.
func guardsOf(look job.Look) []string {
	var lines []string
	for i, g := range look.Judge.Guards() {
		switch said := look.Guards[i]; g.State {
		case analysis.GuardAlerting:
			lines = append(lines, Clean(g.Name+" fails it: "+said.Detail))
		case analysis.GuardUnread:
			lines = append(lines, Clean(g.Name)+" is not read")
		}
	}
	return lines
}

// brief describes a metric in a few words.
func brief(e analysis.Effect, d analysis.Decision, c *config.Config, i int) string {
	effect, limits := against(e, c, i)
	text := tooEarly
	if !math.IsNaN(e.Lower) || !math.IsNaN(e.Upper) {
		s := styleOf(effect)
		text = interval(effect, limits, s)
		if !math.IsNaN(e.Estimate) && text != tooEarly {
			text = fmt.Sprintf("%s (%s)", change(e.Estimate, effect.Unit, s, estimated), text)
		}
	}
	if d != analysis.Undecided {
		text += " " + d.String()
	}
	return text
}

// against returns the effect of the metric at an index, and the tolerance that it is held against.
func against(e analysis.Effect, c *config.Config, i int) (Effect, Tolerance) {
	unit := unitOf(c.Plan.Metrics[i], c.Metrics[i].Unit)
	return Effect{Number(e.Estimate), Number(e.Lower), Number(e.Upper), unit, e.Since}, tolerance(c.Plan.Metrics[i], unit)
}

// worstPart returns the index of the metric that is worst in a segment, -1 where none has been
// looked at.
func worstPart(effects []analysis.Effect, decisions []analysis.Decision, c *config.Config) int {
	worst, most := -1, math.Inf(-1)
	for i, m := range c.Plan.Metrics {
		if m.Of == "" || m.Advisory {
			continue
		}
		effect, limits := against(effects[i], c, i)
		reach := Metric{Effect: effect, Tolerance: limits}.reach()
		if decisions[i] == analysis.Fail {
			reach = math.Inf(1)
		}
		if reach > most {
			worst, most = i, reach
		}
	}
	return worst
}
