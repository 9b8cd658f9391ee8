package analysis_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/canary-judge/canary-judge/analysis"
)

// The families of docs/statistics/measured.md, sections 8.2 to 8.8, in short. Each has a canary that is
// unchanged ("clean"), exactly at the tolerance, where a FAIL is a false alarm and a
// PASS one that would be wrong just beyond, and beyond it.

// family is one kind of data and the metric it is judged by.
type family struct {
	name   string
	smoke  bool // also simulated, briefly, in every test run
	steps  int
	metric analysis.Metric
	data   func(src source, change float64) []step
	cells  []cell
}

// cell is one size of change, as a multiple of the baseline, or for checks as a
// difference, and the rates at which runs may fail and pass there, and must.
type cell struct {
	name                                     string
	change                                   float64
	mostFail, mostPass, leastFail, leastPass float64
}

// step is what both arms show in one step: counts, x of n in the canary and y of m in
// the baseline, or values, or buckets.
type step struct {
	x, n, y, m       float64
	c, b             float64
	canary, baseline []float64
}

// source gives the random numbers of one run.
type source struct{ *rand.Rand }

func newSource(name string, run int) source {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return source{rand.New(rand.NewPCG(h.Sum64(), uint64(run)))}
}

func (s source) poisson(mean float64) float64 {
	if mean <= 0 {
		return 0
	}
	return distuv.Poisson{Lambda: mean, Src: s}.Rand()
}

func (s source) binomial(n, p float64) float64 {
	if p = math.Min(p, 1); n <= 0 || p <= 0 {
		return 0
	}
	return distuv.Binomial{N: n, P: p, Src: s}.Rand()
}

// autoregression returns stationary noise with a standard deviation of 1.
func (s source) autoregression(n int, phi float64) []float64 {
	noise := make([]float64, n)
	for k := range noise {
		e := s.NormFloat64()
		if k > 0 {
			e = phi*noise[k-1] + math.Sqrt(1-phi*phi)*e
		}
		noise[k] = e
	}
	return noise
}

// swing returns what both arms share: factors that wander and come and go.
func (s source) swing(n int) []float64 {
	slow, at := s.autoregression(n, 0.9), 2*math.Pi*s.Float64()
	swing := make([]float64, n)
	for k := range swing {
		swing[k] = math.Exp(0.1*slow[k] + 0.15*math.Sin(at+float64(k)/8))
	}
	return swing
}

// arms are two arms' traffic and errors.
type arms struct {
	steps        int
	n, m         float64               // mean requests a step
	share        func(k int) float64   // of all requests, instead of n : m
	rate         float64               // of errors in the baseline
	cv, phi      float64               // noise of one arm's rate
	burst, times float64               // how often a burst begins in an arm, and its factor; it lasts two steps on average
	cluster      float64               // errors come in clusters of this mean size
	extrapolated float64               // counts are multiplied by up to this, as increase() does
	steady       bool                  // no swings
	canary       func(float64) float64 // the canary's rate for a change, instead of the baseline's changed by it
}

func (a arms) data(src source, change float64) []step {
	traffic, errors := src.swing(a.steps), src.swing(a.steps)
	if a.steady {
		for k := range traffic {
			traffic[k], errors[k] = 1, 1
		}
	}
	sideC, sideB := a.side(src), a.side(src)
	steps := make([]step, a.steps)
	for k := range steps {
		n, m := a.n, a.m
		if a.share != nil {
			n, m = (a.n+a.m)*a.share(k), (a.n+a.m)*(1-a.share(k))
		}
		s := &steps[k]
		s.n, s.m = src.poisson(n*traffic[k]), src.poisson(m*traffic[k])
		canary := a.rate * change
		if a.canary != nil {
			canary = a.canary(change)
		}
		s.x = a.errors(src, s.n, canary*errors[k]*sideC[k])
		s.y = a.errors(src, s.m, a.rate*errors[k]*sideB[k])
		if a.extrapolated > 1 {
			f, g := 1+(a.extrapolated-1)*src.Float64(), 1+(a.extrapolated-1)*src.Float64()
			s.x, s.n, s.y, s.m = s.x*f, s.n*f, s.y*g, s.m*g
		}
	}
	return steps
}

