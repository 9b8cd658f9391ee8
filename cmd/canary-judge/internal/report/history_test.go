package report

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/providers"
)

// learnt is the report of a run of 60 steps of 30 s with what came of the history of its metrics.
func learnt(results ...analysis.MetricResult) *Report {
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	c := &config.Config{Service: "shop", Window: config.Window{Step: 30 * time.Second, Steps: 60, Warmup: 2}}
	o := &job.Outcome{Start: start, Fetched: 62, Total: 62, Ended: job.AtVerdict, Samples: map[providers.Arm][][]analysis.Sample{}}
	for i := range 62 {
		o.Times = append(o.Times, start.Add(time.Duration(i)*c.Window.Step))
	}
	o.Result = analysis.Result{Verdict: analysis.VerdictFail, Looks: 60, Steps: 60, Metrics: results}
	if !slices.ContainsFunc(results, func(m analysis.MetricResult) bool { return m.Decision == analysis.Fail }) {
		o.Result.Verdict, o.Ended = analysis.VerdictInconclusive, job.AtWindowEnd
	}
	for i, m := range results {
		unit := "ms"
		if m.Counted() {
			unit = ""
		}
		c.Metrics = append(c.Metrics, config.Metric{Name: m.Name, Unit: unit, GapsOf: -1})
		o.Clamped = append(o.Clamped, 0)
		for _, arm := range providers.Arms {
			var samples []analysis.Sample
			for step := range 62 {
				level := 200 + 6*math.Sin(float64(7*step+i))
				if arm == providers.Canary {
					level = 227 + 6*math.Cos(float64(5*step))
				}
				samples = append(samples, analysis.ValueSample(level))
			}
			o.Samples[arm] = append(o.Samples[arm], samples)
		}
	}
	return New(c, o)
}

// failed is a metric that failed by +10.1 % [+4 %, +16 %], tolerated 5 %, with a history of 240 steps.
func failed(name string, l analysis.HistoryResult) analysis.MetricResult {
	nan := math.NaN()
	if l.Steps == 0 {
		l.Steps, l.Usable = 240, 236
	}
	h := &analysis.History{}
	for i := range l.Steps {
		noise := math.Sin(float64(11*i)) + math.Cos(float64(3*i))
		h.Pairs = append(h.Pairs, analysis.Pair{Baseline: analysis.ValueSample(200 + 5*noise), Canary: analysis.ValueSample(206 + 5*math.Sin(float64(i*i)))})
	}
	m := analysis.Metric{Name: name, Tolerance: analysis.Tolerance{Size: 0.05}, History: h}
	return analysis.MetricResult{
		Metric: m, Decision: analysis.Fail, DecidedAt: 60, Elapsed: 60, Usable: 60, Looks: 60, MeanChange: nan,
		Effect: analysis.Effect{Estimate: .101, Lower: .04, Upper: .16}, UpperLimit: .05, LowerLimit: nan,
		Compared: analysis.Compared{Steps: 60, Baseline: analysis.ComparedArm{Level: 200, Bad: nan, Total: nan}, Canary: analysis.ComparedArm{Level: 226.8, Bad: nan, Total: nan}},
		Learned:  &l,
	}
}

// ordinary is a history of which there is nothing to say but that it was learned from.
func ordinary(change func(*analysis.HistoryResult)) analysis.HistoryResult {
	l := analysis.HistoryResult{Trust: .97, Noise: .05, Excess: math.NaN(), Offset: .002, OffsetError: .004}
	if change != nil {
		change(&l)
	}
	return l
}

