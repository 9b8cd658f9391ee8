// Package analysis judges a canary: it takes baseline and canary, step by step,
// and decides at every look whether each metric is shown to be within its
// tolerance, shown to be beyond it, or neither yet.
//
// Start with a Plan: how many steps, which error rates, which metrics. NewJudge makes a
// Judge of it. Give Judge.Step what was measured in each step, as samples made by
// ValueSample, CountSample or BucketSample, until its verdict is no longer Inconclusive or
// the steps are over. Judge.Result then says what was decided of each metric, and why not.
// The example of Judge is such a run in 30 lines; those of Result and of GuardState go
// on from there.
//
// The words: the two arms are the baseline and the canary (control and
// experiment in the papers). A step is the distance between two points in time; a
// look is one evaluation of all metrics after a step; the effect is the size of
// the change from baseline to canary, with a confidence interval; the tolerance
// is the change that is accepted. Each metric gets a decision, the run a
// verdict.
//
// The chance that a canary within all tolerances fails is stated before the run
// and kept over all looks and all metrics: every metric has a share of the
// false-alarm rate, spent look by look by a clock (package stats). A canary
// beyond a tolerance passes with at most the stated wrong-pass rate. Whatever
// cannot be shown is left undecided; missing data is never read as zero and
// never passes.
//
// The package is pure: it knows no time of day, network, file, log, environment
// or randomness. The same plan and the same samples give the same result. The method is
// written down in docs/statistics, which says what is promised and what is not.
package analysis
