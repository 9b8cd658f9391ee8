package exports

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// Locust's PREFIX_stats_history.csv: a row a second or so, with the counts since the
// start and percentiles, in milliseconds, of the last ten seconds. Rows of the name
// Aggregated sum up the others, which are there with --csv-full-history only. Source:
// locustio/locust, locust/stats.py, and
// https://docs.locust.io/en/stable/retrieving-stats.html
const (
	locustAll    = "Aggregated"
	locustWindow = 10 * time.Second // CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW
)

// locustRow is a row that counts.
type locustRow struct {
	line          int
	at            time.Time
	total, failed float64
	p95           float64 // seconds; NaN = none
}

// readLocust reads the history of a test.
func readLocust(im *importer, in *input) error {
	t, err := readTable(in)
	if err != nil {
		return err
	}
	if err := t.need("Timestamp", "Name", "Total Request Count", "Total Failure Count", "95%"); err != nil {
		return fmt.Errorf("%w; want PREFIX_stats_history.csv, which locust --csv PREFIX writes; the other files have no times", err)
	}
	of := map[providers.Arm]map[string][]locustRow{}
	q := im.requests()
	for {
		r, err := t.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		arm, err := im.locustArm(q, r)
		if err != nil {
			return r.errorf("%w", err)
		}
		if arm == "" {
			continue
		}
		row, err := im.locustRow(r)
		if err != nil {
			return r.errorf("%w", err)
		}
		if of[arm] == nil {
			of[arm] = map[string][]locustRow{}
		}
		name := r.get("Type") + " " + r.get("Name")
		of[arm][name] = append(of[arm][name], row)
	}
	for _, arm := range providers.Arms {
		names := of[arm]
		for _, name := range sortedKeys(names) {
			if err := im.locust(arm, names[name], len(names) == 1); err != nil {
				return fmt.Errorf("%s: %w", strings.TrimSpace(name), err)
			}
		}
		if len(names) > 1 {
			im.note("the %s is %d names, whose percentiles cannot be added up; only their requests and failures are read", arm, len(names))
		}
	}
	return nil
}

// locustArm returns whose a row is: of a file for each arm, the sums; of one file, the
// names that the options say.
func (im *importer) locustArm(q *requests, r row) (providers.Arm, error) {
	name := r.get("Name")
	if im.file.Arm != "" {
		if name == locustAll {
			return im.file.Arm, nil
		}
		return "", nil
	}
	arm, err := im.requestArm(func(column string) (string, bool) { v := r.get(column); return v, v != "" })
	if name == locustAll && err == nil {
		if arm != "" {
			return "", errors.New("the rows Aggregated hold both arms; name others, of locust --csv-full-history")
		}
		return "", nil
	}
	q.see("Name", strings.Clone(name))
	q.read++
	if arm == "" {
		q.left++
	}
	return arm, err
}

func (im *importer) locustRow(r row) (locustRow, error) {
	row := locustRow{line: r.line}
	var err error
	if row.at, err = im.clock.read(r.get("Timestamp")); err != nil {
		return row, err
	}
	for column, into := range map[string]*float64{"Total Request Count": &row.total, "Total Failure Count": &row.failed} {
		if *into, err = number(r.get(column)); err != nil || !(*into >= 0) {
			return row, fmt.Errorf("%s is %q; want a count", column, web.Quote(r.get(column)))
		}
	}
	p95, err := number(r.get("95%"))
	if err != nil || p95 < 0 {
		return row, fmt.Errorf("95%% is %q; want milliseconds or N/A", web.Quote(r.get("95%")))
	}
	row.p95 = p95 / 1e3
	return row, nil
}

// locust counts what came between two rows in the step of the latter.
func (im *importer) locust(arm providers.Arm, rows []locustRow, percentiles bool) error {
	q := im.requests()
	for i := 1; i < len(rows); i++ {
		a, b := rows[i-1], rows[i]
		total, failed := b.total-a.total, b.failed-a.failed
		switch {
		case !a.at.Before(b.at):
			return fmt.Errorf("line %d: its time %s is not after the row's before it: are there two tests in one file?", b.line, b.at.Format(time.RFC3339))
		case total < 0 || failed < 0:
			return fmt.Errorf("line %d: its counts are less than the row's before it: there are two tests in one file, or Locust reset its statistics (--reset-stats); give one test without", b.line)
		case failed > total:
			return fmt.Errorf("line %d: %g requests failed of %g", b.line, failed, total)
		}
		q.count(arm, errorsMetric, b.at, failed, total)
	}
	if len(rows) > 0 && rows[0].total > 0 {
		// What the first row counts came before it, at a time that nobody knows.
		im.note("the %s's first row counts %g requests since the start, which have no step and were left out", arm, rows[0].total)
	}
	if percentiles {
		im.locustPercentiles(arm, rows)
	}
	return nil
}

// locustPercentiles takes the percentile of the last row of each step. Its window is ten
// seconds: in shorter steps, one slow request would be seen several times.
func (im *importer) locustPercentiles(arm providers.Arm, rows []locustRow) {
	q := im.requests()
	if q.step < locustWindow {
		im.note("latency was left out: Locust's percentiles are of the last %s, which a --step of %s is shorter than", locustWindow, q.step)
		return
	}
	for i, r := range rows {
		if math.IsNaN(r.p95) || i+1 < len(rows) && rows[i+1].at.Truncate(q.step).Equal(r.at.Truncate(q.step)) {
			continue
		}
		// Those of the rows in its window: it may begin a row earlier, so that they are the least.
		from := i
		for from > 0 && r.at.Sub(rows[from-1].at) <= locustWindow {
			from--
		}
		t := q.at(arm, locustP95, r.at)
		t.value, t.total = r.p95, r.total-rows[from].total
	}
	im.note("latency p95 is Locust's, of the last %s of each step; behind it are the requests of those", locustWindow)
}
