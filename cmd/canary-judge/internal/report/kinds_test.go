package report

import (
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
)

// Each kind has its words, as far as it counts events.
func TestEachKindHasItsWords(t *testing.T) {
	t.Parallel()
	for _, k := range analysis.Kinds() {
		w, there := words[k]
		if !there {
			t.Errorf("reports have no words for %s", k)
		}
		if counts := (analysis.Metric{Kind: k}).Totals(); counts != (w.events != "" && w.wentWrong != "" && w.badEvents != "") {
			t.Errorf("%s counts events: %v, and has the words %+v", k, counts, w)
		}
	}
}
