package main

import (
	"fmt"
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
)

// Every combination of what an exit code depends on, against the public table: 0 pass,
// 1 fail, 3 inconclusive, 4 could not judge or an action failed, 130 and 143 for signals.
// Of the rules, which are written from that table, the first that fits counts.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	is := func(code int) func(ending) int { return func(ending) int { return code } }
	signalled := func(e ending) int { return e.signal }
	rules := []struct {
		when string
		fits func(ending) bool
		code func(ending) int
	}{
		{"the provider broke off", func(e ending) bool { return e.ended == job.AtError }, is(4)},
		{"the recording is not whole", func(e ending) bool { return e.broken }, is(4)},
		{"a signal ended the run", func(e ending) bool { return e.ended == job.AtInterrupt && e.signal != 0 }, signalled},
		{"the replay of a run that a signal ended", func(e ending) bool { return e.ended == job.AtInterrupt }, is(4)},
		{"a signal ended an action", func(e ending) bool { return e.signal != 0 && e.acted }, signalled},
		{"an action failed", func(e ending) bool { return e.failed }, is(4)},
		{"a pass that nobody can read", func(e ending) bool { return e.verdict == analysis.VerdictPass && e.unwritten }, is(4)},
		{"a pass", func(e ending) bool { return e.verdict == analysis.VerdictPass }, is(0)},
		{"a fail", func(e ending) bool { return e.verdict == analysis.VerdictFail }, is(1)},
		{"what was to count as a pass, that nobody can read", func(e ending) bool { return e.inconclusive == 0 && e.unwritten }, is(4)},
		{"inconclusive", func(ending) bool { return true }, func(e ending) int { return e.inconclusive }},
	}
	used, n := make([]bool, len(rules)), 0
	for e := range endings() {
		n++
		for i, r := range rules {
			if !r.fits(e) {
				continue
			}
			used[i] = true
			if got, want := e.code(), r.code(e); got != want {
				t.Errorf("%s: exit %d, want %d: %+v", r.when, got, want, e)
			}
			break
		}
		if e.code() == exitPass && (e.broken || e.failed || e.unwritten || e.verdict == analysis.VerdictFail) {
			t.Errorf("exit 0 for %+v", e)
		}
	}
	for i, r := range rules {
		if !used[i] {
			t.Errorf("no combination is %s", r.when)
		}
	}
	if want := 5 * 3 * 3 * 2 * 3 * 3 * 2; n != want {
		t.Errorf("%d combinations, want %d", n, want)
	}
}

// endings yields every combination. That something failed without having been done is
// none.
func endings() func(yield func(ending) bool) {
	booleans := []bool{false, true}
	var all []ending
	for _, ended := range []job.End{job.AtVerdict, job.AtWindowEnd, job.AtInterrupt, job.AtError, job.AtTheFilesEnd} {
		for _, verdict := range []analysis.Verdict{analysis.VerdictPass, analysis.VerdictFail, analysis.VerdictInconclusive} {
			for _, inconclusive := range []int{exitInconclusive, exitPass, exitFail} {
				all = append(all, ending{ended: ended, verdict: verdict, inconclusive: inconclusive})
			}
		}
	}
	return func(yield func(ending) bool) {
		for _, e := range all {
			for _, e.broken = range booleans {
				for _, done := range []struct{ acted, failed bool }{{}, {true, false}, {true, true}} {
					e.acted, e.failed = done.acted, done.failed
					for _, e.signal = range []int{0, 130, 143} {
						for _, e.unwritten = range booleans {
							if !yield(e) {
								return
							}
						}
					}
				}
			}
		}
	}
}

// The codes are what pipelines know.
func TestExitCodesArePublic(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(exitPass, exitFail, exitUsage, exitInconclusive, exitNotJudged); got != "0 1 2 3 4" {
		t.Errorf("%s", got)
	}
}
