package report

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// What is tolerated ends at 1, whatever the unit, and what is bad lies to the right.
func TestForestCountsInTolerances(t *testing.T) {
	t.Parallel()
	nan := Number(math.NaN())
	same := func(a, b float64) bool { return math.IsNaN(a) && math.IsNaN(b) || a == b || math.Abs(a-b) < 1e-12 }
	for name, tt := range map[string]struct {
		effect    Effect
		tolerance Tolerance
		want      scaled
	}{
		"an increase is bad":          {Effect{0.5, -0.25, 1, relativeUnit, 0}, Tolerance{Upper: 0.25, Lower: nan}, scaled{-1, 2, 4, math.Inf(-1)}},
		"a decrease is bad":           {Effect{-0.2, -0.4, 0.1, relativeUnit, 0}, Tolerance{Upper: nan, Lower: -0.1}, scaled{-1, 2, 4, math.Inf(-1)}},
		"either is bad":               {Effect{0.1, -0.05, 0.2, relativeUnit, 0}, Tolerance{Upper: 0.1, Lower: -0.05}, scaled{-1, 1, 2, -1}},
		"a difference":                {Effect{30, -50, 100, "MiB", 0}, Tolerance{Size: 50, Upper: 50, Lower: nan}, scaled{-1, 0.6, 2, math.Inf(-1)}},
		"an end that says nothing":    {Effect{0.5, -1, 1e9, relativeUnit, 0}, Tolerance{Upper: 0.25, Lower: nan}, scaled{math.NaN(), 2, math.NaN(), math.Inf(-1)}},
		"an estimate that is no size": {Effect{Number(math.Inf(1)), 62, Number(math.Inf(1)), relativeUnit, 0}, Tolerance{Upper: 0.25, Lower: nan}, scaled{248, math.Inf(1), math.NaN(), math.Inf(-1)}},
	} {
		got := Metric{Effect: tt.effect, Tolerance: tt.tolerance}.inTolerances()
		if !same(got.low, tt.want.low) || !same(got.estimate, tt.want.estimate) || !same(got.high, tt.want.high) || got.least != tt.want.least {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

// Whatever an effect is, its bar has numbers only, within the picture.
func TestForestDrawsAnything(t *testing.T) {
	t.Parallel()
	odd := []float64{0, 1, -1, 1e300, -1e300, math.NaN(), math.Inf(1), math.Inf(-1)}
	scale := forestScale{forestPlace(-1.2), forestPlace(forestMost)}
	for _, low := range odd {
		for _, high := range odd {
			for _, limit := range odd {
				m := Metric{Effect: Effect{Number(low), Number(low), Number(high), relativeUnit, 0}, Tolerance: Tolerance{Upper: Number(limit), Lower: Number(math.NaN())}}
				drawn := string(scale.bar(m))
				if strings.Contains(drawn, "NaN") || strings.Contains(drawn, "Inf") || strings.Contains(drawn, `"-`) {
					t.Fatalf("%v to %v, tolerated %v: %s", low, high, limit, drawn)
				}
			}
		}
	}
}

// A line breaks between words, within the width, and no word is lost.
func TestWrapped(t *testing.T) {
	t.Parallel()
	const line = "errors are 9.4x the baseline (3.4x to 23x; tolerated 1.5x), see https://example.com/a/very/long/address/that/has/no/room"
	for width := range 80 {
		got := wrapped(line, "  ", width)
		if strings.Join(strings.Fields(got), " ") != line {
			t.Fatalf("at %d: %q", width, got)
		}
		for _, part := range strings.Split(got, "\n") {
			if words := strings.Fields(part); width > 10 && len(part) > width && len(words) > 1 {
				t.Errorf("at %d: %q", width, part)
			}
		}
	}
	if got := wrapped(line, "", 0); got != line {
		t.Errorf("a log is wrapped: %q", got)
	}
	if got, want := wrapped("one two three", "  ", 9), "  one two\n    three"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Of many metrics the forest shows what failed, wherever that was, and says how many it leaves out.
func TestForestOfManyMetrics(t *testing.T) {
	t.Parallel()
	r := &Report{Verdict: "fail", Window: Window{Looks: 5}}
	for i := range 200 {
		m := Metric{Name: fmt.Sprintf("metric %d", i), Decision: "pass", Tolerance: Tolerance{Upper: 0.1, Lower: Number(math.NaN())}, Effect: Effect{Unit: relativeUnit}}
		if i == 150 {
			m.Of, m.Segment, m.Decision = "metric 1", map[string]string{"region": "us"}, "fail"
		}
		if i == 180 {
			m.Decision = "fail"
		}
		r.Metrics = append(r.Metrics, m)
	}
	f := r.forest()
	if len(f.Rows) != mostForestRows+1 || f.Rows[0].Name != "metric 150" || f.Rows[1].Name != "metric 180" || f.Rows[1].ID != "metric-181" {
		t.Errorf("%d rows, first %+v", len(f.Rows), f.Rows[:2])
	}
	if want := "and 175 more metrics, in the table below"; f.More != want {
		t.Errorf("%q, want %q", f.More, want)
	}
}
