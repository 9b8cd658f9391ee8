package providers

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWindows(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		steps, most int
		step        time.Duration
		want        []int // steps of each part
	}{
		{0, 5, time.Minute, nil},
		{1, 5, time.Minute, []int{1}},
		{5, 5, time.Minute, []int{5}},
		{12, 5, time.Minute, []int{5, 5, 2}},
		// 10,000 steps of 11 days are more than a time.Duration holds.
		{3, 10000, 11 * 24 * time.Hour, []int{3}},
	} {
		q := Query{Start: start, End: start.Add(time.Duration(tt.steps) * tt.step), Step: tt.step}
		var got []int
		next := start
		for from, to := range q.Windows(tt.most) {
			if !from.Equal(next) {
				t.Errorf("%d steps by %d: a part begins at %s, the one before ended at %s", tt.steps, tt.most, from, next)
			}
			got, next = append(got, int(to.Sub(from)/tt.step)), to
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || !next.Equal(q.End) {
			t.Errorf("%d steps by %d, up to %s (-want +got)\n%s", tt.steps, tt.most, next, diff)
		}
	}
	for range (Query{Start: start, End: start.Add(time.Hour), Step: time.Second}).Windows(1) {
		break // at once is allowed
	}
}

func TestCompareLabels(t *testing.T) {
	t.Parallel()
	ordered := []map[string]string{
		nil, {"a": ""}, {"a": "1"}, {"a": "1", "b": "0"}, {"a": "1", "b": "1"}, {"a": "1", "c": "0"}, {"a": "1 "}, {"a": "1!"}, {"a": "2"}, {"b": "0"},
	}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := CompareLabels(a, b); got != cmp3(i, j) {
				t.Errorf("%v to %v: %d, want %d", a, b, got, cmp3(i, j))
			}
		}
	}
}

func cmp3(a, b int) int { return slices.Compare([]int{a}, []int{b}) }

func TestKey(t *testing.T) {
	t.Parallel()
	q := Query{Metric: "errors", Arm: Canary, Part: Bad, Expr: "x", Start: time.Unix(0, 0), End: time.Unix(90, 0), Step: 30 * time.Second}
	if q.Key() != (Key{"errors", Canary, Bad}) || q.Steps() != 3 {
		t.Errorf("%v, %d steps", q.Key(), q.Steps())
	}
}
