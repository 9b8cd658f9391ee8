package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog"
)

func TestGuards(t *testing.T) {
	t.Parallel()
	text := checksOnly(concurrent, "{baseline: [abc-def-ghi], canary: [jkl-mno-pqr]}") + "guards: [{monitor: 12345}, {monitor: '2', provider: datadog}, {monitors: ' tag:\"team:${team}\" $$x '}]\n"
	c, err := parse(text, nil, map[string]string{"team": "shop"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("recorded", c.Document, Options{Types: types(), Literal: true})
	if err != nil {
		t.Fatal(err)
	}
	labels := []providers.Label{{Name: "service", Value: "shop-canary"}}
	want := []Guard{
		{"datadog", providers.Guard{Name: "monitor 12345", ID: "12345", Labels: labels}},
		{"datadog", providers.Guard{Name: "monitor 2", ID: "2", Labels: labels}},
		{"datadog", providers.Guard{Name: `monitors (tag:"team:shop" $x)`, Search: `tag:"team:shop" $x`, Labels: labels}},
	}
	if diff := cmp.Diff(want, c.Guards) + cmp.Diff(want, again.Guards); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// The metrics' provider may be another one; the keys are needed all the same.
	other, err := parse(valid+"guards: [{monitor: 12345, provider: datadog}]\n", map[string]string{"DD_API_KEY": "a"}, nil)
	if err != nil || other.Settings["datadog"] == nil || other.Settings["prometheus"] == nil {
		t.Errorf("settings %v, %v", other, err)
	}
}

// A provider that is to do something is in use where nothing is fetched from it, and its
// keys are needed; one that would only be fetched from is not.
func TestProvidersThatAct(t *testing.T) {
	t.Parallel()
	for section, used := range map[string]bool{
		"{dora: {}}": true, "{dora: {env: prod}}": true, "{events: true}": true,
		"{events: false}": false, "{site: datadoghq.eu}": false, "{}": false,
	} {
		c, err := parse(valid+"datadog: "+section+"\n", map[string]string{"DD_API_KEY": "a"}, nil)
		if err != nil || (c.Settings["datadog"] != nil) != used || c.Settings["prometheus"] == nil {
			t.Errorf("%s: settings %v, %v", section, c, err)
			continue
		}
		if used && c.Settings["datadog"].(*datadog.Settings).APIKey != "a" {
			t.Errorf("%s: the environment is not asked", section)
		}
	}
}

func TestGuardsMistakes(t *testing.T) {
	t.Parallel()
	for guards, want := range map[string]string{
		"[{monitor: 12345}]":                                                      "11:10: guards are Datadog's; write provider: datadog beside it",
		"[{monitor: 12345, provider: graphite}]":                                  `unknown provider "graphite"`,
		"[{monitor: 'service:x', provider: datadog}]":                             `"service:x" is no id of a monitor`,
		"[{monitor: ../validate, provider: datadog}]":                             "is no id of a monitor",
		"[{monitor: 1, provider: datadog}, {monitor: 1, provider: datadog}]":      "the guard monitor 1 is there twice",
		"[{provider: datadog}]":                                                   "11:10: want one of these: monitor, an id; monitors, a search; or error_tracking, a search",
		"[{monitor: 1, monitors: 'team:x', provider: datadog}]":                   "11:10: want one of these: monitor, an id; monitors, a search; or error_tracking, a search",
		"[{provider: datadog, monitors: ''}]":                                     "11:40: the search is empty",
		"[{provider: datadog, monitors: \"a\\nb\"}]":                              "11:40: the search is more than one line of printable text",
		"[{provider: datadog, monitors: $arm}]":                                   "11:40: $arm has no meaning in a guard",
		"[{provider: datadog, monitors: {tags: [a]}}]":                            "want a text, not a mapping",
		"[{provider: datadog, monitors: '${nobody}'}]":                            "the variable nobody is not set",
		"[{provider: datadog, monitors: a}, {provider: datadog, monitors: 'a '}]": "11:44: the guard monitors (a) is there twice",
		"[{moniter: 1}]": `unknown key "moniter"; did you mean monitor?`,
		"{monitor: 1}":   "want a list",
	} {
		if _, err := parse(valid+"guards: "+guards+"\n", nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", guards, err, want)
		}
	}
}

func TestErrorTracking(t *testing.T) {
	t.Parallel()
	const text = "provider: datadog\nbaseline: {service: shop, version: v1}\ncanary: {service: shop, Version: V2}\n" +
		"metrics: [{name: m, value: 'avg:x{$arm}', tolerance: 10%}]\nguards: "
	labels := []providers.Label{{Name: "service", Value: "shop"}, {Name: "Version", Value: "V2"}}
	c, err := parse(text+"[{error_tracking: 'service:shop'}, {error_tracking: 'service:shop', track: logs, at_least: 3, absent: zero}]\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("recorded", c.Document, Options{Types: types(), Literal: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []Guard{
		{"datadog", providers.Guard{Name: "error tracking of trace (service:shop)", Labels: labels, Errors: &providers.NewErrors{
			Search: "service:shop", Track: "trace", Version: "V2", AtLeast: 10,
		}}},
		{"datadog", providers.Guard{Name: "error tracking of logs (service:shop)", Labels: labels, Errors: &providers.NewErrors{
			Search: "service:shop", Track: "logs", Version: "V2", AtLeast: 3, AbsentIsZero: true,
		}}},
	}
	if diff := cmp.Diff(want, c.Guards) + cmp.Diff(want, again.Guards); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, tt := range []struct{ guard, canary, want string }{
		{"{error_tracking: x}", "{service: y}", "5:27: an issue is new by the version it was first seen in, and the canary has no label version; add it to canary"},
		{"{error_tracking: x}", "{service: shop, version: V1}", "5:27: an issue is new by the version it was first seen in, and both arms are of the version V1; give each its own"},
		{"{error_tracking: x}", "{service: shop, version: 'a b'}", `5:27: version: "a b" cannot be a tag's value`},
		{"{error_tracking: x}", "{service: shop-canary, version: v2}", "5:27: Error Tracking keeps the issues of services apart"},
		{"{error_tracking: 'service:shop (env:a OR version:v2)'}", "{service: shop, version: v2}", "5:27: leave the version out of the search"},
		{"{error_tracking: ''}", "{service: shop, version: v2}", "5:27: the search is empty"},
		{"{error_tracking: x, track: apm}", "{service: shop, version: v2}", `5:37: "apm" is no track; did you mean trace? (valid: trace, logs or rum)`},
		{"{error_tracking: x, at_least: 0}", "{service: shop, version: v2}", `5:40: "0" is no whole number from 1`},
		{"{error_tracking: x, at_least: 2.5}", "{service: shop, version: v2}", `5:40: "2.5" is no whole number from 1`},
		{"{error_tracking: x, absent: none}", "{service: shop, version: v2}", `"none" is no meaning of absent events; valid: unknown or zero`},
		{"{monitor: 1, at_least: 3}", "{service: shop, version: v2}", "5:33: track, at_least and absent belong to error_tracking"},
		{"{error_tracking: x, monitor: 3}", "{service: shop, version: v2}", "5:10: want one of these"},
		{"{error_tracking: x}, {error_tracking: x, at_least: 3}", "{service: shop, version: v2}", "5:31: the guard error tracking of trace (x) is there twice"},
	} {
		changed := strings.Replace(text, "{service: shop, Version: V2}", tt.canary, 1)
		if _, err := parse(changed+"["+tt.guard+"]\n", nil, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %s: %v, want %q", tt.guard, tt.canary, err, tt.want)
		}
	}
}
