package config

import (
	"fmt"
	"reflect"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/jsonschema"
	"github.com/canary-judge/canary-judge/providers"
)

// Stage is how a stage of the plan's ramp is set.
type Stage struct {
	Share  float64       // of the traffic, that the canary gets
	Set    *Hook         // gives it to the canary; nil in the config of a recording
	Warmup time.Duration // that is skipped in both arms, once it is set
}

// stage is a part of a ramp.
type stage struct {
	Share   Percent            `yaml:"share" required:"true" doc:"The canary's share of all requests in this stage, more than in the one before" example:"10%"`
	Run     words              `yaml:"run" otherwise:"none, in the config that a recording keeps" doc:"Command that gives the canary this share, a word each, without a shell; it sets the share and does not add to it, for it may be run again" example:"[./weight.sh, '10']"`
	Timeout providers.Duration `yaml:"timeout" default:"5m" doc:"Time limit of the command"`
	AtLeast providers.Duration `yaml:"at_least" otherwise:"5 steps" doc:"How long the stage is judged at the least" example:"5m"`
	Warmup  providers.Duration `yaml:"warmup" otherwise:"the window's" doc:"Time skipped in both arms once the command has ended"`
}

// earlyPass is what a pass before the last stage does.
type earlyPass int

const (
	walkThrough earlyPass = iota
	promoteEarly
)

// UnmarshalText reads what a pass before the last stage does.
func (e *earlyPass) UnmarshalText(text []byte) error {
	return word(e, "early end of a ramp", text, "wait", "promote")
}

// JSONSchema implements jsonschema.Schemer.
func (*earlyPass) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Enum: []string{"wait", "promote"}}
}

// exposureCheck says whether the canary's share of the traffic is checked.
type exposureCheck int

const (
	checkExposure exposureCheck = iota
	ignoreExposure
)

// UnmarshalText reads whether the share is checked.
func (e *exposureCheck) UnmarshalText(text []byte) error {
	return word(e, "check of the exposure", text, "on", "off")
}

// bind reads on or off.
func (e *exposureCheck) bind(b *binder, n *yaml.Node) {
	b.bindText(n, reflect.ValueOf(e).Elem(), "on or off")
}

// JSONSchema implements jsonschema.Schemer.
func (*exposureCheck) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Enum: []string{"on", "off"}}, {Type: "boolean"}}} // as YAML 1.1 reads them
}

// budgetMinutes is what a stage may cost where the config does not say it, in minutes of all
// requests: a tenth of a day's error budget at an availability of 99.9%, which is 1.44 minutes.
// docs/statistics/ramps.md has what more and less of it costs.
const budgetMinutes = 0.144

// stages resolves the ramp.
func (r *resolver) stages() {
	f := &r.file
	w := r.config.Window
	if len(f.Stages) == 0 {
		r.unstaged()
		return
	}
	if w.Step == 0 {
		return
	}
	if r.config.Arms[providers.Baseline].Offset > 0 {
		r.problemAt(&f.Baseline.Offset, &f.Baseline, "stages share the traffic between the arms; a baseline at an earlier time has no part of it: leave out offset or stages")
	}
	ramp := &analysis.Ramp{Early: f.Early == promoteEarly, Budget: budgetMinutes * float64(time.Minute) / float64(w.Step)}
	if f.Blast != nil && r.given(&f.Blast.AtMost) {
		if ramp.AtMost = f.Blast.AtMost; !(ramp.AtMost > 0) {
			r.problemAt(&f.Blast.AtMost, f.Blast, "at_most is a number of failed requests, more than 0; leave it out for a tenth of a day's error budget at 99.9%%")
		}
	}
	needed, share := 0, 0.0
	for i := range f.Stages {
		to, least := r.stage(&f.Stages[i], share)
		if share = to.Share; i > 0 {
			needed += r.steps(to.Warmup) + 1
		}
		needed += least
		ramp.Stages = append(ramp.Stages, analysis.Stage{Share: to.Share, Steps: least})
		r.config.Stages = append(r.config.Stages, to)
	}
	if needed > w.Steps {
		r.problemAt(&f.Stages, f, "the stages and their warm-ups take at least %s, and the window is %s long: set window.length to more, better twice as much",
			providers.Duration(time.Duration(needed)*w.Step), providers.Duration(w.Length()))
	}
	r.config.Plan.Ramp = ramp
	if on := f.OnInterrupt; on != nil {
		r.config.Actions.Interrupt = r.hook(on.Run, &on.Timeout)
	}
	if f.Exposure == nil {
		r.stagedExposure()
	}
}

