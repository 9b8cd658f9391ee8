// Package providers defines where series come from: the Provider interface, and what a
// provider may do beside fetching. What those that talk HTTP share, and the errors that
// all return, is package web.
//
// A provider fetches and nothing else. It does not judge, log, read the
// environment, or know another provider. It never picks, averages, fills or trims:
// what a query matched is what the answer holds. Package providertest checks the
// contract.
package providers

import (
	"context"
	"iter"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
)

// Provider is a source of series.
type Provider interface {
	// Fetch answers all queries of a look, in their order, one Answer each. It uses as
	// few requests as the source allows. The error is for what concerns all of
	// them, such as a refused key; what concerns one query is that Answer's own.
	//
	// The contract for every series: points lie in the half-open window [Start,
	// End); a point's time is the start of its step, in UTC, a whole number
	// of steps after Start; times ascend, none twice; a gap is NaN (or no point at
	// all) and never 0. Every series that matches is returned, ordered by
	// labels. Keys and passwords appear in no error. Fetch returns soon after ctx is
	// done.
	Fetch(ctx context.Context, queries []Query) ([]Answer, error)
}

// Diagnoser is a provider that can find out why a query matches nothing. It is for
// people to read: nothing is judged by it.
type Diagnoser interface {
	// Diagnose says in a line why nothing matches a query that was answered without
	// series, as far as the source can tell.
	Diagnose(ctx context.Context, q Query) (string, error)
}

// ZeroDiagnoser is a provider that can find out why a count is zero although something was
// there to count. It is for people to read: nothing is judged by it.
type ZeroDiagnoser interface {
	// DiagnoseZero says in a line what a query of counts that was answered with zeros
	// leaves out; "" for nothing that the source knows of.
	DiagnoseZero(ctx context.Context, q Query) (string, error)
}

// Linker is a provider whose source has a page that shows a query.
type Linker interface {
	// Link returns the address of the page that shows a query over its window, without
	// credentials; "" for none.
	Link(q Query) string
}

// Limited is a provider whose source tells what is left of a rate limit.
type Limited interface {
	// RateLimit returns what is known of it; the zero RateLimit is nothing.
	RateLimit() RateLimit
}

// RateLimit is the state of a source's limit on requests.
type RateLimit struct {
	Said    string // what the last answer told, in a few words; "" for nothing
	Near    bool   // a tenth of the requests or less is left, by the last answer
	Refused int    // requests refused as too many since the provider was opened
}

// Arm is one of the two sides of the comparison.
type Arm string

// The arms.
const (
	Baseline Arm = "baseline"
	Canary   Arm = "canary"
)

// Arms lists both arms, the baseline first.
var Arms = []Arm{Baseline, Canary}

// Part is what a query measures of its metric.
type Part string

// The parts.
const (
	Value   Part = "value"   // the number of a value metric
	Count   Part = "count"   // how many observations are behind a value that is a quantile
	Bad     Part = "bad"     // bad events (a ratio) or failed runs (checks)
	Total   Part = "total"   // all events, or all runs
	Buckets Part = "buckets" // the histogram of a step
)

// Parts lists all parts.
var Parts = []Part{Value, Count, Bad, Total, Buckets}

// Query asks for one series.
type Query struct {
	Metric string // the metric's name, for errors and recordings
	Arm    Arm
	Part   Part
	Expr   string // in the provider's own language, ready to send
	// Complement says that the expression counts the opposite of its part: good
	// events where Bad is asked for. A provider need not care; who reads the answer
	// subtracts it from the total.
	Complement bool
	// Start (inclusive) and End (exclusive) are whole multiples of Step since the
	// Unix epoch, in UTC.
	Start, End time.Time
	Step       time.Duration // > 0
}

// Steps returns the number of steps in the window.
func (q Query) Steps() int { return int(q.End.Sub(q.Start) / q.Step) }

// Windows divides the query's window into parts of at most the given number of
// steps, in order: the start (inclusive) and the end (exclusive) of each.
func (q Query) Windows(most int) iter.Seq2[time.Time, time.Time] {
	return func(yield func(from, to time.Time) bool) {
		steps := q.Steps()
		for done := 0; done < steps; done += most {
			n := min(most, steps-done)
			from := q.Start.Add(time.Duration(done) * q.Step)
			if !yield(from, from.Add(time.Duration(n)*q.Step)) {
				return
			}
		}
	}
}

// Key identifies the series that queries at different looks ask for.
type Key struct {
	Metric string
	Arm    Arm
	Part   Part
}

// Key returns the query's key.
func (q Query) Key() Key { return Key{q.Metric, q.Arm, q.Part} }

// Answer is what came back for one query.
type Answer struct {
	Series []analysis.Series // every series that matched; none is an answer too
	Err    error             // why there is no answer
}

// Dialect is how a provider's query language says things.
type Dialect interface {
	// Filter returns the labels of an arm as the inside of a filter, ready to stand
	// where $arm does. Values are escaped: none can leave its place. A label that the
	// language cannot express there is an error.
	Filter(labels []Label, at Around) (string, error)
	// Value returns a label's value as it is to stand where $arm.name does.
	Value(label Label, at Around) (string, error)
	// Step returns a step as the language writes durations, for $step.
	Step(step time.Duration) string
	// Check reads an expanded query for a part, as far as can be done without asking
	// the source. Its error says what is wrong with the query, where in it, and what to
	// write instead: what would be judged must be what the source measured, in that step
	// alone.
	Check(expr string, part Part, step time.Duration) (Reading, error)
}

// Reading is what a query turns out to ask for.
type Reading struct {
	// Scopes are the places of the query that select what is measured, in its order.
	// All of them belong to the arm, unless the config says otherwise.
	Scopes []Scope
	// ZerosMadeUp says that the query can answer 0 where the source has nothing, as
	// "or vector(0)" and default_zero do.
	ZerosMadeUp bool
	// Quantile, between 0 and 1, is which quantile of observations the query asks for; 0 for
	// none that shows in it.
	Quantile float64
	// CountsOverlap says that what happens once may be counted in several steps.
	CountsOverlap bool
	// Doubts are reasons to mistrust the query that are none to refuse it, each a
	// sentence that says what to do.
	Doubts []string
}

// Scope is one place of a query that selects what is measured.
type Scope struct {
	Name string // of the metric that it selects; "" when none is named
	Text string // as the query has it, in one spelling: equal texts select the same
	// Picks is Text without what the scope rules out, such as version!="v2". Scopes of two
	// arms that pick the same differ by what they leave out of it: each has the other arm
	// in it. "" where nothing is ruled out.
	Picks string
}

// Around is the query around the place that something is to stand in, its own
// variables not filled in yet. A language may write a filter in more than one way.
type Around struct{ Before, After string }

// Label is one label of an arm, in the order of the config.
type Label struct{ Name, Value string }
