package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

func (a *app) replayCommand() *cobra.Command {
	var o options
	var e exported
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Judge a recording: no network, no waiting",
		Long: `replay judges a recording as run would have judged it live, with the config that
the recording holds, or with another one.

A CSV file is a recording too: columns time, metric, arm, value, total, count; time is
RFC 3339 or epoch seconds, arm is baseline or canary, and a total makes the metric
a ratio with value as its bad count. A percentile needs the count of the requests behind
it, or it neither passes nor fails. Without a config it is judged with the
defaults: rates at 25 % with a floor of 0.1 %, values at 10 %, latencies at their 95th
percentile and 10 %, an increase is bad.

With --as, the files of other tools are read: what --baseline and --canary select of
one FILE, or a file for each arm. What was assumed on the way is said. --record keeps
what was read as a recording. docs/exports.md has an example of each.`,
		Example: `  canary-judge replay canary.jsonl
  canary-judge replay canary.jsonl -c stricter.yaml -o json=result.json
  canary-judge replay export.csv
  canary-judge replay --as k6 --baseline old.csv --canary new.csv
  canary-judge replay --as grafana --baseline service=shop --canary service=shop-canary panel.csv`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := a.env["INPUT_FILE"]
			if len(args) == 1 {
				file = args[0]
			}
			return a.judgeRecording(cmd.Context(), &o, &e, file)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"jsonl", "gz", "csv"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	o.configFlags(cmd)
	o.judgeFlags(cmd)
	o.logFlags(cmd)
	e.flags(cmd)
	cmd.Flags().StringVar(&o.record, "record", "", "with --as: write what was read as a recording to `path` (.jsonl or .jsonl.gz)")
	_ = cmd.MarkFlagFilename("record", "jsonl", "gz") // the flag exists
	return cmd
}

// judgeRecording is the replay command.
func (a *app) judgeRecording(ctx context.Context, o *options, e *exported, file string) error {
	places, err := a.openLogged(o, e.inUse(file, o)...)
	if err != nil {
		return usage(err)
	}
	defer places.close()
	if _, err := o.inconclusiveCode(); err != nil {
		return usage(err)
	}
	if o.record != "" && e.as == "" {
		return usage(errors.New("--record writes what --as read; give both"))
	}
	r, err := e.open(file)
	if err != nil {
		return usage(err)
	}
	if file == "" {
		file = e.baseline + " and " + e.canary
	}
	if e.as != "" {
		noteAll(a.stderr, file, r.Header.Notes)
	}
	if o.record != "" {
		if err := save(r, o.record); err != nil {
			return usage(err)
		}
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(a.stderr, "canary-judge: %s: %s\n", file, w)
	}
	if steps := len(r.Times()); steps < leastSteps && e.counts() {
		return usage(fmt.Errorf("%s: there are requests in %d steps, and the first look needs %d; give a shorter --step or a longer test", file, steps, leastSteps))
	}
	j, err := a.replayJob(o, r)
	if err != nil {
		return usage(err)
	}
	j.Progress = quiet{}
	if o.verbose {
		j.Progress = a.progress(o, j.Config)
	}
	outcome, err := j.Run(ctx)
	if outcome == nil || err != nil {
		return usage(fmt.Errorf("%s: %w", file, err))
	}
	if r.End != nil && outcome.Ended == job.AtTheFilesEnd {
		outcome.Ended, outcome.Detail = job.End(r.End.Why), r.End.Detail
	}
	if outcome.Ended == job.AtError {
		err = errors.New(outcome.Detail)
	}
	return a.conclude(ctx, o, places, endedRun{command: "replay", config: j.Config, outcome: outcome, change: r.Header.Change, err: err})
}

// quiet tells nothing.
type quiet struct{}

func (quiet) Wait(time.Time) {}
func (quiet) Look(job.Look)  {}
func (quiet) Trouble(error)  {}
func (quiet) Note(string)    {}

// replayJob sets up the job that judges a recording.
func (a *app) replayJob(o *options, r *recording.Recording) (*job.Job, error) {
	times := r.Times()
	switch {
	case o.config == "" && r.Header.Config == nil && r.Header.Window == nil:
		return defaultJob(r, times)
	case len(times) == 0 && r.Header.Window == nil:
		return nil, errors.New("the recording holds no points")
	}
	c, err := a.replayConfig(o, r)
	if err != nil {
		return nil, err
	}
	if err := holds(r, c); err != nil {
		return nil, err
	}
	c.Notes = append(c.Notes, r.Header.Notes...)
	takeCounts(c, r)
	j := &job.Job{Config: c, Providers: map[string]providers.Provider{}, Sightings: r}
	for _, m := range c.Metrics {
		j.Providers[m.Provider] = r
	}
	w := r.Header.Window
	if w == nil {
		j.Start, j.Available = times[0], times[len(times)-1].Add(c.Window.Step)
		return j, nil
	}
	if w.Step != c.Window.Step.String() {
		return nil, fmt.Errorf("the recording has steps of %s, the config of %s; judge with the step it was recorded with", w.Step, c.Window.Step)
	}
	if o.config == "" {
		c.Window.Warmup = w.Warmup
		c.SetSteps(w.Steps)
		lengthen(c, r)
	}
	j.Start, j.Available = w.Start, r.Judged
	if r.Judged.IsZero() {
		j.Available = w.Start
	}
	return j, nil
}

