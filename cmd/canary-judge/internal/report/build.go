package report

import (
	"math"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/providers"
)

// New makes the report of an outcome.
func New(c *config.Config, o *job.Outcome) *Report {
	b := builder{c, o}
	r := &Report{
		Schema:     Schema,
		Verdict:    o.Result.Verdict.String(),
		Service:    c.Service,
		Window:     b.window(),
		FalseAlarm: c.Plan.FalseAlarm,
		WrongPass:  c.Plan.WrongPass,
		Arms:       Arms{b.arm(providers.Baseline), b.arm(providers.Canary)},
		Guards:     guards(o),
		Exposure:   exposure(o.Result.Exposure),
		Notes:      notes(c),
		LookedAt:   lookedAt(o.History),
		Metrics:    []Metric{},
		Looks:      []Look{},
		Config:     Document(c.Document),
	}
	if r.LookedAt != nil {
		r.Notes = slices.Concat(r.Notes, r.LookedAt.Notes)
	}
	if o.Ended == job.AtError {
		r.Error = o.Detail
	}
	for i := range o.Result.Metrics {
		r.Metrics = append(r.Metrics, b.metric(i))
	}
	r.Doubts = b.doubts()
	r.Blast = b.blast()
	r.Ramp = b.ramp()
	for _, l := range c.Links {
		r.Pages = append(r.Pages, Page{l.Name, l.Over(r.Window.Start, r.Window.End)})
	}
	r.Looks = append(r.Looks, b.looks()...)
	r.Reason = r.sentence()
	return r
}

// notes are what a reader of the verdict must know of the config.
func notes(c *config.Config) []string {
	all := slices.Clone(c.Notes)
	for _, short := range c.TooShort() {
		all = append(all, short.Text)
	}
	return all
}

type builder struct {
	config  *config.Config
	outcome *job.Outcome
}

// end returns the end of a step, counted from the start of the warm-up.
func (b builder) end(step int) time.Time {
	return b.outcome.Times[step].Add(b.config.Window.Step)
}

// lookTime returns the time of a look, from 1.
func (b builder) lookTime(look int) time.Time { return b.end(b.config.Window.Warmup + look - 1) }

func (b builder) window() Window {
	o, w := b.outcome, b.config.Window
	window := Window{
		Start: o.Start, Judged: o.Times[w.Warmup], Planned: b.end(o.Total - 1), End: o.Start,
		Step: Number(w.Step.Seconds()), Warmup: w.Warmup, Steps: w.Steps, Looks: o.Result.Looks, Ended: string(o.Ended),
	}
	if last := b.lastStep(); last > 0 {
		window.End = b.end(last - 1)
	}
	if last := b.lastStep(); !b.even() {
		window.Times = o.Times[:last]
	}
	return window
}

// even reports whether the steps are evenly spaced.
func (b builder) even() bool {
	for i, at := range b.outcome.Times {
		if !at.Equal(b.outcome.Start.Add(time.Duration(i) * b.config.Window.Step)) {
			return false
		}
	}
	return true
}

// lastStep returns the number of steps that count: those up to the verdict, or
// all that were fetched. More may have been fetched than were judged, when
// several steps came at once.
func (b builder) lastStep() int {
	if b.outcome.Result.Looks > 0 {
		return b.config.Window.Warmup + b.outcome.Result.Looks
	}
	return min(b.outcome.Fetched, b.config.Window.Warmup)
}

func (b builder) arm(arm providers.Arm) Arm {
	from := b.config.Arms[arm]
	a := Arm{Offset: Number(from.Offset.Seconds())}
	for _, l := range from.Labels {
		a.Labels = append(a.Labels, Label{l.Name, l.Value})
	}
	return a
}

func exposure(e *analysis.ExposureResult) *Exposure {
	if e == nil {
		return nil
	}
	return &Exposure{Number(e.Expected), Number(e.Observed), Number(e.Lower), Number(e.Upper), e.Off}
}

// unitOf returns the unit of a metric's effect; unit is that of its numbers.
func unitOf(m analysis.Metric, unit string) string {
	switch {
	case !m.Tolerance.Absolute:
		return relativeUnit
	case m.Amount() == analysis.OwnUnits:
		return unit
	}
	return pointsUnit
}

func (b builder) metric(i int) Metric {
	from := b.outcome.Result.Metrics[i]
	m := measured(from, b.config.Metrics[i])
	m.Queries = queries(b.config.Metrics[i])
	m.Series = Series{b.series(providers.Baseline, i), b.series(providers.Canary, i)}
	if from.DecidedAt > 0 {
		at := b.lookTime(from.DecidedAt).Format(time.RFC3339)
		m.DecidedAt = &at
	}
	m.History = b.history(m, from)
	m.Reason = b.reason(m, from)
	m.Warnings = b.warnings(m, from, i)
	return m
}

// measured returns what a judge knows of a metric: all but what takes the run.
func measured(from analysis.MetricResult, source config.Metric) Metric {
	unit := unitOf(from.Metric, source.Unit)
	m := Metric{
		Name: from.Name, Kind: from.Kind.String(), Decision: from.Decision.String(), Advisory: from.Advisory, FailOnly: from.FailOnly, Hold: from.Hold, Holds: from.Holds,
		Direction: from.Direction.String(), Unit: source.Unit, Provider: source.Provider,
		Effect: Effect{
			Number(from.Effect.Estimate), Number(from.Effect.Lower), Number(from.Effect.Upper), unit, from.Effect.Since,
		},
		Tolerance: tolerance(from.Metric, unit),
		Spikes:    spikes(from.Metric),
		Compared:  compared(from.Compared),
		Baseline:  summary(from.Baseline, from.Metric), Canary: summary(from.Canary, from.Metric),
		Steps: from.Elapsed, Usable: from.Usable, Looks: from.Looks, DecidedLook: from.DecidedAt,
	}
	if source.Of != "" {
		m.Of, m.Segment = source.Of, map[string]string{source.Segment.Name: source.Segment.Value}
	}
	if m.Unit == "" {
		m.Unit = from.UsualUnit()
	}
	if !from.Advisory && !from.Hold {
		m.Share = Number(from.Share)
	}
	if l := from.Late; l.Revisions > 0 {
		m.Late = &Late{l.Revisions, Number(l.Age.Seconds())}
	}
	if f := from.Forecast; f.Needed > 0 {
		m.Forecast = &Forecast{f.Unit, Number(f.Needed), Number(f.Have), Number(f.Steps)}
	}
	return m
}

