package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// why says what is known of why a metric has no data, or too few: what its source told, or
// the pattern of its steps; else what to do.
func (b builder) why(m Metric, from analysis.MetricResult,
	pattern func(analysis.Metric, []analysis.Sample, []analysis.Sample, []time.Time, time.Duration) string, otherwise string,
) string {
	if text := b.whatTheSourceSays(m, false); text != "" {
		return text
	}
	i := slices.IndexFunc(b.outcome.Result.Metrics, func(r analysis.MetricResult) bool { return r.Name == from.Name })
	of := func(arm providers.Arm) []analysis.Sample {
		return b.outcome.Samples[arm][i][b.config.Window.Warmup:b.lastStep()]
	}
	times := b.outcome.Times[b.config.Window.Warmup:b.lastStep()]
	if found := pattern(from.Metric, of(providers.Baseline), of(providers.Canary), times, b.config.Window.Step); found != "" {
		return ": " + found
	}
	if otherwise != "" {
		return "; " + otherwise
	}
	return ""
}

// whatTheSourceSays is what a metric's source says of each arm, about its bad events or all of its data.
func (b builder) whatTheSourceSays(m Metric, bad bool) string {
	var text, last string
	for _, d := range b.outcome.Diagnoses {
		switch {
		case d.Metric != m.Name || (d.Part == providers.Bad) != bad:
			continue
		case text != "" && d.Text == last:
			text = fmt.Sprintf("; both arms: %s", Clean(d.Text))
		default:
			text += fmt.Sprintf("; %s: %s", d.Arm, Clean(d.Text))
		}
		last = d.Text
	}
	return text
}
