package report

import (
	"math"
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
		Exposure:   exposure(o.Result.Exposure),
		Notes:      c.Notes,
		Metrics:    []Metric{},
		Looks:      []Look{},
	}
	if o.Ended == job.AtError {
		r.Error = o.Detail
	}
	for i := range o.Result.Metrics {
		r.Metrics = append(r.Metrics, b.metric(i))
	}
	r.Blast = b.blast()
	r.Looks = append(r.Looks, b.looks()...)
	r.Reason = r.sentence()
	return r
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
	return window
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

// unitOf returns the unit of a metric's effect.
func unitOf(m analysis.MetricResult, unit string) string {
	switch {
	case !m.Tolerance.Absolute:
		return relativeUnit
	case m.Kind == analysis.Value:
		return unit
	}
	return pointsUnit
}

func (b builder) metric(i int) Metric {
	from, source := b.outcome.Result.Metrics[i], b.config.Metrics[i]
	unit := unitOf(from, source.Unit)
	m := Metric{
		Name: from.Name, Kind: from.Kind.String(), Decision: from.Decision.String(), Advisory: from.Advisory,
		Direction: from.Direction.String(), Unit: source.Unit, Provider: source.Provider,
		Effect: Effect{
			Number(from.Effect.Estimate), Number(from.Effect.Lower), Number(from.Effect.Upper), unit, from.Effect.Since,
		},
		Tolerance: Tolerance{
			Size: Number(from.Tolerance.Size), Lower: Number(from.LowerLimit), Upper: Number(from.UpperLimit),
			Unit: unit, Floor: Number(from.Floor),
		},
		Baseline: summary(from.Baseline, from.Metric), Canary: summary(from.Canary, from.Metric),
		Steps: from.Elapsed, Usable: from.Usable, Looks: from.Looks,
		Queries: queries(source),
		Series:  Series{b.series(providers.Baseline, i), b.series(providers.Canary, i)},
	}
	if m.Unit == "" && from.Kind == analysis.Histogram {
		m.Unit = "s"
	}
	if !from.Advisory {
		m.Share = Number(from.Share)
	}
	if from.DecidedAt > 0 {
		at := b.lookTime(from.DecidedAt).Format(time.RFC3339)
		m.DecidedAt, m.DecidedLook = &at, from.DecidedAt
	}
	if f := from.Forecast; f.Needed > 0 {
		m.Forecast = &Forecast{f.Unit, Number(f.Needed), Number(f.Have), Number(f.Steps)}
	}
	m.Reason = b.reason(m, from)
	m.Warnings = b.warnings(m, from, i)
	return m
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

func summary(a analysis.Arm, m analysis.Metric) Summary {
	nan := Number(math.NaN())
	s := Summary{
		Steps: a.Steps, Bad: nan, Total: nan, Rate: nan,
		Mean: Number(a.Values.Mean), Median: Number(a.Values.Median), P95: Number(a.Values.P95),
		Min: Number(a.Values.Min), Max: Number(a.Values.Max),
	}
	if m.Kind != analysis.Value {
		s.Total = Number(a.Total)
		if m.Kind != analysis.Histogram || m.SlowerThan > 0 {
			s.Bad, s.Rate = Number(a.Bad), Number(a.Rate())
		}
	}
	return s
}

// series returns one number a step: the value, the rate, or the quantile.
func (b builder) series(arm providers.Arm, i int) []Number {
	from := b.outcome.Result.Metrics[i]
	numbers := make([]Number, 0, b.lastStep())
	for _, s := range b.outcome.Samples[arm][i][:b.lastStep()] {
		v := s.Value
		switch {
		case from.Kind == analysis.Histogram && from.SlowerThan > 0:
			v = s.Buckets.Above(from.Bound) / s.Buckets.Total()
		case from.Kind == analysis.Histogram:
			v, _ = s.Buckets.Quantile(from.Quantile)
		case from.Kind != analysis.Value:
			bad := s.Bad
			if math.IsNaN(bad) {
				bad = 0
			}
			v = bad / s.Total
		}
		numbers = append(numbers, Number(v))
	}
	return numbers
}

// blast counts the requests that met the canary, by the first ratio that
// decides, or that failed.
func (b builder) blast() *Blast {
	at := -1
	for i, m := range b.outcome.Result.Metrics {
		if m.Kind != analysis.Ratio {
			continue
		}
		if at < 0 || m.Decision == analysis.Fail && b.outcome.Result.Metrics[at].Decision != analysis.Fail {
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	total := func(arm providers.Arm) (bad, all float64) {
		for _, s := range b.outcome.Samples[arm][at][:b.lastStep()] {
			if !math.IsNaN(s.Total) {
				all += s.Total
			}
			if !math.IsNaN(s.Bad) && !math.IsNaN(s.Total) {
				bad += s.Bad
			}
		}
		return bad, all
	}
	failed, requests := total(providers.Canary)
	baseBad, baseAll := total(providers.Baseline)
	return &Blast{
		Metric: b.config.Metrics[at].Name, Requests: Number(requests), Failed: Number(failed),
		Excess: Number(failed - requests*baseBad/baseAll), Share: Number(requests / (requests + baseAll)),
	}
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
