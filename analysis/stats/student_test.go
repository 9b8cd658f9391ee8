package stats

// studentTailOf is P(T > t) of one Student t variable with df degrees of freedom.
func studentTailOf(df, t float64) float64 {
	tail, _ := studentTail(df, studentConstant(df), t)
	return tail
}

// studentTailQuantile returns the t that a Student t variable with df degrees
// of freedom exceeds with probability p, 0 < p < 1.
func studentTailQuantile(df, p float64) float64 {
	if p > 0.5 {
		return -studentTailQuantile(df, 1-p)
	}
	if p == 0.5 {
		return 0
	}
	return Mixture{{Weight: 1, Scale: 1, DF: df, constant: studentConstant(df)}}.TailQuantile(p)
}
