package config

import (
	"math"
	"net/mail"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// everything has each section that a config can have, and no key that has a default.
const everything = `provider: datadog
baseline: {service: shop, version: v1}
canary: {service: shop, version: v2}
window: {step: 30s}
exposure: {share: 10%}
blast_radius: {users: latency}
guards:
  - {monitor: 123}
  - {error_tracking: 'service:shop'}
links: [{name: board, url: https://example.com}]
on_pass: {run: [promote]}
on_inconclusive: {run: [ask]}
on_fail: {revert: {author: Bot <bot@example.com>}, run: [tell]}
metrics:
  - name: errors
    ratio: {bad: 'sum:e{$arm}.as_count()', total: 'sum:h{$arm}.as_count()'}
    tolerance: 25%
  - {name: latency, value: 'avg:l{$arm}', tolerance: 10%}
  - {name: journey, checks: {synthetics: {baseline: [abc-def-ghi], canary: [jkl-mno-pqr]}, trigger: {}}, tolerance: 20pt}
  - {name: silence, gaps: latency, tolerance: 20pt}
`

// staged is a config with the keys of a ramp.
const staged = `provider: prometheus
baseline: {track: stable}
canary: {track: canary}
window: {step: 30s}
stages:
  - {share: 1%, run: [./weight.sh, '1']}
  - {share: 10%, run: [./weight.sh, '10']}
on_interrupt: {run: [./weight.sh, '0']}
metrics:
  - {name: errors, ratio: {bad: 'sum(increase(e{$arm}[$step]))', total: 'sum(increase(h{$arm}[$step]))'}, tolerance: 25%}
`

// tagged calls with each field of a config struct, and of those below it, that has a tag.
func tagged(t reflect.Type, path []string, name string, do func(path []string, text string)) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "" {
			continue
		}
		here := append(append([]string{}, path...), key)
		if text, has := f.Tag.Lookup(name); has {
			do(here, text)
		}
		tagged(f.Type, here, name, do)
	}
}

// spelled returns the document with a key written out, once for each mapping that could have
// it there.
func spelled(n any, path []string, text string) []any {
	var all []any
	switch n := n.(type) {
	case []any:
		for i, item := range n {
			for _, other := range spelled(item, path, text) {
				list := append([]any{}, n...)
				list[i] = other
				all = append(all, list)
			}
		}
	case map[string]any:
		with := func(value any) map[string]any {
			m := map[string]any{path[0]: value}
			for k, v := range n {
				if k != path[0] {
					m[k] = v
				}
			}
			return m
		}
		if len(path) == 1 {
			return []any{with(text)}
		}
		for _, other := range spelled(n[path[0]], path[1:], text) {
			all = append(all, with(other))
		}
	}
	return all
}

// Writing a default out changes nothing, wherever it can be written.
func TestADefaultIsWhatItsTagSays(t *testing.T) {
	t.Parallel()
	docs, wanted := make([]any, 2), make([]*Config, 2)
	for i, text := range []string{everything, staged} {
		var err error
		if wanted[i], err = parse(text, nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal([]byte(text), &docs[i]); err != nil {
			t.Fatal(err)
		}
	}
	tags := 0
	tagged(reflect.TypeFor[file](), nil, "default", func(path []string, text string) {
		tags++
		tried := 0
		written := spelled(docs[0], path, text)
		inTheFirst := len(written)
		for i, d := range append(written, spelled(docs[1], path, text)...) {
			want := wanted[0]
			if i >= inTheFirst {
				want = wanted[1]
			}
			out, err := yaml.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parse(string(out), nil, nil)
			if err != nil {
				continue // it means nothing for this kind of metric or guard
			}
			tried++
			got.Document = want.Document
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Link{})); diff != "" {
				t.Errorf("%s: %s is not what holds without it:\n%s", strings.Join(path, "."), text, diff)
			}
		}
		if tried == 0 {
			t.Errorf("%s: %s can be written nowhere", strings.Join(path, "."), text)
		}
	})
	if tags < 20 {
		t.Errorf("only %d defaults were found", tags)
	}
}

