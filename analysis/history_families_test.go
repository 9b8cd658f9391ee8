package analysis_test

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/canary-judge/canary-judge/analysis"
)

// The families of docs/statistics/history.md, section 10. A process makes the steps of the history and
// those of the run, which it changes.

// process makes as many steps of two arms, in which the canary is changed from one on, as a
// multiple of the baseline.
type process interface {
	pairs(src source, steps, from int, change float64) []analysis.Pair
}

// valueNoise is the noise of each arm's value, in logarithms.
type valueNoise struct {
	sd, phi    float64
	canarySD   float64 // of the canary, instead of sd
	separate   bool    // the arms share no swings
	tails      bool    // Student's t with 3 degrees of freedom
	skewed     bool    // gamma noise of shape 2
	spikes     float64 // how often one of x5 begins, of 1.5 steps
	warm, slow float64 // the canary starts this much higher, and comes down over slow steps
	side       float64 // the canary is always this much higher
	drift      float64 // sd of the canary's difference between stretches of 60 steps
	incident   float64 // the canary is this much higher in 6 steps, half an hour before the run
	broken     int     // or in so many
	missing    float64 // share of samples that are gaps
	steady     bool    // nothing swings but the noise
	slope      bool    // the change grows over the run, to the whole at its end
}

func (v valueNoise) pairs(src source, steps, from int, change float64) []analysis.Pair {
	common := src.autoregression(steps, 0.9)
	canary, baseline := v.noise(src, steps, v.canarySD), v.noise(src, steps, 0)
	pairs := make([]analysis.Pair, steps)
	block := 0.0
	for k := range pairs {
		if (steps-k)%60 == 0 || k == 0 {
			block = v.drift * src.NormFloat64()
		}
		level := 0.3 * common[k]
		if v.separate || v.steady {
			level = 0
		}
		c := canary[k] + v.side + block
		if k >= from {
			part := 1.0
			if v.slope {
				part = float64(k-from+1) / float64(steps-from)
			}
			c += part * math.Log(change)
			if v.slow > 0 {
				c += v.warm * math.Exp(-float64(k-from)/v.slow)
			}
		}
		if left := steps - k; v.incident > 0 && left > 24 && left <= 24+max(6, v.broken) {
			c += v.incident
		}
		pairs[k] = analysis.Pair{
			Baseline: v.sample(src, level+baseline[k]),
			Canary:   v.sample(src, level+c),
		}
	}
	return pairs
}

func (v valueNoise) sample(src source, log float64) analysis.Sample {
	if v.missing > 0 && src.Float64() < v.missing {
		return analysis.Sample{}
	}
	return analysis.ValueSample(100 * math.Exp(log))
}

func (v valueNoise) noise(src source, steps int, sd float64) []float64 {
	if sd == 0 {
		sd = v.sd
	}
	e := src.autoregression(steps, v.phi)
	if v.tails {
		for k := range e {
			z := distuv.StudentsT{Sigma: 1 / math.Sqrt(3), Nu: 3, Src: src}.Rand() // of variance 1
			if k > 0 {
				z = v.phi*e[k-1] + math.Sqrt(1-v.phi*v.phi)*z
			}
			e[k] = z
		}
	}
	spiking := false
	for k := range e {
		if v.skewed {
			e[k] = (src.ExpFloat64() + src.ExpFloat64() - 2) / math.Sqrt2
		}
		e[k] *= sd
		if spiking = spiking && src.Float64() < 1.0/3 || src.Float64() < v.spikes; spiking {
			e[k] += math.Log(5)
		}
	}
	return e
}

// countNoise is the noise of each arm's counts.
type countNoise struct {
	n, m, rate    float64
	cv, phi       float64 // of one arm's rate
	burst         float64 // how often a burst begins in one arm
	length, times float64 // its mean length in steps, and factor
	common        float64 // how often one begins in both, of 4 steps, x20
	cluster       float64 // mean size of the clusters that events come in
	side          float64 // the canary's rate is always so many times as high; 0 = once
	incident      float64 // and so many times in 6 steps, half an hour before the run
	broken        int     // or in so many
	ramp          bool    // traffic of the canary goes up during the run, from 1/50 of the history's
}

