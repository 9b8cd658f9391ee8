package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/sources"
	"github.com/canary-judge/canary-judge/providers"
)

func (a *app) checkCommand() *cobra.Command {
	var o options
	var live bool
	cmd := &cobra.Command{
		SuggestFor: []string{"validate", "lint"},
		Use:        "check",
		Short:      "Validate the config; with --live also query each metric once",
		Long: `check reads the config, reports everything that is wrong with it, and says what
it comes to: the looks, the metrics, the queries as they are sent.

With --live it also asks for the last few steps of every metric, and says what
came back; and once more up to 15 s later, to say how late data arrive. When that is
later than window.lag it exits with 3.`,
		Example: `  canary-judge check -c canary.yaml
  canary-judge check --live --set version=v2`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			load := func() (*config.Config, error) { return a.loadConfig(&o) }
			if live {
				load = func() (*config.Config, error) { return a.loadLive(cmd.Context(), &o) }
			}
			c, err := load()
			if err != nil {
				return err
			}
			if err := c.Unlooked(); err != nil {
				return usage(err)
			}
			a.describe(c)
			if !live {
				return nil
			}
			return a.checkLive(cmd.Context(), c)
		},
	}
	o.configFlags(cmd)
	cmd.Flags().BoolVar(&live, "live", false, "query each metric once and say what came back")
	return cmd
}

// describe says what a config comes to.
func (a *app) describe(c *config.Config) {
	w := c.Window
	fmt.Fprintf(a.stdout, "%d looks, one every %s, after a warm-up of %s; data is waited for %s\n", w.Steps,
		providers.Duration(w.Step), providers.Duration(time.Duration(w.Warmup)*w.Step), providers.Duration(w.Lag))
	fmt.Fprintf(a.stdout, "false alarms %g%%, wrong passes %g%%, over the whole run\n", 100*c.Plan.FalseAlarm, 100*c.Plan.WrongPass)
	a.describeHistory(c)
	for i, m := range c.Metrics {
		p := c.Plan.Metrics[i]
		role := ""
		if p.Advisory {
			role = ", advisory"
		} else if p.FailOnly {
			role = ", fail only"
		} else if p.Hold {
			role = ", holds the run, never fails it"
		}
		fmt.Fprintf(a.stdout, "\n%s (%s%s): tolerated %s\n", report.Clean(m.Name), p.Kind, role, toleranceText(p, m.Unit))
		if need := cmp.Or(needs(c.Plan, p), c.NeedsRuns(i)); need != "" {
			fmt.Fprintf(a.stdout, "  %s\n", need)
		}
		if m.Every > 0 {
			fmt.Fprintf(a.stdout, "  its checks are started every %s, for each arm; of those that take longer than %s none count\n",
				providers.Duration(time.Duration(m.Every)*w.Step), providers.Duration(w.Step+w.Lag))
		}
		for _, doubt := range m.Doubts {
			fmt.Fprintf(a.stdout, "  doubt: %s\n", report.Clean(doubt))
		}
		for _, part := range slices.Sorted(maps.Keys(m.Queries)) {
			for _, arm := range providers.Arms {
				fmt.Fprintf(a.stdout, "  %s of the %s: %s\n", partName(part, m), arm, report.Clean(m.Queries[part][arm]))
			}
		}
	}
	if e := c.Plan.Exposure; e != nil && c.Plan.Ramp != nil {
		fmt.Fprintf(a.stdout, "\nthe canary should get the share of its stage, by the totals of %s\n", report.Clean(c.Metrics[e.Metric].Name))
	} else if e != nil {
		fmt.Fprintf(a.stdout, "\nthe canary should get %g%% of the requests, by the totals of %s\n", 100*e.Share, report.Clean(c.Metrics[e.Metric].Name))
	}
	for _, tag := range c.Tags {
		fmt.Fprintf(a.stdout, "\na metric for each synthetic test with the tag %s: check --live looks them up\n", report.Clean(tag))
	}
	for _, label := range c.SegmentsOf {
		fmt.Fprintf(a.stdout, "\nand in each %s that the source has: check --live looks them up\n", report.Clean(label))
	}
	for _, g := range c.Guards {
		fmt.Fprintf(a.stdout, "\nguard: the %s of %s must stay quiet\n", g.Name, g.Provider)
	}
	if c.Observe {
		fmt.Fprint(a.stdout, "\nit only observes: nothing is done, and it exits with 0 whatever the verdict\n")
	}
	a.describeStages(c)
	a.describeActions(c)
	for _, doubt := range c.Doubts {
		fmt.Fprintf(a.stdout, "\ndoubt: %s\n", report.Clean(doubt))
	}
	for _, note := range c.Notes {
		fmt.Fprintf(a.stdout, "\nnote: %s\n", note)
	}
	for _, short := range c.TooShort() {
		fmt.Fprintf(a.stdout, "\nnote: %s\n", report.Clean(short.Text))
	}
}

