package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/jsonschema"
	"github.com/canary-judge/canary-judge/providers"
)

// History is what is asked for of the time before the run (docs/statistics/history.md):
// both arms just before it, or the baseline on earlier days.
type History struct {
	// Length is how long before the run both arms are looked at, in whole steps; 0 where
	// Days are.
	Length time.Duration
	// Days is how many earlier windows of the run's length are looked at, each the baseline's
	// offset before the next; 0 where Length is.
	Days int
	// Exclude are dates in UTC, 2006-01-02, whose windows are left out of Days.
	Exclude []string
	// RemoveOffset has the difference that the arms had before taken out of the effect.
	RemoveOffset bool
	// Instances is the label that tells the instances of an arm apart, where they are looked at
	// one by one; "" where the arms are.
	Instances string
	// Since and Until bound what Length asks for; zero = they do not.
	Since, Until Moment
	// Asked: the config asks for it. What is there by default is of use where it is long enough.
	Asked bool
}

// Moment is a time, or an age at the start of the run. The zero Moment is none.
type Moment struct {
	At  time.Time
	Age time.Duration // > 0; 0 where At is
}

// Given reports whether there is a moment.
func (m Moment) Given() bool { return m != Moment{} }

// Before returns the moment of a run that starts then.
func (m Moment) Before(start time.Time) time.Time {
	if m.Age > 0 {
		return start.Add(-m.Age)
	}
	return m.At
}

// UnmarshalText reads a time such as 2026-11-23T10:00:00Z, or an age such as -2h.
func (m *Moment) UnmarshalText(text []byte) error {
	word := strings.TrimSpace(string(text))
	if at, err := time.Parse(time.RFC3339, word); err == nil {
		m.At = at.UTC()
		return nil
	}
	if age, ok := strings.CutPrefix(word, "-"); ok {
		d, err := providers.ParseDuration(age)
		if err == nil && d > 0 {
			m.Age = d
			return nil
		}
	}
	if d, err := providers.ParseDuration(word); err == nil && d > 0 {
		return fmt.Errorf("%q is no time; did you mean -%s, so long before the run?", text, word)
	}
	return fmt.Errorf("%q is no time; write one such as 2026-11-23T10:00:00Z, or an age before the run such as -2h", text)
}

// Day is a date in UTC.
type Day string

// UnmarshalText reads a date such as 2026-11-23.
func (d *Day) UnmarshalText(text []byte) error {
	word := strings.TrimSpace(string(text))
	if _, err := time.Parse(time.DateOnly, word); err != nil {
		return fmt.Errorf("%q is no date; write one such as 2026-11-23", text)
	}
	*d = Day(word)
	return nil
}

// Whole numbers of windows and steps of a history (docs/statistics/history.md, section 2).
const (
	usualWindows = 4
	mostWindows  = 24
	usualLeast   = 60  // steps, where four windows are fewer
	unasked      = 120 // steps of a history that the config does not ask for, likewise
	mostDays     = 90
)

// offsetUse is what is done with the difference that the arms had before the run.
type offsetUse int

const (
	keepOffset offsetUse = iota
	removeOffset
)

// UnmarshalText reads what is done with an offset.
func (o *offsetUse) UnmarshalText(text []byte) error {
	return word(o, "use of an offset", text, "keep", "remove")
}

// learning says whether a metric learns from history.
type learning int

const (
	learns learning = iota
	learnsNothing
)

// UnmarshalText reads whether a metric learns from history.
func (l *learning) UnmarshalText(text []byte) error {
	return word(l, "history of a metric", text, "on", "off")
}

// bind reads on or off.
func (l *learning) bind(b *binder, n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		b.problem(n, "of a metric, history is on or off; what is looked at belongs to the file as a whole: do not indent it")
		return
	}
	b.bindText(n, reflect.ValueOf(l).Elem(), "on or off")
}

// historyText is off, or what is looked at before the run.
type historyText struct {
	Off  bool
	keys historyKeys
}

// historyKeys are what may be said of a history.
type historyKeys struct {
	Length    providers.Duration `yaml:"length" otherwise:"four windows, at least 60 steps" doc:"How long before the run both arms are looked at" example:"4h"`
	Days      count              `yaml:"days" doc:"With baseline.offset: how many earlier windows are looked at, each the offset before the next" example:"7"`
	Exclude   []Day              `yaml:"exclude" doc:"Dates in UTC that are left out of the days: of incidents and deployments" example:"[2026-11-23]"`
	Instances string             `yaml:"instances" doc:"Label that tells the instances of an arm apart: the baseline's are looked at one by one, for a canary that was not there before" example:"pod"`
	Offset    offsetUse          `yaml:"offset" default:"keep" doc:"remove takes what the arms differed by before the deployment out of the change: right only where the canary runs on the same machines as then"`
	Since     Moment             `yaml:"since" doc:"Nothing before this counts, as before the deployment before: a time, or an age at the start of the run" example:"-2h"`
	Until     Moment             `yaml:"until" otherwise:"the start of the run" doc:"Nothing from here on counts: when the deployment began, if that was before the run" example:"-10m"`
}