func (c countNoise) pairs(src source, steps, from int, change float64) []analysis.Pair {
	traffic, errors := src.swing(steps), src.swing(steps)
	sideC, sideB := c.sides(src, steps), c.sides(src, steps)
	a := arms{cluster: c.cluster}
	bursting := false
	pairs := make([]analysis.Pair, steps)
	for k := range pairs {
		share := 1.0
		if c.ramp && k >= from {
			share = []float64{.02, .1, .2, 1}[min(3, 4*(k-from)/(steps-from))]
		}
		n, m := src.poisson(c.n*traffic[k]*share), src.poisson(c.m*traffic[k])
		p, q := c.rate*errors[k]*sideC[k], c.rate*errors[k]*sideB[k]
		if bursting = bursting && src.Float64() < .75 || src.Float64() < c.common; bursting {
			p, q = 20*p, 20*q
		}
		if c.side > 0 {
			p *= c.side
		}
		if k >= from {
			p *= change
		}
		if left := steps - k; c.incident > 0 && left > 24 && left <= 24+max(6, c.broken) {
			p *= c.incident
		}
		pairs[k] = analysis.Pair{Baseline: countsOf(a.errors(src, m, q), m), Canary: countsOf(a.errors(src, n, p), n)}
	}
	return pairs
}

func countsOf(bad, total float64) analysis.Sample {
	if total == 0 {
		bad = math.NaN()
	}
	return analysis.CountSample(bad, total)
}

func (c countNoise) sides(src source, steps int) []float64 {
	noise := src.autoregression(steps, c.phi)
	bursting := false
	for k := range noise {
		noise[k] = math.Exp(c.cv*noise[k] - c.cv*c.cv/2)
		if bursting = bursting && src.Float64() < 1-1/c.length || src.Float64() < c.burst; bursting {
			noise[k] *= c.times
		}
	}
	return noise
}

// historyFamily is a process before the run and one in it, which may be the same.
type historyFamily struct {
	name        string
	metric      analysis.Metric
	before, now process // before is nil: one process makes both
	changes     []float64
	remove      bool    // the offset
	cautious    bool    // the history is
	skip        int     // steps of warm-up
	steps       int     // of the window; 0 = 60
	falseAlarm  float64 // 0 = .05
}

var (
	tightValue = analysis.Metric{Tolerance: analysis.Tolerance{Size: 0.05}}
	looseRatio = analysis.Metric{Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.25}}
)

func countHistories() []historyFamily {
	of := func(name string, c countNoise) historyFamily {
		return historyFamily{name: name, metric: looseRatio, now: c, changes: []float64{1, 1.25, 2, 4, 10}}
	}
	return []historyFamily{
		of("P1 1000 : 1000, 1 %", countNoise{n: 1000, m: 1000, rate: .01}),
		of("P2 500 : 9500, .5 %", countNoise{n: 500, m: 9500, rate: .005}),
		of("P3 20 : 1980, .5 %", countNoise{n: 20, m: 1980, rate: .005}),
		of("P4 20000 : 20000, 5 %", countNoise{n: 20000, m: 20000, rate: .05}),
		of("O1 side noise cv .2", countNoise{n: 2000, m: 2000, rate: .02, cv: .2}),
		of("O2 side noise cv .5, AR .5", countNoise{n: 2000, m: 2000, rate: .02, cv: .5, phi: .5}),
		of("O3 side noise cv .3, AR .8, 5 % of traffic", countNoise{n: 1000, m: 19000, rate: .02, cv: .3, phi: .8}),
		of("B1 common bursts x20", countNoise{n: 500, m: 9500, rate: .005, common: .03}),
		of("B2 side bursts x10 of 2 steps", countNoise{n: 2000, m: 2000, rate: .01, burst: .03, length: 2, times: 10}),
		of("B3 side bursts x30 of 5 steps", countNoise{n: 2000, m: 2000, rate: .002, burst: .02, length: 5, times: 30}),
		of("C1 clusters of 5", countNoise{n: 1000, m: 1000, rate: .01, cluster: 5}),
		of("C2 clusters of 20, 5 % of traffic", countNoise{n: 500, m: 9500, rate: .01, cluster: 20}),
		of("R1 ramp 1, 5, 10, 50 %", countNoise{n: 5000, m: 5000, rate: .01, cv: .1, ramp: true}),
		of("G1 50 events, cv .1, AR .5", countNoise{n: 1000, m: 1000, rate: .05, cv: .1, phi: .5}),
		of("G2 50 events, cv .1, AR .8", countNoise{n: 1000, m: 1000, rate: .05, cv: .1, phi: .8}),
		of("H1 1000 events, cv .1, AR .3", countNoise{n: 20000, m: 20000, rate: .05, cv: .1, phi: .3}),
	}
}

