package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/canary-judge/canary-judge/analysis"
)

// The forest is the picture that a page begins with: a row a metric, with the interval of its change against
// what is tolerated, all on one scale. Metrics differ in unit and tolerance, so the scale counts tolerances: 0 is no
// change, 1 the most that is tolerated, and what is bad lies to the right, or on both sides where either
// direction is.

// Bounds of the forest.
const (
	mostForestRows  = 24 // over all requests; the table has all
	mostForestParts = 12 // of segments
	// forestMost is how far the scale reaches at most, in tolerances.
	forestMost = 100
)

// forest is the picture of all metrics.
type forest struct {
	Axis template.HTML
	Rows []forestRow
	More string // what is left out, "" = nothing
}

// forestRow is a metric in the picture.
type forestRow struct {
	ID, Name, Mark, Class, Decision, Numbers string
	Group                                    string // the heading before the row, "" = none
	Bar                                      template.HTML
}

// scaled is a metric's interval in tolerances; NaN = unknown.
type scaled struct{ low, estimate, high, least float64 }

// inTolerances returns the interval of a metric in tolerances, the bad direction first. least is where what is
// tolerated begins: -1 where either direction is bad, else minus infinity.
func (m Metric) inTolerances() scaled {
	e, t := m.Effect, m.Tolerance
	upper, lower := float64(t.Upper), float64(t.Lower)
	low, high := e.limits(t)
	s := scaled{low, float64(e.Estimate), high, math.Inf(-1)}
	switch {
	case !math.IsNaN(upper) && !math.IsNaN(lower):
		s.least = -1
		for _, v := range []*float64{&s.low, &s.estimate, &s.high} {
			if *v < 0 {
				*v /= -lower
			} else {
				*v /= upper
			}
		}
	case !math.IsNaN(upper):
		s.low, s.estimate, s.high = s.low/upper, s.estimate/upper, s.high/upper
	default:
		s.low, s.estimate, s.high = s.high/lower, s.estimate/lower, s.low/lower
	}
	return s
}

// known reports whether there is anything to draw.
func (s scaled) known() bool { return !math.IsNaN(s.low) || !math.IsNaN(s.high) }

// forestPlace is where a number of tolerances lies, with 1 at 1: linear near 0, logarithmic far from it, so that a
// tenth of a tolerance and a hundred are both seen.
func forestPlace(v float64) float64 {
	v = math.Max(-forestMost, math.Min(forestMost, v))
	return math.Asinh(2*v) / math.Asinh(2)
}

// forestScale is the part of the scale that is shown.
type forestScale struct{ from, to float64 }

// at is where a number of tolerances lies, in percent of the width.
func (f forestScale) at(v float64) float64 {
	p := 100 * (forestPlace(v) - f.from) / (f.to - f.from)
	return math.Max(0, math.Min(100, p))
}

// forestMetrics returns the metrics that the forest shows, the headings before the first ones of segments, and how many
// are left out: what failed comes first, wherever it did, then what is over all requests, then what is open in segments.
func (r *Report) forestMetrics() (shown []Metric, groups map[string]string, left int) {
	groups = map[string]string{}
	room := mostForestParts
	for _, m := range r.worst() {
		if m.IsPart() && !m.Advisory && m.Is(analysis.Fail) && room > 0 {
			shown = append(shown, m)
			room--
		}
	}
	wholes := r.sorted()
	shown = append(shown, wholes[:min(len(wholes), mostForestRows)]...)
	for _, s := range r.segments() {
		for _, m := range s.metrics {
			if m.Advisory || m.Is(analysis.Fail) || m.Is(analysis.Pass) || m.aside() || room == 0 {
				continue
			}
			if room--; groups[s.name] == "" {
				groups[s.name] = m.Name
			}
			shown = append(shown, m)
		}
	}
	headed := map[string]string{}
	for segment, first := range groups {
		headed[first] = Clean(segment)
	}
	return shown, headed, len(r.Metrics) - len(shown)
}

