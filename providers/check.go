package providers

import (
	"context"
	"time"
)

// Check is a synthetic test, and which of its runs count.
type Check struct {
	Test string // its public id
	// Location is where the runs that count came from, "" for anywhere.
	Location string
	// Aim, unless nil, says that only runs count that are started for it.
	Aim *Aim
}

// Aim is where the runs of a synthetic test go, instead of where the test itself says.
// What is empty is left as the test has it.
type Aim struct {
	StartURL  string            `json:"start_url,omitempty"` // of a browser test or a single request
	Variables map[string]string `json:"variables,omitempty"` // of the test, by name
	Locations []string          `json:"locations,omitempty"` // where the runs come from, one each
}

// Starter is a provider with queries that count runs which have to be started first:
// Fetch is repeated, and must not start anything.
type Starter interface {
	// Start starts the runs that the queries count, once however many queries count
	// them. The window of the queries is the step that the runs belong to. Of runs that
	// have not ended within the limit after its start, no query counts any.
	Start(ctx context.Context, queries []Query, limit time.Duration) error
}

// FailedRun is a run of a check that failed, or came to no result.
type FailedRun struct {
	Metric string
	Arm    Arm
	Time   time.Time // when it ended, or the start of the step that it was started for
	What   string    // which one, and what is known of it, in a few words; free of secrets
	Link   string    // its page at the source; "" = none
}

// FailedRunLister is a provider that can show the failed runs behind its counts.
type FailedRunLister interface {
	// FailedRuns returns the failed runs of all that was fetched so far, the oldest first;
	// those of the latest steps when there are very many.
	FailedRuns() []FailedRun
}

// TaggedTest is a synthetic test that was found by a tag.
type TaggedTest struct {
	ID, Name string // public id, and name, which is untrusted text
	Paused   bool   // it makes no runs by itself
}

// TestFinder is a provider that finds synthetic tests by a tag.
type TestFinder interface {
	// TestsTagged returns the tests that carry a tag, in a stable order; none is an answer.
	TestsTagged(ctx context.Context, tag string) ([]TaggedTest, error)
}
