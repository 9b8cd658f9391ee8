// Package config reads canary.yaml: strictly, with all errors at once and in
// place, into a plan for the judge and the queries for the providers.
package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// Config is a valid config, ready to be carried out.
type Config struct {
	Service string
	Arms    map[providers.Arm]Arm
	Window  Window
	Plan    analysis.Plan
	Metrics []Metric // in the order of Plan.Metrics
	// History is what is asked for of the time before the run; nil = nothing.
	History  *History
	Guards   []Guard
	Settings map[string]any // of the providers in use, by name
	// Notes are what a reader of a verdict must know of the config, such as a weaker
	// comparison.
	Notes []string
	// Doubts are signs that the config does not say what was meant.
	Doubts  []string
	Blast   Blast
	Links   []Link
	Actions Actions
	Stages  []Stage // of the plan's ramp; none without one
	// Document is the config as it was understood, as JSON, without secrets: what
	// a recording keeps. It can be read again with Options.Literal.
	Document json.RawMessage
	// Tags are those of tests that were not looked up, whose metrics are not there.
	Tags []string
	// Observe says that runs do nothing and hold nothing up.
	Observe bool
	// Notify are those who are told of runs.
	Notify []Notification
	// SegmentsOf are labels whose values were not looked up, whose segments are not there.
	SegmentsOf []string
}

// Arm is one side of the comparison.
type Arm struct {
	Labels []providers.Label
	Offset time.Duration // how far back in time it lies; 0 = at the same time
}

// Window is the time that is judged.
type Window struct {
	Step   time.Duration
	Lag    time.Duration
	Warmup int // steps
	Steps  int // judged, after the warm-up
	// WarmupAssumed: the config does not say how long the warm-up is.
	WarmupAssumed bool
}

// Length returns the time that is judged.
func (w Window) Length() time.Duration { return time.Duration(w.Steps) * w.Step }

// SetSteps changes the number of steps to judge, for a window that is given
// elsewhere.
func (c *Config) SetSteps(steps int) {
	c.Window.Steps, c.Plan.Steps = steps, steps
}

// Metric is how a metric of the plan is fetched.
type Metric struct {
	Name     string
	Provider string
	Unit     string // of the numbers as the source gives them; "" = none
	Queries  map[providers.Part]map[providers.Arm]string
	// Grouped are the Queries with a series for each instance, where history is of those.
	Grouped map[providers.Part]map[providers.Arm]string
	// Complement says that the query for bad events counts good ones.
	Complement bool
	// Doubts are reasons to mistrust what the queries give, each a sentence.
	Doubts []string
	// Every is at which steps after the warm-up the metric's checks are started: 1 is each;
	// 0 = they run by themselves.
	Every int
	// Runs is how many runs each start of checks brings an arm, 0 = not known.
	Runs int
	// Unlearned: the metric is judged without history, whatever there is.
	Unlearned bool
	// Of is the name of the metric that this one is of a segment of, and Segment the label that
	// selects it; "" and the zero Label for a metric over all requests.
	Of      string
	Segment providers.Label
	// GapsOf is the place of the metric whose gaps this one counts, -1 for none.
	GapsOf int
}

// Options say how a config is read.
type Options struct {
	Types []providers.Type
	Env   map[string]string // the environment
	Set   map[string]string // variables set on the command line
	// Literal reads a document whose variables are filled in already: one that a
	// recording kept. Provider settings may be missing from it.
	Literal bool
	// Tagged returns the public ids of the synthetic tests with a tag, from a provider with
	// its settings; paused ones too if their runs are to be started. Nil: tests cannot be
	// looked up, and their metrics are not there.
	Tagged func(provider string, settings any, tag string, paused bool) ([]string, error)
	// Segments returns the values that a label has in what queries select, those with the
	// most requests first; the queries have no window. Nil: nobody can be asked, and metrics
	// whose segments would be are judged over all alone.
	Segments func(provider string, settings any, label string, queries []providers.Query) ([]string, error)
}

// Load reads the config at a path.
func Load(path string, o Options) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the config: %w; name it with -c", err)
	}
	return Parse(filepath.ToSlash(path), text, o)
}

// largestConfig bounds a config; a hundred metrics take some ten kilobytes.
const largestConfig = 4 << 20

// Parse reads a config. Its error is Problems unless the text is no YAML at all, or a source that
// was asked has one.
func Parse(name string, text []byte, o Options) (*Config, error) {
	o.Tagged = once(o.Tagged)
	c, stars, err := parseWith(name, text, o, nil)
	switch {
	case err != nil || len(stars) == 0:
		return c, err
	case o.Segments != nil:
		return withSegments(name, text, o, c, stars)
	}
	for _, s := range stars {
		if !slices.Contains(c.SegmentsOf, s.label) {
			c.SegmentsOf = append(c.SegmentsOf, s.label)
		}
	}
	return c, nil
}

