package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

const (
	// mostRunsShown bounds the failed runs that a page lists of a metric.
	mostRunsShown = 50
	// mostRunsTold bounds those that a text tells of a metric.
	mostRunsTold = 5
)

// failedRuns returns the failed runs of a metric, the latest ones first.
func (g *Generated) failedRuns(metric string) []FailedRun {
	if g == nil {
		return nil
	}
	var all []FailedRun
	for i := len(g.FailedRuns) - 1; i >= 0; i-- {
		if f := g.FailedRuns[i]; f.Metric == metric {
			all = append(all, f)
		}
	}
	return all
}

// words says in a line which run it was.
func (f FailedRun) words() string {
	return fmt.Sprintf("%s, %s: %s", f.Arm, f.Time.UTC().Format(time.TimeOnly), f.What)
}

// failedRunLines tell the latest runs of the canary that failed, for each metric that did
// not pass, with the address of each; "" = none.
func (r *Report) failedRunLines() (lines, pages []string) {
	for _, m := range r.Metrics {
		if m.Is(analysis.Pass) {
			continue
		}
		var ofCanary []FailedRun
		for _, f := range r.Generated.failedRuns(m.Name) {
			if f.Arm == string(providers.Canary) {
				ofCanary = append(ofCanary, f)
			}
		}
		for i, f := range ofCanary {
			if i == mostRunsTold {
				lines = append(lines, fmt.Sprintf("%s: and %d more, in the JSON result", m.Name, len(ofCanary)-i))
				pages = append(pages, "")
				break
			}
			lines, pages = append(lines, m.Name+", "+f.words()), append(pages, webPage(f.URL))
		}
	}
	return lines, pages
}

// markdownLink writes an address as a link in Markdown, after a text. What may mean
// something in Markdown is escaped as addresses are.
func markdownLink(page string) string {
	if page == "" {
		return ""
	}
	var b strings.Builder
	for _, c := range []byte(page) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~:/?#&=+,;%", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return " ([open](<" + b.String() + ">))"
}
