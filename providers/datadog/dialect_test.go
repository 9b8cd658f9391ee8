package datadog

import (
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/providers"
)

// inScope is the place of $arm in sum:a{$arm}.
var inScope = providers.Around{Before: "sum:a{", After: "}"}

// What Datadog makes of tags:
// https://docs.datadoghq.com/developers/guide/what-best-practices-are-recommended-for-naming-metrics-and-tags/
func TestFilter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, value string
		want        string // "" for an error
	}{
		{"service", "discounts", "service:discounts"},
		{"Service", "Discounts-Canary", "service:discounts-canary"},
		{"version", "1.2.3", "version:1.2.3"},
		{"version", "1.2.3+build5", "version:1.2.3_build5"},
		{"version", "a+@b", "version:a_b"},        // contiguous underscores are reduced to one
		{"version", "a___b", "version:a_b"},       // also those that were there
		{"version", "a__", "version:a"},           // a trailing one is removed
		{"version", "1.2.3+", "version:1.2.3"},    // also one that was another character
		{"branch", "feat/x:y", "branch:feat/x:y"}, // these may stand in a tag
		{"team", "grün", "team:grün"},
		{"team", "日本", "team:日本"},
		{"team", "a\u200bb", "team:a_b"},
		{"kube.pod/name", "x", "kube.pod/name:x"},
		{"host", "$HOST", "host:_host"},
		{"a", strings.Repeat("x", 198), "a:" + strings.Repeat("x", 198)},
		{"a", strings.Repeat("ü", 198), "a:" + strings.Repeat("ü", 198)},
		{"a", strings.Repeat("x", 199), ""}, // 200 with the name and the colon
		{"service", "", ""},
		{"service", "_", ""},
		{"service", "+", ""},
		{"service", "a:", ""}, // a tag cannot end with a colon
		{"service", "a b", ""},
		{"service", "a\u00a0b", ""},
		{"service", "a,b", ""},
		{"service", "a} by {b", ""},
		{"service", "a*", ""},
		{"service", "!a", ""},
		{"service", "(a)", ""},
		{"service", `"a"`, ""},
		{"service", "a\nb", ""},
		{"", "x", ""},
		{"1a", "x", ""},
		{"a b", "x", ""},
		{"a{", "x", ""},
		{"!a", "x", ""},
	} {
		got, err := Dialect{}.Filter([]providers.Label{{Name: tt.name, Value: tt.value}}, inScope)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s, %q: %q, %v; want %q", tt.name, tt.value, got, err, tt.want)
		}
	}
	got, err := Dialect{}.Filter([]providers.Label{{Name: "service", Value: "a"}, {Name: "env", Value: "b"}}, inScope)
	if want := "service:a,env:b"; got != want || err != nil {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	// For an SLO it is written when its scopes are known.
	got, err = Dialect{}.Filter([]providers.Label{{Name: "Service", Value: "A+b"}, {Name: "env", Value: "b"}}, providers.Around{Before: `slo("0123456789abcdef0123456789abcdef","`, After: `").bad()`})
	if want := "service:a_b,env:b"; got != want || err != nil {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		expr string
		part providers.Part
		step time.Duration
		want string // of the error; "" for none
	}{
		{"sum:a{b:c}.as_count()", providers.Bad, 30 * time.Second, ""},
		{"sum:a{b:c}", providers.Bad, 30 * time.Second, "counts need .as_count()"},
		{"sum:a{b:c}.as_rate()", providers.Total, 30 * time.Second, "counts need .as_count()"},
		{"avg:a{b:c}", providers.Value, 30 * time.Second, ""},
		{"p95:a{b:c}", providers.Buckets, 30 * time.Second, "threshold counts"},
		{"avg:a{b:c}", providers.Value, 1500 * time.Millisecond, "Datadog's steps are whole seconds"},
		{"sum:a{b:c}.as_count().rollup(sum, 30)", providers.Bad, 30 * time.Second, ""},
		{"avg:a{b:c}.rollup(30)", providers.Value, 30 * time.Second, ""},
		{"avg:a{b:c}.rollup( avg ,30 )", providers.Value, 30 * time.Second, ""},
		{"avg:a{b:c}.rollup(avg)", providers.Value, 30 * time.Second, ""},
		{"avg:a{b:c}.rollup(avg, 60)", providers.Value, 30 * time.Second, ".rollup(avg, 60) is not the step of 30s; write .rollup(…, $step)"},
		{"avg:a{b:c}.rollup(30) + avg:d{b:c}.rollup(60)", providers.Value, 30 * time.Second, ".rollup(60) is not the step"},
		{"avg:a{b:c}.rollup(max, 30)", providers.Value, 30 * time.Second, ""},
		{`slo("0123456789abcdef0123456789abcdef","a:b,c:d").bad()`, providers.Bad, 30 * time.Second, ""},
		{`slo("0123456789abcdef0123456789abcdef", "a:b").total()`, providers.Total, 30 * time.Second, ""},
		{`slo("0123456789abcdef0123456789abcdef","a:b").bad()`, providers.Total, 30 * time.Second, "counts the bad events of an SLO; write ratio: {slo: 0123456789abcdef0123456789abcdef}"},
		{`slo("0123456789abcdef0123456789abcdef","a:b").total()`, providers.Value, 30 * time.Second, "counts the total events"},
		{`slo("0123456789abcdef0123456789abcdef","a:b").bad()`, providers.Bad, 1500 * time.Millisecond, "Datadog's steps are whole seconds"},
		{`slo("0123456789abcdef0123456789abcdef","a:b").good()`, providers.Bad, 30 * time.Second, "want the events of an SLO as"},
		{`slo("0123","a:b").bad()`, providers.Bad, 30 * time.Second, "want the events of an SLO as"},
		{`slo("0123456789abcdef0123456789abcdef").bad()`, providers.Bad, 30 * time.Second, "want the events of an SLO as"},
		{`slo("0123456789abcdef0123456789abcdef","").bad()`, providers.Bad, 30 * time.Second, `"" is no tag of an arm`},
		{`slo("0123456789abcdef0123456789abcdef","a:b OR c:d").bad()`, providers.Bad, 30 * time.Second, `"a:b OR c:d" is no tag of an arm`},
		{`slo("0123456789abcdef0123456789abcdef","a:b,!c:d").bad()`, providers.Bad, 30 * time.Second, `"!c:d" is no tag of an arm`},
	} {
		_, err := Dialect{}.Check(tt.expr, tt.part, tt.step)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.expr, err, tt.want)
		}
	}
	if got := (Dialect{}).Step(2 * time.Minute); got != "120" {
		t.Errorf("2m: %s, want 120", got)
	}
}