// describeStages says how the canary gets its traffic.
func (a *app) describeStages(c *config.Config) {
	ramp := c.Plan.Ramp
	if ramp == nil {
		return
	}
	fmt.Fprintln(a.stdout)
	for i, s := range c.Stages {
		fmt.Fprintf(a.stdout, "stage %d: %.4g%% of the traffic, for at least %s after %s to settle: %s\n", i+1, 100*s.Share,
			providers.Duration(time.Duration(ramp.Stages[i].Steps)*c.Window.Step), providers.Duration(s.Warmup), report.Clean(strings.Join(s.Set.Shown, " ")))
	}
	cost := fmt.Sprintf("what %s of all requests are", seconds(time.Duration(ramp.Budget*float64(c.Window.Step))))
	if ramp.AtMost > 0 {
		cost = fmt.Sprintf("%.4g requests", ramp.AtMost)
	}
	fmt.Fprintf(a.stdout, "  the next begins when every metric had its look, none stands against it, and it would cost at most %s, at the worst that the evidence allows\n", cost)
	for _, left := range []struct {
		hook      *config.Hook
		when, key string
	}{{c.Actions.Fail, "at a fail", "on_fail.run"}, {c.Actions.Interrupt, "when the run ends without a verdict", "on_interrupt"}} {
		if left.hook == nil {
			fmt.Fprintf(a.stdout, "  note: %s no command takes the traffic from the canary; %s would\n", left.when, left.key)
		}
	}
}

// seconds writes a length of time in seconds.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3g s", d.Seconds()) }

// describeActions says what a verdict will lead to.
func (a *app) describeActions(c *config.Config) {
	if s := c.Actions.Revert; s != nil {
		how := fmt.Sprintf("pushes it to %s", s.Remote)
		if s.Mode == config.PullRequestRevert {
			how = "opens a pull request"
		}
		fmt.Fprintf(a.stdout, "\na fail reverts %s and %s\n", s.Commit, how)
	}
	if h := c.Actions.Interrupt; h != nil {
		fmt.Fprintf(a.stdout, "\nan end without a verdict runs: %s\n", report.Clean(strings.Join(h.Shown, " ")))
	}
	for _, n := range c.Notify {
		fmt.Fprintf(a.stdout, "\n%s is told of: %s\n", n.Service, strings.Trim(fmt.Sprint(n.On), "[]"))
	}
	for _, v := range []analysis.Verdict{analysis.VerdictPass, analysis.VerdictFail, analysis.VerdictInconclusive} {
		if h := c.Actions.Of(v); h != nil {
			fmt.Fprintf(a.stdout, "\nverdict %s runs: %s\n", v, report.Clean(strings.Join(h.Shown, " ")))
		}
	}
}

func partName(part providers.Part, m config.Metric) string {
	if m.Complement && part == providers.Bad {
		return "good"
	}
	return string(part)
}

func toleranceText(m analysis.Metric, unit string) string {
	size := m.Tolerance.Size
	direction := map[analysis.Direction]string{analysis.Increase: "more", analysis.Decrease: "less", analysis.Either: "more or less"}[m.Direction]
	switch {
	case !m.Tolerance.Absolute && m.Direction == analysis.Decrease:
		return fmt.Sprintf("%.3g of the baseline", m.Tolerance.Limit(m.Direction))
	case !m.Tolerance.Absolute:
		return fmt.Sprintf("%g%% %s", 100*size, direction)
	case m.Amount() == analysis.OwnUnits:
		return strings.TrimSpace(fmt.Sprintf("%g %s", size, unit)) + " " + direction
	}
	return fmt.Sprintf("%g points %s", 100*size, direction)
}

