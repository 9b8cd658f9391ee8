package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/providers"
)

// reason says in one sentence, without its subject, why a metric was decided, or
// was not.
func (b builder) reason(m Metric, from analysis.MetricResult) string {
	switch from.Decision {
	case analysis.Pass:
		if m.belowFloor() {
			return fmt.Sprintf("%s: shown to be below the floor of %s (with its tolerance)", b.counts(m, from), percentage(from.Floor))
		}
		reason := join(effectPhrase(m), b.numbers(m, from))
		if m.movedOn() {
			reason = fmt.Sprintf("shown at look %d to be within tolerance; by now %s", m.DecidedLook, reason)
		}
		return reason
	case analysis.Fail:
		if from.Effect.Since > 0 {
			since := b.outcome.Times[b.config.Window.Warmup+from.Effect.Since]
			return fmt.Sprintf("since %s, %s", since.Format(time.TimeOnly), join(effectPhrase(m), b.numbers(m, from)))
		}
		return join(effectPhrase(m), b.numbers(m, from))
	}
	return b.undecided(m, from)
}

// belowFloor reports whether a metric passed although its effect is not known to be
// within the tolerance: its rates are too low to matter.
func (m Metric) belowFloor() bool {
	allowed := m.Tolerance.Floor * (1 + m.Tolerance.Size)
	_, canary, _ := m.levels()
	return m.Is(analysis.Pass) && m.Tolerance.Floor > 0 && canary <= allowed && !(m.Effect.Upper < m.Tolerance.Upper)
}

// movedOn reports whether a metric passed at a look, and its interval has reached beyond
// the tolerance since.
func (m Metric) movedOn() bool {
	return m.Is(analysis.Pass) && m.DecidedLook < m.Steps &&
		(m.Effect.Upper >= m.Tolerance.Upper || m.Effect.Lower <= m.Tolerance.Lower)
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ": " + b
}

// counts says what the counts behind a rate are.
func (b builder) counts(m Metric, from analysis.MetricResult) string {
	slower := ""
	switch {
	case from.SlowerThan > 0:
		slower = measure(surelySlower(from), m.Unit)
	case from.OffScaleBound > 0:
		slower = measure(from.OffScaleBound, m.Unit)
	}
	return countsPhrase(m, slower)
}

// numbers says what the numbers behind an effect are.
func (b builder) numbers(m Metric, from analysis.MetricResult) string {
	if _, _, rates := m.levels(); rates {
		return b.counts(m, from)
	}
	if from.Mean {
		return strings.Replace(valuesPhrase(m), "typically", "on average", 1)
	}
	return valuesPhrase(m)
}

// undecided says why a metric is not decided, and what to do.
func (b builder) undecided(m Metric, from analysis.MetricResult) string {
	return cmp.Or(b.unfitData(m, from), b.unfitComparison(m, from), b.notEnough(m, from))
}

