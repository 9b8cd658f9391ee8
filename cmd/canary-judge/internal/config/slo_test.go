package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
)

// sloOnly is a config whose metric is the given ratio.
func sloOnly(ratio string) string {
	return "provider: datadog\nbaseline: {service: shop, version: v1}\ncanary: {service: shop, version: v2}\nmetrics:\n" +
		"  - name: availability\n    ratio: " + ratio + "\n    tolerance: 25%\n"
}

func TestSLOsBecomeQueries(t *testing.T) {
	t.Parallel()
	c, err := parse(sloOnly("{slo: 0123456789abcdef0123456789abcdef, absent: zero}"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	// A replay reads the document, and must come to the same.
	again, err := Parse("recorded", c.Document, Options{Types: types(), Literal: true})
	if err != nil {
		t.Fatal(err)
	}
	const baseline, canary = `slo("0123456789abcdef0123456789abcdef","service:shop,version:v1")`, `slo("0123456789abcdef0123456789abcdef","service:shop,version:v2")`
	want := map[providers.Part]map[providers.Arm]string{
		providers.Bad:   {providers.Baseline: baseline + ".bad()", providers.Canary: canary + ".bad()"},
		providers.Total: {providers.Baseline: baseline + ".total()", providers.Canary: canary + ".total()"},
	}
	for _, c := range []*Config{c, again} {
		if diff := cmp.Diff(want, c.Metrics[0].Queries); diff != "" || c.Metrics[0].Complement || !c.Plan.Metrics[0].AbsentIsZero {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestSLOMistakes(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef0123456789abcdef"
	for ratio, want := range map[string]string{
		"{slo: shop}":                             `6:18: "shop" is no id of an SLO; it has 32 hexadecimal digits, and stands in the SLO's address`,
		"{slo: " + strings.ToUpper(id) + "}":      "is no id of an SLO",
		"{slo: " + id + "0}":                      "is no id of an SLO",
		"{slo: ''}":                               `"" is no id of an SLO`,
		"{slo: [" + id + "]}":                     "want a text, not a list",
		"{slo: {baseline: " + id + "}}":           "want a text, not a mapping",
		"{slo: " + id + ", bad: 'sum:a{$arm}'}":   "6:12: give slo or queries, not both",
		"{slo: " + id + ", good: 'sum:a{$arm}'}":  "give slo or queries, not both",
		"{slo: " + id + ", total: 'sum:a{$arm}'}": "give slo or queries, not both",
		"{slo: " + id + ", id: a}":                `unknown key "id"`,
		"{bad: 'sum:a{$arm}.as_count()'}":         "6:12: total is missing",
		"{absent: zero}":                          "total is missing",
	} {
		t.Run(ratio, func(t *testing.T) {
			t.Parallel()
			_, err := parse(sloOnly(ratio), nil, nil)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		})
	}
	text := sloOnly("{slo: " + id + "}")
	if _, err := parse(strings.Replace(text, "provider: datadog", "provider: prometheus", 1), nil, nil); err == nil || !strings.Contains(err.Error(), "6:18: prometheus has no SLOs; write provider: datadog") {
		t.Errorf("with Prometheus: %v", err)
	}
	// A label that no tag can be is shown at the SLO, once.
	if _, err := parse(strings.Replace(text, "v2", "'v 2'", 1), nil, nil); err == nil || strings.Count(err.Error(), `6:18: version: "v 2" cannot be a tag's value`) != 1 {
		t.Errorf("a label: %v", err)
	}
	if _, err := parse(strings.Replace(text, "v2", "v1", 1), nil, nil); err == nil || strings.Count(err.Error(), "canary.yaml:") != 1 || !strings.Contains(err.Error(), "the arms have the same labels") {
		t.Errorf("the same arms: %v", err)
	}
}