// once asks for each tag once, however often a config is read.
func once(tagged func(string, any, string, bool) ([]string, error)) func(string, any, string, bool) ([]string, error) {
	if tagged == nil {
		return nil
	}
	type answer struct {
		ids []string
		err error
	}
	known := map[string]answer{}
	return func(provider string, settings any, tag string, paused bool) ([]string, error) {
		key := fmt.Sprint(provider, paused, tag)
		if _, ok := known[key]; !ok {
			ids, err := tagged(provider, settings, tag, paused)
			known[key] = answer{ids, err}
		}
		return known[key].ids, known[key].err
	}
}

// parseWith reads a config with the segments that were found for the stars at places, and returns those that
// are to be looked up.
func parseWith(name string, text []byte, o Options, found map[place][]string) (*Config, []*star, error) {
	if len(text) > largestConfig {
		return nil, nil, Problems{{File: name, Message: "the file is larger than 4 MiB: this is no config"}}
	}
	vars := variables{env: o.Env, set: o.Set}
	if o.Literal {
		vars = variables{}
	} else if vars.env == nil {
		vars.env = map[string]string{}
	}
	b := newBinder(name, text, vars)
	b.starred = found
	root, err := parseYAML(name, text, b.lines)
	if err != nil {
		return nil, nil, err
	}
	r := &resolver{binder: b, options: o, root: root}
	c := r.resolve()
	if err := b.found(); err != nil {
		return nil, nil, err
	}
	return c, r.stars, nil
}

// resolver turns what the file says into a Config.
type resolver struct {
	*binder
	options  Options
	root     *yaml.Node
	file     file
	sections map[string]any
	types    map[string]providers.Type
	config   *Config
	shared   map[*Metric][]providers.Scope // what a metric's queries read without $arm
	// Of arms that could not be read nothing is asked, and of those that are alike it is
	// told once.
	armsRead, armsAlike bool
	// segment is the one that a metric is resolved in, each where that is said; nil for all of
	// its requests.
	segment *providers.Label
	each    *eachText
	// stars are the labels whose segments are to be looked up.
	stars []*star
	// presetNodes are the metrics of the presets, with their parameters filled in.
	presetNodes []*yaml.Node
}

func (r *resolver) resolve() *Config {
	r.types, r.sections = map[string]providers.Type{}, map[string]any{}
	sections := map[string]func(*yaml.Node){}
	for _, t := range r.options.Types {
		r.types[t.Name] = t
		settings := t.Settings()
		r.sections[t.Name] = settings
		sections[t.Name] = func(n *yaml.Node) { r.bind(n, reflect.ValueOf(settings).Elem()) }
	}
	r.places.note(&r.file, r.root)
	for i := 0; i+1 < len(r.root.Content); i += 2 {
		if key := r.root.Content[i]; key.Value == "apiVersion" {
			r.problem(key, "this is a manifest of Kubernetes; a config has no apiVersion, kind and spec, but provider, baseline, canary and metrics at its top")
			return nil
		}
	}
	r.homes = homesOf(reflect.TypeFor[file]())
	r.bindStruct(r.root, reflect.ValueOf(&r.file).Elem(), sections)
	r.shared = map[*Metric][]providers.Scope{}
	r.config = &Config{Service: r.file.Service, Observe: r.file.Mode == observeMode, Settings: map[string]any{}}
	r.arms()
	r.window()
	r.history()
	r.presets()
	r.metrics()
	r.exposure()
	r.guards()
	r.blastRadius()
	r.links()
	r.notifications()
	r.actions()
	r.stages()
	r.settings()
	r.tellLate()
	if len(r.problems) > 0 {
		return nil
	}
	// What is left is the plan's own rules, which the places above cannot see.
	if err := r.config.Plan.Validate(); err != nil && len(r.config.Tags) == 0 {
		r.problem(r.root, "%v", err)
		return nil
	}
	r.config.Document = r.document()
	return r.config
}

// arms resolves both arms.
func (r *resolver) arms() {
	f := &r.file
	baseline := Arm{Labels: f.Baseline.Labels, Offset: time.Duration(f.Baseline.Offset)}
	canary := Arm{Labels: f.Canary.Labels}
	if f.Canary.Offset != 0 {
		r.problemAt(&f.Canary.Offset, &f.Canary, "only the baseline can lie back in time: move offset there")
	}
	if baseline.Offset > 0 && len(baseline.Labels) == 0 {
		baseline.Labels = canary.Labels
	}
	r.config.Arms = map[providers.Arm]Arm{providers.Baseline: baseline, providers.Canary: canary}
	if doubt := mixedUp(baseline.Labels, canary.Labels); doubt != "" {
		r.config.Doubts = append(r.config.Doubts, doubt)
	}
	if baseline.Offset > 0 {
		what := "the same time " + providers.Duration(baseline.Offset).String() + " earlier"
		if f.History != nil && f.History.keys.Days > 0 {
			what = fmt.Sprintf("the mean of %d earlier windows, each %s before the next", f.History.keys.Days, providers.Duration(baseline.Offset))
		}
		r.config.Notes = append(r.config.Notes, fmt.Sprintf(
			"the baseline is %s: whatever else changed since then is blamed on, or credited to, the canary; this is the weaker comparison", what))
	}
	r.armsRead = r.given(&f.Baseline) && r.given(&f.Canary) && !f.Baseline.faulty && !f.Canary.faulty
	r.armsAlike = len(canary.Labels) > 0 && sameLabels(baseline.Labels, canary.Labels)
	if r.armsRead && r.armsAlike && !r.written(&f.Baseline.Offset) && !r.written(&f.Canary.Offset) {
		r.problemAt(&f.Canary, nil, "the arms have the same labels: both would be the same series; give the canary a label of its own, or the baseline an offset")
	}
}