func valueHistories() []historyFamily {
	of := func(name string, v valueNoise) historyFamily {
		return historyFamily{name: name, metric: tightValue, now: v, changes: []float64{1, 1.05, 1.1, 1.25, 1.5}}
	}
	warm := of("V9 the same, 10 steps skipped", valueNoise{sd: .05, phi: .3, warm: .7, slow: 3})
	warm.skip = 10
	return []historyFamily{
		of("V1 independent, 5 %", valueNoise{sd: .05}),
		of("V2 AR .5, 5 %", valueNoise{sd: .05, phi: .5}),
		of("V3 AR .8, 5 %", valueNoise{sd: .05, phi: .8}),
		of("V4 t3, AR .3, 10 %", valueNoise{sd: .1, phi: .3, tails: true}),
		of("V5 spikes x5 in 2 %", valueNoise{sd: .05, phi: .3, spikes: .02}),
		of("V6 quiet baseline, skewed 20 % canary", valueNoise{sd: .02, canarySD: .2, skewed: true}),
		of("V7 arms apart, AR .9, 5 %", valueNoise{sd: .05, phi: .9, separate: true}),
		of("V8 warm-up +100 % over 3 steps, none skipped", valueNoise{sd: .05, phi: .3, warm: .7, slow: 3}),
		warm,
		of("V10 19 % of pairs missing, AR .5, 5 %", valueNoise{sd: .05, phi: .5, missing: .1}),
	}
}

