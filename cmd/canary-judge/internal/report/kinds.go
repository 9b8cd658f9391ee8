package report

import "github.com/canary-judge/canary-judge/analysis"

// kindWords are what reports call the events of a metric, by its kind. A metric that counts
// nothing needs none.
type kindWords struct {
	events    string // all of them
	wentWrong string // what the bad ones did
	badEvents string // the bad ones of the canary
}

var words = map[analysis.Kind]kindWords{
	analysis.Value:     {},
	analysis.Ratio:     {"requests", "failed", "bad canary events"},
	analysis.Histogram: {"requests", "were slow", "slow canary requests"},
	analysis.Checks:    {"runs", "failed", "bad canary events"},
}

// words returns what the metric's events are called. A result may be of another version,
// with a kind that this one does not know: its events are called as those of a ratio.
func (m Metric) words() kindWords {
	for _, k := range analysis.Kinds() {
		if m.Kind == k.String() {
			return words[k]
		}
	}
	return words[analysis.Ratio]
}
