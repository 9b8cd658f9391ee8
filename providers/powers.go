package providers

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What a provider may do beside fetching are optional interfaces, such as Starter. They are
// asked for here and nowhere else, so that a provider can be wrapped without losing them: a
// wrapper hands on what is inside by
//
//	Unwrap() Provider
//
// and implements itself only what it changes.

// As returns a provider as one that can do more, P, or the first of those that it wraps.
func As[P any](p Provider) (P, bool) {
	for p != nil {
		if able, ok := p.(P); ok {
			return able, true
		}
		wrapper, ok := p.(interface{ Unwrap() Provider })
		if !ok {
			break
		}
		p = wrapper.Unwrap()
	}
	var none P
	return none, false
}

// unable is the error of what a provider cannot do; it wraps errors.ErrUnsupported.
func unable(what string) error { return fmt.Errorf("%s: %w", what, errors.ErrUnsupported) }

// Start starts what the queries count (Starter). A provider that starts nothing returns an
// error that wraps errors.ErrUnsupported.
func Start(ctx context.Context, p Provider, queries []Query, limit time.Duration) error {
	if s, ok := As[Starter](p); ok {
		return s.Start(ctx, queries, limit)
	}
	return unable("start checks")
}

// Watch returns what guards say (Watcher). A provider that keeps none returns an error that
// wraps errors.ErrUnsupported.
func Watch(ctx context.Context, p Provider, guards []Guard, since time.Time) ([]Sighting, error) {
	if w, ok := As[Watcher](p); ok {
		return w.Watch(ctx, guards, since)
	}
	return nil, unable("ask guards")
}

// Diagnose says why nothing matches a query (Diagnoser); "" from a provider that cannot
// tell.
func Diagnose(ctx context.Context, p Provider, q Query) (string, error) {
	if d, ok := As[Diagnoser](p); ok {
		return d.Diagnose(ctx, q)
	}
	return "", nil
}

// DiagnoseZero says what a query that was answered with zeros leaves out (ZeroDiagnoser);
// "" from a provider that cannot tell.
func DiagnoseZero(ctx context.Context, p Provider, q Query) (string, error) {
	if d, ok := As[ZeroDiagnoser](p); ok {
		return d.DiagnoseZero(ctx, q)
	}
	return "", nil
}

// Link returns the address of the page that shows a query (Linker); "" from a provider
// whose source has none.
func Link(p Provider, q Query) string {
	if l, ok := As[Linker](p); ok {
		return l.Link(q)
	}
	return ""
}

// RateLimitOf returns what is left of a source's rate limit (Limited); nothing from a
// provider that does not know.
func RateLimitOf(p Provider) RateLimit {
	if l, ok := As[Limited](p); ok {
		return l.RateLimit()
	}
	return RateLimit{}
}

// FailedRuns returns the failed runs behind what was fetched (FailedRunLister); none from
// a provider that does not keep them.
func FailedRuns(p Provider) []FailedRun {
	if l, ok := As[FailedRunLister](p); ok {
		return l.FailedRuns()
	}
	return nil
}

// TestsTagged returns the synthetic tests with a tag (TestFinder). A provider that does not
// look them up returns an error that wraps errors.ErrUnsupported.
func TestsTagged(ctx context.Context, p Provider, tag string) ([]TaggedTest, error) {
	if f, ok := As[TestFinder](p); ok {
		return f.TestsTagged(ctx, tag)
	}
	return nil, unable("look up tests by a tag")
}

// Segments returns the values that a label has in what queries select (SegmentFinder). A provider that cannot
// tell returns an error that wraps errors.ErrUnsupported.
func Segments(ctx context.Context, p Provider, label string, queries []Query) ([]Segment, error) {
	if f, ok := As[SegmentFinder](p); ok {
		return f.Segments(ctx, label, queries)
	}
	return nil, unable("tell the values of a label")
}

// AsAnnouncer returns a provider that wants to be told of runs (Announcer).
func AsAnnouncer(p Provider) (Announcer, bool) {
	a, ok := As[Announcer](p)
	return a, ok && a.Announces()
}

// AsMarker returns a provider that wants failed deployments marked (Marker).
func AsMarker(p Provider) (Marker, bool) {
	m, ok := As[Marker](p)
	return m, ok && m.Marks()
}

// AsNotebookWriter returns a provider that is to write a notebook of a run (NotebookWriter).
func AsNotebookWriter(p Provider) (NotebookWriter, bool) {
	w, ok := As[NotebookWriter](p)
	return w, ok && w.WritesNotebooks()
}