// unfitData says what is wrong with a metric's data, and what to do; "" for nothing.
func (b builder) unfitData(m Metric, from analysis.MetricResult) string {
	switch from.Cause {
	case analysis.LateData:
		return job.LateData(from.Late, b.config.Window.Lag)
	case analysis.NoDataAtAll:
		if from.Elapsed == 0 {
			return "no step has been judged"
		}
		if from.Of != "" && from.Holds {
			return fmt.Sprintf("the canary has no data in this segment, where the baseline has some in %d of %d steps; if the canary is not there, leave the segment out of each", from.Baseline.Steps, from.Elapsed)
		}
		return fmt.Sprintf("no step has data in both arms (baseline: %d of %d, canary: %d of %d)%s",
			from.Baseline.Steps, from.Elapsed, from.Canary.Steps, from.Elapsed, b.why(m, from, job.Apart, "check the queries and the labels of the arms"))
	case analysis.Unreadable:
		return unreadSteps(from) + "; nothing is decided by what is left"
	case analysis.TooManyGaps:
		return fmt.Sprintf("only %d of %d steps have data in both arms (baseline: %d, canary: %d); at least half must%s",
			from.Usable, from.Elapsed, from.Baseline.Steps, from.Canary.Steps, b.why(m, from, job.Rare, ""))
	case analysis.FellSilent:
		return "one arm has fallen silent while the other has as many requests as before; check that both still run and send data" +
			b.whatTheSourceSays(m, false)
	case analysis.BadNeverMentioned:
		return "the query for bad events never returned a point, in either arm: there were none, or the query is wrong; if silence means none, write absent: zero" +
			b.whatTheSourceSays(m, true)
	case analysis.SameSeries:
		return "both arms show exactly the same numbers, step for step: they are one series; check the labels of the arms"
	case analysis.CumulativeCounts:
		return "the totals grow in every step of both arms, and evenly, as counters do that count from their start; give what happened in each step, such as increase(…[$step]), or the differences of a counter. If the load itself climbs that evenly, judge it where it is level"
	case analysis.OverlappingCounts:
		return "what happens once is counted in more than one step, by what the queries are named, so that there seems to be more evidence than there is: nothing passes; the doubt beside the metric says what to write"
	}
	return ""
}

// unfitComparison says why a metric's data cannot show what is asked of them, and what to
// do; "" if they can.
func (b builder) unfitComparison(m Metric, from analysis.MetricResult) string {
	quantile := Percentile(from.Quantile)
	switch from.Cause {
	case analysis.UnmeasuredBound:
		return NextBounds(from.SlowerThan, from.BoundBelow, from.BoundAbove, m.Unit) + ", and what lies between may be slower or not; " + bothHave(from.Bounds, m.Unit)
	case analysis.EqualSteps:
		text := "both arms show the same in most steps, which shows little of a value that seldom changes: " + effectPhrase(m)
		if need := b.forecast(m); need != "" {
			text += "; " + need
		}
		return text + "; judge for longer, or give an absolute tolerance"
	case analysis.SpikesAdd:
		return fmt.Sprintf("the usual step is within tolerance, but not the mean with the steps in which the canary stands out: %s; if they are real, judge them by spikes, a ratio or slower_than",
			change(from.MeanChange, m.Effect.Unit, styleOf(m.Effect), estimated))
	case analysis.BaselineNotPositive:
		return fmt.Sprintf("the baseline's mean is %s: a share of it has no meaning as a tolerance; give an absolute one", measure(from.Compared.Baseline.Level, m.Unit))
	case analysis.TooFewObservations:
		return fmt.Sprintf("there are too few observations for %s: %d steps had to be merged into one, and its first look takes 4 of those: make the window at least %s long, or use slower_than", quantile, from.Merged,
			providers.Duration(time.Duration(from.FirstLook()*from.Merged)*b.config.Window.Step))
	case analysis.CountUnknown:
		return fmt.Sprintf("the values are the %s of a number of requests that is not known, and the percentile of a few is another one, by far (of 20 the p99 is the largest); give that number: count: with a query, or a column count; or use slower_than", quantile)
	case analysis.FewBehind:
		return b.fewBehind(from, quantile)
	case analysis.CoarseBuckets:
		return fmt.Sprintf("the buckets around %s are too coarse to show a change of %s; use slower_than, or finer buckets", quantile, percentage(from.Tolerance.Size))
	case analysis.OffScale:
		return fmt.Sprintf("the canary's %s lies above the highest bucket bound, %s; use slower_than, or add buckets", quantile, measure(from.OffScaleBound, m.Unit))
	case analysis.ZeroTolerance:
		return join("with a tolerance of 0 it passes only if it is better, or by chance", effectPhrase(m)) + "; give a tolerance, or make the metric advisory"
	case analysis.ZeroInOneArm:
		zero, other := zeroArm(from)
		return fmt.Sprintf("every value of the %s is 0 and none of the %s: by a share of the baseline that cannot pass; check the query, or give an absolute tolerance", zero, other)
	case analysis.OtherUnits:
		return join(effectPhrase(m), b.numbers(m, from)) + "; if the units are different (ms against s) or the arms swapped, the canary could be far worse and pass: check the queries and the labels, or give an absolute tolerance"
	}
	return ""
}

