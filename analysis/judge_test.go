package analysis

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// judge runs a plan of one metric over pairs and returns its result.
func judge(t *testing.T, m Metric, steps int, pairs ...Pair) Result {
	t.Helper()
	j, err := NewJudge(Plan{Steps: steps, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{m}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		verdict, err := j.Step(Look{Pairs: []Pair{p}})
		if err != nil {
			t.Fatal(err)
		}
		if verdict != VerdictInconclusive {
			break
		}
	}
	return j.Result()
}

func values(canary, baseline float64) Pair {
	return Pair{Baseline: ValueSample(baseline), Canary: ValueSample(canary)}
}

func rates(x, n, y, m float64) Pair {
	return Pair{Baseline: CountSample(y, m), Canary: CountSample(x, n)}
}

func repeat(n int, pair func(i int) Pair) []Pair {
	var pairs []Pair
	for i := range n {
		pairs = append(pairs, pair(i))
	}
	return pairs
}

var nan = math.NaN()

func value(tolerance float64) Metric {
	return Metric{Name: "m", Kind: Value, Tolerance: Tolerance{Size: tolerance}}
}

func ratio(tolerance, floor float64) Metric {
	return Metric{Name: "m", Kind: Ratio, Tolerance: Tolerance{Size: tolerance}, Floor: floor}
}

// The rules of docs/statistics/method.md, section 6, a row each.
func TestEdgeCases(t *testing.T) {
	t.Parallel()
	noise := func(i int) float64 { return 1 + 0.02*math.Sin(7*float64(i)) }
	absolute := func(m Metric) Metric { m.Tolerance.Absolute = true; return m }
	zeroIsFine := func(m Metric) Metric { m.AbsentIsZero = true; return m }
	for _, c := range []struct {
		name     string
		metric   Metric
		pairs    []Pair
		verdict  Verdict
		decision Decision
		cause    Cause
		latest   int // the verdict comes by this look; 0 = whenever
	}{
		{
			"one arm is absent", value(0.1), repeat(20, func(int) Pair { return values(nan, 5) }),
			VerdictInconclusive, NoData, NoDataAtAll, 0,
		},
		{
			"no step has both arms", value(0.1), repeat(20, func(i int) Pair {
				if i < 10 {
					return values(5, nan)
				}
				return values(nan, 5)
			}),
			VerdictInconclusive, NoData, NoDataAtAll, 0,
		},
		{
			"most steps are gaps", value(0.1), repeat(20, func(i int) Pair {
				if i%3 == 0 {
					return values(9*noise(i), 5)
				}
				return values(nan, 5)
			}),
			VerdictInconclusive, NoData, TooManyGaps, 0,
		},
		{
			"infinities are gaps", value(0.1), repeat(20, func(int) Pair { return values(math.Inf(1), 5) }),
			VerdictInconclusive, NoData, NoDataAtAll, 0,
		},
		{
			"no requests in the canary", ratio(0.25, 0.001), repeat(20, func(int) Pair { return rates(0, 0, 1, 100) }),
			VerdictInconclusive, NoData, NoDataAtAll, 0,
		},
		{
			"no errors anywhere, no floor", ratio(0.25, 0), repeat(60, func(int) Pair { return rates(0, 1000, 0, 1000) }),
			VerdictInconclusive, Undecided, NotEnoughEvidence, 0,
		},
		{
			// "PASS after 8 intervals at 1000 requests per interval and side, f = 0.1%"
			"no errors anywhere, a floor", ratio(0.25, 0.001), repeat(60, func(int) Pair { return rates(0, 1000, 0, 1000) }),
			VerdictPass, Pass, "", 8,
		},
		{
			"no errors anywhere, absolute", absolute(ratio(0.005, 0)), repeat(60, func(int) Pair { return rates(0, 1000, 0, 1000) }),
			VerdictPass, Pass, "", 8,
		},
		{
			"errors in the baseline only", ratio(0.25, 0), repeat(60, func(i int) Pair { return rates(0, 1000, 20+float64(i%3), 1000) }),
			VerdictPass, Pass, "", 20,
		},
		{
			"few errors in the canary only stay below the floor", ratio(0.25, 0.01),
			repeat(60, func(i int) Pair { return rates(float64(i%2), 1000, 0, 1000) }),
			VerdictPass, Pass, "", 20,
		},
		{
			"many errors in the canary only", ratio(0.25, 0.001),
			repeat(60, func(i int) Pair { return rates(50+float64(i%7), 1000, 0, 1000) }),
			VerdictFail, Fail, "", 3,
		},
		{
			"the canary's errors are absent, the baseline's are not: none", ratio(0.25, 0.001),
			repeat(60, func(i int) Pair { return rates(nan, 1000, 20+float64(i%3), 1000) }),
			VerdictPass, Pass, "", 20,
		},
		{
			"errors are never mentioned: the query may be wrong", ratio(0.25, 0.001),
			repeat(60, func(int) Pair { return rates(nan, 1000, nan, 1000) }),
			VerdictInconclusive, Undecided, BadNeverMentioned, 0,
		},
		{
			"errors are never mentioned, and that is said to be fine", zeroIsFine(ratio(0.25, 0.001)),
			repeat(60, func(int) Pair { return rates(nan, 1000, nan, 1000) }),
			VerdictPass, Pass, "", 8,
		},
		{
			"equal constants", value(0.1), repeat(20, func(int) Pair { return values(5, 5) }),
			VerdictPass, Pass, "", 7,
		},
		{
			"all zero", value(0.1), repeat(20, func(int) Pair { return values(0, 0) }),
			VerdictInconclusive, Undecided, BaselineNotPositive, 0,
		},
		{
			"all zero, absolute", absolute(value(0.1)), repeat(20, func(int) Pair { return values(0, 0) }),
			VerdictPass, Pass, "", 12,
		},
		{
			"a gauge that is 1 in both arms shows little in 20 steps", value(0.1), repeat(20, func(int) Pair { return values(1, 1) }),
			VerdictInconclusive, Undecided, EqualSteps, 0,
		},
		{
			"a gauge that is 1 in both arms shows enough in 60", value(0.1), repeat(60, func(int) Pair { return values(1, 1) }),
			VerdictPass, Pass, "", 40,
		},
		{
			"equal constants with decimals", value(0.1), repeat(20, func(int) Pair { return values(0.25, 0.25) }),
			VerdictPass, Pass, "", 5,
		},
		{
			"a constant beyond tolerance", value(0.1), repeat(20, func(int) Pair { return values(6, 5) }),
			VerdictFail, Fail, "", 12,
		},
		{
			"negative baseline with a relative tolerance", value(0.1), repeat(20, func(i int) Pair { return values(-5*noise(i), -5) }),
			VerdictInconclusive, Undecided, BaselineNotPositive, 0,
		},
		{
			"a tolerance of 0 cannot pass", value(0), repeat(20, func(i int) Pair { return values(5*noise(i), 5*noise(i+1)) }),
			VerdictInconclusive, Undecided, ZeroTolerance, 0,
		},
		{
			"both arms are one series", value(0.1), repeat(20, func(i int) Pair { return values(5*noise(i), 5*noise(i)) }),
			VerdictInconclusive, Undecided, SameSeries, 0,
		},
		{
			"both arms are one series of counts", ratio(0.25, 0),
			repeat(20, func(i int) Pair { x, n := float64(i%7), 900+float64(i); return rates(x, n, x, n) }),
			VerdictInconclusive, Undecided, SameSeries, 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := judge(t, c.metric, len(c.pairs), c.pairs...)
			m := r.Metrics[0]
			if r.Verdict != c.verdict || m.Decision != c.decision || m.Cause != c.cause {
				t.Errorf("%v, %v, %q; want %v, %v, %q", r.Verdict, m.Decision, m.Cause, c.verdict, c.decision, c.cause)
			}
			if c.latest > 0 && r.Looks > c.latest {
				t.Errorf("took %d looks, want at most %d", r.Looks, c.latest)
			}
		})
	}
}

func TestNumbersThatMakeNoSenseAreErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pair Pair
		want string
	}{
		{rates(-1, 10, 0, 10), "cannot be negative"},
		{rates(1, 10, 0, -10), "baseline: 0 bad of -10"},
		{rates(11, 10, 0, 10), "canary: 11 bad of 10"},
		{rates(1, math.Inf(1), 0, 10), "infinite"},
	} {
		j, err := NewJudge(Plan{Steps: 5, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{ratio(0.25, 0)}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Step(Look{Pairs: []Pair{c.pair}}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c.pair, err, c.want)
		}
		if j.Looks() != 0 {
			t.Error("a step that is an error was taken")
		}
	}
}

func TestPlansThatMakeNoSenseAreErrors(t *testing.T) {
	t.Parallel()
	p := Plan{Steps: 2, FalseAlarm: 0.6, WrongPass: nan, Metrics: []Metric{
		{Name: "a", Advisory: true, Tolerance: Tolerance{Size: -1}},
		{Name: "a", Advisory: true, Kind: Value, Floor: 0.1},
		{Name: "f", Advisory: true, FailOnly: true},
		{Name: "q", Advisory: true, Kind: Histogram, Quantile: 95},
		{Name: "d", Advisory: true, Kind: Ratio, Floor: 0.1, Direction: Decrease},
	}}
	err := p.Validate()
	for _, want := range []string{
		"2 steps", "false-alarm rate is 0.6", "wrong-pass rate is NaN", "two metrics", "no metric has to pass",
		"tolerance is -1", "a floor belongs to a rate", "quantile is 95", "the direction increase", "leave one of them out",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

func TestAJudgeStopsAtItsVerdict(t *testing.T) {
	t.Parallel()
	j, err := NewJudge(Plan{Steps: 20, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{ratio(0.25, 0.001)}})
	if err != nil {
		t.Fatal(err)
	}
	bad := []Pair{rates(500, 1000, 1, 1000)}
	for range 3 {
		if _, err := j.Step(Look{Pairs: bad}); err != nil {
			t.Fatal(err)
		}
	}
	if verdict, err := j.Step(Look{Pairs: bad}); verdict != VerdictFail || !errors.Is(err, ErrJudged) {
		t.Errorf("%v, %v; want the verdict to stand", verdict, err)
	}
}

// FAIL beats PASS, an advisory metric decides nothing, and one undecided metric
// keeps the run open.
func TestVerdictOverMetrics(t *testing.T) {
	t.Parallel()
	good, bad := rates(1, 1000, 20, 1000), rates(200, 1000, 20, 1000)
	open := rates(0, 0, 0, 0)
	for _, c := range []struct {
		name     string
		advisory bool
		pairs    []Pair
		want     Verdict
	}{
		{"both good", false, []Pair{good, good}, VerdictPass},
		{"one bad", false, []Pair{good, bad}, VerdictFail},
		{"one without data", false, []Pair{good, open}, VerdictInconclusive},
		{"an advisory one is bad", true, []Pair{good, bad}, VerdictPass},
		{"an advisory one is without data", true, []Pair{good, open}, VerdictPass},
	} {
		first, second := ratio(0.25, 0.001), ratio(0.25, 0.001)
		second.Name, second.Advisory = "second", c.advisory
		j, err := NewJudge(Plan{Steps: 30, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{first, second}})
		if err != nil {
			t.Fatal(err)
		}
		for range 30 {
			if verdict, err := j.Step(Look{Pairs: c.pairs}); err != nil {
				t.Fatal(err)
			} else if verdict != VerdictInconclusive {
				break
			}
		}
		if got := j.Verdict(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if c.want == VerdictPass && j.Looks() < DefaultPassAfter {
			t.Errorf("%s: passed at look %d, before %d", c.name, j.Looks(), DefaultPassAfter)
		}
	}
}

// Swapping the arms of a value metric mirrors the question: worse than tolerated
// one way round is better than the inverse tolerance the other way.
func TestSwappingTheArmsMirrorsTheDecision(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	for range 200 {
		m := value(0.1)
		up, down := newValueEvidence(m, Increase, nil, false), newValueEvidence(m, Decrease, nil, false)
		shift := 0.9 + 0.4*rng.Float64()
		for range 12 {
			c, b := shift*math.Exp(0.05*rng.NormFloat64()), math.Exp(0.05*rng.NormFloat64())
			up.add(exact(observation{canary: c, baseline: b}))
			down.add(exact(observation{canary: b, baseline: c}))
		}
		a, b := up.fit(), down.fit()
		near(t, "p-value", a.CDF(up.limit()), b.CDF(down.limit()), 1e-12)
		ea, eb := up.effect(0.01, 0.02), down.effect(0.01, 0.02)
		near(t, "lower limit", 1/(1+ea.Lower), 1+eb.Upper, 1e-9)
		near(t, "upper limit", 1/(1+ea.Upper), 1+eb.Lower, 1e-9)
	}
}

func TestScalingBothArmsChangesNothing(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(6, 6))
	for _, linear := range []bool{false, true} {
		m := value(0.1)
		if linear {
			m.Scale = Linear
		}
		a, b := newValueEvidence(m, Increase, nil, false), newValueEvidence(m, Increase, nil, false)
		for range 15 {
			c, base := 1.1+0.1*rng.NormFloat64(), 1+0.1*rng.NormFloat64()
			a.add(exact(observation{canary: c, baseline: base}))
			b.add(exact(observation{canary: 1e6 * c, baseline: 1e6 * base}))
		}
		ea, eb := a.effect(0.01, 0.01), b.effect(0.01, 0.01)
		near(t, "estimate", ea.Estimate, eb.Estimate, 1e-9)
		near(t, "lower", ea.Lower, eb.Lower, 1e-9)
		near(t, "upper", ea.Upper, eb.Upper, 1e-9)
	}
}

func TestEitherDirection(t *testing.T) {
	t.Parallel()
	noise := func(i int) float64 { return 1 + 0.02*math.Sin(7*float64(i)) }
	m := value(0.1)
	m.Direction = Either
	for _, c := range []struct {
		factor float64
		want   Verdict
	}{{1, VerdictPass}, {1.4, VerdictFail}, {0.6, VerdictFail}} {
		r := judge(t, m, 40, repeat(40, func(i int) Pair { return values(5*c.factor*noise(i), 5*noise(i+3)) })...)
		e := r.Metrics[0].Effect
		if r.Verdict != c.want {
			t.Errorf("x%g: %v, want %v", c.factor, r.Verdict, c.want)
		}
		if !(e.Lower <= e.Estimate && e.Estimate <= e.Upper) || math.Abs(e.Estimate-(c.factor-1)) > 0.05 {
			t.Errorf("x%g: effect %+v", c.factor, e)
		}
	}
}

// buckets draws n latencies from a lognormal into buckets growing by a factor.
func buckets(rng *rand.Rand, n int, median, factor, top float64) stats.Histogram {
	h := stats.Histogram{}
	for b := 0.01; b <= top; b *= factor {
		h.Bounds = append(h.Bounds, b)
	}
	h.Counts = make([]float64, len(h.Bounds)+1)
	for range n {
		v := median * math.Exp(0.6*rng.NormFloat64())
		i := 0
		for i < len(h.Bounds) && v > h.Bounds[i] {
			i++
		}
		h.Counts[i]++
	}
	return h
}

func TestHistograms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		slower        float64
		requests      int // of the canary in a step
		factor, top   float64
		slowdown      float64
		want          Verdict
		cause         Cause
		merged        int
		offScaleBound bool
	}{
		{"slower than, same", 0.284, 300, 1.25, 20, 1, VerdictPass, "", 0, false},
		{"slower than, x1.6", 0.284, 300, 1.25, 20, 1.6, VerdictFail, "", 0, false},
		{"p95, same", 0, 300, 1.1, 20, 1, VerdictPass, "", 1, false},
		{"p95, x1.6", 0, 300, 1.1, 20, 1.6, VerdictFail, "", 1, false},
		{"p95, few requests", 0, 40, 1.1, 20, 1.8, VerdictFail, "", 3, false},
		{"p95, coarse buckets hide a change", 0, 300, 2, 20, 1, VerdictInconclusive, CoarseBuckets, 1, false},
		{"p95, coarse buckets show a large one", 0, 300, 2, 20, 3, VerdictFail, "", 1, false},
		{"p95, the canary is off the scale", 0, 300, 1.1, 0.35, 4, VerdictFail, "", 1, true},
		{"p95, too few requests", 0, 3, 1.1, 20, 1, VerdictInconclusive, TooFewObservations, 34, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(7, 7))
			m := Metric{Name: "latency", Kind: Histogram, Tolerance: Tolerance{Size: 0.15}, SlowerThan: c.slower, Quantile: 0.95}
			if c.slower > 0 {
				m.Tolerance.Size = 0.5
			}
			r := judge(t, m, 60, repeat(60, func(int) Pair {
				canary := buckets(rng, c.requests, 0.1*c.slowdown, c.factor, c.top)
				baseline := buckets(rng, 4*c.requests, 0.1, c.factor, c.top)
				return Pair{Baseline: BucketSample(baseline), Canary: BucketSample(canary)}
			})...)
			got := r.Metrics[0]
			if r.Verdict != c.want || got.Cause != c.cause {
				t.Errorf("%v (%s) after %d looks, want %v (%s)", r.Verdict, got.Cause, r.Looks, c.want, c.cause)
			}
			if got.Merged < c.merged-2 || got.Merged > c.merged+2 || (got.OffScaleBound > 0) != c.offScaleBound {
				t.Errorf("merged %d, off scale above %g", got.Merged, got.OffScaleBound)
			}
		})
	}
}

