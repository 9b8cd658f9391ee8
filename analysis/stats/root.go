package stats

import "math"

// root returns the x in [lo, hi] at which the monotone function f changes sign,
// by Chandrupatla's method (1997, Advances in Engineering Software 28:145):
// inverse quadratic interpolation where it is safe, bisection where it is not.
// f(lo) and f(hi) must differ in sign; where they do not, the end with the
// smaller |f| is returned. The result is within tolerance, absolutely, or within a
// few units in the last place.
func root(f func(float64) float64, lo, hi, tolerance float64) float64 {
	a, b := hi, lo
	fa, fb := f(a), f(b)
	if fa == 0 {
		return a
	}
	if fb == 0 || (fa > 0) == (fb > 0) {
		if math.Abs(fa) < math.Abs(fb) {
			return a
		}
		return b
	}
	var c, fc float64
	t := 0.5
	for range 200 {
		x := a + t*(b-a)
		fx := f(x)
		if (fx > 0) == (fa > 0) {
			c, fc = a, fa
		} else {
			c, b = b, a
			fc, fb = fb, fa
		}
		a, fa = x, fx
		best, fbest := a, fa
		if math.Abs(fb) < math.Abs(fa) {
			best, fbest = b, fb
		}
		const ulp = 0x1p-52
		tol := 2*ulp*math.Abs(best) + tolerance
		limit := tol / math.Abs(b-c)
		if limit > 0.5 || fbest == 0 {
			return best
		}
		t = chandrupatlaStep(a, b, c, fa, fb, fc)
		t = math.Min(1-limit, math.Max(limit, t))
	}
	return a
}

// chandrupatlaStep returns the fraction of [a, b] at which to evaluate next.
func chandrupatlaStep(a, b, c, fa, fb, fc float64) float64 {
	xi := (a - b) / (c - b)
	phi := (fa - fb) / (fc - fb)
	if phi*phi >= xi || (1-phi)*(1-phi) >= 1-xi {
		return 0.5
	}
	return fa/(fb-fa)*fc/(fb-fc) + (c-a)/(b-a)*fa/(fc-fa)*fb/(fc-fb)
}
