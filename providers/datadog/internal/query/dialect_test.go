package query

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

// Where $arm stands decides how it is written.
// https://docs.datadoghq.com/metrics/advanced-filtering/
// https://docs.datadoghq.com/logs/explorer/search_syntax/
func TestFilterByPlace(t *testing.T) {
	t.Parallel()
	labels := []providers.Label{{Name: "Service", Value: "Shop-Canary"}, {Name: "env", Value: "prod"}}
	for _, tt := range []struct{ text, want, fails string }{
		{"sum:a{$arm}", "service:shop-canary,env:prod", ""},
		{"sum:a{x:y,$arm}.as_count()", "service:shop-canary,env:prod", ""},
		{"sum:a{!x:y,$arm} by {z}", "service:shop-canary,env:prod", ""},
		{"sum:a{x:y AND b:c} + sum:a{$arm}", "service:shop-canary,env:prod", ""},
		{"sum:a{$arm AND x:y}", "service:shop-canary AND env:prod", ""},
		{"sum:a{x:y and $arm}", "service:shop-canary AND env:prod", ""},
		{"sum:a{$arm AND x IN (a,b)}", "service:shop-canary AND env:prod", ""},
		{"sum:a{$arm AND x NOT IN (a,b)}", "service:shop-canary AND env:prod", ""},
		{"sum:a{(x:y OR x:z) AND $arm}", "service:shop-canary AND env:prod", ""},
		{"sum:a{x:y AND NOT $arm}", "(service:shop-canary AND env:prod)", ""},
		{"sum:a{and:or,$arm}", "service:shop-canary,env:prod", ""},
		{"sum:a{x:y OR $arm}", "", "for one side of OR only"},
		{"sum:a{$arm AND x:y OR x:z}", "", "for one side of OR only"},
		{"sum:a{x:w AND (x:y OR $arm)}", "", "for one side of OR only"},
		{"sum:a{!$arm}", "", "would negate the first label only"},
		{"sum:a{x:$arm}", "", "one word with what stands beside them"},
		{"sum:a{$arm:x}", "", "one word with what stands beside them"},
		{"sum:a{x:y AND (b:c OR d:e) AND ($arm)}", "service:shop-canary AND env:prod", ""},
		{`logs("a:$arm").rollup("count")`, "", "one word with what stands beside them"},
		{`logs("$arm*").rollup("count")`, "", "one word with what stands beside them"},
		{`logs("a ($arm)").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{"sum:a$arm", "", "stands in the braces of a scope"},
		{"sum:a{x:y}$arm", "", "stands in the braces of a scope"},
		{"sum:a{$arm", "", "stands in the braces of a scope"},
		{`logs("$arm").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{`logs("status:error $arm").index("main").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{`rum("@type:error AND $arm").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{`logs("(a OR b) $arm").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{`logs("\"a OR b\" $arm").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{`logs("a:(b OR c) $arm").rollup("count")`, `service:shop\-canary env:prod`, ""},
		{`logs("a NOT $arm").rollup("count")`, `(service:shop\-canary env:prod)`, ""},
		{`logs("a -$arm").rollup("count")`, `(service:shop\-canary env:prod)`, ""},
		{`logs("a OR $arm").rollup("count")`, "", "for one side of OR only"},
		{`logs("a OR b $arm").rollup("count")`, "", "for one side of OR only"},
		{`logs("\"$arm\"").rollup("count")`, "", "cannot stand in quotes"},
		{`logs("a").index("$arm").rollup("count")`, "", "stand in the search"},
		{`logs("a").rollup("count")$arm`, "", "stand in the search"},
		{`logs("$arm`, "", "stand in the search"},
	} {
		before, after, _ := strings.Cut(tt.text, "$arm")
		got, err := Dialect{}.Filter(labels, providers.Around{Before: before, After: after})
		if got != tt.want || (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%s: %q, %v; want %q, error %q", tt.text, got, err, tt.want, tt.fails)
		}
	}
}

// Commas and words cannot be mixed:
// https://docs.datadoghq.com/metrics/advanced-filtering/#boolean-filtered-queries
func TestMixedScopes(t *testing.T) {
	t.Parallel()
	for expr, ok := range map[string]bool{
		"avg:a{b:c,d:e}":                    true,
		"avg:a{b:c,!d:e}":                   true,
		"avg:a{b:c AND d:e}":                true,
		"avg:a{b:c AND d IN (e, f)}":        true,
		"avg:a{b:c AND d NOT IN (e,f)}":     true,
		"avg:a{b:c AND (d:e OR f:g)}":       true,
		"avg:a{b:c AND d:e,f:g}":            false,
		"avg:a{b:c,d IN (e,f)}":             false,
		"avg:a{b:c AND !d:e}":               false,
		"avg:a{b:c} + avg:a{b:c or d:e,!f}": false,
	} {
		if _, err := (Dialect{}).Check(expr, providers.Value, step); (err == nil) != ok {
			t.Errorf("%s: error %v", expr, err)
		}
	}
}

// Where an arm, or a label of one, holds for one of several alternatives only, the others
// are the same in both.
func TestAlternatives(t *testing.T) {
	t.Parallel()
	labels := []providers.Label{{Name: "version", Value: "v2"}}
	for _, tt := range []struct {
		template string
		ok       bool
	}{
		{"sum:a{version:@}", true},
		{"sum:a{env:prod,version:@}", true},
		{"sum:a{(x:y OR z:w) AND version:@}", true},
		{"sum:a{version:@ AND (x:y OR z:w)}", true},
		{"sum:a{x IN (y,z) AND version:@}", true},
		{"sum:a{version IN (@)}", true},
		{"sum:a{version:@ OR x:y}", false},
		{"sum:a{x:y OR version:@}", false},
		{"sum:a{(x:y AND version:@) OR z:w}", false},
		{"sum:a{z:w OR (x:y AND (v:w AND version:@))}", false},
		{"sum:a{version IN (v1,@)}", false},
		{"sum:a{version IN (@, v1)}", false},
		{`logs("a:b version:@").rollup("count")`, true},
		{`logs("(a:b OR c:d) version:@").rollup("count")`, true},
		{`logs("a:b OR version:@").rollup("count")`, false},
		{`logs("version:(@ OR v1)").rollup("count")`, false},
		{`logs("(a:b version:@) OR c:d").rollup("count")`, false},
	} {
		before, after, _ := strings.Cut(tt.template, "@")
		_, err := Dialect{}.Value(labels[0], providers.Around{Before: before, After: after})
		if (err == nil) != tt.ok {
			t.Errorf("%s: error %v", tt.template, err)
		}
		if strings.Contains(tt.template, " IN (@") || strings.Contains(tt.template, ",@") || strings.Contains(tt.template, "(@ OR") {
			continue // a filter is no value
		}
		before, after, _ = strings.Cut(strings.Replace(tt.template, "version:@", "@", 1), "@")
		if _, err = (Dialect{}).Filter(labels, providers.Around{Before: before, After: after}); (err == nil) != tt.ok {
			t.Errorf("%s with $arm: error %v", tt.template, err)
		}
	}
}

// A tag's value cannot leave its place, and is one that Datadog stores as it is.
func FuzzValue(f *testing.F) {
	for _, value := range []string{"1.2.3+build_", "A__B", "x} OR {y", "日本", "\u00a0", "\xff", ":", "a:"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		label := providers.Label{Name: "version", Value: value}
		got, err := Dialect{}.Value(label, inScope)
		if err != nil {
			return
		}
		if got == "" || strings.ContainsAny(got, "{}(),\"'*!$ \t\n\r\\`|&=<>") || strings.Contains(got, "__") || strings.HasSuffix(got, "_") {
			t.Errorf("%q became %q", value, got)
		}
		again, err := Dialect{}.Value(providers.Label{Name: "version", Value: got}, inScope)
		if err != nil || again != got {
			t.Errorf("%q became %q, and that %q, %v", value, got, again, err)
		}
	})
}
