package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// winsorise is the definition: sort, take medians, clip.
func winsorise(d []float64) []float64 {
	median := func(v []float64) float64 {
		s := slices.Sorted(slices.Values(v))
		n := len(s)
		return 0.5 * (s[(n-1)/2] + s[n/2])
	}
	q := median(d)
	deviations := make([]float64, len(d))
	for i, v := range d {
		deviations[i] = math.Abs(v - q)
	}
	mad := 1.4826 * median(deviations)
	out := slices.Clone(d)
	for i, v := range out {
		if mad > 0 {
			out[i] = math.Min(math.Max(v, q-3*mad), q+3*mad)
		}
	}
	return out
}

func TestPairedAgreesWithItsDefinition(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 3))
	for run := range 60 {
		var p Paired
		var d []float64
		for range 1 + rng.IntN(60) {
			v := rng.NormFloat64()
			switch {
			case run%3 == 1:
				v = math.Round(v) // ties, and deviations of zero
			case run%3 == 2 && rng.Float64() < 0.1:
				v *= 1e6
			}
			v += 1e3 * float64(run%2)
			d = append(d, v)
			p.Add(v)
			w := winsorise(d)
			m := p.Winsorised()
			mean, n := 0.0, float64(len(w))
			for _, x := range w {
				mean += x / n
			}
			spread := math.Max(math.Abs(slices.Max(w)), math.Abs(slices.Min(w)))
			close := func(what string, got, want, tolerance float64) {
				if !(math.Abs(got-want) <= tolerance) {
					t.Errorf("run %d, %d values: %s %g, want %g", run, len(w), what, got, want)
				}
			}
			close("mean", m.Mean(), mean, 1e-14*spread)
			if len(w) < 2 {
				continue
			}
			// The quadratic form by its definition, with all its sums.
			for _, g := range phiGrid {
				q := m.fit(g.phi)
				a := (1 - g.phi*g.phi) + (n-1)*(1-g.phi)*(1-g.phi)
				y := func(t int) float64 { return w[t] - mean }
				b, c := (1-g.phi*g.phi)*y(0), (1-g.phi*g.phi)*y(0)*y(0)
				for t := 1; t < len(w); t++ {
					e := y(t) - g.phi*y(t-1)
					b += (1 - g.phi) * e
					c += e * e
				}
				near(t, "precision", q.precision, a, 1e-12)
				close("centre", q.centre, mean+b/a, 1e-13*spread)
				close("rss", q.rss, math.Max(c-b*b/a, 0), 1e-11*(c+1e-3*math.Abs(mean)))
			}
		}
	}
}

func TestHistogram(t *testing.T) {
	t.Parallel()
	h := Histogram{Bounds: []float64{1, 2, 4, 8}, Counts: []float64{10, 20, 40, 20, 10}}
	for _, c := range []struct{ x, below, above, least, most float64 }{
		{1, 1, 1, 90, 90},
		{2, 2, 2, 70, 70},
		{8, 8, 8, 10, 10},
		{3, 2, 4, 30, 70},
		{3.99, 4, 4, 30, 30}, // 4, written with three digits
		{3.97, 2, 4, 30, 70},
		{0.5, math.Inf(-1), 1, 90, 100},
		{20, 8, math.Inf(1), 0, 10},
	} {
		below, above := h.Around(c.x)
		least, most := h.Above(c.x)
		if got := [4]float64{below, above, least, most}; got != [4]float64{c.below, c.above, c.least, c.most} {
			t.Errorf("%g: %v, want %v", c.x, got, c)
		}
	}
	if least, most := (Histogram{}).Above(1); least != 0 || most != 0 {
		t.Errorf("a gap has %g to %g above 1", least, most)
	}
	// An empty bucket hides nothing.
	if least, most := (Histogram{Bounds: []float64{1, 2}, Counts: []float64{5, 0, 3}}).Above(1.5); least != 3 || most != 3 {
		t.Errorf("above the middle of an empty bucket lie %g to %g", least, most)
	}
	for _, c := range []struct{ q, value, lower, upper float64 }{
		{0.05, 0.5, 0, 1}, // linear in the first
		{0.3, 2, 1, 2},
		{0.5, math.Sqrt(8), 2, 4}, // half way through (2, 4]
		{0.9, 8, 4, 8},
		{0.95, math.Inf(1), 8, math.Inf(1)},
	} {
		value, lower, upper := h.Quantile(c.q)
		near(t, "Quantile", value, c.value, 1e-12)
		if lower != c.lower || upper != c.upper {
			t.Errorf("quantile %g lies between %g and %g, want %g and %g", c.q, lower, upper, c.lower, c.upper)
		}
	}
	if v, _, _ := (Histogram{Bounds: []float64{1}, Counts: []float64{0, 0}}).Quantile(0.5); !math.IsNaN(v) {
		t.Errorf("the quantile of nothing is %g", v)
	}
}

func TestHistogramPlusKeepsWhatItCan(t *testing.T) {
	t.Parallel()
	// Native histograms list the buckets that hold something, so the bounds differ
	// from step to step.
	a := Histogram{Bounds: []float64{1, 2, 4}, Counts: []float64{0, 3, 5, 0}}
	b := Histogram{Bounds: []float64{4, 8, 16}, Counts: []float64{0, 2, 1, 0}}
	sum := a.Plus(b)
	if !slices.Equal(sum.Bounds, []float64{1, 2, 4, 8, 16}) || !slices.Equal(sum.Counts, []float64{0, 3, 5, 2, 1, 0}) {
		t.Errorf("sum %+v", sum)
	}
	// A coarse bucket that holds something cannot be divided.
	coarse := Histogram{Bounds: []float64{1, 8}, Counts: []float64{1, 7, 0}}
	sum = a.Plus(coarse)
	if !slices.Equal(sum.Bounds, []float64{1, 8}) || !slices.Equal(sum.Counts, []float64{1, 15, 0}) {
		t.Errorf("sum with a coarse histogram %+v", sum)
	}
	if sum := (Histogram{}).Plus(a); sum.Total() != 8 {
		t.Errorf("sum with nothing %+v", sum)
	}
}
