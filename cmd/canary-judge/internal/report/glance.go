package report

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
)

// Marks stand before decisions, for who sees no colours.
const (
	passMark = "✓"
	failMark = "✗"
	openMark = "–"
)

// mark is what stands before the metric's decision.
func (m Metric) mark() string {
	switch {
	case m.Is(analysis.Pass):
		return passMark
	case m.Is(analysis.Fail):
		return failMark
	}
	return openMark
}

// class is that of the metric's decision in the page.
func (m Metric) class() string { return badge(m.Decision) }

// glance says when the run was decided and how sure that is, a sentence each: what the sentence of the verdict leaves
// open.
func (r *Report) glance() []string {
	var lines []string
	if r.Status != "" {
		lines = append(lines, r.Status)
	}
	if r.Window.Looks == 0 {
		return lines
	}
	lines = append(lines, r.when())
	if sure := r.certainty(); sure != "" && len(r.Overrides) == 0 {
		lines = append(lines, sure)
	}
	return lines
}

// when says when the last look was, and since when what failed the canary is there.
func (r *Report) when() string {
	w := r.Window
	number, unit := inUnits(w.End.Sub(w.Start))
	what := "Last look"
	if !r.Is(analysis.VerdictInconclusive) {
		what = "Decided"
	}
	text := fmt.Sprintf("%s at %s UTC, %s %s after the run began", what, w.End.UTC().Format(time.TimeOnly), number, unit)
	if w.Warmup > 0 && !w.End.Before(w.Judged) {
		number, unit = inUnits(w.Judged.Sub(w.Start))
		text += fmt.Sprintf(", the warm-up of %s %s included", number, unit)
	}
	if m, ok := r.worstFailed(); ok {
		began := w.Judged
		if m.Effect.Since > 0 {
			began = w.stepTime(w.Warmup + m.Effect.Since)
		}
		text += fmt.Sprintf("; %s: since %s UTC", m.Name, began.UTC().Format(time.TimeOnly))
		if m.Effect.Since == 0 {
			text += ", the first step that is judged"
		}
	}
	return text + "."
}

// worstFailed is the metric that the verdict's sentence is about, false where none failed.
func (r *Report) worstFailed() (m Metric, ok bool) {
	failed := r.deciding(analysis.Fail)
	if !r.Is(analysis.VerdictFail) || len(failed) == 0 {
		return m, false
	}
	slices.SortStableFunc(failed, wholesFirst)
	return failed[0], true
}

// certainty says how sure the verdict is, about this canary: the limits of all metrics hold at all looks together, each with
// its share of the run's error.
func (r *Report) certainty() string {
	if r.Is(analysis.VerdictPass) {
		return fmt.Sprintf("How sure: each is within its tolerance, or below its floor, with %s confidence, over all looks.", percentage(1-r.WrongPass))
	}
	m, ok := r.worstFailed()
	if !ok {
		return ""
	}
	e, t := m.Effect, m.Tolerance
	s := styleOf(e)
	up := !math.IsNaN(float64(t.Upper)) && e.Lower > t.Upper
	limit, most := e.Lower, "at least"
	if !up {
		limit, most = e.Upper, "at most"
	}
	if math.IsNaN(float64(limit)) {
		return ""
	}
	return fmt.Sprintf("How sure: %s %s %s, with %s confidence, over all looks and metrics.", m.Name,
		most, limitPhrase(float64(limit), e.Unit, s), percentage(1-r.FalseAlarm))
}

// limitPhrase writes a limit of a change as part of a sentence.
func limitPhrase(limit float64, unit string, s style) string {
	text := change(limit, unit, s, estimated)
	if unit == relativeUnit && s == asMultiple && !math.IsInf(limit, 0) {
		return text + " the baseline"
	}
	return text + " against the baseline"
}

// nextTitle heads what is to be done.
const nextTitle = "Next:"

// nextLines says what to do, as commands where there are some.
func (r *Report) nextLines() []string {
	return append([]string{r.next()}, r.commands()...)
}

// commands are what can be run next.
func (r *Report) commands() []string {
	tried := r.Generated != nil && slices.ContainsFunc(r.Generated.Actions, func(a Action) bool { return a.Kind == RevertAction && !a.DryRun })
	observed := r.Generated != nil && r.Generated.Observe
	switch {
	case r.Is(analysis.VerdictFail) && r.Change != nil && !tried && !observed:
		return []string{"canary-judge revert result.json    (result.json: what -o json=result.json saved)"}
	case r.Is(analysis.VerdictInconclusive) && len(r.deciding(analysis.NoData)) > 0:
		return []string{"canary-judge check --live"}
	}
	return nil
}

// words that the reports use in a sense of their own, explained where they stand.
var glossary = []pageFact{
	{"arm", "one of the two that are compared: the canary, or the baseline, which runs what ran before"},
	{"look", "one evaluation of all that was seen so far; there is one after every step, and the error rates hold over all of them"},
	{"interval", "where the true change lies, as far as the data can tell; it holds over all looks together, so it is wide"},
	{"tolerated", "the largest change that is accepted, by the config"},
	{"floor", "a rate so low that it is fine whatever the baseline has"},
	{"advisory", "measured and shown, and never part of the verdict"},
	{"hold", "never fails the run, but nothing passes or goes on while the metric is beyond its tolerance"},
	{"blast radius", "how many requests met the canary, and what harm that did them"},
	{"exposure", "the share of the requests that the canary got, against the share it should get"},
}
