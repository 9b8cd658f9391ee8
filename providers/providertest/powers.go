package providertest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/providers"
)

// power is what a provider may do beside fetching.
type power struct {
	name string
	// ask asks a provider for it, for nothing where that can be, and returns all texts
	// that it answered with. It reports whether the provider has it at all.
	ask func(context.Context, providers.Provider, providers.Query) (said []string, has bool, err error)
	// idle says that an answer takes no request.
	idle bool
}

// powers are all of them; TestEveryPowerIsInTheSuite compares them with package providers.
var powers = []power{
	{name: "Starter", idle: true, ask: func(ctx context.Context, p providers.Provider, _ providers.Query) ([]string, bool, error) {
		s, has := providers.As[providers.Starter](p)
		if !has {
			return nil, false, nil
		}
		return nil, true, s.Start(ctx, nil, time.Minute)
	}},
	{name: "Watcher", idle: true, ask: func(ctx context.Context, p providers.Provider, _ providers.Query) ([]string, bool, error) {
		w, has := providers.As[providers.Watcher](p)
		if !has {
			return nil, false, nil
		}
		seen, err := w.Watch(ctx, nil, time.Now())
		if len(seen) > 0 {
			return nil, true, fmt.Errorf("%d sightings of no guards", len(seen))
		}
		return nil, true, err
	}},
	{name: "Diagnoser", ask: func(ctx context.Context, p providers.Provider, q providers.Query) ([]string, bool, error) {
		d, has := providers.As[providers.Diagnoser](p)
		if !has {
			return nil, false, nil
		}
		text, err := d.Diagnose(ctx, q)
		return []string{text}, true, err
	}},
	{name: "ZeroDiagnoser", ask: func(ctx context.Context, p providers.Provider, q providers.Query) ([]string, bool, error) {
		d, has := providers.As[providers.ZeroDiagnoser](p)
		if !has {
			return nil, false, nil
		}
		text, err := d.DiagnoseZero(ctx, q)
		return []string{text}, true, err
	}},
	{name: "Linker", idle: true, ask: func(_ context.Context, p providers.Provider, q providers.Query) ([]string, bool, error) {
		l, has := providers.As[providers.Linker](p)
		if !has {
			return nil, false, nil
		}
		return []string{l.Link(q)}, true, checkLink(l.Link(q))
	}},
	{name: "Limited", idle: true, ask: func(_ context.Context, p providers.Provider, _ providers.Query) ([]string, bool, error) {
		l, has := providers.As[providers.Limited](p)
		if !has {
			return nil, false, nil
		}
		return []string{l.RateLimit().Said}, true, nil
	}},
	{name: "FailedRunLister", idle: true, ask: func(_ context.Context, p providers.Provider, _ providers.Query) ([]string, bool, error) {
		l, has := providers.As[providers.FailedRunLister](p)
		if !has {
			return nil, false, nil
		}
		var said []string
		for _, r := range l.FailedRuns() {
			said = append(said, r.What, r.Link)
		}
		return said, true, nil
	}},
	{name: "SegmentFinder", ask: func(ctx context.Context, p providers.Provider, q providers.Query) ([]string, bool, error) {
		f, has := providers.As[providers.SegmentFinder](p)
		if !has {
			return nil, false, nil
		}
		found, err := f.Segments(ctx, "region", []providers.Query{q})
		var said []string
		for _, s := range found {
			said = append(said, s.Value)
		}
		return said, true, err
	}},
	{name: "TestFinder", ask: func(ctx context.Context, p providers.Provider, _ providers.Query) ([]string, bool, error) {
		f, has := providers.As[providers.TestFinder](p)
		if !has {
			return nil, false, nil
		}
		var said []string
		tests, err := f.TestsTagged(ctx, "tag")
		for _, t := range tests {
			said = append(said, t.ID, t.Name)
		}
		return said, true, err
	}},
	{name: "Announcer", ask: func(ctx context.Context, p providers.Provider, _ providers.Query) ([]string, bool, error) {
		a, has := providers.As[providers.Announcer](p)
		if !has {
			return nil, false, nil
		}
		return nil, true, a.Announce(ctx, providers.Announcement{Title: "title", Text: "text", Tone: providers.Info})
	}},
	{name: "Marker", ask: func(ctx context.Context, p providers.Provider, _ providers.Query) ([]string, bool, error) {
		m, has := providers.As[providers.Marker](p)
		if !has || !m.Marks() {
			return nil, false, nil
		}
		labels := []providers.Label{{Name: "service", Value: "shop"}, {Name: "version", Value: "2"}}
		said, err := m.Deployment(labels)
		return []string{said}, true, errors.Join(err, m.MarkFailed(ctx, labels))
	}},
	{name: "NotebookWriter", ask: func(ctx context.Context, p providers.Provider, q providers.Query) ([]string, bool, error) {
		w, has := providers.As[providers.NotebookWriter](p)
		if !has {
			return nil, false, nil
		}
		address, err := w.WriteNotebook(ctx, providers.Notebook{
			Title: "title", Metrics: []providers.NotebookMetric{{Name: q.Metric, Queries: []providers.Query{q}}},
		})
		return []string{address}, true, err
	}},
}

