// Package stats turns numbers into test statistics for sequential comparisons
// of two arms. It knows nothing of canaries, clocks on the wall, files or
// networks: every function is a pure function of its arguments.
//
// The parts, from the bottom up:
//
//   - the distributions with accurate tails that everything else rests on
//     (BetaCDF, BetaQuantile, Mixture, NormalTail);
//   - Clock, the alpha-spending boundary that says how much of a whole run's
//     error a single look may use, and Clocks, which shares the work between
//     tests that see the same information;
//   - Paired, a winsorised series of paired differences, and Mixture, the
//     AR(1) t-mixture for its mean;
//   - Counts, events among totals of two arms, with the dispersion that deflates
//     them and the exact limits on their ratio or difference;
//   - Histogram, buckets reduced to a count above a bound or to a quantile;
//   - Describe, a plain description of a sample.
//
// The clock is one recursion a look on a grid that is fine at the boundary and even below
// it (grid.go), where the convolution is a table: 5e-8 of brute force, some 8 µs a look.
// Tests that see the same information share one clock, and a level is worked out only when
// someone asks for it (clocks.go). Five running sums give the likelihood of the mixture at
// every phi (autoregression.go).
//
// All levels are one-sided. "Worse" is always "larger": callers orient their
// numbers. NaN inputs are the caller's to remove.
package stats
