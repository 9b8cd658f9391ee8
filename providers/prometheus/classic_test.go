package prometheus

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// seriesOf is a row that says how many series were summed for a bound.
func seriesOf(bound string, values ...string) string {
	return strings.Replace(le(bound, values...), `"job"`, `"canary_judge":"series","job"`, 1)
}

// steps reads an answer of buckets as a point a step.
func steps(t *testing.T, expr string, rows ...string) []analysis.Point {
	t.Helper()
	q := ask(providers.Buckets)
	q.Expr = expr
	all, err := read(matrixOf(rows...), q)
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	return all[0].Points
}

// A bound without a value in a step was not measured in it, whatever it is in others.
func TestBoundsOfAStep(t *testing.T) {
	t.Parallel()
	rows := []string{
		le("0.4", "@1", "88"), le("0.5", "@0", "94"), le("0.8", "@1", "99"), le("1", "@0", "100"), le("+Inf", "@0", "100", "@1", "100"),
	}
	got := steps(t, "x", rows...)
	want := []stats.Histogram{
		{Bounds: []float64{0.5, 1}, Counts: []float64{94, 6, 0}},
		{Bounds: []float64{0.4, 0.8}, Counts: []float64{88, 11, 1}},
	}
	for i, p := range got {
		if diff := cmp.Diff(want[i], p.Buckets()); diff != "" {
			t.Errorf("step %d (-want +got)\n%s", i, diff)
		}
	}
	// The first step is the same when the window ends after it.
	first := steps(t, "x", le("0.5", "@0", "94"), le("1", "@0", "100"), le("+Inf", "@0", "100"))
	if diff := cmp.Diff(first[0].Buckets(), got[0].Buckets()); diff != "" {
		t.Errorf("a shorter window (-want +got)\n%s", diff)
	}
}

// What pods count under other spellings of a bound is of that bound.
func TestSpellingsOfABound(t *testing.T) {
	t.Parallel()
	got := steps(t, "x", le("1", "@0", "49"), le("1.0", "@0", "50", "@1", "7"), le("1e0", "@1", "2"), le("+Inf", "@0", "100", "@1", "10"))
	want := []stats.Histogram{{Bounds: []float64{1}, Counts: []float64{99, 1}}, {Bounds: []float64{1}, Counts: []float64{9, 1}}}
	for i, p := range got {
		if diff := cmp.Diff(want[i], p.Buckets()); diff != "" {
			t.Errorf("step %d (-want +got)\n%s", i, diff)
		}
	}
}

// Sums over pods with different bounds say nothing: each pod is missing from the bounds
// that it does not have.
func TestPodsWithDifferentBounds(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]string{
		// One pod has 0.4, 0.8, the other 0.5, 1.
		"falling":     {le("0.4", "@0", "94"), le("0.5", "@0", "49"), le("+Inf", "@0", "100")},
		"beyond +Inf": {le("0.4", "@0", "94"), le("0.5", "@0", "98"), le("+Inf", "@0", "49")},
		"by their count": {
			le("0.4", "@0", "44"), le("0.5", "@0", "47"), le("0.8", "@0", "49.5"), le("1", "@0", "50"), le("+Inf", "@0", "100"),
			seriesOf("0.4", "@0", "1"), seriesOf("0.5", "@0", "1"), seriesOf("0.8", "@0", "1"), seriesOf("1", "@0", "1"), seriesOf("+Inf", "@0", "2"),
		},
	} {
		if p := steps(t, "x", rows...)[0]; !p.Gap() || p.Sample().Why() != "pods of this arm have different buckets" {
			t.Errorf("%s: %v, %q", name, p.Buckets(), p.Sample().Why())
		}
	}
	for name, rows := range map[string][]string{
		// Of two pods, which spell it in two ways.
		"counted alike": {
			le("1", "@0", "49"), le("1.0", "@0", "50"), le("+Inf", "@0", "100"),
			seriesOf("1", "@0", "1"), seriesOf("1.0", "@0", "1"), seriesOf("+Inf", "@0", "2"),
		},
		"a hair, by extrapolation": {le("0.4", "@0", "98"), le("0.5", "@0", "97.2"), le("+Inf", "@0", "97.9")},
	} {
		if p := steps(t, "x", rows...)[0]; p.Gap() {
			t.Errorf("%s: a gap, %q", name, p.Sample().Why())
		}
	}
}

