package analysis

import (
	"math"
	"testing"
)

// All that a first look takes, of each kind (docs/statistics/method.md, section 3).
func TestFirstLook(t *testing.T) {
	for _, tt := range []struct {
		metric Metric
		want   int
	}{
		{Metric{Kind: Value}, 4}, {Metric{Kind: Ratio}, 3}, {Metric{Kind: Checks}, 1},
		{Metric{Kind: Histogram, SlowerThan: 1}, 3}, {Metric{Kind: Histogram, Quantile: 0.9}, 4},
	} {
		if got := tt.metric.FirstLook(); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.metric.Kind, got, tt.want)
		}
	}
}

// One run a step, none of which fails: with a single look after n of them the upper
// limit 1 - .05^(1/n) is below 5 points from n = 59 on. Of n looks the last has a smaller
// level, so that it takes more; and whatever it takes is enough and one step less is not.
func TestStepsToPass(t *testing.T) {
	plan := func(m Metric, steps int) Plan {
		return Plan{Steps: steps, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{m}}
	}
	checks := Metric{Name: "c", Kind: Checks, Tolerance: Tolerance{Size: 0.05, Absolute: true}}
	if got := plan(checks, 60).RunsToPass(0); got != 59 {
		t.Errorf("RunsToPass: %g, want 59", got)
	}
	need := plan(checks, 60).StepsToPass(0, 1)
	if need <= 59 || need > 2*59 {
		t.Errorf("5 points: %d steps", need)
	}
	for steps, want := range map[int]Verdict{need - 1: VerdictInconclusive, need: VerdictPass} {
		j, err := NewJudge(plan(checks, steps))
		if err != nil {
			t.Fatal(err)
		}
		verdict := VerdictInconclusive
		for range steps {
			one := CountSample(0, 1)
			if verdict, err = j.Step(Look{Pairs: []Pair{{one, one}}}); err != nil {
				t.Fatal(err)
			}
		}
		if verdict != want {
			t.Errorf("%d steps: %v, want %v", steps, verdict, want)
		}
	}
	for _, tt := range []struct {
		name  string
		m     Metric
		steps int
		runs  float64
		want  int
	}{
		{"two runs a step take half of the steps", checks, need, 2, need},
		{"runs that are not known are enough", checks, 8, 0, 8},
		{"a value", Metric{Kind: Value, Tolerance: Tolerance{Size: 0.1}}, 3, 0, 4},
		{"a value that may change neither way", Metric{Kind: Value, Direction: Either, Tolerance: Tolerance{Size: 5, Absolute: true}}, 4, 0, 4},
		{"a quantile", Metric{Kind: Histogram, Quantile: 0.99, Tolerance: Tolerance{Size: 0.1}}, 60, 0, 60},
		{"slower than", Metric{Kind: Histogram, SlowerThan: 1, Tolerance: Tolerance{Size: 0.1}}, 3, 0, 3},
		{"a ratio", Metric{Kind: Ratio, Tolerance: Tolerance{Size: 0.25}}, 3, 0, 3},
		{"a ratio by the floor", Metric{Kind: Ratio, Tolerance: Tolerance{Size: 0.25}, Floor: 0.001}, 3, 0, 3},
		{"no number is enough", Metric{Kind: Checks, Tolerance: Tolerance{Size: 1e-4, Absolute: true}}, 60, 1, 0},
		{"a tolerance of 0", Metric{Kind: Value}, 60, 0, 60},
	} {
		if got := plan(tt.m, tt.steps).StepsToPass(0, tt.runs); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	// By the floor of .1 % with a tolerance of 25 %: 1 - .05^(1/n) < .00125 from n = 2,395 on.
	floor := Metric{Kind: Checks, Tolerance: Tolerance{Size: 0.25}, Floor: 0.001}
	least := math.Ceil(math.Log(0.05) / math.Log1p(-0.00125))
	if got := plan(floor, 3).StepsToPass(0, 100); float64(got) < least/100 || float64(got) > 2*least/100 {
		t.Errorf("floor: %d steps of 100 runs, want %g runs or more", got, least)
	}
}
