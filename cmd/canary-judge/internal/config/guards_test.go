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
	text := checksOnly(concurrent, "{baseline: [abc-def-ghi], canary: [jkl-mno-pqr]}") + "guards: [{monitor: 12345}, {monitor: '2', provider: datadog}]\n"
	c, err := parse(text, nil, nil)
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
		"[{monitor: 12345}]":                                                 "11:10: a guard is a monitor of Datadog; write provider: datadog beside it",
		"[{monitor: 12345, provider: graphite}]":                             `unknown provider "graphite"`,
		"[{monitor: 'service:x', provider: datadog}]":                        `"service:x" is no id of a monitor`,
		"[{monitor: ../validate, provider: datadog}]":                        "is no id of a monitor",
		"[{monitor: 1, provider: datadog}, {monitor: 1, provider: datadog}]": "the monitor 1 is there twice",
		"[{provider: datadog}]":                                              "monitor is missing",
		"[{monitors: 1}]":                                                    `unknown key "monitors"; did you mean monitor?`,
		"{monitor: 1}":                                                       "want a list",
	} {
		if _, err := parse(valid+"guards: "+guards+"\n", nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", guards, err, want)
		}
	}
}
