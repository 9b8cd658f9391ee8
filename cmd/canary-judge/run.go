package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/github"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

func (a *app) runCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		SuggestFor: []string{"judge"},
		Use:        "run",
		Short:      "Fetch, judge at every look, stop at the verdict, report",
		Long: `run is the job: it waits for each step's data, takes a look, and stops at the
first look that gives a verdict, at the latest at the end of the window.

With --start and --end it judges a window in the past without waiting. With
--start alone it catches up and goes on live, for a job that starts after the
deployment.`,
		Example: `  # Judge the canary that was just deployed
  canary-judge run -c canary.yaml --record canary.jsonl -o text -o json=result.json

  # Judge the window from 40 to 10 minutes ago
  canary-judge run --start -40m --end -10m

  # Go on after a crash
  canary-judge run --record canary.jsonl --resume`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.judgeLive(cmd.Context(), &o) },
	}
	o.configFlags(cmd)
	o.judgeFlags(cmd)
	o.recordFlags(cmd)
	o.windowFlags(cmd)
	o.logFlags(cmd)
	return cmd
}

func (a *app) recordCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "record",
		Short: "Fetch and save, judge nothing",
		Long: `record fetches what run would and appends it to a recording, to be judged later
with replay.`,
		Example: `  canary-judge record -c canary.yaml --record canary.jsonl
  canary-judge record --record yesterday.jsonl.gz --start 2026-11-22T10:00:00Z --end 2026-11-22T10:30:00Z`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.record == "" {
				return usage(errors.New("say where to record: --record PATH"))
			}
			o.recordOnly = true
			return a.recordLive(cmd.Context(), &o)
		},
	}
	o.configFlags(cmd)
	o.recordFlags(cmd)
	o.windowFlags(cmd)
	o.logFlags(cmd)
	return cmd
}

// prepare sets up a job that fetches from the config's providers.
func (a *app) prepare(ctx context.Context, o *options) (*job.Job, error) {
	c, err := a.loadLive(ctx, o)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	start, err := o.window(c, now)
	if err != nil {
		return nil, usage(err)
	}
	if o.end != "" && job.Starts(c) {
		return nil, usage(errors.New("the config starts checks (checks.trigger), which nothing can do in the past; leave out --end, or replay a recording"))
	}
	var verbose io.Writer
	if o.verbose {
		verbose = a.stderr
	}
	sources, err := a.open(c, verbose)
	if err != nil {
		return nil, usage(err)
	}
	if err := a.markable(o, c, sources); err != nil {
		return nil, usage(err)
	}
	j := &job.Job{
		Config: c, Providers: sources, Start: start, Recording: &recording.Recording{},
		Preflight: o.end == "", Progress: a.progress(o, c),
	}
	if o.resume && o.record == "" {
		return nil, usage(errors.New("--resume needs --record: the recording to go on with"))
	}
	if o.resume {
		return j, usage(a.resume(ctx, j, o))
	}
	change, err := a.observe(ctx, o, c)
	if err != nil {
		return nil, usage(err)
	}
	if o.record != "" {
		by := thisProcess()
		header := recording.Header{
			Tool: built().version, Started: now.UTC().Truncate(time.Second), Config: c.Document, Change: change, Writer: &by,
			Window: &recording.Window{Start: start, Step: c.Window.Step.String(), Warmup: c.Window.Warmup, Steps: c.Window.Steps},
		}
		j.File, err = recording.Create(o.record, header)
	}
	j.Recording.Header.Change = change
	return j, usage(err)
}