// Percentile is how a quantile is called: p99 for 0.99.
func Percentile(q float64) string { return "p" + significant(q*100) }

// fewBehind says how many observations a percentile needs behind it, and what would have them.
func (b builder) fewBehind(from analysis.MetricResult, quantile string) string {
	arm, behind := "baseline", from.Baseline.Behind
	if from.Canary.Behind < behind {
		arm, behind = "canary", from.Canary.Behind
	}
	text := fmt.Sprintf("%s of %s requests a step in the %s says nothing: %s are needed in each arm, twice as many are better",
		quantile, significant(behind), arm, tally(from.LeastBehind()))
	if behind > 0 {
		step := time.Duration(math.Ceil(from.LeastBehind()/behind)) * b.config.Window.Step
		return text + fmt.Sprintf("; steps of about %s would have them, and slower_than needs none", length(step))
	}
	return text
}

// notEnough says how far a metric is from being decided.
func (b builder) notEnough(m Metric, from analysis.MetricResult) string {
	if from.Hold && from.Holds {
		return "beyond its tolerance: " + join(effectPhrase(m), b.numbers(m, from))
	}
	text := "not enough evidence"
	if m.Looks == 0 && !from.Paired() {
		return tooFewRuns(m)
	}
	if m.Looks == 0 {
		if from.Observations > from.Usable {
			return fmt.Sprintf("too early for a first look: too few requests in both arms for more than %s so far", plural(from.Observations, "comparison"))
		}
		return fmt.Sprintf("too early for a first look: %s of both arms so far", plural(from.Usable, "step"))
	}
	switch {
	case math.IsNaN(float64(m.Effect.Estimate)):
		text = join(text, b.numbers(m, from))
	case !math.IsNaN(float64(m.Effect.Lower)) || !math.IsNaN(float64(m.Effect.Upper)):
		text += ": " + effectPhrase(m)
	}
	switch need := b.forecast(m); {
	case need != "":
		text += "; " + need
	case from.Learned != nil && from.Learned.Hides && b.outcome.Ended == job.AtWindowEnd:
		text += "; " + hidden(from)
	}
	return text
}

// hidden says that no number of steps shows a change of what is tolerated, and what does.
func hidden(from analysis.MetricResult) string {
	if len(from.History.Days) > 0 {
		return "days differ by so much that no number of steps shows an unchanged canary to be within tolerance: it takes a larger one"
	}
	return "machines differ by so much that no number of steps shows an unchanged canary to be within tolerance: it takes more instances of the canary, or a larger tolerance"
}

// unreadSteps says how many steps of which arm cannot be read, and why; "" for none.
func unreadSteps(from analysis.MetricResult) string {
	var all []string
	for _, arm := range []struct {
		name string
		of   analysis.ArmSummary
	}{{"baseline", from.Baseline}, {"canary", from.Canary}} {
		if arm.of.Unread > 0 {
			all = append(all, fmt.Sprintf("%d of %d steps of the %s cannot be read: %s", arm.of.Unread, from.Elapsed, arm.name, Clean(arm.of.Why)))
		}
	}
	return strings.Join(all, "; ")
}

// tooFewRuns says that checks have not run often enough to be looked at.
func tooFewRuns(m Metric) string {
	runs := func(n Number) string {
		if !(n > 0) {
			return "none"
		}
		return tally(float64(n))
	}
	text := fmt.Sprintf("too few runs for a first look: %s of the baseline, %s of the canary so far", runs(m.Baseline.Total), runs(m.Canary.Total))
	if !(m.Baseline.Total > 0) || !(m.Canary.Total > 0) {
		text += "; check that the tests of both arms run"
	}
	return text
}

