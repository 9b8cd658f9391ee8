package analysis

import "math"

// plenty is how many events a step are so many that an arm is not without any by
// chance: once in 150 steps for independent ones.
const plenty = 5

// An arm has fallen silent when for silentSteps, one of which may be a scrape that
// failed, it has had no event while the other had some, and by its share of all events
// it is short of silentEvents: even if they came in bunches of five, once in 50 times.
const (
	silentSteps  = 3
	silentEvents = 20
)

// pooling joins the steps in which only one arm has events to the ones after them,
// until both arms have some: at low traffic hardly any step has events in both. It
// goes by how many events there are, never by how many of them are bad, so that
// conditional on the traffic the bad ones fall as they would without it. A step
// in which both arms have events ends what is waiting, so with those alone there
// is nothing to pool. What still waits at the end of the window, at least one arm's
// events since the other last had any, is not compared.
//
// An arm that is silent although it has plenty of events at other times is another
// thing: it was down, or its data were lost. What the other arm had then has
// nothing to be compared with, and is left out.
type pooling struct {
	steps            int
	canary, baseline armPooling
	neither          int // steps in which neither arm had any
	stage            int // of the ramp; what waits when another begins is not compared
}

// armPooling is one arm's part in a pooling.
type armPooling struct {
	total  float64 // events
	active int     // steps with any
	alone  int     // steps with any in this arm and none in the other
	missed float64 // events of the other arm since this one last had any
	silent int     // steps with those
	wait   bracket // the events that wait for some of the other arm
	since  int     // the step of the first of them, 0 for none
}

// take adds a step's counts, of which those of an arm without events are 0. It
// returns what is to be compared now, the first of the steps that it is of, and
// false when there is nothing to compare.
func (p *pooling) take(step int, b bracket) (pooled bracket, first int, ok bool) {
	if b.stage != p.stage {
		p.canary.drop()
		p.baseline.drop()
		p.stage = b.stage
	}
	v := b.low.counts
	p.steps++
	p.canary.count(v.N, v.M)
	p.baseline.count(v.M, v.N)
	if v.N <= 0 && v.M <= 0 {
		p.neither++
	}
	switch {
	case v.N > 0 && v.M <= 0:
		p.canary.hold(step, b)
	case v.M > 0 && v.N <= 0:
		p.baseline.hold(step, b)
	}
	if p.silenceIsGap(p.baseline, p.canary) {
		p.canary.drop()
	}
	if p.silenceIsGap(p.canary, p.baseline) {
		p.baseline.drop()
	}
	both := v.N > 0 && v.M > 0
	if !both && (p.canary.since == 0 || p.baseline.since == 0) {
		return bracket{}, 0, false
	}
	pooled, first = p.canary.wait.plus(p.baseline.wait), step
	pooled.stage = b.stage
	if both {
		pooled = pooled.plus(b)
	}
	for _, a := range []*armPooling{&p.canary, &p.baseline} {
		if a.since > 0 {
			first = min(first, a.since)
		}
		a.drop()
	}
	return pooled, first, true
}

// pooled returns the observations of pairs that are pooled as those of a run are.
func pooled(m Metric, pairs []Pair) (all []bracket) {
	var p pooling
	for i, pair := range pairs {
		b, _ := m.method().observe(m, pair)
		if b, _, ok := p.take(i+1, b); ok {
			all = append(all, b)
		}
	}
	return all
}

// count notes the events of a step, and those of the other arm.
func (a *armPooling) count(own, other float64) {
	if own <= 0 {
		if other > 0 {
			a.missed += other
			a.silent++
		}
		return
	}
	a.missed, a.silent = 0, 0
	a.total += own
	a.active++
	if other <= 0 {
		a.alone++
	}
}

// hold adds a step's events to those that wait.
func (a *armPooling) hold(step int, b bracket) {
	if a.since == 0 {
		a.since = step
	}
	a.wait = a.wait.plus(b)
}

// drop lets go of the events that wait.
func (a *armPooling) drop() { a.wait, a.since = bracket{}, 0 }

// plus adds up counts.
func (b bracket) plus(c bracket) bracket {
	b.low.counts, b.high.counts = b.low.counts.Plus(c.low.counts), b.high.counts.Plus(c.high.counts)
	return b
}

// mean returns an arm's events a step.
func (p *pooling) mean(a armPooling) float64 { return a.total / float64(p.steps) }

// silenceIsGap reports whether steps without events of an arm are more than chance:
// it has plenty of them on average, or, where the other arm has, in the steps in
// which it has any.
func (p *pooling) silenceIsGap(silent, other armPooling) bool {
	if silent.active == 0 {
		return false
	}
	return p.mean(silent) >= plenty ||
		p.mean(other) >= plenty && silent.total/float64(silent.active) >= plenty
}

// gaps returns the number of steps that an arm is missing from.
func (p *pooling) gaps() int {
	gaps := 0
	if p.silenceIsGap(p.canary, p.baseline) {
		gaps += p.baseline.alone
	}
	if p.silenceIsGap(p.baseline, p.canary) {
		gaps += p.canary.alone
	}
	if math.Max(p.mean(p.canary), p.mean(p.baseline)) >= plenty {
		gaps += p.neither
	}
	return gaps
}

// fellSilent reports whether an arm that had events has none any more, while the
// other one has as many that it would have had them too.
func (p *pooling) fellSilent() bool {
	short := func(silent, other armPooling) bool {
		return silent.total > 0 && silent.silent >= silentSteps &&
			silent.missed*silent.total >= silentEvents*(other.total-silent.missed)
	}
	return short(p.canary, p.baseline) || short(p.baseline, p.canary)
}
