package analysis

// checksMethod compares the rates of failed runs. Each is a trial of its own, which counts
// without one of the other arm.
type checksMethod struct{}

func (checksMethod) validate(Metric) error { return nil }
func (checksMethod) counted() bool         { return true }
func (checksMethod) paired() bool          { return false }
func (checksMethod) silenceDoubted() bool  { return false }
func (checksMethod) absolute() Amount      { return RatePoints }
func (checksMethod) usualUnit() string     { return "" }
func (checksMethod) traffic() Traffic      { return NoTraffic }
func (checksMethod) firstLook() int        { return 1 } // which may have all the runs it takes

func (checksMethod) shows(s Sample) bool                        { return ratioMethod{}.shows(s) }
func (checksMethod) number(m Metric, s Sample) float64          { return ratioMethod{}.number(m, s) }
func (checksMethod) begin(j *judgement)                         { j.startTests(j.plan.Steps, 1) }
func (checksMethod) tally(a *armTally, m Metric, s Sample) bool { return ratioMethod{}.tally(a, m, s) }

func (checksMethod) observe(_ Metric, p Pair) (bracket, bool) {
	v := counts(p)
	return exact(observation{counts: v}), v.N > 0 || v.M > 0
}

// past: failures of independent runs have no noise but their own.
func (checksMethod) past(Metric, []Pair, int) []bracket { return nil }

func (checksMethod) evidence(m Metric, d Direction, _ *past) evidence {
	e := newCountsEvidence(m, d, nil, false)
	e.pooled = true
	return e
}

func (checksMethod) changed(m Metric, earlier, later Sample) bool {
	return ratioMethod{}.changed(m, earlier, later)
}

func (checksMethod) mean(m Metric, samples []Sample) Sample {
	return ratioMethod{}.mean(m, samples)
}
