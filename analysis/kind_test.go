package analysis

import (
	"math"
	"testing"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// A kind that is left out of the table would be found by the first run that has one.
func TestEachKindIsWhole(t *testing.T) {
	t.Parallel()
	words := map[string]Kind{}
	for _, k := range Kinds() {
		of := kinds[k]
		if of.word == "" || of.holds == nothing || of.method == nil {
			t.Errorf("kind %d is not whole: %+v", int(k), of)
			continue
		}
		if other, twice := words[of.word]; twice {
			t.Errorf("kinds %d and %d are both called %s", int(other), int(k), of.word)
		}
		words[of.word] = k
		m := Metric{Kind: k}
		if m.Counted() && !m.Totals() {
			t.Errorf("%s is judged by counts of events, and its samples hold none", k)
		}
		if m.Traffic() != NoTraffic && !m.Totals() {
			t.Errorf("%s counts requests, and its samples hold no totals", k)
		}
		if m.Shows(Sample{}) || !math.IsNaN(m.Number(Sample{})) {
			t.Errorf("a gap shows something of a %s", k)
		}
	}
	if got := Kind(-1).String(); got != "Kind(-1)" {
		t.Errorf("a kind that is none is called %s", got)
	}
	plan := Plan{Steps: 3, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{{Kind: kindCount}}, Exposure: &Exposure{Share: 0.1}}
	if plan.Validate() == nil {
		t.Error("a plan with a kind that is none is valid")
	}
}

// What the methods say of themselves, by hand: docs/statistics/method.md, section 5.
func TestWhatKindsSay(t *testing.T) {
	t.Parallel()
	buckets := BucketSample(stats.Histogram{Bounds: []float64{1, 2}, Counts: []float64{6, 2, 2}})
	for _, c := range []struct {
		name                          string
		m                             Metric
		counted, paired, each, totals bool
		amount                        Amount
		traffic                       Traffic
		some, none                    Sample
		number                        float64
	}{
		{"value", Metric{}, false, true, true, false, OwnUnits, NoTraffic, ValueSample(7), ValueSample(math.Inf(1)), 7},
		{"ratio", Metric{Kind: Ratio}, true, true, false, true, RatePoints, AllTraffic, CountSample(1, 4), CountSample(0, 0), 0.25},
		{"silent ratio", Metric{Kind: Ratio}, true, true, false, true, RatePoints, AllTraffic, CountSample(math.NaN(), 4), CountSample(math.NaN(), 0), 0},
		{"slower than", Metric{Kind: Histogram, SlowerThan: 1}, true, true, false, true, RatePoints, MeasuredTraffic, buckets, BucketSample(stats.Histogram{Bounds: []float64{1}, Counts: []float64{0, 0}}), 0.4},
		{"quantile", Metric{Kind: Histogram, Quantile: 0.3}, false, true, true, true, NoAmount, NoTraffic, buckets, Sample{}, 0.5},
		{"checks", Metric{Kind: Checks}, true, false, false, true, RatePoints, NoTraffic, CountSample(1, 2), Sample{}, 0.5},
	} {
		got := []bool{c.m.Counted(), c.m.Paired(), c.m.EachStepCounts(), c.m.Totals(), c.m.Shows(c.some), c.m.Shows(c.none)}
		want := []bool{c.counted, c.paired, c.each, c.totals, true, false}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: answers %v, want %v", c.name, got, want)
				break
			}
		}
		if c.m.Amount() != c.amount || c.m.Traffic() != c.traffic {
			t.Errorf("%s: amount %d, traffic %d", c.name, c.m.Amount(), c.m.Traffic())
		}
		if n := c.m.Number(c.some); math.Abs(n-c.number) > 1e-12 {
			t.Errorf("%s: the number is %g, want %g", c.name, n, c.number)
		}
	}
}
