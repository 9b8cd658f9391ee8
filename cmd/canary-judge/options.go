package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// options are the flags that commands share.
type options struct {
	config         string
	outputs        []string
	record         string
	resume         bool
	set            []string
	start, end     string
	dryRun         bool
	observe        bool
	quiet, verbose bool
	onInconclusive string
	recordOnly     bool
	comment        bool
	ledger         string
}

// defaultConfig is the config's usual name.
const defaultConfig = "canary.yaml"

func (o *options) configFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "config file (default "+defaultConfig+")")
	cmd.Flags().StringArrayVar(&o.set, "set", nil, "set a config variable, `key=value`; repeatable")
}

func (o *options) logFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "no progress on standard error")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "tell of every request")
}

func (o *options) windowFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.start, "start", "", "start of the window, RFC 3339 or an age such as -40m; the warm-up begins there (default now)")
	cmd.Flags().StringVar(&o.end, "end", "", "end of a window in the past, RFC 3339 or an age such as -10m")
}

func (o *options) recordFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.record, "record", "", "append what is fetched to the recording at `path` (.jsonl or .jsonl.gz)")
	cmd.Flags().BoolVar(&o.resume, "resume", false, "go on with the recording where it ends, after a crash")
	_ = cmd.MarkFlagFilename("record", "jsonl", "gz") // the flag exists
}

func (o *options) outputFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&o.outputs, "output", "o", nil, "write the result as `format[=path]`: "+strings.Join(formatNames(), ", ")+"; repeatable (default text)")
}

func (o *options) ledgerFlag(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&o.ledger, "ledger", "", usage)
	_ = cmd.MarkFlagFilename("ledger", "jsonl") // the flag exists
}

func (o *options) judgeFlags(cmd *cobra.Command) {
	o.outputFlag(cmd)
	cmd.Flags().StringVar(&o.onInconclusive, "on-inconclusive", "", "exit as for `pass|fail` when the verdict is inconclusive (default: exit 3)")
	cmd.Flags().BoolVar(&o.comment, "comment", false, "on GitHub: write the result as a comment on the pull request, and write over it at the next run")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "judge and report, act on nothing, exit as judged")
}

// observes notes that a run only observes: it does nothing, as a dry run, and holds nothing up.
func (o *options) observes() { o.observe, o.dryRun = true, true }

// flags lists a command's flags.
func flags(cmd *cobra.Command) []*pflag.Flag {
	var all []*pflag.Flag
	cmd.Flags().VisitAll(func(f *pflag.Flag) { all = append(all, f) })
	return all
}

// configPath returns the config to read.
func (o *options) configPath() string {
	if o.config == "" {
		return defaultConfig
	}
	return o.config
}

// variables reads the --set flags.
func (o *options) variables() (map[string]string, error) {
	set := map[string]string{}
	for _, pair := range o.set {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--set %q: want key=value", pair)
		}
		set[name] = value
	}
	return set, nil
}

// loadConfig reads the config file.
func (a *app) loadConfig(o *options) (*config.Config, error) {
	set, err := o.variables()
	if err != nil {
		return nil, usage(err)
	}
	c, err := config.Load(o.configPath(), config.Options{Types: types(), Env: a.env, Set: set})
	return c, usage(err)
}

// loadLive reads the config file for what asks its sources, and looks up in them what it
// names by a tag.
func (a *app) loadLive(ctx context.Context, o *options) (*config.Config, error) {
	set, err := o.variables()
	if err != nil {
		return nil, usage(err)
	}
	var failed error
	tagged := func(provider string, settings any, tag string, paused bool) ([]string, error) {
		ids, err := a.tagged(ctx, provider, settings, tag, paused)
		failed = errors.Join(failed, err)
		return ids, err
	}
	segments := func(provider string, settings any, label string, queries []providers.Query) ([]string, error) {
		values, err := a.segments(ctx, o, provider, settings, label, queries)
		failed = errors.Join(failed, err)
		return values, err
	}
	c, err := config.Load(o.configPath(), config.Options{Types: types(), Env: a.env, Set: set, Tagged: tagged, Segments: segments})
	var e *web.Error
	if errors.As(failed, &e) && e.Class != web.Settings {
		return nil, exit{exitNotJudged, failed}
	}
	return c, usage(err)
}

// lookUpTime bounds the lookup of tests.
const lookUpTime = time.Minute

// tagged looks up the synthetic tests with a tag, and says which they are.
func (a *app) tagged(ctx context.Context, provider string, settings any, tag string, paused bool) ([]string, error) {
	p, err := a.openOne(provider, settings)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	tests, err := providers.TestsTagged(ctx, p, tag)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, fmt.Errorf("%s does not look up tests by a tag; name them by their ids", provider)
	}
	if err != nil {
		return nil, err
	}
	var ids, shown, left []string
	for _, t := range tests {
		name := fmt.Sprintf("%s (%s)", t.ID, t.Name)
		if t.Paused && !paused {
			left = append(left, name)
			continue
		}
		ids, shown = append(ids, t.ID), append(shown, name)
	}
	if len(ids) > 0 {
		fmt.Fprintln(a.stderr, report.Clean(fmt.Sprintf("tests with the tag %s: %s", tag, strings.Join(shown, ", "))))
	}
	if len(left) > 0 {
		fmt.Fprintln(a.stderr, report.Clean(fmt.Sprintf("left out, for they are paused: %s", strings.Join(left, ", "))))
	}
	return ids, nil
}

// inconclusiveCode returns the exit code of an inconclusive verdict.
func (o *options) inconclusiveCode() (int, error) {
	switch o.onInconclusive {
	case "":
		return exitInconclusive, nil
	case "pass":
		return exitPass, nil
	case "fail":
		return exitFail, nil
	}
	return 0, fmt.Errorf("--on-inconclusive is %q; valid: pass or fail", o.onInconclusive)
}

// moment reads a time of the --start and --end flags.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	if age, ok := strings.CutPrefix(text, "-"); ok {
		if d, err := providers.ParseDuration(age); err == nil {
			return now.Add(-d).UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s is %q; want RFC 3339 (2026-11-23T10:00:00Z) or an age such as -40m", flag, text)
}

// window returns the start of the first step, and fits the config to the window
// that the flags ask for.
func (o *options) window(c *config.Config, now time.Time) (time.Time, error) {
	step := c.Window.Step
	up := func(t time.Time) time.Time {
		if down := t.Truncate(step); down.Equal(t) {
			return t
		}
		return t.Truncate(step).Add(step)
	}
	start := now
	if o.start != "" {
		var err error
		if start, err = moment("--start", o.start, now); err != nil {
			return start, err
		}
		if start.After(now) {
			return start, fmt.Errorf("--start is %s, which lies in the future; start the job then", start.Format(time.RFC3339))
		}
	}
	start = up(start.UTC())
	if o.end == "" {
		return start, nil
	}
	if o.start == "" {
		return start, errors.New("--end needs --start: a window in the past has both")
	}
	end, err := moment("--end", o.end, now)
	if err != nil {
		return start, err
	}
	if end.After(now) {
		return start, fmt.Errorf("--end is %s, which lies in the future; leave it out to judge live", end.Format(time.RFC3339))
	}
	steps := int(end.Truncate(step).Sub(start)/step) - c.Window.Warmup
	if steps < leastSteps {
		return start, fmt.Errorf("from --start to --end there are %d steps of %s after the warm-up of %d; the first look needs %d",
			max(steps, 0), step, c.Window.Warmup, leastSteps)
	}
	c.SetSteps(steps)
	return start, nil
}