// needs says how much it takes to pass, where that can be told beforehand.
func needs(plan analysis.Plan, m analysis.Metric) string {
	if least := m.LeastBehind(); least > 0 && !m.Advisory {
		return fmt.Sprintf("a step counts with at least %.0f requests behind its %s in each arm, and shows more with more", least, report.Percentile(m.Quantile))
	}
	if m.Spikes != nil {
		if steps := plan.SpikelessWindow(m); steps > 0 {
			return fmt.Sprintf("an unchanged canary can pass in a window of %d steps or more, of which this one has %d, if neither arm has a spike; it takes more if they have", steps, plan.Steps)
		}
		return ""
	}
	if !m.MustPass() || m.Tolerance.Absolute || m.Tolerance.Size == 0 || !m.Counted() {
		return ""
	}
	events := math.Ceil(stats.EventsToPass(m.Tolerance.Size, 0, 1))
	text := fmt.Sprintf("an unchanged canary passes after about %.0f bad events of its own, more if they come in bursts", events)
	if m.Floor > 0 {
		text += fmt.Sprintf("; sooner if it stays below %g%%", 100*m.Floor)
	}
	return text
}

// probeSteps is how many of the latest steps a live check asks for.
const probeSteps = 10

// probe is what a live check found out about all queries.
type probe struct {
	failed, empty, sparse bool
}

// err is what a live check ends with for its queries, the worst first; nil for all well.
func (p probe) err() error {
	switch {
	case p.failed:
		return exit{exitNotJudged, errors.New("some queries cannot be judged; see above")}
	case p.empty:
		return exit{exitInconclusive, errors.New("some queries returned nothing; check their labels, whether there is traffic, and that a step holds at least two scrapes, better four")}
	case p.sparse:
		return exit{exitInconclusive, errors.New("some metrics have a value every few steps only; see above")}
	}
	return nil
}

// checkLive queries each metric once and says what came back.
func (a *app) checkLive(ctx context.Context, c *config.Config) error {
	opened, err := a.open(c, nil)
	if err != nil {
		return usage(err)
	}
	if _, err := a.observe(ctx, &options{}, c); err != nil {
		return usage(err)
	}
	if err := a.markable(&options{}, sources.Sources{Providers: opened, Config: c}); err != nil {
		return usage(err)
	}
	step := c.Window.Step
	end := time.Now().UTC().Add(-c.Window.Lag).Truncate(step)
	start := end.Add(-probeSteps * step)
	// As far as there is any: how late data arrive shows in what the lag leaves out.
	now := time.Now().UTC().Truncate(step)
	fmt.Fprintf(a.stdout, "\nthe last %d steps, %s to %s:\n", probeSteps, start.Format(time.TimeOnly), end.Format(time.TimeOnly))
	var found probe
	all, late := job.Queries(c, start, now), newLateness(c, opened, now)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		limited, cancel := context.WithTimeout(ctx, time.Minute)
		answers, err := late.recorders[name].Glance(limited, all[name])
		cancel()
		if err != nil {
			return exit{exitNotJudged, err}
		}
		for i, q := range all[name] {
			at := slices.IndexFunc(c.Metrics, func(m config.Metric) bool { return m.Name == q.Metric })
			if c.Metrics[at].Every == 0 {
				late.note(q, answers[i])
			}
			q.End = q.End.Add(end.Sub(now))
			answers[i].Series = until(answers[i].Series, q.End)
			said, none := found.note(c, at, q, answers[i])
			fmt.Fprintf(a.stdout, "  %s, %s of the %s: %s\n", report.Clean(q.Metric), q.Part, q.Arm, report.Clean(said))
			if none {
				a.diagnose(ctx, opened[name], q)
			}
		}
	}
	unread, err := a.checkGuards(ctx, c, opened)
	if err != nil {
		return exit{exitNotJudged, err}
	}
	if err := a.checkHistory(ctx, c, opened); err != nil {
		return err
	}
	if err := found.err(); err != nil {
		return err
	}
	if unread {
		return exit{exitInconclusive, errors.New("a guard does not tell how the canary is; see above")}
	}
	return a.tellLateness(ctx, late, all)
}

