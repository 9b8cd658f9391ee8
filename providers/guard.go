package providers

import (
	"context"
	"time"
)

// Guard is a watch over the canary that its source keeps already: one monitor by its
// ID, all those that a Search finds, or the errors that are new.
type Guard struct {
	Name   string     // in reports and recordings: "monitor 12345"
	ID     string     // the source's; "" = not by an ID
	Search string     // for monitors, in the source's syntax; "" = not by a search
	Errors *NewErrors // nil = not errors
	// Labels are the canary's: a guard of many groups counts by those of the canary.
	Labels []Label
}

// NewErrors are issues, as a source calls errors of the same kind, that came with the
// canary.
type NewErrors struct {
	Search  string // for the errors, in the source's syntax
	Track   string // where they come from: trace, logs or rum
	Version string // the canary's, by which an issue is new
	AtLeast int64  // errors since the run began that make an issue count; at least 1
	// AbsentIsZero says that a source that knows no issue at all has none; else the
	// search may be wrong.
	AbsentIsZero bool
}

// State is what a guard says of the canary.
type State string

// The states.
const (
	Quiet    State = "quiet"  // nothing is wrong
	Alerting State = "alert"  // something went wrong since the run began
	Unread   State = "unread" // it does not say: muted, without data, alerting since before
)

// States lists the states.
var States = []State{Quiet, Alerting, Unread}

// Sighting is what a guard said at a look.
type Sighting struct {
	Guard  string // its name
	State  State
	Detail string // what the source calls it, and why it is unread; free of secrets
	Link   string // to look it up; "" = none
}

// Watcher is a provider that keeps guards. A run without guards needs none.
type Watcher interface {
	// Watch returns what each guard says now, in their order. An alert counts when it
	// began, or ended, at since or later. A guard that does not exist, or an
	// answer that cannot be read, is an error; keys and passwords appear in none.
	Watch(ctx context.Context, guards []Guard, since time.Time) ([]Sighting, error)
}
