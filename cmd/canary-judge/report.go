package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

func (a *app) reportCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "report RESULT",
		Short: "Render a saved result in any format",
		Long: `report renders a result that run or replay saved with -o json=PATH, in any format
and as often as you like. It judges nothing and asks no provider; it exits with 0
whatever the verdict, and with 2 when RESULT is not a result. RESULT may be -, for
standard input.

Formats: text, json, markdown (job summaries, comments), html (one file with plots,
which fetches nothing), junit (a test case a metric), openmetrics (numbers for Prometheus and others).`,
		Example: `  canary-judge report result.json
  canary-judge report result.json -o html=report.html -o junit=junit.xml
  canary-judge replay canary.jsonl -o json | canary-judge report - -o html=report.html`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file := a.env["INPUT_FILE"]
			if len(args) == 1 {
				file = args[0]
			}
			if file == "" {
				return usage(errors.New("which result? canary-judge report RESULT, where RESULT is what -o json=RESULT saved"))
			}
			return a.renderResult(&o, file)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	o.outputFlag(cmd)
	return cmd
}

// renderResult is the report command.
func (a *app) renderResult(o *options, file string) error {
	places, err := a.openOutputs(o.outputs, inUse{"the result that is rendered", file})
	if err != nil {
		return usage(err)
	}
	defer places.close()
	r, err := a.readResult(file)
	if err != nil {
		return usage(err)
	}
	if err := places.write(a, r); err != nil {
		return exit{exitNotJudged, err}
	}
	return nil
}

// readResult reads a saved result; - is standard input.
func (a *app) readResult(file string) (*report.Report, error) {
	in, name := a.stdin, "standard input"
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("open the result: %w", err)
		}
		defer f.Close() //nolint:errcheck // only read
		in, name = io.Reader(f), file
	}
	r, err := report.Read(in)
	if err != nil {
		return nil, fmt.Errorf("read the result %s: %w", name, err)
	}
	return r, nil
}
