package report

import (
	"fmt"
	"math"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/providers"
)

// Ramp is how a run went that gave the canary its traffic in stages.
type Ramp struct {
	Stage  int          `json:"stage" doc:"Number of the stage that was set last, from 1; 0 = none"`
	Share  Number       `json:"share" doc:"The canary's share of the traffic in it, in which the run left it unless an action changed that"`
	Hold   string       `json:"hold,omitempty" doc:"Why the next stage has not begun, or the last one is not over"`
	Metric string       `json:"hold_metric,omitempty" doc:"The metric or guard that is the reason"`
	Harm   Number       `json:"harm" doc:"How many more requests than at the baseline's rate could fail in the next stage, at the worst that the interval over all looks allows; null = not known, or no next stage"`
	AtMost Number       `json:"harm_at_most" doc:"What that may come to"`
	Stages []Stage      `json:"stages" doc:"The stages that were set, in their order"`
	Plan   []StageShare `json:"planned" doc:"All stages of the config"`
}

// Stage is a stage of a ramp as it went.
type Stage struct {
	Number   int        `json:"number" doc:"From 1"`
	Share    Number     `json:"share" doc:"The canary's share of the traffic"`
	Began    time.Time  `json:"began" doc:"When the command that sets it was started"`
	Done     *time.Time `json:"done" doc:"When that had ended; null = it had not"`
	Steps    int        `json:"judged_steps" doc:"Steps that were judged in it"`
	First    int        `json:"first_look,omitempty" doc:"The look at the first of them"`
	Last     int        `json:"last_look,omitempty" doc:"The look at the last of them"`
	Requests Number     `json:"requests" doc:"Requests that met the canary while it was set, judged or not; null = not counted"`
	Failed   Number     `json:"failed" doc:"Bad ones among them"`
	Excess   Number     `json:"excess" doc:"How many more than the baseline's rate would have given"`
}

// StageShare is a stage of the config.
type StageShare struct {
	Share Number `json:"share" doc:"The canary's share of the traffic"`
	Steps int    `json:"at_least_steps" doc:"Judged steps that it lasts at the least"`
}

// ramp is how the run went through its stages; nil without any.
func (b builder) ramp() *Ramp {
	state := b.outcome.Ramp
	if state == nil {
		return nil
	}
	r := &Ramp{
		Stage: b.outcome.Left.Number, Share: Number(b.outcome.Left.Share), Metric: state.Metric,
		Harm: Number(state.Harm), AtMost: Number(state.AtMost), Stages: []Stage{},
	}
	if state.Hold != analysis.NoHold {
		r.Hold = job.HoldText(state)
	}
	for _, s := range b.config.Plan.Ramp.Stages {
		r.Plan = append(r.Plan, StageShare{Number(s.Share), s.Steps})
	}
	pairs := b.stagePairs(b.blastMetric())
	for i, s := range b.outcome.Stages {
		nan := Number(math.NaN())
		to := Stage{Number: s.Number, Share: Number(s.Share), Began: s.Began, Steps: s.Judged, First: s.First, Last: s.Last, Requests: nan, Failed: nan, Excess: nan}
		if !s.Done.IsZero() {
			to.Done = &s.Done
		}
		if pairs != nil {
			if met, ok := analysis.MeasureBlast(b.outcome.Result.Metrics[b.blastMetric()].Metric, pairs[i+1]); ok {
				to.Requests, to.Failed, to.Excess = Number(met.Requests), Number(met.Failed), Number(met.Excess)
			}
		}
		r.Stages = append(r.Stages, to)
	}
	return r
}

// stagePairs returns a metric's pairs, those before the first stage and then those of each;
// all in one without a ramp, and nil without a metric.
func (b builder) stagePairs(metric int) [][]analysis.Pair {
	if metric < 0 {
		return nil
	}
	all := make([][]analysis.Pair, 1+len(b.outcome.Stages))
	for step := range b.lastStep() {
		at := 0
		if b.outcome.StageOf != nil {
			at = 1 + b.outcome.StageOf[step]
		}
		all[at] = append(all[at], analysis.Pair{
			Baseline: b.outcome.Samples[providers.Baseline][metric][step],
			Canary:   b.outcome.Samples[providers.Canary][metric][step],
		})
	}
	return all
}

// at says in which stage a run ended, for its sentence; "" without stages.
func (r *Ramp) at() string {
	if r == nil || r.Stage == 0 {
		return ""
	}
	return " " + job.StageText(r.Stage-1, len(r.Plan), float64(r.Share))
}

// rampLines say how the stages went.
func (r *Report) rampLines() []string {
	ramp := r.Ramp
	if ramp == nil {
		return nil
	}
	var lines []string
	step := time.Duration(float64(r.Window.Step) * float64(time.Second))
	for _, s := range ramp.Stages {
		line := fmt.Sprintf("%s (stage %d of %d): ", percentage(float64(s.Share)), s.Number, len(ramp.Plan))
		switch {
		case s.Done == nil:
			line += "was not set"
		case s.Steps == 0:
			line += "set at " + s.Done.UTC().Format(time.TimeOnly) + ", and no step of it judged"
		default:
			line += fmt.Sprintf("set at %s, judged for %s", s.Done.UTC().Format(time.TimeOnly), length(time.Duration(s.Steps)*step))
		}
		if !math.IsNaN(float64(s.Requests)) {
			line += fmt.Sprintf("; %s requests met the canary, %s failed", tally(math.Round(float64(s.Requests))), tally(math.Round(float64(s.Failed))))
			if s.Excess >= 0.5 {
				line += fmt.Sprintf(", about %s more than at the baseline's rate", tally(math.Round(float64(s.Excess))))
			}
		}
		lines = append(lines, line)
	}
	if ramp.Stage < len(ramp.Plan) && ramp.Hold != "" && !r.Is(analysis.VerdictFail) && !r.Is(analysis.VerdictPass) {
		lines = append(lines, fmt.Sprintf("%s was not reached: %s", percentage(float64(ramp.Plan[ramp.Stage].Share)), ramp.Hold))
	}
	if ramp.Stage > 0 && !r.ranCommand() {
		lines = append(lines, fmt.Sprintf("no command was run at the end: the canary is left with the traffic of stage %d, %s", ramp.Stage, percentage(float64(ramp.Share))))
	}
	return lines
}

// ranCommand reports whether a command of the config was run at the end of the run, or it is
// not known.
func (r *Report) ranCommand() bool {
	if r.Generated == nil || r.Generated.Command != "run" {
		return true
	}
	for _, a := range r.Generated.Actions {
		if a.Kind == RunAction && !a.DryRun {
			return true
		}
	}
	return false
}
