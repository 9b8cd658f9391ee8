package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
)

// Override is what somebody decided against a verdict.
type Override struct {
	Verdict string    `json:"verdict" doc:"The verdict that was overridden"`
	Reason  string    `json:"reason" doc:"Its sentence"`
	By      string    `json:"by" doc:"Who decided otherwise"`
	Because string    `json:"because" doc:"Why, in their words"`
	At      time.Time `json:"at" doc:"When"`
}

// longestBecause bounds why, which is in every format.
const longestBecause = 1000

// Overridden returns the report with a verdict that somebody takes the responsibility for; all that was
// found stays. It is an error unless the verdict is pass or fail and another one, and it is said who and why.
func (r *Report) Overridden(verdict analysis.Verdict, by, because string, at time.Time) (*Report, error) {
	because = strings.TrimSpace(because)
	switch {
	case verdict != analysis.VerdictPass && verdict != analysis.VerdictFail:
		return nil, errors.New("a verdict is overridden by pass or fail")
	case r.Is(verdict):
		return nil, fmt.Errorf("the verdict is %s already", verdict)
	case strings.TrimSpace(by) == "":
		return nil, errors.New("who overrides it is not said")
	case because == "":
		return nil, errors.New("why it is overridden is not said")
	case utf8.RuneCountInString(because) > longestBecause || utf8.RuneCountInString(by) > longestBecause:
		return nil, fmt.Errorf("who and why have at most %d characters each", longestBecause)
	}
	o := *r
	by = strings.TrimSpace(by)
	o.Overrides = append(slices.Clone(r.Overrides), Override{Verdict: r.Verdict, Reason: r.Reason, By: by, Because: because, At: at.UTC().Truncate(time.Second)})
	o.Verdict = verdict.String()
	o.Reason = fmt.Sprintf("%s by override of %s: %s; was %s", strings.ToUpper(o.Verdict), by, because, r.Reason)
	return &o, nil
}

// overridden says who decided what, the latest first; nothing of a report that nobody overrode.
func (r *Report) overridden() []section {
	var lines []string
	verdict := r.Verdict
	for _, o := range slices.Backward(r.Overrides) {
		lines = append(lines, fmt.Sprintf("%s, %s: %s instead of %s, because %s", o.At.Format(time.RFC3339), o.By, verdict, o.Verdict, o.Because))
		verdict = o.Verdict
	}
	if lines == nil {
		return nil
	}
	return []section{{title: overrideTitle, lines: lines}}
}

// overrideTitle heads who decided against the verdict.
const overrideTitle = "Overridden:"

// OverriddenBy is who decided against the verdict of the run, the latest; "" for nobody.
func (r *Report) OverriddenBy() string {
	if len(r.Overrides) == 0 {
		return ""
	}
	return r.Overrides[len(r.Overrides)-1].By
}

// untoldTitle heads what could not be told.
const untoldTitle = "Not told:"

// observing stands before the sentence of a run that only observes.
const observing = "observe only, nothing was done and nothing is held up by it"

// Headline is the verdict in one sentence, and before it what keeps it from meaning what it says.
func (r *Report) Headline() string {
	if r.Generated != nil && r.Generated.Observe && r.OverriddenBy() == "" {
		return observing + ": " + r.Reason
	}
	if r.open() {
		return openWord + strings.TrimPrefix(r.Reason, strings.ToUpper(r.Verdict))
	}
	return r.Reason
}

// openWord stands where a verdict will.
const openWord = "NO VERDICT YET"

// open reports whether a run may still come to another verdict than that of its last look.
func (r *Report) open() bool {
	return r.Window.Ended == string(job.GoesOn) && r.Is(analysis.VerdictInconclusive)
}
