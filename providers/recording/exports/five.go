package exports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// readFive reads the five columns of a recording as people write them: other delimiters,
// decimal commas, units, local times, newest first, other names of the arms.
func readFive(im *importer, in *input) error {
	t, err := readTable(in)
	if err != nil {
		return err
	}
	need := []string{"time", "value"}
	if im.file.Arm == "" {
		need = append(need, "arm")
		if err := im.usualArms(); err != nil {
			return err
		}
	} else if _, ok := t.at["arm"]; ok {
		return fmt.Errorf("it has a column arm; give it as one FILE, without --baseline and --canary")
	}
	if err := t.need(need...); err != nil {
		return err
	}
	rows, err := t.all()
	if err != nil {
		return err
	}
	numbers := []int{t.at["value"]}
	if i, ok := t.at["total"]; ok {
		numbers = append(numbers, i)
	}
	style, err := im.styleOf(rows, numbers)
	if err != nil {
		return err
	}
	times, err := im.timesOf(rows, t.at["time"])
	if err != nil {
		return err
	}
	at := map[string]int{}
	for n, r := range rows {
		labels := im.fiveLabels(r)
		key := fmt.Sprint(labels)
		if _, there := at[key]; !there {
			if err := im.known(r, labels); err != nil {
				return err
			}
			at[key] = len(im.series)
			im.series = append(im.series, im.labelled(labels))
		}
		s := &im.series[at[key]]
		next := reading{line: r.line, at: times[n]}
		if next.value, err = im.cell(style, r.get("value")); err != nil {
			return r.errorf("value: %w", err)
		}
		total, err := im.cell(style, r.get("total"))
		if err != nil || total.unit != "" {
			return r.errorf("total is %q; want a number without a unit", web.Quote(r.get("total")))
		}
		next.total = total.number
		s.readings = append(s.readings, next)
		s.counts = s.counts || !math.IsNaN(next.total)
	}
	return im.wholeCounts()
}

// usualArms selects the arms by their usual names unless the options say otherwise.
func (im *importer) usualArms() error {
	for _, arm := range providers.Arms {
		if im.selectors[arm].text == "" {
			s, err := parseSelector("arm=" + string(arm))
			if err != nil {
				return err
			}
			im.selectors[arm] = s
		}
	}
	return nil
}

// fiveLabels returns what tells a row's series from others.
func (im *importer) fiveLabels(r row) map[string]string {
	labels := map[string]string{}
	for i, name := range r.table.header {
		key := strings.ToLower(name)
		if slices.Contains([]string{"time", "value", "total"}, key) || r.cells[i] == "" || name == "" {
			continue
		}
		labels[key] = r.cells[i]
	}
	for _, arm := range providers.Arms {
		if name := labels["arm"]; name != string(arm) && strings.EqualFold(name, string(arm)) {
			im.note("the arm %q was taken for %s", name, arm)
			labels["arm"] = string(arm)
		}
	}
	return labels
}

// known reports a row that is of neither arm: in this format, a slip of the pen.
func (im *importer) known(r row, labels map[string]string) error {
	if im.file.Arm != "" {
		return nil
	}
	for _, arm := range providers.Arms {
		if s := im.selectors[arm]; s.name != nil || s.selects(func(l string) (string, bool) { v, ok := labels[l]; return v, ok }) {
			return nil
		}
	}
	return r.errorf("arm is %q; want baseline or canary, or say whose it is: --baseline arm=NAME --canary arm=NAME", web.Quote(labels["arm"]))
}

// wholeCounts checks that a metric with totals has them in all of its rows.
func (im *importer) wholeCounts() error {
	for _, s := range im.series {
		for _, r := range s.readings {
			if s.counts && math.IsNaN(r.total) && !math.IsNaN(r.value.number) {
				return fmt.Errorf("line %d: the series %q has totals in other rows; this one lacks it", r.line, web.Quote(s.title))
			}
			if s.counts && r.value.unit != "" {
				return fmt.Errorf("line %d: a count of %q has a unit; want a number", r.line, web.Quote(s.title))
			}
		}
	}
	return nil
}