// forecast says what it takes to decide. Of a run that has its verdict, or goes
// on, nobody asks.
func (b builder) forecast(m Metric) string {
	f := m.Forecast
	if f == nil || b.outcome.Ended != job.AtWindowEnd {
		return ""
	}
	unit := f.Unit
	if unit == analysis.BadCanaryEvents {
		unit = m.words().badEvents
	}
	text := fmt.Sprintf("an unchanged canary passes with about %s %s, so far there are %s",
		tally(math.Ceil(float64(f.Needed))), unit, tally(math.Round(float64(f.Have))))
	if more := float64(f.Steps); more > 0 && !math.IsNaN(more) && more < 1e6 {
		text += fmt.Sprintf(" (about %s more)", length(time.Duration(more)*b.config.Window.Step))
	}
	return text
}

// warnings lists the doubts about a metric's data.
func (b builder) warnings(m Metric, from analysis.MetricResult, i int) []string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	all = append(all, b.config.Metrics[i].Doubts...)
	for _, d := range from.Doubts {
		all = append(all, b.doubt(d, m, from))
	}
	if text := m.History.doubted(m); text != "" {
		all = append(all, text)
	}
	if from.BadNeverMentioned && from.AbsentIsZero {
		add("the query for bad events never returned a point; that counts as none, as configured")
	}
	for _, d := range b.outcome.Diagnoses {
		if d.Metric == m.Name && d.Part == providers.Bad && from.Cause != analysis.BadNeverMentioned {
			add("%s: %s", d.Arm, Clean(d.Text))
		}
	}
	if from.Linear {
		add("there are values that are not positive, so values are compared by difference, not by ratio")
	}
	if from.PulledIn > 0 && from.Cause != analysis.SpikesAdd {
		text := fmt.Sprintf("what is judged is the typical step, and what stood out (%s) was pulled in; with all as it is the mean is %s",
			plural(from.PulledIn, "step"), change(from.MeanChange, m.Effect.Unit, styleOf(m.Effect), estimated))
		if from.Kind == analysis.Value {
			text += "; if the mean is meant, write judge: mean"
		}
		all = append(all, text)
	}
	if from.BoundAbove > from.BoundBelow && from.Cause != analysis.UnmeasuredBound {
		add("%s: a fail counts only what is slower for certain, a pass all that may be; %s",
			NextBounds(from.SlowerThan, from.BoundBelow, from.BoundAbove, m.Unit), bothHave(from.Bounds, m.Unit))
	}
	if from.Merged > 1 {
		add("%d steps at a time were merged, to have enough observations for the quantile", from.Merged)
	}
	if from.OffScaleBound > 0 {
		add("the canary's quantile lay above the highest bucket bound too often; the share above %s was judged instead", measure(from.OffScaleBound, m.Unit))
	}
	if from.LeastBehind() > 0 && from.FewBehind > 0 && from.Cause != analysis.FewBehind && from.Cause != analysis.CountUnknown {
		add("%d of %d steps have fewer than %s requests in an arm behind the %s; they are left out", from.FewBehind, from.Elapsed, tally(from.LeastBehind()), Percentile(from.Quantile))
	}
	if n := b.outcome.Clamped[i]; n > 0 {
		add("%s had slightly more bad events than events, as extrapolation can make them; they count as all bad", plural(n, "point"))
	}
	if text := unreadSteps(from); text != "" && from.Cause != analysis.Unreadable {
		add("%s; they are left out", text)
	}
	if from.Paired() && from.Gaps*10 > from.Elapsed && from.Usable > 0 {
		add("%d of %d steps lack data in an arm (baseline: %d with data, canary: %d)", from.Gaps, from.Elapsed, from.Baseline.Steps, from.Canary.Steps)
	}
	if few := from.Elapsed - from.Usable - from.Gaps; from.Counted() && from.Paired() && few*10 > from.Elapsed && from.Observations > 0 {
		add("%d of %d steps lack requests in an arm; steps were pooled until both had some: %s, of %s of %s requests", from.Elapsed-from.Usable, from.Elapsed,
			plural(from.Observations, "comparison"), tally(from.Events.N+from.Events.M), tally(from.Canary.Total+from.Baseline.Total))
	}
	return all
}

