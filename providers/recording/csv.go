package recording

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// csvColumns are the columns of a CSV recording; total and count may be left out.
var csvColumns = []string{"time", "metric", "arm", "value", "total", "count"}

// readCSV reads an export: a header naming the columns, in any order, and a row
// a point. A set total makes the metric counts with value as the bad ones; an empty
// value is a gap. A count is how many observations are behind a value, such as a percentile.
//
// A CSV without rows is a recording without points.
func readCSV(from io.Reader) (*Recording, error) {
	in := csv.NewReader(from)
	in.ReuseRecord = true
	in.TrimLeadingSpace = true
	header, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("not a recording: neither JSON lines nor CSV: %w", err)
	}
	columns, err := csvHeader(header)
	if err != nil {
		return nil, err
	}
	rows, err := csvRows(in, columns)
	if err != nil {
		return nil, err
	}
	counted := map[string]bool{}
	for _, row := range rows {
		counted[row.point.Metric] = counted[row.point.Metric] || row.point.Kind == Counts
	}
	r := &Recording{Header: Header{Format: Format}}
	for _, row := range rows {
		p := row.point
		if counted[p.Metric] && p.Kind == Values {
			if !p.Sample.Gap() {
				return nil, fmt.Errorf("line %d: metric %q has totals in other rows; this one lacks it", row.line, p.Metric)
			}
			p.Kind = Counts
		}
		if err := r.Add(p); err != nil {
			return nil, fmt.Errorf("line %d: %w", row.line, err)
		}
	}
	return r, nil
}

// csvRow is a point and the line it stands on.
type csvRow struct {
	line  int
	point Point
}

// csvRows reads all rows: whether a metric is counts shows only in all of them.
func csvRows(in *csv.Reader, columns map[string]int) ([]csvRow, error) {
	var rows []csvRow
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err // encoding/csv names the line
		}
		line, _ := in.FieldPos(0)
		p, err := csvPoint(row, columns)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		rows = append(rows, csvRow{line, p})
	}
}

// csvHeader returns where each column is; -1 for one that is left out.
func csvHeader(header []string) (map[string]int, error) {
	columns := map[string]int{"total": -1, "count": -1}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(csvColumns, name) {
			return nil, fmt.Errorf("line 1: %q is no column of a recording; the columns are %s",
				web.Quote(name), strings.Join(csvColumns, ", "))
		}
		if at, ok := columns[name]; ok && at >= 0 {
			return nil, fmt.Errorf("line 1: the column %s is there twice", name)
		}
		columns[name] = i
	}
	var missing []string
	for _, name := range csvColumns {
		if _, ok := columns[name]; !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("line 1: the column %s is missing; the columns are %s",
			strings.Join(missing, " and "), strings.Join(csvColumns, ", "))
	}
	return columns, nil
}

// csvPoint reads a row.
func csvPoint(row []string, columns map[string]int) (Point, error) {
	get := func(name string) string {
		if i := columns[name]; i >= 0 {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	p := Point{Metric: strings.Clone(get("metric"))}
	if p.Metric == "" {
		return p, errors.New("metric is empty")
	}
	switch arm := providers.Arm(get("arm")); arm {
	case providers.Baseline, providers.Canary:
		p.Arm = providers.Arm(strings.Clone(string(arm)))
	default:
		return p, fmt.Errorf("arm is %q; want baseline or canary", web.Quote(string(arm)))
	}
	var err error
	if p.Time, err = csvTime(get("time")); err != nil {
		return p, err
	}
	value, err := csvNumber("value", get("value"))
	if err != nil {
		return p, err
	}
	count, err := csvNumber("count", get("count"))
	switch {
	case err != nil:
		return p, err
	case get("total") == "":
		p.Sample = analysis.QuantileSample(value, count)
		return p, nil
	case !math.IsNaN(count):
		return p, errors.New("there is both a total, of events, and a count, of what is behind a value: leave one of them empty")
	}
	p.Kind = Counts
	total, err := csvNumber("total", get("total"))
	if err != nil {
		return p, err
	}
	// In a CSV an empty value is a gap, not a source's silence about bad events.
	if !math.IsNaN(value) {
		p.Sample = analysis.CountSample(value, total)
	}
	return p, nil
}

// csvTime reads RFC 3339 or seconds since the epoch.
func csvTime(text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	// Before 1990 and after 2100 it is some other number, such as milliseconds.
	const earliest, latest = 631152000, 4102444800
	if err != nil || !(seconds >= earliest && seconds <= latest) {
		return time.Time{}, fmt.Errorf("time is %q; want RFC 3339 (2026-11-23T10:00:00Z) or seconds since the epoch",
			web.Quote(text))
	}
	whole := math.Floor(seconds)
	return time.Unix(int64(whole), int64(math.Round((seconds-whole)*1e3))*1e6).UTC(), nil
}

// csvNumber reads a finite number; nothing is NaN, a gap.
func csvNumber(name, text string) (float64, error) {
	if text == "" {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%s is %q; want a finite number, or nothing for a gap", name, web.Quote(text))
	}
	return v, nil
}
