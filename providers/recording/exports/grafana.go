package exports

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Columns of Grafana's CSV. Inspect > Data writes Time and a column a series ("series
// joined by time"), or Time, labels and Value (the format "table" of a query); the old
// Export CSV wrote Series;Time;Value or Time and a column a series.
// Source: grafana/grafana, packages/grafana-data/src/utils/csv.ts, and
// public/app/core/utils/file_export.ts of version 6.
var valueColumn = regexp.MustCompile(`(?i)^value( #[a-z0-9]+)?$`)

// readGrafana reads the CSV of a panel.
func readGrafana(im *importer, in *input) error {
	t, err := readTable(in)
	if err != nil {
		return err
	}
	if err := t.need("Time"); err != nil {
		return fmt.Errorf("%w; a panel's CSV has one: Inspect > Data > Download CSV", err)
	}
	rows, err := t.all()
	if err != nil {
		return err
	}
	var values, labels []int
	for i, name := range t.header {
		switch {
		case i == t.at["time"]:
		case valueColumn.MatchString(name):
			values = append(values, i)
		default:
			labels = append(labels, i)
		}
	}
	switch _, old := t.at["series"]; {
	case old && len(values) == 1:
		return im.readLong(t, rows, values[0], labels)
	case len(values) == 1 && len(labels) > 0 && hasText(rows, labels):
		return im.readLong(t, rows, values[0], labels)
	}
	return im.readWide(t, rows)
}

// all reads the rest of a table.
func (t *table) all() ([]row, error) {
	var rows []row
	for {
		r, err := t.next()
		if errors.Is(err, io.EOF) {
			if len(rows) == 0 {
				return nil, errors.New("there is no row after the header")
			}
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		r.cells = slices.Clone(r.cells)
		for i := range r.cells {
			r.cells[i] = strings.TrimSpace(r.cells[i])
		}
		rows = append(rows, r)
	}
}

// hasText reports whether a cell of the columns is neither a number nor a gap.
func hasText(rows []row, columns []int) bool {
	for _, r := range rows {
		for _, i := range columns {
			if !isGap(r.cells[i]) && !quantityText.MatchString(r.cells[i]) {
				return true
			}
		}
	}
	return false
}

// styleOf finds out how the cells of columns write their numbers.
func (im *importer) styleOf(rows []row, columns []int) (decimal, error) {
	var cells []string
	for _, r := range rows {
		for _, i := range columns {
			cells = append(cells, r.cells[i])
		}
	}
	return im.decimalOf(cells)
}

// cell reads a value that people may have formatted.
func (im *importer) cell(style decimal, text string) (quantity, error) {
	if isGap(text) {
		if text != "" {
			im.once("gap", "cells such as %q were taken for gaps", text)
		}
		return gapReading, nil
	}
	q, err := style.quantity(text)
	if err == nil && q.unit != "" {
		im.once("unit", "cells carry units, such as %q: their numbers are rounded; without formatting they are exact", text)
	}
	return q, err
}

// readWide reads a column a series.
func (im *importer) readWide(t *table, rows []row) error {
	timeAt := t.at["time"]
	var columns []int
	for i, name := range t.header {
		if i != timeAt && (name != "" || !emptyColumn(rows, i)) {
			columns = append(columns, i)
		}
	}
	if len(columns) == 0 {
		return errors.New("there is no column beside the time")
	}
	style, err := im.styleOf(rows, columns)
	if err != nil {
		return err
	}
	times, err := im.timesOf(rows, timeAt)
	if err != nil {
		return err
	}
	for _, i := range columns {
		s := im.headed(t.header[i])
		for n, r := range rows {
			q, err := im.cell(style, r.cells[i])
			if err != nil {
				return r.errorf("%q: %w", t.header[i], err)
			}
			s.readings = append(s.readings, reading{r.line, times[n], q, math.NaN()})
		}
		im.series = append(im.series, s)
	}
	return nil
}

// emptyColumn reports whether nothing stands in a column, as behind a last delimiter.
func emptyColumn(rows []row, i int) bool {
	return !slices.ContainsFunc(rows, func(r row) bool { return r.cells[i] != "" })
}

// timesOf reads the times of all rows.
func (im *importer) timesOf(rows []row, column int) ([]time.Time, error) {
	times := make([]time.Time, len(rows))
	for n, r := range rows {
		var err error
		if times[n], err = im.clock.read(r.cells[column]); err != nil {
			return nil, r.errorf("%w", err)
		}
	}
	return times, nil
}

// headed is an empty series with the name and the labels of a column's head, such as
// errors {service="a", code="500"}.
func (im *importer) headed(title string) series {
	s := series{title: title, name: title, labels: map[string]string{}, arm: im.file.Arm}
	if name, rest, ok := strings.Cut(title, "{"); ok && strings.HasSuffix(rest, "}") {
		if labels, ok := parseLabels(strings.TrimSuffix(rest, "}")); ok {
			s.name, s.labels = strings.TrimSpace(name), labels
			s.measures = s.name != "" && !valueColumn.MatchString(s.name)
		}
	}
	if valueColumn.MatchString(s.name) {
		s.name = ""
	}
	return s
}

// readLong reads a row a value, beside its labels.
func (im *importer) readLong(t *table, rows []row, valueAt int, labelsAt []int) error {
	style, err := im.styleOf(rows, []int{valueAt})
	if err != nil {
		return err
	}
	times, err := im.timesOf(rows, t.at["time"])
	if err != nil {
		return err
	}
	at := map[string]int{}
	for n, r := range rows {
		labels := map[string]string{}
		for _, i := range labelsAt {
			if r.cells[i] != "" {
				labels[t.header[i]] = r.cells[i]
			}
		}
		key := fmt.Sprint(labels) // fmt sorts maps by their keys
		if _, there := at[key]; !there {
			at[key] = len(im.series)
			im.series = append(im.series, im.labelled(labels))
		}
		q, err := im.cell(style, r.cells[valueAt])
		if err != nil {
			return r.errorf("%w", err)
		}
		s := &im.series[at[key]]
		s.readings = append(s.readings, reading{r.line, times[n], q, math.NaN()})
	}
	return nil
}

// nameLabels are labels that name a series rather than divide it.
var nameLabels = []string{"Series", "__name__", "metric"}

// labelled is an empty series with the labels of a row.
func (im *importer) labelled(labels map[string]string) series {
	rest := maps.Clone(labels)
	for _, name := range nameLabels {
		if title, ok := labels[name]; ok {
			delete(rest, name)
			s := im.headed(title)
			maps.Copy(s.labels, rest)
			s.title = metricName(s.name, s.labels)
			return s
		}
	}
	return series{title: metricName("", labels), labels: rest, arm: im.file.Arm}
}