// sentence is the verdict in one sentence.
func (r *Report) sentence() string {
	step := time.Duration(float64(r.Window.Step) * float64(time.Second))
	when := span(time.Duration(r.Window.Looks)*step, time.Duration(r.Window.Steps)*step)
	start := fmt.Sprintf("%s after %s%s: ", strings.ToUpper(r.Verdict), when, r.Ramp.at())
	switch {
	case r.Is(analysis.VerdictFail):
		return start + r.failSentence() + r.doubtful()
	case r.Is(analysis.VerdictPass):
		return start + r.passSentence() + r.doubtful()
	}
	return start + r.openSentence() + r.doubtful()
}

// deciding returns the metrics that have a decision and decide by it: of those that can only
// fail, what is no FAIL decides nothing.
func (r *Report) deciding(decision analysis.Decision) []Metric {
	return slices.DeleteFunc(slices.Clone(r.Metrics), func(m Metric) bool {
		return m.Advisory || !m.Is(decision) || m.FailOnly && decision != analysis.Fail
	})
}

// holding returns the metrics that can only fail, and keep the run from passing.
func (r *Report) holding() []Metric {
	return slices.DeleteFunc(slices.Clone(r.Metrics), func(m Metric) bool { return !m.Holds })
}

// failOnly says that the run did not wait for some metrics, "" if it waited for all.
func (r *Report) failOnly() string {
	open := 0
	for _, m := range r.Metrics {
		if m.FailOnly && !m.IsPart() && !m.Is(analysis.Pass) {
			open++
		}
	}
	if open == 0 {
		return r.openSegments()
	}
	return fmt.Sprintf("; not shown to be so: %s that can only fail", plural(open, "metric")) + r.openSegments()
}

func (r *Report) failSentence() string {
	alert := r.guarded(providers.Alerting)
	failed := r.deciding(analysis.Fail)
	if len(failed) == 0 {
		return alert
	}
	slices.SortStableFunc(failed, wholesFirst)
	text := subject(failed[0]) + failed[0].Reason
	if len(failed) > 1 {
		text += "; also failed: " + names(failed[1:])
	}
	return prefix(text, alert)
}

// subject starts a sentence about a metric whose reason is an effect.
func subject(m Metric) string {
	if strings.HasPrefix(m.Reason, "since ") {
		return m.Name + ": "
	}
	verb := " is "
	if counted := cmp.Or(m.Of, m.Name); strings.HasSuffix(counted, "s") && !strings.HasSuffix(counted, "ss") {
		verb = " are "
	}
	return m.Name + verb
}

func (r *Report) passSentence() string {
	passed := r.deciding(analysis.Pass)
	text := "all " + plural(len(passed), "metric") + " are within tolerance"
	switch len(passed) {
	case 1:
		return subject(passed[0]) + "within tolerance: " + passed[0].Reason + r.failOnly()
	case 2:
		text = "both metrics are within tolerance"
	}
	closest, best := Metric{}, math.Inf(-1)
	for _, m := range passed {
		if used := float64(m.Effect.Upper) / float64(m.Tolerance.Upper); used > best && used < 1 {
			closest, best = m, used
		}
	}
	text += r.failOnly()
	if best < 0 {
		return text
	}
	s := styleOf(closest.Effect)
	return fmt.Sprintf("%s; closest to its limit is %s, %s (%s; tolerated %s)%s", text, closest.Name,
		change(float64(closest.Effect.Estimate), closest.Effect.Unit, s, estimated), interval(closest.Effect, closest.Tolerance, s), tolerated(closest.Tolerance, s), closest.removedPhrase())
}

