package config

import (
	"strings"
	"testing"
	"time"
)

// linked is a config with a link to an address.
func linked(address string) string {
	return "provider: datadog\nbaseline: {service: shop, version: v1}\ncanary: {service: shop, version: 'v2/x:1'}\nmetrics:\n" +
		"  - {name: m, value: 'avg:x{$arm}', tolerance: 10%}\nlinks:\n  - {name: Dashboard, url: '" + address + "'}\n"
}

func TestLinks(t *testing.T) {
	t.Parallel()
	c, err := parse(linked("https://app.example/d/a?from=$start&to=$end&v=$canary.version&b=$baseline.version"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	// A replay reads the document, and must come to the same.
	again, err := Parse("recorded", c.Document, Options{Types: types(), Literal: true})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for _, c := range []*Config{c, again} {
		got := c.Links[0].Over(start, start.Add(30*time.Minute))
		if want := "https://app.example/d/a?from=1795428000000&to=1795429800000&v=v2%2Fx%3A1&b=v1"; got != want || c.Links[0].Name != "Dashboard" {
			t.Errorf("%s: %s, want %s", c.Links[0].Name, got, want)
		}
	}
	for address, want := range map[string]string{
		"https://a.example/?from=$from":     "7:28: $from is not known here; a link knows $start, $end, $baseline.LABEL and $canary.LABEL",
		"https://a.example/?v=$canary.pod":  `7:28: the canary has no label "pod"`,
		"https://a.example/?v=$canary":      `the canary has no label ""`,
		"https://a.example/?v=$start.x":     "$start.x is not known here",
		"javascript:alert(1)":               "want the address of a page",
		"dashboard/abc":                     "want the address of a page",
		"https://me:hunter2@a.example/dash": "leave the user and the password out",
	} {
		if _, err := parse(linked(address), nil, nil); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}
