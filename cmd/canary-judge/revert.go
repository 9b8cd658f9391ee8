package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/revert"
)

// revertOptions are the flags of the revert command beside the shared ones. They go
// before the config.
type revertOptions struct{ commit, branch, remote, mode string }

func (a *app) revertCommand() *cobra.Command {
	var o options
	var f revertOptions
	cmd := &cobra.Command{
		SuggestFor: []string{"rollback", "undo"},
		Use:        "revert RESULT",
		Short:      "Revert the change that a saved result failed",
		Long: `revert does alone what run does at a fail: it reverts the commits that were under
judgement, with git, and pushes the revert or opens a pull request. RESULT is what
run -o json=RESULT saved.

What is checked out does not matter, nor what is committed here: it acts by the
commits that the result names, and by where the remote's branch is. It refuses, and
changes nothing, when the verdict is not fail, the branch has moved on since, the clone
lacks what it takes, or the revert conflicts. A second time it does nothing. The
settings are on_fail.revert of the config, if there is one, and the flags; the remote
is that of the run, unless --push names another.`,
		Example: `  canary-judge revert result.json
  canary-judge revert result.json --push deploy --dry-run
  canary-judge revert result.json --mode pr`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := a.env["INPUT_FILE"]
			if len(args) == 1 {
				file = args[0]
			}
			if file == "" {
				return usage(errors.New("on which result? canary-judge revert RESULT"))
			}
			return a.revertResult(cmd.Context(), &o, f, file)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	o.configFlags(cmd)
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would be done, do nothing")
	cmd.Flags().StringVar(&f.commit, "commit", "", "revert only this `commit`, or a range A..B, of what the result says was judged (default all of it)")
	cmd.Flags().StringVar(&f.branch, "branch", "", "`branch` that was judged, where the result does not say (default the config's)")
	cmd.Flags().StringVar(&f.remote, "push", "", "`remote` to push to (default that of the run, or the config's, or origin)")
	cmd.Flags().StringVar(&f.mode, "mode", "", "push, or pr for a pull request (default the config's, or push)")
	return cmd
}

// revertResult is the revert command.
func (a *app) revertResult(ctx context.Context, o *options, f revertOptions, file string) error {
	r, err := a.readResult(file)
	if err != nil {
		return usage(err)
	}
	s, err := a.revertSettings(o, f)
	if err != nil {
		return usage(err)
	}
	if r.OverriddenBy() != "" && !r.Is(analysis.VerdictFail) {
		return exit{exitNotJudged, fmt.Errorf("%s: %s overrode the verdict, which is %s now: there is nothing to revert", file, r.OverriddenBy(), r.Verdict)}
	}
	if r.Verdict != analysis.VerdictFail.String() {
		return exit{exitNotJudged, fmt.Errorf("%s: the verdict is %s: there is nothing to revert", file, r.Verdict)}
	}
	if r.Change == nil && f.commit == "" {
		return usage(fmt.Errorf("%s does not say which commit was judged; name it with --commit", file))
	}
	if r.Change != nil && r.Change.Remote != "" && f.remote == "" {
		s.Remote = r.Change.Remote
	}
	if r.Change, err = a.judgedChange(ctx, s, r.Change, f.commit); err != nil {
		return err
	}
	r.Generated = &report.Generated{}
	if err := a.revertNow(ctx, o, s, r); err != nil {
		return exit{exitNotJudged, err}
	}
	for _, line := range r.Done() {
		fmt.Fprintln(a.stdout, line)
	}
	return nil
}

// judgedChange is what of a result's change is to be reverted: all of it, or what the
// flag --commit names of it. A result that names no change leaves it to the flag.
func (a *app) judgedChange(ctx context.Context, s config.Revert, judged *revert.Change, commit string) (*revert.Change, error) {
	if commit == "" {
		return judged, nil
	}
	if judged != nil {
		part, err := a.repository(s).Part(ctx, *judged, commit)
		if err != nil {
			return nil, usage(fmt.Errorf("--commit: %w", err))
		}
		return &part, nil
	}
	change, err := a.repository(s).Observe(ctx)
	if err != nil {
		return nil, exit{exitNotJudged, err}
	}
	return &change, nil
}

// revertSettings returns the settings of the config, if there is one, and of the
// flags.
func (a *app) revertSettings(o *options, f revertOptions) (config.Revert, error) {
	s := config.DefaultRevert()
	_, missing := os.Stat(o.configPath())
	if o.config != "" || !errors.Is(missing, fs.ErrNotExist) {
		c, err := a.loadConfig(o)
		if err != nil {
			return s, err
		}
		if c.Actions.Revert != nil {
			s = *c.Actions.Revert
		}
	}
	for _, flag := range []struct {
		name, value string
		into        *string
	}{{"commit", f.commit, &s.Commit}, {"branch", f.branch, &s.Branch}, {"push", f.remote, &s.Remote}} {
		if flag.value == "" {
			continue
		}
		if !config.GitName(flag.value) {
			return s, fmt.Errorf("--%s %q: want a name as git has them", flag.name, flag.value)
		}
		*flag.into = flag.value
	}
	if f.mode != "" {
		if err := s.Mode.UnmarshalText([]byte(f.mode)); err != nil {
			return s, fmt.Errorf("--mode: %w", err)
		}
	}
	return s, nil
}
