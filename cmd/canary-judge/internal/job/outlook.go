package job

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
)

// Chances are what the history says beforehand of the metrics that have to pass, the least
// likely first.
type Chances []Chance

// Chance is the outlook of a metric.
type Chance struct {
	Metric int
	analysis.Outlook
}

// chancesOf returns the chances of a plan's metrics, as far as a history tells them.
func chancesOf(p analysis.Plan, outlooks []analysis.Outlook) Chances {
	var all Chances
	for i, o := range outlooks {
		if p.Metrics[i].MustPass() && !math.IsNaN(o.Passes) {
			all = append(all, Chance{i, o})
		}
	}
	slices.SortStableFunc(all, func(a, b Chance) int { return cmp.Compare(a.Passes, b.Passes) })
	return all
}

// All returns about how likely all of them pass, as if their noise were independent: it is
// likelier where they have it in common. 1 for none.
func (c Chances) All() float64 {
	all := 1.0
	for _, one := range c {
		all *= one.Passes
	}
	return all
}

const (
	// likelyEnough is the chance of a run from which on there is nothing to say.
	likelyEnough = 0.5
	// mostUnlikely is how many metrics a note names.
	mostUnlikely = 3
)

// note says at the start of a run that a good canary will hardly pass; "" where it will.
func (c Chances) note(of *config.Config) string {
	if c.All() >= likelyEnough {
		return ""
	}
	var worst []string
	for _, one := range c[:min(len(c), mostUnlikely)] {
		worst = append(worst, fmt.Sprintf("%s by itself with %s", of.Metrics[one.Metric].Name, one.Percent()))
	}
	return fmt.Sprintf("going on, but with the noise there was before the run an unchanged canary passes in this window with %s only (%s): judge for longer, tolerate more, or make what need not pass fail_only; check --live says how much it takes",
		percent(c.All()), strings.Join(worst, ", "))
}

// Percent writes the chance of all of them to pass.
func (c Chances) Percent() string { return percent(c.All()) }

// Percent writes the chance of the metric to pass.
func (c Chance) Percent() string { return percent(c.Passes) }

func percent(chance float64) string {
	switch {
	case chance < 0.01:
		return "less than 1%"
	case chance > 0.99:
		return "more than 99%"
	}
	return fmt.Sprintf("about %.0f%%", 100*chance)
}

// Takes says what it takes for an unchanged canary to pass likely: so many steps or such a
// tolerance; "" where this window will do.
func (c Chance) Takes(of *config.Config) string {
	if c.Steps > 0 && c.Steps <= of.Window.Steps {
		return ""
	}
	m, unit := of.Plan.Metrics[c.Metric], of.Metrics[c.Metric].Unit
	tolerance := fmt.Sprintf("%.2g%%", 100*c.Tolerance)
	switch {
	case m.Tolerance.Absolute && m.Amount() == analysis.OwnUnits:
		tolerance = strings.TrimSpace(fmt.Sprintf("%.2g %s", c.Tolerance, unit))
	case m.Tolerance.Absolute:
		tolerance = fmt.Sprintf("%.2gpt", 100*c.Tolerance)
	}
	var ways []string
	if c.Steps > 0 {
		ways = append(ways, fmt.Sprintf("a window of about %d steps (length: %s)", c.Steps, of.Length(c.Steps)))
	}
	if c.Tolerance > 0 {
		ways = append(ways, "a tolerance of about "+tolerance)
	}
	if len(ways) == 0 {
		return ""
	}
	return "it takes " + strings.Join(ways, ", or ")
}

// noteChances says at the start what will hardly pass.
func (r *underWay) noteChances() {
	if text := chancesOf(r.Config.Plan, r.judge.Outlooks()).note(r.Config); text != "" {
		r.Progress.Note(text)
	}
}
