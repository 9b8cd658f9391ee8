package stats

import "math"

// grid is the sub-density of a Brownian motion that has not yet crossed, as
// point masses from the boundary downwards: quadrature nodes times weights.
//
// The density is analytic below the boundary and cut off at it, so the rule
// has to be of high order at that end and may be plain elsewhere. With
//
//	s(x) = bound - scale * t(x),  t(x) = x Phi(x) + phi(x),  t'(x) = Phi(x),
//
// the cut-off end is mapped to x = -infinity, where the integrand falls off
// like a normal tail, and the trapezoidal rule in x converges like exp(-c/h^2)
// (Trefethen & Weideman 2014, SIAM Review 56:385). For x > edgeReach, t(x) = x to
// within 1e-7: the nodes become equally spaced, and a convolution with the normal
// kernel needs a table of exponentials instead of one a pair.
type grid struct {
	bound float64 // the boundary the nodes hang from
	scale float64 // units of S per unit of x; 0 for a single point
	s     []float64
	mass  []float64
	table []float64
}

// edge holds t(x) and weights of the rule between x = -edgeReach and edgeReach. The
// trapezoidal rule has ten nodes at x <= nodeStep, all of them crowded at the
// boundary; the first four here stand for those ten as their Gauss rule, exact
// for polynomials in t up to degree 7. TestEdgeRule recomputes it.
var edge = [...]struct{ t, weight float64 }{
	{0.031037864385159196, 0.078313739877456442},
	{0.15770758361572557, 0.17725303720948633},
	{0.39859737972567901, 0.31121646261867163},
	{0.78325001147509888, 0.4540928079391494},
	{1.2916525365908175, 0.55335762781375611},
	{1.8722568543127833, 0.60050548695193332},
	{2.4821318951907061, 0.61592714613596101},
	{3.100267249095223, 0.61940008600780462},
	{3.7200238481579787, 0.61993824093883493},
	{4.3400015011374257, 0.61999558303580307},
	{4.9600000662003352, 0.61999978147114313},
}

const (
	// nodeStep is the step of the trapezoidal rule in x. Halving the aliasing error
	// costs a few percent of speed; this one leaves 4e-8 in a level, where 1e-6 is
	// asked for.
	nodeStep  = 0.62
	edgeNodes = len(edge)
	edgeReach = 8 * nodeStep
	// The scale is kept from look to look while it lies between these multiples
	// of the finer kernel, so that the spacing, and with it the table, can serve
	// both grids.
	smallestScale, usualScale, largestScale = 0.5, 0.95, 1.15
	// depth is how far down the density is followed, in standard deviations; what
	// lies below crosses later with a relative probability below 1e-9.
	depth = 6.2
	// kernelReach is where the normal kernel is cut, in its own standard deviations,
	// beyond the distance that the density's own slope moves its centre.
	kernelReach = 6
)

// point makes the grid the start of the motion: all mass at zero.
func (g *grid) point() {
	g.bound, g.scale = 0, 0
	g.s, g.mass = append(g.s[:0], 0), append(g.mass[:0], 1)
}

// spread places the nodes for the density at information info below the boundary
// bound. The density is smooth on the scale of the last step of information, and
// will be convolved with a kernel of the next one.
func (g *grid) spread(prev *grid, bound, info, last, next float64) {
	finer := math.Sqrt(math.Min(last, next))
	g.scale = prev.scale
	if q := g.scale / finer; q < smallestScale || q > largestScale {
		g.scale = usualScale * finer
	}
	g.bound = bound
	g.s = g.s[:0]
	for _, e := range edge {
		g.s = append(g.s, bound-g.scale*e.t)
	}
	lowest := -depth * math.Sqrt(info)
	for i := 1; ; i++ {
		s := bound - g.scale*(edgeReach+nodeStep*float64(i))
		g.s = append(g.s, s)
		if s < lowest {
			break
		}
	}
}

// carry fills in the masses: the density that prev becomes after a step that
// brings information to info, times the quadrature weights.
func (g *grid) carry(prev *grid, step, info float64) {
	sd := math.Sqrt(step)
	reach := kernelReach*sd + depth*step/math.Sqrt(info)
	g.mass = append(g.mass[:0], make([]float64, len(g.s))...)
	// Along evenly spaced nodes the kernel's exponent has a constant second
	// difference, so that its values follow from two exponentials.
	curve := curvature(prev.scale * nodeStep / sd)
	for i := range edge {
		g.mass[i] = prev.density(g.s[i], sd, reach, curve)
	}
	even := g.mass[edgeNodes:]
	first, spacing := g.s[edgeNodes], g.scale*nodeStep
	curve = curvature(spacing / sd)
	sources := len(prev.s)
	if prev.scale == g.scale && sources > edgeNodes {
		g.convolve(prev, sd, reach)
		sources = edgeNodes
	}
	for j := range sources {
		spread(even, prev.mass[j], (first-prev.s[j])/sd, -spacing/sd, reach/sd, curve)
	}
	norm := g.scale / (sd * math.Sqrt(2*math.Pi))
	for i := range g.mass {
		w := nodeStep
		if i < edgeNodes {
			w = edge[i].weight
		}
		g.mass[i] *= w * norm
	}
}

