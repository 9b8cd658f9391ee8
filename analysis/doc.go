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
//
// Inside: judge.go is a run, judgement.go a metric, sequential.go one direction of it: four
// FAIL tests (the whole run and three restarts) and a PASS test, each with a clock.
// evidence.go and evidence_value.go are what a test has seen, and whether it is beyond or
// within the tolerance at a level; quantile.go has histograms at a quantile, bracketed.go what
// is known only between two bucket bounds, pooling.go steps joined until both arms have
// events. A claim is first asked at an upper bound of the level and without dispersion, and
// only one that holds there is worth the clock and the noise model, which is why a thousand
// metrics are cheap; counts_test.go of stats checks by brute force that this never turns a
// true answer false.
package analysis
