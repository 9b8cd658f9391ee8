package prometheus

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
)

// begin is the start of the window of these tests, of 4 steps of 30 s.
var begin = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func ask(part providers.Part) providers.Query {
	return providers.Query{
		Metric: "m", Arm: providers.Canary, Part: part, Expr: "x",
		Start: begin, End: begin.Add(2 * time.Minute), Step: 30 * time.Second,
	}
}

// matrixOf is an answer with these rows. @0 to @3 in them are the times at which
// the steps are evaluated.
func matrixOf(rows ...string) []byte {
	text := strings.Join(rows, ",")
	for i := range 4 {
		end := begin.Add(time.Duration(i+1) * 30 * time.Second)
		text = strings.ReplaceAll(text, "@"+strconv.Itoa(i), strconv.FormatInt(end.Unix(), 10))
	}
	return []byte(`{"status":"success","data":{"resultType":"matrix","result":[` + text + `]}}`)
}

// le is the row of a bucket of a classic histogram: times and values in turn.
func le(bound string, values ...string) string {
	var points []string
	for i := 0; i < len(values); i += 2 {
		points = append(points, fmt.Sprintf(`[%s,"%s"]`, values[i], values[i+1]))
	}
	return fmt.Sprintf(`{"metric":{"job":"shop","le":"%s"},"values":[%s]}`, bound, strings.Join(points, ","))
}

// native1 is a row with one native histogram, of the first step.
func native1(buckets string) string {
	return `{"metric":{"job":"shop"},"histograms":[[@0,{"count":"9","sum":"1","buckets":[` + buckets + `]}]]}`
}

