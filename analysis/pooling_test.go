package analysis

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// take feeds totals, canary's and baseline's a step, to a pooling. Bad events are a
// tenth and a fifth of them.
func take(p *pooling, totals ...[2]float64) (got []stats.PairedCounts, firsts []int) {
	for i, t := range totals {
		v := stats.PairedCounts{X: t[0] / 10, N: t[0], Y: t[1] / 5, M: t[1]}
		if b, first, ok := p.take(i+1, exact(observation{counts: v})); ok {
			got, firsts = append(got, b.low.counts), append(firsts, first)
		}
	}
	return got, firsts
}

func TestPooling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		totals [][2]float64 // canary, baseline
		want   [][2]float64
		firsts []int
		gaps   int
	}{
		{"both in each step", [][2]float64{{1, 9}, {2, 8}}, [][2]float64{{1, 9}, {2, 8}}, []int{1, 2}, 0},
		{"what one arm had waits for the other", [][2]float64{{1, 0}, {0, 0}, {2, 0}, {0, 3}, {1, 1}}, [][2]float64{{3, 3}, {1, 1}}, []int{1, 5}, 0},
		{"a step of both ends the wait", [][2]float64{{0, 2}, {0, 1}, {1, 4}}, [][2]float64{{1, 7}}, []int{1}, 0},
		{"what is left at the end is not compared", [][2]float64{{1, 1}, {1, 0}, {2, 0}}, [][2]float64{{1, 1}}, []int{1}, 0},
		{"an arm that never comes", [][2]float64{{0, 90}, {0, 80}, {0, 70}}, nil, nil, 0},
		{
			"an arm with plenty was down, and what the other had then is left out",
			[][2]float64{{50, 500}, {0, 400}, {0, 300}, {60, 600}}, [][2]float64{{50, 500}, {60, 600}},
			[]int{1, 4}, 2,
		},
		{
			"up now and then, against one with plenty throughout",
			[][2]float64{{9, 500}, {0, 400}, {0, 300}, {0, 300}, {8, 600}}, [][2]float64{{9, 500}, {8, 600}},
			[]int{1, 5}, 3,
		},
		{"a source that was down", [][2]float64{{50, 500}, {0, 0}, {0, 0}, {60, 600}}, [][2]float64{{50, 500}, {60, 600}}, []int{1, 4}, 2},
		{"nobody called", [][2]float64{{1, 2}, {0, 0}, {0, 0}, {1, 1}}, [][2]float64{{1, 2}, {1, 1}}, []int{1, 4}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &pooling{}
			got, firsts := take(p, c.totals...)
			var totals [][2]float64
			for _, v := range got {
				totals = append(totals, [2]float64{v.N, v.M})
				near(t, "bad canary events", v.X, v.N/10, 1e-12)
				near(t, "bad baseline events", v.Y, v.M/5, 1e-12)
			}
			if !slices.Equal(totals, c.want) || !slices.Equal(firsts, c.firsts) || p.gaps() != c.gaps {
				t.Errorf("%v from steps %v, %d gaps; want %v from %v, %d", totals, firsts, p.gaps(), c.want, c.firsts, c.gaps)
			}
		})
	}
}

func TestFellSilent(t *testing.T) {
	t.Parallel()
	// By its share, a half, the canary is short of 19 events, then of 20.
	steps := [][2]float64{{2, 4}, {1, 2}, {0, 30}, {0, 8}}
	p := &pooling{}
	take(p, steps...)
	if p.fellSilent() {
		t.Error("silent with 19 events missing")
	}
	p = &pooling{}
	take(p, append(steps, [2]float64{0, 2})...)
	if !p.fellSilent() {
		t.Error("not silent with 20 events missing")
	}
	p = &pooling{}
	take(p, [2]float64{500, 500}, [2]float64{0, 500}, [2]float64{0, 500})
	if p.fellSilent() {
		t.Error("silent after two scrapes that failed")
	}
	take(p, [2]float64{0, 500}, [2]float64{1, 0})
	if p.fellSilent() {
		t.Error("silent although it is back")
	}
}

// Five requests an hour an arm, all of the canary's bad: the arms hardly ever have
// some in one step.
func TestLowTrafficIsJudged(t *testing.T) {
	t.Parallel()
	const steps = 1440
	traffic := func(seed uint64) func(bad bool) []Pair {
		return func(bad bool) []Pair {
			rng := rand.New(rand.NewPCG(5, seed))
			return repeat(steps, func(int) Pair {
				var n, m, x float64
				if rng.Float64() < 1./12 {
					n = 1
				}
				if rng.Float64() < 1./12 {
					m = 1
				}
				if bad {
					x = n
				}
				return rates(x, n, 0, m)
			})
		}
	}
	pairs := traffic(1)
	m := ratio(0.25, 0.001)
	r := judge(t, m, steps, pairs(true)...)
	got := r.Metrics[0]
	var in, joint float64
	for _, p := range pairs(true)[:r.Looks] {
		in += p.Canary.Total() + p.Baseline.Total()
		joint += p.Canary.Total() * p.Baseline.Total()
	}
	if r.Verdict != VerdictFail || got.Gaps != 0 || float64(got.Usable) != joint {
		t.Errorf("%v, %d gaps, %d joint steps of %g", r.Verdict, got.Gaps, got.Usable, joint)
	}
	if used := got.Events.N + got.Events.M; used > in || used < 0.97*in {
		t.Errorf("%g of %g requests were compared", used, in)
	}
	if r := judge(t, m, steps, pairs(false)...); r.Verdict == VerdictFail {
		t.Errorf("a clean canary: %v", r.Verdict)
	}
}

