package prometheus

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

func TestValues(t *testing.T) {
	t.Parallel()
	at := func(step int, v float64) analysis.Point {
		return analysis.ValuePoint(begin.Add(time.Duration(step)*30*time.Second), v)
	}
	for _, tt := range []struct {
		name, row string
		want      []analysis.Point
	}{
		{"numbers", `{"metric":{},"values":[[@0,"0"],[@1,"-0.5"],[@3,"1e-9"]]}`, []analysis.Point{at(0, 0), at(1, -0.5), at(3, 1e-9)}},
		{"times with decimals", `{"metric":{},"values":[[@0.000,"1"],[@1.0,"2"]]}`, []analysis.Point{at(0, 1), at(1, 2)}},
		// 0/0 is NaN, as is a gap; 1/0 is for who reads the answer to refuse.
		{"NaN and infinities", `{"metric":{},"values":[[@0,"NaN"],[@1,"+Inf"],[@2,"-Inf"]]}`, []analysis.Point{
			at(0, math.NaN()), at(1, math.Inf(1)), at(2, math.Inf(-1)),
		}},
		{"no value", `{"metric":{},"values":[]}`, nil},
		{"unknown keys", `{"metric":{},"values":[[@2,"7"]],"exemplars":[1],"stats":{}}`, []analysis.Point{at(2, 7)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all, err := read(matrixOf(tt.row), ask(providers.Value))
			if err != nil {
				t.Fatal(err)
			}
			want := []analysis.Series{{Labels: map[string]string{}, Step: 30 * time.Second, Points: tt.want}}
			if diff := cmp.Diff(want, all, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestStepsBelowASecond(t *testing.T) {
	t.Parallel()
	q := ask(providers.Value)
	q.Step, q.End = 250*time.Millisecond, q.Start.Add(time.Second)
	// 2026-11-23T10:00:00Z is 1795428000.
	body := matrixOf(`{"metric":{},"values":[[1795428000.25,"1"],[1795428000.5,"2"],[1795428001,"4"]]}`)
	all, err := read(body, q)
	if err != nil {
		t.Fatal(err)
	}
	var got []time.Duration
	for _, p := range all[0].Points {
		got = append(got, p.Time.Sub(begin))
	}
	if diff := cmp.Diff([]time.Duration{0, 250 * time.Millisecond, 750 * time.Millisecond}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	row := func(values string) string { return string(matrixOf(`{"metric":{},"values":[` + values + `]}`)) }
	for _, tt := range []struct{ name, body, want string }{
		{"nothing", "", "not JSON"},
		{"a login page", "<html><body>Please log in</body></html>", "not JSON as the query API answers it: invalid character '<' looking for beginning of value: <html><body>Please log in"},
		{"cut off", string(matrixOf(`{"metric":{}`))[:60], "not JSON"},
		{"two answers", row("") + row(""), "something after the JSON value"},
		{"a list", "[]", "not JSON as the query API answers it"},
		{"an empty object", "{}", `the status is ""`},
		{"an error with status 200", `{"status":"error","error":"boom"}`, `the status is "error": boom`},
		{"no data", `{"status":"success"}`, "the answer has no data"},
		{"null data", `{"status":"success","data":null}`, "the answer has no data"},
		{"a vector", `{"status":"success","data":{"resultType":"vector","result":[]}}`, "the result is a vector; want a matrix"},
		{"a result of another shape", `{"status":"success","data":{"resultType":"matrix","result":{}}}`, "not JSON as the query API answers it"},
		{"a time twice", row(`[@0,"1"],[@0,"1"]`), "the times do not ascend at 2026-11-23T10:00:00Z"},
		{"times that fall", row(`[@1,"1"],[@0,"1"]`), "the times do not ascend"},
		{"before the window", row(`[1795428000,"1"]`), "a point at 2026-11-23T09:59:30Z lies outside the window"},
		{"after the window", row(`[1795428150,"1"]`), "a point at 2026-11-23T10:02:00Z lies outside the window"},
		{"off the grid", row(`[1795428031,"1"]`), "a point at 2026-11-23T10:00:01Z does not fit the step of 30s"},
		{"a millisecond off the grid", row(`[1795428030.001,"1"]`), "does not fit the step"},
		{"a time as text", row(`["@0","1"]`), "is no number"},
		{"a time of null", row(`[null,"1"]`), "lies outside the window"},
		{"a time beyond all", row(`[1e300,"1"]`), "lies outside the window"},
		// null is no 0, and no gap either: Prometheus has none.
		{"a value of null", row(`[@0,null]`), `the value "" is no number`},
		{"a value that is a number", row(`[@0,1]`), "the value 1 is no text"},
		{"a value that is no number", row(`[@0,"one"]`), `the value "one" is no number`},
		{"a value beyond all", row(`[@0,"1e999"]`), `the value "1e999" is no number`},
		{"a point without a value", row(`[@0]`), "is no text"},
		{"a point of null", row(`null`), "is no number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all, err := read([]byte(tt.body), ask(providers.Value))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, error %v; want an error with %q", all, err, tt.want)
			}
		})
	}
}