// errors returns how many of the requests fail.
func (a arms) errors(src source, requests, rate float64) float64 {
	if a.cluster <= 1 {
		return src.binomial(requests, rate)
	}
	var all float64
	for range int(src.poisson(requests * rate / a.cluster)) {
		all += 1 + math.Floor(math.Log(1-src.Float64())/math.Log(1-1/a.cluster))
	}
	return math.Min(all, requests)
}

// side returns the factors on the rate of one arm.
func (a arms) side(src source) []float64 {
	noise := src.autoregression(a.steps, a.phi)
	bursting := false
	for k := range noise {
		noise[k] = math.Exp(a.cv*noise[k] - a.cv*a.cv/2)
		if bursting = bursting && src.Float64() < 0.5 || src.Float64() < a.burst; bursting {
			noise[k] *= a.times
		}
	}
	return noise
}

// levels are two arms' values.
type levels struct {
	level, common float64 // of the baseline; sd of what both share, in logarithms
	sd, phi       float64
	tails         bool // Student's t with 3 degrees of freedom
	skewed        bool // exponential noise
	rounded       bool // to whole numbers
}

func (l levels) data(src source, change float64) []step {
	const n = 60
	steps, common := make([]step, n), src.autoregression(n, 0.9)
	noise := func() []float64 {
		e := src.autoregression(n, l.phi)
		for k := range e {
			switch {
			case l.tails:
				e[k] = distuv.StudentsT{Sigma: 1 / math.Sqrt(3), Nu: 3, Src: src}.Rand()
			case l.skewed:
				e[k] = src.ExpFloat64() - 1
			}
		}
		return e
	}
	c, b := noise(), noise()
	for k := range steps {
		level := l.level * math.Exp(l.common*common[k])
		s := &steps[k]
		s.c, s.b = change*level*math.Exp(l.sd*c[k]), level*math.Exp(l.sd*b[k])
		if l.rounded {
			s.c, s.b = math.Round(s.c), math.Round(s.b)
		}
	}
	return steps
}

// bucketBounds of latencies, in milliseconds, each 1.25 times the one before.
var bucketBounds = func() []float64 {
	var bounds []float64
	for b := 10.0; b < 4000; b *= 1.25 {
		bounds = append(bounds, b)
	}
	return bounds
}()

// latencies are lognormal, with a median of 100 ms.
type latencies struct {
	n, m, sd float64
	cv, phi  float64 // noise of one arm's latency
}

const medianLatency = 100

// slower returns the fraction above x when all latencies are changed.
func (l latencies) slower(x, change float64) float64 {
	return distuv.UnitNormal.Survival(math.Log(x/(medianLatency*change)) / l.sd)
}

func (l latencies) data(src source, change float64) []step {
	steps := make([]step, 60)
	c, b := src.autoregression(len(steps), l.phi), src.autoregression(len(steps), l.phi)
	for k := range steps {
		steps[k].canary = l.buckets(src, l.n, change*math.Exp(l.cv*c[k]))
		steps[k].baseline = l.buckets(src, l.m, math.Exp(l.cv*b[k]))
	}
	return steps
}

// buckets draws a multinomial count, one bucket after the other.
func (l latencies) buckets(src source, mean, change float64) []float64 {
	counts := make([]float64, len(bucketBounds)+1)
	left, above := src.poisson(mean), 1.0
	for i, b := range bucketBounds {
		slower := l.slower(b, change)
		counts[i] = src.binomial(left, 1-slower/above)
		left, above = left-counts[i], slower
	}
	counts[len(bucketBounds)] = left
	return counts
}

