package analysis

import (
	"math"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// What a caller forgets is a gap: two arms of nothing but zero values pass nothing.
func TestZeroSamplesAreGaps(t *testing.T) {
	t.Parallel()
	for _, m := range []Metric{
		value(0.1), {Name: "m", Tolerance: Tolerance{Size: 1, Absolute: true}},
		ratio(0.25, DefaultFloor), {Name: "m", Kind: Ratio, Tolerance: Tolerance{Size: 0.25}, Floor: DefaultFloor, AbsentIsZero: true},
		{Name: "m", Kind: Checks, Tolerance: Tolerance{Size: 0.2, Absolute: true}},
		{Name: "m", Kind: Histogram, Tolerance: Tolerance{Size: 0.1}, Quantile: 0.95},
		{Name: "m", Kind: Histogram, Tolerance: Tolerance{Size: 0.5}, SlowerThan: 1},
	} {
		r := judge(t, m, 30, make([]Pair, 30)...)
		if got := r.Metrics[0]; r.Verdict != VerdictInconclusive || got.Decision != NoData || got.Usable != 0 || got.Baseline.Steps+got.Canary.Steps != 0 {
			t.Errorf("%s: %v, %v after %d usable steps; want no data", m.Kind, r.Verdict, got.Decision, got.Usable)
		}
	}
	for what, p := range map[string]Point{
		"nothing": {}, "a time": {Time: time.Unix(0, 0)}, "NaN": ValuePoint(time.Unix(0, 0), nan), "no buckets": BucketPoint(time.Unix(0, 0), stats.Histogram{}),
	} {
		if !p.Gap() || !math.IsNaN(p.Value()) || len(p.Buckets().Counts) != 0 {
			t.Errorf("a point of %s is no gap: %v", what, p)
		}
	}
}

// A sample of another kind than the metric's is a mistake of the caller's, and says
// so, where it would otherwise be a gap.
func TestSamplesOfAnotherKindAreRefused(t *testing.T) {
	t.Parallel()
	h := BucketSample(stats.Histogram{Bounds: []float64{1}, Counts: []float64{5, 5}})
	for _, tt := range []struct {
		metric Metric
		sample Sample
		want   string
	}{
		{value(0.1), CountSample(1, 10), `metric "m": canary: the sample holds counts; a metric of kind value is judged by a value`},
		{ratio(0.1, 0), ValueSample(0.1), `metric "m": canary: the sample holds a value; a metric of kind ratio is judged by counts`},
		{ratio(0.1, 0), h, `metric "m": canary: the sample holds buckets; a metric of kind ratio is judged by counts`},
	} {
		j, err := NewJudge(Plan{Steps: 10, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{tt.metric}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Step(Look{Pairs: []Pair{{Canary: tt.sample}}}); err == nil || err.Error() != tt.want {
			t.Errorf("got the error %v, want %s", err, tt.want)
		}
	}
}

// Where a query can make zeros up, a zero is no word of bad events: only other
// counts are, in either arm.
func TestMadeUpZerosAreSilence(t *testing.T) {
	t.Parallel()
	clean := repeat(60, func(int) Pair { return rates(0, 1000, 0, 1000) })
	once := append([]Pair{rates(0, 1000, 1, 1000)}, clean[1:]...)
	for _, tt := range []struct {
		name   string
		madeUp bool
		pairs  []Pair
		want   Verdict
		cause  Cause
	}{
		{"zeros of the source", false, clean, VerdictPass, ""},
		{"zeros that may be made up", true, clean, VerdictInconclusive, BadNeverMentioned},
		{"one bad event of the baseline", true, once, VerdictPass, ""},
	} {
		m := ratio(0.25, DefaultFloor)
		m.ZerosMadeUp = tt.madeUp
		r := judge(t, m, 60, tt.pairs...)
		if r.Verdict != tt.want || r.Metrics[0].Cause != tt.cause {
			t.Errorf("%s: %v (%s), want %v (%s)", tt.name, r.Verdict, r.Metrics[0].Cause, tt.want, tt.cause)
		}
	}
}

// Steps that the source has and that cannot be read are left out while they are few; a run
// of them leaves nothing to decide by, however clear the rest is.
func TestStepsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	m := Metric{Name: "m", Kind: Histogram, SlowerThan: 0.5, Tolerance: Tolerance{Size: 0.5}}
	slow := func(slow float64) Sample {
		return BucketSample(stats.Histogram{Bounds: []float64{0.5}, Counts: []float64{1000 - slow, slow}})
	}
	// Forty steps in which the canary is four times as slow, but in some of which one arm
	// cannot be read.
	for _, c := range []struct {
		from, to int
		canary   bool
		verdict  Verdict
		cause    Cause
	}{
		{0, 0, true, VerdictFail, ""},
		{0, 2, true, VerdictFail, ""},
		{0, 30, true, VerdictInconclusive, Unreadable},
		{0, 30, false, VerdictInconclusive, Unreadable},
		{0, 40, true, VerdictInconclusive, Unreadable},
	} {
		r := judge(t, m, 40, repeat(40, func(i int) Pair {
			p := Pair{Baseline: slow(20 + float64(i%3)), Canary: slow(80 + float64(i%5))}
			if i >= c.from && i < c.to && c.canary {
				p.Canary = GapSample("why")
			} else if i >= c.from && i < c.to {
				p.Baseline = GapSample("why")
			}
			return p
		})...)
		got := r.Metrics[0]
		if r.Verdict != c.verdict || got.Cause != c.cause {
			t.Errorf("%d to %d: %s, %q; want %s, %q", c.from, c.to, r.Verdict, got.Cause, c.verdict, c.cause)
		}
		if n := c.to - c.from; c.verdict == VerdictInconclusive && (got.Canary.Unread+got.Baseline.Unread != n || got.Canary.Why+got.Baseline.Why != "why" || got.Decision != NoData) {
			t.Errorf("%d to %d: %d and %d unread, %q and %q, %s", c.from, c.to, got.Canary.Unread, got.Baseline.Unread, got.Canary.Why, got.Baseline.Why, got.Decision)
		}
	}
}