// bind reads off, or a mapping.
func (h *historyText) bind(b *binder, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		switch text, ok := b.text(n, "off, or what is looked at: {length: 4h}"); {
		case !ok:
		case text == "off":
			h.Off = true
		default:
			b.problem(n, "%q is no history; write off, or what is looked at: {length: 4h}", text)
		}
		return
	}
	b.bindStruct(n, reflect.ValueOf(&h.keys).Elem(), nil)
}

// JSONSchema implements jsonschema.Schemer.
func (*historyText) JSONSchema() *jsonschema.Schema {
	keys := jsonschema.Of(reflect.TypeFor[historyKeys](), "yaml")
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Enum: []string{"off"}}, {Type: "boolean"}, keys}} // YAML 1.1 reads off as false
}

// JSONSchema implements jsonschema.Schemer.
func (*offsetUse) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Enum: []string{"keep", "remove"}}
}

// JSONSchema implements jsonschema.Schemer.
func (*learning) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Enum: []string{"on", "off"}}, {Type: "boolean"}}} // as YAML 1.1 reads them
}

// JSONSchema implements jsonschema.Schemer.
func (*Moment) JSONSchema() *jsonschema.Schema {
	return jsonschema.Pattern(`\d{4}-\d\d-\d\dT[0-9:.Zz+-]+|-[0-9a-zµ.]+`)
}

// JSONSchema implements jsonschema.Schemer.
func (*Day) JSONSchema() *jsonschema.Schema { return jsonschema.Pattern(`\d{4}-\d\d-\d\d`) }

// history resolves what is asked for of the time before the run.
func (r *resolver) history() {
	text := r.file.History
	switch {
	case r.config.Window.Step == 0:
		return
	case text == nil:
		// Before a ramp the canary has hardly any traffic.
		if r.config.Arms[providers.Baseline].Offset == 0 && len(r.file.Stages) == 0 {
			r.config.History = &History{Length: usualLength(r.config.Window, unasked)}
		}
		return
	case text.Off || r.places.at(text).Kind == yaml.ScalarNode:
		return
	}
	keys := &text.keys
	h := &History{
		Length: time.Duration(keys.Length), Days: int(keys.Days), RemoveOffset: keys.Offset == removeOffset,
		Instances: keys.Instances, Since: keys.Since, Until: keys.Until, Asked: true,
	}
	for _, day := range keys.Exclude {
		h.Exclude = append(h.Exclude, string(day))
	}
	if offset := r.config.Arms[providers.Baseline].Offset; offset > 0 {
		r.historyOfDays(text, offset)
	} else {
		r.historyOfArms(text, h)
	}
	r.config.History = h
}

// historyOfArms resolves the length of what is seen of both arms.
func (r *resolver) historyOfArms(text *historyText, h *History) {
	w, keys := r.config.Window, &text.keys
	for _, key := range []struct {
		name    string
		address any
	}{{"days", &keys.Days}, {"exclude", &keys.Exclude}} {
		if r.written(key.address) {
			r.problemAt(key.address, text, "%s belongs to a baseline that lies back in time; write baseline: {offset: 1d}, or leave it out", key.name)
		}
	}
	if r.written(&keys.Instances) && strings.TrimSpace(keys.Instances) == "" {
		r.problemAt(&keys.Instances, text, "instances names the label that tells the instances of an arm apart, as in instances: pod")
	}
	if h.Instances != "" && h.RemoveOffset {
		r.problemAt(&keys.Offset, text, "beside instances there is no difference between the arms to remove: by how much machines differ widens the interval instead; leave one of them out")
	}
	if keys.Since.Given() && keys.Until.Given() && !mayPrecede(keys.Since, keys.Until) {
		r.problemAt(&keys.Since, text, "since lies after until: nothing is left between them")
	}
	shortest, longest := w.Length(), mostWindows*w.Length()
	switch {
	case !r.given(&keys.Length):
		h.Length = usualLength(w, usualLeast)
	case h.Length < shortest:
		r.problemAt(&keys.Length, text, "the history of %s is shorter than the window; want at least %s, better %s", keys.Length,
			providers.Duration(shortest), providers.Duration(usualWindows*w.Length()))
	case h.Length > longest:
		r.problemAt(&keys.Length, text, "of a history of more than %d windows only the last %[1]d count; want at most %s", mostWindows, providers.Duration(longest))
	}
	h.Length = (h.Length + w.Step - 1) / w.Step * w.Step
}

