package revert

import (
	"fmt"
	"strings"
)

// Trailers of the commits that revert, for tools to read.
const (
	trailerVerdict = "Canary-Judge-Verdict"
	trailerFailed  = "Canary-Judge-Failed"
	// trailerReverts names the commit that is reverted. It is how the tool knows its
	// own reverts.
	trailerReverts = "Canary-Judge-Reverts"
)

// Evidence is why a change is reverted. Its texts are lines without control
// characters.
type Evidence struct {
	Service string   // "" = not said
	Verdict string   // as in the result
	Reason  string   // the verdict in one sentence
	Failed  []string // metrics and guards
	Report  string   // Markdown, for a pull request
}

// message is the message of the commit that reverts another: what git revert would
// write, as of git 2.minor, then why, and trailers.
func (e Evidence) message(s step, minor int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nThis reverts commit %s", subject(s.commit.Subject, minor), s.commit.SHA)
	if len(s.commit.parents) > 1 {
		fmt.Fprintf(&b, ", reversing\nchanges made to %s", s.parent)
	}
	b.WriteString(".\n\n")
	by := "canary-judge judged its canary"
	if e.Service != "" {
		by = "canary-judge judged the canary of " + e.Service
	}
	// Names in the reason come from outside, and are no trailers.
	reason := strings.ReplaceAll(by+": "+e.Reason, trailerReverts+":", trailerReverts)
	fmt.Fprintf(&b, "%s\n\n", wrap(reason, 72))
	fmt.Fprintf(&b, "%s: %s\n", trailerVerdict, e.Verdict)
	for _, name := range e.Failed {
		fmt.Fprintf(&b, "%s: %s\n", trailerFailed, name)
	}
	fmt.Fprintf(&b, "%s: %s\n", trailerReverts, s.commit.SHA)
	return b.String()
}

// reapplies is the first git that says "Reapply" of a revert that is reverted:
// https://github.com/git/git/blob/master/Documentation/RelNotes/2.43.0.txt
const reapplies = 43

// subject is the first line of the message of a revert, as git 2.minor writes it. A
// revert of a revert of a revert keeps its quotes.
func subject(of string, minor int) string {
	if rest, ok := strings.CutPrefix(of, `Revert "`); ok && minor >= reapplies && !strings.HasPrefix(rest, `Revert "`) {
		return `Reapply "` + rest
	}
	return fmt.Sprintf(`Revert "%s"`, of)
}

// wrap breaks a text into lines.
func wrap(text string, width int) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}

// title is the title of the pull request that reverts commits, the newest first.
// Datadog links a pull request of this title to the deployment it reverts:
// https://docs.datadoghq.com/dora_metrics/change_failure_detection/
func title(commits []Commit) string {
	subject := commits[0].Subject
	if n := len(commits) - 1; n > 0 {
		return fmt.Sprintf("Revert \"%s\" and %d more", subject, n)
	}
	return fmt.Sprintf("Revert \"%s\"", subject)
}

// mostBody is what GitHub takes for the body of a pull request, in characters.
const mostBody = 65536 - 1024

// body is the body of the pull request: which commits are reverted, and why.
func (e Evidence) body(commits []Commit) string {
	var b strings.Builder
	b.WriteString("Reverts")
	for _, c := range commits {
		fmt.Fprintf(&b, " %s", c.SHA)
	}
	b.WriteString(", on the verdict of canary-judge.\n\n")
	// Where a squash takes this text for its message, it tells of the revert, too.
	for _, c := range commits {
		fmt.Fprintf(&b, "%s: %s\n", trailerReverts, c.SHA)
	}
	fmt.Fprintf(&b, "\n%s", e.Report)
	runes := []rune(b.String())
	if len(runes) > mostBody {
		return string(runes[:mostBody]) + "\n\n… the rest does not fit; see the job's result file.\n"
	}
	return string(runes)
}
