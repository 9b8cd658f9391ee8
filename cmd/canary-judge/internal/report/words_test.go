package report

import (
	"math"
	"testing"
)

// A limit that no one would ask for is not told: what remains is the side that the data
// rule out.
func TestIntervalsInWords(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	relative := Tolerance{Size: 0.25, Lower: Number(nan), Upper: 0.25, Unit: relativeUnit}
	twenty := Tolerance{Size: 20, Lower: Number(nan), Upper: 20, Unit: "ms"}
	points := Tolerance{Size: 0.01, Lower: Number(nan), Upper: 0.01, Unit: pointsUnit}
	ratio := func(estimate, lower, upper float64) Effect {
		return Effect{Number(estimate - 1), Number(lower - 1), Number(upper - 1), relativeUnit, 0}
	}
	for _, tt := range []struct {
		effect    Effect
		tolerance Tolerance
		change    string // of the estimate
		want      string
	}{
		{ratio(9.4, 3.4, 23), relative, "9.4x", "3.4x to 23x"},
		{ratio(63, 28, 58693412112080), relative, "63x", "at least 28x"},
		{ratio(3, 1.6e-05, 14), relative, "3x", "at most 14x"},
		{ratio(3, 1.6e-05, 5e9), relative, "3x", "too early to tell"},
		{ratio(inf, 63, inf), relative, "from none", "at least 63x"},
		{ratio(inf, 0, inf), relative, "from none", "too early to tell"},
		{ratio(nan, 0, inf), relative, "?x", "too early to tell"},
		{ratio(nan, nan, nan), relative, "?x", "too early to tell"},
		{ratio(0, 0, 0.4), relative, "0x", "at most 0.4x"},
		{ratio(0, 0, inf), relative, "0x", "too early to tell"},
		{ratio(1.15, 0.28, 5.36), relative, "+15%", "-72% to +436%"},
		{ratio(1.1, 0.0001, 1.4), relative, "+10%", "at most +40%"},
		{ratio(1.1, 0.9, 1e12), relative, "+10%", "at least -10%"},
		{ratio(5000, 3000, 9000), relative, "5,000x", "at least 3,000x"},
		{ratio(1e-6, 0.9e-6, 1.2e-6), relative, "less than 0.0001x", "less than 0.0001x"},
		{ratio(0.001, 0.0008, 0.0012), relative, "0.001x", "at most 0.0012x"},
		{Effect{12, -3, 40, "ms", 0}, twenty, "+12 ms", "-3 ms to +40 ms"},
		{Effect{12, -3e9, 40, "ms", 0}, twenty, "+12 ms", "at most +40 ms"},
		{Effect{12, -3e9, 5e12, "ms", 0}, twenty, "+12 ms", "too early to tell"},
		{Effect{Number(nan), Number(-inf), Number(inf), "ms", 0}, twenty, "–", "too early to tell"},
		{Effect{0.02, -0.01, 0.97, pointsUnit, 0}, points, "+2 points", "-1 to +97 points"},
	} {
		s := styleOf(tt.effect)
		if got := interval(tt.effect, tt.tolerance, s); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.effect, got, tt.want)
		}
		if got := change(float64(tt.effect.Estimate), tt.effect.Unit, s, estimated); got != tt.change {
			t.Errorf("%+v: %q, want %q", tt.effect, got, tt.change)
		}
	}
}

func TestEffectsInSentences(t *testing.T) {
	t.Parallel()
	tolerance := Tolerance{Size: 0.25, Lower: Number(math.NaN()), Upper: 0.25, Unit: relativeUnit}
	inf := Number(math.Inf(1))
	for want, e := range map[string]Effect{
		"63x the baseline (at least 28x; tolerated 1.25x)":                              {62, 27, 5e13, relativeUnit, 0},
		"at least 63x the baseline (tolerated 1.25x)":                                   {inf, 62, inf, relativeUnit, 0},
		"up from none in the baseline (too early to tell by how much; tolerated 1.25x)": {inf, -1, inf, relativeUnit, 0},
		"10% above the baseline (too early to tell; tolerated +25%)":                    {0.1, -1, 1e9, relativeUnit, 0},
		"less than 0.0001x the baseline (less than 0.0001x; tolerated 1.25x)":           {-0.999999, -1, -0.999998, relativeUnit, 0},
	} {
		if got := effectPhrase(Metric{Effect: e, Tolerance: tolerance}); got != want {
			t.Errorf("%+v: %q, want %q", e, got, want)
		}
	}
}

// What may have been more is told as the least that it was, and nobody reads sixteen digits.
func TestNumbersInWords(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{2.5e15: "2.5e+15", -1e300: "-1e+300", 999_999_999_999_999: "999,999,999,999,999"} {
		if got := digits(v, 3); got != want {
			t.Errorf("%g: %q, want %q", v, got, want)
		}
	}
	r := &Report{Blast: &Blast{Requests: 1000, Failed: 20, Share: 0.5, AtLeast: true}}
	if got, want := r.blastLines()[0], "1,000 requests met the canary, warm-up included (50% of all); at least 20 of them failed"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	m := Metric{Kind: "histogram", Compared: &Compared{Apart: true}}
	if got := m.level(Summary{Steps: 3}, 0.0831, true); got != "at least 8.31%" {
		t.Errorf("%q", got)
	}
}