// usualLength is the length of a history of which none is said: at least so many steps.
func usualLength(w Window, least time.Duration) time.Duration {
	return min(max(usualWindows*w.Length(), least*w.Step), mostWindows*w.Length())
}

// mayPrecede reports whether one moment can lie before another. Those that are told in
// different ways can.
func mayPrecede(one, other Moment) bool {
	if one.Age > 0 != (other.Age > 0) {
		return true
	}
	return one.Age > other.Age || one.At.Before(other.At)
}

// historyOfDays resolves the earlier windows of a baseline that lies back in time.
func (r *resolver) historyOfDays(text *historyText, offset time.Duration) {
	keys, w, told := &text.keys, r.config.Window, false
	for _, key := range []struct {
		name    string
		address any
	}{{"length", &keys.Length}, {"instances", &keys.Instances}, {"offset", &keys.Offset}, {"since", &keys.Since}, {"until", &keys.Until}} {
		if r.written(key.address) {
			cure := "leave it out"
			if !r.written(&keys.Days) {
				cure = "write history: {days: 7}"
			}
			r.problemAt(key.address, text, "%s means nothing beside baseline.offset, with which history is earlier windows: %s", key.name, cure)
			told = true
		}
	}
	if !r.written(&keys.Days) && !told {
		r.lackingAt(r.places.at(text), r.places.at(text), []string{"days"}, "days is missing: with baseline.offset, history is earlier windows: write history: {days: 7}")
	}
	if r.given(&keys.Days) && keys.Days > mostDays {
		r.problemAt(&keys.Days, text, "%d are too many; want at most %d", keys.Days, mostDays)
	}
	if longest := time.Duration(w.Warmup)*w.Step + w.Length() + w.Lag; offset < longest {
		r.problemAt(&r.file.Baseline.Offset, text, "the offset %s is shorter than warm-up, window and lag together (%s): the window before the run would not be over when it starts",
			providers.Duration(offset), providers.Duration(longest))
	}
}

// grouped notes how a metric's query is divided by instances, where its history is of those. What
// cannot be divided is judged without history, which is noted.
func (r *resolver) grouped(a *analysis.Metric, c *Metric, part providers.Part, t providers.Type) {
	h := r.config.History
	if h == nil || h.Instances == "" || c.Unlearned || !a.Paired() {
		return
	}
	if c.Grouped == nil {
		c.Grouped = map[providers.Part]map[providers.Arm]string{}
	}
	c.Grouped[part] = map[providers.Arm]string{}
	divide := t.Grouped
	if divide == nil {
		divide = func(string, string) (string, error) { return "", fmt.Errorf("%s does not divide what it has", t.Name) }
	}
	for _, arm := range providers.Arms {
		grouped, err := divide(c.Queries[part][arm], h.Instances)
		if err != nil {
			c.Unlearned = true
			r.config.Notes = append(r.config.Notes, fmt.Sprintf("metric %q is judged without history: its query cannot be divided by %s: %v", c.Name, h.Instances, err))
			return
		}
		c.Grouped[part][arm] = grouped
	}
}

// ByInstances reports whether the metric at an index learns from the instances of the baseline.
func (c *Config) ByInstances(metric int) bool {
	return c.History != nil && c.History.Instances != "" && c.Learns(metric)
}

// FromDays reports whether the baseline of the metric at an index is the mean of earlier
// windows.
func (c *Config) FromDays(metric int) bool {
	return c.History != nil && c.History.Days > 0 && c.Learns(metric)
}

// Learns reports whether the metric at an index is judged with history.
func (c *Config) Learns(metric int) bool {
	m := c.Metrics[metric]
	return c.History != nil && !m.Unlearned && m.GapsOf < 0 && c.Plan.Metrics[metric].Paired()
}

// AnyLearns reports whether a metric is judged with history.
func (c *Config) AnyLearns() bool {
	for i := range c.Metrics {
		if c.Learns(i) {
			return true
		}
	}
	return false
}

// Windows returns how far before the run the earlier windows of a history of days lie, the
// nearest first, of a run that starts then.
func (c *Config) Windows(start time.Time) []time.Duration {
	offset := c.Arms[providers.Baseline].Offset
	length := time.Duration(c.Window.Warmup+c.Window.Steps) * c.Window.Step
	var all []time.Duration
	for i := 1; i <= c.History.Days; i++ {
		back := time.Duration(i) * offset
		first, last := start.Add(-back).UTC(), start.Add(length-back-1).UTC()
		if !slices.Contains(c.History.Exclude, first.Format(time.DateOnly)) && !slices.Contains(c.History.Exclude, last.Format(time.DateOnly)) {
			all = append(all, back)
		}
	}
	return all
}