// at returns cells: clean, at the tolerance, and beyond it. The stated rate of both
// errors is 5 %; families named in docs/statistics/method.md, section 10, have more. The last
// change must be found.
func at(mostFail, mostPass float64, names []string, changes ...float64) []cell {
	var cells []cell
	for i, c := range changes {
		s := cell{name: names[i], change: c, mostFail: 1, mostPass: mostPass}
		switch i {
		case 0:
			s.mostFail, s.mostPass = 0.02, 1
		case 1:
			s.mostFail = mostFail
		case len(changes) - 1:
			s.leastFail = 0.95
		}
		cells = append(cells, s)
	}
	return cells
}

func families() []family {
	return slices.Concat(ratioFamilies(), lowTrafficFamilies(), frequentFamilies(), valueFamilies(), histogramFamilies(), checkFamilies())
}

var factors = []string{"clean", "at tolerance x1.25", "x2", "x4"}

func ratioFamilies() []family {
	ramp := func(k int) float64 { return []float64{0.01, 0.05, 0.1, 0.5}[k/15] }
	of := func(name string, smoke bool, fail, pass float64, a arms) family {
		a.steps = 60
		return family{name, smoke, a.steps, analysis.Metric{Name: name, Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.25}},
			a.data, at(fail, pass, factors, 1, 1.25, 2, 4)}
	}
	absolute := of("ratio, absolute tolerance, 1000 : 1000, 1 %", false, 0.05, 0.05, arms{n: 1000, m: 1000, rate: 0.01, steady: true})
	absolute.metric.Tolerance = analysis.Tolerance{Size: 0.0025, Absolute: true}
	floor := of("ratio, floor .1 %, 200 : 3800, baseline 0", false, 0.05, 0.05, arms{n: 200, m: 3800, steady: true,
		canary: func(change float64) float64 { return 0.001 * change }})
	floor.metric.Floor = 0.001
	floor.cells = at(0.05, 0.05, []string{"clean, no errors", "at tolerance, .125 %", ".3 %", "1 %"}, 0, 1.25, 3, 10)
	return []family{
		of("P1 1000 : 1000, 1 %", true, 0.05, 0.05, arms{n: 1000, m: 1000, rate: 0.01}),
		of("P2 500 : 9500, .5 %", true, 0.05, 0.05, arms{n: 500, m: 9500, rate: 0.005}),
		of("P3 20 : 1980, .5 %", false, 0.05, 0.05, arms{n: 20, m: 1980, rate: 0.005}),
		of("P4 20000 : 20000, 5 %", false, 0.05, 0.05, arms{n: 20000, m: 20000, rate: 0.05}),
		of("O1 side noise CV .2", false, 0.05, 0.05, arms{n: 1000, m: 1000, rate: 0.02, cv: 0.2}),
		of("O2 side noise CV .5, AR .5", false, 0.12, 0.1, arms{n: 1000, m: 1000, rate: 0.02, cv: 0.5, phi: 0.5}),
		of("G1 side noise CV .1, AR .5", true, 0.06, 0.07, arms{n: 1000, m: 1000, rate: 0.05, cv: 0.1, phi: 0.5}),
		of("B2 bursts x10 of one arm", false, 0.12, 0.06, arms{n: 1000, m: 1000, rate: 0.01, burst: 0.02, times: 10}),
		of("C1 clusters of 5 errors", false, 0.05, 0.05, arms{n: 1000, m: 1000, rate: 0.01, cluster: 5}),
		of("R1 ramp 1, 5, 10, 50 %", false, 0.05, 0.05, arms{n: 1000, m: 1000, share: ramp, rate: 0.01}),
		absolute, floor,
	}
}

