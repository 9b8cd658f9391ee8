package main

import (
	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
)

// Exit codes. They are public: CI pipelines branch on them.
const (
	exitPass         = 0
	exitFail         = 1
	exitUsage        = 2 // usage or config error; nothing was fetched
	exitInconclusive = 3
	exitNotJudged    = 4 // the provider broke off, an action failed, or something could not be written
)

// ending is all that the exit code of a run depends on.
type ending struct {
	// ended is why the run ended, and verdict what it came to.
	ended   job.End
	verdict analysis.Verdict
	// inconclusive is the code of an inconclusive verdict: exitInconclusive, unless
	// --on-inconclusive says otherwise.
	inconclusive int
	// broken is whether the provider broke off, or the recording could not be kept.
	broken bool
	// acted is whether something was done at the verdict, and failed whether any of that
	// failed.
	acted, failed bool
	// observed is whether the run only observes, and holds nothing up.
	observed bool
	// signal is the exit code of the signal that came; 0 for none.
	signal int
	// unwritten is whether a result could not be written where it was asked for.
	unwritten bool
}

// code returns the exit code of a run. A result that could not be written takes a pass
// back, which nobody may go on with then, and leaves every other code.
func (e ending) code() int {
	code := e.judged()
	if e.unwritten && code == exitPass {
		return exitNotJudged
	}
	return code
}

// judged is the exit code but for what could not be written.
func (e ending) judged() int {
	switch {
	case e.broken || e.ended == job.AtError:
		return exitNotJudged
	case e.signal != 0 && (e.acted || e.ended == job.AtInterrupt):
		return e.signal
	case e.failed || e.ended == job.AtInterrupt:
		return exitNotJudged
	}
	switch {
	case e.observed, e.verdict == analysis.VerdictPass:
		return exitPass
	case e.verdict == analysis.VerdictFail:
		return exitFail
	}
	return e.inconclusive
}