// Seeded simulations of docs/statistics/method.md, section 12, point 3: 400 runs, 20 steps.
func TestErrorRates(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("simulates a few thousand runs")
	}
	const runs, steps = 400, 20
	poisson := func(rng *rand.Rand, mean float64) float64 {
		var n float64
		for limit, p := math.Exp(-mean), rng.Float64(); p > limit; p *= rng.Float64() {
			n++
		}
		return n
	}
	// P1: 1000 requests a step and arm, 1% errors.
	p1 := func(effect float64) func(rng *rand.Rand) []Pair {
		return func(rng *rand.Rand) []Pair {
			return repeat(steps, func(int) Pair { return rates(poisson(rng, 10*effect), 1000, poisson(rng, 10), 1000) })
		}
	}
	// AR(.3): 5% noise with that autocorrelation.
	ar := func(effect float64) func(rng *rand.Rand) []Pair {
		return func(rng *rand.Rand) []Pair {
			e := 0.05 * rng.NormFloat64()
			return repeat(steps, func(int) Pair {
				e = 0.3*e + math.Sqrt(1-0.09)*0.05*rng.NormFloat64()
				return values(effect*math.Exp(e), 1)
			})
		}
	}
	for _, c := range []struct {
		name             string
		metric           Metric
		pairs            func(*rand.Rand) []Pair
		leastFail        float64
		mostFail, mostOK float64 // of all runs
		latest           int     // look by which the fails counted in leastFail come
	}{
		{"P1 at the tolerance", ratio(0.25, 0), p1(1.25), 0, 0.08, 0.08, 0},
		{"AR(.3) at the tolerance", value(0.05), ar(1.05), 0, 0.08, 0.08, 0},
		{"P1 unchanged", ratio(0.25, 0), p1(1), 0, 0.02, 1, 0},
		{"AR(.3) unchanged", value(0.05), ar(1), 0, 0.02, 1, 0},
		{"P1 x10", ratio(0.25, 0), p1(10), 0.95, 1, 0, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(20, 26))
			var failed, passed float64
			for range runs {
				r := judge(t, c.metric, steps, c.pairs(rng)...)
				switch {
				case r.Verdict == VerdictFail && (c.latest == 0 || r.Looks <= c.latest):
					failed++
				case r.Verdict == VerdictPass:
					passed++
				}
			}
			t.Logf("FAIL %.4f, PASS %.4f", failed/runs, passed/runs)
			if f := failed / runs; f > c.mostFail || f < c.leastFail {
				t.Errorf("FAIL in %.3f of the runs, want %.3f to %.3f", f, c.leastFail, c.mostFail)
			}
			if p := passed / runs; p > c.mostOK {
				t.Errorf("PASS in %.3f of the runs, want at most %.3f", p, c.mostOK)
			}
		})
	}
}

