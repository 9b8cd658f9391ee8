package analysis

import "testing"

// Few requests that all fail against some that all succeed: what Prometheus makes of 5
// requests an hour, its increases being a third larger than what happened.
func TestFewRequestsThatAllFailAreFound(t *testing.T) {
	t.Parallel()
	const request = 4.0 / 3
	j, err := NewJudge(Plan{Steps: 39, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{
		{Name: "errors", Kind: Ratio, Tolerance: Tolerance{Size: 0.25}, AbsentIsZero: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for k := 1; k <= 39; k++ {
		var x, m float64
		if k%8 == 0 {
			x = request
		}
		if k%4 == 2 {
			m = request
		}
		if v, err := j.Step(Look{Pairs: []Pair{rates(x, x, 0, m)}}); err != nil {
			t.Fatal(err)
		} else if v != VerdictInconclusive {
			break
		}
	}
	e := j.Result().Metrics[0]
	t.Logf("%v after %d, %+v", j.Verdict(), j.Looks(), e.Effect)
	if j.Verdict() != VerdictFail {
		t.Error("the verdict is ", j.Verdict())
	}
}