// unstaged reports what only a run with stages has.
func (r *resolver) unstaged() {
	f := &r.file
	if r.written(&f.Early) {
		r.problemAt(&f.Early, f, "early belongs to a run with stages")
	}
	if f.OnInterrupt != nil {
		r.problemAt(f.OnInterrupt, f, "on_interrupt belongs to a run with stages")
	}
	if f.Blast != nil && r.written(&f.Blast.AtMost) {
		r.problemAt(&f.Blast.AtMost, f.Blast, "at_most is what a stage may cost: it belongs to a run with stages")
	}
}

// steps returns how many steps a length of time takes.
func (r *resolver) steps(d time.Duration) int {
	step := r.config.Window.Step
	return int((d + step - 1) / step)
}

// stage resolves one that follows one with a share, and returns how many steps it lasts at
// the least.
func (r *resolver) stage(s *stage, before float64) (to Stage, least int) {
	w := r.config.Window
	to = Stage{Share: float64(s.Share), Set: r.hook(s.Run, &s.Timeout), Warmup: time.Duration(w.Warmup) * w.Step}
	if r.given(&s.Warmup) {
		to.Warmup = time.Duration(s.Warmup)
	}
	if to.Set == nil && !r.options.Literal && !r.written(&s.Run) {
		r.lacking(r.places.at(s), []string{"run"}, "run is missing: the command that gives the canary its share of the traffic, such as run: [./weight.sh, '%.4g']", 100*to.Share)
	}
	least = analysis.DefaultPassAfter
	if r.given(&s.AtLeast) {
		if least = r.steps(time.Duration(s.AtLeast)); least < 1 {
			r.problemAt(&s.AtLeast, s, "a stage lasts at least one step")
			least = 1
		}
	}
	switch {
	case !r.given(&s.Share):
		to.Share = before
	case !(to.Share > 0 && to.Share < 1):
		r.problemAt(&s.Share, s, "the share must lie between 0%% and 100%%: the baseline needs traffic to compare with; on_pass gives the canary all of it")
	case to.Share <= before:
		r.problemAt(&s.Share, s, "each stage gives the canary more than the one before, which gives it %.4g%%", 100*before)
	}
	return to, least
}

// stagedExposure has the shares of the stages checked, by the first metric that counts the
// requests.
func (r *resolver) stagedExposure() {
	for i, m := range r.config.Plan.Metrics {
		if m.Traffic() == analysis.AllTraffic {
			r.config.Plan.Exposure = &analysis.Exposure{Metric: i, Tolerance: usualExposureTolerance}
			return
		}
	}
	r.config.Notes = append(r.config.Notes, "no ratio counts the requests: neither whether the canary gets its share, nor what the next stage may cost, is known")
}

// usualExposureTolerance is the default of exposure.tolerance.
const usualExposureTolerance = 0.2

// Unstaged makes a run one stage of whatever traffic the canary gets, and notes why.
func (c *Config) Unstaged(why string) {
	if c.Plan.Ramp == nil {
		return
	}
	c.Notes = append(c.Notes, fmt.Sprintf("judged as one stage, whatever traffic the canary gets: %s", why))
	c.Plan.Ramp, c.Plan.Exposure, c.Stages = nil, nil, nil
}

// sharesOf returns the stages as a recording keeps them: without their commands.
func sharesOf(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	all := &yaml.Node{Kind: yaml.SequenceNode}
	for _, s := range n.Content {
		for s.Kind == yaml.AliasNode {
			s = s.Alias
		}
		kept := &yaml.Node{Kind: yaml.MappingNode}
		for i := 0; i+1 < len(s.Content); i += 2 {
			if key := s.Content[i].Value; key != "run" && key != "timeout" {
				kept.Content = append(kept.Content, s.Content[i], s.Content[i+1])
			}
		}
		all.Content = append(all.Content, kept)
	}
	return all
}
