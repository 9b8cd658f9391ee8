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

// Spikes are the steps of a value that stand out, by which it is judged.
type Spikes struct {
	Bound Number `json:"bound" doc:"What the value lies beyond in them, in the metric's unit"`
	Below bool   `json:"below,omitempty" doc:"They lie below it, not above"`
}

// spikes returns what the metric is judged by, nil when that is not how often it stands out.
func spikes(m analysis.Metric) *Spikes {
	if m.Spikes == nil {
		return nil
	}
	return &Spikes{Number(m.Spikes.Bound), m.Spikes.Below}
}

// words returns what the steps that stand out are called.
func (s Spikes) words(unit string) kindWords {
	side := "above"
	if s.Below {
		side = "below"
	}
	return kindWords{"steps", "were " + side + " " + measure(float64(s.Bound), unit), ""}
}

// words returns what the metric's events are called. A result may be of another version,
// with a kind that this one does not know: its events are called as those of a ratio.
func (m Metric) words() kindWords {
	if m.Spikes != nil {
		return m.Spikes.words(m.Unit)
	}
	for _, k := range analysis.Kinds() {
		if m.Kind == k.String() {
			return words[k]
		}
	}
	return words[analysis.Ratio]
}
