package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
)

const starred = `provider: prometheus
prometheus: {url: "http://prometheus:9090"}
baseline: {app: shop}
canary: {app: shop-canary}
each: {region: "*", endpoint: [/cart]}
metrics:
  - {name: latency, value: 'avg(latency{$arm})', tolerance: 10%}
  - name: errors
    ratio:
      bad: sum(increase(errors_total{$arm}[$step]))
      total: sum(increase(requests_total{$arm}[$step]))
    tolerance: 25%
  - name: slow
    histogram: sum by (le) (increase(latency_bucket{$arm}[$step]))
    slower_than: 500ms
    tolerance: 25%
    each: {zone: "*", rack: "*"}
`

// starredWith reads it with what a source has of each label, and returns what that was asked.
func starredWith(t *testing.T, text string, has map[string][]string, fail error) (*Config, []string, error) {
	t.Helper()
	var asked []string
	c, err := Parse("canary.yaml", []byte(text), Options{Types: types(), Env: map[string]string{}, Segments: func(provider string, settings any, label string, queries []providers.Query) ([]string, error) {
		for _, q := range queries {
			asked = append(asked, fmt.Sprint(provider, " ", label, ": ", q.Metric, " ", q.Arm, " ", q.Part, " ", q.Expr))
		}
		if settings == nil {
			t.Errorf("%s is asked without settings", provider)
		}
		return has[label], fail
	}})
	return c, asked, err
}

// segmentsOf lists the segments of a metric.
func segmentsOf(c *Config, metric string) []string {
	var all []string
	for _, m := range c.Metrics {
		if m.Of == metric {
			all = append(all, m.Segment.Name+"="+m.Segment.Value)
		}
	}
	return all
}

// A star asks the source once for each label, by what counts the requests of the metrics, and what a
// recording keeps names what was found.
func TestStar(t *testing.T) {
	t.Parallel()
	c, asked, err := starredWith(t, starred, map[string][]string{"region": {"eu", "u\"s{", "", strings.Repeat("x", 101), "eu"}, "zone": {"1"}, "rack": {"*", "off"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"prometheus region: latency baseline value avg(latency{app=\"shop\"})",
		"prometheus region: latency canary value avg(latency{app=\"shop-canary\"})",
		"prometheus region: errors baseline total sum(increase(requests_total{app=\"shop\"}[60s]))",
		"prometheus region: errors canary total sum(increase(requests_total{app=\"shop-canary\"}[60s]))",
		"prometheus zone: slow baseline buckets sum by (le) (increase(latency_bucket{app=\"shop\"}[60s]))",
		"prometheus zone: slow canary buckets sum by (le) (increase(latency_bucket{app=\"shop-canary\"}[60s]))",
		"prometheus rack: slow baseline buckets sum by (le) (increase(latency_bucket{app=\"shop\"}[60s]))",
		"prometheus rack: slow canary buckets sum by (le) (increase(latency_bucket{app=\"shop-canary\"}[60s]))",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for metric, want := range map[string][]string{
		"latency": {"region=eu", "region=u\"s{", "endpoint=/cart"},
		"errors":  {"region=eu", "region=u\"s{", "endpoint=/cart"},
		"slow":    {"zone=1", "rack=*", "rack=off"},
	} {
		if diff := cmp.Diff(want, segmentsOf(c, metric)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", metric, diff)
		}
	}
	again, err := Parse("recorded", c.Document, Options{Types: types(), Literal: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Plan, again.Plan); diff != "" {
		t.Errorf("what is recorded judges otherwise (-run +replay)\n%s", diff)
	}
	if len(again.SegmentsOf) > 0 {
		t.Errorf("a recording asks for %v", again.SegmentsOf)
	}
}

// Of many values the first are judged, which have the most requests, and the rest is told.
func TestStarOfMany(t *testing.T) {
	t.Parallel()
	var regions []string
	for i := range 80 {
		regions = append(regions, fmt.Sprint("r", i))
	}
	c, _, err := starredWith(t, starred, map[string][]string{"region": regions, "zone": regions, "rack": {"a"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := segmentsOf(c, "errors"); len(got) != 50 || got[48] != "region=r48" || got[49] != "endpoint=/cart" {
		t.Errorf("%d segments: %v", len(got), got)
	}
	if got := segmentsOf(c, "slow"); len(got) != 26 { // each of two stars may have half
		t.Errorf("%d segments: %v", len(got), got)
	}
	if !slices.ContainsFunc(c.Notes, func(n string) bool {
		return strings.HasPrefix(n, "80 values of region were found, and at most 50 segments are judged: the smallest are judged over all alone: r49, r50, r51, r52, r53 and 26 more")
	}) {
		t.Errorf("notes %q", c.Notes)
	}
}

// What cannot be looked up ends the run before it begins.
func TestStarWithoutValues(t *testing.T) {
	t.Parallel()
	if _, _, err := starredWith(t, starred, nil, nil); err == nil || !strings.Contains(err.Error(), `canary.yaml:5:16: what the metrics select has had no value of region: write the values that are segments`) {
		t.Errorf("%v", err)
	}
	if _, _, err := starredWith(t, starred, nil, errors.New("down")); err == nil || !strings.Contains(err.Error(), "canary.yaml:5:16: down") {
		t.Errorf("%v", err)
	}
	// Where nobody can be asked the metrics are judged over all, and that is told.
	c, err := Parse("canary.yaml", []byte(starred), Options{Types: types(), Env: map[string]string{}})
	if err != nil || !slices.Equal(c.SegmentsOf, []string{"region", "zone", "rack"}) || len(segmentsOf(c, "slow")) > 0 {
		t.Errorf("%+v, %v", c, err)
	}
	// A faulty config asks nobody.
	_, asked, err := starredWith(t, strings.Replace(starred, "tolerance: 25%", "tolerance: 25", 1), nil, nil)
	if err == nil || len(asked) > 0 {
		t.Errorf("%v, %v", asked, err)
	}
}
