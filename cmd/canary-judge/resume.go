package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// thisProcess says who writes a recording.
func thisProcess() recording.Process {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	return recording.Process{PID: os.Getpid(), Host: host, Since: time.Now().UTC().Truncate(time.Second)}
}

// resume goes on with a recording: with the looks that are left, or with what follows the
// verdict.
func (a *app) resume(ctx context.Context, j *job.Job, o *options) error {
	file, r, err := recording.Resume(o.record)
	if err != nil {
		return err
	}
	if err := a.resumable(ctx, j, o, r); err != nil {
		_ = file.Abandon() // nothing was written
		return err
	}
	j.Start, j.Recording, j.File, j.Preflight = r.Header.Window.Start, r, file, false
	j.Config.SetSteps(r.Header.Window.Steps)
	lengthen(j.Config, r)
	return file.Resumed(thisProcess())
}

// lengthen gives a config the warm-up that a run had for its history.
func lengthen(c *config.Config, r *recording.Recording) {
	if h := r.History; h != nil {
		c.Window.Warmup = h.Warmup
		c.SetSteps(h.Steps)
	}
}

// resumable reports what keeps a recording from being gone on with.
func (a *app) resumable(ctx context.Context, j *job.Job, o *options, r *recording.Recording) error {
	fail := func(why string) error { return fmt.Errorf("resume %s: %s", o.record, why) }
	ended := r.End != nil && (r.End.Why == string(job.AtVerdict) || r.End.Why == string(job.AtWindowEnd))
	switch {
	case r.Header.Window == nil:
		return fail("the recording does not say what window it is of")
	case !bytes.Equal(r.Header.Config, j.Config.Document):
		return fail("it was recorded with another config; replay it with -c to judge it with this one")
	case ended && (r.Concluded || r.End.Verdict == "" || o.recordOnly):
		return fail("the run has ended; replay it instead")
	case ended:
		// What follows the verdict may have begun: the repository need not be as it was.
		return nil
	}
	_, err := a.observe(ctx, o, j.Config)
	return err
}

// goesOn reports whether a recording that is resumed has its verdict, and what follows
// that is not done.
func goesOn(r *recording.Recording) bool { return r.End != nil && r.End.Verdict != "" && !r.Concluded }

// rejudged is the job that comes to the verdict of a recording again, without asking
// anyone.
func rejudged(j *job.Job) *job.Job {
	r := j.Recording
	again := &job.Job{
		Config: j.Config, Providers: map[string]providers.Provider{}, Sightings: r, Start: j.Start, Available: r.Judged, Progress: quiet{},
	}
	for _, m := range j.Config.Metrics {
		again.Providers[m.Provider] = r
	}
	return again
}

// markEnd marks in the recording how a run ended, before anything is done about it. It
// returns what keeps that from being done.
func markEnd(run endedRun) error {
	end := recording.End{Why: string(run.outcome.Ended), Detail: run.outcome.Detail}
	if run.err == nil && run.decided() {
		end.Verdict = run.outcome.Result.Verdict.String()
	}
	switch {
	case run.file == nil:
		return nil
	case !goesOn(run.recorded):
		return run.file.End(end)
	case end.Verdict != run.recorded.End.Verdict:
		return fmt.Errorf("the recording says that the verdict was %s, and this version of canary-judge comes to %s: nothing is done about either; replay it, and resume it with the version that recorded it",
			run.recorded.End.Verdict, cmp.Or(end.Verdict, "none"))
	}
	return nil
}

// closeConcluded marks that nothing is left to do, unless a signal came in between, or a dry run
// went on with what another run has left: then it is left to resume.
func closeConcluded(ctx context.Context, o *options, run endedRun) error {
	switch {
	case run.file == nil:
		return nil
	case run.decided() && ctx.Err() == nil && (!o.dryRun || !goesOn(run.recorded)):
		return run.file.Conclude()
	}
	return run.file.Abandon()
}

// once carries out an action of a run that may be resumed: what is in the recording as done
// is not done again. What was begun, and may have been done, is begun again if that does no
// harm (harmless); else it is left to a person.
func (a *app) once(ctx context.Context, o *options, run endedRun, name string, harmless bool, r *report.Report, do func() error) error {
	if run.file == nil || o.dryRun {
		return do()
	}
	switch known, begun := run.recorded.Action(name); {
	case begun && known.Done:
		var action report.Action
		if err := json.Unmarshal(known.Outcome, &action); err != nil {
			return fmt.Errorf("read from the recording what came of the action %s: %w", name, err)
		}
		r.Generated.Actions = append(r.Generated.Actions, action)
		if action.Error != "" {
			return errors.New(action.Error)
		}
		return nil
	case begun && !harmless:
		return errUnknown
	}
	if ctx.Err() == nil {
		if err := run.file.Acting(name); err != nil {
			return fmt.Errorf("%s: not done, for a crash would have it done twice: %w", name, err)
		}
	}
	err := do()
	if ctx.Err() != nil {
		return err // how far it came is not known
	}
	outcome, encoding := json.Marshal(r.Generated.Actions[len(r.Generated.Actions)-1])
	if encoding != nil {
		return errors.Join(err, encoding)
	}
	return errors.Join(err, run.file.Acted(name, outcome))
}

// errUnknown is an action of which nobody knows whether it was done.
var errUnknown = errors.New("it had begun when the job broke off, and nobody knows how far it came; it is not run a second time: look, and run it by hand if need be")
