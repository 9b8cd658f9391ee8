package providers

import "context"

// Announcement is word of a run, for those who look at its source: a mark beside
// the graphs.
type Announcement struct {
	Title string
	Text  string
	Tone  Tone
	Tags  []Label
	Key   string // what belongs together has the same
}

// Tone is how good the news is.
type Tone string

// The tones.
const (
	Info    Tone = "info"
	Success Tone = "success"
	Warning Tone = "warning"
	Alarm   Tone = "error"
)

// Announcer is a provider that can be told of a run.
type Announcer interface {
	// Announces reports whether the settings ask to be told.
	Announces() bool
	// Announce tells of a run. Titles and texts are cut to what the source takes, and
	// mean nothing but themselves in it.
	Announce(ctx context.Context, a Announcement) error
}