// tolerance is the change of a metric that is accepted, in the given unit.
func tolerance(m analysis.Metric, unit string) Tolerance {
	upper, lower := m.Limits()
	return Tolerance{Size: Number(m.Tolerance.Size), Lower: Number(lower), Upper: Number(upper), Unit: unit, Floor: Number(m.Floor)}
}

func queries(m config.Metric) map[string]map[string]string {
	all := map[string]map[string]string{}
	for part, arms := range m.Queries {
		name := string(part)
		if arms[providers.Canary] == "" && arms[providers.Baseline] == "" {
			continue // of a file without a config
		}
		if m.Complement && part == providers.Bad {
			name = "good"
		}
		all[name] = map[string]string{}
		for arm, query := range arms {
			all[name][string(arm)] = query
		}
	}
	return all // left out of the JSON when it is empty
}

func compared(from analysis.Compared) *Compared {
	if from.Steps == 0 {
		return nil
	}
	arm := func(a analysis.ComparedArm) ComparedArm {
		return ComparedArm{Number(a.Level), Number(a.Bad), Number(a.Total)}
	}
	return &Compared{from.Steps, arm(from.Baseline), arm(from.Canary), from.Apart}
}

func summary(a analysis.ArmSummary, m analysis.Metric) Summary {
	nan := Number(math.NaN())
	s := Summary{
		Steps: a.Steps, Bad: nan, Total: nan, Rate: nan,
		Mean: Number(a.Values.Mean), Median: Number(a.Values.Median), P95: Number(a.Values.P95),
		Min: Number(a.Values.Min), Max: Number(a.Values.Max),
	}
	if m.Totals() {
		s.Total = Number(a.Total)
	}
	if m.Counted() {
		s.Bad, s.Rate = Number(a.Bad), Number(a.Rate())
	}
	return s
}

// series returns one number a step: the value, the rate, or the quantile.
func (b builder) series(arm providers.Arm, i int) []Number {
	numbers := make([]Number, 0, b.lastStep())
	for _, s := range b.outcome.Samples[arm][i][:b.lastStep()] {
		numbers = append(numbers, Number(b.outcome.Result.Metrics[i].Number(s)))
	}
	return numbers
}

// blast sums up the harm the canary did.
func (b builder) blast() *Blast {
	at := b.blastMetric()
	if at < 0 {
		return nil
	}
	from := b.outcome.Result.Metrics[at]
	radius, ok := analysis.MeasureBlast(from.Metric, b.stagePairs(at)...)
	if !ok {
		return nil
	}
	full := radius.AtFullTraffic()
	blast := &Blast{
		Metric: from.Name, Requests: Number(radius.Requests), Failed: Number(radius.Failed), Share: Number(radius.Requests / radius.All),
		Excess: Number(radius.Excess), Lower: Number(radius.Lower), Upper: Number(radius.Upper),
		AtLeast: from.BoundAbove > from.BoundBelow,
		Full: FullTraffic{
			Requests: Number(full.Requests), Failed: Number(full.Failed), Excess: Number(full.Excess),
			Lower: Number(full.Lower), Upper: Number(full.Upper),
		},
	}
	if users := b.users(); users > 0 {
		blast.Users = &users
	}
	return blast
}

// blastMetric returns the metric that counts the requests, -1 for none: the one the
// config names, else one that failed, else the first, ratios before histograms; never one of a
// segment.
func (b builder) blastMetric() int {
	best, rank := -1, 0
	for i, m := range b.outcome.Result.Metrics {
		r := int(m.Traffic())
		switch {
		case m.Traffic() == analysis.NoTraffic || m.Of != "":
			continue
		case m.Name == b.config.Blast.Requests:
			r += 4
		case m.Decision == analysis.Fail && !m.Advisory:
			r += 2
		}
		if r > rank {
			best, rank = i, r
		}
	}
	return best
}

// users returns how many users met the canary, at least: the most that any step
// counted. 0 when nothing counts them.
func (b builder) users() Number {
	at := slices.IndexFunc(b.config.Metrics, func(m config.Metric) bool { return m.Name == b.config.Blast.Users })
	if at < 0 {
		return 0
	}
	most := 0.0
	for _, s := range b.outcome.Samples[providers.Canary][at][:b.lastStep()] {
		if v := s.Value(); v > most && !math.IsInf(v, 1) {
			most = v
		}
	}
	return Number(most)
}

func (b builder) looks() []Look {
	var looks []Look
	for _, w := range b.outcome.Trajectory {
		look := Look{Look: w.Look, Time: b.lookTime(w.Look), Verdict: w.Verdict.String()}
		for i, e := range w.Effects {
			look.Metrics = append(look.Metrics, MetricAtLook{
				Number(e.Estimate), Number(e.Lower), Number(e.Upper), w.Decisions[i].String(),
			})
		}
		looks = append(looks, look)
	}
	return looks
}
