package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers/recording"
)

func (a *app) statusCommand() *cobra.Command {
	var serve string
	cmd := &cobra.Command{
		SuggestFor: []string{"watch", "follow", "tail"},
		Use:        "status RECORDING",
		Short:      "Say how a run stands that is still going on, from its recording",
		Long: `status reads the recording that a run is writing, from another shell or another job, and
says how the run stands: what is known of each metric so far, when the next look comes, or
that the run has ended. It asks no provider and disturbs nothing. It exits with 0 however
the run stands, and with 2 when RECORDING is none.

With --serve it shows the same as a page that follows the run, until it is interrupted.`,
		Example: `  canary-judge status canary.jsonl
  canary-judge status canary.jsonl --serve 127.0.0.1:8090`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := a.env["INPUT_FILE"]
			if len(args) == 1 {
				file = args[0]
			}
			if file == "" {
				return usage(errors.New("of which run? canary-judge status RECORDING, where RECORDING is what run --record RECORDING writes"))
			}
			if serve != "" {
				return a.serveStatus(cmd.Context(), serve, file)
			}
			r, err := a.status(cmd.Context(), file)
			if err != nil {
				return usage(err)
			}
			if err := r.Text(a.stdout, a.colour(a.stdout), a.screen(a.stdout).width); err != nil {
				return exit{exitNotJudged, err}
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"jsonl"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	serveFlag(cmd, &serve, "show it as a page at this `address`, such as 127.0.0.1:8090, that follows the run")
	return cmd
}

// status is the report of what a recording holds so far.
func (a *app) status(ctx context.Context, file string) (*report.Report, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("open the recording: %w", err)
	}
	r, err := recording.Open(file)
	if err != nil {
		return nil, err
	}
	if r.Header.Window == nil || r.Header.Config == nil {
		return nil, fmt.Errorf("%s is no recording of a run: it does not say what window it is of; judge it with canary-judge replay", file)
	}
	j, err := a.replayJob(&options{}, r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	j.Progress = quiet{}
	outcome, err := j.Run(ctx)
	if outcome == nil || err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	switch {
	case outcome.Ended != job.AtTheFilesEnd:
	case r.End != nil:
		outcome.Ended, outcome.Detail = job.End(r.End.Why), r.End.Detail
	default:
		outcome.Ended = job.GoesOn
	}
	rep, err := endedRun{command: "status", config: j.Config, outcome: outcome, change: r.Header.Change}.report()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	rep.Generated.Observe = j.Config.Observe
	rep.Status = standing(r, j.Config, file, info.ModTime(), time.Now())
	return rep, nil
}

// patience is how much later than a look is due something has to be written before a run counts as gone: sources are asked
// again for a while, and commands of stages take their time.
const patience = 5 * time.Minute

// standing says how a run stands whose recording was written to last at a time; "" when it has ended.
func standing(r *recording.Recording, c *config.Config, file string, written, now time.Time) string {
	by, who := "", "it"
	if r.Writer != nil {
		by, who = ", by "+r.Writer.String(), r.Writer.String()
	}
	next := r.Judged
	if next.IsZero() {
		next = r.Header.Window.Start.Add(time.Duration(r.Header.Window.Warmup) * c.Window.Step)
	}
	next = next.Add(c.Window.Step + c.Window.Lag)
	due := next
	if written.After(due) {
		due = written
	}
	left := fmt.Sprintf("%s wrote last at %s UTC. Go on with canary-judge run --resume --record %s.", who, written.UTC().Format(time.DateTime), file)
	switch {
	case r.Concluded, r.End != nil && r.End.Verdict == "": // interrupted, or an error
		return ""
	case r.End != nil && now.Sub(written) > patience:
		return "The run has its verdict, and not all that follows it was done: " + left
	case r.End != nil:
		return fmt.Sprintf("The run has its verdict, and does what follows it%s.", by)
	case now.Sub(due) > patience+c.Window.Step:
		return fmt.Sprintf("The run has stopped, it seems: a look comes every %s, and %s", c.Window.Step, left)
	case now.After(next):
		return fmt.Sprintf("The run goes on%s; its next look has been due since %s UTC.", by, next.UTC().Format(time.TimeOnly))
	}
	return fmt.Sprintf("The run goes on%s; its next look is due at %s UTC.", by, next.UTC().Format(time.TimeOnly))
}

// statusPage is the page that follows a run, made of a recording in a state.
func (a *app) statusPage(ctx context.Context, file, state string) ([]byte, error) {
	r, err := a.status(ctx, file)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = r.LiveHTML(&page, state)
	return page.Bytes(), err
}
