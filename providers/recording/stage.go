package recording

import (
	"errors"
	"fmt"
	"time"

	"github.com/canary-judge/canary-judge/web"
)

// Stage is a stage of a ramp that a run has set: the canary was given its share of the traffic.
type Stage struct {
	Number int     // from 1
	Share  float64 // of the traffic, that the canary was to get
	Look   int     // the last one before it began, 0 for none
	// Began is when the command that sets the stage was started, and Done when it had ended
	// well; zero while it has not, or nobody knows.
	Began, Done time.Time
}

// stage is how a Stage stands in a file: in the mark of a look, as a history does. The line is
// written when the command begins, and once more when it is done.
type stage struct {
	Number int     `json:"number"`
	Share  float64 `json:"share"`
	Began  string  `json:"began"`
	Done   string  `json:"done,omitempty"`
}

// read reads a stage that began after a look.
func (s stage) read(look int) (to Stage, err error) {
	to = Stage{Number: s.Number, Share: s.Share, Look: look}
	if s.Number < 1 || !(s.Share > 0 && s.Share < 1) {
		return to, fmt.Errorf("stage %d has the share %g; want a number from 1, and a share between 0 and 1", s.Number, s.Share)
	}
	for _, t := range []struct {
		name, text string
		into       *time.Time
	}{{"began", s.Began, &to.Began}, {"done", s.Done, &to.Done}} {
		if t.text == "" && t.name == "done" {
			continue
		}
		at, err := time.Parse(time.RFC3339, t.text)
		if err != nil || at.Before(earliest) || !at.Before(latest) {
			return to, fmt.Errorf("%s of a stage is %q; want a time such as 2026-11-23T10:00:00Z", t.name, web.Quote(t.text))
		}
		*t.into = at.UTC()
	}
	if !to.Done.IsZero() && to.Done.Before(to.Began) {
		return to, errors.New("a stage was done before it began")
	}
	return to, nil
}

// SetStage notes a stage: that its command begins, or that the last one's is done.
func (r *Recording) SetStage(s Stage) error {
	if n := len(r.Stages); n > 0 {
		last := &r.Stages[n-1]
		if last.Done.IsZero() && last.Number == s.Number {
			if !s.Done.IsZero() && s.Done.Before(last.Began) {
				return fmt.Errorf("stage %d was done before it began", s.Number)
			}
			last.Done = s.Done // of one that is set again, the beginning is the first one's
			return nil
		}
		switch {
		case s.Number < last.Number:
			return fmt.Errorf("stage %d follows stage %d", s.Number, last.Number)
		case s.Began.Before(last.Done) || s.Began.Before(last.Began):
			return fmt.Errorf("stage %d began before the one before it was set", s.Number)
		}
	}
	r.Stages = append(r.Stages, s)
	return nil
}

// Stage marks that the command of a stage begins, or is done, safe on disk. All steps up to end
// have been fetched.
func (w *Writer) Stage(end time.Time, s Stage) error {
	line := stage{Number: s.Number, Share: s.Share, Began: s.Began.UTC().Format(time.RFC3339Nano)}
	if !s.Done.IsZero() {
		line.Done = s.Done.UTC().Format(time.RFC3339Nano)
	}
	return w.mark(struct {
		Look  int       `json:"look"`
		Time  time.Time `json:"t"`
		Stage stage     `json:"stage"`
	}{s.Look, end.UTC(), line})
}
