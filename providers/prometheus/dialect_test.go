package prometheus

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
)

// nasty are values that would like to get out of their quotes.
var nasty = []string{
	"plain-1.2.3_x:/y+z", `a"b`, `a'b`, "a`b", `a\`, `a\\`, `\"`, `"} or vector(1) #`, `'} or vector(1) #`, "`} or vector(1) #",
	"two\nlines", "tab\there", "\x00\x01\x7f", "ünïcode", "日本語", "\u2028\u202e", "emoji 🙂", "\xff\xfe", `\x41`, `\u0041`, "${x}", "%s", "", " ", "#", "a,b=\"c\"",
}

// unquote reads a PromQL string that starts at the beginning of text; its escapes
// are Go's: https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals
func unquote(t *testing.T, text string) (value, rest string) {
	t.Helper()
	quote, rest := text[0], text[1:]
	var b strings.Builder
	for rest != "" && rest[0] != quote {
		r, multibyte, tail, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			t.Fatalf("%s: %v at %q", text, err, rest)
		}
		if r < 0x80 || multibyte {
			b.WriteRune(r)
		} else {
			b.WriteByte(byte(r))
		}
		rest = tail
	}
	if rest == "" {
		t.Fatalf("%s: the string has no end", text)
	}
	return b.String(), rest[1:]
}

