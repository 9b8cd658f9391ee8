package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
)

// Bounds of the charts in Markdown: a summary is read, not searched.
const (
	mostCharts     = 3
	mostChartSteps = 40
)

// markdownCharts draws both arms of the metrics that failed as charts of Mermaid, which
// GitHub and GitLab render: https://mermaid.js.org/syntax/xyChart.html. Its lines have
// no gaps, so a step that an arm has no number for is left out of both.
func (r *Report) markdownCharts(b *strings.Builder) {
	failed := slices.DeleteFunc(slices.Clone(r.Metrics), func(m Metric) bool {
		return m.Advisory || !m.Is(analysis.Fail)
	})
	for _, m := range failed[:min(len(failed), mostCharts)] {
		times, clock, baseline, canary := r.chartPoints(m)
		if len(times) < 2 {
			continue
		}
		unit, scale := m.chartUnit()
		for i := range baseline {
			baseline[i], canary[i] = scale*baseline[i], scale*canary[i]
		}
		if unit != "" {
			unit = " in " + unit
		}
		fmt.Fprintf(b, "%s%s, by %s since the start; blue: baseline, red: canary\n\n", escapeMarkdown(m.Name), escapeMarkdown(unit), clock)
		b.WriteString("```mermaid\n%%{init: {\"xyChart\": {\"height\": 280}, \"themeVariables\": {\"xyChart\": {\"plotColorPalette\": \"#1f77b4, #d62728\"}}}}%%\nxychart-beta\n")
		fmt.Fprintf(b, "  x-axis [%s]\n", strings.Join(times, ", "))
		low, high := room(slices.Concat(baseline, canary), isRate(m))
		fmt.Fprintf(b, "  y-axis %s --> %s\n", decimal(low), decimal(high))
		fmt.Fprintf(b, "  line [%s]\n  line [%s]\n```\n\n", numberList(baseline), numberList(canary))
	}
}

// chartUnit is the unit of a chart's numbers, and by how much a metric's own are to be
// multiplied.
func (m Metric) chartUnit() (unit string, scale float64) {
	switch {
	case isRate(m):
		return "%", 100
	case m.Unit == "s" && m.Canary.Max < 2 && m.Baseline.Max < 2:
		return "ms", 1000
	}
	return m.Unit, 1
}

// chartPoints returns what a chart shows: the times since the start and their unit, and
// each arm's mean over one step or, where there are too many, over as many as fit.
func (r *Report) chartPoints(m Metric) (times []string, clock string, baseline, canary []float64) {
	n := min(len(m.Series.Baseline), len(m.Series.Canary))
	each := (n + mostChartSteps - 1) / mostChartSteps
	since := func(step int) float64 { return r.Window.since(r.Window.stepTime(step)) }
	unit, clock := time.Minute, "minutes"
	switch whole := since(n); {
	case whole < 180:
		unit, clock = time.Second, "seconds"
	case whole > 6*3600:
		unit, clock = time.Hour, "hours"
	}
	for from := 0; from < n; from += each {
		to := min(from+each, n)
		a, z := mean(m.Series.Baseline[from:to]), mean(m.Series.Canary[from:to])
		if math.IsNaN(a) || math.IsNaN(z) {
			continue
		}
		times = append(times, trimZeros(strconv.FormatFloat(since(from)/unit.Seconds(), 'f', 1, 64)))
		baseline, canary = append(baseline, a), append(canary, z)
	}
	return times, clock, baseline, canary
}

// mean returns the mean of the numbers that there are, NaN for none.
func mean(numbers []Number) float64 {
	sum, n := 0.0, 0.0
	for _, v := range numbers {
		if v := float64(v); !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum, n = sum+v, n+1
		}
	}
	return sum / n
}

// decimal writes a number as Mermaid reads it: four significant digits and no exponent.
func decimal(v float64) string {
	if v == 0 {
		return "0"
	}
	places := max(0, 3-int(math.Floor(math.Log10(math.Abs(v)))))
	return trimZeros(strconv.FormatFloat(v, 'f', places, 64))
}

func numberList(numbers []float64) string {
	var words []string
	for _, v := range numbers {
		words = append(words, decimal(v))
	}
	return strings.Join(words, ", ")
}
