package config

import (
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/jsonschema"
	"github.com/canary-judge/canary-judge/providers"
)

// syntheticsText names synthetic tests by their public ids.
type syntheticsText struct {
	// Tests of each arm, compared in order: as many in each.
	Tests map[providers.Arm][]string
	// Tag names tests instead, the same in both arms; "" = none.
	Tag string
	// Locations whose runs are an arm's, "" for those of all.
	Locations map[providers.Arm]string
}

// triggerText says how runs are started.
type triggerText struct {
	Baseline  aimText            `yaml:"baseline" doc:"Where the baseline's runs go"`
	Canary    aimText            `yaml:"canary" doc:"Where the canary's runs go"`
	Locations []string           `yaml:"locations" otherwise:"the test's" doc:"Where the runs come from, one each in each arm" example:"[aws:eu-central-1, aws:us-east-2]"`
	Every     providers.Duration `yaml:"every" otherwise:"one step" doc:"From one batch to the next, in whole steps"`
}

// aimText is where the runs of an arm go.
type aimText struct {
	StartURL  string            `yaml:"start_url" doc:"Start URL instead of the test's own, of a browser test or an HTTP test of one request" example:"https://canary.example.com"`
	Variables map[string]string `yaml:"variables" doc:"Variables of the test to set; they are shown in reports" example:"{HOST: canary.example.com}"`
}

