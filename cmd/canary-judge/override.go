package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/github"
)

// overrideOptions are the flags of the override command beside the shared ones.
type overrideOptions struct{ verdict, because, by string }

func (a *app) overrideCommand() *cobra.Command {
	var o options
	var f overrideOptions
	cmd := &cobra.Command{
		SuggestFor: []string{"force", "approve", "accept"},
		Use:        "override RESULT",
		Short:      "Decide against the verdict of a saved result, on the record",
		Long: `override writes a result anew with the verdict that somebody takes the responsibility
for. All that was found stays in it, with the verdict that was overridden, who did it,
why, and when; every format says so first. It exits as the new verdict does: 0 for pass,
1 for fail. It acts on nothing; canary-judge revert reverts what was overridden to fail.
RESULT is what run -o json=RESULT saved; it may be -, for standard input.`,
		Example: `  canary-judge override result.json --verdict pass --because "the errors are of a load test" -o json=overridden.json
  canary-judge override result.json --verdict fail --because "customers call" --by "Ada <ada@example.com>" -o json=overridden.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := a.env["INPUT_FILE"]
			if len(args) == 1 {
				file = args[0]
			}
			if file == "" {
				return usage(errors.New("which result? canary-judge override RESULT, where RESULT is what -o json=RESULT saved"))
			}
			return a.overrideResult(cmd.Context(), &o, f, file)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	o.outputFlag(cmd)
	o.ledgerFlag(cmd, "add a line of it to the ledger at `path`")
	cmd.Flags().StringVar(&f.verdict, "verdict", "", "`pass|fail`: what is decided instead")
	cmd.Flags().StringVar(&f.because, "because", "", "`why`, for who reads the result")
	cmd.Flags().StringVar(&f.by, "by", "", "`who` decides (default who started the workflow on GitHub or GitLab, or git's user.name and user.email)")
	return cmd
}

// overrideResult is the override command.
func (a *app) overrideResult(ctx context.Context, o *options, f overrideOptions, file string) error {
	verdict, by, err := a.decided(ctx, f)
	if err != nil {
		return usage(err)
	}
	places, err := a.openOutputs(o.outputs, inUse{"the result that is overridden", file}, inUse{"the ledger", o.ledger})
	if err != nil {
		return usage(err)
	}
	defer places.close()
	if err := o.checkLedger(); err != nil {
		return usage(err)
	}
	r, err := a.readResult(file)
	if err != nil {
		return usage(err)
	}
	overridden, err := r.Overridden(verdict, by, f.because, time.Now())
	if err != nil {
		return usage(fmt.Errorf("override %s: %w", file, err))
	}
	code := exitPass
	if verdict == analysis.VerdictFail {
		code = exitFail
	}
	err = errors.Join(places.write(a, overridden), a.keep(o, overridden))
	if github.Enabled(a.env) {
		facts := github.Facts{ExitCode: code, Result: places.result(), Report: places.report()}
		err = errors.Join(err, github.Write(a.env, a.stderr, overridden, facts))
	}
	if err != nil {
		return exit{exitNotJudged, err}
	}
	return exitOf(code, nil)
}

// decided returns what is decided instead, and by whom.
func (a *app) decided(ctx context.Context, f overrideOptions) (verdict analysis.Verdict, by string, err error) {
	switch f.verdict {
	case analysis.VerdictPass.String():
		verdict = analysis.VerdictPass
	case analysis.VerdictFail.String():
		verdict = analysis.VerdictFail
	default:
		return verdict, "", fmt.Errorf("--verdict is %q; want pass or fail: what is decided instead", f.verdict)
	}
	if strings.TrimSpace(f.because) == "" {
		return verdict, "", errors.New("--because is missing: an override says why, for who reads the result")
	}
	by = f.by
	if by == "" {
		by = a.whoami(ctx)
	}
	if by == "" {
		return verdict, "", errors.New("who overrides it is not known: name them with --by, or set git's user.name and user.email")
	}
	return verdict, by, nil
}

// whoami says who is at work: who started the workflow where it runs in one, else git's
// identity; "" for nobody known.
func (a *app) whoami(ctx context.Context) string {
	for _, variable := range []string{"GITHUB_ACTOR", "GITLAB_USER_LOGIN"} {
		if who := a.env[variable]; who != "" {
			return who
		}
	}
	name, email := gitConfig(ctx, "user.name"), gitConfig(ctx, "user.email")
	switch {
	case name == "":
		return email
	case email == "":
		return name
	}
	return name + " <" + email + ">"
}

// gitConfig returns a setting of git, "" for none.
func gitConfig(ctx context.Context, key string) string {
	out, err := exec.CommandContext(ctx, "git", "config", "--get", key).Output() //nolint:gosec // the keys are ours
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
