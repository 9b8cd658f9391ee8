package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// History is what came of a metric's history: what was seen of it before the run.
type History struct {
	Steps   int    `json:"steps" doc:"Steps of the history, those without data among them"`
	Usable  int    `json:"usable_steps" doc:"Steps that could be compared"`
	Cut     int    `json:"cut,omitempty" doc:"Steps that could be compared and do not count, before the difference between the arms changed"`
	Ignored string `json:"ignored,omitempty" doc:"Why the metric was judged without its history"`
	Trust   Number `json:"trust" doc:"Probability that the noise of the run is of the history's kind; below 0.5 the history was discounted; null before the first look"`
	Noise   Number `json:"noise" doc:"Standard deviation of the difference between the arms in a step, as a fraction of the baseline or, with an absolute tolerance, in its unit; null for counts"`
	Excess  Number `json:"excess" doc:"Variance of the counts as a multiple of that of independent events; null for values"`
	// Offset and OffsetError are in the unit of the effect.
	Offset      Number `json:"offset" doc:"By how much the canary differed from the baseline in the history, in the unit of the effect; null = it does not tell"`
	OffsetError Number `json:"offset_error" doc:"Standard error of the offset, in the same unit"`
	Removed     bool   `json:"offset_removed,omitempty" doc:"The offset was taken out of the effect"`
	Uncertain   bool   `json:"offset_uncertain,omitempty" doc:"The offset was to be taken out and is not known well enough"`
	Between     Number `json:"between,omitempty" doc:"Standard deviation of the difference between the arms that machines alone, or days, make and the interval allows for, as a fraction or, of a value with an absolute tolerance, in its unit"`
	// Instances are told of where the baseline's were looked at one by one.
	Instances   *HistoryInstances `json:"instances,omitempty" doc:"How many instances the noise and the difference between machines were learned from"`
	MuchNoisier bool              `json:"much_noisier,omitempty" doc:"The history was much noisier than the run"`
	Says        string            `json:"says" doc:"What came of it in one sentence"`
	// Series has at most mostHistoryPoints a line.
	Series HistorySeries `json:"series" doc:"The history over time, evenly thinned out; of what share a place the smallest and the largest stay"`
}

// HistoryInstances is how many instances the arms have.
type HistoryInstances struct {
	Learned  int `json:"learned" doc:"Instances of the baseline that were looked at one by one"`
	Baseline int `json:"baseline" doc:"Instances of the baseline at the start of the run"`
	Canary   int `json:"canary" doc:"Instances of the canary; 1 where none had shown anything yet"`
}

// HistorySeries is a history over time: both arms, or the range of several instances or days.
type HistorySeries struct {
	Baseline []Number `json:"baseline,omitempty" doc:"Value, rate or quantile of the baseline"`
	Canary   []Number `json:"canary,omitempty" doc:"The same of the canary"`
	Low      []Number `json:"low,omitempty" doc:"The lowest of the instances or days"`
	High     []Number `json:"high,omitempty" doc:"The highest of them"`
	Days     bool     `json:"days,omitempty" doc:"The range is of earlier days, in the judged steps of the run"`
}

// history is what came of a metric's history, nil when it had none.
func (b builder) history(m Metric, from analysis.MetricResult) *History {
	l := from.Learned
	if l == nil {
		return nil
	}
	h := &History{
		Steps: l.Steps, Usable: l.Usable, Cut: l.Cut, Ignored: string(l.Cause), Trust: Number(l.Trust), Noise: Number(l.Noise), Excess: Number(l.Excess),
		Offset: Number(l.Offset), OffsetError: Number(offsetError(l, from)), Removed: l.OffsetRemoved, Uncertain: l.OffsetUncertain,
		Between: Number(l.Between), MuchNoisier: l.MuchNoisier,
	}
	if of := from.History; of != nil && of.Instances != nil {
		h.Instances = &HistoryInstances{len(of.Instances), of.BaselineInstances, of.CanaryInstances}
	}
	if from.History != nil {
		h.Series = historySeries(from.Metric, from.Elapsed)
	}
	h.Says = h.says(m, from, b.config.Window.Step)
	return h
}

// offsetError returns the standard error of an offset in the units of the effect. A ratio is
// compared by its logarithm, whose error is a share of the ratio.
func offsetError(l *analysis.HistoryResult, from analysis.MetricResult) float64 {
	if from.Tolerance.Absolute {
		return l.OffsetError
	}
	return l.OffsetError * (1 + l.Offset)
}

// plainOffset is how many standard errors of the offset make it plain that there is one
// (docs/statistics/history.md).
const plainOffset = 3

// doubtedTrust is the trust below which a history was discounted
// (docs/statistics/history.md).
const doubtedTrust = 0.5

