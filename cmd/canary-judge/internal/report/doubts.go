package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// doubt says what is odd about a metric's numbers, and what to ask.
func (b builder) doubt(d analysis.Doubt, m Metric, from analysis.MetricResult) string {
	switch d {
	case analysis.AllAgainstNone:
		bad, good := "baseline", "canary"
		if from.Compared.Canary.Bad > 0 {
			bad, good = good, bad
		}
		return fmt.Sprintf("all that the %s did is bad and nothing that the %s did: are the arms swapped, or is one of them not what it should be?", bad, good)
	case analysis.ZeroAgainstValues:
		zero, other := zeroArm(from)
		return fmt.Sprintf("every value of the %s is 0 and none of the %s: is it measured there, or does the query make the zeros up?", zero, other)
	case analysis.SlowNoise:
		cure := "longer steps make it less so"
		if from.Learned == nil {
			cure = "longer steps make it less so, and so does history, which learns it before the run"
		}
		return fmt.Sprintf("what differs between the arms wanders slowly from step to step, or changed during the run (autocorrelation about %s): a false alarm, or a wrong pass, is likelier than stated; %s",
			digits(from.Autocorrelation, 1), cure)
	case analysis.ShrinkingStart:
		return b.coldStart(from.ColdStart, m, max(from.Merged, 1))
	case analysis.CoarseValues:
		return "both arms show the same in most steps, and the next number is beyond the tolerance: if the numbers are rounded, a smaller change is not seen; give values with decimals, or an absolute tolerance"
	}
	baseline, canary, _ := m.levels()
	text := fmt.Sprintf("the canary is at %s the baseline, which a release seldom does: are the arms swapped",
		asMultiple.relative(float64(canary/baseline)-1, estimated))
	if !from.Compared.Counted {
		text += ", or the units different (ms against s)"
	}
	return text + "?"
}

// coldStart says how the canary came down from its first steps, each of so many merged ones.
func (b builder) coldStart(c *analysis.ColdStart, m Metric, merged int) string {
	var changes []string
	for _, v := range c.Changes {
		changes = append(changes, change(v, m.Effect.Unit, style(c.Changes[0] >= 1), estimated))
	}
	w := b.config.Window
	text := fmt.Sprintf("the canary began at %s, and came down: a cold start? ", strings.Join(changes, ", "))
	if m.Is(analysis.Fail) {
		text += "if it is one, "
	} else {
		text += "it was not failed for that; "
	}
	if c.Within {
		return text + fmt.Sprintf("window.warmup of %s leaves it out", providers.Duration(time.Duration(w.Warmup+c.Observations*merged)*w.Step))
	}
	if w.Warmup == 0 {
		return text + "give a window.warmup"
	}
	return text + fmt.Sprintf("raise window.warmup, which is %s", providers.Duration(time.Duration(w.Warmup)*w.Step))
}

// zeroArm returns the arm all of whose values are 0, and the other one.
func zeroArm(from analysis.MetricResult) (zero, other string) {
	if from.Canary.Values.Max == 0 && from.Canary.Values.Min == 0 {
		return "canary", "baseline"
	}
	return "baseline", "canary"
}

// doubts lists the doubts that the sentence of the verdict tells: those of the config, and
// those of metrics that decide. A rate that is far worse is doubted under the table, and
// need not be in the sentence: that is what a canary is judged for. Neither need coarse
// values, slow noise, nor what is the reason why the metric is not decided.
func (b builder) doubts() []string {
	all := slices.Clone(b.config.Doubts)
	for i, from := range b.outcome.Result.Metrics {
		m := measured(from, b.config.Metrics[i])
		for _, d := range from.Doubts {
			worse := d == analysis.ImprobableChange && from.Compared.Counted && from.Decision == analysis.Fail
			said := from.Cause == analysis.OtherUnits || from.Cause == analysis.ZeroInOneArm ||
				d == analysis.CoarseValues || d == analysis.SlowNoise
			if !from.Advisory && !worse && !said && (!m.IsPart() || !m.aside()) {
				all = append(all, m.Name+": "+b.doubt(d, m, from))
			}
		}
	}
	return all
}

// doubtful ends the sentence of a verdict with what is doubted of it.
func (r *Report) doubtful() string {
	if len(r.Doubts) == 0 {
		return ""
	}
	text := "; doubtful: " + r.Doubts[0]
	if more := len(r.Doubts) - 1; more > 0 {
		text += fmt.Sprintf(" (and %s)", plural(more, "more doubt"))
	}
	return text
}
