package recording

import (
	"errors"
	"fmt"
	"time"

	"github.com/canary-judge/canary-judge/web"
)

// Revision is a step whose data changed after they had been fetched: they came later than
// they were waited for. What counts stays the first answer.
type Revision struct {
	// First and Later are what the source answered first, and when it was asked again.
	// A gap is what it was silent about.
	First, Later Point
	// Age is how long after the end of the step the later answer was given.
	Age time.Duration
	// Known is the end of the last step that was fetched before the later answer was
	// seen: looks after steps that end later knew of it. Zero when it was seen before
	// all of them.
	Known time.Time
}

// revision is how a revision stands in a file: in the mark of a look, so that readers of
// this format that know nothing of revisions see the mark alone.
type revision struct {
	Age   string `json:"age"` // as Go writes durations
	First *line  `json:"first"`
	Later *line  `json:"later"`
}

// read reads a revision.
func (r revision) read() (Revision, error) {
	var rev Revision
	var err error
	if rev.Age, err = time.ParseDuration(r.Age); err != nil || rev.Age < 0 {
		return rev, fmt.Errorf("the age of a revision is %q; want a length of time such as 1m30s", web.Quote(r.Age))
	}
	if r.First == nil || r.Later == nil {
		return rev, errors.New("a revision has no first or no later answer")
	}
	if rev.First, err = r.First.timed(); err != nil {
		return rev, err
	}
	if rev.Later, err = r.Later.timed(); err != nil {
		return rev, err
	}
	if a, b := rev.First, rev.Later; a.Kind != b.Kind || a.Metric != b.Metric || a.Arm != b.Arm || !a.Time.Equal(b.Time) {
		err = errors.New("the two answers of a revision are not of the same point")
	}
	return rev, err
}

// timed reads a line as a point with its time.
func (l line) timed() (Point, error) {
	at, err := time.Parse(time.RFC3339, l.Time)
	if err != nil {
		return Point{}, fmt.Errorf("t is %q; want a time such as 2026-11-23T10:00:00Z", web.Quote(l.Time))
	}
	return l.point(at.UTC())
}

// Revision appends a revision that was seen when the steps up to end were fetched, before
// the mark of that look.
func (w *Writer) Revision(look int, end time.Time, r Revision) error {
	type written struct {
		Age   string `json:"age"`
		First any    `json:"first"`
		Later any    `json:"later"`
	}
	return w.write(struct {
		Look    int       `json:"look"`
		Time    time.Time `json:"t"`
		Revised written   `json:"revised"`
	}{look, end.UTC(), written{r.Age.String(), pointLine(r.First), pointLine(r.Later)}})
}