// lowTrafficFamilies have steps without a request, and counts that are not whole.
func lowTrafficFamilies() []family {
	of := func(name string, smoke bool, a arms) family {
		a.steps, a.steady = 240, true
		f := family{name, smoke, a.steps, analysis.Metric{Name: name, Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.25}},
			a.data, at(0.05, 0.05, factors, 1, 1.25, 2, 4)}
		f.cells[3].leastFail = 0
		return f
	}
	return []family{
		of("low traffic .5 : .5, 10 %", true, arms{n: 0.5, m: 0.5, rate: 0.1}),
		of("low traffic 1 : 20, 5 %", false, arms{n: 1, m: 20, rate: 0.05}),
		of("low traffic 2 : 2, 10 %, extrapolated", false, arms{n: 2, m: 2, rate: 0.1, extrapolated: 1.2}),
		of("low traffic .3 : 2, 10 %, clusters of 2", false, arms{n: 0.3, m: 2, rate: 0.1, cluster: 2}),
	}
}

// frequentFamilies have events at rates at which their counts are far from Poisson, in
// runs of 5 to 5,000 requests of the canary.
func frequentFamilies() []family {
	var all []family
	of := func(name string, smoke bool, a arms, m analysis.Metric, cells []cell) {
		a.steps = 60
		m.Name, m.Kind = name, analysis.Ratio
		all = append(all, family{name, smoke, a.steps, m, a.data, cells})
	}
	for _, rate := range []float64{0.2, 0.4, 0.7} {
		names := []string{"clean", "at tolerance x1.25", "x2, 100 % at most"}
		for _, n := range []float64{5, 50, 500, 5000} {
			for _, share := range []float64{1, 20} {
				for _, extrapolated := range []float64{1, 1.2} {
					if extrapolated > 1 && n > 500 {
						continue
					}
					name := fmt.Sprintf("%g %% of %g : %g requests a run", 100*rate, n, share*n)
					if extrapolated > 1 {
						name += ", extrapolated"
					}
					cells := at(0.05, 0.05, names, 1, 1.25, 2)
					cells[2].leastFail = 0
					of(name, rate == 0.7 && n == 500 && extrapolated == 1, arms{n: n / 60, m: share * n / 60, rate: rate, extrapolated: extrapolated, steady: true},
						analysis.Metric{Tolerance: analysis.Tolerance{Size: 0.25}}, cells)
				}
			}
		}
	}
	for _, a := range []arms{
		{n: 5.0 / 60, m: 5.0 / 60}, {n: 5.0 / 60, m: 1}, {n: 20.0 / 60, m: 4}, {n: 1, m: 1}, {n: 1, m: 12},
	} {
		a.rate, a.steady = 0.75, true
		cells := at(0.05, 0.05, []string{"clean", "at tolerance x1.25"}, 1, 1.25)
		of(fmt.Sprintf("75 %% of %.2g : %.2g, dispersion none", a.n, a.m), false, a,
			analysis.Metric{Tolerance: analysis.Tolerance{Size: 0.25}, PoissonCounts: true}, cells)
	}
	names := []string{"clean", "at tolerance x.952", "x.85"}
	for _, a := range []arms{
		{n: 10, m: 10, rate: 0.95, steady: true},
		{n: 100, m: 100, rate: 0.95, steady: true},
		{n: 100, m: 1900, rate: 0.95, steady: true},
		{n: 100, m: 100, rate: 0.99, steady: true},
		{n: 1000, m: 1000, rate: 0.8, cv: 0.03, phi: 0.5, steady: true},
	} {
		cells := at(0.05, 0.05, names, 1, 1/1.05, 0.85)
		cells[2].leastFail = 0
		of(fmt.Sprintf("successes, %g %%, %g : %g, side noise CV %g", 100*a.rate, a.n, a.m, a.cv), a.n == 100 && a.m == 100 && a.rate == 0.95, a,
			analysis.Metric{Direction: analysis.Decrease, Tolerance: analysis.Tolerance{Size: 0.05}}, cells)
	}
	return all
}