// forest draws the metrics; nil where there is none.
func (r *Report) forest() *forest {
	if r.Window.Looks == 0 || len(r.Metrics) == 0 {
		return nil
	}
	places := map[string]int{}
	for i, m := range r.Metrics {
		places[m.Name] = i
	}
	shown, groups, left := r.forestMetrics()
	f := forest{}
	scale := forestScale{forestPlace(-1.2), forestPlace(1.8)}
	for _, m := range shown {
		for _, v := range []float64{m.inTolerances().low, m.inTolerances().high} {
			if finite(v) {
				scale.from, scale.to = math.Min(scale.from, forestPlace(1.15*v)), math.Max(scale.to, forestPlace(1.15*v))
			}
		}
	}
	f.Axis = scale.axis()
	for _, m := range shown {
		cells := cleanAll(m.cells())
		row := forestRow{
			ID: fmt.Sprintf("metric-%d", places[m.Name]+1), Name: cells[0], Mark: m.mark(), Class: m.class(), Decision: cells[6],
			Group: groups[m.Name], Numbers: m.changed(cells), Bar: scale.bar(m),
		}
		f.Rows = append(f.Rows, row)
	}
	if left > 0 {
		f.More = fmt.Sprintf("and %s, in the table below", plural(left, "more metric"))
	}
	return &f
}

// changed is a metric's change with its interval, and what is tolerated.
func (m Metric) changed(cells []string) string {
	switch {
	case cells[3] == "–" && cells[4] == "–":
		return "no interval yet; tolerated " + cells[5]
	case cells[4] == "–":
		return fmt.Sprintf("%s; tolerated %s", cells[3], cells[5])
	case cells[3] == "–":
		return fmt.Sprintf("%s; tolerated %s", cells[4], cells[5])
	}
	return fmt.Sprintf("%s (%s); tolerated %s", cells[3], cells[4], cells[5])
}

// axis draws the scale's labels.
func (f forestScale) axis() template.HTML {
	var b strings.Builder
	b.WriteString(`<svg class="bar" width="100%" height="20" aria-hidden="true">`)
	last := math.Inf(-1)
	none := "no change"
	if f.at(1)-f.at(0) < 35 {
		none = "0" // the longer words would run into those of the limit
	}
	for _, t := range []tick{{0, none}, {1, "limit"}, {10, "10×"}, {50, "50×"}} {
		place := forestPlace(t.value)
		if place < f.from || place > f.to {
			continue
		}
		if x := f.at(t.value); x-last > 9 {
			anchor := "middle"
			if x > 94 {
				anchor = "end"
			}
			fmt.Fprintf(&b, `<text x="%.1f%%" y="15" text-anchor="%s" class="fill-ink">%s</text>`, x, anchor, t.label)
			last = x
		}
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // drawn here, of numbers and our own words
}

// bar draws a metric's interval.
func (f forestScale) bar(m Metric) template.HTML {
	s := m.inTolerances()
	var b strings.Builder
	b.WriteString(`<svg class="bar" width="100%" height="22" aria-hidden="true">`)
	from := f.at(s.least)
	fmt.Fprintf(&b, `<rect x="%.1f%%" y="2" width="%.1f%%" height="18" class="fill-tolerated"/>`, from, f.at(1)-from)
	for _, mark := range []struct {
		v     float64
		class string
	}{{0, "stroke-grid"}, {1, "stroke-limit"}, {s.least, "stroke-limit"}} {
		if finite(mark.v) {
			fmt.Fprintf(&b, `<line x1="%.1f%%" x2="%.1f%%" y1="0" y2="22" class="%s"/>`, f.at(mark.v), f.at(mark.v), mark.class)
		}
	}
	if s.known() {
		low, high := f.at(orLimit(s.low, -1)), f.at(orLimit(s.high, 1))
		fmt.Fprintf(&b, `<line x1="%.1f%%" x2="%.1f%%" y1="11" y2="11" class="span %s"/>`, low, math.Max(high, low+0.6), m.class())
		for _, end := range []struct{ limit, at float64 }{{s.low, low}, {s.high, high}} {
			if !math.IsNaN(end.limit) { // an end that is open has no stop
				fmt.Fprintf(&b, `<line x1="%.1f%%" x2="%.1f%%" y1="5" y2="17" class="stop %s"/>`, end.at, end.at, m.class())
			}
		}
		if !math.IsNaN(s.estimate) {
			fmt.Fprintf(&b, `<circle cx="%.1f%%" cy="11" r="4" class="%s"/>`, f.at(s.estimate), m.class())
		}
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // drawn here, of numbers and our own words
}