// Where empty buckets are left out, a bound that is there for the sake of other steps is
// none.
func TestSparseBuckets(t *testing.T) {
	t.Parallel()
	got := steps(t, "prometheus_buckets(sum by (vmrange) (x))",
		le("0.1", "@0", "0"), le("0.2", "@0", "5"), le("0.4", "@0", "5"), le("0.8", "@0", "5"), le("1.6", "@0", "5"), le("+Inf", "@0", "5"))
	want := stats.Histogram{Bounds: []float64{0.1, 0.2}, Counts: []float64{0, 5, 0}}
	if diff := cmp.Diff(want, got[0].Buckets()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A sum of buckets over series asks for the number of series too.
func TestWithSeriesCount(t *testing.T) {
	t.Parallel()
	const sum = `sum by (le) (increase(x_bucket{app="a b"}[30s]))`
	for expr, want := range map[string]string{
		sum: `(` + sum + "\n" + `) or label_replace(count by (le) (increase(x_bucket{app="a b"}[30s])), "canary_judge", "series", "", "")`,
		`sum(increase(x_bucket[30s])) without (pod) # why`: "(sum(increase(x_bucket[30s])) without (pod) # why\n" +
			`) or label_replace(count without (pod) (increase(x_bucket[30s])), "canary_judge", "series", "", "")`,
		`sum by (le) (x:increase30s)`: "(sum by (le) (x:increase30s)\n" + `) or label_replace(count by (le) (x:increase30s), "canary_judge", "series", "", "")`,
		`sum by (le) (increase(x_bucket[30s]) * on (pod) group_left (v) y)`: "(sum by (le) (increase(x_bucket[30s]) * on (pod) group_left (v) y)\n" +
			`) or label_replace(count by (le) (increase(x_bucket[30s]) * on(pod) group_left(v) y), "canary_judge", "series", "", "")`,
		// It sums no bounds, or not only sums, or cannot be written safely.
		`sum(increase(x[30s]))`:                                   "",
		`sum by (pod) (increase(x[30s]))`:                         "",
		`sum without (le) (increase(x_bucket[30s]))`:              "",
		`increase(x_bucket[30s])`:                                 "",
		sum + " or " + sum:                                        "",
		`sum by (le) (increase({"a.b"}[30s]))`:                    "",
		`prometheus_buckets(sum by (vmrange) (increase(x[30s])))`: "",
	} {
		if want == "" {
			want = expr
		}
		if got := withSeriesCount(expr); got != want {
			t.Errorf("%s\nbecame %s\nwant   %s", expr, got, want)
		}
		if _, err := parse(withSeriesCount(expr)); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

// An answer that lacks a part of the data is trouble that may pass; notices are none.
func TestPartialAnswers(t *testing.T) {
	t.Parallel()
	row := `{"metric":{},"values":[[@0,"1"]]}`
	for _, tt := range []struct {
		name, field string
		want        string // of the error; "" for none
		passing     bool
	}{
		{"Thanos", `"warnings":["No StoreAPIs matched for this query"],`, "the answer is not whole: No StoreAPIs matched", true},
		{"a later one", `"warnings":["PromQL info: x","fetch series: rpc error: code = Unavailable"],`, "rpc error", true},
		{"VictoriaMetrics", `"isPartial":true,`, "some of the stores", true},
		{"an error beside data", `"errorType":"timeout","error":"query timed out",`, "the answer is not whole: query timed out", true},
		{"VictoriaMetrics, whole", `"isPartial":false,`, "", false},
		{"no warnings", `"warnings":null,"infos":null,`, "", false},
		{"infos", `"infos":["PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"x\" (1:5)"],`, "", false},
		{"infos among warnings", `"warnings":["PromQL info: metric might not be a counter"],`, "", false},
		{"about a type", `"warnings":["PromQL warning: this native histogram metric is not a counter: \"x\" (1:5)"],`, "", false},
		{"about the query", `"warnings":["PromQL warning: encountered a mix of histograms and floats for metric name \"x\" (1:5)"],`, "the server leaves something out: PromQL warning", false},
	} {
		body := strings.Replace(string(matrixOf(row)), `"data"`, tt.field+`"data"`, 1)
		p, err := New(Settings{URL: "http://prometheus:9090"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		all, err := read([]byte(body), ask(providers.Value))
		if err != nil {
			err = p.misread(err)
		}
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || web.Passing(err) != tt.passing || err == nil && len(all) != 1 {
			t.Errorf("%s: %v, %v; want %q, passing %t", tt.name, all, err, tt.want, tt.passing)
		}
	}
}

// Points that cannot be read keep their time.
func TestGapsKeepTheirTime(t *testing.T) {
	t.Parallel()
	got := steps(t, "x", le("0.4", "@0", "94", "@1", "1"), le("0.5", "@0", "49", "@1", "2"), le("+Inf", "@0", "100", "@1", "3"))
	want := []analysis.Point{
		analysis.GapPoint(begin, mixedBounds),
		analysis.BucketPoint(begin.Add(30*time.Second), stats.Histogram{Bounds: []float64{0.4, 0.5}, Counts: []float64{1, 1, 1}}),
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
