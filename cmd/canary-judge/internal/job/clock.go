package job

import "time"

// Clock tells the time.
type Clock interface {
	// Now is the time by the wall clock, which may be set at any moment.
	Now() time.Time
	// Since is the time that has passed since a moment that Now told, whatever the wall
	// clock was set to in between.
	Since(time.Time) time.Duration
}

// system is the system's clock.
type system struct{}

func (system) Now() time.Time                       { return time.Now() }
func (system) Since(moment time.Time) time.Duration { return time.Since(moment) } // by the monotonic clock

// steady returns a clock that goes on from what the wall clock says now, and is not set
// with it: one that jumps ahead would have steps judged that have not been yet, and one that
// jumps back would stop the run for as long.
func steady(c Clock) func() time.Time {
	if c == nil {
		c = system{}
	}
	began := c.Now()
	return func() time.Time { return began.Add(c.Since(began)) }
}
