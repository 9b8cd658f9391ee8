package config

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// presets binds the metrics of the presets.
func (r *resolver) presets() {
	t, known := r.types[r.file.Provider]
	for i := range r.file.Presets {
		u := &r.file.Presets[i]
		same := func(o presetUse) bool { return o.Name == u.Name && maps.Equal(o.Params, u.Params) }
		at := slices.IndexFunc(t.Presets, func(p providers.Preset) bool { return p.Name == u.Name })
		switch {
		case !known:
			r.noProvider([]*string{&r.file.Provider}, u.node, "a preset belongs to a provider; say which with provider: %s", list(r.owners(u.Name)))
		case at < 0:
			r.problem(u.node, "%s", r.noPreset(t, u.Name))
		case u.Name != "" && slices.ContainsFunc(r.file.Presets[:i], same):
			r.problem(u.node, "the preset %s is there twice; leave one out", u.Name)
		default:
			r.preset(u, t.Presets[at])
		}
	}
}

// noPreset says that a provider has no preset of a name, and what may be meant.
func (r *resolver) noPreset(t providers.Type, name string) string {
	names := presetNames(t)
	text := fmt.Sprintf("%s has no preset %q", t.Name, name)
	if like := nearest(name, names); like != "" {
		return text + fmt.Sprintf("; did you mean %s? it has %s", like, list(names))
	}
	if owners := r.owners(name); len(owners) < len(r.options.Types) {
		text += fmt.Sprintf("; %s has", list(owners))
	}
	if len(names) == 0 {
		return text + "; it has none"
	}
	return text + "; it has " + list(names)
}

func presetNames(t providers.Type) []string {
	var names []string
	for _, p := range t.Presets {
		names = append(names, p.Name)
	}
	return names
}

// owners lists the providers that have a preset, or all when none has.
func (r *resolver) owners(preset string) []string {
	var owners []string
	for _, t := range r.options.Types {
		if slices.Contains(presetNames(t), preset) {
			owners = append(owners, t.Name)
		}
	}
	if len(owners) == 0 {
		return r.typeNames()
	}
	return owners
}

// noProvider notes that the provider of something is not known: where its name stands, by
// the addresses of the names that may say it, or where it is needed.
func (r *resolver) noProvider(names []*string, neededAt *yaml.Node, format string, args ...any) {
	for _, name := range names {
		if !r.written(name) {
			continue
		}
		if r.given(name) { // once it is told, it is not
			r.unknown(r.places.at(name), "provider", r.typeNames())
		}
		return
	}
	r.lackingAt(neededAt, r.root, []string{"provider"}, format, args...)
}

func (r *resolver) typeNames() []string {
	var names []string
	for _, t := range r.options.Types {
		names = append(names, t.Name)
	}
	return names
}

// preset binds the metrics of one preset, with its parameters filled in. What
// is wrong with them is shown where the preset is used.
func (r *resolver) preset(u *presetUse, p providers.Preset) {
	params := map[string]string{}
	var names []string
	for _, param := range p.Params {
		names = append(names, param.Name)
		value, given := u.Params[param.Name]
		if !given {
			value = param.Default
		}
		if value == "" {
			r.problem(u.node, "the preset %s needs the parameter %s: %s", p.Name, param.Name, param.Doc)
		}
		params[param.Name] = value
	}
	for name, n := range u.params {
		if !slices.Contains(names, name) {
			r.unknown(n, "parameter", names)
		}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(p.Metrics), &doc); err != nil {
		r.problem(u.node, "the preset %s is broken: %v", p.Name, err)
		return
	}
	move(&doc, u.node)
	outer := r.vars
	r.vars = variables{env: map[string]string{}, set: params}
	var metrics []metric
	r.bind(doc.Content[0], reflect.ValueOf(&metrics).Elem())
	r.vars = outer
	r.file.presetMetrics = append(r.file.presetMetrics, metrics)
	r.presetNodes = append(r.presetNodes, doc.Content[0])
}

// move gives all nodes the place of another one.
func move(n, to *yaml.Node) {
	n.Line, n.Column = to.Line, to.Column
	for _, c := range n.Content {
		move(c, to)
	}
}

