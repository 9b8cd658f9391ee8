package config

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// toy is a language in which NAME{…} selects, zero( makes zeros up, odd( is doubted and
// bad( is refused.
type toy struct{ providers.Dialect }

var toyScope = regexp.MustCompile(`(\w+)\{[^}]*\}`)

func (toy) Check(expr string, _ providers.Part, _ time.Duration) (r providers.Reading, err error) {
	for _, m := range toyScope.FindAllStringSubmatch(expr, -1) {
		r.Scopes = append(r.Scopes, providers.Scope{Name: m[1], Text: m[0]})
	}
	r.ZerosMadeUp = strings.Contains(expr, "zero(")
	if strings.Contains(expr, "odd(") {
		r.Doubts = []string{"that is odd; write even"}
	}
	if strings.Contains(expr, "bad(") {
		err = errors.New("that is bad; write good")
	}
	return r, err
}

func parseToy(text string, literal bool) (*Config, error) {
	t := recording.Type()
	t.Name, t.Dialect = "toy", toy{t.Dialect}
	return Parse("canary.yaml", []byte(text), Options{Types: []providers.Type{t}, Literal: literal})
}

const toyArms = "provider: toy\nbaseline: {app: a}\ncanary: {app: b}\nmetrics:\n"

// Every scope of a query has the arm, or the config says that it is shared.
func TestScopesHaveTheArm(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       string // of the error; "" for none
	}{
		{"all", "  - {name: x, tolerance: 1%, value: 'a{$arm} / b{$arm,env=prod}'}", ""},
		{"one has none", "  - {name: x, tolerance: 1%, value: 'a{$arm} / b{env=prod}'}", "b{env=prod} is the same in both arms: put $arm into it, or write shared: [b]"},
		{"the same metric with and without", "  - {name: x, tolerance: 1%, value: 'a{$arm} / a{}'}", "a{} is the same in both arms"},
		{"shared by name", "  - {name: x, tolerance: 1%, shared: [b], value: 'a{$arm} / b{env=prod}'}", ""},
		{"shared by scope", "  - {name: x, tolerance: 1%, shared: ['b{ env=prod }'], value: 'a{$arm} / b{env=prod}'}", ""},
		{"shared and not there", "  - {name: x, tolerance: 1%, shared: [c], value: 'a{$arm}'}", `no query of the metric reads "c" without $arm`},
		{"shared that has the arm", "  - {name: x, tolerance: 1%, shared: [a], value: 'a{$arm}'}", `no query of the metric reads "a" without $arm`},
		{"in a total", "  - {name: x, tolerance: 1%, ratio: {bad: 'a{$arm}', total: 'b{$arm} + c{}'}}", "c{} is the same in both arms"},
		{"a query for each arm", "  - {name: x, tolerance: 1%, value: {baseline: 'a{v=1} / b{v=1}', canary: 'a{v=2} / b{v=2}'}}", ""},
		{"one scope of theirs", "  - {name: x, tolerance: 1%, value: {baseline: 'a{v=1} / b{}', canary: 'a{v=2} / b{}'}}", "b{} is the same in both arms"},
		{"by a label", "  - {name: x, tolerance: 1%, value: 'a{v=$arm.app}'}", ""},
	} {
		_, err := parseToy(toyArms+tt.text+"\n", false)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
	}
}

// Arms that differ in time have the same labels; all of a query has them, or none.
func TestScopesOfAnEarlierTimeHaveTheArm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a{$arm} / b{$arm}": "", "a{env=prod}": "", "a{$arm} / b{env=prod}": "b{env=prod} is the same in both arms",
	} {
		_, err := parseToy("provider: toy\nbaseline: {offset: 1d}\ncanary: {app: b}\nmetrics:\n  - {name: x, tolerance: 1%, value: '"+text+"'}\n", false)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", text, err, want)
		}
	}
}

func TestZerosMadeUp(t *testing.T) {
	t.Parallel()
	ratio := func(part, bad, total string) (*Config, error) {
		return parseToy(toyArms+"  - {name: x, tolerance: 1%, ratio: {"+part+": '"+bad+"', total: '"+total+"'}}\n", false)
	}
	for _, tt := range []struct {
		bad, total string
		want       bool
	}{{"zero(a{$arm})", "b{$arm}", true}, {"a{$arm}", "b{$arm}", false}, {"a{$arm}", "zero(b{$arm})", false}} {
		c, err := ratio("bad", tt.bad, tt.total)
		if err != nil || c.Plan.Metrics[0].ZerosMadeUp != tt.want {
			t.Errorf("%s of %s: %v, %v", tt.bad, tt.total, c, err)
		}
	}
	if _, err := ratio("good", "zero(a{$arm})", "b{$arm}"); err == nil || !strings.Contains(err.Error(), "make all events bad") {
		t.Errorf("good events that are made up: %v", err)
	}
}

// A doubt is kept; and what is refused today is one where a recording asked it.
func TestDoubts(t *testing.T) {
	t.Parallel()
	odd := toyArms + "  - {name: x, tolerance: 1%, value: 'odd(a{$arm})'}\n"
	if c, err := parseToy(odd, false); err != nil || !slices.Equal(c.Metrics[0].Doubts, []string{"that is odd; write even"}) {
		t.Errorf("%v, %v", c, err)
	}
	for _, query := range []string{"bad(a{$arm})", "a{$arm} / b{}"} {
		text := toyArms + "  - {name: x, tolerance: 1%, value: '" + query + "'}\n"
		if _, err := parseToy(text, false); err == nil {
			t.Errorf("%s is not refused", query)
		}
		c, err := parseToy(text, true)
		if err != nil || len(c.Metrics[0].Doubts) != 1 || !strings.Contains(c.Metrics[0].Doubts[0], "would be refused now") ||
			c.Metrics[0].Queries[providers.Value][providers.Canary] == "" {
			t.Errorf("%s in a recording: %v, %v", query, c, err)
		}
	}
}
