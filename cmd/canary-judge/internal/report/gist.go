package report

import (
	"fmt"

	"github.com/canary-judge/canary-judge/analysis"
)

// mostGist is how many metrics a message names.
const mostGist = 3

// Gist returns what a message says beside the sentence: the worst metrics with their numbers, segments too, and
// what was done.
func (r *Report) Gist() []string {
	var lines []string
	more := 0
	for _, m := range r.worst() {
		if m.Is(analysis.Pass) || m.aside() {
			continue
		}
		if len(lines) == mostGist {
			more++
			continue
		}
		cells := m.cells()
		lines = append(lines, fmt.Sprintf("%s: %s (%s; tolerated %s), %s", cells[0], cells[3], cells[4], cells[5], cells[6]))
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %s more", plural(more, "metric")))
	}
	for _, s := range r.actions() {
		for _, line := range s.lines {
			lines = append(lines, s.title+" "+line)
		}
	}
	return lines
}
