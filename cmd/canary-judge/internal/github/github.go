// Package github tells GitHub Actions what a run came to: outputs, the job
// summary, and an annotation for each failed metric.
package github

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/sethvargo/go-githubactions"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/internal/files"
)

// Enabled reports whether the process runs as a step of a GitHub Actions job.
func Enabled(env map[string]string) bool { return env["GITHUB_ACTIONS"] == "true" }

// Facts are what the outputs hold beside the report.
type Facts struct {
	ExitCode int
	Result   string // path of the result file, "" for none
	Report   string // path of the first other report file, "" for none
}

// Limits of GitHub: a larger summary is dropped whole
// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits),
// further annotations of a step vanish.
const (
	mostSummary     = 1<<20 - 1<<10
	mostAnnotations = 10
	mostAnnotation  = 4 << 10
)

// Write sets the outputs, writes the summary, and annotates, each also when another one
// cannot be written. Commands go to w.
func Write(env map[string]string, w io.Writer, r *report.Report, f Facts) error {
	var errs []error
	if path := env["GITHUB_OUTPUT"]; path != "" {
		if err := files.Append(path, outputs(r, f)); err != nil {
			errs = append(errs, fmt.Errorf("tell GitHub Actions: set the outputs: %w", err))
		}
	}
	if path := env["GITHUB_STEP_SUMMARY"]; path != "" {
		if err := files.Append(path, r.MarkdownWithin(mostSummary)+"\n"); err != nil {
			errs = append(errs, fmt.Errorf("tell GitHub Actions: write the job summary: %w", err))
		}
	}
	return errors.Join(append(errs, annotate(w, r))...)
}

// outputs returns the outputs as the runner reads them: name<<delimiter, lines,
// delimiter. The delimiter is drawn at random, so that no value holds it.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings
func outputs(r *report.Report, f Facts) string {
	delimiter := "canary-judge-" + rand.Text()
	reverted, pull := "", ""
	if r.Generated != nil {
		for _, a := range r.Generated.Actions {
			if len(a.Reverts) > 0 {
				reverted = a.Reverts[0]
			}
			pull = cmp.Or(a.PullRequest, pull)
		}
	}
	var text strings.Builder
	for _, o := range []struct{ name, value string }{
		{"verdict", r.Verdict},
		{"reason", r.Reason},
		{"exit-code", strconv.Itoa(f.ExitCode)},
		{"failed-metrics", report.List(r.Failed())},
		{"failed-guards", report.List(r.FailedGuards())},
		{"result", f.Result},
		{"report", f.Report},
		{"reverted", strconv.FormatBool(r.Generated.Reverted())},
		{"revert-commit", reverted},
		{"pull-request", pull},
	} {
		fmt.Fprintf(&text, "%s<<%s\n%s\n%s\n", o.name, delimiter, o.value, delimiter)
	}
	return text.String()
}

// annotate writes an error for each failed metric and action, as far as GitHub
// shows them, and a warning for a run without a verdict, or with one that is
// doubted.
func annotate(w io.Writer, r *report.Report) (err error) {
	// The library panics where it cannot write.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("tell GitHub Actions: annotate: %v", p)
		}
	}()
	action := githubactions.New(githubactions.WithWriter(w))
	observed := r.Generated != nil && r.Generated.Observe
	with := func(title string) *githubactions.Action {
		return action.WithFieldsMap(map[string]string{"title": title})
	}
	shorten := func(text string) string {
		if len(text) > mostAnnotation {
			text = strings.ToValidUTF8(text[:mostAnnotation], "") + "…"
		}
		return text
	}
	switch {
	case r.Is(analysis.VerdictInconclusive):
		with("canary: inconclusive").Warningf("%s", shorten(r.Headline()))
	case len(r.Doubts) > 0:
		with("canary: doubtful").Warningf("%s", shorten(strings.Join(r.Doubts, "; ")))
	}
	type annotation struct{ title, text string }
	var all []annotation
	for _, g := range r.Guards {
		if g.Alerts() {
			all = append(all, annotation{g.Name, g.Told()})
		}
	}
	for _, m := range r.Metrics {
		if m.Is(analysis.Fail) && !m.Advisory {
			all = append(all, annotation{m.Name, m.Name + ": " + m.Reason})
		}
	}
	// The last place is for what could not be done: it needs somebody.
	if most := mostAnnotations - 1; len(all) > most {
		all = all[:most]
	}
	if r.Generated != nil {
		for _, a := range r.Generated.Actions {
			if a.Error != "" && !a.DryRun {
				all = append(all, annotation{a.Kind, a.Error})
			}
		}
	}
	for _, one := range all[:min(len(all), mostAnnotations)] {
		say := with("canary: " + one.title).Errorf
		if observed { // nothing is wrong with the job
			say = with("canary: " + one.title).Warningf
		}
		say("%s", shorten(one.text))
	}
	return nil
}
