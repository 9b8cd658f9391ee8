package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// failing is a report of a metric that failed, with runs of both arms.
func failing(runs int, address string) *Report {
	r := big(1, 4)
	r.Metrics[0].Name, r.Metrics[0].Decision = "journey", "fail"
	r.Generated = &Generated{Command: "run"}
	for i := range runs {
		at := time.Date(2026, 11, 23, 10, i, 0, 0, time.UTC)
		r.Generated.FailedRuns = append(r.Generated.FailedRuns,
			FailedRun{"journey", "baseline", at, fmt.Sprintf("baseline run %d", i), address},
			FailedRun{"journey", "canary", at, fmt.Sprintf("run %d", i), address})
	}
	return r
}

// The latest failed runs of the canary are told where its metric did not pass, each with a link;
// the page shows those of both arms, and of very many the latest.
func TestFailedRunsAreTold(t *testing.T) {
	t.Parallel()
	const address = "https://app.example/synthetics/details/abc-def-ghi?resultId=1&from_ci=true"
	var text, markdown, page bytes.Buffer
	r := failing(30, address)
	if err := r.Text(&text, false, 0); err != nil {
		t.Fatal(err)
	}
	want := `
Failed runs, the latest first:
  journey, canary, 10:29:00: run 29: ` + address + `
  journey, canary, 10:28:00: run 28: ` + address + `
  journey, canary, 10:27:00: run 27: ` + address + `
  journey, canary, 10:26:00: run 26: ` + address + `
  journey, canary, 10:25:00: run 25: ` + address + `
  journey: and 25 more, in the JSON result
`
	if !strings.Contains(text.String(), want) {
		t.Errorf("%s", text.String())
	}
	if err := r.Markdown(&markdown); err != nil {
		t.Fatal(err)
	}
	if want := "- journey, canary, 10:29:00: run 29 ([open](<" + address + ">))\n"; !strings.Contains(markdown.String(), want) {
		t.Errorf("%s", markdown.String())
	}
	if err := r.HTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`rel="noreferrer">baseline, 10:29:00: baseline run 29</a>`, `rel="noreferrer">canary, 10:05:00: run 5</a>`, "<p>and 10 more, in the JSON result.</p>"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(page.String(), "run 4</a>") {
		t.Error("the page shows more than it should")
	}
	r.Metrics[0].Decision = "pass"
	text.Reset()
	if err := r.Text(&text, false, 0); err != nil || strings.Contains(text.String(), "Failed runs") {
		t.Errorf("%v: of a metric that passed: %s", err, text.String())
	}
}

// The config's links are in every format that people read.
func TestPagesAreLinked(t *testing.T) {
	t.Parallel()
	r := big(1, 4)
	r.Pages = []Page{{"Dashboard", "https://app.example/d/a?from=1&to=2"}, {"Nonsense", "javascript:alert(1)"}}
	r.Generated = &Generated{Notebooks: []Page{{"Notebook", "https://app.example/notebook/7"}}}
	for format, tt := range map[string]struct {
		write func(*bytes.Buffer) error
		want  string
	}{
		"text":     {func(b *bytes.Buffer) error { return r.Text(b, false, 0) }, "\nLook at:\n  Dashboard: https://app.example/d/a?from=1&to=2\n  Nonsense\n  Notebook: https://app.example/notebook/7\n"},
		"markdown": {func(b *bytes.Buffer) error { return r.Markdown(b) }, "**Look at:**\n\n- Dashboard ([open](<https://app.example/d/a?from=1&to=2>))\n- Nonsense\n- Notebook ([open](<https://app.example/notebook/7>))\n"},
		"html":     {func(b *bytes.Buffer) error { return r.HTML(b) }, `<li><a href="https://app.example/d/a?from=1&amp;to=2" rel="noreferrer">Dashboard</a></li><li>Nonsense</li>`},
	} {
		var b bytes.Buffer
		if err := tt.write(&b); err != nil || !strings.Contains(b.String(), tt.want) {
			t.Errorf("%s: %v, want %q in %s", format, err, tt.want, b.String())
		}
	}
}

// checkLink fails unless an address becomes one link with nothing beside it.
func checkLink(t *testing.T, address string) {
	t.Helper()
	if webPage(address) == "" {
		return
	}
	var b bytes.Buffer
	if err := markdown.Convert([]byte("- run"+markdownLink(address)+"\n"), &b); err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(b.String(), `<a href="`)
	href, after, _ := strings.Cut(rest, `"`)
	if before != "<ul>\n<li>run (" || after != ">open</a>)</li>\n</ul>\n" || !strings.HasPrefix(strings.ToLower(href), "http") || strings.ContainsAny(href, "<> ") {
		t.Errorf("%q becomes %s", address, b.String())
	}
}

func FuzzMarkdownLink(f *testing.F) {
	for _, s := range append(attacks, "a)b", "a>b", "a\"b", "?q=[x](y)") {
		f.Add("https://x/" + s)
	}
	f.Fuzz(checkLink)
}

// A saved result may say anything: what is no address of the web is no link.
func TestFailedRunsGoToTheWeb(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"javascript:alert(1)", "data:text/html,x", "//a/b", "", "http://%zz"} {
		for format, write := range map[string]func(*Report, *bytes.Buffer) error{
			"markdown": func(r *Report, b *bytes.Buffer) error { return r.Markdown(b) },
			"html":     func(r *Report, b *bytes.Buffer) error { return r.HTML(b) },
			"text":     func(r *Report, b *bytes.Buffer) error { return r.Text(b, false, 0) },
		} {
			var b bytes.Buffer
			if err := write(failing(1, address), &b); err != nil || address != "" && strings.Contains(b.String(), address) || !strings.Contains(b.String(), "run 0") {
				t.Errorf("%s, %q: %v, %s", format, address, err, b.String())
			}
		}
	}
}