func TestFilter(t *testing.T) {
	t.Parallel()
	got, err := Dialect{}.Filter([]providers.Label{{Name: "service", Value: "discounts"}, {Name: "env", Value: `a"b\c`}}, providers.Around{})
	if want := `service="discounts",env="a\"b\\c"`; got != want || err != nil {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	for _, value := range nasty {
		got, err := Dialect{}.Filter([]providers.Label{{Name: "a", Value: value}, {Name: "b", Value: "1"}}, providers.Around{})
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		in, rest := unquote(t, strings.TrimPrefix(got, "a="))
		if in != value || rest != `,b="1"` {
			t.Errorf("%q became %s: %q, then %s", value, got, in, rest)
		}
	}
	for _, name := range []string{"", "1a", "a-b", "a b", `a="",b`, "ä", "a.b"} {
		if got, err := (Dialect{}).Filter([]providers.Label{{Name: name, Value: "x"}}, providers.Around{}); err == nil {
			t.Errorf("the name %q became %s", name, got)
		}
	}
}

// A value stands in any quotes, or wrongly in none.
func TestValue(t *testing.T) {
	t.Parallel()
	for _, value := range nasty {
		got, err := Dialect{}.Value(providers.Label{Name: "a", Value: value}, providers.Around{})
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		for _, quote := range []string{`"`, `'`} {
			if in, rest := unquote(t, quote+got+quote+"}"); in != value || rest != "}" {
				t.Errorf("%q became %s: %q, then %s", value, got, in, rest)
			}
		}
		if strings.ContainsAny(got, "`\"'{}()[],#=<>!*%^@ \t\n") {
			t.Errorf("%q became %s, which can end what it stands in", value, got)
		}
	}
	if got, _ := (Dialect{}).Value(providers.Label{Value: "1.2.3+build-5"}, providers.Around{}); got != "1.2.3+build-5" {
		t.Errorf("a version became %s", got)
	}
}

func TestStep(t *testing.T) {
	t.Parallel()
	for want, step := range map[string]time.Duration{
		"30s": 30 * time.Second, "86400s": 24 * time.Hour, "250ms": 250 * time.Millisecond, "1500ms": 1500 * time.Millisecond,
	} {
		if got := (Dialect{}).Step(step); got != want {
			t.Errorf("%s: %s, want %s", step, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const (
		counts = providers.Bad
		value  = providers.Value
	)
	for _, tt := range []struct {
		expr string
		part providers.Part
		want string // of the error; "" for none
	}{
		// The range is the step, however it is written.
		{`sum(increase(x{a="b"}[30s]))`, counts, ""},
		{`sum(increase(x[ 30s ]))`, counts, ""},
		{`sum(increase(x[0m30s]))`, counts, ""},
		{`sum(increase(x[30000ms]))`, counts, ""},
		{`sum(increase(x[30]))`, counts, ""},
		{`sum(increase(x[1i]))`, counts, ""},
		{`sum(increase(x[1m]))`, counts, "the range [1m] is not the step of 30s, so steps would overlap or leave gaps; write [$step]"},
		{`sum(increase(x[]))`, counts, "at character 16: unexpected token"},
		{`increase(x[30s]) + increase(y[5m])`, providers.Total, "[5m]"},
		{`sum(x_total{a="日本"}[5m])`, counts, "[5m]"},
		// Brackets and colons in strings and comments mean nothing.
		{`sum(increase(x{path="/[5m]"}[30s]))`, counts, ""},
		{`sum(increase(x{path='/[5m]\'[1m]'}[30s]))`, counts, ""},
		{"sum(increase(x{path=`\\[`}[30s])) # not [5m]", counts, ""},
		{"sum( # [5m]\nincrease(x[30s]))", counts, ""},
		{"sum(x_total{a=\"# [30s]\"})", counts, "take increase"},
		{"sum(x_total) # [30s]", counts, "take increase"},
		{`sum(x_total{path="a:b"})`, counts, "take increase"},
		// Syntax, with its place.
		{`sum(x{a="b)`, value, "at character 9: the string has no end"},
		{`sum(x{a="b\")`, value, "at character 9: the string has no end"},
		{`increase(x[30s)`, value, "at character 15: unexpected token"},
		{`sum(increase(x[30s])`, value, "at character 21: the query ends too early"},
		{`sum(x) foo`, value, `at character 8: unexpected "foo"`},
		{`1 + summ(x)`, value, "at character 5: there is no function summ"},
		{`x{a=b}`, value, `missing "b" value`},
		{`x{a=~"("}`, value, "invalid regexp"},
		{"", value, "the query is empty"},
		// Functions that only Prometheus has, and syntax that only VictoriaMetrics has.
		{`sum(histogram_count(increase(x[30s])))`, counts, ""},
		{`sum(histogram_sum(increase(x[30s])))`, counts, "is no count"},
		{`histogram_avg(sum(increase(x[30s])))`, value, ""},
		{`WITH (q = {a="b"}) sum(increase(x{q}[30s]))`, counts, ""},
		{`sum(increase(x{a="b" or c="d"}[30s]))`, counts, ""},
		// Other times than the step.
		{`increase(x[30s] offset 1d)`, providers.Total, "write baseline: {offset: 1d}"},
		{`avg(x offset 5m)`, value, "reads another time than the step"},
		{`avg(x @ 1700000000)`, value, "write it without @"},
		{`avg(x @ end())`, value, "write it without @"},
		{`max_over_time(rate(x[30s])[5m:30s])`, value, "the subquery [5m:30s] looks at other times"},
		{`max_over_time(sum(x)[30s:])`, value, "the subquery [30s:] looks at other times"},
		{`max_over_time((sum(x))[30s])`, value, "the subquery [30s] looks at other times"},
		{`rate(sum(x))`, value, "makes a subquery of sum(x)"},
		{`last_over_time(x[5m])`, value, "the range [5m] is not the step"},
		{`last_over_time(x[30s])`, value, ""},
		{`default_rollup(x)`, value, "write last_over_time(…[$step])"},
		{`running_avg(x)`, value, "of other steps"},
		{`x / range_max(x)`, value, "of other steps"},
		{`predict_linear(x[30s], 600)`, value, "forecast"},
		{`holt_winters(x[30s], 0.5, 0.5)`, value, "forecast"},
		// Data that the source does not have.
		{`avg(x) or vector(0)`, value, "vector(0) in avg(x) or vector(0) is made up where the source has nothing"},
		{`avg(x) or on() vector(1)`, value, "is made up"},
		{`avg(x) or (vector(1) - 1)`, value, "is made up"},
		{`avg(x) or 0 * sum(up)`, value, "is made up"},
		{`avg(x) or (sum(up) >bool 1e9)`, value, "is made up"},
		{`vector(0) or avg(x)`, value, "is made up"},
		{`avg(x) or max(vector(0))`, value, "is made up"},
		{`avg(x) or exp(vector(1))`, value, "is made up"},
		{`avg(x) or time()`, value, "is made up"},
		{`avg(x) or (sum(up) - sum(up))`, value, "is made up"},
		{`(sum(rate(x[30s])) or vector(0)) / sum(rate(y[30s]))`, value, "is made up"},
		{`avg(x) default 0`, value, "is made up"},
		{`max(x, 0)`, value, "is made up"},
		{`union(avg(x), 0)`, value, "is made up"},
		{`sum(x) + fill(0) sum(y)`, value, "the fill of"},
		{`avg(x) or avg(y)`, value, ""},
		{`avg(x) or avg(y) / 1000`, value, ""},
		{`avg(rate(x[30s])) or avg(job:x:rate30s)`, value, ""},
		{`(avg(x) - 1) or (avg(y) - 1)`, value, ""},
		{`avg(x) or (avg(y) - 1)`, value, "is not the same thing"},
		{`avg(x) or (2 * sum(y) - 1)`, value, "is not the same thing"},
		{`avg(x) default (avg(y)^0)`, value, "is not the same thing"},
		{`avg(x) or avg(y) % 1`, value, "is not the same thing"},
		{`avg(x) or abs(1 - avg(y))`, value, "is not the same thing"},
		{`union(avg(x), avg(y) - 1)`, value, "is not the same thing"},
		{`avg(x) or max(up)`, value, "is not the same thing"},
		{`avg(x) or max(app_info)`, value, "is not the same thing"},
		{`avg(x) or timestamp(y)`, value, "is not the same thing"},
		{`avg(x) or COUNT(y)`, value, "is not the same thing"},
		{`avg(x) or changes(y[30s])`, value, "is not the same thing"},
		{`log10(avg(x))`, value, "changes would look small"},
		{`sqrt(avg(x))`, value, "changes would look small"},
		{`keep_last_value(x)`, value, "a step without data is a gap"},
		{`interpolate(x)`, value, "a step without data is a gap"},
		{`absent(x)`, value, "a metric with gaps: NAME"},
		{`absent(x)`, counts, "a metric with gaps: NAME"},
		{`absent_over_time(x[30s])`, value, "a metric with gaps: NAME"},
		{`clamp_max(x, 1)`, value, "hides what lies beyond its limit"},
		{`clamp(x, 0, 1)`, value, "hides what lies beyond its limit"},
		{`sum(x) / clamp_min(sum(y), 1)`, value, "hides what lies beyond its limit"},
		{`clamp_min(x - y, 0)`, value, ""},
		{`quantile(0.9, x)`, value, ""},
		{`topk(1, x)`, value, ""},
		{`time() - max(timestamp(x))`, value, ""},
		{`100 * avg(x) / avg(y)`, value, ""},
		// Counts that are none.
		{`sum(x_total)`, counts, "take increase(…[$step]) of the counter"},
		{`sum(x_total)`, providers.Buckets, "take increase(…[$step]) of the counter"},
		{`sum(increase(x))`, counts, "take increase(…[$step]) of the counter"},
		{`sum(rate(x[30s]))`, counts, "is per second, and counts are what happened in a step; take increase(…[$step])"},
		{`sum(rate(x[30s])) * 30`, counts, "is per second"},
		{`sum by (le) (rate(x_bucket[30s]))`, providers.Buckets, "is per second"},
		{`sum(increase(x[30s])) or sum(rate(y[30s]))`, counts, "is per second"},
		{`irate(x[30s])`, counts, "is per second"},
		{`deriv(x[30s])`, counts, "is per second"},
		{`avg(increase(x[30s]))`, counts, "is no count"},
		{`max(increase(x[30s]))`, counts, "is no count"},
		{`count(increase(x[30s]))`, counts, "is no count"},
		{`avg_over_time(x[30s])`, counts, "is no count"},
		{`last_over_time(x[30s])`, counts, "is no count"},
		{`histogram_quantile(0.9, sum by (le) (increase(x[30s])))`, counts, "is no count"},
		{`sum(increase(x[30s])) / sum(increase(y[30s]))`, counts, "is a quotient, and no count"},
		{`sum(increase(x[30s])) / 30`, counts, "is a quotient"},
		{`sum(increase(x[30s])) + 1`, counts, "counts events that did not happen"},
		{`sum(increase(x[30s])) or vector(1)`, counts, "is made up"},
		{`vector(0)`, counts, "is the same in every step"},
		// Counts that are some.
		{`sum(increase(http_server_requests_seconds_count{service="shop",outcome="A"}[30s])) - sum(increase(http_server_requests_seconds_count{service="shop",outcome="B"}[30s]))`, counts, ""},
		{`job:errors:increase30s`, counts, ""},
		{`sum(job:errors:increase30s) or vector(0)`, counts, ""},
		{`sum(increase(x[30s])) or vector(0)`, counts, ""},
		{`sum(increase(x[30s])) or 0 * sum(increase(y[30s]))`, counts, ""},
		{`sum(increase(x[30s])) - sum(increase(y[30s]))`, counts, ""},
		{`round(sum(increase(x[30s])))`, counts, ""},
		{`clamp_min(sum(increase(x[30s])), 0)`, counts, ""},
		{`2 * sum(increase(x[30s]))`, counts, ""},
		{`sum(increase(x[30s]) * on (pod) group_left (version) kube_pod_labels)`, counts, ""},
		{`(1 - histogram_fraction(0, 0.5, sum(increase(h[30s])))) * histogram_count(sum(increase(h[30s])))`, counts, ""},
		{`sum(sum_over_time(requests[30s]))`, counts, ""},
		{`sum(increase(x[30s]) > 0)`, counts, ""},
		{`sum by (le) (increase(x_bucket[30s]))`, providers.Buckets, ""},
		{`sum(increase(native[30s]))`, providers.Buckets, ""},
		{`prometheus_buckets(sum by (vmrange) (increase(x_bucket[30s])))`, providers.Buckets, ""},
		// Comparisons hide what they do not hold of.
		{`sum(increase(x[30s])) < 100`, counts, "hides the numbers"},
		{`sum(increase(x[30s]) < 5)`, counts, "hides the numbers"},
		{`5 > sum(increase(x[30s]))`, counts, "hides the numbers"},
		{`sum(increase(x[30s])) > 3`, counts, "hides the numbers"},
		{`sum by (le) (increase(x_bucket[30s]) < 100)`, providers.Buckets, "hides the numbers"},
		{`avg(x < 1)`, value, "hides the numbers"},
		{`avg(x) == 0`, value, "hides the numbers"},
		{`avg(x) < avg(y)`, value, "hides the numbers"},
		{`avg(x and x < 1)`, value, "hides the numbers"},
		{`avg(x == x)`, value, ""},
		{`sum(rate(x[30s])) / (sum(rate(y[30s])) > 0)`, value, ""},
		{`0 < avg(x)`, value, ""},
		{`avg(x and on (pod) (age > 300))`, value, ""},
		{`avg(x * on (pod) group_left (node) (kube_pod_info == 1))`, value, ""},
		{`sum(increase(x[30s]) and on (pod) (age > 300))`, counts, ""},
		{`sum(increase(x[30s])) and on () (sum(increase(y[30s])) > 100)`, counts, "bad events of whole steps"},
		{`sum(increase(x[30s])) unless on () up`, counts, "bad events of whole steps"},
		// Scrapes and states of counters are no events.
		{`sum(count_over_time(x_total[30s]))`, counts, "take increase"},
		{`sum(changes(x_total[30s]))`, counts, "take increase"},
		{`sum(delta(x_count[30s]))`, counts, "take increase"},
		{`sum(sum_over_time(x_total[30s]))`, providers.Total, "take increase"},
		{`sum(count_over_time(probe_success[30s])) - sum(sum_over_time(probe_success[30s]))`, counts, ""},
		// Numbers that are made the same.
		{`round(avg(x), 100)`, value, "hides what is less"},
		{`ceil(avg(x))`, value, "hides what is less"},
		{`sgn(avg(x))`, value, "hides what is less"},
		{`round(sum(increase(x[30s])), 1000)`, counts, "hides the events"},
		{`0 * avg(x)`, value, "is the same in every step"},
		{`avg(x) - avg(x)`, value, "is the same in every step"},
		{`avg(x) or group(y)`, value, "is made up"},
		{`avg(x) or present_over_time(y[30s])`, value, "is made up"},
	} {
		_, err := Dialect{}.Check(tt.expr, tt.part, 30*time.Second)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.expr, err, tt.want)
		}
	}
}

// The state of a counter is no value of a step.
func TestDoubtfulStates(t *testing.T) {
	t.Parallel()
	for expr, doubts := range map[string]int{
		`sum(errors_total)`: 1, `sum(rate(errors_total[30s]))`: 0, `avg(x and errors_total)`: 0, `node_memory_MemTotal_bytes`: 0,
	} {
		if r, err := (Dialect{}).Check(expr, providers.Value, 30*time.Second); err != nil || len(r.Doubts) != doubts {
			t.Errorf("%s: doubts %q, %v; want %d", expr, r.Doubts, err, doubts)
		}
	}
}

// Each selector is a scope of its own, in one spelling.
func TestScopes(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string][]providers.Scope{
		`sum(rate(x{b="2", a='1'}[30s])) / sum(rate({__name__="y", a!~"1|2"}[30s]))`: {{Name: "x", Text: `x{a="1",b="2"}`}, {Name: "y", Text: `y{a!~"1|2"}`, Picks: "y{}"}},
		`sum(x{})`:                      {{Name: "x", Text: "x"}},
		`sum({__name__=~"x|y"})`:        {{Text: `{__name__=~"x|y"}`}},
		`x{a="b" or a="c"} and on () y`: {{Name: "x", Text: `x{a="b" or a="c"}`}, {Name: "y", Text: "y"}},
	} {
		r, err := Dialect{}.Check(expr, providers.Value, 30*time.Second)
		if diff := cmp.Diff(want, r.Scopes); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", expr, err, diff)
		}
	}
}

