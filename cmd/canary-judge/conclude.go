package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/github"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/sources"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// endedRun is a run that has ended, or a replay.
type endedRun struct {
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
	sources  sources.Sources // none in a replay
}

// decided reports whether a run came to its end, at which there is something to do.
func (run endedRun) decided() bool {
	return run.outcome.Ended == job.AtVerdict || run.outcome.Ended == job.AtWindowEnd
}

// conclude acts on an outcome, reports it, and returns the exit it comes to. An
// error, of the run, of an action or of writing about it, exits with the code for
// it; the verdict stays what it is.
func (a *app) conclude(ctx context.Context, o *options, places outputs, run endedRun) error {
	r, err := run.report()
	r.Generated.Observe = o.observe
	run.err = errors.Join(run.err, err)
	e := ending{ended: run.outcome.Ended, verdict: run.outcome.Result.Verdict, observed: o.observe, broken: run.err != nil || run.closed != nil}
	e.inconclusive, _ = o.inconclusiveCode() // it was checked at the start
	unsaid := run.err
	if !e.broken && run.command == "run" && run.decided() {
		unsaid = a.act(ctx, o, places, run, r)
		e.acted, e.failed = len(r.Generated.Actions) > 0, unsaid != nil
	}
	if run.command == "run" && !run.decided() {
		unsaid = errors.Join(unsaid, a.takeBack(ctx, o, places, run, r))
	}
	run.sources.End(ctx, r, run.decided())
	if run.command == "run" {
		a.tellEnd(ctx, o, run, r, e.failed)
	}
	if ctx.Err() != nil {
		e.signal = a.interruptCode(ctx)
	}
	if places.text() && (e.ended == job.AtError || e.acted) {
		unsaid = nil // the report says it
	}
	unwritten := a.publish(ctx, o, places, run, r, &e)
	return exitOf(e.code(), errors.Join(unsaid, run.closed, unwritten))
}

// report is the report of a run, before anything is done about it.
func (run endedRun) report() (*report.Report, error) {
	r := report.New(run.config, run.outcome)
	r.Generated = &report.Generated{
		At: time.Now().UTC().Truncate(time.Second), Tool: built().version, Command: run.command,
		Links: run.sources.Links(r.Window), RateLimits: run.sources.RateLimits(), FailedRuns: run.sources.FailedRuns(r.Window),
	}
	if run.change == nil {
		return r, nil
	}
	if err := json.Unmarshal(run.change, &r.Change); err != nil {
		return r, fmt.Errorf("read which change was judged: %w", err)
	}
	return r, nil
}

// exitOf returns the error that makes the process exit with a code.
func exitOf(code int, err error) error {
	if code == exitPass && err == nil {
		return nil
	}
	return exit{code, err}
}

// publish writes the result wherever it is asked for, each also when it cannot be written
// elsewhere, and ends the recording.
func (a *app) publish(ctx context.Context, o *options, places outputs, run endedRun, r *report.Report, e *ending) error {
	err := places.write(a, r)
	if run.command == "run" {
		err = errors.Join(err, a.keep(o, r))
	}
	if o.comment && (!o.dryRun || o.observe) {
		err = errors.Join(err, a.comment(ctx, r))
	}
	if !e.broken {
		err = errors.Join(err, closeConcluded(ctx, o, run))
	}
	e.unwritten = err != nil
	if github.Enabled(a.env) {
		facts := github.Facts{ExitCode: e.code(), Result: places.result(), Report: places.report()}
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
