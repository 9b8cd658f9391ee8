package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/analysis"
)

// segment is what is known of the metrics in one segment.
type segment struct {
	name    string   // region=us
	metrics []Metric // the worst first
}

// segmentsTitle is that of the remarks on segments.
const segmentsTitle = "Segments, the worst first:"

// IsPart reports whether the metric is another one in a segment.
func (m Metric) IsPart() bool { return m.Of != "" }

// wholes returns the metrics over all requests.
func (r *Report) wholes() []Metric {
	return slices.DeleteFunc(slices.Clone(r.Metrics), Metric.IsPart)
}

// worst returns all metrics, those of segments too, those first that a reader has to know of.
func (r *Report) worst() []Metric {
	all := slices.Clone(r.Metrics)
	slices.SortStableFunc(all, worseFirst)
	return all
}

// sorted returns the metrics over all requests, those first that a reader has to know of.
func (r *Report) sorted() []Metric {
	all := r.wholes()
	slices.SortStableFunc(all, worseFirst)
	return all
}

// segmentName is how the segment of a metric is called.
func (m Metric) segmentName() string {
	var labels []string
	for name, value := range m.Segment {
		if value == "" {
			value = `""`
		}
		labels = append(labels, name+"="+value)
	}
	slices.Sort(labels)
	return strings.Join(labels, ", ")
}

// segments returns the segments, the worst first.
func (r *Report) segments() []segment {
	var all []segment
	for _, m := range r.Metrics {
		if !m.IsPart() {
			continue
		}
		name := m.segmentName()
		at := slices.IndexFunc(all, func(s segment) bool { return s.name == name })
		if at < 0 {
			at, all = len(all), append(all, segment{name: name})
		}
		all[at].metrics = append(all[at].metrics, m)
	}
	for _, s := range all {
		slices.SortStableFunc(s.metrics, worseFirst)
	}
	slices.SortStableFunc(all, func(a, b segment) int { return worseFirst(a.metrics[0], b.metrics[0]) })
	return all
}

// worseFirst orders metrics by how much a person has to know of them, and those that are alike in that by
// how far they reach.
func worseFirst(a, b Metric) int {
	return cmp.Or(cmp.Compare(urgency(a), urgency(b)), cmp.Compare(b.reach(), a.reach()))
}

// wholesFirst orders metrics over all requests before those of segments, of which the worst are first.
func wholesFirst(a, b Metric) int {
	switch {
	case a.IsPart() && b.IsPart():
		return worseFirst(a, b)
	case a.IsPart():
		return 1
	case b.IsPart():
		return -1
	}
	return 0
}

// reach is how bad the metric is for certain: the limit of its effect that is nearer to no change, in
// tolerances; negative where it may be better, and -Inf where nothing is known.
func (m Metric) reach() float64 {
	up, down := float64(m.Effect.Lower/m.Tolerance.Upper), float64(m.Effect.Upper/m.Tolerance.Lower)
	far := math.Inf(-1)
	for _, v := range []float64{up, down} {
		if v > far { // NaN is not
			far = v
		}
	}
	return far
}

// mostInSegment is how many metrics of a segment are told one by one.
const mostInSegment = 3

// segmentLines tells of each segment: of the metrics that failed in it, or keep the run from
// passing, with their numbers; of others how many there are. Segments of which there is the same to
// say share a line.
func (r *Report) segmentLines() []string {
	type line struct {
		names []string
		text  string
		named bool
	}
	var lines []line
	for _, s := range r.segments() {
		text, named := s.says()
		at := slices.IndexFunc(lines, func(l line) bool { return !named && !l.named && l.text == text })
		if at < 0 {
			at, lines = len(lines), append(lines, line{text: text, named: named})
		}
		lines[at].names = append(lines[at].names, s.name)
	}
	var all []string
	for _, l := range lines {
		all = append(all, strings.Join(l.names, ", ")+": "+l.text)
	}
	return all
}

// says describes a segment, and reports whether it names a metric.
func (s segment) says() (text string, named bool) {
	var told, states []string
	counts := map[string]int{}
	more := 0
	for _, m := range s.metrics {
		state, some := m.inSegment()
		switch {
		case some == "":
			if counts[state]++; counts[state] == 1 {
				states = append(states, state)
			}
		case len(told) < mostInSegment:
			told = append(told, some)
		default:
			more++
		}
	}
	slices.SortStableFunc(states, func(a, b string) int {
		return cmp.Compare(strings.Index(a, advisoryState), strings.Index(b, advisoryState))
	})
	named = len(told) > 0
	if more > 0 {
		told = append(told, fmt.Sprintf("%d more like these", more))
	}
	for _, state := range states {
		if named || len(states) > 1 {
			state = fmt.Sprintf("%d %s", counts[state], state)
		}
		told = append(told, state)
	}
	return strings.Join(told, "; "), named
}

// advisoryState ends what metrics that decide nothing are counted as.
const advisoryState = " (advisory)"

// inSegment returns what the metric is counted as in its segment, or what is told of it by name.
func (m Metric) inSegment() (state, told string) {
	if !m.Is(analysis.Pass) && !m.aside() {
		return "", m.briefly()
	}
	state = m.Decision
	switch {
	case m.Is(analysis.Pass):
		state = "within tolerance"
	case m.Is(analysis.NoData):
		state = "without data"
	case m.Is(analysis.Undecided) && m.Looks == 0:
		state = "too few requests for a look"
	}
	if m.Advisory {
		state += advisoryState
	}
	return state, ""
}

// briefly says what the metric of a segment comes to there: its change, or why there is none.
func (m Metric) briefly() string {
	cells := m.cells()
	switch {
	case cells[4] == "–":
		return m.Of + ": " + m.Reason
	case cells[3] == "–":
		return fmt.Sprintf("%s %s (tolerated %s), %s", m.Of, cells[4], cells[5], m.Decision)
	}
	return fmt.Sprintf("%s %s (%s; tolerated %s), %s", m.Of, cells[3], cells[4], cells[5], m.Decision)
}

// openSegments says in how many segments it is not shown that all is well, "" for none.
func (r *Report) openSegments() string {
	var open []string
	all := r.segments()
	for _, s := range all {
		if slices.ContainsFunc(s.metrics, func(m Metric) bool { return !m.Advisory && !m.Is(analysis.Pass) }) {
			open = append(open, s.name)
		}
	}
	if len(open) == 0 {
		return ""
	}
	return fmt.Sprintf("; not shown to be so in %d of %s: %s", len(open), plural(len(all), "segment"), listed(open))
}
