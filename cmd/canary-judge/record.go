package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/providers/recording"
)

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

// recordLive is the record command.
func (a *app) recordLive(ctx context.Context, o *options) error {
	j, err := a.prepare(ctx, o)
	if err != nil {
		return err
	}
	outcome, err := a.finish(ctx, j)
	if err := errors.Join(err, closeRecording(j.File, outcome)); err != nil {
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
