package exports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/web"
)

// clock reads the times of one file.
type clock struct {
	zone  *time.Location // nil = UTC, with a note
	note  func(string, ...any)
	epoch string // the unit that epoch times of this file have; "" before the first
}

// zoned and naive are the layouts that are read, with and without a zone. Days and
// months are read only after the year: 03/04/2026 means two things.
var (
	zoned = []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST"}
	naive = []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006/01/02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006/01/02 15:04"}
)

// epochs are the units of times since the epoch, by how many there are to a second.
// Between 1990 and 2100 their numbers do not overlap.
var epochs = []struct {
	name string
	size float64
}{{"seconds", 1}, {"milliseconds", 1e3}, {"microseconds", 1e6}, {"nanoseconds", 1e9}}

// read reads a time of any spelling that means one moment only.
func (c *clock) read(text string) (time.Time, error) {
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		return c.sinceEpoch(text, number)
	}
	for i, layout := range zoned {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if i == len(zoned)-1 && !strings.HasSuffix(text, " UTC") && !strings.HasSuffix(text, " GMT") {
			break // other abbreviations of zones mean several things
		}
		return at.UTC(), nil
	}
	for _, layout := range naive {
		if _, err := time.Parse(layout, text); err == nil {
			return c.local(layout, text)
		}
	}
	return time.Time{}, fmt.Errorf("time is %q; want RFC 3339 (2026-11-23T10:00:00Z), 2026-11-23 10:00:00, or seconds or milliseconds since the epoch", web.Quote(text))
}

// sinceEpoch tells the unit by the magnitude; one file has one unit.
func (c *clock) sinceEpoch(text string, number float64) (time.Time, error) {
	const earliest, latest = 631152000, 4102444800 // 1990 and 2100
	for _, unit := range epochs {
		if !(number >= earliest*unit.size && number < latest*unit.size) {
			continue
		}
		if c.epoch != "" && c.epoch != unit.name {
			return time.Time{}, fmt.Errorf("time is %s, which are %s since the epoch, and before it there were %s", web.Quote(text), unit.name, c.epoch)
		}
		c.epoch = unit.name
		if unit.size > 1 {
			c.note("times such as %s were taken for %s since the epoch", "1795622400"+strings.Repeat("0", int(math.Log10(unit.size))), unit.name)
		}
		return fromEpoch(text, number, unit.size), nil
	}
	return time.Time{}, fmt.Errorf("time is %q, which lies between 1990 and 2100 in no unit", web.Quote(text))
}

// fromEpoch is exact for whole numbers, which a float64 of nanoseconds is not.
func fromEpoch(text string, number, size float64) time.Time {
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		perUnit := int64(1e9 / size)
		return time.Unix(whole/int64(size), whole%int64(size)*perUnit).UTC()
	}
	seconds := math.Floor(number / size)
	return time.Unix(int64(seconds), int64(math.Round((number/size-seconds)*1e3))*1e6).UTC()
}

// local reads a time without a zone in the clock's.
func (c *clock) local(layout, text string) (time.Time, error) {
	zone := c.zone
	if zone == nil {
		zone = time.UTC
		c.note("times name no zone and were taken for UTC; --time-zone Europe/Berlin, for one, reads them otherwise")
	}
	at, err := time.ParseInLocation(layout, text, zone)
	if err != nil {
		return at, err
	}
	wall := func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04:05") }
	plain, err := time.Parse(layout, text)
	if err != nil {
		return at, err
	}
	if wall(at) != plain.Format("2006-01-02 15:04:05") {
		return at, fmt.Errorf("time is %q, which the clocks of %s skipped; is --time-zone right?", web.Quote(text), zone)
	}
	for _, shift := range []time.Duration{-time.Hour, -time.Hour / 2, time.Hour / 2, time.Hour} {
		if wall(at.Add(shift)) == wall(at) {
			return at, fmt.Errorf("time is %q, which the clocks of %s showed twice; export with UTC or epoch times", web.Quote(text), zone)
		}
	}
	return at.UTC(), nil
}
