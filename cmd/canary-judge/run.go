package main

import (
	"bytes"
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

	"github.com/canary-judge/canary-judge/analysis"
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
		Use:   "run",
		Short: "Fetch, judge at every look, stop at the verdict, report",
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
		Args: cobra.NoArgs,
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
		Args: cobra.NoArgs,
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
	change, err := a.observe(ctx, o, c)
	if err != nil {
		return nil, usage(err)
	}
	if o.resume && o.record == "" {
		return nil, usage(errors.New("--resume needs --record: the recording to go on with"))
	}
	switch {
	case o.resume:
		return j, usage(resume(j, o))
	case o.record != "":
		header := recording.Header{
			Tool: a.version(), Started: now.UTC().Truncate(time.Second), Config: c.Document, Change: change,
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

// resume goes on with a recording.
func resume(j *job.Job, o *options) error {
	file, r, err := recording.Resume(o.record)
	if err != nil {
		return err
	}
	fail := func(format string, args ...any) error {
		_ = file.Abandon() // nothing was written
		return fmt.Errorf("resume "+o.record+": "+format, args...)
	}
	switch {
	case r.Header.Window == nil:
		return fail("the recording does not say what window it is of")
	case !bytes.Equal(r.Header.Config, j.Config.Document):
		return fail("it was recorded with another config; replay it with -c to judge it with this one")
	case r.End != nil && (r.End.Why == string(job.AtVerdict) || r.End.Why == string(job.AtWindowEnd)):
		return fail("the run has ended; replay it instead")
	}
	j.Start, j.Recording, j.File, j.Preflight = r.Header.Window.Start, r, file, false
	j.Config.SetSteps(r.Header.Window.Steps)
	return nil
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
	voice := a.voice(o, j)
	voice.started(ctx)
	outcome, err := j.Run(ctx)
	closed := closeRecording(j, outcome)
	a.clear(j.Progress)
	if outcome == nil {
		return exit{exitNotJudged, errors.Join(err, closed)}
	}
	return a.conclude(ctx, o, places, judged{"run", j.Config, outcome, j.Recording.Header.Change, err, closed, voice, j.Providers})
}

// recordLive is the record command.
func (a *app) recordLive(ctx context.Context, o *options) error {
	j, err := a.prepare(ctx, o)
	if err != nil {
		return err
	}
	j.RecordOnly = true
	outcome, err := j.Run(ctx)
	closed := closeRecording(j, outcome)
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

// closeRecording ends a recording's file.
func closeRecording(j *job.Job, outcome *job.Outcome) error {
	if j.File == nil {
		return nil
	}
	if outcome == nil {
		return j.File.Abandon()
	}
	return j.File.Close(recording.End{Why: string(outcome.Ended), Detail: outcome.Detail})
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
	voice   *voice          // who tells of it; nil = nobody
	// sources are the providers of a live run by name; nil for a replay.
	sources map[string]providers.Provider
}

// links returns where the queries of a live run are to be seen.
func links(j judged, w report.Window) []report.Link {
	var all []report.Link
	queries := job.Queries(j.config, w.Start, w.End)
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		linker, ok := j.sources[name].(providers.Linker)
		if !ok {
			continue
		}
		for _, q := range queries[name] {
			part := string(q.Part)
			if q.Complement {
				part = "good"
			}
			if address := linker.Link(q); address != "" && q.Start.Before(q.End) {
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
		limited, ok := j.sources[name].(providers.Limited)
		if !ok {
			continue
		}
		if l := limited.RateLimit(); l != (providers.RateLimit{}) {
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
		lister, ok := unwrapped(j.sources[name]).(providers.FailedRunLister)
		if !ok {
			continue
		}
		for _, f := range lister.FailedRuns() {
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
		At: time.Now().UTC().Truncate(time.Second), Tool: a.version(), Command: j.command,
		Links: links(j, r.Window), RateLimits: rateLimits(j), FailedRuns: failedRuns(j, r.Window),
	}
	if j.change != nil {
		if err := json.Unmarshal(j.change, &r.Change); err != nil {
			j.err = errors.Join(j.err, fmt.Errorf("read which change was judged: %w", err))
		}
	}
	code, err := exitNotJudged, j.err
	if err == nil && j.closed == nil {
		code = a.verdictCode(ctx, o, j.outcome)
		if ended := j.outcome.Ended; j.command == "run" && (ended == job.AtVerdict || ended == job.AtWindowEnd) {
			err = a.act(ctx, o, places, j, r)
		}
		if err != nil {
			code = exitNotJudged
		}
	}
	if ended := j.outcome.Ended; !o.dryRun && (ended == job.AtVerdict || ended == job.AtWindowEnd) {
		a.writeNotebooks(ctx, j, r)
	}
	if j.voice != nil {
		j.voice.concluded(ctx, r)
	}
	if len(r.Generated.Actions) > 0 && ctx.Err() != nil {
		code = a.interruptCode(ctx)
	}
	if places.text() && (j.outcome.Ended == job.AtError || len(r.Generated.Actions) > 0) {
		err = nil // the report says it
	}
	err = errors.Join(err, j.closed, places.write(a, r))
	if github.Enabled(a.env) {
		facts := github.Facts{ExitCode: code, Result: places.path("json", true), Report: places.path("json", false)}
		err = errors.Join(err, github.Write(a.env, a.stderr, r, facts))
	}
	if o.comment && !o.dryRun {
		err = errors.Join(err, a.comment(ctx, r))
	}
	switch {
	case err != nil && code == exitPass:
		return exit{exitNotJudged, err}
	case err != nil:
		return exit{code, err}
	case code == exitPass:
		return nil
	}
	return exit{code: code}
}

// comment writes the report on the pull request, and says where.
func (a *app) comment(ctx context.Context, r *report.Report) error {
	// Of a run that was interrupted, too.
	address, err := github.Comment(context.WithoutCancel(ctx), a.env, nil, r)
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

// verdictCode returns the exit code of a verdict.
func (a *app) verdictCode(ctx context.Context, o *options, outcome *job.Outcome) int {
	if outcome.Ended == job.AtInterrupt {
		return a.interruptCode(ctx)
	}
	switch outcome.Result.Verdict {
	case analysis.Passed:
		return exitPass
	case analysis.Failed:
		return exitFail
	}
	code, err := o.inconclusiveCode()
	if err != nil {
		return exitUsage
	}
	return code
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
