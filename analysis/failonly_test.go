package analysis

import (
	"math"
	"testing"
)

// A metric that can only fail fails the run as any does, and keeps it from passing only while
// it could not be seen to fail, or is estimated to lie beyond its tolerance.
func TestFailOnly(t *testing.T) {
	t.Parallel()
	good := rates(1, 1000, 20, 1000)
	for _, c := range []struct {
		name    string
		second  func(step int) Pair
		want    Verdict
		holds   bool
		decided Decision
	}{
		{"too few events to be shown anything of", func(step int) Pair { return rates(float64(step%2), 100, float64((step+1)%2), 100) }, VerdictPass, false, Undecided},
		{"many more events", func(int) Pair { return rates(90, 100, 5, 100) }, VerdictFail, false, Fail},
		{"no data", func(int) Pair { return rates(0, 0, 0, 0) }, VerdictInconclusive, true, NoData},
		{"no data in one arm", func(int) Pair { return rates(0, 0, 1, 100) }, VerdictInconclusive, true, NoData},
		{"no data before step 11", func(step int) Pair {
			if step < 11 {
				return rates(0, 0, 0, 0)
			}
			return rates(float64(step%2), 100, float64((step+1)%2), 100)
		}, VerdictPass, false, Undecided},
		{"half as many again, of few", func(step int) Pair { return rates(float64(2*(step%2)), 100, float64((step+1)%2), 100) }, VerdictInconclusive, true, Undecided},
	} {
		first, second := ratio(0.25, 0.001), ratio(0.25, 0)
		second.Name, second.FailOnly = "second", true
		j, err := NewJudge(Plan{Steps: 30, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{first, second}})
		if err != nil {
			t.Fatal(err)
		}
		for step := 1; step <= 30; step++ {
			if verdict, err := j.Step(Look{Pairs: []Pair{good, c.second(step)}}); err != nil {
				t.Fatal(err)
			} else if verdict != VerdictInconclusive {
				break
			}
		}
		got := j.Result().Metrics[1]
		if j.Verdict() != c.want || got.Holds != c.holds || got.Decision != c.decided {
			t.Errorf("%s: the run is %v, the metric %v, holds %v; want %v, %v, %v", c.name, j.Verdict(), got.Decision, got.Holds, c.want, c.decided, c.holds)
		}
		if got.Share != 0.025 {
			t.Errorf("%s: it may fail with %g, want half of 5%%", c.name, got.Share)
		}
	}
}

// The exponents of docs/statistics/method.md, section 13.19: metrics that must pass count.
func TestPassSpendsLaterWithManyMetrics(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]float64{1: 1, 5: 1, 10: 1.5, 20: 2, 100: 2} {
		p := Plan{}
		for i := range n {
			p.Metrics = append(p.Metrics, value(0.1))
			p.Metrics[i].Name = string(rune('a' + i))
		}
		p.Metrics = append(p.Metrics, Metric{Advisory: true}, Metric{FailOnly: true})
		if got := p.passExponent(); math.Abs(got-want) > 1e-12 {
			t.Errorf("%d metrics: %g, want %g", n, got, want)
		}
	}
}