// metrics resolves the metrics of the presets and the config's own.
func (r *resolver) metrics() {
	all := r.apart(append(slices.Clone(r.file.presetMetrics), r.file.Metrics))
	first := map[string]*metric{}
	for _, group := range all {
		for i := range group {
			m := &group[i]
			if other := first[m.Name]; other != nil && m.Name != "" {
				r.problemAt(&m.Name, m, "two metrics are named %q; the other is in line %d: rename one", m.Name, r.places.at(&other.Name).Line)
			}
			first[m.Name] = m
			problems := len(r.problems)
			r.metric(m)
			if len(r.problems) == problems {
				r.inSegments(m)
			}
		}
	}
	switch {
	case r.given(&r.file.Metrics) && len(r.file.Metrics) == 0 && len(r.file.Presets) == 0:
		r.problemAt(&r.file.Metrics, nil, "the list is empty: give at least one metric or preset")
	case !r.written(&r.file.Metrics) && !r.written(&r.file.Presets):
		r.lacking(r.root, []string{"metrics", "presets"}, "metrics is missing: give at least one metric or preset")
	case r.given(&r.file.Presets) && len(r.file.Presets) == 0 && !r.written(&r.file.Metrics):
		r.problemAt(&r.file.Presets, nil, "the list is empty: give at least one metric or preset")
	}
	r.onceAnArm(all)
	r.gaps(all)
}

// longestName bounds a metric's name; it appears in tables and annotations.
const longestName = 120

// metric resolves one metric.
func (r *resolver) metric(m *metric) {
	switch {
	case r.given(&m.Name) && strings.TrimSpace(m.Name) == "":
		r.problemAt(&m.Name, m, "the name is empty")
	case len([]rune(m.Name)) > longestName:
		r.problemAt(&m.Name, m, "the name is longer than %d characters", longestName)
	case strings.ContainsFunc(m.Name, unicode.IsControl):
		r.problemAt(&m.Name, m, "the name contains control characters")
	}
	a := analysis.Metric{
		Name: m.Name, Direction: analysis.Direction(m.Direction), Scale: analysis.Scale(m.Scale),
		PoissonCounts: m.Counts == poissonNoise, Advisory: m.Advisory, FailOnly: m.FailOnly, Hold: m.Hold, Weight: m.Weight,
	}
	c := Metric{Name: m.Name, Unit: m.Unit, GapsOf: -1, Unlearned: m.History == learnsNothing, Provider: m.Provider, Queries: map[providers.Part]map[providers.Arm]string{}}
	if c.Provider == "" {
		c.Provider = r.file.Provider
	}
	t, known := r.types[c.Provider]
	if !known && m.Gaps == "" {
		r.noProvider([]*string{&m.Provider, &r.file.Provider}, r.places.at(m), "which provider has the metric is not said; write provider: %s", list(r.typeNames()))
	}
	r.source(m, &a, &c, t)
	r.judged(m, &a)
	r.config.Plan.Metrics = append(r.config.Plan.Metrics, a)
	r.config.Metrics = append(r.config.Metrics, c)
}

// judged resolves what is tolerated, and how much the metric weighs.
func (r *resolver) judged(m *metric, a *analysis.Metric) {
	r.tolerance(m, a)
	r.floor(m, a)
	if m.Advisory && m.FailOnly {
		r.problemAt(&m.FailOnly, m, "an advisory metric decides nothing, one that is fail_only can fail the run: leave one of them out")
	}
	switch {
	case m.Hold && m.Advisory:
		r.problemAt(&m.Hold, m, "an advisory metric decides nothing, one with hold holds the run: leave one of them out")
	case m.Hold && m.FailOnly:
		r.problemAt(&m.Hold, m, "a metric that is fail_only can fail the run, one with hold never does: leave one of them out")
	}
	if r.given(&m.Weight) && !(m.Weight > 0) {
		r.problemAt(&m.Weight, m, "the weight must be more than 0; to measure without deciding, write advisory: true")
	}
}