func valueFamilies() []family {
	of := func(name string, smoke bool, fail, pass float64, l levels) family {
		if l.level == 0 {
			l.level = 100
		}
		return family{name, smoke, 60, analysis.Metric{Name: name, Tolerance: analysis.Tolerance{Size: 0.05}},
			l.data, at(fail, pass, []string{"clean", "at tolerance x1.05", "x1.1", "x1.25"}, 1, 1.05, 1.1, 1.25)}
	}
	return []family{
		of("value, independent 5 %", true, 0.05, 0.05, levels{sd: 0.05}),
		of("value, AR .3, 5 %", true, 0.06, 0.06, levels{sd: 0.05, phi: 0.3}),
		of("value, AR .5, 5 %", false, 0.07, 0.07, levels{sd: 0.05, phi: 0.5}),
		of("value, common swings 30 %, 5 %", false, 0.05, 0.05, levels{sd: 0.05, common: 0.3}),
		of("value, t3, 5 %", false, 0.05, 0.05, levels{sd: 0.05, tails: true}),
		of("value, skewed, 10 %", false, 0.06, 0.06, levels{sd: 0.1, skewed: true}),
		of("value, ties, 5 % of 40", false, 0.05, 0.05, levels{level: 40, sd: 0.05, rounded: true}),
	}
}

func histogramFamilies() []family {
	names := []string{"clean", "at tolerance x1.1", "x1.25", "x1.5"}
	of := func(name string, smoke bool, l latencies, m analysis.Metric) family {
		m.Name, m.Kind = name, analysis.Histogram
		return family{name, smoke, 60, m, l.data, at(0.07, 0.07, names, 1, 1.1, 1.25, 1.5)}
	}
	slower := func(name string, smoke bool, l latencies, x float64) family {
		return of(name, smoke, l, analysis.Metric{SlowerThan: x,
			Tolerance: analysis.Tolerance{Size: l.slower(x, 1.1)/l.slower(x, 1) - 1}})
	}
	bound := bucketBounds[14]
	between := math.Sqrt(bucketBounds[14] * bucketBounds[15])
	equal, scarce := latencies{n: 500, m: 500, sd: 0.6}, latencies{n: 100, m: 1900, sd: 0.6}
	q := analysis.Metric{Quantile: 0.95, Tolerance: analysis.Tolerance{Size: 0.1}}
	coarse := slower("slower than, between bounds, 500 : 500", false, equal, between)
	coarse.cells[3].leastFail = 0 // the buckets hide it
	return []family{
		slower("slower than, at a bound, 500 : 500", true, equal, bound),
		slower("slower than, at a bound, 100 : 1900", false, scarce, bound),
		coarse,
		of("p95, 500 : 500", false, equal, q),
		of("p95, 100 : 1900", false, scarce, q),
		of("p95, side noise 5 %, AR .5, 500 : 500", false, latencies{n: 500, m: 500, sd: 0.6, cv: 0.05, phi: 0.5}, q),
	}
}

func checkFamilies() []family {
	of := func(name string, rate float64) family {
		a := arms{steps: 60, n: 1, m: 1, rate: rate}
		return family{name, false, a.steps, analysis.Metric{Name: name, Kind: analysis.Checks, Tolerance: analysis.Tolerance{Size: 0.05, Absolute: true}},
			func(src source, change float64) []step {
				steps := make([]step, a.steps)
				for k := range steps {
					steps[k] = step{x: src.binomial(1, rate+change), n: 1, y: src.binomial(1, rate), m: 1}
				}
				return steps
			}, at(0.05, 0.05, []string{"clean", "at tolerance +5 points", "+20 points", "+55 points"}, 0, 0.05, 0.2, 0.55)}
	}
	return []family{
		of("checks, baseline 0", 0), of("checks, baseline 10 %", 0.1), of("checks, baseline 40 %", 0.4),
	}
}