// A zero is made up unless it says that the source has the metric with the labels that
// are asked for.
func TestZerosMadeUp(t *testing.T) {
	t.Parallel()
	const bad = `sum(increase(x{app="a",code=~"5.."}[30s]))`
	for expr, want := range map[string]bool{
		bad:                         false,
		bad + ` or vector(0)`:       true,
		bad + ` or on () vector(0)`: true,
		bad + ` default 0`:          true,
		bad + ` or 0 * sum(increase(y{app="a",code!=""}[30s]))`: true,
		bad + ` or 0 * sum(increase(x{app="a"}[30s]))`:          true,
		bad + ` or 0 * sum(increase(x{app="a",code!=""}[30s]))`: false,
		`sum(increase(y[30s])) + (` + bad + ` or vector(0))`:    true,
		bad + ` or sum(increase(y[30s]))`:                       false,
	} {
		r, err := Dialect{}.Check(expr, providers.Bad, 30*time.Second)
		if r.ZerosMadeUp != want || err != nil {
			t.Errorf("%s: made up %t, %v", expr, r.ZerosMadeUp, err)
		}
	}
}

// What a recording rule holds is known by its name only.
func TestDoubtfulNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		expr string
		part providers.Part
		want string // "" for no doubt
	}{
		{`svc:requests_increase1m:bad`, providers.Bad, "speaks of a window of 1m, and the step is 30s: what happens once is seen in 2 steps; write window: {step: 1m}"},
		{`sum(job:errors:increase5m)`, providers.Total, "seen in 10 steps"},
		{`job:errors:increase10s`, providers.Bad, "what happens in between is left out"},
		{`job:errors:increase30s`, providers.Bad, ""},
		{`job:errors:rate30s`, providers.Bad, "speaks of a rate, which is no count"},
		{`avg(job:latency:p95_5m)`, providers.Value, "speaks of a window of 5m"},
		{`avg(job:errors:rate30s)`, providers.Value, ""},
		{`avg(node_load15)`, providers.Value, ""},
		{`sum(increase(job:errors:sum5m[30s]))`, providers.Bad, ""},
	} {
		r, err := Dialect{}.Check(tt.expr, tt.part, 30*time.Second)
		all := strings.Join(r.Doubts, "\n")
		if err != nil || (all == "") != (tt.want == "") || !strings.Contains(all, tt.want) {
			t.Errorf("%s: doubts %q, %v; want %q", tt.expr, all, err, tt.want)
		}
	}
}
