package job

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

const (
	// silentLooks is after how many looks without data their source is asked why.
	silentLooks = 3
	// mostDiagnoses bounds how much is asked: queries that are silent have mostly the same
	// reason.
	mostDiagnoses = 6
)

// diagnose finds out, once and early, why metrics have nothing to judge, where it can be
// told: people would else read it after the whole window. That it cannot find out is no
// trouble of the run.
func (r *underWay) diagnose(ctx context.Context, step int) error {
	if r.judge.Looks() != silentLooks || r.recorders == nil || len(r.seen.Diagnoses) > 0 {
		return nil
	}
	ctx, cancel := r.lookContext(ctx)
	defer cancel()
	from, to := r.grid.time(r.Config.Window.Warmup), r.grid.end(step)
	asked := 0
	all := places(r.Config, from, to)
	slices.SortStableFunc(all, func(a, b place) int { return cmp.Compare(r.Config.Metrics[a.metric].Of, r.Config.Metrics[b.metric].Of) })
	for _, p := range all { // those over all requests first
		if asked == mostDiagnoses {
			break
		}
		ask := r.question(p, step)
		if ask == nil {
			continue
		}
		asked++
		text, err := ask(ctx, p.query)
		if err != nil || text == "" {
			continue
		}
		d := recording.Diagnosis{Metric: p.query.Metric, Arm: p.query.Arm, Part: p.query.Part, Text: text}
		r.seen.Diagnoses = append(r.seen.Diagnoses, d)
		if r.File != nil {
			if err := r.File.Diagnosis(r.mark(r.fetched), r.grid.end(r.fetched-1), d); err != nil {
				return err
			}
		}
		r.Progress.Note(fmt.Sprintf("going on, but of %s the first %d steps show %s: %s", d.Metric, silentLooks, lacks(d), text))
	}
	r.noteApart(step)
	return nil
}

// lacks says what a diagnosis is about.
func lacks(d recording.Diagnosis) string {
	if d.Part == providers.Bad {
		return fmt.Sprintf("no bad events of the %s", d.Arm)
	}
	return fmt.Sprintf("no data of the %s, or too few", d.Arm)
}

// question returns how to ask why a query has had nothing up to a step, nil if it has, or
// if its provider does not tell.
func (r *underWay) question(p place, step int) func(context.Context, providers.Query) (string, error) {
	m, judged := r.Config.Metrics[p.metric], r.Config.Plan.Metrics[p.metric]
	if m.Every > 0 || m.GapsOf >= 0 || m.Of != "" && p.query.Part == providers.Bad {
		return nil // that nothing fails in a segment is no wonder
	}
	seen := r.judged(p.query.Arm, p.metric, step)
	with := 0
	for _, s := range seen {
		if judged.Shows(s) {
			with++
		}
	}
	has := 2*with >= len(seen) // half of the steps must have data
	source := r.Providers[m.Provider]
	if _, tells := providers.As[providers.Diagnoser](source); !tells {
		return nil
	}
	diagnose := func(ctx context.Context, q providers.Query) (string, error) {
		return providers.Diagnose(ctx, source, q)
	}
	if p.query.Part != providers.Bad {
		if has {
			return nil
		}
		return diagnose
	}
	if !has || !judged.SilenceDoubted() || p.query.Complement || slices.ContainsFunc(seen, func(s analysis.Sample) bool { return s.Bad() > 0 }) {
		return nil
	}
	return func(ctx context.Context, q providers.Query) (string, error) {
		if text, err := providers.DiagnoseZero(ctx, source, q); text != "" || err != nil {
			return text, err
		}
		mentioned := slices.ContainsFunc(seen, func(s analysis.Sample) bool { return s.Bad() == 0 })
		if mentioned || judged.AbsentIsZero {
			return "", nil
		}
		return diagnose(ctx, q)
	}
}

// judged returns what an arm has shown of a metric since the warm-up.
func (r *underWay) judged(arm providers.Arm, metric, step int) []analysis.Sample {
	return r.series.of[arm][metric][r.Config.Window.Warmup : step+1]
}

// noteApart says which metrics have data in both arms, but never in the same step.
func (r *underWay) noteApart(step int) {
	for i, m := range r.Config.Metrics {
		judged := r.Config.Plan.Metrics[i]
		if !judged.Paired() || m.GapsOf >= 0 || m.Of != "" {
			continue
		}
		times := r.outcome.Times[r.Config.Window.Warmup : step+1]
		if why := Apart(judged, r.judged(providers.Baseline, i, step), r.judged(providers.Canary, i, step), times, r.grid.step); why != "" {
			r.Progress.Note(fmt.Sprintf("going on, but the arms of %s have had no step in common: %s", m.Name, why))
		}
	}
}

// Apart says why two arms that both have data of a metric never have them in the same step, and what to
// do: how far apart they are, and how often they have any. "" when they meet, or when one
// has none.
func Apart(m analysis.Metric, baseline, canary []analysis.Sample, times []time.Time, step time.Duration) string {
	b, c := having(m, baseline, times), having(m, canary, times)
	nearest := time.Duration(-1)
	for _, at := range b {
		for _, other := range c {
			if d := at.Sub(other).Abs(); nearest < 0 || d < nearest {
				nearest = d
			}
		}
	}
	if nearest <= 0 {
		return ""
	}
	text := fmt.Sprintf("the steps with data of one are at least %s away from those of the other", providers.Duration(nearest))
	if often := max(typical(b), typical(c)); often > step {
		return fmt.Sprintf("%s, and there are data every %s; set window.step to %s", text, providers.Duration(often), providers.Duration(often))
	}
	return text + "; use longer steps, or times that both have"
}

// Rare says how often there are data of a metric where that is less than every step, and what to do. ""
// when they come in every step or without a rhythm.
func Rare(m analysis.Metric, baseline, canary []analysis.Sample, times []time.Time, step time.Duration) string {
	for _, arm := range [][]analysis.Sample{baseline, canary} {
		at := having(m, arm, times)
		often := typical(at)
		if often <= step || len(at) < 3 {
			continue
		}
		steady := 0
		for i := 1; i < len(at); i++ {
			if at[i].Sub(at[i-1]) == often {
				steady++
			}
		}
		if 4*steady >= 3*(len(at)-1) {
			return fmt.Sprintf("there are data every %s, and a step is %s; set window.step to %s", providers.Duration(often), providers.Duration(step), providers.Duration(often))
		}
	}
	return ""
}

// having returns the times of the steps that have data of a metric.
func having(m analysis.Metric, all []analysis.Sample, times []time.Time) []time.Time {
	var at []time.Time
	for i, s := range all {
		if m.Shows(s) {
			at = append(at, times[i])
		}
	}
	return at
}

// typical is the median distance between times, 0 without two of them.
func typical(times []time.Time) time.Duration {
	if len(times) < 2 {
		return 0
	}
	return TypicalStep(times)
}
