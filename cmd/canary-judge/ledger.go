package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/ledger"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/revert"
	"github.com/canary-judge/canary-judge/internal/files"
)

// ledgerFormats are the ways to write a ledger's summary.
var ledgerFormats = []string{"text", "json", "html"}

func (a *app) ledgerCommand() *cobra.Command {
	var outputs []string
	var git string
	cmd := &cobra.Command{
		SuggestFor: []string{"history", "stats", "summary"},
		Use:        "ledger PATH...",
		Short:      "Sum up what came of many runs, and how often that was right",
		Long: `ledger sums up runs: verdicts a week, how long they took, which metrics decide and which
keep runs from a decision, and, of the runs that somebody has labelled, how many good
changes failed and how many bad ones passed.

PATH is a ledger, which run --ledger PATH adds a line to, a saved result, or a directory
of either. Of a run that is found more than once the last is taken, an override before
others. With --git a fail counts as a false alarm where its revert was reverted.`,
		Example: `  canary-judge run --ledger ledger.jsonl
  canary-judge ledger ledger.jsonl
  canary-judge ledger results/ -o text -o html=ledger.html
  canary-judge ledger label 3f8a1c --ledger ledger.jsonl good --because "the load test hit the canary"`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if file := a.env["INPUT_FILE"]; len(args) == 0 && file != "" {
				args = []string{file}
			}
			if len(args) == 0 {
				return usage(errors.New("which ledger? canary-judge ledger PATH, where PATH is what run --ledger PATH wrote, or a directory of results"))
			}
			return a.sumUp(cmd.Context(), outputs, git, args)
		},
	}
	cmd.Flags().StringArrayVarP(&outputs, "output", "o", nil, "write the summary as `format[=path]`: "+strings.Join(ledgerFormats, ", ")+"; repeatable (default text)")
	cmd.Flags().StringVar(&git, "git", "", "look in the clone at `path` for reverts that were reverted")
	cmd.AddCommand(a.labelCommand())
	return cmd
}

// sumUp is the ledger command.
func (a *app) sumUp(ctx context.Context, outputs []string, git string, paths []string) error {
	var read []inUse
	for _, p := range paths {
		read = append(read, inUse{"read by this command", p})
	}
	places, err := a.openPlaces(ledgerFormats, outputs, read...)
	if err != nil {
		return usage(err)
	}
	defer places.close()
	l, err := ledger.Read(paths...)
	if err != nil {
		return usage(err)
	}
	var derived []ledger.Label
	if git != "" {
		taken, err := takenBack(ctx, git)
		if err != nil {
			return usage(err)
		}
		derived = l.Derive(taken)
	}
	sum := l.Summarise(derived)
	err = places.each(a, func(format string, w io.Writer, _ screen) error {
		switch format {
		case "json":
			return sum.JSON(w)
		case "html":
			return sum.HTML(w)
		}
		return sum.Text(w)
	})
	if err != nil {
		return exit{exitNotJudged, err}
	}
	return nil
}

// takenBack returns the commits that the history of a clone takes back, on any of its branches.
func takenBack(ctx context.Context, clone string) ([]string, error) {
	var stderr bytes.Buffer
	git := exec.CommandContext(ctx, "git", "-C", clone, "log", "--all", "-z", "--format=%B", "--regexp-ignore-case", "--grep=revert") //nolint:gosec // a directory the user names
	git.Stderr = &stderr
	out, err := git.Output()
	if err != nil {
		return nil, fmt.Errorf("read the history of %s: %w: %s", clone, err, strings.TrimSpace(stderr.String()))
	}
	var names []string
	for _, message := range strings.Split(string(out), "\x00") {
		names = append(names, revert.TakenBack(message)...)
	}
	return names, nil
}

// labelOptions are the flags of ledger label.
type labelOptions struct{ because, by, incident, service string }

