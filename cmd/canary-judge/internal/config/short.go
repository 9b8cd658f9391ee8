package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// TooShort is what a window is too short for, whatever the data will be.
type TooShort struct {
	// Unlooked says that a metric that decides cannot be looked at even once, so that the
	// run cannot pass.
	Unlooked bool
	Text     string // a sentence
}

// TooShort lists what the window is too short for, by the clock of the tests alone.
func (c *Config) TooShort() []TooShort {
	var all []TooShort
	for i, m := range c.Plan.Metrics {
		if m.Of != "" {
			continue // it is as with the whole
		}
		steps, first := c.Window.Steps, m.FirstLook()
		if steps < first {
			all = append(all, TooShort{!m.Advisory, fmt.Sprintf("metric %q: the window of %s has %s of %s; its first look takes %d",
				m.Name, c.Length(steps), counted(steps, "step"), providers.Duration(c.Window.Step), first)})
			continue
		}
		if text := c.cannotPass(i); text != "" && m.MustPass() {
			all = append(all, TooShort{Text: text})
		}
	}
	return all
}

// cannotPass says that a metric cannot pass in the window, or "".
func (c *Config) cannotPass(i int) string {
	m, steps := c.Plan.Metrics[i], c.Window.Steps
	runs, every, though := 0.0, 1, "even without noise"
	if !m.Paired() {
		runs, every = c.runs(i)
		though = "even if none of them fails"
	}
	plan := c.Plan
	plan.Steps = (steps + every - 1) / every
	need := plan.StepsToPass(i, runs)
	if need == plan.Steps {
		return ""
	}
	what := fmt.Sprintf("in %s", counted(steps, "step"))
	if !m.Paired() {
		what = fmt.Sprintf("with %s", counted(plan.Steps*int(runs), "run"))
	}
	text := fmt.Sprintf("metric %q: no clean canary can pass %s at this tolerance, %s: ", m.Name, what, though)
	if need == 0 {
		return text + "give it a larger one, or write fail_only: true"
	}
	return text + fmt.Sprintf("it takes %s (length: %s)", counted(need*every, "step"), c.Length(need*every))
}

// runs returns how many runs of checks each arm has at a time, and how many steps lie
// between two such times; 0 runs is not known.
func (c *Config) runs(i int) (runs float64, every int) {
	m := c.Metrics[i]
	if m.GapsOf >= 0 {
		return 1, 1
	}
	return float64(m.Runs), max(m.Every, 1)
}

// Length writes how long some steps are.
func (c *Config) Length(steps int) providers.Duration {
	return providers.Duration(time.Duration(steps) * c.Window.Step)
}

// counted writes a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Unlooked returns an error that says which metrics that decide cannot be looked at in the
// window, nil for none.
func (c *Config) Unlooked() error {
	var errs []error
	for _, short := range c.TooShort() {
		if short.Unlooked {
			errs = append(errs, errors.New(short.Text+"; make the window longer, the step shorter, or the metric advisory"))
		}
	}
	return errors.Join(errs...)
}

// NeedsRuns says how many runs of checks it takes to pass, where that can be told
// beforehand; "" where it cannot.
func (c *Config) NeedsRuns(i int) string {
	m := c.Plan.Metrics[i]
	if m.Paired() || !m.MustPass() || !m.Tolerance.Absolute || m.Tolerance.Size == 0 || m.Direction == analysis.Decrease {
		return ""
	}
	return fmt.Sprintf("an unchanged canary passes after at least %s of its own, none of which fails, and more if some do", counted(int(c.Plan.RunsToPass(i)), "run"))
}
