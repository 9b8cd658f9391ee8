package providers

import (
	"context"
	"time"
)

// Notebook is an account of a run for those who look at its source: what it came to, and
// its queries over its time.
type Notebook struct {
	Title, Text string // untrusted
	Start, End  time.Time
	Metrics     []NotebookMetric
}

// NotebookMetric is a metric by its queries in both arms.
type NotebookMetric struct {
	Name    string // untrusted
	Queries []Query
}

// NotebookWriter is a provider whose source keeps notebooks.
type NotebookWriter interface {
	// WritesNotebooks reports whether the settings ask for one.
	WritesNotebooks() bool
	// WriteNotebook writes one and returns its address. Titles and texts are cut to what the
	// source takes, and mean nothing but themselves in it.
	WriteNotebook(ctx context.Context, n Notebook) (address string, err error)
}