// says tells in one sentence what came of a history, what matters most first.
func (h *History) says(m Metric, from analysis.MetricResult, step time.Duration) string {
	if h.Ignored != "" {
		return h.ignored(from)
	}
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if h.Trust < doubtedTrust {
		add("noise differs from the history's: history discounted (trust %.2f)", float64(h.Trust))
	}
	if h.MuchNoisier {
		add("the history is much noisier than the run (an incident in it?); the run was judged by the larger noise")
	}
	switch {
	case h.Removed:
		add("%s that was there before is taken out of the change", h.offset(m))
	case h.Uncertain:
		add("the history is too short or too unsteady to say whether the machines differ (%s); nothing was removed", h.offset(m))
	case h.plain() && !h.beyond(m):
		add("%s", h.kept(m))
	}
	switch of := from.History; {
	case !(h.Between > 0):
	case of != nil && len(of.Days) > 0:
		add("days differ by %s, which the interval allows for", h.between(m))
	case of != nil:
		add("machines alone make a canary of %s differ by %s from a baseline of %d, which the interval allows for",
			plural(of.CanaryInstances, "instance"), h.between(m), of.BaselineInstances)
	}
	learned := "noise learned from " + h.source(from, step)
	if h.Cut > 0 {
		learned += "; the difference between the arms changed before those (was another canary there?)"
	}
	add("%s", learned)
	return strings.Join(all, "; ")
}

// ignored says why a metric was judged without its history.
func (h *History) ignored(from analysis.MetricResult) string {
	const assumed = "noise assumed, not learned"
	switch cause := from.Learned.Cause; {
	case from.History != nil && cause == analysis.HistoryTooFewInstances:
		return fmt.Sprintf("%s of the baseline, %d needed: %s", plural(len(from.History.Instances), "instance"), analysis.LeastHistoryInstances, assumed)
	case cause == analysis.HistoryShifted:
		return fmt.Sprintf("the difference between the arms changed in it (was another canary there?), and there are only %s since: %s; history.since says what counts", plural(h.Usable, "pair"), assumed)
	case cause == analysis.HistoryOfBursts:
		return "its counts came in bursts, or an incident is in it: " + assumed + "; with history in the config it is learned from all the same"
	case cause == analysis.HistoryTooShort:
		return fmt.Sprintf("%s of %d, %d needed: %s", plural(h.Usable, "usable pair"), h.Steps, analysis.LeastHistory, assumed)
	case cause == analysis.HistoryNotPositive:
		return "too many of its values are not positive, which have no ratio: " + assumed
	case cause == analysis.HistoryTooFewDays && from.History != nil:
		return fmt.Sprintf("before/after needs %d earlier days, there are %d", analysis.LeastHistoryDays, len(from.History.Days))
	case cause == analysis.HistoryOfChecks:
		return h.Ignored
	}
	return h.Ignored + ": " + assumed
}

// source says what a history is of.
func (h *History) source(from analysis.MetricResult, step time.Duration) string {
	steps := plural(h.Steps, "step")
	if h.Usable < h.Steps {
		steps = fmt.Sprintf("%d of %s", h.Usable, steps)
	}
	switch of := from.History; {
	case of != nil && len(of.Days) > 0:
		return plural(len(of.Days), "earlier day")
	case of != nil && len(of.Instances) > 0:
		each := h.Steps / len(of.Instances)
		return fmt.Sprintf("%d instances of the baseline, %s before the deployment (%s), %d of %d usable", len(of.Instances),
			plural(each, "step"), seconds((time.Duration(each) * step).Seconds()), h.Usable, h.Steps)
	}
	return fmt.Sprintf("%s before the deployment (%s)", steps, seconds((time.Duration(h.Steps) * step).Seconds()))
}

// between writes by how much days, or machines, make the arms differ. Counts are compared by their ratio,
// whatever is tolerated.
func (h *History) between(m Metric) string {
	if m.Effect.Unit != relativeUnit && finite(float64(h.Noise)) {
		return strings.TrimPrefix(change(float64(h.Between), m.Effect.Unit, asPercentage, estimated), "+")
	}
	return percentage(roundTo(float64(h.Between), estimated))
}

// plain reports whether the arms plainly differed before the deployment.
func (h *History) plain() bool {
	return math.Abs(float64(h.Offset)) > plainOffset*float64(h.OffsetError)
}

// beyond reports whether they plainly differed by more than is tolerated.
func (h *History) beyond(m Metric) bool {
	return h.plain() && (h.Offset > m.Tolerance.Upper || h.Offset < m.Tolerance.Lower)
}

// offset writes the offset with its error: "+3% ± 0.5%".
func (h *History) offset(m Metric) string {
	if m.Effect.Unit != relativeUnit {
		return fmt.Sprintf("%s ± %s", change(float64(h.Offset), m.Effect.Unit, asPercentage, estimated),
			strings.TrimPrefix(change(float64(h.OffsetError), m.Effect.Unit, asPercentage, estimated), "+"))
	}
	return fmt.Sprintf("%s ± %s", asPercentage.relative(float64(h.Offset), estimated), percentage(roundTo(float64(h.OffsetError), estimated)))
}

