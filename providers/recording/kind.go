package recording

import (
	"math"
	"slices"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// Kind is what the points of a metric hold. Kinds of metrics that are judged in another way
// may hold the same.
type Kind int

// The kinds of points.
const (
	Values Kind = iota
	Counts
	Histograms
	kindCount
)

// kinds has what a kind is called, the parts of a step that it holds, how points of it are
// kept in memory, and how they stand in a file after what all points have.
var kinds = [kindCount]struct {
	word   string
	parts  []providers.Part
	add    func(*track, analysis.Sample)
	sample func(*track, int) analysis.Sample
	line   func(pointHead, analysis.Sample) any
}{
	Values: {
		"a value", []providers.Part{providers.Value, providers.Count},
		addValue, valueAt,
		valueLine,
	},
	Counts: {
		"counts", []providers.Part{providers.Bad, providers.Total},
		func(t *track, s analysis.Sample) {
			t.first, t.second = append(t.first, s.Bad()), append(t.second, s.Total())
		},
		func(t *track, i int) analysis.Sample { return analysis.CountSample(t.first[i], t.second[i]) },
		countsLine,
	},
	Histograms: {
		"a histogram", []providers.Part{providers.Buckets},
		func(t *track, s analysis.Sample) { t.buckets = append(t.buckets, s) },
		func(t *track, i int) analysis.Sample { return t.buckets[i] },
		histogramLine,
	},
}

// addValue keeps the counts behind values once there is one.
func addValue(t *track, s analysis.Sample) {
	t.first = append(t.first, s.Value())
	if math.IsNaN(s.Count()) {
		return
	}
	for len(t.second) < len(t.first)-1 {
		t.second = append(t.second, math.NaN())
	}
	t.second = append(t.second, s.Count())
}

func valueAt(t *track, i int) analysis.Sample {
	if i < len(t.second) {
		return analysis.QuantileSample(t.first[i], t.second[i])
	}
	return analysis.ValueSample(t.first[i])
}

func (k Kind) String() string { return kinds[k].word }

// Parts returns the parts of a step that points of the kind hold.
func (k Kind) Parts() []providers.Part { return slices.Clone(kinds[k].parts) }

// Kinds returns all kinds of points.
func Kinds() []Kind {
	all := make([]Kind, kindCount)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// kindOf returns the kind of points that hold a part.
func kindOf(p providers.Part) Kind {
	for k, of := range kinds {
		if slices.Contains(of.parts, p) {
			return Kind(k)
		}
	}
	panic("recording: no point holds a part " + string(p))
}
