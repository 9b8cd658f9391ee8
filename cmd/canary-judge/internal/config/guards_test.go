package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
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

func TestGuardsMistakes(t *testing.T) {
	t.Parallel()
	for guards, want := range map[string]string{
		"[{monitor: 12345}]":                                                      "11:10: guards are Datadog's; write provider: datadog beside it",
		"[{monitor: 12345, provider: graphite}]":                                  `unknown provider "graphite"`,
		"[{monitor: 'service:x', provider: datadog}]":                             `"service:x" is no id of a monitor`,
		"[{monitor: ../validate, provider: datadog}]":                             "is no id of a monitor",
		"[{monitor: 1, provider: datadog}, {monitor: 1, provider: datadog}]":      "the guard monitor 1 is there twice",
		"[{provider: datadog}]":                                                   "11:10: want one of these: monitor, an id, or monitors, a search",
		"[{monitor: 1, monitors: 'team:x', provider: datadog}]":                   "11:10: want one of these: monitor, an id, or monitors, a search",
		"[{provider: datadog, monitors: ''}]":                                     "11:40: the search is empty",
		"[{provider: datadog, monitors: \"a\\nb\"}]":                              "11:40: the search is more than one line of printable text",
		"[{provider: datadog, monitors: $arm}]":                                   "11:40: $arm has no meaning in a guard",
		"[{provider: datadog, monitors: {tags: [a]}}]":                            "want a text, not a mapping",
		"[{provider: datadog, monitors: '${nobody}'}]":                            "the variable nobody is not set",
		"[{provider: datadog, monitors: a}, {provider: datadog, monitors: 'a '}]": "11:44: the guard monitors (a) is there twice",
		"[{moniter: 1}]": `unknown key "moniter"; did you mean monitor? (valid: monitor, monitors, provider)`,
		"{monitor: 1}":   "want a list",
	} {
		if _, err := parse(valid+"guards: "+guards+"\n", nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", guards, err, want)
		}
	}
}
