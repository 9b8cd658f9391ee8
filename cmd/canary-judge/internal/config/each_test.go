package config

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
)

const segmented = `provider: prometheus
baseline: {app: shop}
canary: {app: shop-canary}
each: {region: [eu, 'u"s\{'], endpoint: [/cart]}
metrics:
  - name: errors
    ratio:
      bad: sum(increase(errors_total{$arm}[$step]))
      total: sum(increase(requests_total{$arm}[$step]))
    tolerance: 25%
    weight: 3
  - name: latency
    value: avg(latency{$arm,$segment} * on () group_left () limit{$arm})
    each: {region: [eu], required: true}
    shared: [limit]
    tolerance: 0
    fail_only: true
  - {name: queue, value: 'avg(queue{app="$arm.app", $segment})', each: off, tolerance: 10%}
  - {name: memory, value: 'avg(memory{$segment,$arm})', advisory: true, tolerance: 10%}
  - {name: silence, gaps: errors, tolerance: 10pt}
`

// A metric is one over all, and one in each segment: the same but for its queries, its name, and its
// share of the false-alarm rate, of which half is for the whole.
func TestSegments(t *testing.T) {
	t.Parallel()
	// limit is asked with $arm beside a $segment elsewhere: it is the same in every segment, as shared
	// says, and not in both arms.
	c, err := parse(strings.NewReplacer("tolerance: 0\n", "tolerance: 5%\n", "    shared: [limit]\n", "", "limit{$arm}", "limit{$arm,$segment}").Replace(segmented), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, m := range c.Metrics {
		a := c.Plan.Metrics[i]
		if a.Name != m.Name || a.Of != m.Of {
			t.Errorf("the plan has %q of %q, its source is %q of %q", a.Name, a.Of, m.Name, m.Of)
		}
		part := providers.Value
		if m.Queries[providers.Total] != nil {
			part = providers.Total
		}
		got = append(got, fmt.Sprintf("%s|%s|%s=%s|%.4g|%v %v|%s", m.Name, m.Of, m.Segment.Name, m.Segment.Value, a.Weight, a.FailOnly, a.Advisory, m.Queries[part][providers.Canary]))
	}
	want := []string{
		`errors||=|1.5|false false|sum(increase(requests_total{app="shop-canary"}[60s]))`,
		`errors in region=eu|errors|region=eu|0.5|true false|sum(increase(requests_total{app="shop-canary",region="eu"}[60s]))`,
		`errors in region=u"s\{|errors|region=u"s\{|0.5|true false|sum(increase(requests_total{app="shop-canary",region="u\"s\\{"}[60s]))`,
		`errors in endpoint=/cart|errors|endpoint=/cart|0.5|true false|sum(increase(requests_total{app="shop-canary",endpoint="/cart"}[60s]))`,
		`latency||=|0.5|true false|avg(latency{app="shop-canary"} * on () group_left () limit{app="shop-canary"})`,
		`latency in region=eu|latency|region=eu|0.5|true false|avg(latency{app="shop-canary",region="eu"} * on () group_left () limit{app="shop-canary",region="eu"})`,
		`queue||=|1|false false|avg(queue{app="shop-canary"})`,
		`memory||=|0.5|false true|avg(memory{app="shop-canary"})`,
		`memory in region=eu|memory|region=eu|0.1667|false true|avg(memory{region="eu",app="shop-canary"})`,
		`memory in region=u"s\{|memory|region=u"s\{|0.1667|false true|avg(memory{region="u\"s\\{",app="shop-canary"})`,
		`memory in endpoint=/cart|memory|endpoint=/cart|0.1667|false true|avg(memory{endpoint="/cart",app="shop-canary"})`,
		`silence||=|1|false false|`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if gaps := c.Metrics[len(c.Metrics)-1].GapsOf; gaps != 0 {
		t.Errorf("silence counts the gaps of metric %d", gaps)
	}
	again, err := Parse("the recording's", c.Document, Options{Types: types(), Literal: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Plan, again.Plan); diff != "" {
		t.Error("the recording's config is another:", diff)
	}
}

// With segments the metrics of a config have the shares of the false-alarm rate that they have without.
func TestSegmentsShareAWeight(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("each: off, ", "", "    shared: [limit]\n", "", ",$segment} * on () group_left () limit{$arm}", "}", "tolerance: 0\n", "tolerance: 5%\n").Replace(segmented)
	c, err := parse(text, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, of := 0.0, map[string]float64{}
	for _, m := range c.Plan.Metrics {
		if m.Advisory {
			continue
		}
		all += m.Weight
		if m.Of != "" {
			of[m.Of] += m.Weight
		}
	}
	// errors has the weight 3, latency, queue and silence have 1.
	if math.Abs(all-6) > 1e-12 || math.Abs(of["errors"]-1.5) > 1e-12 || math.Abs(of["queue"]-0.5) > 1e-12 {
		t.Errorf("the weights come to %g, those of the segments to %v", all, of)
	}
}

// What is to be known of a metric is said of it, and not once more a segment.
func TestSegmentsAreNotToldOfTwice(t *testing.T) {
	t.Parallel()
	c, err := parse(`provider: prometheus
baseline: {app: shop}
canary: {app: shop-canary}
each: {region: [eu, us]}
metrics:
  - {name: queue p99, value: 'avg(jobs_total{$arm})', tolerance: 0%}
`, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Notes) != 1 || len(c.Metrics) != 3 || len(c.Metrics[0].Doubts) == 0 || len(c.Metrics[1].Doubts) > 0 {
		t.Errorf("%d notes: %q; %d doubts, and %d of a segment", len(c.Notes), c.Notes, len(c.Metrics[0].Doubts), len(c.Metrics[1].Doubts))
	}
}

// The empty value is a segment where it is named: that of what has no such label.
func TestSegmentWithoutTheLabel(t *testing.T) {
	t.Parallel()
	c, err := parse(valid+"each: {region: ['']}\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := c.Metrics[1]
	if m.Name != `errors in region=""` || !strings.Contains(m.Queries[providers.Total][providers.Canary], `region=""`) {
		t.Errorf("%s: %s", m.Name, m.Queries[providers.Total][providers.Canary])
	}
}

// Beside Prometheus's, Datadog's queries have the tag of the segment where the arm's stand, as the place
// needs it; what is no tag's value is refused.
func TestSegmentsOfDatadog(t *testing.T) {
	t.Parallel()
	const head = "provider: datadog\nbaseline: {service: shop}\ncanary: {service: shop-canary}\n"
	for _, tt := range []struct{ query, want, whole string }{
		{"avg:queue{$arm}", "avg:queue{service:shop-canary,region:eu-1}", "avg:queue{service:shop-canary}"},
		{"avg:queue{(a:b OR c:d) AND $arm}", "avg:queue{(a:b OR c:d) AND service:shop-canary AND region:eu-1}", "avg:queue{(a:b OR c:d) AND service:shop-canary}"},
		{"avg:queue{$arm AND NOT (a:b) AND $segment}", "avg:queue{service:shop-canary AND NOT (a:b) AND region:eu-1}", "avg:queue{service:shop-canary AND NOT (a:b)}"},
		{"avg:queue{$segment,$arm}", "avg:queue{region:eu-1,service:shop-canary}", "avg:queue{service:shop-canary}"},
	} {
		c, err := parse(head+"each: {region: [EU-1]}\nmetrics:\n  - {name: queue, value: '"+tt.query+"', tolerance: 10%}\n", nil, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.query, err)
			continue
		}
		whole, part := c.Metrics[0].Queries[providers.Value][providers.Canary], c.Metrics[1].Queries[providers.Value][providers.Canary]
		if whole != tt.whole || part != tt.want {
			t.Errorf("%s: %s and %s, want %s and %s", tt.query, whole, part, tt.whole, tt.want)
		}
	}
	for _, value := range []string{"e u", "eu,us", "eu} OR {a:b", "*", ""} {
		_, err := parse(head+fmt.Sprintf("each: {region: [%q]}\nmetrics:\n  - {name: queue, value: 'avg:queue{$arm}', tolerance: 10%%}\n", value), nil, nil)
		if err == nil || !strings.Contains(err.Error(), "each:") {
			t.Errorf("%q is a segment: %v", value, err)
		}
	}
}

// There are as many segments as can be judged with some share of the error rate.
func TestMostSegments(t *testing.T) {
	t.Parallel()
	var values []string
	for i := range mostSegments + 1 {
		values = append(values, fmt.Sprint("r", i))
	}
	if _, err := parse(valid+"each: {region: ["+strings.Join(values[1:], ", ")+"]}\n", nil, nil); err != nil {
		t.Error(err)
	}
	_, err := parse(valid+"each: {region: ["+strings.Join(values, ", ")+"]}\n", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "these are 51 segments") {
		t.Error(err)
	}
}
