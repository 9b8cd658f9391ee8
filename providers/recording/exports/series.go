package exports

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
	"github.com/canary-judge/canary-judge/web"
)

// series is what a file holds of one thing over time.
type series struct {
	title    string            // as the file heads it
	name     string            // without its labels; "" = it has none
	measures bool              // the name is that of what is measured, not of who is
	labels   map[string]string // may be empty
	arm      providers.Arm     // of the file; "" = told by selectors
	counts   bool              // readings have totals
	readings []reading
}

// reading is one row of a series. NaN = gap.
type reading struct {
	line  int // 0 = it has none
	at    time.Time
	value quantity
	total float64 // NaN for a value
}

var gapReading = quantity{math.NaN(), ""}

// joined lays the series of both arms side by side.
func (im *importer) joined() ([]recording.Point, map[string]string, error) {
	metrics, err := im.named()
	if err != nil {
		return nil, nil, err
	}
	units := map[string]string{}
	var points []recording.Point
	for _, name := range metrics.names {
		both := metrics.of[name]
		unit, err := sameUnit(both)
		if err != nil {
			return nil, nil, fmt.Errorf("metric %q: %w", name, err)
		}
		if unit != "" {
			units[name] = unit
		}
		for _, s := range both {
			if err := s.inOrder(); err != nil {
				return nil, nil, fmt.Errorf("metric %q, %s: %w", name, s.arm, err)
			}
		}
		if err := cumulative(both); err != nil {
			return nil, nil, fmt.Errorf("metric %q: %w", name, err)
		}
	}
	if err := im.onOneGrid(metrics); err != nil {
		return nil, nil, err
	}
	for _, name := range metrics.names {
		for _, arm := range providers.Arms {
			if s := metrics.of[name][arm]; s != nil {
				points = append(points, s.points(name)...)
			}
		}
	}
	return points, units, nil
}

// points are a series as a recording holds it.
func (s *series) points(metric string) []recording.Point {
	var points []recording.Point
	for _, r := range s.readings {
		p := recording.Point{Time: r.at, Metric: metric, Arm: s.arm, Sample: analysis.ValueSample(r.value.number)}
		if s.counts {
			p.Kind, p.Sample = recording.Counts, analysis.CountSample(r.value.number, r.total)
			if math.IsNaN(r.value.number) {
				// An empty cell is a gap, not a source's silence about bad events.
				p.Sample = analysis.Sample{}
			}
		}
		points = append(points, p)
	}
	return points
}

// metrics are the series of both arms by the names that they share.
type metrics struct {
	names []string
	of    map[string]map[providers.Arm]*series
}

// named finds out which series are of which arm and what each measures.
func (im *importer) named() (metrics, error) {
	all := metrics{of: map[string]map[providers.Arm]*series{}}
	if len(im.series) == 0 {
		return all, errors.New("the file holds no series")
	}
	titles := im.titlesOfFiles()
	var left []string
	for i := range im.series {
		s := &im.series[i]
		arm, name := s.arm, titles[i]
		if arm == "" {
			for _, a := range providers.Arms {
				if n, ok := im.selectors[a].metric(*s); ok {
					if arm != "" {
						return all, fmt.Errorf("the series %q is of both arms: --baseline %q and --canary %q", web.Quote(s.title), im.options.Baseline, im.options.Canary)
					}
					arm, name = a, n
				}
			}
		}
		if arm == "" {
			left = append(left, s.title)
			continue
		}
		s.arm = arm
		if all.of[name] == nil {
			all.of[name] = map[providers.Arm]*series{}
			all.names = append(all.names, name)
		}
		if other := all.of[name][arm]; other != nil {
			return all, fmt.Errorf("the series %q and %q are both the %s's %s; tell one of them by more labels, or aggregate them in the query",
				web.Quote(other.title), web.Quote(s.title), arm, name)
		}
		all.of[name][arm] = s
	}
	return all, im.meeting(all, left)
}

// meeting checks that both arms have something, and says what was left out.
func (im *importer) meeting(all metrics, left []string) error {
	var alone []string
	both := 0
	for _, name := range all.names {
		if len(all.of[name]) == 2 {
			both++
			continue
		}
		for arm := range all.of[name] {
			alone = append(alone, fmt.Sprintf("%q (only %s)", web.Quote(name), arm))
		}
	}
	switch {
	case both == 0 && len(alone) == 0:
		return fmt.Errorf("which series are of which arm? tell them with --baseline and --canary, by LABEL=VALUE or by name, where * stands for the metric's name; the file holds %s", list(left))
	case both == 0:
		return fmt.Errorf("no metric has both arms: %s; the labels that differ between the arms belong to --baseline and --canary%s", strings.Join(alone, ", "), others(left))
	}
	if len(alone) > 0 {
		im.note("in one arm only, so that there is nothing to compare: %s", strings.Join(alone, ", "))
	}
	if len(left) > 0 {
		im.note("series of neither arm, left out: %s", list(left))
	}
	return nil
}

func others(left []string) string {
	if len(left) == 0 {
		return ""
	}
	return "; of neither arm: " + list(left)
}

// list names the first few of many.
func list(names []string) string {
	const most = 6
	var quoted []string
	for i, n := range names {
		if i == most {
			return fmt.Sprintf("%s and %d more", strings.Join(quoted, ", "), len(names)-most)
		}
		quoted = append(quoted, fmt.Sprintf("%q", web.Quote(n)))
	}
	return strings.Join(quoted, ", ")
}

