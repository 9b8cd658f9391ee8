package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/revert"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/sources"
	"github.com/canary-judge/canary-judge/internal/files"
)

// repository returns what reverts with these settings. What the remote says while
// it is pushed to goes to standard error.
func (a *app) repository(s config.Revert) *revert.Repository {
	return &revert.Repository{Dir: ".", Settings: s, Env: a.env, RemoteOutput: &cleanWriter{to: a.stderr}}
}

// act does what the config says to do at the verdict, and notes it in the report:
// first the revert, then the marks, then the command, each also when one before it
// failed; of a ramp the command first, which takes the traffic from the canary sooner than a
// revert can. It returns what failed.
func (a *app) act(ctx context.Context, o *options, places outputs, run endedRun, r *report.Report) error {
	c, failed := run.config, run.outcome.Result.Verdict == analysis.VerdictFail
	hook, reverts := c.Actions.Of(run.outcome.Result.Verdict), failed && c.Actions.Revert != nil
	var marks []sources.Mark
	if failed {
		marks = run.sources.Marks()
	}
	if hook == nil && !reverts && len(marks) == 0 {
		return nil
	}
	if !o.quiet {
		fmt.Fprintln(a.stderr, report.Clean(r.Headline()))
	}
	var errs []error
	if hook != nil && len(c.Stages) > 0 {
		errs = append(errs, a.runHook(ctx, o, run, *hook, places, r))
		hook = nil
	}
	// A revert finds itself at the remote, and marking twice is marking once.
	if reverts {
		errs = append(errs, a.once(ctx, o, run, report.RevertAction, true, r, func() error { return a.revertNow(ctx, o, *c.Actions.Revert, r) }))
	}
	for _, m := range marks {
		errs = append(errs, a.once(ctx, o, run, report.MarkAction+" "+m.Source, true, r, func() error {
			action, err := m.Make(ctx, o.dryRun)
			r.Generated.Actions = append(r.Generated.Actions, action)
			return err
		}))
	}
	if hook != nil {
		errs = append(errs, a.runHook(ctx, o, run, *hook, places, r))
	}
	if o.dryRun {
		return nil // the report says what would fail
	}
	return errors.Join(errs...)
}

// revertNow reverts the change that was judged.
func (a *app) revertNow(ctx context.Context, o *options, s config.Revert, r *report.Report) error {
	action := report.Action{Kind: report.RevertAction, DryRun: o.dryRun}
	var outcome revert.Outcome
	err := errors.New("which commit was judged could not be found out when the run began")
	if r.Change != nil {
		outcome, err = a.repository(s).Revert(ctx, *r.Change, evidence(r), o.dryRun)
	}
	action.Commands, action.Reverts, action.Pushed, action.PullRequest = outcome.Commands, outcome.Reverts, outcome.Pushed, outcome.PullRequest
	action.Notes = outcome.Notes
	if err != nil {
		err = fmt.Errorf("revert: %w", err)
		action.Error = err.Error()
	}
	r.Generated.Actions = append(r.Generated.Actions, action)
	return err
}

// evidence is why a change is reverted, in texts that are safe to commit.
func evidence(r *report.Report) revert.Evidence {
	var b strings.Builder
	_ = r.Markdown(&b) // a builder takes everything
	e := revert.Evidence{Service: report.Clean(r.Service), Verdict: r.Verdict, Reason: report.Clean(r.Reason), Report: b.String()}
	for _, name := range slices.Concat(r.Failed(), r.FailedGuards()) {
		e.Failed = append(e.Failed, report.Clean(name))
	}
	return e
}

// runHook runs the command of a verdict, at most once.
func (a *app) runHook(ctx context.Context, o *options, ended endedRun, h config.Hook, places outputs, r *report.Report) error {
	run := func(command func(*report.Action) error) error {
		action := report.Action{Kind: report.RunAction, DryRun: o.dryRun, Commands: []string{strings.Join(h.Shown, " ")}}
		err := command(&action)
		if err != nil {
			action.Error = err.Error()
		}
		r.Generated.Actions = append(r.Generated.Actions, action)
		return err
	}
	err := a.once(ctx, o, ended, report.RunAction, false, r, func() error {
		return run(func(action *report.Action) error {
			if o.dryRun {
				return nil
			}
			return a.runCommandOf(ctx, h, places, r, action)
		})
	})
	if errors.Is(err, errUnknown) {
		return run(func(*report.Action) error { return fmt.Errorf("run %s: %w", strings.Join(h.Shown, " "), errUnknown) })
	}
	return err
}

// runCommandOf runs a command with the result where its environment says.
func (a *app) runCommandOf(ctx context.Context, h config.Hook, places outputs, r *report.Report, action *report.Action) error {
	path := places.result()
	if path == "" {
		dir, err := os.MkdirTemp("", "canary-judge-*")
		if err != nil {
			return fmt.Errorf("keep the result for %s: %w", h.Shown[0], err)
		}
		defer os.RemoveAll(dir) //nolint:errcheck // what is left there is in the way of nobody
		path = filepath.Join(dir, "result.json")
		file, err := files.Open(path)
		if err != nil {
			return fmt.Errorf("keep the result for %s: %w", h.Shown[0], err)
		}
		places = append(outputs{{format: "json", file: file}}, places...)
	}
	if err := places.writeFiles(a, r); err != nil {
		return err
	}
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	env := maps.Clone(a.env)
	maps.Copy(env, hookVariables(r, path))
	said := &cleanWriter{to: a.stderr}
	code, err := revert.RunHook(ctx, h, env, said)
	said.close()
	action.ExitCode = &code
	return err
}

// hookVariables are the main fields of the result, for a command.
func hookVariables(r *report.Report, path string) map[string]string {
	v := map[string]string{
		"CANARY_JUDGE_VERDICT":        r.Verdict,
		"CANARY_JUDGE_REASON":         report.Clean(r.Reason),
		"CANARY_JUDGE_RESULT":         path,
		"CANARY_JUDGE_SERVICE":        r.Service,
		"CANARY_JUDGE_FAILED_METRICS": report.List(r.Failed()),
		"CANARY_JUDGE_FAILED_GUARDS":  report.List(r.FailedGuards()),
		"CANARY_JUDGE_REVERTED":       strconv.FormatBool(r.Generated.Reverted()),
	}
	if b := r.Blast; b != nil {
		v["CANARY_JUDGE_REQUESTS"] = strconv.FormatFloat(float64(b.Requests), 'f', 0, 64)
		v["CANARY_JUDGE_FAILED_REQUESTS"] = strconv.FormatFloat(float64(b.Failed), 'f', 0, 64)
	}
	return v
}
