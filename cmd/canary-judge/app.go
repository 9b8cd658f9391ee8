package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/github"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// app is the process, with all that it touches.
type app struct {
	env            map[string]string
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	// instead holds providers to use, by name, instead of those that the settings open:
	// in tests, of networks that there are none of.
	instead map[string]providers.Provider
}

// exit is an error with the exit code it asks for.
type exit struct {
	code int
	err  error // nil when everything has been said
}

func (e exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e exit) Unwrap() error { return e.err }

// usage marks an error as the user's to correct, before anything was fetched.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return exit{exitUsage, err}
}

// interrupt is a signal that ended a run.
type interrupt struct{ signal os.Signal }

func (i interrupt) Error() string { return "interrupted by " + i.signal.String() }

// code is the shell's convention: 128 and the signal's number.
func (i interrupt) code() int {
	if s, ok := i.signal.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return exitNotJudged
}

// interruptCode returns the exit code of a run that a signal ended.
func (a *app) interruptCode(ctx context.Context) int {
	var i interrupt
	if errors.As(context.Cause(ctx), &i) {
		return i.code()
	}
	return exitNotJudged
}

// run carries out the command line and returns the exit code.
func (a *app) run(ctx context.Context) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(a.stderr, "canary-judge: internal error: %v\n%s\nplease report this with the config and the recording\n", p, debug.Stack())
			code = exitNotJudged
		}
	}()
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"} {
		web.Conceal(web.ProxySecrets(a.env[name])...)
	}
	out := &checked{Writer: a.stdout}
	a.stdout = out
	code = a.command(ctx)
	if out.err != nil && code == exitPass {
		a.complain(fmt.Errorf("write to standard output: %w", out.err))
		return exitNotJudged
	}
	return code
}

// checked is standard output, of which it is known whether all of it was written: what
// goes to it in many small parts is not looked at each time.
type checked struct {
	io.Writer
	err error
}

func (c *checked) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.err = cmp.Or(c.err, err)
	return n, err
}

// command carries out the command line.
func (a *app) command(ctx context.Context) int {
	root := a.root()
	root.SetArgs(a.args)
	root.SetIn(a.stdin)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitPass
	}
	var e exit
	if !errors.As(err, &e) {
		// cobra's own errors are about the command line.
		e = exit{exitUsage, fmt.Errorf("%w\nrun 'canary-judge --help' for usage", err)}
	}
	if e.err != nil {
		a.complain(e.err)
	}
	return e.code
}

// complain prints an error. Its text may quote what came from outside.
func (a *app) complain(err error) {
	for i, line := range strings.Split(err.Error(), "\n") {
		if i == 0 && !config.IsProblem(err) {
			line = "canary-judge: " + line
		}
		fmt.Fprintln(a.stderr, report.Clean(line))
	}
}

// root returns the command line.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "canary-judge",
		Short: "Decide from metrics whether a canary may be promoted",
		Long: `canary-judge compares the metrics of a canary with those of the baseline, look
after look, and says pass, fail or inconclusive. The chance that a harmless
canary fails is stated beforehand and kept over the whole run.

Exit codes: 0 pass, 1 fail, 2 usage or config error, 3 inconclusive, 4 could not
judge, 130 and 143 interrupted by SIGINT and SIGTERM.`,
		Version:       built().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help() // to standard output, which has nothing better
			return exit{code: exitUsage}
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.inputs(cmd) },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		var invalid *pflag.InvalidValueError
		if errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "bool" {
			return fmt.Errorf("--%s is %q; want true or false", invalid.GetFlag().Name, invalid.GetValue())
		}
		return err
	})
	root.SetVersionTemplate("canary-judge {{.Version}}\n")
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(a.runCommand(), a.replayCommand(), a.recordCommand(), a.checkCommand(), a.statusCommand(), a.revertCommand(), a.overrideCommand(), a.reportCommand(), a.ledgerCommand(), a.schemaCommand(), a.versionCommand())
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	refuseUnknown(root)
	return root
}

// inputs sets the flags that the command line does not, from the inputs of a
// GitHub Action: the input dry-run is the flag --dry-run.
func (a *app) inputs(cmd *cobra.Command) error {
	if !github.Enabled(a.env) {
		return nil
	}
	var errs []error
	for _, f := range flags(cmd) {
		value := strings.TrimSpace(a.env["INPUT_"+strings.ToUpper(f.Name)])
		if value == "" || f.Changed {
			continue
		}
		for _, v := range splitInput(f.Value.Type(), value) {
			if _, err := strconv.ParseBool(v); f.Value.Type() == "bool" && err != nil {
				errs = append(errs, fmt.Errorf("input %s is %q; want true or false", f.Name, web.Quote(v)))
				continue
			}
			if err := f.Value.Set(v); err != nil {
				errs = append(errs, fmt.Errorf("input %s: %w", f.Name, err))
			}
		}
		f.Changed = true
	}
	return usage(errors.Join(errs...))
}

// splitInput returns the values of an input; one that repeats has a line each.
func splitInput(kind, value string) []string {
	if kind != "stringArray" {
		return []string{value}
	}
	var values []string
	for _, line := range strings.Split(value, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			values = append(values, line)
		}
	}
	return values
}