// A default that is told in words, because it depends on something else, holds too.
func TestADefaultInWordsHolds(t *testing.T) {
	t.Parallel()
	c, err := parse(everything, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := parse(valid, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := parse(valid+"exposure: {share: 10%}\non_fail: {revert: {}}\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := parse(strings.Replace(everything, "window: {step: 30s}", "", 1), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	coarse, err := parse(valid+"window: {step: 5m}\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	quantile, err := parse(valid+"  - {name: queue p95, value: 'queue{$arm}', tolerance: 10%}\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parse(staged, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	segmented, err := parse(valid+"each: {region: [eu, us]}\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	told, err := parse(valid+"notify: [{slack: '${env:HOOK}'}]\n", map[string]string{"HOOK": "https://hooks.slack.com/x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, shareless := parse(valid+"exposure: {tolerance: 10%}\n", nil, nil)
	kept, err := Parse("the recording's", s.Document, Options{Types: types(), Literal: true})
	if err != nil {
		t.Fatal(err)
	}
	runs := c.Metrics[2].Queries[providers.Total][providers.Canary]
	holds := map[string]struct {
		text string
		yes  bool
	}{
		"window.step":                      {"30s, or 1m with Prometheus", d.Window.Step == 30*time.Second && p.Window.Step == time.Minute},
		"window.warmup":                    {"1m, or one step; 3m, and at least three steps, where history is used", d.Window.Warmup == 2 && p.Window.Warmup == 1 && coarse.Window.Warmup == 1},
		"window.lag":                       {"by provider", c.Window.Lag == types()[0].Lag && p.Window.Lag == types()[1].Lag},
		"window.pass_after":                {"5 steps", c.Plan.PassAfter == 5 && analysis.DefaultPassAfter == 5},
		"history":                          {"four windows of both arms, for the noise; none with baseline.offset or stages", c.History.Length == 4*c.Window.Length() && !c.History.RemoveOffset && s.History == nil},
		"stages.run":                       {"none, in the config that a recording keeps", s.Stages[1].Set.Args[1] == "10" && kept.Stages[1].Set == nil},
		"stages.at_least":                  {"5 steps", s.Plan.Ramp.Stages[0].Steps == 5},
		"stages.warmup":                    {"the window's", s.Stages[1].Warmup == time.Minute},
		"exposure.share":                   {"the stage's; without stages it has to be given", shareless != nil && s.Plan.Exposure.Share == 0 && s.Plan.Exposure.Tolerance == 0.2},
		"blast_radius.at_most":             {"a tenth of a day's error budget at 99.9%: 0.144 minutes of all requests", s.Plan.Ramp.AtMost == 0 && math.Abs(s.Plan.Ramp.Budget-2*0.1*0.001*24*60) < 1e-9},
		"notify.on":                        {"verdict and trouble", slices.Equal(told.Notify[0].On, []Event{AtVerdict, AtTrouble})},
		"exposure.metric":                  {"the first ratio", c.Plan.Exposure.Metric == 0},
		"metrics.provider":                 {"the config's", c.Metrics[0].Provider == "datadog"},
		"metrics.each":                     {"the config's", len(segmented.Metrics) == 3 && segmented.Metrics[2].Of == "errors"},
		"metrics.floor":                    {"0.1% for rates with a relative tolerance", c.Plan.Metrics[0].Floor == 0.001 && c.Plan.Metrics[1].Floor == 0 && c.Plan.Metrics[2].Floor == 0},
		"metrics.quantile":                 {"of a value, as the query or the name says", quantile.Plan.Metrics[1].Quantile == 0.95},
		"metrics.checks.trigger.locations": {"the test's", runs != "" && !strings.Contains(runs, "aws:")},
		"metrics.checks.trigger.every":     {"one step", c.Metrics[2].Every == 1},
		"guards.provider":                  {"the config's", c.Guards[0].Provider == "datadog"},
		"blast_radius.requests":            {"the metric that failed, or the first ratio", c.Blast.Requests == ""},
		"on_fail.revert.branch":            {"named as the one that is checked out", bare.Actions.Revert.Branch == ""},
		"on_fail.revert.forge":             {"by the remote's address and the CI", bare.Actions.Revert.Forge == AnyForge},
		"on_fail.revert.base":              {"the branch", bare.Actions.Revert.Base == ""},
		"on_fail.revert.author":            {"git's own settings, or canary-judge", bare.Actions.Revert.Author == mail.Address{}},
	}
	tagged(reflect.TypeFor[file](), nil, "otherwise", func(path []string, text string) {
		key := strings.Join(path, ".")
		if h := holds[key]; h.text != text {
			t.Errorf("%s: it says %q, and tested is %q", key, text, h.text)
		} else if !h.yes {
			t.Errorf("%s: %q does not hold", key, text)
		}
		delete(holds, key)
	})
	for key := range holds {
		t.Errorf("%s has no default", key)
	}
}

// Who judges without a config has the same defaults.
func TestDefaultsAreThoseOfThePlan(t *testing.T) {
	t.Parallel()
	c, err := parse(valid, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Plan.FalseAlarm != analysis.DefaultFalseAlarm || c.Plan.WrongPass != analysis.DefaultWrongPass {
		t.Errorf("a config has the rates %g and %g, a plan %g and %g", c.Plan.FalseAlarm, c.Plan.WrongPass, analysis.DefaultFalseAlarm, analysis.DefaultWrongPass)
	}
}
