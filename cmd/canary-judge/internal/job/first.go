package job

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// mostFirst is how many metrics the first data are told of.
const mostFirst = 8

// noteFirst tells what the first steps of a live run brought, of the newest of them: who sees the wrong arm, no data, or a
// count where a share is meant, need not wait for a look.
func (r *underWay) noteFirst() {
	if r.Bounded || !r.Available.IsZero() {
		return
	}
	var lines []string
	left := 0
	for i, m := range r.Config.Metrics {
		switch {
		case m.Of != "" || m.Every > 0 || m.GapsOf >= 0:
		case len(lines) == mostFirst:
			left++
		default:
			judged, step := r.Config.Plan.Metrics[i], r.fetched-1
			shown := func(arm providers.Arm) string { return firstOf(judged, r.series.of[arm][i][step], m.Unit) }
			lines = append(lines, fmt.Sprintf("%s: baseline %s, canary %s", m.Name, shown(providers.Baseline), shown(providers.Canary)))
		}
	}
	if left > 0 {
		lines = append(lines, fmt.Sprintf("and %d metrics more", left))
	}
	if len(lines) > 0 {
		r.Progress.Note(fmt.Sprintf("first data, of the step to %s: %s", r.grid.end(r.fetched-1).UTC().Format(time.TimeOnly), strings.Join(lines, "; ")))
	}
}

// firstOf writes a sample, as the source has it.
func firstOf(m analysis.Metric, s analysis.Sample, unit string) string {
	if !m.Shows(s) {
		return "no data"
	}
	switch {
	case m.Kind == analysis.Ratio || m.Kind == analysis.Checks:
		return fmt.Sprintf("%.6g of %.6g", s.Bad(), s.Total())
	case m.SlowerThan > 0:
		return fmt.Sprintf("%.3g%% slow", 100*m.Number(s))
	}
	return strings.TrimSpace(fmt.Sprintf("%.4g %s", m.Number(s), cmp.Or(unit, m.UsualUnit())))
}