func (a *app) labelCommand() *cobra.Command {
	var o options
	var f labelOptions
	cmd := &cobra.Command{
		Use:   "label [RUN] good|bad",
		Short: "Say what a change turned out to be",
		Long: `label adds to a ledger what a change turned out to be: good, if it might have been
promoted, or bad, if it had to be taken back. RUN is the beginning of a run's id, or of a
commit that it judged; canary-judge ledger names those that failed. With --incident the
newest run that passed before it is meant. The last label of a run counts.`,
		Example: `  canary-judge ledger label 3f8a1c good --ledger ledger.jsonl --because "the database was slow for both"
  canary-judge ledger label bad --incident 2026-11-27T10:00:00Z --service shop --ledger ledger.jsonl --because "checkout was down"`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.label(cmd.Context(), o.ledger, f, args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{ledger.Good, ledger.Bad}, cobra.ShellCompDirectiveNoFileComp
		},
	}
	o.ledgerFlag(cmd, "ledger to add the label to; of a directory of results, `path`/labels.jsonl")
	cmd.Flags().StringVar(&f.because, "because", "", "`why`, for who reads the ledger")
	cmd.Flags().StringVar(&f.by, "by", "", "`who` says so (default who started the workflow on GitHub or GitLab, or git's user.name and user.email)")
	cmd.Flags().StringVar(&f.incident, "incident", "", "`time` at which an incident began, RFC 3339 or an age such as -2h, instead of RUN")
	cmd.Flags().StringVar(&f.service, "service", "", "the `service` that had the incident (default any)")
	return cmd
}

// label is the ledger label command.
func (a *app) label(ctx context.Context, path string, f labelOptions, args []string) error {
	truth := args[len(args)-1]
	now := time.Now().UTC().Truncate(time.Second)
	switch {
	case truth != ledger.Good && truth != ledger.Bad:
		return usage(fmt.Errorf("the last argument is %q; want good or bad: what the change turned out to be", truth))
	case path == "":
		return usage(errors.New("--ledger is missing: the ledger, or directory of results, that the run is in"))
	case strings.TrimSpace(f.because) == "":
		return usage(errors.New("--because is missing: a label says why, for who reads the ledger"))
	case (len(args) == 2) == (f.incident != ""):
		return usage(errors.New("name the run, or give --incident and its time"))
	}
	l, err := ledger.Read(path)
	if err != nil {
		return usage(err)
	}
	run, err := found(l, f, args[0], now)
	if err != nil {
		return usage(err)
	}
	by := f.by
	if by == "" {
		by = a.whoami(ctx)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "labels.jsonl")
	}
	if err := ledger.Check(path); err != nil {
		return usage(fmt.Errorf("add to the ledger: %w", err))
	}
	label := ledger.Label{Run: run.ID, Truth: truth, Because: strings.TrimSpace(f.because), By: by, At: now}
	if err := ledger.Append(path, ledger.Line{Label: &label}); err != nil {
		return exit{exitNotJudged, fmt.Errorf("add to the ledger %s: %w", path, err)}
	}
	fmt.Fprintln(a.stderr, report.Clean(fmt.Sprintf("labelled %s: run %s", truth, run)))
	return nil
}

// found is the run that a label is of.
func found(l *ledger.Ledger, f labelOptions, name string, now time.Time) (*ledger.Run, error) {
	if f.incident == "" {
		return l.Find(name)
	}
	at, err := moment("--incident", f.incident, now)
	if err != nil {
		return nil, err
	}
	return l.Before(at, f.service)
}

// checkLedger reports what is in the way of adding to the ledger, before there is something to add.
func (o *options) checkLedger() error {
	if o.ledger == "" {
		return nil
	}
	for _, other := range []inUse{{"the recording", o.record}, {"the config", o.configPath()}} {
		if other.path != "" && files.Same(other.path, o.ledger) {
			return fmt.Errorf("--ledger %s: this file is %s, and would be spoilt", o.ledger, other.what)
		}
	}
	if err := ledger.Check(o.ledger); err != nil {
		return fmt.Errorf("--ledger %s: %w", o.ledger, err)
	}
	return nil
}

// keep adds what came of a run to its ledger. A dry run is none that a team wants to count.
func (a *app) keep(o *options, r *report.Report) error {
	switch {
	case o.ledger == "":
		return nil
	case o.dryRun && !o.observe:
		fmt.Fprintln(a.stderr, "not added to the ledger, in a dry run: "+report.Clean(o.ledger))
		return nil
	}
	if err := ledger.Append(o.ledger, ledger.Line{Run: ledger.Of(r)}); err != nil {
		return fmt.Errorf("add to the ledger %s: %w", o.ledger, err)
	}
	return nil
}