// replayConfig returns the config to judge a recording with: that of the flags,
// or the one it holds.
func (a *app) replayConfig(o *options, r *recording.Recording) (*config.Config, error) {
	if o.config == "" {
		c, err := config.Parse("the recording's config", r.Header.Config, config.Options{Types: types(), Literal: true})
		if err != nil {
			return nil, fmt.Errorf("the config in the recording is not valid here; give one with -c:\n%w", err)
		}
		return c, nil
	}
	c, err := a.loadConfig(o)
	if err == nil && len(c.Tags) > 0 {
		return nil, usage(fmt.Errorf("the config names tests by a tag (%s), and a replay looks nothing up; leave out -c: the recording knows them by their ids", strings.Join(c.Tags, ", ")))
	}
	if err == nil && len(c.SegmentsOf) > 0 {
		return nil, usage(fmt.Errorf("the config judges each %s that the source has, and a replay asks nobody; leave out -c: the recording knows them, or write those to judge", strings.Join(c.SegmentsOf, ", ")))
	}
	return c, err
}

// takeCounts has the counts behind percentiles read where the recording has them, though the
// config has no query for them.
func takeCounts(c *config.Config, r *recording.Recording) {
	for _, held := range r.Metrics() {
		i := slices.IndexFunc(c.Metrics, func(m config.Metric) bool { return m.Name == held.Name })
		if i < 0 || !held.Counted || c.Plan.Metrics[i].LeastBehind() == 0 || c.Metrics[i].Queries[providers.Count] != nil {
			continue
		}
		c.Metrics[i].Queries[providers.Count] = map[providers.Arm]string{providers.Baseline: "", providers.Canary: ""}
		c.Metrics[i].Doubts = slices.DeleteFunc(c.Metrics[i].Doubts, config.LacksCount)
	}
}

// holds reports metrics of the config that the recording does not hold.
func holds(r *recording.Recording, c *config.Config) error {
	var recorded []string
	for _, m := range r.Metrics() {
		recorded = append(recorded, m.Name)
	}
	if len(recorded) == 0 {
		return nil
	}
	var errs []error
	for _, m := range c.Metrics {
		// A recording made with this very config may lack a metric because it never
		// had data: that is for the verdict to say.
		if m.GapsOf < 0 && r.Header.Config == nil && !slices.Contains(recorded, m.Name) {
			errs = append(errs, fmt.Errorf("the metric %q is not in the recording; it holds %q", m.Name, recorded))
		}
	}
	return errors.Join(errs...)
}

// Defaults for a CSV without a config.
const (
	defaultRatioTolerance = 0.25
	defaultValueTolerance = 0.10
	defaultQuantile       = 0.95 // of a histogram
)

// unconfigured is how a metric is judged without a config, by what its points hold.
var unconfigured = map[recording.Kind]analysis.Metric{
	recording.Values:     {Kind: analysis.Value, Tolerance: analysis.Tolerance{Size: defaultValueTolerance}},
	recording.Counts:     {Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: defaultRatioTolerance}, Floor: analysis.DefaultFloor},
	recording.Histograms: {Kind: analysis.Histogram, Tolerance: analysis.Tolerance{Size: defaultValueTolerance}, Quantile: defaultQuantile},
}

// defaultJob judges a recording without a config with the defaults.
func defaultJob(r *recording.Recording, times []time.Time) (*job.Job, error) {
	if len(times) < leastSteps {
		return nil, fmt.Errorf("there are %d different times; the first look needs %d", len(times), leastSteps)
	}
	c := &config.Config{
		Arms: map[providers.Arm]config.Arm{providers.Baseline: {}, providers.Canary: {}},
		Plan: analysis.Plan{FalseAlarm: analysis.DefaultFalseAlarm, WrongPass: analysis.DefaultWrongPass},
		Notes: []string{fmt.Sprintf("judged without a config: rates at %d%% with a floor of 0.1%%, values at %d%%, an increase is bad",
			int(100*defaultRatioTolerance), int(100*defaultValueTolerance))},
	}
	for _, m := range r.Metrics() {
		a := unconfigured[m.Kind]
		a.Name = m.Name
		if m.Kind == recording.Values {
			a.Quantile = analysis.NamedQuantile(m.Name)
		} else if a.Quantile > 0 {
			c.Notes = append(c.Notes, fmt.Sprintf("%s is judged at its %gth percentile; a config with slower_than judges it by a bound", m.Name, 100*a.Quantile))
		}
		q := config.Metric{Name: m.Name, Unit: r.Header.Units[m.Name], Provider: recording.Name, GapsOf: -1, Queries: map[providers.Part]map[providers.Arm]string{}}
		for _, part := range m.Parts() {
			q.Queries[part] = map[providers.Arm]string{providers.Baseline: "", providers.Canary: ""}
		}
		c.Plan.Metrics, c.Metrics = append(c.Plan.Metrics, a), append(c.Metrics, q)
	}
	c.Notes = append(c.Notes, r.Header.Notes...)
	j := &job.Job{
		Config: c, Providers: map[string]providers.Provider{recording.Name: r},
		Start: times[0], Times: times,
	}
	c.Window.Step = job.TypicalStep(times)
	c.SetSteps(len(times))
	j.Available = times[len(times)-1].Add(c.Window.Step)
	return j, nil
}