// Which steps are joined must not hang on how many events are bad.
func TestPoolingIgnoresBadEvents(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 3))
	for range 50 {
		var clean, dirty pooling
		for step := range 200 {
			v := stats.PairedCounts{N: float64(rng.IntN(3) * rng.IntN(2)), M: float64(rng.IntN(3) * rng.IntN(2))}
			a, firstA, okA := clean.take(step+1, exact(observation{counts: v}))
			v.X, v.Y = v.N, float64(rng.IntN(int(v.M)+1))
			b, firstB, okB := dirty.take(step+1, exact(observation{counts: v}))
			if firstA != firstB || okA != okB || a.low.counts.N != b.low.counts.N || a.low.counts.M != b.low.counts.M {
				t.Fatalf("step %d: %v, %v", step, a.low.counts, b.low.counts)
			}
		}
	}
}

// A test that starts during the run is not shown events from before its start.
func TestARestartSeesNothingFromBefore(t *testing.T) {
	t.Parallel()
	s := newSide(Increase, 48, spending{0.05, 0.05, 1}, &stats.Clocks{}, func() evidence { return ratio(0.25, 0).method().evidence(ratio(0.25, 0), Increase, nil) })
	b := exact(observation{counts: stats.PairedCounts{X: 1, N: 1, M: 1}})
	s.add(12, b) // begins in the last step before the first restart, at 12
	s.add(13, b)
	var seen []float64
	for _, test := range s.tests {
		seen = append(seen, test.evidence.(*countsEvidence).totals.N)
	}
	if !slices.Equal(seen, []float64{2, 1, 0, 0}) {
		t.Errorf("the tests that start at 0, 12, 24 and 36 saw %v", seen)
	}
}

// A canary that died after it passed has not shown that it is fine.
func TestADeadCanaryDoesNotPass(t *testing.T) {
	t.Parallel()
	dies := func(n, m float64, at int) []Pair {
		return repeat(60, func(i int) Pair {
			if i >= at {
				return rates(0, 0, 0, m)
			}
			return rates(0, n, 0, m)
		})
	}
	for _, c := range []struct {
		name string
		n, m float64
	}{{"plenty", 1000, 9000}, {"little", 3, 3}} {
		m, open := ratio(0.25, 0.2), value(0)
		open.Name = "open"
		j, err := NewJudge(Plan{Steps: 60, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{m, open}})
		if err != nil {
			t.Fatal(err)
		}
		passed := false
		for _, p := range dies(c.n, c.m, 40) {
			if _, err := j.Step(Look{Pairs: []Pair{p, values(nan, 5)}}); err != nil {
				t.Fatal(err)
			}
			passed = passed || j.Decisions()[0] == Pass
		}
		if got := j.Result().Metrics[0]; !passed || got.Decision == Pass || got.Cause != FellSilent {
			t.Errorf("%s: passed before: %v; at the end %v (%s)", c.name, passed, got.Decision, got.Cause)
		}
	}
	// It answers in a tenth of the steps, and well.
	r := judge(t, ratio(0.25, 0.001), 60, repeat(60, func(i int) Pair {
		if i%10 > 0 {
			return rates(0, 0, 9, 900)
		}
		return rates(0, 40, 9, 900)
	})...)
	if r.Verdict != VerdictInconclusive || r.Metrics[0].Cause != TooManyGaps {
		t.Errorf("%v (%s)", r.Verdict, r.Metrics[0].Cause)
	}
}

// At the tolerance, low traffic fails and passes no more often than it may:
// docs/statistics/method.md, section 12, point 3, with fewer events than steps.
func TestErrorRatesAtLowTraffic(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("simulates a few hundred runs")
	}
	const runs, steps, rate = 300, 60, 0.3
	for _, c := range []struct {
		name     string
		baseline float64 // traffic of the baseline to that of the canary
		bunch    int     // requests that come together
	}{{"equal", 1, 1}, {"one to twenty", 20, 1}, {"in bunches", 1, 10}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(9, 9))
			count := func(mean, bad float64) (x, n float64) {
				for mean /= float64(c.bunch); mean > 0; mean-- {
					if rng.Float64() < min(mean, 1) {
						for range c.bunch {
							n++
							if rng.Float64() < bad {
								x++
							}
						}
					}
				}
				return x, n
			}
			var failed, passed float64
			for range runs {
				r := judge(t, ratio(0.25, 0), steps, repeat(steps, func(int) Pair {
					x, n := count(rate, 0.25)
					y, m := count(c.baseline*rate, 0.2)
					return rates(x, n, y, m)
				})...)
				switch r.Verdict {
				case VerdictFail:
					failed++
				case VerdictPass:
					passed++
				}
			}
			if failed/runs > 0.05 || passed/runs > 0.05 {
				t.Errorf("FAIL in %.3f, PASS in %.3f of the runs", failed/runs, passed/runs)
			}
		})
	}
}
