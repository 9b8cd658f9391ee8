package config

import (
	"slices"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// source is a way to say how a metric is measured: a key of its own, of which a metric has
// exactly one.
type source struct {
	key   string
	kind  analysis.Kind
	given func(m *metric) bool
	// resolve resolves what stands below the key. The type has no name when the provider
	// is not known.
	resolve func(r *resolver, m *metric, a *analysis.Metric, c *Metric, t providers.Type)
}

var sources = []source{
	{"value", analysis.Value, func(m *metric) bool { return m.Value != nil }, (*resolver).value},
	{"ratio", analysis.Ratio, func(m *metric) bool { return m.Ratio != nil }, (*resolver).ratio},
	{"histogram", analysis.Histogram, func(m *metric) bool { return m.Histogram != nil }, (*resolver).histogram},
	{"checks", analysis.Checks, func(m *metric) bool { return m.Checks != nil }, (*resolver).checks},
	// Which metric it is whose gaps are counted is resolved when all are known.
	{"gaps", analysis.Checks, func(m *metric) bool { return m.Gaps != "" }, func(*resolver, *metric, *analysis.Metric, *Metric, providers.Type) {}},
}

// kindTexts has what each kind is called in messages, and the settings that mean something
// for it, of those that do not for every kind.
var kindTexts = map[analysis.Kind]struct {
	phrase   string
	settings []string
}{
	analysis.Value:     {"a value", []string{"unit", "scale", "judge", "spikes", "count", "quantile"}},
	analysis.Ratio:     {"a ratio", []string{"dispersion"}},
	analysis.Histogram: {"a histogram", []string{"unit", "slower_than", "quantile", "dispersion"}},
	analysis.Checks:    {"checks", nil},
}

// source resolves how a metric is measured.
func (r *resolver) source(m *metric, a *analysis.Metric, c *Metric, t providers.Type) {
	var keys []string
	var given []source
	for _, s := range sources {
		keys = append(keys, s.key)
		if s.given(m) {
			given = append(given, s)
		}
	}
	if len(given) != 1 {
		say := "metric %q: say how it is measured with exactly one of %s"
		if len(given) == 0 {
			r.lacking(r.places.at(m), keys, say, m.Name, listAnd(keys))
		} else {
			r.problemAt(m, nil, say, m.Name, listAnd(keys))
		}
		return
	}
	a.Kind = given[0].kind
	given[0].resolve(r, m, a, c, t)
	r.misplaced(m, a.Kind)
	r.unneeded(m, c)
}

func (r *resolver) value(m *metric, a *analysis.Metric, c *Metric, t providers.Type) {
	r.expand(m, a, c, m.Value, providers.Value, t)
	if m.Count != nil {
		r.expand(m, a, c, m.Count, providers.Count, t)
	}
	r.quantileOfValues(m, a, c, t)
	if m.Spikes != nil {
		r.spikes(m, a)
		return
	}
	if m.Judge != meanOfAll {
		return
	}
	if r.given(&m.Scale) && a.Scale == analysis.Logarithmic && !r.options.Literal {
		r.problemAt(&m.Scale, m, "the mean of values is compared by difference (linear); of their logarithms it is another one: leave scale out, or judge: mean")
	}
	a.Mean, a.Scale = true, analysis.Linear
}

// spikes resolves which steps of a value stand out.
func (r *resolver) spikes(m *metric, a *analysis.Metric) {
	s, bound, name := m.Spikes, m.Spikes.Above, "above"
	switch {
	case s.Above == nil && s.Below == nil:
		r.lacking(r.places.at(s), []string{"above", "below"}, "say which steps stand out with exactly one of above and below, such as above: 800ms")
		bound = &Amount{}
	case s.Above != nil && s.Below != nil:
		r.problemAt(s, m, "give exactly one of above and below")
	case s.Below != nil:
		bound, name = s.Below, "below"
	}
	a.Spikes = &analysis.Spike{Below: s.Below != nil}
	if r.given(bound) {
		a.Spikes.Bound = r.inUnit(m, a, bound, bound.number, bound.unit, "spikes: "+name)
	}
	for _, other := range []struct {
		name    string
		address any
	}{{"direction", &m.Direction}, {"scale", &m.Scale}, {"judge", &m.Judge}} {
		if r.given(other.address) {
			r.problemAt(other.address, m, "%s means nothing for spikes: more of them is worse; for those to the other side write spikes: {below: …}", other.name)
		}
	}
	a.Direction, a.Scale = analysis.Increase, analysis.Logarithmic
}

func (r *resolver) ratio(m *metric, a *analysis.Metric, c *Metric, t providers.Type) {
	a.AbsentIsZero = m.Ratio.Absent == absentZero
	if r.written(&m.Ratio.SLO) {
		r.slo(m, a, c, t)
		return
	}
	r.needs(m.Ratio.Total, "total", m.Ratio)
	q, good := r.either(m, m.Ratio, m.Ratio.Bad, m.Ratio.Good, "bad", "good")
	c.Complement = good
	r.expand(m, a, c, q, providers.Bad, t)
	r.expand(m, a, c, m.Ratio.Total, providers.Total, t)
}

// histogram resolves a histogram and where it is judged.
func (r *resolver) histogram(m *metric, a *analysis.Metric, c *Metric, t providers.Type) {
	r.expand(m, a, c, m.Histogram, providers.Buckets, t)
	a.Quantile = float64(m.Quantile)
	switch {
	case m.Quantile == noQuantile:
		r.problemAt(&m.Quantile, m, "a histogram is judged at a quantile, such as p95, or by slower_than")
	case m.Slower != nil && r.given(&m.Quantile):
		r.problemAt(&m.Quantile, m, "give slower_than or quantile, not both")
	case r.given(m.Slower):
		a.SlowerThan = r.inUnit(m, a, m.Slower, m.Slower.number, m.Slower.unit, "slower_than")
	case m.Slower != nil:
		a.SlowerThan = 1 // it cannot be read, which is told, and is not to be taken for a quantile
	case !r.written(&m.Quantile):
		r.problemAt(m.Histogram, m, "metric %q: say where the histogram is judged: slower_than: 500ms (preferred) or quantile: p95", m.Name)
	}
}

func (r *resolver) checks(m *metric, a *analysis.Metric, c *Metric, t providers.Type) {
	if m.Checks.Synthetics != nil {
		if t.Name != "" {
			r.synthetics(m, a, c, t)
		}
		return
	}
	if m.Checks.Trigger != nil {
		r.problemAt(m.Checks.Trigger, m, "trigger starts synthetic tests; name them with synthetics: [abc-def-ghi]")
	}
	r.needs(m.Checks.Runs, "runs", m.Checks)
	q, passed := r.either(m, m.Checks, m.Checks.Failed, m.Checks.Passed, "failed", "passed")
	c.Complement = passed
	r.expand(m, a, c, q, providers.Bad, t)
	r.expand(m, a, c, m.Checks.Runs, providers.Total, t)
}

// either returns the one of two queries that is given, and whether it is the second.
func (r *resolver) either(m *metric, address any, one, other *queryText, name, otherName string) (q *queryText, second bool) {
	switch {
	case one == nil && other == nil:
		r.lacking(r.places.at(address), []string{name, otherName}, "give exactly one of %s and %s", name, otherName)
		return nil, false
	case one != nil && other != nil:
		r.problemAt(address, m, "give exactly one of %s and %s", name, otherName)
		return nil, false
	case one != nil:
		return one, false
	}
	return other, true
}

// needs notes a query that is missing where others are given.
func (r *resolver) needs(q *queryText, name string, address any) {
	if q == nil {
		r.lacking(r.places.at(address), []string{name}, "%s is missing", name)
	}
}

// misplaced notes settings that mean nothing for the kind of metric. In a recording they
// meant nothing either, and did no harm.
func (r *resolver) misplaced(m *metric, kind analysis.Kind) {
	if r.options.Literal {
		return
	}
	of := kindTexts[kind]
	for _, s := range []struct {
		name    string
		address any
	}{
		{"count", m.Count}, {"slower_than", m.Slower}, {"quantile", &m.Quantile}, {"scale", &m.Scale}, {"judge", &m.Judge}, {"dispersion", &m.Counts}, {"unit", &m.Unit}, {"spikes", m.Spikes},
	} {
		if r.given(s.address) && !slices.Contains(of.settings, s.name) {
			r.problemAt(s.address, m, "%s means nothing for %s", s.name, of.phrase)
		}
	}
}
