package config

import (
	"strings"
	"testing"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog"
)

// Each scope of a query of Datadog has the arm; and bad events that a query makes zero say
// nothing.
func TestDatadogsQueries(t *testing.T) {
	t.Parallel()
	const errs, hits = "sum:errors{$arm}.as_count()", "sum:hits{$arm}.as_count()"
	for _, tt := range []struct {
		arms, metric string
		zeros        bool
		want         string // of the error; "" for none
	}{
		{"", "value: 'avg:lat{$arm} / avg:lat{env:prod}'", false, "lat{env:prod} is the same in both arms: put $arm into it, or write shared: [lat]"},
		{"", "value: 'avg:lat{$arm} / avg:base{env:prod}', shared: [base]", false, ""},
		{"", "value: 'avg:lat{$arm} / avg:base{env:prod,a:b}', shared: ['base{env:prod, a:b}']", false, ""},
		{"", "value: 'avg:lat{version:$arm.version}'", false, ""},
		{"", "value: 'avg:lat{service:$arm.service}'", false, "both arms ask the same"},
		{"", "value: 'avg:lat{$arm} - avg:lat{service:$arm.service}'", false, "lat{service:shop} is the same in both arms"},
		{"", "value: 'avg:lat{env:prod OR version:$arm.version}'", false, "holds for one side of OR only"},
		{"", "value: 'avg:lat{(env:prod AND $arm) OR env:dev}'", false, "the arm holds for one side of OR only"},
		{"", "ratio: {bad: '" + errs + "', total: 'sum:hits{env:prod}.as_count()'}", false, "both arms ask the same"},
		{"", "ratio: {bad: '" + errs + "', total: '" + hits + " - sum:hits{probe:true}.as_count()'}", false, "hits{probe:true} is the same in both arms"},
		{"", "ratio: {good: 'count(v: v<=0.5):d{env:prod}.as_count() + count(v: v<=0.5):d{$arm}.as_count()', total: 'count:d{$arm}.as_count()'}", false, "d{env:prod} is the same in both arms"},
		{"", "ratio: {bad: '" + errs + "', total: '" + hits + "'}", false, ""},
		{"", "ratio: {bad: 'default_zero(" + errs + ")', total: '" + hits + "'}", true, ""},
		{"", "ratio: {bad: 'sum:errors{$arm}.as_count().fill(zero)', total: '" + hits + "'}", true, ""},
		{"", "ratio: {bad: '" + errs + "', total: 'default_zero(" + hits + ")'}", false, ""},
		{"", "ratio: {good: 'default_zero(sum:ok{$arm}.as_count())', total: '" + hits + "'}", false, "make all events bad"},
		{"", "value: 'default_zero(avg:lat{$arm})'", false, "makes up values for steps that have none"},
		{"", "value: {baseline: 'avg:lat{v:1} / avg:base{env:prod}', canary: 'avg:lat{v:2} / avg:base{ENV:prod }'}", false, "base{env:prod} is the same in both arms"},
		{"", "value: {baseline: 'logs(\"a:b\").rollup(\"count\")', canary: 'logs(\"a:b\").rollup(\"cardinality\", \"@u\")'}", false, "is the same in both arms"},
		{"offset", "value: 'avg:lat{$arm} / avg:base{env:prod}'", false, "base{env:prod} is the same"},
		{"offset", "value: 'avg:lat{$arm}'", false, ""},
	} {
		arms := "baseline: {service: shop, version: v1}\ncanary: {service: shop, version: v2}\n"
		if tt.arms != "" {
			arms = "baseline: {offset: 1d}\ncanary: {service: shop, version: v2}\n"
		}
		text := "provider: datadog\ndatadog: {api_key: a, app_key: b}\n" + arms + "metrics:\n  - {name: x, tolerance: 10%, " + tt.metric + "}\n"
		c, err := Parse("canary.yaml", []byte(text), Options{Types: []providers.Type{datadog.Type()}})
		switch {
		case (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want):
			t.Errorf("%s: error %v, want %q", tt.metric, err, tt.want)
		case err == nil && c.Plan.Metrics[0].ZerosMadeUp != tt.zeros:
			t.Errorf("%s: zeros made up: %t, want %t", tt.metric, c.Plan.Metrics[0].ZerosMadeUp, tt.zeros)
		}
	}
}
