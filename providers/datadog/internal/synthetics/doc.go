// Package synthetics counts the runs of synthetic tests. runs.go has the queries for them, and
// counts what runs by itself: trials, which are runs with their retries. results.go reads
// results from the v2 API, because only it tells retries, runs in CI and runs under way
// apart; they are read newest first until before the window, so that a page proves itself
// complete. failed.go has the failed runs behind the counts, with their pages.
//
// batch.go starts runs (providers.Starter), a CI batch for each arm and step, and
// batchresults.go reads how one ended; Fetch reads a batch until it is over or out of time,
// and never starts one. tagged.go finds the tests with a tag, whose ids replace it before
// anything else sees it: a recording names tests by ids.
package synthetics
