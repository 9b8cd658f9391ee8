package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/canary-judge/canary-judge/analysis"
)

// OpenMetrics writes numbers of the run for a system that collects them, in the format of
// https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md: its verdict, how long it
// took, whom the canary met, and each metric's decision and effect. What is not known is left out. All families are
// gauges, so that those who read the older text format of Prometheus, such as node_exporter, take it too.
func (r *Report) OpenMetrics(w io.Writer) error {
	b := exposition{service: r.Service}
	verdicts := []string{analysis.VerdictPass.String(), analysis.VerdictFail.String(), analysis.VerdictInconclusive.String()}
	b.states("canary_judge_verdict", "The verdict of the run", verdicts, []stateOf{{state: r.Verdict}})
	b.gauge("canary_judge_run", "", "How the run ended, and by what it was made; always 1", sample{r.madeBy(), 1})
	b.gauge("canary_judge_judged_seconds", "seconds", "Judged time, from the end of the warm-up to the end of the run", plainSample(r.judgedSeconds()))
	b.gauge("canary_judge_looks", "", "Looks taken", plainSample(float64(r.Window.Looks)))
	b.gauge("canary_judge_end_timestamp_seconds", "seconds", "End of the last step that was fetched, since the epoch", plainSample(float64(r.Window.End.UnixMilli())/1e3))
	if r.Blast != nil {
		b.gauge("canary_judge_canary_requests", "", "Requests that met the canary, warm-up included", plainSample(float64(r.Blast.Requests)))
		b.gauge("canary_judge_canary_failed_requests", "", "Bad ones among them", plainSample(float64(r.Blast.Failed)))
		b.gauge("canary_judge_extra_failed_requests", "", "Bad ones beyond the baseline's rate, with the ends of the 95% interval",
			sample{[]label{{"limit", "estimate"}}, float64(r.Blast.Excess)}, sample{[]label{{"limit", "lower"}}, float64(r.Blast.Lower)}, sample{[]label{{"limit", "upper"}}, float64(r.Blast.Upper)})
	}
	if r.Exposure != nil {
		b.gauge("canary_judge_exposure_ratio", "ratio", "The canary's share of the requests", sample{[]label{{"share", "observed"}}, float64(r.Exposure.Observed)}, sample{[]label{{"share", "expected"}}, float64(r.Exposure.Expected)})
	}
	if r.Ramp != nil {
		b.gauge("canary_judge_stage", "", "Number of the stage that was set last, from 1", plainSample(float64(r.Ramp.Stage)))
	}
	b.metrics(r.Metrics)
	b.text.WriteString("# EOF\n")
	_, err := io.WriteString(w, b.text.String())
	return err
}

// madeBy are facts of a run that are texts.
func (r *Report) madeBy() []label {
	facts := []label{{"ended", r.Window.Ended}}
	if r.Generated != nil {
		facts = append(facts, label{"tool", r.Generated.Tool})
		if r.Generated.Observe {
			facts = append(facts, label{"observe", "true"})
		}
	}
	if by := r.OverriddenBy(); by != "" {
		facts = append(facts, label{"overridden_by", by})
	}
	return facts
}

// judgedSeconds is how long was judged.
func (r *Report) judgedSeconds() float64 {
	if r.Window.Looks == 0 {
		return 0
	}
	return r.Window.End.Sub(r.Window.Judged).Seconds()
}

// metrics writes what came of each metric.
func (b *exposition) metrics(all []Metric) {
	var decisions []stateOf
	var effects, limits []sample
	for _, m := range all {
		labels := []label{{"metric", cmp.Or(m.Of, m.Name)}}
		for _, name := range slices.Sorted(maps.Keys(m.Segment)) {
			labels = append(labels, label{"segment", name + "=" + m.Segment[name]})
		}
		decisions = append(decisions, stateOf{labels, m.Decision})
		of := func(more ...label) []label {
			return append(append(slices.Clone(labels), label{"unit", m.Effect.Unit}), more...)
		}
		effects = append(effects, sample{of(label{"limit", "estimate"}), float64(m.Effect.Estimate)},
			sample{of(label{"limit", "lower"}), float64(m.Effect.Lower)}, sample{of(label{"limit", "upper"}), float64(m.Effect.Upper)})
		limits = append(limits, sample{of(label{"limit", "lower"}), float64(m.Tolerance.Lower)}, sample{of(label{"limit", "upper"}), float64(m.Tolerance.Upper)})
	}
	states := []string{analysis.Pass.String(), analysis.Fail.String(), analysis.Undecided.String(), analysis.NoData.String()}
	b.states("canary_judge_decision", "What was decided of a metric", states, decisions)
	b.gauge("canary_judge_effect", "", "The change of a metric, canary/baseline - 1 where the unit is relative, else canary - baseline; limits are valid over all looks", effects...)
	b.gauge("canary_judge_tolerance", "", "The change that is tolerated, likewise", limits...)
}

// exposition is a text of OpenMetrics in the making; the service is on each of its samples.
type exposition struct {
	text    strings.Builder
	service string
}

type label struct{ name, value string }

// sample is a number with its labels; NaN and infinities are not known, and left out.
type sample struct {
	labels []label
	value  float64
}

func plainSample(v float64) sample { return sample{nil, v} }

// stateOf is which of some states holds of what the labels say.
type stateOf struct {
	labels []label
	state  string
}

// family begins a metric family.
func (b *exposition) family(name, unit, help string) {
	fmt.Fprintf(&b.text, "# TYPE %s gauge\n", name)
	if unit != "" {
		fmt.Fprintf(&b.text, "# UNIT %s %s\n", name, unit)
	}
	fmt.Fprintf(&b.text, "# HELP %s %s\n", name, omEscape(help))
}

// gauge writes a family of gauges, unless none of its samples is known.
func (b *exposition) gauge(name, unit, help string, samples ...sample) {
	known := slices.DeleteFunc(samples, func(s sample) bool { return math.IsNaN(s.value) || math.IsInf(s.value, 0) })
	if len(known) == 0 {
		return
	}
	b.family(name, unit, help)
	for _, s := range known {
		b.sample(name, s.labels, s.value)
	}
}

// states writes a family that is 1 for that of some states which holds.
func (b *exposition) states(name, help string, states []string, of []stateOf) {
	var all []sample
	for _, o := range of {
		for _, state := range states {
			v := 0.0
			if state == o.state {
				v = 1
			}
			all = append(all, sample{append(slices.Clone(o.labels), label{"is", state}), v})
		}
	}
	b.gauge(name, "", help, all...)
}

// sample writes a line.
func (b *exposition) sample(name string, labels []label, v float64) {
	if b.service != "" {
		labels = append([]label{{"service", b.service}}, labels...)
	}
	b.text.WriteString(name)
	if len(labels) > 0 {
		texts := make([]string, len(labels))
		for i, l := range labels {
			texts[i] = l.name + `="` + omEscape(l.value) + `"`
		}
		b.text.WriteString("{" + strings.Join(texts, ",") + "}")
	}
	b.text.WriteString(" " + strconv.FormatFloat(v, 'g', savedDigits, 64) + "\n")
}

// omEscapes are what a text of OpenMetrics escapes.
var omEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// omEscape makes a text from outside the value of a label, on one line and of a bounded length.
func omEscape(text string) string {
	const longest = 200
	text = Clean(text)
	if utf8.RuneCountInString(text) > longest {
		text = string([]rune(text)[:longest]) + "…"
	}
	return omEscapes.Replace(text)
}
