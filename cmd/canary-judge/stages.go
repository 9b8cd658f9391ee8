package main

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/revert"
)

// setStage runs the command that gives the canary the traffic of a stage, from 0.
func (a *app) setStage(ctx context.Context, c *config.Config, stage int) error {
	env := maps.Clone(a.env)
	maps.Copy(env, stageVariables(c, stage))
	said := &cleanWriter{to: a.stderr}
	_, err := revert.RunHook(ctx, *c.Stages[stage].Set, env, said)
	said.close()
	return err
}

// stageVariables say which stage a command is to set.
func stageVariables(c *config.Config, stage int) map[string]string {
	return map[string]string{
		"CANARY_JUDGE_SERVICE": c.Service,
		"CANARY_JUDGE_STAGE":   strconv.Itoa(stage + 1),
		"CANARY_JUDGE_STAGES":  strconv.Itoa(len(c.Stages)),
		"CANARY_JUDGE_SHARE":   strconv.FormatFloat(100*c.Stages[stage].Share, 'g', 6, 64),
	}
}

// takeBack runs the command of a ramp that ends without a verdict. What it does to the traffic
// is not known: who resumes the run sets the stage again.
func (a *app) takeBack(ctx context.Context, o *options, places outputs, run endedRun, r *report.Report) error {
	left := run.outcome.Left
	if left.Number == 0 || o.dryRun {
		return nil
	}
	hook := run.config.Actions.Interrupt
	if hook == nil {
		return nil
	}
	// A signal ends the run, and not what is done because of it.
	ctx = context.WithoutCancel(ctx)
	if run.file != nil {
		again := left
		again.Look = run.outcome.Result.Looks
		again.Began, again.Done = time.Now().UTC().Truncate(time.Millisecond), time.Time{}
		end := run.recorded.Judged
		if end.IsZero() {
			end = run.outcome.Start
		}
		if err := run.file.Stage(end, again); err != nil {
			return errors.Join(err, errors.New("on_interrupt: not run, for who resumes the run would not know of it; run it by hand"))
		}
	}
	action := report.Action{Kind: report.RunAction, Commands: []string{strings.Join(hook.Shown, " ")}}
	err := a.runCommandOf(ctx, *hook, places, r, &action)
	if err != nil {
		action.Error = err.Error()
	}
	r.Generated.Actions = append(r.Generated.Actions, action)
	return err
}