var (
	publicID     = regexp.MustCompile(`^[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}$`)
	locationName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:-]*$`)
)

// bind reads a list, a list for each arm, or tests, by their ids or a tag, which may have a
// location for each arm.
func (s *syntheticsText) bind(b *binder, n *yaml.Node) {
	s.Tests, s.Locations = map[providers.Arm][]string{}, map[providers.Arm]string{}
	if n.Kind == yaml.SequenceNode {
		tests := b.publicIDs(n)
		s.Tests[providers.Baseline], s.Tests[providers.Canary] = tests, tests
		return
	}
	seen := map[string]bool{}
	for _, e := range b.entries(n) {
		seen[e.key.Value] = true
		switch key := e.key.Value; key {
		case string(providers.Baseline), string(providers.Canary):
			s.Tests[providers.Arm(key)] = b.publicIDs(e.value)
		case "tests":
			tests := b.publicIDs(e.value)
			s.Tests[providers.Baseline], s.Tests[providers.Canary] = tests, tests
		case "tag":
			s.bindTag(b, e.value)
		case "locations":
			s.bindLocations(b, e.value)
		default:
			b.unknownKey(n, e.key, []string{"baseline", "canary", "tests", "tag", "locations"})
		}
	}
	arms := seen["baseline"] || seen["canary"]
	switch {
	case arms && (seen["tests"] || seen["tag"] || seen["locations"]):
		b.problem(n, "give each arm tests of its own (baseline and canary), or tests with their locations, not both")
	case seen["tests"] && seen["tag"]:
		b.problem(n, "give tests or tag, not both")
	case seen["locations"] && !seen["tests"] && !seen["tag"]:
		b.problem(n, "locations belong to tests: {tests: [abc-def-ghi], locations: {baseline: aws:eu-central-1, canary: pl:canary}}")
	case len(s.Tests[providers.Baseline]) != len(s.Tests[providers.Canary]):
		b.problem(n, "%d tests for the baseline, %d for the canary; each is compared with the one at the same place of the other list",
			len(s.Tests[providers.Baseline]), len(s.Tests[providers.Canary]))
	case !arms && !seen["tests"] && !seen["tag"]:
		b.lacking(n, []string{"baseline", "canary", "tests", "tag"}, "no tests are named")
	}
}

// bindTag reads the tag of tests.
func (s *syntheticsText) bindTag(b *binder, n *yaml.Node) {
	text, ok := b.text(n, "a tag")
	if s.Tag = strings.TrimSpace(text); ok && s.Tag == "" {
		b.problem(n, "the tag is empty")
	}
	b.places.note(&s.Tag, n)
}

// bindLocations reads a location for each arm.
func (s *syntheticsText) bindLocations(b *binder, n *yaml.Node) {
	for _, e := range b.entries(n) {
		arm := providers.Arm(e.key.Value)
		if !slices.Contains(providers.Arms, arm) {
			b.unknownKey(n, e.key, []string{"baseline", "canary"})
			continue
		}
		text, ok := b.text(e.value, "a location")
		if ok && !locationName.MatchString(text) {
			b.problem(e.value, "%q is no location; they look like aws:eu-central-1 or pl:my-location-0123", text)
		}
		s.Locations[arm] = text
	}
	for _, arm := range providers.Arms {
		if _, there := s.Locations[arm]; !there {
			b.lacking(n, []string{string(arm)}, "the location of the %s is missing", arm)
		}
	}
}

// publicIDs reads a list of tests.
func (b *binder) publicIDs(n *yaml.Node) []string {
	if n.Kind != yaml.SequenceNode {
		b.problem(n, "want a list of tests: [abc-def-ghi]")
		return nil
	}
	if len(n.Content) == 0 {
		b.problem(n, "the list of tests is empty")
	}
	var all []string
	for _, item := range n.Content {
		text, ok := b.text(item, "a test's public id")
		switch {
		case !ok:
			continue
		case !publicID.MatchString(text):
			b.problem(item, "%q is no public id of a test; they look like abc-def-ghi, and stand in the test's address", text)
		case slices.Contains(all, text):
			b.problem(item, "the test %s is there twice", text)
		}
		all = append(all, text)
	}
	return all
}

// apart makes a metric of each pair of tests, for in a sum of several a test that
// makes no runs would not be missed.
func (r *resolver) apart(groups [][]metric) [][]metric {
	all := make([][]metric, len(groups))
	for i, group := range groups {
		all[i] = r.split(group)
	}
	return all
}

// mostTagged bounds the tests of a tag: each is a metric.
const mostTagged = 50

// lookUp names the tests of a tag by their ids, also in the document that a recording
// keeps. It reports whether the metric has any.
func (r *resolver) lookUp(m *metric) bool {
	if m.Checks == nil || m.Checks.Synthetics == nil || m.Checks.Synthetics.Tag == "" {
		return true
	}
	s := m.Checks.Synthetics
	name := m.Provider
	if name == "" {
		name = r.file.Provider
	}
	settings := r.sections[name]
	switch {
	case r.types[name].Checks == nil:
		return true // reported where its queries are made
	case r.options.Tagged == nil:
		r.config.Tags = append(r.config.Tags, s.Tag)
		return false
	case len(r.problems) > 0:
		return false // nobody is asked for a config that is faulty anyway
	}
	r.complete(reflect.ValueOf(settings).Elem())
	ids, err := r.options.Tagged(name, settings, s.Tag, m.Checks.Trigger != nil)
	switch {
	case err != nil:
		r.problemAt(&s.Tag, s, "%v", err)
	case len(ids) == 0:
		r.problemAt(&s.Tag, s, "no synthetic test has the tag %s", s.Tag)
	case len(ids) > mostTagged:
		r.problemAt(&s.Tag, s, "%d synthetic tests have the tag %s, and each is a metric of its own; use one that at most %d have", len(ids), s.Tag, mostTagged)
	default:
		s.Tests[providers.Baseline], s.Tests[providers.Canary] = ids, ids
		r.places.at(s).Content = named(r.places.at(s), ids)
		return true
	}
	return false
}

// named returns the entries of a mapping with the tests' ids in place of their tag.
func named(n *yaml.Node, ids []string) []*yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, id := range ids {
		list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: id})
	}
	entries := []*yaml.Node{{Kind: yaml.ScalarNode, Value: "tests"}, list}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "tag" {
			entries = append(entries, n.Content[i], n.Content[i+1])
		}
	}
	return entries
}

// split returns the metrics with one pair of tests each.
func (r *resolver) split(group []metric) []metric {
	var all []metric
	var from []*metric
	for i := range group {
		m := &group[i]
		if !r.lookUp(m) {
			continue
		}
		if m.Checks == nil || m.Checks.Synthetics == nil || len(m.Checks.Synthetics.Tests[providers.Canary]) < 2 {
			all, from = append(all, *m), append(from, m)
			continue
		}
		s := m.Checks.Synthetics
		for n := range min(len(s.Tests[providers.Baseline]), len(s.Tests[providers.Canary])) {
			one := *m
			checks := *m.Checks
			checks.Synthetics = &syntheticsText{Locations: s.Locations, Tests: map[providers.Arm][]string{}}
			for _, arm := range providers.Arms {
				checks.Synthetics.Tests[arm] = s.Tests[arm][n : n+1]
			}
			one.Checks, one.Name = &checks, fmt.Sprintf("%s (%s)", m.Name, s.Tests[providers.Canary][n])
			r.places.same(checks.Synthetics, s)
			r.places.same(&checks, m.Checks)
			all, from = append(all, one), append(from, m)
		}
	}
	// What is found wrong later is shown by the addresses of what it is about.
	for i := range all {
		r.places.sameFields(&all[i], from[i])
	}
	return all
}

// synthetics resolves the queries for the runs of a test in each arm.
func (r *resolver) synthetics(m *metric, a *analysis.Metric, c *Metric, t providers.Type) {
	s := m.Checks.Synthetics
	switch {
	case m.Checks.Failed != nil || m.Checks.Passed != nil || m.Checks.Runs != nil:
		r.problemAt(m.Checks, m, "give synthetics or queries, not both")
		return
	case t.Checks == nil:
		r.problemAt(s, m, "%s has no synthetic tests; write provider: datadog", t.Name)
		return
	case len(s.Tests[providers.Baseline]) != 1 || len(s.Tests[providers.Canary]) != 1:
		return // reported where it was read
	}
	trigger := m.Checks.Trigger
	if trigger != nil {
		r.trigger(m, c)
	}
	failed, runs := &queryText{PerArm: map[providers.Arm]string{}}, &queryText{PerArm: map[providers.Arm]string{}}
	for _, arm := range providers.Arms {
		check := providers.Check{Test: s.Tests[arm][0], Location: s.Locations[arm]}
		if trigger != nil {
			check.Aim = trigger.aim(arm, check.Location)
		}
		// What is in it is literal: a query has variables of its own.
		failedOf, runsOf := t.Checks(check)
		failed.PerArm[arm], runs.PerArm[arm] = strings.ReplaceAll(failedOf, "$", "$$"), strings.ReplaceAll(runsOf, "$", "$$")
	}
	switch same := runs.PerArm[providers.Baseline] == runs.PerArm[providers.Canary]; {
	case same && trigger != nil:
		r.problemAt(trigger, m, "both arms' runs go to the same place; give trigger.canary, or both arms, a start_url or variables, or each arm a test of its own")
		return
	case same && r.config.Arms[providers.Baseline].Offset == 0:
		r.problemAt(s, m, "both arms read the same runs; give each arm a test of its own, {baseline: [abc-def-ghi], canary: [jkl-mno-pqr]}, or tests with locations that tell the arms apart, or the baseline an offset; or start runs aimed at each, with trigger")
		return
	}
	r.places.same(failed, s)
	r.places.same(runs, s)
	r.expand(m, a, c, failed, providers.Bad, t)
	r.expand(m, a, c, runs, providers.Total, t)
}

// aim returns where the runs of an arm go.
func (t *triggerText) aim(arm providers.Arm, location string) *providers.Aim {
	text := t.Canary
	if arm == providers.Baseline {
		text = t.Baseline
	}
	aim := providers.Aim{StartURL: text.StartURL, Variables: text.Variables, Locations: t.Locations}
	if location != "" {
		aim.Locations = []string{location}
	}
	return &aim
}

// trigger checks how runs are started, and resolves when.
func (r *resolver) trigger(m *metric, c *Metric) {
	trigger := m.Checks.Trigger
	step, every := r.config.Window.Step, time.Duration(trigger.Every)
	if !r.given(&trigger.Every) {
		every = step
	}
	switch {
	case step == 0: // reported where it was read
	case every <= 0 || every%step != 0:
		r.problemAt(&trigger.Every, trigger, "every must be a whole number of steps of %s", providers.Duration(step))
	case every/step > time.Duration(r.config.Window.Steps):
		r.problemAt(&trigger.Every, trigger, "every is longer than the window: one batch shows nothing")
	default:
		c.Every = int(every / step)
		c.Runs = len(trigger.Locations)
		if len(m.Checks.Synthetics.Locations) > 0 {
			c.Runs = 1
		}
	}
	if r.config.Arms[providers.Baseline].Offset > 0 {
		r.problemAt(trigger, m, "runs are started now, and the baseline lies back in time; drop its offset, or trigger")
	}
	if len(m.Checks.Synthetics.Locations) > 0 && len(trigger.Locations) > 0 {
		r.problemAt(&trigger.Locations, trigger, "the locations are said under synthetics already")
	}
	for i, location := range trigger.Locations {
		if !locationName.MatchString(location) || slices.Contains(trigger.Locations[:i], location) {
			r.problemAt(&trigger.Locations[i], trigger, "%q is no location, or there twice; they look like aws:eu-central-1 or pl:my-location-0123", location)
		}
	}
	for _, aim := range []*aimText{&trigger.Baseline, &trigger.Canary} {
		// Of a faulty one nothing is shown, for it may hold a password.
		u, err := url.Parse(aim.StartURL)
		switch {
		case aim.StartURL == "" && !r.given(&aim.StartURL):
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			r.secrets[r.places.at(&aim.StartURL)] = true
			r.problemAt(&aim.StartURL, trigger, "start_url: want an address such as https://canary.example.com")
		case u.User != nil:
			r.secrets[r.places.at(&aim.StartURL)] = true
			r.problemAt(&aim.StartURL, trigger, "start_url: leave the user and the password to the test in Datadog: what stands here is shown in reports")
		}
		for name := range aim.Variables {
			if strings.TrimSpace(name) == "" {
				r.problemAt(&aim.Variables, trigger, "a variable has no name")
			}
		}
	}
}

// onceAnArm notes tests that would be started twice for an arm: in a batch their runs
// could not be told apart.
func (r *resolver) onceAnArm(all [][]metric) {
	started := map[providers.Arm]map[string]*metric{providers.Baseline: {}, providers.Canary: {}}
	for _, group := range all {
		for i := range group {
			m := &group[i]
			if m.Checks == nil || m.Checks.Trigger == nil || m.Checks.Synthetics == nil {
				continue
			}
			for _, arm := range providers.Arms {
				for _, test := range m.Checks.Synthetics.Tests[arm] {
					if other := started[arm][test]; other != nil && other != m {
						r.problemAt(m.Checks.Trigger, m, "the test %s is started for the %s by the metric %q already", test, arm, other.Name)
					}
					started[arm][test] = m
				}
			}
		}
	}
}

// JSONSchema implements jsonschema.Schemer.
func (*syntheticsText) JSONSchema() *jsonschema.Schema {
	tests := &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"}}
	text := &jsonschema.Schema{Type: "string"}
	locations := &jsonschema.Schema{
		Type: "object", Required: []string{"baseline", "canary"}, AdditionalProperties: false,
		Properties: &jsonschema.Properties{{Name: "baseline", Schema: text}, {Name: "canary", Schema: text}},
	}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		tests,
		{
			Type: "object", Required: []string{"baseline", "canary"}, AdditionalProperties: false,
			Properties: &jsonschema.Properties{{Name: "baseline", Schema: tests}, {Name: "canary", Schema: tests}},
		},
		{
			Type: "object", Required: []string{"tests"}, AdditionalProperties: false,
			Properties: &jsonschema.Properties{{Name: "tests", Schema: tests}, {Name: "locations", Schema: locations}},
		},
		{
			Type: "object", Required: []string{"tag"}, AdditionalProperties: false,
			Properties: &jsonschema.Properties{{Name: "tag", Schema: text}, {Name: "locations", Schema: locations}},
		},
	}}
}