// misleadingHistories were other than the run.
func misleadingHistories() []historyFamily {
	value := func(name string, before, now valueNoise, changes ...float64) historyFamily {
		return historyFamily{name: name, metric: tightValue, before: before, now: now, changes: changes}
	}
	count := func(name string, before, now countNoise, changes ...float64) historyFamily {
		return historyFamily{name: name, metric: looseRatio, before: before, now: now, changes: changes}
	}
	remove := func(f historyFamily) historyFamily {
		f.remove = true
		f.name += ", offset removed"
		return f
	}
	plain := valueNoise{sd: .05}
	poisson := countNoise{n: 1000, m: 1000, rate: .01}
	counts := func(change func(*countNoise)) countNoise {
		c := poisson
		change(&c)
		return c
	}
	side, sideAR := valueNoise{sd: .05, side: .03}, valueNoise{sd: .05, phi: .5, side: .03}
	both := counts(func(c *countNoise) { c.side = 1.2 })
	return []historyFamily{
		value("V noise x3 in the run", plain, valueNoise{sd: .15}, 1.05, 1.25),
		value("V AR .5, noise x3 in the run", valueNoise{sd: .05, phi: .5}, valueNoise{sd: .15, phi: .5}, 1.05, 1.25),
		value("V AR 0 -> .7", plain, valueNoise{sd: .05, phi: .7}, 1.05, 1.25),
		value("V AR .3 -> .8", valueNoise{sd: .05, phi: .3}, valueNoise{sd: .05, phi: .8}, 1.05, 1.25),
		value("V AR .7 -> 0", valueNoise{sd: .05, phi: .7}, plain, 1.05, 1.25),
		value("V a night of half the noise", valueNoise{sd: .025, phi: .3}, valueNoise{sd: .05, phi: .3}, 1.05, 1.25),
		value("V nothing but one number in the history", valueNoise{}, plain, 1, 1.05, 1.25),
		value("V .5 % in the history, 5 % in the run", valueNoise{sd: .005}, plain, 1, 1.05, 1.25),
		value("V .5 % in the history, 5 % and AR .8 in the run", valueNoise{sd: .005}, valueNoise{sd: .05, phi: .8}, 1, 1.05, 1.25),
		value("V 2 % in the history, 10 % in the run", valueNoise{sd: .02}, valueNoise{sd: .1}, 1, 1.05, 1.25),
		value("V 2 % in the history, 10 % and AR .8 in the run", valueNoise{sd: .02}, valueNoise{sd: .1, phi: .8}, 1, 1.05, 1.25),
		value("V 1 % in both", valueNoise{sd: .01}, valueNoise{sd: .01}, 1, 1.05, 1.1, 1.25),
		value("V history noise x3", valueNoise{sd: .15}, plain, 1.05, 1.1, 1.25),
		value("V incident +50 % in 6 steps of the history", valueNoise{sd: .05, incident: .405}, plain, 1, 1.05, 1.1, 1.25),
		remove(value("V side +3 % then and now", side, side, 1, 1.05, 1.1)),
		value("V side +3 % then and now, offset kept", side, side, 1, 1.05, 1.1),
		remove(value("V side +3 %, AR .5", sideAR, sideAR, 1, 1.05, 1.1)),
		remove(value("V side +3 % then, gone now", side, plain, 1, 1.05, 1.1)),
		value("V side +3 % then, gone now, offset kept", side, plain, 1, 1.05, 1.1),
		remove(value("V drift 2 % between hours", valueNoise{sd: .05, drift: .02}, valueNoise{sd: .05, drift: .02}, 1, 1.05, 1.1, 1.25)),
		count("C -> side noise cv .3, AR .5", poisson, counts(func(c *countNoise) { c.cv, c.phi = .3, .5 }), 1.25, 2),
		count("C -> side noise cv .5", poisson, counts(func(c *countNoise) { c.cv = .5 }), 1.25, 2),
		count("C -> side bursts x10", poisson, counts(func(c *countNoise) { c.burst, c.length, c.times = .03, 2, 10 }), 1.25, 2),
		count("C -> clusters of 5", poisson, counts(func(c *countNoise) { c.cluster = 5 }), 1.25, 2),
		count("C clusters of 5 -> none", counts(func(c *countNoise) { c.cluster = 5 }), poisson, 1.25, 2),
		count("C a night of 1/5 the traffic, half the rate", countNoise{n: 200, m: 200, rate: .005}, poisson, 1.25, 2),
		count("C a night, side noise cv .2 in both", countNoise{n: 200, m: 200, rate: .005, cv: .2}, counts(func(c *countNoise) { c.cv = .2 }), 1.25, 2),
		count("C incident x10 in 6 steps of the history", counts(func(c *countNoise) { c.incident = 10 }), poisson, 1.25, 2),
		count("C broken x10 for 30 steps of the history", counts(func(c *countNoise) { c.incident, c.broken = 10, 30 }), poisson, 1, 1.25, 2, 4, 10),
		count("C broken x3 for 90 steps of the history", counts(func(c *countNoise) { c.incident, c.broken = 3, 90 }), poisson, 1, 1.25, 2, 4, 10),
		value("V broken +50 % for 30 steps of the history", valueNoise{sd: .05, incident: .405, broken: 30}, plain, 1, 1.05, 1.1, 1.25, 1.5),
		value("V broken +100 % for 90 steps of the history", valueNoise{sd: .05, incident: .7, broken: 90}, plain, 1, 1.05, 1.1, 1.25, 1.5),
		remove(count("C side x1.2 then and now", both, both, 1, 1.25, 2)),
	}
}