// tolerance resolves the change that is accepted.
func (r *resolver) tolerance(m *metric, a *analysis.Metric) {
	if !r.given(&m.Tolerance) {
		return
	}
	t := m.Tolerance
	a.Tolerance = analysis.Tolerance{Size: t.Number, Absolute: !t.Relative}
	if a.Tolerance.Size == 0 && a.MustPass() {
		r.config.Notes = append(r.config.Notes, fmt.Sprintf(
			"metric %q has a tolerance of 0: it passes only if the canary is better, or by chance", m.Name))
	}
	if a.Spikes != nil {
		r.spikesTolerance(m, a)
		return
	}
	if t.Relative {
		return
	}
	switch a.Amount() {
	case analysis.OwnUnits:
		a.Tolerance.Size = r.inUnit(m, a, &m.Tolerance, t.Number, t.Unit, "the tolerance")
	case analysis.NoAmount:
		r.problemAt(&m.Tolerance, m, "a quantile's tolerance is a share of the baseline (10%%)")
	case analysis.RatePoints:
		if t.Unit != "pt" {
			r.problemAt(&m.Tolerance, m, "a rate's tolerance is a share of the baseline (10%%) or percentage points (0.2pt), not %s", t.Unit)
		}
		a.Tolerance.Size = t.Number / 100
	}
}

// spikesTolerance resolves how many more steps of the canary may stand out.
func (r *resolver) spikesTolerance(m *metric, a *analysis.Metric) {
	if t := m.Tolerance; t.Relative || t.Unit != "pt" {
		r.problemAt(&m.Tolerance, m, "the tolerance of spikes is in percentage points of the steps: 5pt lets the canary have spikes in 5%% of them more than the baseline")
		a.Tolerance.Absolute = true
		return
	}
	a.Tolerance.Size /= 100
	plan := r.config.Plan
	if need := plan.SpikelessWindow(*a); need > plan.Steps && a.MustPass() {
		r.config.Notes = append(r.config.Notes, fmt.Sprintf(
			"metric %q can fail and cannot pass in this window, nor can the run: even without any spike it takes %d steps to show that there are at most %gpt more, and there are %d; raise window.length or the tolerance, or write fail_only: true",
			m.Name, need, m.Tolerance.Number, plan.Steps))
	}
}

// floor resolves the rate below which all is well.
func (r *resolver) floor(m *metric, a *analysis.Metric) {
	floorable := a.Counted() && !a.Tolerance.Absolute && a.Direction == analysis.Increase
	switch {
	case r.given(&m.Floor) && !floorable:
		r.problemAt(&m.Floor, m, "a floor belongs to a rate with a relative tolerance, of which an increase is bad")
	case r.given(&m.Floor):
		a.Floor = float64(m.Floor)
	case floorable:
		a.Floor = analysis.DefaultFloor
	}
}

// inUnit returns an amount in the metric's unit.
func (r *resolver) inUnit(m *metric, a *analysis.Metric, address any, number float64, unit, what string) float64 {
	to := cmp.Or(m.Unit, a.UsualUnit())
	if to == "" && strings.HasPrefix(unit, "percent") {
		r.problemAt(address, m, "%s is in %s, which is an amount: write %g%% for a share of the baseline", what, unit, number)
		return number
	}
	if to == "" {
		r.problemAt(address, m, "%s is in %s, but the metric's own unit is not known; add unit: with the unit the source gives the numbers in", what, unit)
		return number
	}
	factor, ok := convert(unit, to)
	if !ok {
		r.problemAt(address, m, "%s is in %s, which does not convert to the metric's unit %s", what, unit, to)
		return number
	}
	return number * factor
}

// gaps resolves the metrics that count another one's gaps.
func (r *resolver) gaps(all [][]metric) {
	called := func(name string) int {
		return slices.IndexFunc(r.config.Metrics, func(c Metric) bool { return c.Name == name })
	}
	for _, group := range all {
		for n := range group {
			m := &group[n]
			if m.Gaps == "" {
				continue
			}
			i, of := called(m.Name), called(m.Gaps)
			if of < 0 || of == i || !r.config.Plan.Metrics[of].Paired() {
				r.problemAt(&m.Gaps, m, "gaps: want the name of another metric that is no check, not %q", m.Gaps)
			}
			r.config.Metrics[i].GapsOf = of
		}
	}
}
