package analysis

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestDoubts(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(17, 17))
	wobble := func() float64 { return 1 + 0.05*rng.Float64() }
	scaled := func(canary, baseline float64) func(int) Pair {
		return func(int) Pair { return values(canary*wobble(), baseline*wobble()) }
	}
	absolute := Metric{Name: "m", Tolerance: Tolerance{Size: 500, Absolute: true}}
	less := Metric{Name: "m", Direction: Decrease, Tolerance: Tolerance{Size: 0.1}}
	zeros := ratio(0.25, DefaultFloor)
	for _, tt := range []struct {
		name   string
		metric Metric
		pair   func(int) Pair
		doubts []Doubt
		want   Verdict
		cause  Cause
	}{
		{"a healthy canary", value(0.1), scaled(200, 200), nil, VerdictPass, ""},
		{"9 times better", value(0.1), scaled(1, 9), nil, VerdictPass, ""},
		{"12 times better", value(0.1), scaled(1, 12), []Doubt{ImprobableChange}, VerdictPass, ""},
		{"12 times worse", value(0.1), scaled(12, 1), []Doubt{ImprobableChange}, VerdictFail, ""},
		{"s against ms", value(0.1), scaled(0.2, 200), []Doubt{ImprobableChange}, VerdictInconclusive, OtherUnits},
		{"ms against s", value(0.1), scaled(200, 0.2), []Doubt{ImprobableChange}, VerdictFail, ""},
		{"s against ms, an absolute tolerance", absolute, scaled(0.2, 200), []Doubt{ImprobableChange}, VerdictPass, ""},
		{"throughput in other units", less, scaled(31000, 31), []Doubt{ImprobableChange}, VerdictInconclusive, OtherUnits},
		{"a tenth of the errors", ratio(0.25, DefaultFloor), func(int) Pair { return rates(5, 1000, 60, 1000) }, []Doubt{ImprobableChange}, VerdictPass, ""},
		{"28 times the errors", ratio(0.25, DefaultFloor), func(int) Pair { return rates(280, 1000, 10, 1000) }, []Doubt{ImprobableChange}, VerdictFail, ""},
		{"errors where there were none", ratio(0.25, DefaultFloor), func(int) Pair { return rates(90, 1000, 0, 1000) }, nil, VerdictFail, ""},
		{"no error where thirty were to be expected", ratio(0.25, DefaultFloor), func(i int) Pair { return rates(0, 200, float64(5+2*(i%2)), 200) }, []Doubt{ImprobableChange}, VerdictPass, ""},
		// Of three events none is nothing to wonder about.
		{"no error of few", ratio(0.25, DefaultFloor), func(i int) Pair { return rates(0, 1000, float64(i%3/2), 9000) }, nil, VerdictPass, ""},
		{"all against none", zeros, func(int) Pair { return rates(0, 100, 100, 100) }, []Doubt{AllAgainstNone}, VerdictPass, ""},
		{"all bad against none", zeros, func(int) Pair { return rates(100, 100, 0, 100) }, []Doubt{AllAgainstNone}, VerdictFail, ""},
		{"a canary of zeros", value(0.1), func(int) Pair { return values(0, 200*wobble()) }, []Doubt{ZeroAgainstValues}, VerdictInconclusive, ZeroInOneArm},
		{"a baseline of zeros", value(0.1), func(int) Pair { return values(200*wobble(), 0) }, []Doubt{ZeroAgainstValues}, VerdictInconclusive, BaselineNotPositive},
		{"a canary of zeros, an absolute tolerance", absolute, func(int) Pair { return values(0, 200*wobble()) }, []Doubt{ZeroAgainstValues}, VerdictPass, ""},
		{"a canary that serves nothing", less, func(int) Pair { return values(0, 31*wobble()) }, []Doubt{ZeroAgainstValues}, VerdictFail, ""},
		{"zeros in both arms", Metric{Name: "m", Tolerance: Tolerance{Size: 1, Absolute: true}}, func(i int) Pair { return values(float64(i%2), float64((i+1)%2)) }, nil, VerdictPass, ""},
	} {
		r := judge(t, tt.metric, 60, repeat(60, tt.pair)...)
		got := r.Metrics[0]
		if r.Verdict != tt.want || got.Cause != tt.cause || !slices.Equal(got.Doubts, tt.doubts) {
			t.Errorf("%s: %v (%s), doubts %q; want %v (%s), %q; %+v", tt.name, r.Verdict, got.Cause, got.Doubts, tt.want, tt.cause, tt.doubts, got.Effect)
		}
	}
}
