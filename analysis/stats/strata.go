package stats

// Standardised returns counts whose rates are compared as those of several strata are, each
// within itself: of a ramp, say, in which the first arm's share of the traffic grew. The sums
// over all strata would compare the arms at different times: were errors rare while the first
// arm had little traffic, and frequent later, it would seem worse than an arm that was always
// the same (Simpson 1951, JRSS B 13:238).
//
// The strata are weighted by w = NM/(N+M), as Mantel and Haenszel do; the difference of the
// rates is then their risk difference (Greenland & Robins 1985, Biometrics 41:55). The totals
// are those at which a rate has the variance of the weighted one: with W the sum of the w, N is
// W^2 / sum(w^2/N). Where the arms share the traffic alike in all strata, and in one, the
// counts are the sums. Strata without traffic in either arm tell nothing.
func Standardised(strata []PairedCounts) PairedCounts {
	var used []PairedCounts
	for _, v := range strata {
		if v.usable() {
			used = append(used, v)
		}
	}
	switch len(used) {
	case 0:
		return PairedCounts{}
	case 1:
		return used[0]
	}
	var weights, rateX, rateY, spreadX, spreadY float64
	for _, v := range used {
		w := v.N * v.M / (v.N + v.M)
		weights += w
		rateX += w * v.X / v.N
		rateY += w * v.Y / v.M
		spreadX += w * w / v.N
		spreadY += w * w / v.M
	}
	all := PairedCounts{N: weights * weights / spreadX, M: weights * weights / spreadY}
	all.X, all.Y = all.N*rateX/weights, all.M*rateY/weights
	return all
}
