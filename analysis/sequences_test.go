package analysis

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
)

// sequence is a whole run of one metric, judged by docs/statistics/reference.py;
// see testdata/sequences.py.
type sequence struct {
	Name, Kind, Direction string
	K                     int
	Tolerance, Floor      float64
	Absolute              bool
	Rows                  [][]*float64
	Verdict               string
	Look                  int
	Looks                 []struct {
		K            int
		Fail, Passes float64
		Lower, Upper *float64
	}
}

func (s sequence) metric() Metric {
	return Metric{
		Name:         s.Name,
		Kind:         map[string]Kind{"ratio": Ratio, "value": Value, "checks": Checks}[s.Kind],
		Direction:    map[string]Direction{"increase": Increase, "decrease": Decrease}[s.Direction],
		Tolerance:    Tolerance{Size: s.Tolerance, Absolute: s.Absolute},
		Floor:        s.Floor,
		AbsentIsZero: true,
	}
}

// pair turns a row into a pair: canary and baseline, or bad and total of each.
func (s sequence) pair(row []*float64) Pair {
	v := make([]float64, len(row))
	for i, p := range row {
		v[i] = math.NaN()
		if p != nil {
			v[i] = *p
		}
	}
	if s.Kind == "value" {
		return values(v[0], v[1])
	}
	return rates(v[0], v[1], v[2], v[3])
}

func TestSequencesAgreeWithReference(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/sequences.json")
	if err != nil {
		t.Fatal(err)
	}
	var sequences []sequence
	if err := json.Unmarshal(data, &sequences); err != nil {
		t.Fatal(err)
	}
	for _, s := range sequences {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			s.check(t)
		})
	}
}

func (s sequence) check(t *testing.T) {
	j, err := NewJudge(Plan{Steps: s.K, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{s.metric()}})
	if err != nil {
		t.Fatal(err)
	}
	looks := s.Looks
	verdict := VerdictInconclusive
	for i, row := range s.Rows {
		if verdict, err = j.Step(Look{Pairs: []Pair{s.pair(row)}}); err != nil {
			t.Fatal(err)
		}
		for len(looks) > 0 && looks[0].K == i+1 {
			side, want := j.metrics[0].sides[0], looks[0]
			fail, _ := side.tests[0].clock.LastLevel()
			pass, _ := side.pass.LastLevel()
			// The reference's levels are themselves within 3e-5, and the limits
			// follow them.
			near(t, "FAIL level", fail, want.Fail, 3e-5)
			near(t, "PASS level", pass, want.Passes, 3e-5)
			e, _ := side.effect(side.tests[0])
			if want.Lower != nil {
				near(t, "lower limit", e.Lower, *want.Lower, 1e-4)
			}
			if want.Upper != nil {
				near(t, "upper limit", e.Upper, *want.Upper, 1e-4)
			}
			looks = looks[1:]
		}
		if verdict != VerdictInconclusive {
			break
		}
	}
	if got := fmt.Sprintf("%v at %d", verdict, j.Looks()); got != fmt.Sprintf("%s at %d", s.Verdict, s.Look) {
		t.Errorf("%s, want %s at %d", got, s.Verdict, s.Look)
	}
}

// near fails unless got is want within a relative tolerance, or a tenth of it
// absolutely.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return
	}
	if !(math.Abs(got-want) <= tolerance*math.Max(math.Abs(want), 0.1)) {
		t.Errorf("%s = %.10g, want %.10g", what, got, want)
	}
}
