package job

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// What the instances of the baseline showed before the run (docs/statistics/history.md, section 8). The canary's
// are asked for with them, which costs no request, and are counted only.

// recentSteps is within how many steps before the end of a history an instance has to have shown
// something to be one of the run's.
const recentSteps = preflightSteps

// keepInstances asks for what each instance showed in a history, and keeps it.
func (j *Job) keepInstances(ctx context.Context, h *recording.History) error {
	c := j.Config
	byProvider := map[string][]providers.Query{}
	for _, p := range pastPlaces(c, bothArms, h.From, h.To) {
		m := c.Metrics[p.metric]
		p.query.Expr = m.Grouped[p.query.Part][p.query.Arm]
		byProvider[m.Provider] = append(byProvider[m.Provider], p.query)
	}
	for _, name := range slices.Sorted(maps.Keys(byProvider)) {
		answers, err := j.Providers[name].Fetch(ctx, byProvider[name])
		if err != nil {
			return fmt.Errorf("fetch the history: %w", err)
		}
		all, err := recording.InstancesOf(h.By, byProvider[name], answers)
		if err != nil {
			return fmt.Errorf("fetch the history: %w", err)
		}
		h.Instances = append(h.Instances, all...)
	}
	return nil
}

// instances are what counts of a metric's instances before a run.
type instances struct {
	baseline [][]analysis.Sample // each in the steps of the history
	canary   int                 // how many the canary has, 0 = none was seen
	gone     int                 // of the baseline, before the end of the history: they are not in the run
	young    int                 // of the baseline, with too few steps to tell anything
}

// leastInstanceSteps is how many steps an instance has to have.
const leastInstanceSteps = analysis.LeastHistory

// readInstances takes what counts of the instances of each metric. One that began within the history is cut where
// its warm-up ends, and one that ended in it does not count: it was of an earlier deployment, or
// is no more.
func (p *past) readInstances() {
	c, step := p.config, p.config.Window.Step
	p.instances = make([]instances, len(c.Metrics))
	total := int(p.To.Sub(p.Since) / step)
	for _, one := range p.Instances {
		i := slices.IndexFunc(c.Metrics, func(m config.Metric) bool { return m.Name == one.Metric })
		if i < 0 || !c.Learns(i) || one.Step != step {
			continue
		}
		m, of := c.Plan.Metrics[i], &p.instances[i]
		shows := func(s analysis.Sample) bool { return m.Shows(s) }
		there := make([]analysis.Sample, total)
		for n, s := range one.Steps {
			at := one.Start.Add(time.Duration(n) * step).Sub(p.Since)
			if k := int(at / step); at >= 0 && k < total {
				there[k] = s
			}
		}
		recent := slices.ContainsFunc(there[max(0, total-recentSteps):], shows)
		if one.Arm == providers.Canary {
			if recent {
				of.canary++
			}
			continue
		}
		if !recent {
			if slices.ContainsFunc(there, shows) {
				of.gone++
			}
			continue
		}
		if began := slices.IndexFunc(there, shows); began >= recentSteps {
			clear(there[:min(total, began+LearnedWarmup(c.Window))])
		}
		usable := 0
		for _, s := range there {
			if m.Shows(s) {
				usable++
			}
		}
		if usable < leastInstanceSteps {
			of.young++
			continue
		}
		of.baseline = append(of.baseline, there)
	}
	p.noteInstances()
}

// noteInstances says what does not count, and what is not known, once for all metrics of which it is the same.
func (p *past) noteInstances() {
	var texts []string
	of := map[string][]string{}
	for i, m := range p.config.Metrics {
		if text := p.instances[i].says(); p.config.Learns(i) && text != "" {
			if len(of[text]) == 0 {
				texts = append(texts, text)
			}
			of[text] = append(of[text], m.Name)
		}
	}
	p.Notes = slices.Clone(p.Notes)
	for _, text := range texts {
		note := fmt.Sprintf("%s: of the instances by %s, %s", shortened(of[text]), p.By, text)
		if !slices.Contains(p.Notes, note) { // as the run has noted it, in a replay
			p.Notes = append(p.Notes, note)
		}
	}
}

// says tells what does not count of a metric's instances, and what is not known; "" for nothing.
func (i instances) says() string {
	var all []string
	if i.gone > 0 {
		all = append(all, fmt.Sprintf("%d of the baseline ended before the run and do not count", i.gone))
	}
	if i.young > 0 {
		all = append(all, fmt.Sprintf("%d of the baseline began too late to tell anything: %d steps are needed of each, after its warm-up", i.young, leastInstanceSteps))
	}
	if i.canary == 0 {
		all = append(all, "none of the canary was there yet: it is taken to have one")
	}
	return strings.Join(all, "; ")
}

// history returns what a metric learns of its instances.
func (i instances) history() *analysis.History {
	h := &analysis.History{Instances: i.baseline, CanaryInstances: max(1, i.canary), BaselineInstances: len(i.baseline) + i.young}
	if h.Instances == nil {
		h.Instances = [][]analysis.Sample{}
	}
	return h
}
