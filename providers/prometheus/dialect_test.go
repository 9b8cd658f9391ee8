package prometheus

import (
	"strconv"
	"strings"
	"testing"
	"time"

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
	for _, tt := range []struct {
		expr string
		part providers.Part
		want string // of the error; "" for none
	}{
		{`sum(increase(x{a="b"}[30s]))`, providers.Bad, ""},
		{`sum(increase(x[ 30s ]))`, providers.Bad, ""},
		{`sum(increase(x[0m30s]))`, providers.Bad, ""},
		{`sum(increase(x[30000ms]))`, providers.Bad, ""},
		{`sum(increase(x[1m]))`, providers.Bad, "the range [1m] is not the step of 30s, so steps would overlap or leave gaps; write [$step]"},
		{`sum(increase(x[30]))`, providers.Bad, "the range [30] is not the step"},
		{`sum(increase(x[]))`, providers.Bad, "the range [] is not the step"},
		{`increase(x[30s]) + increase(y[5m])`, providers.Total, "[5m]"},
		{`max_over_time(rate(x[30s])[5m:30s])`, providers.Value, "the subquery [5m:30s] looks at other times"},
		{`increase(x[30s] offset 1d)`, providers.Total, ""},
		{`avg(up)`, providers.Value, ""},
		{`sum(x_total)`, providers.Bad, "take increase(…[$step]) of the counter"},
		{`sum(x_total)`, providers.Buckets, "take increase(…[$step]) of the counter"},
		{`job:errors:increase30s`, providers.Bad, ""},
		// Brackets and colons in strings and comments mean nothing.
		{`sum(increase(x{path="/[5m]"}[30s]))`, providers.Bad, ""},
		{`sum(increase(x{path='/[5m]\'[1m]'}[30s]))`, providers.Bad, ""},
		{"sum(increase(x{path=`\\[`}[30s])) # not [5m]", providers.Bad, ""},
		{"sum( # [5m]\nincrease(x[30s]))", providers.Bad, ""},
		{"sum(x_total{a=\"# [30s]\"})", providers.Bad, "take increase"},
		{"sum(x_total) # [30s]", providers.Bad, "take increase"},
		{`sum(x_total{path="a:b"})`, providers.Bad, "take increase"},
		{`sum(x_total{a="日本"}[5m])`, providers.Bad, "[5m]"},
		{`sum(x{a="b)`, providers.Bad, "the string that starts at character 9 has no end"},
		{`sum(x{a="b\")`, providers.Bad, "has no end"},
		{"sum(x{a=`b\\`}[30s])", providers.Bad, ""},
		{`increase(x[30s)`, providers.Bad, "the bracket at character 11 has no end"},
		{"", providers.Value, ""},
	} {
		_, err := Dialect{}.Check(tt.expr, tt.part, 30*time.Second)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.expr, err, tt.want)
		}
	}
}