// usual returns the longest usual step and lag of the providers in use.
func (r *resolver) usual() (t providers.Type) {
	names := []string{r.file.Provider}
	for _, m := range r.file.Metrics {
		names = append(names, m.Provider)
	}
	for _, name := range names {
		t.UsualStep, t.Lag = max(t.UsualStep, r.types[name].UsualStep), max(t.Lag, r.types[name].Lag)
	}
	t.UsualStep = max(t.UsualStep, leastUsualStep)
	return t
}

// Limits of a window.
const (
	leastUsualStep = 30 * time.Second
	shortestStep   = time.Second
	mostSteps      = 20000
)

// window resolves the window and the error rates.
func (r *resolver) window() {
	f := &r.file
	or := func(d providers.Duration, otherwise time.Duration) time.Duration {
		if d == 0 {
			return otherwise
		}
		return time.Duration(d)
	}
	w := &f.Window
	usual := r.usual()
	step := or(w.Step, usual.UsualStep)
	length := time.Duration(w.Length)
	warmup := time.Duration(w.Warmup)
	if !r.given(&w.Warmup) {
		warmup = max(step, time.Minute)
	}
	passAfter := or(w.PassAfter, min(analysis.DefaultPassAfter*step, length))
	if step < shortestStep {
		r.problemAt(&w.Step, &f.Window, "the step is %s; the shortest is %s", step, shortestStep)
		return
	}
	switch {
	case length%step != 0:
		whole := length / step * step
		r.problemAt(&w.Length, &f.Window, "the length %s is no whole number of steps of %s; %s or %s is", providers.Duration(length),
			providers.Duration(step), providers.Duration(whole), providers.Duration(whole+step))
	case length < analysis.LeastSteps*step:
		r.problemAt(&w.Length, &f.Window, "the window of %s has %d steps of %s; the first look needs %d",
			providers.Duration(length), length/step, providers.Duration(step), analysis.LeastSteps)
	case length/step > mostSteps:
		r.problemAt(&w.Length, &f.Window, "the window has %d steps; use longer steps, at most %d of them", length/step, mostSteps)
	case passAfter > length:
		r.problemAt(&w.PassAfter, &f.Window, "pass_after lies beyond the window's end")
	}
	if offset := r.config.Arms[providers.Baseline].Offset; offset%step != 0 {
		r.problemAt(&f.Baseline.Offset, &f.Baseline, "the offset %s is no whole number of steps of %s", providers.Duration(offset), providers.Duration(step))
	}
	lag := usual.Lag
	if r.given(&w.Lag) {
		lag = time.Duration(w.Lag)
	}
	up := func(d time.Duration) int { return int((d + step - 1) / step) }
	r.config.Window = Window{Step: step, Lag: lag, Warmup: up(warmup), Steps: int(length / step), WarmupAssumed: !r.given(&w.Warmup)}
	r.config.Plan = analysis.Plan{
		Steps: int(length / step), FalseAlarm: float64(f.FalseAlarm), WrongPass: float64(f.WrongPass), PassAfter: up(passAfter),
	}
	for _, rate := range []*Percent{&f.FalseAlarm, &f.WrongPass} {
		if r.given(rate) && (*rate <= 0 || *rate >= 0.5) {
			r.problemAt(rate, nil, "the rate must lie between 0%% and 50%%")
		}
	}
}

// exposure resolves the traffic the canary should get.
func (r *resolver) exposure() {
	e, staged := r.file.Exposure, len(r.file.Stages) > 0
	if e == nil {
		return
	}
	x := &analysis.Exposure{Share: float64(e.Share), Tolerance: float64(e.Tolerance), Metric: -1}
	switch {
	case staged && r.written(&e.Share):
		r.problemAt(&e.Share, e, "the stages say the canary's share; leave share out here")
	case !staged && !r.written(&e.Share):
		r.lacking(r.places.at(e), []string{"share"}, "share is missing")
	}
	if e.Check == ignoreExposure {
		return
	}
	if r.given(&e.Share) && (x.Share <= 0 || x.Share >= 1) {
		r.problemAt(&e.Share, e, "the share must lie between 0%% and 100%%")
	}
	for i, m := range r.config.Plan.Metrics {
		if m.Traffic() == analysis.AllTraffic && (e.Metric == "" && x.Metric < 0 || e.Metric == m.Name) {
			x.Metric = i
		}
	}
	if x.Metric < 0 {
		why := ""
		if r.given(&e.Metric) {
			why = fmt.Sprintf("; %q is none", e.Metric)
		}
		r.problemAt(&e.Metric, e, "exposure needs a ratio metric, whose totals are the requests%s", why)
	}
	r.config.Plan.Exposure = x
}
