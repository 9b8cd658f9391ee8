// Package command has a program of the user's answer: it is run once a look, and prints what both arms
// showed in each step, in the five columns of a CSV or the JSON lines of a recording.
//
// A query is the name of a metric in what the program prints. The program is told the window, and may
// be told labels of the arms; there is no shell.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
	"github.com/canary-judge/canary-judge/web"
)

// Name is the provider's name in configs and errors.
const Name = "command"

// Settings is the command section of a config.
type Settings struct {
	Run     []string           `yaml:"run" doc:"The program and its arguments, without a shell, in which $start, $end (RFC 3339), $start.unix, $end.unix, $step (seconds), $baseline.LABEL and $canary.LABEL are filled in" example:"[./metrics.sh, $start, $end, $step]"`
	Timeout providers.Duration `yaml:"timeout" default:"1m" doc:"Time limit of one run of the program"`

	arms map[providers.Arm][]providers.Label
}

// Runner runs a program to its end and returns what it wrote to its standard output. Its
// error says why there is none, with what the program said about it.
type Runner func(ctx context.Context, args []string) ([]byte, error)

// Provider asks one program.
type Provider struct {
	settings Settings
	run      Runner

	mu       sync.Mutex
	answered bool     // it has printed what can be read
	printed  []string // the metrics of its last output
}

// What a Provider does beside fetching.
var _ providers.Diagnoser = (*Provider)(nil)

// New returns a provider with these settings. run replaces the program in tests; nil runs it.
func New(s Settings, run Runner) (*Provider, error) {
	fail := func(err error, cure string) error {
		return &web.Error{Class: web.Settings, Provider: Name, Doing: "open", Err: err, Cure: cure}
	}
	if len(s.Run) == 0 || strings.TrimSpace(s.Run[0]) == "" {
		return nil, fail(errors.New("no program is named"), "set command.run")
	}
	if _, err := filled(s.Run, s.arms, providers.Query{Step: time.Second}); err != nil {
		return nil, fail(err, "correct command.run")
	}
	if run == nil {
		if err := there(s.Run[0]); err != nil {
			return nil, fail(err, "correct command.run; the container's image may lack it")
		}
		run = execute
	}
	return &Provider{settings: s, run: run}, nil
}

// window is what queries of one run share.
type window struct {
	start, end time.Time
	step       time.Duration
}

// Fetch implements providers.Provider: the program is run once for all queries of a window.
func (p *Provider) Fetch(ctx context.Context, queries []providers.Query) ([]providers.Answer, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	answers := make([]providers.Answer, len(queries))
	places, order := map[window][]int{}, []window{}
	for i, q := range queries {
		w := window{q.Start, q.End, q.Step}
		if places[w] == nil {
			order = append(order, w)
		}
		places[w] = append(places[w], i)
	}
	for _, w := range order {
		r, err := p.ask(ctx, queries[places[w][0]])
		if err != nil {
			return nil, err
		}
		for _, i := range places[w] {
			if answers[i], err = answer(ctx, r, queries[i]); err != nil {
				return nil, err
			}
		}
	}
	return answers, nil
}

// attempts is how often a program is run that fails, and pause how long is waited before it is
// run again, once more as long each time.
const (
	attempts = 3
	pause    = 2 * time.Second
)

// ask runs the program for the window of a query, and reads what it prints.
func (p *Provider) ask(ctx context.Context, q providers.Query) (*recording.Recording, error) {
	args, err := filled(p.settings.Run, p.settings.arms, q)
	if err != nil {
		return nil, err
	}
	out, err := p.try(ctx, args)
	if err != nil {
		return nil, p.failed(ctx, err)
	}
	r, err := recording.ReadPoints(bytes.NewReader(out))
	if err == nil {
		err = within(r, q)
	}
	if err != nil {
		return nil, &web.Error{
			Class: web.Shape, Provider: Name, Doing: "read what " + web.Quote(p.settings.Run[0]) + " prints", Detail: web.Quote(err.Error()),
			Cure: "have it print the columns time,metric,arm,value,total, or JSON lines; run it by hand to see",
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered, p.printed = true, nil
	for _, m := range r.Metrics() {
		for _, arm := range providers.Arms {
			if m.Points[arm] > 0 {
				p.printed = append(p.printed, fmt.Sprintf("%s of the %s", m.Name, arm))
			}
		}
	}
	return r, nil
}

// try runs the program, some times until it succeeds.
func (p *Provider) try(ctx context.Context, args []string) (out []byte, err error) {
	for n := range attempts {
		limited, cancel := context.WithTimeoutCause(ctx, time.Duration(p.settings.Timeout), fmt.Errorf("not done within %s", p.settings.Timeout))
		out, err = p.run(limited, args)
		cancel()
		if err == nil || ctx.Err() != nil || n == attempts-1 {
			return out, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause << n):
		}
	}
	return out, err
}

// failed returns the error of a program that failed. One that has answered before may again.
func (p *Provider) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &web.Error{
		Class: web.BadQuery, Provider: Name, Doing: "run " + web.Quote(p.settings.Run[0]), Detail: web.Quote(err.Error()),
		Cure: "run it by hand with the same arguments to see why",
	}
	if p.answered {
		e.Class = web.Unreachable
	}
	return e
}