func TestHistograms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		rows []string
		want []stats.Histogram // of the steps that have a point, one series
	}{
		{
			"classic, in any order of bounds", []string{le("+Inf", "@0", "9"), le("0.5", "@0", "8"), le("0.1", "@0", "5"), le("1e1", "@0", "9")},
			[]stats.Histogram{{Bounds: []float64{0.1, 0.5, 10}, Counts: []float64{5, 3, 1, 0}}},
		},
		{
			"classic, 16 bounds written from the largest", func() []string {
				rows := []string{le("+Inf", "@0", "17")}
				for i := 16; i > 0; i-- {
					rows = append(rows, le(strconv.Itoa(i), "@0", strconv.Itoa(i)))
				}
				return rows
			}(),
			[]stats.Histogram{{
				Bounds: []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
				Counts: []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
			}},
		},
		{
			"classic, fractions of extrapolation that fall a hair", []string{
				le("0.1", "@0", "5.0000000001"), le("0.5", "@0", "5"), le("+Inf", "@0", "4.9999999999"),
			},
			// What the total does not have, the lower bounds cannot.
			[]stats.Histogram{{Bounds: []float64{0.1, 0.5}, Counts: []float64{4.9999999999, 0, 0}}},
		},
		{
			"classic, NaN of a bound", []string{le("0.1", "@0", "2"), le("0.5", "@0", "NaN"), le("+Inf", "@0", "7")},
			[]stats.Histogram{{Bounds: []float64{0.1}, Counts: []float64{2, 5}}},
		},
		{
			"classic, a bound appears later", []string{le("0.1", "@1", "1"), le("+Inf", "@0", "4", "@1", "6")},
			[]stats.Histogram{
				{Counts: []float64{4}},
				{Bounds: []float64{0.1}, Counts: []float64{1, 5}},
			},
		},
		{
			"classic, no total is a gap", []string{
				le("0.1", "@0", "1", "@1", "2", "@2", "3"), le("+Inf", "@0", "NaN", "@2", "+Inf"),
			},
			[]stats.Histogram{{}, {}, {}},
		},
		{
			"classic, nothing happened", []string{le("0.1", "@0", "0"), le("+Inf", "@0", "0")},
			[]stats.Histogram{{Bounds: []float64{0.1}, Counts: []float64{0, 0}}},
		},
		{
			"classic, infinitely many below a bound", []string{le("0.1", "@0", "+Inf"), le("+Inf", "@0", "3")},
			[]stats.Histogram{{Bounds: []float64{0.1}, Counts: []float64{3, 0}}},
		},
		{
			"classic, bounds below zero", []string{le("-1", "@0", "1"), le("0", "@0", "3"), le("+Inf", "@0", "4")},
			[]stats.Histogram{{Bounds: []float64{-1, 0}, Counts: []float64{1, 2, 1}}},
		},
		{
			"classic, only the total", []string{le("+Inf", "@0", "4")},
			[]stats.Histogram{{Counts: []float64{4}}},
		},
		{
			"native, buckets that touch", []string{native1(`[0,"0.5","1","3"],[0,"1","2","4.5"]`)},
			[]stats.Histogram{{Bounds: []float64{0.5, 1, 2}, Counts: []float64{0, 3, 4.5, 0}}},
		},
		{
			"native, a gap between buckets", []string{native1(`[0,"0.5","1","3"],[0,"4","8","2"]`)},
			[]stats.Histogram{{Bounds: []float64{0.5, 1, 4, 8}, Counts: []float64{0, 3, 0, 2, 0}}},
		},
		{
			// Rules: 1 = open right, 3 = closed both, 0 = open left.
			"native, from below zero over the zero bucket to above", []string{
				native1(`[1,"-2","-1","5"],[3,"-0.001","0.001","7"],[0,"0.001","0.5","1"]`),
			},
			[]stats.Histogram{{Bounds: []float64{-2, -1, -0.001, 0.001, 0.5}, Counts: []float64{0, 5, 0, 7, 1, 0}}},
		},
		{
			// A zero threshold of 0 makes a bucket of no width. It counts as at or below its bound.
			"native, a zero bucket of no width", []string{native1(`[3,"-0","0","7"],[0,"0","0.5","3"]`)},
			[]stats.Histogram{{Bounds: []float64{0, 0.5}, Counts: []float64{7, 3, 0}}},
		},
		{
			"native, a zero bucket of no width alone", []string{native1(`[3,"0","0","7"]`)},
			[]stats.Histogram{{Bounds: []float64{0}, Counts: []float64{7, 0}}},
		},
		{
			"native, a zero bucket of no width after others", []string{native1(`[1,"-2","-1","5"],[3,"0","0","7"],[0,"1","2","3"]`)},
			[]stats.Histogram{{Bounds: []float64{-2, -1, 0, 1, 2}, Counts: []float64{0, 5, 7, 0, 3, 0}}},
		},
		{
			"native, a bucket of no width at the end of another", []string{native1(`[0,"0.5","1","3"],[3,"1","1","2"]`)},
			[]stats.Histogram{{Bounds: []float64{0.5, 1}, Counts: []float64{0, 5, 0}}},
		},
		{
			"native with bounds of its own, from minus to plus infinity", []string{native1(`[0,"-Inf","1","5"],[0,"1","5","2"],[0,"5","+Inf","1"]`)},
			[]stats.Histogram{{Bounds: []float64{1, 5}, Counts: []float64{5, 2, 1}}},
		},
		{
			"native, one bucket for all", []string{native1(`[0,"-Inf","+Inf","5"]`)},
			[]stats.Histogram{{Counts: []float64{5}}},
		},
		{
			"native, nothing happened", []string{`{"metric":{},"histograms":[[@0,{"count":"0","sum":"0"}]]}`},
			[]stats.Histogram{{Counts: []float64{0}}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all, err := read(matrixOf(tt.rows...), ask(providers.Buckets))
			if err != nil {
				t.Fatal(err)
			}
			if len(all) != 1 {
				t.Fatalf("%d series, want 1", len(all))
			}
			var got []stats.Histogram
			for i, p := range all[0].Points {
				if want := begin.Add(time.Duration(i) * 30 * time.Second); !p.Time.Equal(want) || !math.IsNaN(p.Value()) {
					t.Errorf("point %d: at %s with the value %g, want %s and NaN", i, p.Time, p.Value(), want)
				}
				got = append(got, p.Buckets())
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestHistogramsOfSeveralSeries(t *testing.T) {
	t.Parallel()
	all, err := read(matrixOf(
		`{"metric":{"pod":"b","le":"1"},"values":[[@0,"1"]]}`, `{"metric":{"pod":"a","le":"+Inf"},"values":[[@0,"3"]]}`,
		`{"metric":{"pod":"b","le":"+Inf"},"values":[[@0,"2"]]}`, `{"metric":{"pod":"c"},"histograms":[[@0,{"count":"0","sum":"0"}]]}`,
	), ask(providers.Buckets))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]stats.Histogram{}
	for _, s := range all {
		if len(s.Labels) != 1 {
			t.Errorf("labels %v, want the pod alone", s.Labels)
		}
		got[s.Labels["pod"]] = s.Points[0].Buckets()
	}
	want := map[string]stats.Histogram{
		"a": {Counts: []float64{3}}, "b": {Bounds: []float64{1}, Counts: []float64{1, 1}}, "c": {Counts: []float64{0}},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBadHistograms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, rows, want string }{
		{"no +Inf", le("0.1", "@0", "5"), `the bucket le="+Inf" is missing`},
		{"a bound twice", le("1", "@0", "5") + "," + le("1", "@0", "5") + "," + le("+Inf", "@0", "9"), "is there twice; sum by (le)"},
		{"+Inf twice", le("+Inf", "@0", "5") + "," + le("+Inf", "@0", "9"), "is there twice"},
		{"a bound that is no number", le("fast", "@0", "5") + "," + le("+Inf", "@0", "9"), `le="fast" is no number`},
		{"a bound that is NaN", le("NaN", "@0", "5") + "," + le("+Inf", "@0", "9"), "is no number"},
		{"a bound that is minus infinity", le("-Inf", "@0", "5") + "," + le("+Inf", "@0", "9"), "is no number"},
		{"no le", `{"metric":{"job":"shop"},"values":[[@0,"5"]]}`, "sum by (le)"},
		{"no number of a bucket", le("+Inf", "@0", "many"), `"many" is no number`},
		{"a time twice", le("+Inf", "@0", "5", "@0", "6"), "do not ascend"},
		{"native, falling", native1(`[0,"1","2","3"],[0,"0.5","1","3"]`), "begins below the end of the one before it"},
		{"native, overlapping", native1(`[0,"1","4","3"],[0,"2","8","3"]`), "begins below the end"},
		{"native, after the end of all numbers", native1(`[0,"1","+Inf","3"],[0,"2","8","3"]`), "begins below the end"},
		{"native, upside down", native1(`[0,"2","1","3"]`), "a bucket from 2 to 1 holds 3"},
		{"native, fewer than none", native1(`[0,"1","2","-3"]`), "a bucket from 1 to 2 holds -3"},
		{"native, infinitely many", native1(`[0,"1","2","+Inf"]`), "holds +Inf"},
		{"native, NaN of them", native1(`[0,"1","2","NaN"]`), "holds NaN"},
		{"native, at infinity", native1(`[3,"+Inf","+Inf","1"]`), "a bucket from +Inf to +Inf"},
		{"native, at minus infinity", native1(`[3,"-Inf","-Inf","1"]`), "a bucket from -Inf to -Inf"},
		{"native, numbers not as text", native1(`[0,1,2,3]`), "the value 1 is no text"},
		{"native, a bucket too short", native1(`[0,"1"]`), "is no text"},
		{"native, no object", `{"metric":{},"histograms":[[@0,"7"]]}`, "a native histogram"},
		{"native, off the grid", `{"metric":{},"histograms":[[17,{"count":"0"}]]}`, "outside the window"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all, err := read(matrixOf(tt.rows), ask(providers.Buckets))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, error %v; want an error with %q", all, err, tt.want)
			}
		})
	}
}

func TestNativeHistogramsAreNoValues(t *testing.T) {
	t.Parallel()
	all, err := read(matrixOf(native1("")), ask(providers.Value))
	if want := "histogram_quantile"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, error %v; want an error with %q", all, err, want)
	}
}

// A window in several parts, as one of more steps than the server gives at once:
// series go on where they have the same labels.
func TestJoin(t *testing.T) {
	t.Parallel()
	point := func(step int) analysis.Point {
		return analysis.ValuePoint(begin.Add(time.Duration(step)*30*time.Second), float64(step))
	}
	a, b := map[string]string{"pod": "a"}, map[string]string{"pod": "b"}
	all := join(nil, []analysis.Series{{Labels: a, Points: []analysis.Point{point(0)}}})
	all = join(all, []analysis.Series{{Labels: b, Points: []analysis.Point{point(1)}}, {Labels: a, Points: []analysis.Point{point(1)}}})
	want := []analysis.Series{{Labels: a, Points: []analysis.Point{point(0), point(1)}}, {Labels: b, Points: []analysis.Point{point(1)}}}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