// otherHistories are the settings that the paper left out.
func otherHistories() []historyFamily {
	plain, poisson := valueNoise{sd: .05}, countNoise{n: 1000, m: 1000, rate: .01}
	values, counts := []float64{1, 1.05, 1.1, 1.25, 1.5}, []float64{1, 1.25, 2, 4, 10}
	of := func(m analysis.Metric, tolerance analysis.Tolerance, floor float64, d analysis.Direction) analysis.Metric {
		m.Tolerance, m.Floor, m.Direction = tolerance, floor, d
		return m
	}
	all := []historyFamily{
		{name: "N value, tolerance of 5 of 100", metric: of(tightValue, analysis.Tolerance{Size: 5, Absolute: true}, 0, analysis.Increase), now: valueNoise{sd: .05, steady: true}, changes: values},
		{name: "N value, either direction", metric: of(tightValue, tightValue.Tolerance, 0, analysis.Either), now: plain, changes: append([]float64{1 / 1.05}, values...)},
		{name: "N value that grows over the run", metric: tightValue, now: valueNoise{sd: .05, slope: true}, changes: values},
		{name: "N value, 36 % of pairs missing", metric: tightValue, now: valueNoise{sd: .05, missing: .2}, changes: values},
		{name: "N rate, tolerance of .25 points", metric: of(looseRatio, analysis.Tolerance{Size: .0025, Absolute: true}, 0, analysis.Increase), now: poisson, changes: counts},
		{name: "N rate, floor of 2 %", metric: of(looseRatio, looseRatio.Tolerance, .02, analysis.Increase), now: poisson, changes: []float64{1, 5, 10}},
		{name: "N rate, either direction", metric: of(looseRatio, looseRatio.Tolerance, 0, analysis.Either), now: poisson, changes: append([]float64{.8}, counts...)},
	}
	for _, k := range []int{12, 30, 120, 240} {
		all = append(all,
			historyFamily{name: fmt.Sprintf("N V1, %d steps", k), metric: tightValue, now: plain, changes: values, steps: k},
			historyFamily{name: fmt.Sprintf("N V2, %d steps", k), metric: tightValue, now: valueNoise{sd: .05, phi: .5}, changes: values, steps: k},
			historyFamily{name: fmt.Sprintf("N P1, %d steps", k), metric: looseRatio, now: poisson, changes: counts, steps: k},
		)
	}
	for _, metrics := range []float64{20, 100} {
		all = append(all,
			historyFamily{name: fmt.Sprintf("N V1, one of %g metrics, tolerance 10 %%", metrics), metric: of(tightValue, analysis.Tolerance{Size: .1}, 0, analysis.Increase), now: plain, changes: []float64{1, 1.1, 1.25, 1.5}, falseAlarm: .05 / metrics},
			historyFamily{name: fmt.Sprintf("N P1, one of %g metrics", metrics), metric: looseRatio, now: poisson, changes: counts, falseAlarm: .05 / metrics},
		)
	}
	return all
}

// cautiousHistories are histories that nobody asked for.
func cautiousHistories() []historyFamily {
	poisson := countNoise{n: 1000, m: 1000, rate: .01}
	broken, rare := poisson, countNoise{n: 1000, m: 1000, rate: .00001}
	broken.incident, broken.broken = 10, 12
	burning := rare
	burning.incident, burning.broken = 30000, 12
	all := []historyFamily{
		{name: "Q C broken x10 for 12 steps of the history", metric: looseRatio, before: broken, now: poisson, changes: []float64{1, 1.25, 2, 4, 10}},
		{name: "Q C no errors but 12 steps of 30 %", metric: looseRatio, before: burning, now: rare, changes: []float64{1, 1000}},
	}
	all[1].metric.Floor = .001
	for _, f := range countHistories() {
		f.name = "Q " + f.name
		all = append(all, f)
	}
	for i := range all {
		all[i].cautious = true
	}
	return all
}
