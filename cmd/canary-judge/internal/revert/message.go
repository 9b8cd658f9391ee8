package revert

import (
	"fmt"
	"slices"
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

// message is the message of the commit that reverts another.
func (e Evidence) message(c Commit) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Revert \"%s\"\n\nThis reverts commit %s.\n\n", c.Subject, c.SHA)
	by := "canary-judge judged its canary"
	if e.Service != "" {
		by = "canary-judge judged the canary of " + e.Service
	}
	fmt.Fprintf(&b, "%s\n\n", wrap(by+": "+e.Reason, 72))
	fmt.Fprintf(&b, "%s: %s\n", trailerVerdict, e.Verdict)
	for _, name := range e.Failed {
		fmt.Fprintf(&b, "%s: %s\n", trailerFailed, name)
	}
	fmt.Fprintf(&b, "%s: %s\n", trailerReverts, c.SHA)
	return b.String()
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

// trailers returns the values of a trailer in a commit message's last paragraph.
func trailers(message, name string) []string {
	paragraphs := strings.Split(strings.TrimSpace(strings.ReplaceAll(message, "\r\n", "\n")), "\n\n")
	var values []string
	for _, line := range strings.Split(paragraphs[len(paragraphs)-1], "\n") {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

// reverts returns the commits that a message says it reverts: by our trailer, or
// in git's own words.
func reverts(message string) []string {
	all := trailers(message, trailerReverts)
	for _, line := range strings.Split(message, "\n") {
		sha, ok := strings.CutPrefix(strings.TrimSpace(line), "This reverts commit ")
		if !ok {
			continue
		}
		// A merge is "<sha>, reversing changes made to <parent>."
		sha, _, _ = strings.Cut(strings.TrimSuffix(strings.TrimSpace(sha), "."), ",")
		if !slices.Contains(all, sha) {
			all = append(all, sha)
		}
	}
	return all
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
	fmt.Fprintf(&b, ", on the verdict of canary-judge:\n\n%s", e.Report)
	runes := []rune(b.String())
	if len(runes) > mostBody {
		return string(runes[:mostBody]) + "\n\n… the rest does not fit; see the job's result file.\n"
	}
	return string(runes)
}