// already writes the offset as what was there before: "3% ± 0.5% above the baseline".
func (h *History) already(m Metric) string {
	where := "above"
	if h.Offset < 0 {
		where = "below"
	}
	return fmt.Sprintf("%s %s the baseline", strings.TrimLeft(h.offset(m), "+-"), where)
}

// roundTo rounds to so many significant digits.
func roundTo(v float64, n int) float64 {
	if v == 0 || !finite(v) {
		return v
	}
	scale := math.Pow(10, float64(n-1)-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

// kept says that the arms differed before the deployment, which is still in the change.
func (h *History) kept(m Metric) string {
	return fmt.Sprintf("the canary was %s before the deployment already; history: {offset: remove} takes that out, if the canary runs on the same machines", h.already(m))
}

// removedPhrase says in an effect's sentence what was taken out of it, "" for nothing.
func (m Metric) removedPhrase() string {
	if m.History == nil || !m.History.Removed {
		return ""
	}
	return fmt.Sprintf(" after removing %s that was there before", m.History.offset(m))
}

// doubted says that the arms differed by more than is tolerated before the run, "" if not.
func (h *History) doubted(m Metric) string {
	switch {
	case h == nil || h.Ignored != "" || !h.beyond(m):
		return ""
	case h.Removed:
		return fmt.Sprintf("the canary was %s before the deployment already, more than is tolerated; that is taken out of its change: do its machines differ so much, or did an earlier release do that?", h.already(m))
	}
	return h.kept(m)
}

// historyLines tell what came of the histories, a line for all metrics of which it is the same.
func (r *Report) historyLines() []string {
	var says []string
	of := map[string][]Metric{}
	for _, m := range r.Metrics {
		if m.History == nil {
			continue
		}
		text := m.History.Says
		if len(of[text]) == 0 {
			says = append(says, text)
		}
		of[text] = append(of[text], m)
	}
	for i, text := range says {
		who := names(of[text])
		if n := len(of[text]); n == len(r.Metrics) && n > 1 {
			who = "all metrics"
		}
		says[i] = who + ": " + text
	}
	return says
}

// mostHistoryPoints is how many points a line of a history is saved and drawn with: as many
// as an eye can tell apart in the part of a plot that a history gets.
const mostHistoryPoints = 120

// historySeries returns what is drawn of a history.
func historySeries(m analysis.Metric, elapsed int) HistorySeries {
	number := func(s analysis.Sample) Number { return Number(m.Number(s)) }
	h := m.History
	switch {
	case len(h.Pairs) > 0:
		arms := map[providers.Arm][]Number{}
		for _, p := range h.Pairs {
			arms[providers.Baseline] = append(arms[providers.Baseline], number(p.Baseline))
			arms[providers.Canary] = append(arms[providers.Canary], number(p.Canary))
		}
		return HistorySeries{Baseline: thinned(arms[providers.Baseline]), Canary: thinned(arms[providers.Canary])}
	case len(h.Days) > 0:
		low, high := ranges(h.Days, elapsed, number)
		return HistorySeries{Low: low, High: high, Days: true}
	}
	low, high := ranges(h.Instances, math.MaxInt, number)
	return HistorySeries{Low: low, High: high}
}

// thinned keeps the smallest and the largest of neighbours that share a place, in the order
// in which they came, so that a line looks as noisy as all of its points would.
func thinned(values []Number) []Number {
	if len(values) <= mostHistoryPoints {
		return values
	}
	const places = mostHistoryPoints / 2
	out := make([]Number, 0, mostHistoryPoints)
	for place := range places {
		part := values[place*len(values)/places : (place+1)*len(values)/places]
		least, most := -1, -1
		for i, v := range part {
			if !finite(float64(v)) {
				continue
			}
			if least < 0 || v < part[least] {
				least = i
			}
			if most < 0 || v > part[most] {
				most = i
			}
		}
		if least < 0 {
			out = append(out, Number(math.NaN()), Number(math.NaN()))
			continue
		}
		out = append(out, part[min(least, most)], part[max(least, most)])
	}
	return out
}

// ranges returns the lowest and the highest of several series in their first steps.
func ranges(series [][]analysis.Sample, most int, number func(analysis.Sample) Number) (low, high []Number) {
	steps := 0
	for _, s := range series {
		steps = max(steps, len(s))
	}
	steps = min(steps, most)
	each := max(1, (steps+mostHistoryPoints-1)/mostHistoryPoints)
	for first := 0; first < steps; first += each {
		var here []Number
		for _, s := range series {
			for _, sample := range s[min(first, len(s)):min(first+each, len(s))] {
				if v := number(sample); finite(float64(v)) {
					here = append(here, v)
				}
			}
		}
		if len(here) == 0 {
			here = []Number{Number(math.NaN())}
		}
		low, high = append(low, slices.Min(here)), append(high, slices.Max(here))
	}
	return low, high
}