// observe finds what would be reverted on a fail, as JSON; nil when nothing would
// be. A dry run, which reverts nothing, only says what would be in its way.
func (a *app) observe(ctx context.Context, o *options, c *config.Config) (json.RawMessage, error) {
	if c.Actions.Revert == nil || o.recordOnly {
		return nil, nil
	}
	change, err := a.repository(*c.Actions.Revert).Observe(ctx)
	if err != nil {
		err = fmt.Errorf("on_fail.revert could not be done: %w", err)
	}
	if err != nil && o.dryRun {
		a.complain(err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(change)
}

// judgeLive is the run command.
func (a *app) judgeLive(ctx context.Context, o *options) error {
	places, err := a.openOutputs(o.outputs, inUse{"the recording", o.record}, inUse{"the config", o.configPath()})
	if err != nil {
		return usage(err)
	}
	defer places.close()
	if _, err := o.inconclusiveCode(); err != nil {
		return usage(err)
	}
	j, err := a.prepare(ctx, o)
	if err != nil {
		return err
	}
	run := judged{command: "run", config: j.Config, recorded: j.Recording, file: j.File, change: j.Recording.Header.Change, voice: a.voice(o, j), sources: j.Providers}
	if goesOn(j.Recording) {
		fmt.Fprintf(a.stderr, "the run had its verdict, %s; going on with what follows it\n", report.Clean(j.Recording.End.Verdict))
		j = rejudged(j)
	} else {
		run.voice.started(ctx)
	}
	run.outcome, run.err = j.Run(ctx)
	a.clear(j.Progress)
	if run.outcome == nil {
		return exit{exitNotJudged, errors.Join(run.err, closeRecording(run.file, nil))}
	}
	run.closed = markEnd(run)
	return a.conclude(ctx, o, places, run)
}

// recordLive is the record command.
func (a *app) recordLive(ctx context.Context, o *options) error {
	j, err := a.prepare(ctx, o)
	if err != nil {
		return err
	}
	j.RecordOnly = true
	outcome, err := j.Run(ctx)
	closed := closeRecording(j.File, outcome)
	a.clear(j.Progress)
	if err := errors.Join(err, closed); err != nil {
		return exit{exitNotJudged, err}
	}
	if outcome.Ended == job.AtInterrupt {
		return exit{code: a.interruptCode(ctx)}
	}
	fmt.Fprintf(a.stdout, "recorded %d steps in %s\n", outcome.Fetched, o.record)
	return nil
}

// closeRecording ends a recording's file, of which there may be none.
func closeRecording(file *recording.Writer, outcome *job.Outcome) error {
	if file == nil {
		return nil
	}
	if outcome == nil {
		return file.Abandon()
	}
	return file.Close(recording.End{Why: string(outcome.Ended), Detail: outcome.Detail})
}

// interruptCode returns the exit code of a run that a signal ended.
func (a *app) interruptCode(ctx context.Context) int {
	var i interrupt
	if errors.As(context.Cause(ctx), &i) {
		return i.code()
	}
	return exitNotJudged
}

// judged is a run that has ended.
type judged struct {
	command string // run or replay
	config  *config.Config
	outcome *job.Outcome
	change  json.RawMessage // what was under judgement, as revert.Change; nil = not said
	err     error           // what kept the run from a verdict
	closed  error           // what kept the recording from its end
	// recorded is what the recording held when the run began, and file where it goes on; nil
	// for none.
	recorded *recording.Recording
	file     *recording.Writer
	voice    *voice // who tells of it; nil = nobody
	// sources are the providers of a live run by name; nil for a replay.
	sources map[string]providers.Provider
}

// links returns where the queries of a live run are to be seen.
func links(j judged, w report.Window) []report.Link {
	var all []report.Link
	queries := job.Queries(j.config, w.Start, w.End)
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		for _, q := range queries[name] {
			part := string(q.Part)
			if q.Complement {
				part = "good"
			}
			if address := providers.Link(j.sources[name], q); address != "" && q.Start.Before(q.End) {
				all = append(all, report.Link{Metric: q.Metric, Part: part, Arm: string(q.Arm), URL: address})
			}
		}
	}
	return all
}

// rateLimits returns what the sources of a live run tell of their limits.
func rateLimits(j judged) []report.RateLimit {
	var all []report.RateLimit
	for _, name := range slices.Sorted(maps.Keys(j.sources)) {
		if l := providers.RateLimitOf(j.sources[name]); l != (providers.RateLimit{}) {
			all = append(all, report.RateLimit{Provider: name, Said: l.Said, Near: l.Near, Refused: l.Refused})
		}
	}
	return all
}

// failedRuns returns the failed runs of checks that a live run met in the time that it
// judged.
func failedRuns(j judged, w report.Window) []report.FailedRun {
	var all []report.FailedRun
	for _, name := range slices.Sorted(maps.Keys(j.sources)) {
		for _, f := range providers.FailedRuns(j.sources[name]) {
			if at := f.Time.Add(j.config.Arms[f.Arm].Offset); !at.Before(w.Judged) && at.Before(w.End) {
				all = append(all, report.FailedRun{Metric: f.Metric, Arm: string(f.Arm), Time: f.Time, What: f.What, URL: f.Link})
			}
		}
	}
	return all
}

// conclude acts on an outcome, reports it, and returns the exit it comes to. An
// error, of the run, of an action or of writing about it, exits with the code for
// it; the verdict stays what it is.
func (a *app) conclude(ctx context.Context, o *options, places outputs, j judged) error {
	r := report.New(j.config, j.outcome)
	r.Generated = &report.Generated{
		At: time.Now().UTC().Truncate(time.Second), Tool: built().version, Command: j.command,
		Links: links(j, r.Window), RateLimits: rateLimits(j), FailedRuns: failedRuns(j, r.Window),
	}
	if j.change != nil {
		if err := json.Unmarshal(j.change, &r.Change); err != nil {
			j.err = errors.Join(j.err, fmt.Errorf("read which change was judged: %w", err))
		}
	}
	e := ending{ended: j.outcome.Ended, verdict: j.outcome.Result.Verdict, broken: j.err != nil || j.closed != nil}
	e.inconclusive, _ = o.inconclusiveCode() // it was checked at the start
	err := j.err
	if !e.broken && j.command == "run" && decided(j.outcome) {
		err = a.act(ctx, o, places, j, r)
		e.acted, e.failed = len(r.Generated.Actions) > 0, err != nil
	}
	if !o.dryRun && decided(j.outcome) {
		a.writeNotebooks(ctx, j, r)
	}
	if j.voice != nil {
		j.voice.concluded(ctx, r)
	}
	if ctx.Err() != nil {
		e.signal = a.interruptCode(ctx)
	}
	if places.text() && (e.ended == job.AtError || e.acted) {
		err = nil // the report says it
	}
	unwritten := a.tell(ctx, o, places, j, r, &e)
	return exitOf(e.code(), errors.Join(err, j.closed, unwritten))
}

// decided reports whether a run came to its end, at which there is something to do.
func decided(o *job.Outcome) bool { return o.Ended == job.AtVerdict || o.Ended == job.AtWindowEnd }

// exitOf returns the error that makes the process exit with a code.
func exitOf(code int, err error) error {
	if code == exitPass && err == nil {
		return nil
	}
	return exit{code, err}
}

// tell writes the result wherever it is asked for, each also when it cannot be written
// elsewhere, and ends the recording.
func (a *app) tell(ctx context.Context, o *options, places outputs, j judged, r *report.Report, e *ending) error {
	err := places.write(a, r)
	if o.comment && !o.dryRun {
		err = errors.Join(err, a.comment(ctx, r))
	}
	if !e.broken {
		err = errors.Join(err, conclude(ctx, o, j))
	}
	e.unwritten = err != nil
	if github.Enabled(a.env) {
		facts := github.Facts{ExitCode: e.code(), Result: places.path("json", true), Report: places.path("json", false)}
		err = errors.Join(err, github.Write(a.env, a.stderr, r, facts))
		e.unwritten = err != nil
	}
	return err
}

// commentTime bounds a comment: the exit code waits for it.
const commentTime = time.Minute

// comment writes the report on the pull request, and says where.
func (a *app) comment(ctx context.Context, r *report.Report) error {
	// Of a run that was interrupted, too.
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), commentTime, fmt.Errorf("not done within %s", commentTime))
	defer cancel()
	address, err := github.Comment(ctx, a.env, nil, r)
	switch {
	case err != nil:
		return fmt.Errorf("comment on the pull request: %w", err)
	case address == "":
		fmt.Fprintln(a.stderr, "no comment: this commit belongs to no pull request")
	default:
		fmt.Fprintln(a.stderr, "commented: "+report.Clean(address))
	}
	return nil
}

// progress returns how to tell of the run: in place on a terminal, in lines
// elsewhere.
func (a *app) progress(o *options, c *config.Config) job.Progress {
	fd, is := terminal(a.stderr)
	if !is || o.quiet || o.verbose || a.env["TERM"] == "dumb" {
		return &report.Log{To: a.stderr, Config: c, Quiet: o.quiet}
	}
	return &report.Terminal{To: a.stderr, Config: c, Colour: a.colour(a.stderr), Size: func() (columns, rows int) {
		columns, rows, err := term.GetSize(fd)
		if err != nil || columns <= 0 || rows <= 0 {
			return 80, 24
		}
		return columns, rows
	}}
}

// clear removes the progress from a terminal.
func (a *app) clear(p job.Progress) {
	if t, ok := p.(*report.Terminal); ok {
		t.Clear()
	}
}