// Splitting the rate over metrics keeps the whole run's: six metrics at once at
// their tolerance.
func TestManyMetricsShareTheFalseAlarmRate(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("simulates a few hundred runs")
	}
	const runs, steps, metrics = 300, 20, 6
	rng := rand.New(rand.NewPCG(8, 8))
	var plan Plan
	for i := range metrics {
		m := value(0.05)
		m.Name = string(rune('a' + i))
		plan.Metrics = append(plan.Metrics, m)
	}
	plan.Steps, plan.FalseAlarm, plan.WrongPass = steps, 0.05, 0.05
	failed := 0.0
	for range runs {
		j, err := NewJudge(plan)
		if err != nil {
			t.Fatal(err)
		}
		for range steps {
			var pairs []Pair
			for range metrics {
				pairs = append(pairs, values(1.05*math.Exp(0.05*rng.NormFloat64()), 1))
			}
			verdict, err := j.Step(Look{Pairs: pairs})
			if err != nil {
				t.Fatal(err)
			}
			if verdict == VerdictFail {
				failed++
			}
			if verdict != VerdictInconclusive {
				break
			}
		}
	}
	if failed/runs > 0.08 {
		t.Errorf("FAIL in %.3f of the runs with all metrics at their tolerance", failed/runs)
	}
}
