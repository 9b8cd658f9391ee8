package report

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestMarkdownWithin asks for less and less room: what matters stays the longest.
func TestMarkdownWithin(t *testing.T) {
	t.Parallel()
	nan := Number(math.NaN())
	r := &Report{Verdict: "fail", Reason: "FAIL after 6 of 30 min: errors", Window: Window{Looks: 12, Steps: 60, Step: 30}}
	for i := range 500 {
		m := Metric{
			Name: fmt.Sprintf("passed %d", i), Kind: "ratio", Decision: "pass", Reason: "1x the baseline",
			Effect: Effect{Upper: 0.1, Unit: relativeUnit}, Tolerance: Tolerance{Lower: nan, Upper: 0.25, Unit: relativeUnit},
			Baseline: Summary{Steps: 12, Rate: 0.01}, Canary: Summary{Steps: 12, Rate: 0.01},
			Queries: map[string]map[string]string{"bad": {"canary": strings.Repeat("q", 300)}},
			Series:  Series{make([]Number, 14), make([]Number, 14)},
		}
		if i%100 == 99 {
			m.Name, m.Decision = fmt.Sprintf("failed %d", i), "fail"
		}
		r.Metrics = append(r.Metrics, m)
	}
	for _, c := range []struct {
		most                    int
		queries, charts, passed bool
		failed                  int
	}{
		{1 << 20, true, true, true, 5},
		{100_000, false, true, true, 5},
		{65_536, false, true, true, 5},
		{20_000, false, false, true, 5},
		{1_500, false, false, true, 5},
		{700, false, false, false, 1},
	} {
		got := r.MarkdownWithin(c.most)
		if len(got) > c.most {
			t.Errorf("%d bytes where %d fit", len(got), c.most)
		}
		if !strings.HasPrefix(got, "### ❌ FAIL\n\nFAIL after 6 of 30 min: errors\n") {
			t.Errorf("within %d the verdict is not on top:\n%.200s", c.most, got)
		}
		for what, want := range map[string]bool{"<summary>Queries": c.queries, "xychart-beta": c.charts, "| passed": c.passed, "more metrics; the result file has all": !c.queries && c.most < 65_536} {
			if strings.Contains(got, what) != want {
				t.Errorf("within %d there is %q: %t, want %t", c.most, what, !want, want)
			}
		}
		if n := strings.Count(got, "| failed"); n < c.failed {
			t.Errorf("within %d the table has %d failed metrics, want %d", c.most, n, c.failed)
		}
		if strings.Count(got, "```")%2 != 0 || strings.Count(got, "<details>") != strings.Count(got, "</details>") {
			t.Errorf("within %d something is open at the end", c.most)
		}
	}
}

func TestChart(t *testing.T) {
	t.Parallel()
	nan := Number(math.NaN())
	r := &Report{Verdict: "fail", Window: Window{Step: 30}, Metrics: []Metric{{
		Name: "errors`", Kind: "ratio", Decision: "fail",
		Series: Series{[]Number{0.01, nan, 0.02, 0}, []Number{0.1, 0.2, 0.3, 0.12345678}},
	}}}
	var b strings.Builder
	r.markdownCharts(&b)
	// The second step, which the baseline has no number for, is in neither line. The axis
	// has 8% of room above 30.
	want := "errors\\` in %, by seconds since the start; blue: baseline, red: canary\n\n```mermaid\n" +
		"%%{init: {\"xyChart\": {\"height\": 280}, \"themeVariables\": {\"xyChart\": {\"plotColorPalette\": \"#1f77b4, #d62728\"}}}}%%\nxychart-beta\n" +
		"  x-axis [0, 60, 90]\n  y-axis 0 --> 32.4\n  line [1, 2, 0]\n  line [10, 30, 12.35]\n```\n\n"
	if got := b.String(); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}