func (r *Report) openSentence() string {
	undecided := append(r.deciding(analysis.NoData), r.deciding(analysis.Undecided)...)
	passed := len(r.deciding(analysis.Pass))
	var text string
	switch {
	case r.Error != "":
		return "could not go on: " + r.Error
	case r.Window.Ended == string(job.AtInterrupt):
		text = "interrupted before the verdict"
	case r.Window.Ended == string(job.AtTheFilesEnd):
		text = fmt.Sprintf("the recording holds %d of the %d steps to judge", r.Window.Looks, r.Window.Steps)
	}
	if r.Exposure != nil && r.Exposure.Off {
		return prefix(text, fmt.Sprintf("the canary got %s of the requests where %s are expected; check how the traffic is split and the labels of the arms",
			percentage(float64(r.Exposure.Observed)), percentage(float64(r.Exposure.Expected))))
	}
	if held := r.heldBack(); held != "" && len(undecided) == 0 {
		return prefix(text, held)
	}
	if held := slices.DeleteFunc(r.holding(), func(m Metric) bool { return !m.IsPart() }); len(held) > 0 && len(undecided) == 0 {
		slices.SortStableFunc(held, worseFirst)
		text = prefix(text, "all that must pass has, but nothing passes while a segment looks worse than tolerated, or cannot be judged though it has requests: "+
			held[0].Name+": "+held[0].Reason)
		if len(held) > 1 {
			text += "; so it is with " + names(held[1:])
		}
		return text
	}
	if held := r.holding(); len(held) > 0 && len(undecided) == 0 {
		return prefix(text, "all that must pass has, but nothing passes while a metric that can only fail is beyond its tolerance, or cannot be judged: "+names(held))
	}
	if len(undecided) == 0 && r.Ramp != nil && r.Ramp.Hold != "" {
		return prefix(text, "no metric stands against it, but the ramp is not at its end: "+r.Ramp.Hold)
	}
	if len(undecided) == 0 {
		return prefix(text, "no metric stands against it, but it is too early to pass")
	}
	if held := slices.DeleteFunc(slices.Clone(r.Metrics), func(m Metric) bool { return !m.Hold || !m.Holds }); len(held) > 0 {
		slices.SortStableFunc(held, wholesFirst)
		text = prefix(text, held[0].Name+": holds the run, "+held[0].Reason)
		if len(held) > 1 {
			text += "; so does " + names(held[1:])
		}
		return text
	}
	// Late data are a fault of the setup, to be told before a lack of evidence.
	slices.SortStableFunc(undecided, func(a, b Metric) int { return cmp.Compare(rank(a), rank(b)) })
	first := undecided[0]
	if text != "" && first.Decision == analysis.Undecided.String() {
		return fmt.Sprintf("%s; %d of %d metrics had passed", text, passed, passed+len(undecided))
	}
	text = prefix(text, first.Name+": "+first.Reason)
	if len(undecided) > 1 {
		text += fmt.Sprintf("; nor could be decided: %s", names(undecided[1:]))
	}
	if passed > 0 {
		text += fmt.Sprintf("; %s passed", plural(passed, "metric"))
	}
	return text
}

// rank puts metrics whose data came late first.
func rank(m Metric) int {
	if m.Late != nil {
		return 0
	}
	return 1
}

func prefix(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// mostNames is how many metrics a sentence names.
const mostNames = 3

// names lists metrics by name.
func names(metrics []Metric) string {
	var all []string
	for _, m := range metrics {
		all = append(all, m.Name)
	}
	return listed(all)
}

// listed lists names in a sentence, mostNames of them.
func listed(names []string) string {
	var all []string
	for i, name := range names {
		if i == mostNames && len(names) > mostNames+1 {
			all = append(all, fmt.Sprintf("%d more", len(names)-i))
			break
		}
		all = append(all, name)
	}
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}