// The sentences of docs/statistics/history.md.
func TestWhatCameOfAHistory(t *testing.T) {
	t.Parallel()
	const learned = "noise learned from 236 of 240 steps before the deployment (2 h)"
	days := func(r *analysis.MetricResult) {
		r.History = &analysis.History{Days: [][]analysis.Sample{{}, {}, {}}}
	}
	const ofSix = "noise learned from 6 instances of the baseline, 240 steps before the deployment (2 h), 1416 of 1440 usable"
	sixInstances := func(r *analysis.MetricResult) {
		r.History = &analysis.History{Instances: make([][]analysis.Sample, 6), CanaryInstances: 2, BaselineInstances: 7}
	}
	for _, tt := range []struct {
		name string
		l    func(*analysis.HistoryResult)
		r    func(*analysis.MetricResult)
		want string
	}{
		{"nothing to say", nil, nil, learned},
		{"discounted", func(l *analysis.HistoryResult) { l.Trust = .12 }, nil,
			"noise differs from the history's: history discounted (trust 0.12); " + learned},
		{"before the first look", func(l *analysis.HistoryResult) { l.Trust = math.NaN() }, nil, learned},
		{"noisier than the run", func(l *analysis.HistoryResult) { l.MuchNoisier = true }, nil,
			"the history is much noisier than the run (an incident in it?); the run was judged by the larger noise; " + learned},
		{"removed", func(l *analysis.HistoryResult) { l.Offset, l.OffsetError, l.OffsetRemoved = .03, .005, true }, nil,
			"+3% ± 0.52% that was there before is taken out of the change; " + learned},
		{"kept", func(l *analysis.HistoryResult) { l.Offset, l.OffsetError = .03, .005 }, nil,
			"the canary was 3% ± 0.52% above the baseline before the deployment already; history: {offset: remove} takes that out, if the canary runs on the same machines; " + learned},
		{"kept, below", func(l *analysis.HistoryResult) { l.Offset, l.OffsetError = -.02, .005 }, nil,
			"the canary was 2% ± 0.49% below the baseline before the deployment already; history: {offset: remove} takes that out, if the canary runs on the same machines; " + learned},
		{"too uncertain", func(l *analysis.HistoryResult) { l.Offset, l.OffsetError, l.OffsetUncertain = .02, .03, true }, nil,
			"the history is too short or too unsteady to say whether the machines differ (+2% ± 3.1%); nothing was removed; " + learned},
		{"too short", func(l *analysis.HistoryResult) {
			l.Steps, l.Usable, l.Cause = 240, 22, analysis.HistoryTooShort
		}, nil, "22 usable pairs of 240, 30 needed: noise assumed, not learned"},
		{"not positive", func(l *analysis.HistoryResult) { l.Cause = analysis.HistoryNotPositive }, nil,
			"too many of its values are not positive, which have no ratio: noise assumed, not learned"},
		{"too few days", func(l *analysis.HistoryResult) { l.Cause = analysis.HistoryTooFewDays }, days,
			"before/after needs 5 earlier days, there are 3"},
		{"days", func(l *analysis.HistoryResult) { l.Offset, l.OffsetError, l.Between = math.NaN(), math.NaN(), .08 }, days,
			"days differ by 8%, which the interval allows for; noise learned from 3 earlier days"},
		{"too few instances", func(l *analysis.HistoryResult) { l.Cause = "too few instances" }, func(r *analysis.MetricResult) {
			r.History = &analysis.History{Instances: [][]analysis.Sample{{}, {}, {}}, CanaryInstances: 1, BaselineInstances: 3}
		}, "3 instances of the baseline, 5 needed: noise assumed, not learned"},
		{"no instances", func(l *analysis.HistoryResult) { l.Cause = analysis.HistoryTooFewInstances }, func(r *analysis.MetricResult) {
			r.History = &analysis.History{Instances: [][]analysis.Sample{}, CanaryInstances: 1}
		}, "0 instances of the baseline, 5 needed: noise assumed, not learned"},
		{"instances", func(l *analysis.HistoryResult) {
			l.Steps, l.Usable, l.Offset, l.Between = 1440, 1416, math.NaN(), .03
		}, sixInstances,
			"machines alone make a canary of 2 instances differ by 3% from a baseline of 7, which the interval allows for; " + ofSix},
		{"instances, with an absolute tolerance", func(l *analysis.HistoryResult) {
			l.Steps, l.Usable, l.Offset, l.Between = 1440, 1416, math.NaN(), 4.25
		}, func(r *analysis.MetricResult) {
			sixInstances(r)
			r.Tolerance = analysis.Tolerance{Size: 10, Absolute: true}
		}, "machines alone make a canary of 2 instances differ by 4.25 ms from a baseline of 7, which the interval allows for; " + ofSix},
		{"instances that do not differ, another noise", func(l *analysis.HistoryResult) {
			l.Steps, l.Usable, l.Offset, l.Trust = 1440, 1416, math.NaN(), .2
		}, sixInstances,
			"noise differs from the history's: history discounted (trust 0.20); " + ofSix},
	} {
		m := failed("latency", ordinary(tt.l))
		if tt.r != nil {
			tt.r(&m)
		}
		if got := learnt(m).Metrics[0].History.Says; got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

// Every line with an effect says what was removed from it, beside numbers that have it still in them.
func TestWhatWasRemovedIsSaid(t *testing.T) {
	t.Parallel()
	removed := ordinary(func(l *analysis.HistoryResult) { l.Offset, l.OffsetError, l.OffsetRemoved = .03, .0049, true })
	r := learnt(failed("latency", removed))
	const want = "10% above the baseline (+4% to +16%; tolerated +5%) after removing +3% ± 0.5% that was there before: typically 227 ms against 200 ms"
	if got := r.Metrics[0].Reason; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := r.Metrics[0].cells()[3]; got != "+10% on top of +3%" {
		t.Errorf("the change in the table is %q", got)
	}
	if len(r.Metrics[0].Warnings) > 0 {
		t.Errorf("warnings %q", r.Metrics[0].Warnings)
	}
	absolute := failed("memory", removed)
	absolute.Tolerance = analysis.Tolerance{Size: .5, Absolute: true}
	absolute.Learned.Offset, absolute.Learned.OffsetError = 3, 1
	if got := learnt(absolute).Metrics[0].History.Says; !strings.HasPrefix(got, "+3 ms ± 1 ms that was there before") {
		t.Error(got)
	}
}

// Machines that differ by more than is tolerated are doubted, whether or not that is removed.
func TestADifferenceBeforeTheRunBeyondTheTolerance(t *testing.T) {
	t.Parallel()
	for _, removed := range []bool{true, false} {
		l := ordinary(func(l *analysis.HistoryResult) { l.Offset, l.OffsetError, l.OffsetRemoved = .12, .01, removed })
		r := learnt(failed("latency", l))
		warnings := strings.Join(r.Metrics[0].Warnings, "\n")
		if !strings.HasPrefix(warnings, "the canary was 12% ± 1.1% above the baseline before the deployment already") {
			t.Errorf("removed %v: warnings %q", removed, warnings)
		}
		if strings.Contains(warnings, "offset: remove") == removed {
			t.Errorf("removed %v: %q", removed, warnings)
		}
	}
}

// What is the same for many metrics is told once.
func TestEqualHistoriesAreOneLine(t *testing.T) {
	t.Parallel()
	discounted := ordinary(func(l *analysis.HistoryResult) { l.Trust = .12 })
	r := learnt(failed("a", ordinary(nil)), failed("b", discounted), failed("c", ordinary(nil)))
	lines := r.historyLines()
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "a and c: noise learned") || !strings.HasPrefix(lines[1], "b: noise differs") {
		t.Errorf("%q", lines)
	}
	if lines := learnt(failed("a", ordinary(nil)), failed("b", ordinary(nil))).historyLines(); len(lines) != 1 || !strings.HasPrefix(lines[0], "all metrics: noise") {
		t.Errorf("%q", lines)
	}
}

// A saved history is bounded, and its spikes stay.
func TestALongHistoryIsThinnedOut(t *testing.T) {
	t.Parallel()
	m := failed("latency", ordinary(func(l *analysis.HistoryResult) { l.Steps, l.Usable = 5760, 5760 }))
	m.History.Pairs[3333].Canary = analysis.ValueSample(900)
	m.History.Pairs[4444].Canary = analysis.ValueSample(1)
	r := learnt(m)
	s := r.Metrics[0].History.Series
	if len(s.Baseline) != mostHistoryPoints || len(s.Canary) != mostHistoryPoints {
		t.Fatalf("%d and %d points", len(s.Baseline), len(s.Canary))
	}
	var spikes int
	for _, v := range s.Canary {
		if v == 900 || v == 1 {
			spikes++
		}
	}
	if spikes != 2 {
		t.Errorf("%d of 2 spikes are left", spikes)
	}
	var page, short bytes.Buffer
	if err := r.HTML(&page); err != nil {
		t.Fatal(err)
	}
	m.Learned, m.History = nil, nil
	if err := learnt(m).HTML(&short); err != nil {
		t.Fatal(err)
	}
	if more := page.Len() - short.Len(); more > 6000 {
		t.Errorf("a history makes the page %d bytes larger", more)
	}
}

// A plot shows the history left of the run, behind a line at the deployment, and says it
// in words; a saved result shows the same.
func TestAHistoryIsDrawn(t *testing.T) {
	t.Parallel()
	r := learnt(failed("latency", ordinary(nil)))
	var saved bytes.Buffer
	if err := r.JSON(&saved); err != nil {
		t.Fatal(err)
	}
	again, err := Read(&saved)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Report{r, again} {
		p := r.pageMetric(0)
		for _, class := range []string{"stroke-before", "stroke-before-baseline", "stroke-deployment"} {
			if !strings.Contains(string(p.Arms.SVG), `class="`+class+`"`) {
				t.Errorf("nothing in the plot is %s", class)
			}
		}
		if !strings.Contains(p.Arms.Alt, "In the 2 h before the deployment: baseline 190 ms to 210 ms, canary 201 ms to 211 ms.") {
			t.Error(p.Arms.Alt)
		}
		if p.Arms.Before != "before the deployment" {
			t.Error(p.Arms.Before)
		}
	}
	// An incident in the history must not flatten the run.
	m := failed("latency", ordinary(nil))
	for i := range 6 {
		m.History.Pairs[100+i].Canary = analysis.ValueSample(2000)
	}
	if p := learnt(m).pageMetric(0); strings.Contains(string(p.Arms.SVG), ">2 s<") || strings.Contains(string(p.Arms.SVG), ">1 s<") {
		t.Errorf("the axis reaches as far as the incident: %s", p.Arms.SVG)
	}
}

// Earlier days lie behind the run, instances left of it.
func TestRangesAreDrawn(t *testing.T) {
	t.Parallel()
	day := func(level float64) (all []analysis.Sample) {
		for i := range 60 {
			all = append(all, analysis.ValueSample(level+math.Sin(float64(i))))
		}
		return all
	}
	m := failed("latency", ordinary(func(l *analysis.HistoryResult) { l.Offset = math.NaN() }))
	m.History = &analysis.History{Days: [][]analysis.Sample{day(200), day(210), day(190), day(205), day(195)}}
	m.Elapsed = 40
	h := learnt(m).Metrics[0].History
	if len(h.Series.Low) != 40 || h.Series.Low[0] != 190 || h.Series.High[0] != 210 {
		t.Errorf("%v", h.Series)
	}
	p := learnt(m).pageMetric(0)
	if !strings.Contains(string(p.Arms.SVG), "before-range") || strings.Contains(string(p.Arms.SVG), "stroke-deployment") || p.Arms.Before != "range of the earlier days" {
		t.Errorf("%s: %s", p.Arms.Before, p.Arms.SVG)
	}
	m.History = &analysis.History{Instances: m.History.Days}
	if p := learnt(m).pageMetric(0); !strings.Contains(string(p.Arms.SVG), "before-range") || !strings.Contains(string(p.Arms.SVG), "stroke-deployment") {
		t.Errorf("%s", p.Arms.SVG)
	}
}

// Of what no number of steps shows, none is forecast, and it is said what it takes.
func TestWhatMachinesHide(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		history analysis.History
		want    string
	}{
		{analysis.History{Instances: make([][]analysis.Sample, 6), CanaryInstances: 2, BaselineInstances: 6}, "it takes more instances of the canary, or a larger tolerance"},
		{analysis.History{Days: make([][]analysis.Sample, 6)}, "it takes a larger one"},
	} {
		m := failed("latency", ordinary(func(l *analysis.HistoryResult) { l.Offset, l.Between, l.Hides = math.NaN(), .2, true }))
		m.History, m.Decision = &tt.history, analysis.Undecided
		if r := learnt(m); !strings.Contains(r.Metrics[0].Reason, "no number of steps shows an unchanged canary to be within tolerance: "+tt.want) {
			t.Errorf("%s", r.Metrics[0].Reason)
		}
	}
}