// titlesOfFiles names the series of files that are an arm each: a label that is the same
// in a whole file tells the file, not the metric. Where each file has one series, the
// two are compared whatever they are called.
func (im *importer) titlesOfFiles() []string {
	names := make([]string, len(im.series))
	counts, constant := map[providers.Arm]int{}, map[string]bool{}
	for _, s := range im.series {
		counts[s.arm]++
		for label := range s.labels {
			constant[label] = true
		}
	}
	for label := range constant {
		seen := map[providers.Arm]string{}
		for _, s := range im.series {
			value, ok := s.labels[label]
			if first, there := seen[s.arm]; !ok || there && first != value {
				constant[label] = false
			}
			seen[s.arm] = value
		}
	}
	single := counts[providers.Baseline] == 1 && counts[providers.Canary] == 1
	if single {
		a, b := im.series[0], im.series[1]
		single = a.name == b.name || !a.measures || !b.measures
	}
	for i, s := range im.series {
		rest := maps.Clone(s.labels)
		for label := range s.labels {
			if constant[label] {
				delete(rest, label)
			}
		}
		names[i] = metricName(s.name, rest)
		if single {
			names[i] = metricName(im.series[0].name, nil)
		}
	}
	if single && im.series[0].title != im.series[1].title {
		im.note("each file holds one series, and these are compared: %s", list([]string{im.series[0].title, im.series[1].title}))
	}
	return names
}

// sameUnit brings the readings of a metric to one unit and returns it.
func sameUnit(both map[providers.Arm]*series) (string, error) {
	seen := map[string]reading{}
	for _, s := range both {
		for _, r := range s.readings {
			if _, there := seen[r.value.unit]; !there && !math.IsNaN(r.value.number) {
				seen[r.value.unit] = r
			}
		}
	}
	names := slices.Sorted(maps.Keys(seen))
	if len(names) == 0 {
		return "", nil
	}
	if family, _, ok := sizeOf(names[0]); len(names) == 1 && (!ok || families[family][0].name != "") {
		return names[0], nil // no need to convert
	}
	base := ""
	for i, name := range names {
		family, _, ok := sizeOf(name)
		first, _, _ := sizeOf(names[0])
		if !ok || family != first {
			return "", fmt.Errorf("line %d is in %q, line %d in %q: one is not a multiple of the other; export without formatting",
				seen[names[0]].line, web.Quote(names[0]), seen[names[i]].line, web.Quote(name))
		}
		base = families[family][0].name
	}
	for _, s := range both {
		for i, r := range s.readings {
			if math.IsNaN(r.value.number) {
				continue
			}
			q, err := r.value.inBase()
			if err != nil {
				return "", fmt.Errorf("line %d: %w", r.line, err)
			}
			s.readings[i].value = q
		}
	}
	return base, nil
}

// inOrder makes the readings ascend. A file may list the newest first; one that goes back
// and forth is two files, or holds several series under one name.
func (s *series) inOrder() error {
	up, down := true, true
	for i := 1; i < len(s.readings); i++ {
		a, b := s.readings[i-1], s.readings[i]
		if a.at.Equal(b.at) {
			return fmt.Errorf("%stwo values at %s; one series of each arm is compared", lines(a, b), a.at.Format(time.RFC3339Nano))
		}
		up, down = up && a.at.Before(b.at), down && a.at.After(b.at)
		if !up && !down {
			return fmt.Errorf("%sthe time goes back and forth at %s: are there two exports in one file, or several series under one name?", lines(a, b), b.at.Format(time.RFC3339Nano))
		}
	}
	if down && !up {
		slices.Reverse(s.readings)
	}
	return nil
}

// lines says where two readings stand.
func lines(a, b reading) string {
	if a.line == 0 {
		return ""
	}
	return fmt.Sprintf("lines %d and %d: ", a.line, b.line)
}

// A series that grows so often in so many steps and falls in none, or only as far as
// after the start of a process, is a counter since then. Of a gauge that scatters, half
// of the steps fall. The other arm's may stand still.
const (
	leastGrown    = 3
	leastSteps    = 5
	stepsPerReset = 8
)

// cumulative refuses counters since the start of a process: their ratio says how long the
// processes have been running.
func cumulative(both map[providers.Arm]*series) error {
	grown := 0
	for _, s := range both {
		g, ok := s.likeCounter()
		if !ok {
			return nil
		}
		grown = max(grown, g)
	}
	if len(both) < 2 || grown < leastGrown {
		return nil
	}
	return errors.New("it grows and never falls, as a counter since the start of a process does; " +
		"export what came in each step (rate or increase in PromQL, as_count in Datadog). " +
		"A gauge that does grow is read from a file of five columns without --as")
}

// likeCounter counts the steps at which a series grows, and reports whether a counter
// could look so.
func (s *series) likeCounter() (grown int, ok bool) {
	steps, resets := 0, 0
	last := math.NaN()
	for _, r := range s.readings {
		v := r.value.number
		if s.counts {
			v = r.total
		}
		switch {
		case math.IsNaN(v):
			continue
		case v < 0, v < last && v > last/2:
			return 0, false
		case v < last:
			resets++
		case v > last:
			grown++
		}
		if !math.IsNaN(last) {
			steps++
		}
		last = v
	}
	return grown, steps >= leastSteps && resets*stepsPerReset <= steps
}
