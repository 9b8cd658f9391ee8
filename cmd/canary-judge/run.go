package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/sources"
	"github.com/canary-judge/canary-judge/providers/recording"
)

func (a *app) runCommand() *cobra.Command {
	var o options
	var serve string
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
		RunE: func(cmd *cobra.Command, _ []string) error { return a.judgeLive(cmd.Context(), &o, serve) },
	}
	o.configFlags(cmd)
	o.judgeFlags(cmd)
	o.recordFlags(cmd)
	o.windowFlags(cmd)
	o.logFlags(cmd)
	o.ledgerFlag(cmd, "add a line of what came of the run to the ledger at `path`, which canary-judge ledger sums up")
	serveFlag(cmd, &serve, "show a page at this `address`, such as 127.0.0.1:8090, that follows the run; needs --record")
	cmd.Flags().BoolVar(&o.observe, "observe", false, "judge and report, act on nothing, and exit with 0 whatever the verdict, until it is trusted; the config's mode: observe says so too")
	return cmd
}

// prepare sets up a job that fetches from the config's providers.
func (a *app) prepare(ctx context.Context, o *options) (*job.Job, error) {
	c, err := a.loadLive(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.observe || c.Observe && !o.recordOnly {
		o.observes()
	}
	now := time.Now()
	start, err := o.window(c, now)
	if err != nil {
		return nil, usage(err)
	}
	if err := c.Unlooked(); err != nil {
		return nil, usage(err)
	}
	if len(c.Stages) > 0 && o.start != "" && o.end == "" {
		return nil, usage(errors.New("the config has stages, which give the canary its traffic from now on; leave out --start, or give --end too to judge that time as it was"))
	}
	if o.end != "" && job.Starts(c) {
		return nil, usage(errors.New("the config starts checks (checks.trigger), which nothing can do in the past; leave out --end, or replay a recording"))
	}
	var verbose io.Writer
	if o.verbose {
		verbose = a.stderr
	}
	opened, err := a.open(c, verbose)
	if err != nil {
		return nil, usage(err)
	}
	j := &job.Job{
		Config: c, Providers: opened, Start: start, Recording: &recording.Recording{},
		Bounded: o.end != "", Preflight: o.end == "", Progress: a.progress(o, c), RecordOnly: o.recordOnly,
	}
	if o.end == "" && !o.recordOnly && !o.dryRun && len(c.Stages) > 0 {
		j.SetStage = func(ctx context.Context, stage int) error { return a.setStage(ctx, c, stage) }
	}
	if err := a.markable(o, a.sources(o, j)); err != nil {
		return nil, usage(err)
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

// markable reports what keeps a failed canary from being marked, before there is one. In
// a dry run, which marks nothing, it only says so.
func (a *app) markable(o *options, s sources.Sources) error {
	if o.recordOnly {
		return nil
	}
	err := s.Markable()
	if err != nil && o.dryRun {
		a.complain(err)
		return nil
	}
	return err
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
func (a *app) judgeLive(ctx context.Context, o *options, serve string) error {
	if serve != "" && o.record == "" {
		return usage(errors.New("--serve needs --record: the page follows the recording"))
	}
	places, err := a.openLogged(o, inUse{"the recording", o.record}, inUse{"the config", o.configPath()}, inUse{"the ledger", o.ledger})
	if err != nil {
		return usage(err)
	}
	defer places.close()
	if err := o.checkLedger(); err != nil {
		return usage(err)
	}
	if _, err := o.inconclusiveCode(); err != nil {
		return usage(err)
	}
	j, err := a.prepare(ctx, o)
	if err != nil {
		return err
	}
	if serve != "" {
		stop, err := a.serve(ctx, serve, o.record)
		if err != nil {
			return usage(err)
		}
		defer stop()
	}
	run := endedRun{command: "run", config: j.Config, recorded: j.Recording, file: j.File, change: j.Recording.Header.Change, sources: a.sources(o, j)}
	if goesOn(j.Recording) {
		fmt.Fprintf(a.stderr, "the run had its verdict, %s; going on with what follows it\n", report.Clean(j.Recording.End.Verdict))
		j = rejudged(j)
	} else {
		run.sources.Begin(ctx)
		j.Progress.Note(report.Beginning(j.Config, j.Start))
		if !o.resume {
			a.tellStart(ctx, o, j.Config)
		}
	}
	run.outcome, run.err = a.finish(ctx, j)
	if run.outcome == nil {
		return exit{exitNotJudged, errors.Join(run.err, closeRecording(run.file, nil))}
	}
	run.closed = markEnd(run)
	return a.conclude(ctx, o, places, run)
}

// finish runs a job to its end.
func (a *app) finish(ctx context.Context, j *job.Job) (*job.Outcome, error) {
	defer a.clear(j.Progress)
	return j.Run(ctx)
}

// sources are those of a live job, to be told of it.
func (a *app) sources(o *options, j *job.Job) sources.Sources {
	return sources.Sources{Providers: j.Providers, Config: j.Config, Start: j.Start, DryRun: o.dryRun, Past: o.start != "", Warn: a.complain}
}