// within reports a point that does not belong to the window asked for.
func within(r *recording.Recording, q providers.Query) error {
	for point := range r.Points() {
		at := point.Time
		switch {
		case at.Before(q.Start) || !at.Before(q.End):
			return fmt.Errorf("%s of the %s has a point at %s, which lies outside of the window from %s to %s (exclusive)",
				point.Metric, point.Arm, at.Format(time.RFC3339), q.Start.Format(time.RFC3339), q.End.Format(time.RFC3339))
		case at.Sub(q.Start)%q.Step != 0:
			return fmt.Errorf("%s of the %s has a point at %s; the steps begin at %s and every %s after it, and a point has the time at which its step begins",
				point.Metric, point.Arm, at.Format(time.RFC3339Nano), q.Start.Format(time.RFC3339), q.Step)
		}
	}
	return nil
}

// answer returns a query's part of what was printed.
func answer(ctx context.Context, r *recording.Recording, q providers.Query) (providers.Answer, error) {
	asked := q
	asked.Metric = metricOf(q.Expr)
	counts := q.Part == providers.Bad || q.Part == providers.Total || q.Part == providers.Count
	if counts && slices.ContainsFunc(r.Metrics(), func(m recording.Metric) bool {
		return m.Name == asked.Metric && m.Kind == recording.Values && (q.Part != providers.Count || !m.Counted)
	}) {
		asked.Part = providers.Value // a column of its own
	}
	got, err := r.Fetch(ctx, []providers.Query{asked})
	if err != nil {
		return providers.Answer{}, err
	}
	a := got[0]
	if a.Err != nil {
		kind := "a value"
		for _, m := range r.Metrics() {
			if m.Name == asked.Metric {
				kind = m.Kind.String()
			}
		}
		return providers.Answer{Err: providers.Place(q, &web.Error{
			Class: web.Shape, Provider: Name, Doing: "read the answer",
			Err: fmt.Errorf("the program prints %s for %s, and the %s is asked for", kind, web.Quote(asked.Metric), q.Part), Cure: "correct the query, or what is printed",
		})}, nil
	}
	for _, s := range a.Series {
		for _, point := range s.Points {
			if v := point.Value(); counts && v < 0 {
				return providers.Answer{Err: providers.Place(q, &web.Error{
					Class: web.Shape, Provider: Name, Doing: "read the answer", Err: fmt.Errorf("%g is no count, at %s", v, point.Time.Format(time.RFC3339)), Cure: "correct what is printed",
				})}, nil
			}
		}
	}
	return a, nil
}

// Diagnose implements providers.Diagnoser.
func (p *Provider) Diagnose(_ context.Context, q providers.Query) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.printed) == 0 {
		return "the program printed no point at all", nil
	}
	return web.Quote(fmt.Sprintf("the program printed nothing for %s of the %s, but %s", metricOf(q.Expr), q.Arm, strings.Join(p.printed, ", "))), nil
}

// metricOf returns the metric that a query names: without the braces of a segment that it is not asked for.
func metricOf(expr string) string {
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(expr), "{}"))
}

// filled returns arguments with their variables filled in.
func filled(args []string, arms map[providers.Arm][]providers.Label, q providers.Query) ([]string, error) {
	known := map[string]string{
		"start": q.Start.UTC().Format(time.RFC3339), "end": q.End.UTC().Format(time.RFC3339),
		"start.unix": strconv.FormatInt(q.Start.Unix(), 10), "end.unix": strconv.FormatInt(q.End.Unix(), 10),
		"step": strconv.FormatFloat(q.Step.Seconds(), 'f', -1, 64),
	}
	for arm, labels := range arms {
		for _, l := range labels {
			known[string(arm)+"."+l.Name] = l.Value
		}
	}
	var problem error
	all := make([]string, len(args))
	for i, arg := range args {
		all[i] = variable.ReplaceAllStringFunc(arg, func(match string) string {
			if match == "$$" {
				return "$"
			}
			value, ok := known[match[1:]]
			if !ok && problem == nil {
				problem = fmt.Errorf("%s is not known here; a program can be told %s", match, variables(known))
			}
			return value
		})
	}
	return all, problem
}

// variable is $name, $name.part, or $$ for a dollar sign.
var variable = regexp.MustCompile(`\$\$|\$[a-zA-Z_][\w-]*(\.[a-zA-Z_][\w-]*)?`)

// variables lists what can be filled in.
func variables(known map[string]string) string {
	names := slices.Sorted(maps.Keys(known))
	for i := range names {
		names[i] = "$" + names[i]
	}
	return strings.Join(names, ", ")
}
