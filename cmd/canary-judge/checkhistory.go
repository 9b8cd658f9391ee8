package main

import (
	"context"
	"fmt"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
)

// describeHistory says what a run will look at before its first step.
func (a *app) describeHistory(c *config.Config) {
	if !c.AnyLearns() {
		return
	}
	what := fmt.Sprintf("both arms, up to %s before the run", providers.Duration(c.History.Length))
	if by := c.History.Instances; by != "" {
		what = fmt.Sprintf("each instance of the baseline by %s, up to %s before the run", by, providers.Duration(c.History.Length))
	}
	if c.History.Days > 0 {
		what = fmt.Sprintf("%d earlier windows, each %s before the next, whose mean is the baseline", c.History.Days, providers.Duration(c.Arms[providers.Baseline].Offset))
	}
	if warmup := job.LearnedWarmup(c.Window); warmup > c.Window.Warmup {
		what += fmt.Sprintf("; where that is used, the warm-up is %s", providers.Duration(time.Duration(warmup)*c.Window.Step))
	}
	fmt.Fprintf(a.stdout, "history: %s\n", what)
}

// checkHistory asks for what a run that started now would look at before its first step, and
// says how much of it there is.
func (a *app) checkHistory(ctx context.Context, c *config.Config, opened map[string]providers.Provider) error {
	step := c.Window.Step
	h, err := job.LookBack(ctx, c, opened, time.Now().UTC().Truncate(step).Add(step))
	if err != nil {
		return exit{exitNotJudged, err}
	}
	if h == nil {
		return nil
	}
	if c.History.Days > 0 {
		fmt.Fprintf(a.stdout, "\nhistory, as if a run started now: %d earlier windows of %d\n", len(h.Back), c.History.Days)
	} else {
		fmt.Fprintf(a.stdout, "\nhistory, as if a run started now: %s to %s, %s\n", h.Since.Format(time.DateTime), h.To.Format(time.DateTime), providers.Duration(h.To.Sub(h.Since)))
	}
	for _, s := range h.Seen {
		fmt.Fprintf(a.stdout, "  %s: %s\n", report.Clean(s.Metric), seenText(s, c.History))
	}
	a.describeChances(c, h.Chances)
	for _, note := range h.Notes {
		fmt.Fprintf(a.stdout, "  %s\n", report.Clean(note))
	}
	return nil
}

// describeChances says how likely a good canary passes, and what it takes where that is not.
func (a *app) describeChances(c *config.Config, chances job.Chances) {
	if len(chances) == 0 {
		return
	}
	fmt.Fprintf(a.stdout, "\nwith the noise of that time an unchanged canary passes in this window with %s, as far as it tells (metrics that have to pass and have a history: %d)\n", chances.Percent(), len(chances))
	for _, chance := range chances {
		if takes := chance.Takes(c); takes != "" {
			fmt.Fprintf(a.stdout, "  %s passes by itself with %s: %s\n", report.Clean(c.Metrics[chance.Metric].Name), chance.Percent(), takes)
		}
	}
}

// seenText says how much there is of a metric, and what follows if it is too little.
func seenText(s job.Seen, h *config.History) string {
	if h.Instances != "" {
		return instancesText(s)
	}
	if h.Days > 0 {
		text := fmt.Sprintf("all earlier windows have data in %d of %d steps", s.Usable, s.Steps)
		if s.Windows < analysis.LeastHistoryDays {
			text += fmt.Sprintf("; %d windows are needed", analysis.LeastHistoryDays)
		}
		return text
	}
	text := fmt.Sprintf("%d usable pairs of %d", s.Usable, s.Steps)
	if s.Usable < s.Least {
		text += fmt.Sprintf(", %d needed: noise would be assumed, not learned", s.Least)
	}
	return text
}

// instancesText says how many instances of a metric there are, and what follows if they are too few.
func instancesText(s job.Seen) string {
	text := fmt.Sprintf("instances of the baseline: %d, of the canary: %d; %d usable steps of %d", s.Baseline, s.Canary, s.Usable, s.Steps)
	const assumed = "noise would be assumed, not learned"
	switch {
	case s.Baseline < analysis.LeastHistoryInstances:
		text += fmt.Sprintf("; %d of the baseline are needed: %s", analysis.LeastHistoryInstances, assumed)
	case s.Usable < s.Least:
		text += fmt.Sprintf(", %d needed: %s", s.Least, assumed)
	}
	return text
}