// note says what a query of the metric at an index brought, and whether that is nothing
// where something is wanted.
func (p *probe) note(c *config.Config, at int, q providers.Query, answer providers.Answer) (said string, none bool) {
	metric, plan := c.Metrics[at], c.Plan.Metrics[at]
	if err := job.CheckAnswer(q, answer, metric.Unit); err != nil {
		p.failed = true
		return err.Error(), false
	}
	said = cameBack(q, answer, metric.Unit, plan.SlowerThan)
	if q.Part == providers.Count {
		said += enoughBehind(answer, plan)
	}
	if seldom := job.Sparse(q, answer); seldom != "" && plan.Paired() {
		said += "; " + seldom
		p.sparse = p.sparse || plan.EachStepCounts()
	}
	if len(answer.Series) > 0 {
		return said, false
	}
	if metric.Every > 0 {
		return "nothing yet: run starts it", false
	}
	p.empty = true
	return said, true
}

// enoughBehind says how many observations are behind the values of a quantile, beside how
// many it takes.
func enoughBehind(answer providers.Answer, m analysis.Metric) string {
	sum, steps, few := 0.0, 0, 0
	for _, s := range answer.Series {
		for _, p := range s.Points {
			if p.Gap() {
				continue
			}
			sum += p.Value()
			steps++
			if p.Value() < m.LeastBehind() {
				few++
			}
		}
	}
	if steps == 0 {
		return ""
	}
	text := fmt.Sprintf("; on average %.4g requests are behind each %s", sum/float64(steps), report.Percentile(m.Quantile))
	if few > 0 {
		text += fmt.Sprintf(", and %d of %d steps have fewer than the %.0f that it takes: make the steps longer, or judge by slower_than", few, steps, m.LeastBehind())
	}
	return text
}

// until returns the series that have points before a time, with those alone.
func until(all []analysis.Series, end time.Time) []analysis.Series {
	var some []analysis.Series
	for _, s := range all {
		if n := slices.IndexFunc(s.Points, func(p analysis.Point) bool { return !p.Time.Before(end) }); n >= 0 {
			s.Points = s.Points[:n]
		}
		if len(s.Points) > 0 {
			some = append(some, s)
		}
	}
	return some
}

// diagnose says why nothing matches a query, if its provider can tell.
func (a *app) diagnose(ctx context.Context, p providers.Provider, q providers.Query) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	why, err := providers.Diagnose(ctx, p, q)
	switch {
	case err != nil:
		why = "could not find out: " + err.Error()
	case why == "":
		return
	}
	fmt.Fprintf(a.stdout, "    why: %s\n", report.Clean(why))
}

// checkGuards asks each guard once and says what it says, and whether one is unread.
func (a *app) checkGuards(ctx context.Context, c *config.Config, sources map[string]providers.Provider) (unread bool, err error) {
	if len(c.Guards) == 0 {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	said, err := job.Watch(ctx, c, sources, time.Now())
	for _, s := range said {
		fmt.Fprintf(a.stdout, "  %s: %s\n", s.Guard, report.Clean(s.Detail))
		unread = unread || s.State != providers.Quiet
	}
	return unread, err
}

// cameBack describes an answer. slowerThan is where its buckets are judged, 0 for
// elsewhere.
func cameBack(q providers.Query, answer providers.Answer, unit string, slowerThan float64) string {
	if len(answer.Series) == 0 {
		return "nothing"
	}
	points := slices.DeleteFunc(slices.Clone(answer.Series[0].Points), analysis.Point.Gap)
	unread := ""
	for _, p := range answer.Series[0].Points {
		if why := p.Sample().Why(); why != "" {
			unread = "; others cannot be read: " + why
		}
	}
	if len(points) == 0 {
		return fmt.Sprintf("%d steps, all of them gaps%s", len(answer.Series[0].Points), unread)
	}
	last := points[len(points)-1]
	value := fmt.Sprintf("%.6g", last.Value())
	if q.Part == providers.Buckets {
		value = inBuckets(last.Buckets(), cmp.Or(unit, "s"), slowerThan)
	}
	if q.Part == providers.Value {
		value = strings.TrimSpace(value + " " + cmp.Or(answer.Series[0].Unit, unit))
	}
	return fmt.Sprintf("%d of %d steps, the last at %s: %s%s", len(points), q.Steps(), last.Time.Format(time.TimeOnly), value, unread)
}

// inBuckets describes a histogram.
func inBuckets(h stats.Histogram, unit string, slowerThan float64) string {
	text := fmt.Sprintf("%.6g observations in %d buckets with the bounds %s", h.Total(), len(h.Counts), report.Bounds(h.Bounds, unit))
	if below, above := h.Around(slowerThan); slowerThan > 0 && below < above {
		text += "; " + report.NextBounds(slowerThan, below, above, unit) + ": judge at one of them"
	}
	return text
}