// density returns the sum of the masses, each times the kernel
// exp(-(s-u)^2 / (2 sd^2)) of its distance from s.
func (g *grid) density(s, sd, reach, curve float64) float64 {
	var f float64
	for j := range min(edgeNodes, len(g.s)) {
		d := (s - g.s[j]) / sd
		f += g.mass[j] * math.Exp(-0.5*d*d)
	}
	if len(g.s) <= edgeNodes {
		return f
	}
	even := g.mass[edgeNodes:]
	d, dd := (s-g.s[edgeNodes])/sd, g.scale*nodeStep/sd
	from, to := window(d, dd, reach/sd, len(even))
	if from >= to {
		return f
	}
	kernel, ratio := progression(d+dd*float64(from), dd)
	for _, m := range even[from:to] {
		f += m * kernel
		kernel *= ratio
		ratio *= curve
	}
	return f
}

// spread adds mass times the kernel exp(-d^2/2) to each of f, whose distances
// from the source are d, d+dd, d+2dd, ... standard deviations.
func spread(f []float64, mass, d, dd, reach, curve float64) {
	from, to := window(d, dd, reach, len(f))
	if from >= to {
		return
	}
	kernel, ratio := progression(d+dd*float64(from), dd)
	kernel *= mass
	for i := from; i < to; i++ {
		f[i] += kernel
		kernel *= ratio
		ratio *= curve
	}
}

// progression returns exp(-d^2/2) and the factor that leads to its value at d+dd.
func progression(d, dd float64) (kernel, ratio float64) {
	return math.Exp(-0.5 * d * d), math.Exp(-dd * (d + 0.5*dd))
}

// curvature is the factor from one ratio of a progression to the next.
func curvature(dd float64) float64 { return math.Exp(-dd * dd) }

// window returns the half-open range of indices i in [0, n) with
// |d + i dd| <= reach.
func window(d, dd, reach float64, n int) (from, to int) {
	a, b := (-reach-d)/dd, (reach-d)/dd
	if a > b {
		a, b = b, a
	}
	from = int(math.Min(math.Max(math.Ceil(a), 0), float64(n)))
	to = int(math.Min(math.Max(math.Floor(b)+1, 0), float64(n)))
	return from, to
}

// convolve adds to the evenly spaced masses what comes from the evenly spaced
// masses of prev, which has the same spacing: a convolution with one table.
func (g *grid) convolve(prev *grid, sd, reach float64) {
	shift, spacing := (g.bound-prev.bound)/sd, g.scale*nodeStep/sd
	// Target i and source j are shift - (i-j) spacing apart.
	low := int(math.Ceil((shift - reach/sd) / spacing))
	high := int(math.Floor((shift + reach/sd) / spacing))
	g.table = g.table[:0]
	// The table runs from k = high down, as k does when j grows.
	kernel, ratio := progression(shift-float64(high)*spacing, spacing)
	curve := curvature(spacing)
	for k := high; k >= low; k-- {
		g.table = append(g.table, kernel)
		kernel *= ratio
		ratio *= curve
	}
	targets, sources := g.mass[edgeNodes:], prev.mass[edgeNodes:]
	for i := range targets {
		// k = i - j runs from low to high: j from i-high to i-low.
		from, to := max(0, i-high), min(len(sources), i-low+1)
		if from >= to {
			continue
		}
		targets[i] += dot(sources[from:to], g.table[high-i+from:])
	}
}

// crossing returns the bound that the motion exceeds, after a step that brings
// information to info, with probability spend. It solves for the logarithm of
// that probability, which is concave and nearly straight, by Halley's method:
// an error of e standard deviations of the step leaves one of about e^3.
func (g *grid) crossing(spend, step, info, guess float64) float64 {
	sd := math.Sqrt(step)
	reach := kernelReach + depth*sd/math.Sqrt(info)
	target := math.Log(spend)
	c := guess
	for range 100 {
		var p, f, slope float64
		for i, s := range g.s {
			z := (c - s) / sd
			if z > reach {
				break
			}
			density := g.mass[i] * normalDensity(z)
			p += g.mass[i] * NormalTail(z)
			f += density
			slope -= z * density
		}
		if p <= 0 || f <= 0 {
			c -= sd
			continue
		}
		// With h = ln p: h' = -f/p and h'' = -(slope + f^2/p) / p.
		h, h1, h2 := math.Log(p)-target, -f/p, -(slope+f*f/p)/p
		move := -2 * h * h1 / (2*h1*h1 - h*h2)
		c += sd * math.Max(-2, math.Min(2, move))
		if math.Abs(move) < 1e-3 {
			return c
		}
	}
	return c
}

// dot returns the sum of the products of a and the first len(a) of b. Four sums
// side by side keep the processor from waiting for each addition.
func dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	for len(a) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += v * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}
