package providertest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// Suite says how to test a kind of provider.
type Suite struct {
	// Open returns a provider whose source is the world.
	Open func(t *testing.T, w *World) providers.Provider
	// Parts are what the source can be asked for; nil for all.
	Parts []providers.Part
	// OneSeries says that no query can match several series, as in a recording, and
	// that series need not have labels.
	OneSeries bool
	// Offline says that the source is no server: nothing hangs, and nobody is denied.
	Offline bool
	// Requests returns the most requests that so many queries over a window of so many
	// steps may take. Nil: they are not counted.
	Requests func(queries, steps int) int
}

// Test runs the suite.
func Test(t *testing.T, s Suite) {
	t.Helper()
	if s.Parts == nil {
		s.Parts = providers.Parts
	}
	for _, c := range cases {
		if c.server && s.Offline || c.several && s.OneSeries {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			open := func(w *World) providers.Provider {
				w.begin()
				return s.Open(t, w)
			}
			var w *World
			err := c.run(func(of *World) providers.Provider { w = of; return open(of) }, s)
			if w != nil {
				w.end() // or a stand-in that still hangs would never be done
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// opener opens a provider on a world.
type opener func(*World) providers.Provider

// caseOf is a part of the suite. It returns what is wrong rather than fail a test,
// so that a test can show that it does find what it is for.
type caseOf struct {
	name    string
	server  bool // the source must be one
	several bool // the source must know several series for a query
	run     func(opener, Suite) error
}

var cases = []caseOf{
	{name: "no queries", run: noQueries},
	{name: "half-open windows", run: windows},
	{name: "gaps are no zeros", run: gaps},
	{name: "values are exact", run: exact},
	{name: "all parts, in the order of the queries", run: parts},
	{name: "every series, ordered by labels", several: true, run: severalSeries},
	{name: "nothing matches", run: nothing},
	{name: "one query's error is its own", run: refused},
	{name: "windows that differ in one fetch", run: twoWindows},
	{name: "a window of 12,000 steps, and of one", run: longWindow},
	{name: "many queries", run: manyQueries},
	{name: "queries arrive as they are", run: anyText},
	{name: "cancelled before", run: cancelledBefore},
	{name: "cancelled while the source hangs", server: true, run: cancelledWhileHanging},
	{name: "denied", server: true, run: denied},
	{name: "what else it can do", run: otherPowers},
	{name: "what else it can do, denied", server: true, run: otherPowersDenied},
}

func noQueries(open opener, _ Suite) error {
	answers, err := open(world(value("load", 0, 1))).Fetch(context.Background(), nil)
	if len(answers) > 0 || err != nil {
		return fmt.Errorf("no queries: %d answers, error %w", len(answers), err)
	}
	return nil
}

func windows(open opener, s Suite) error {
	w := world(value("load", -3, 10, 20, 30, 1, 2, 3, 4, 5, 60, 70))
	var queries []providers.Query
	for _, window := range [][2]int{{0, 5}, {0, 1}, {4, 5}, {2, 3}, {-3, 7}, {-9, -3}, {7, 9}, {-4, -2}, {6, 20}} {
		queries = append(queries, w.query(w.Replies[0], window[0], window[1]))
	}
	return w.ask(open(w), s, queries)
}

func gaps(open opener, s Suite) error {
	nan := math.NaN()
	w := world(
		value("known gaps", 0, nan, 1, nan, nan, 0, 2, nan),
		value("holes", 0, none, 1, none, none, 0, 2, none),
		value("zeros", 0, 0, 0, 0, 0, 0, 0, 0),
		value("mixed", 0, 0, nan, none, 0, none, nan, 7),
		value("known gaps alone", 0, nan, nan, nan, nan, nan, nan, nan),
		value("dense", 0, 1, 2, 3, 4, 5, 6, 7),
	)
	return w.ask(open(w), s, w.queries(7))
}

func exact(open opener, s Suite) error {
	w := world(value("exact", 0, 1.0/3, 0.1, 0.30000000000000004, -2.5, 123456789.987654321, 1e21, 1e-7,
		math.MaxFloat64, math.SmallestNonzeroFloat64, -math.MaxFloat64, 1<<53+2, math.Pi*1e-300))
	return w.ask(open(w), s, w.queries(12))
}

func parts(open opener, s Suite) error {
	w := world()
	for i, arm := range providers.Arms {
		more := float64(10 * i)
		w.Replies = append(w.Replies,
			reply("latency", arm, providers.Value, values(0, 0.25+more, 0.5+more)),
			reply("percentile", arm, providers.Value, values(0, 0.25+more, 0.5+more)),
			reply("percentile", arm, providers.Count, values(0, 2000+more, 20+more)),
			reply("errors", arm, providers.Total, values(0, 100.5+more, 99+more)),
			reply("errors", arm, providers.Bad, values(0, 3+more, 0)),
			reply("durations", arm, providers.Buckets, buckets(0, 4+more, 0, 1.5)),
			reply("checks", arm, providers.Bad, values(0, 1+more, 0)),
			reply("checks", arm, providers.Total, values(0, 60, 60+more)),
		)
	}
	w.Replies = slices.DeleteFunc(w.Replies, func(r Reply) bool { return !slices.Contains(s.Parts, r.Part) })
	queries := w.queries(2)
	if err := w.ask(open(w), s, queries); err != nil {
		return err
	}
	slices.Reverse(queries)
	return w.ask(open(w), s, queries)
}

func severalSeries(open opener, s Suite) error {
	r := value("grouped", 0)
	r.Series = nil
	for i, labels := range []map[string]string{
		{"version": "b"}, {"version": "a", "zone": "2"}, {"version": "a-b"}, {"version": "a"}, {"version": "a", "zone": "10"},
	} {
		one := values(-1, 1, 2, none, 4, 5)
		one[0].Labels = labels
		for n, p := range one[0].Points {
			one[0].Points[n] = analysis.ValuePoint(p.Time, p.Value()+float64(100*i))
		}
		r.Series = append(r.Series, one...)
	}
	w := world(value("before", 0, 1, 2, 3), r, value("after", 0, 3, 2, 1))
	return w.ask(open(w), s, w.queries(3))
}

func nothing(open opener, s Suite) error {
	w := world(value("there", 0, 1, 2))
	queries := w.queries(2)
	for _, arm := range providers.Arms {
		queries = append(queries, w.query(reply("not there", arm, providers.Value, nil), 0, 2))
	}
	queries = append(queries, w.query(w.Replies[0], 5, 9))
	p := open(w)
	if err := w.ask(p, s, queries); err != nil {
		return err
	}
	return w.ask(p, s, queries[1:3]) // none at all
}

func refused(open opener, s Suite) error {
	w := world()
	for i := range 9 {
		r := value(fmt.Sprintf("metric%d", i), 0, float64(i), 2, 3)
		if i == 2 || i == 7 {
			r.Refused = "there is no such function as frobnicate, says " + w.Secret
		}
		w.Replies = append(w.Replies, r)
	}
	return w.ask(open(w), s, w.queries(3))
}

func twoWindows(open opener, s Suite) error {
	w := world(value("now", -50, sequence(60)...), value("before", -50, sequence(60)...))
	return w.ask(open(w), s, []providers.Query{
		w.query(w.Replies[0], 0, 5), w.query(w.Replies[1], -40, -35), w.query(w.Replies[0], 5, 8),
	})
}

// longSteps is a window that no source answers for in one go.
const longSteps = 12000

func longWindow(open opener, s Suite) error {
	all := sequence(longSteps + 20)
	all[10], all[11], all[5000], all[longSteps+9] = math.NaN(), none, 0, 0.125
	for _, steps := range []int{longSteps, 1} {
		w := world(value("long", -10, all...))
		if err := w.count(open(w), s, w.queries(steps), steps); err != nil {
			return fmt.Errorf("%d steps: %w", steps, err)
		}
	}
	return nil
}

func manyQueries(open opener, s Suite) error {
	w := world()
	for i := range 40 {
		for _, arm := range providers.Arms {
			w.Replies = append(w.Replies, reply(fmt.Sprintf("metric%d", i), arm, providers.Value, values(0, float64(i), 0, 0.5)))
		}
	}
	return w.count(open(w), s, w.queries(3), 3)
}

func anyText(open opener, s Suite) error {
	w := world()
	for i, expr := range []string{
		"a&b=c+d%20;e", `sum(x{a="ü\n\"b\""}[30s]) # 'c'`, "two\nlines\tand a tab", "q0", `\u0022`, "<b>&amp;</b>", "日本",
	} {
		r := value(fmt.Sprintf("metric%d", i), 0, float64(i), 1)
		r.Expr = expr
		w.Replies = append(w.Replies, r)
	}
	return w.ask(open(w), s, w.queries(2))
}

func cancelledBefore(open opener, _ Suite) error {
	w := world(value("load", 0, 1, 2))
	p := open(w)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := canceled(ctx, w, p); err != nil {
		return err
	}
	if n := w.Requests(); n > 0 {
		return fmt.Errorf("%d requests after the context was done", n)
	}
	return nil
}

func cancelledWhileHanging(open opener, _ Suite) error {
	w := world(value("load", 0, 1, 2), value("more", 0, 1, 2))
	w.Mood = Hangs
	p := open(w)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-w.arrived
		cancel()
	}()
	return canceled(ctx, w, p)
}

// patience is how long an answer is waited for that should come at once.
const patience = 10 * time.Second

// errHangs is what is said of a provider that does not return.
var errHangs = fmt.Errorf("does not return within %s, though its context is done or its source answers; "+
	"does the stand-in read the whole request before it calls World.Request, and hand it the request's context?", patience)

// bounded asks a provider something, and gives up when it has not answered for a while.
func bounded[T any](ctx context.Context, ask func(context.Context) (T, bool, error)) (T, bool, error) {
	type answer struct {
		all T
		has bool
		err error
	}
	done := make(chan answer, 1)
	go func() {
		all, has, err := ask(ctx)
		done <- answer{all, has, err}
	}()
	select {
	case a := <-done:
		return a.all, a.has, a.err
	case <-time.After(patience):
		var none T
		return none, false, errHangs
	}
}

// canceled fetches with a context that is done, or is to be.
func canceled(ctx context.Context, w *World, p providers.Provider) error {
	_, _, err := bounded(ctx, func(ctx context.Context) ([]providers.Answer, bool, error) {
		answers, err := p.Fetch(ctx, w.queries(2))
		return answers, true, err
	})
	if errors.Is(err, errHangs) {
		return fmt.Errorf("cancelled: Fetch %w", err)
	}
	if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("cancelled: want context.Canceled, got %w", err)
	}
	return exposes(err, w.Secret)
}

func denied(open opener, _ Suite) error {
	w := world(value("load", 0, 1, 2), value("more", 0, 1, 2))
	w.Mood = Denies
	answers, err := open(w).Fetch(context.Background(), w.queries(2))
	var e *web.Error
	if !errors.As(err, &e) || e.Class != web.Auth {
		return fmt.Errorf("denied: %d answers; want an error of class %q, got %w", len(answers), web.Auth, err)
	}
	if web.Passing(err) {
		return fmt.Errorf("denied: the error counts as one that may pass: %w", err)
	}
	return exposes(err, w.Secret)
}