// checkLink reports what is wrong with the address of a page; "" is none.
func checkLink(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return fmt.Errorf("the link cannot be parsed: %w", err)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return fmt.Errorf("the link %q is no address that a browser opens", address)
	case u.User != nil:
		return errors.New("the link has credentials in it")
	}
	return nil
}

// otherPowers asks for all that the provider can do beside fetching, of a source that is
// well, once with a context that is done.
func otherPowers(open opener, _ Suite) error {
	w := world(value("load", 0, 1, 2))
	p := open(w)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for _, power := range powers {
		before := w.Requests()
		if _, _, err := bounded(done, func(ctx context.Context) ([]string, bool, error) { return power.ask(ctx, p, w.queries(2)[0]) }); errors.Is(err, errHangs) {
			return fmt.Errorf("%s: %w", power.name, err)
		}
		if n := w.Requests() - before; n > 0 {
			return fmt.Errorf("%s: %d requests after the context was done", power.name, n)
		}
		said, _, err := bounded(context.Background(), func(ctx context.Context) ([]string, bool, error) { return power.ask(ctx, p, w.queries(2)[0]) })
		if power.idle && err != nil {
			return fmt.Errorf("%s, asked for nothing: %w", power.name, err)
		}
		if n := w.Requests() - before; power.idle && n > 0 {
			return fmt.Errorf("%s: %d requests, and nothing is asked for", power.name, n)
		}
		if err := quiet(said, err, w.Secret); err != nil {
			return fmt.Errorf("%s: %w", power.name, err)
		}
	}
	return nil
}

// otherPowersDenied asks for all that the provider can do beside fetching, of a source that
// refuses the secret and repeats it.
func otherPowersDenied(open opener, _ Suite) error {
	w := world(value("load", 0, 1, 2))
	w.Mood = Denies
	p := open(w)
	for _, power := range powers {
		said, _, err := bounded(context.Background(), func(ctx context.Context) ([]string, bool, error) { return power.ask(ctx, p, w.queries(2)[0]) })
		if err := quiet(said, err, w.Secret); err != nil {
			return fmt.Errorf("%s: %w", power.name, err)
		}
	}
	return nil
}

// quiet reports whether what was said, or an error, shows a secret, or has several lines.
func quiet(said []string, err error, secret string) error {
	for _, text := range said {
		switch {
		case strings.Contains(text, secret):
			return errors.New("what it says shows the secret")
		case strings.ContainsAny(text, "\r\n"):
			return fmt.Errorf("what it says has several lines: %q", text)
		}
	}
	if err == nil {
		return nil
	}
	return exposes(err, secret)
}
