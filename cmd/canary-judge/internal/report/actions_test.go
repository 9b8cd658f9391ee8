package report

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// A mark that was made, would be, or could not be, is told in every format that people
// read, and breaks out of none. JUnit has cases, and what follows the verdict is none.
func TestMarksAreTold(t *testing.T) {
	t.Parallel()
	const deployment = "datadog: service <b>shop</b>, env prod, version v2"
	for _, tt := range []struct {
		name   string
		action Action
		want   string // title, and the line under it
		never  string
	}{
		{"made", Action{Kind: MarkAction, Deployment: deployment}, "Done:|mark as failed in " + deployment, "Failed to do"},
		{"dry run", Action{Kind: MarkAction, Deployment: deployment, DryRun: true}, "Not done, in a dry run:|mark as failed in " + deployment, "Done:"},
		{"not made", Action{Kind: MarkAction, Deployment: deployment, Error: "datadog: <b>403</b> Forbidden"}, "Failed to do:|datadog: <b>403</b> Forbidden", "mark as failed"},
		{"dry run that would fail", Action{Kind: MarkAction, DryRun: true, Error: "no <b>env</b>"}, "Not done, in a dry run:|it would fail: no <b>env</b>", "mark as failed"},
	} {
		r := &Report{
			Verdict: "fail", Reason: "FAIL after 6 of 30 min: errors", Window: Window{Looks: 12, Steps: 60, Step: 30},
			Generated: &Generated{Command: "run", Actions: []Action{tt.action}},
		}
		escaped := strings.NewReplacer("<", "&lt;", ">", "&gt;")
		for format, c := range map[string]struct {
			write  func(io.Writer) error
			escape func(string) string
		}{
			"text":     {func(w io.Writer) error { return r.Text(w, false, 0) }, Clean},
			"markdown": {r.Markdown, escapeMarkdown},
			"html":     {r.HTML, escaped.Replace},
			"summary":  {func(w io.Writer) error { _, err := io.WriteString(w, r.MarkdownWithin(1<<20)); return err }, escapeMarkdown},
		} {
			var b bytes.Buffer
			err := c.write(&b)
			title, line, _ := strings.Cut(tt.want, "|")
			for _, want := range []string{strings.TrimSuffix(title, ":"), c.escape(line)} {
				if err != nil || !strings.Contains(b.String(), want) {
					t.Errorf("%s, %s (%v) lacks %q:\n%.3000s", tt.name, format, err, want, b.String())
				}
			}
			if strings.Contains(b.String(), tt.never) || format != "text" && strings.Contains(b.String(), "<b>") {
				t.Errorf("%s, %s says %q, or breaks out:\n%.3000s", tt.name, format, tt.never, b.String())
			}
		}
		var b bytes.Buffer
		if err := r.JUnit(&b); err != nil || strings.Contains(b.String(), "mark as failed") || strings.Count(b.String(), "<testcase") != 1 {
			t.Errorf("%s, JUnit (%v):\n%s", tt.name, err, b.String())
		}
	}
}
