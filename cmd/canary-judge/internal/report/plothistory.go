package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	svg "github.com/ajstarks/svgo/float"
)

// shareBefore is the part of a plot's width that the time before the deployment gets, however
// long it was: what is judged is the rest.
const shareBefore = 0.3

// rareBefore is the share of a history's lowest and highest points for which a plot makes no
// room: what happened then, an incident, must not flatten what is judged.
const rareBefore = 0.05

// before is what a plot shows of a history.
type before struct {
	HistorySeries
	// label stands under it, "" where it lies behind the run, between two of its seconds.
	label    string
	from, to float64
}

// before returns what the plot of both arms shows of a metric's history, nil for nothing.
func (w Window) before(m Metric) *before {
	if m.History == nil {
		return nil
	}
	b := &before{HistorySeries: m.History.Series}
	switch {
	case len(b.Baseline) == 0 && len(b.Low) == 0:
		return nil
	case b.Days:
		b.from, b.to = w.since(w.Judged), w.since(w.End)
	default:
		steps := m.History.Steps
		if of := m.History.Instances; of != nil {
			steps /= max(1, of.Learned) // they are those of all together
		}
		b.label = seconds(float64(steps)*float64(w.Step)) + " before"
	}
	return b
}

// share is the part of the plot's width that it gets.
func (b *before) share() float64 {
	if b.Days {
		return 0
	}
	return shareBefore
}

// lines are what it has numbers of.
func (b *before) lines() [][]Number { return [][]Number{b.Baseline, b.Canary, b.Low, b.High} }

// usual returns its numbers without the few that lie furthest out on either side.
func (b *before) usual() []float64 {
	if b == nil {
		return nil
	}
	var all []float64
	for _, line := range b.lines() {
		var finites []float64
		for _, v := range line {
			if finite(float64(v)) {
				finites = append(finites, float64(v))
			}
		}
		slices.Sort(finites)
		out := int(rareBefore * float64(len(finites)))
		all = append(all, finites[out:len(finites)-out]...)
	}
	return all
}

// draw draws it, with a line where the deployment was.
func (b *before) draw(canvas *svg.SVG, f frame) {
	from, to := b.from, b.to
	if !b.Days {
		// Left of the run there are no seconds of its own: the history has what room there is.
		from = -f.xMost * (f.left - f.edge) / (plotWidth - plotRight - f.left)
	}
	at := func(i, n int) float64 { return from + (float64(i)+0.5)/float64(n)*(to-from) }
	if len(b.Low) > 0 {
		var bars strings.Builder
		for i := range b.Low {
			if finite(float64(b.Low[i])) {
				fmt.Fprintf(&bars, "M%.0f,%.0fV%.0f", f.x(at(i, len(b.Low))), f.y(float64(b.Low[i])), f.y(float64(b.High[i])))
			}
		}
		width := f.x(at(1, len(b.Low))) - f.x(at(0, len(b.Low)))
		canvas.Path(bars.String(), rangeBefore.stroke(math.Max(1, width)))
	}
	for _, arm := range []struct {
		values []Number
		role   role
	}{{b.Baseline, baselineBefore}, {b.Canary, canaryBefore}} {
		if len(arm.values) == 0 {
			continue
		}
		xs, ys := make([]float64, len(arm.values)), make([]float64, len(arm.values))
		for i, v := range arm.values {
			xs[i], ys[i] = at(i, len(arm.values)), float64(v)
		}
		canvas.Path(unbroken(xs, ys, f), arm.role.stroke(1.2))
	}
	if b.label == "" {
		return
	}
	const bottom = plotHeight - plotBottom
	canvas.Line(f.left, plotTop, f.left, bottom+tickLength, deployment.stroke(1.5))
	canvas.Text((f.edge+f.left)/2, plotHeight-5, b.label, ink.fill(), `text-anchor="middle"`)
}

// key says what is grey in a plot.
func (b *before) key() string {
	switch {
	case b.Days:
		return "range of the earlier days"
	case len(b.Low) > 0:
		return "range of the instances before the deployment"
	}
	return "before the deployment"
}

// says tells what it shows to who does not see it.
func (b *before) says(write func(float64) string) string {
	span := func(line []Number) string {
		low, high := math.Inf(1), math.Inf(-1)
		for _, v := range line {
			if finite(float64(v)) {
				low, high = math.Min(low, float64(v)), math.Max(high, float64(v))
			}
		}
		if low > high {
			return "no data"
		}
		return write(low) + " to " + write(high)
	}
	switch {
	case len(b.Baseline) > 0:
		return fmt.Sprintf(" In the %s the deployment: baseline %s, canary %s.", b.label, span(b.Baseline), span(b.Canary))
	case b.Days:
		return fmt.Sprintf(" On the earlier days: %s.", span(slices.Concat(b.Low, b.High)))
	}
	return fmt.Sprintf(" In the %s the deployment, instances of the baseline: %s.", b.label, span(slices.Concat(b.Low, b.High)))
}
