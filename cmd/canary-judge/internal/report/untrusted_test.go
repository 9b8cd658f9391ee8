package report

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// attacks are texts that mean something to a terminal, to GitHub's runner, or to
// Markdown.
var attacks = []string{
	"plain", "", " spaced  out ", "a|b", "**bold** _it_ ~~no~~", "`code` ``x``", "<script>alert(1)</script>",
	"<img src=x onerror=alert(1)>", "[link](http://evil.example)", "![pic](http://evil.example/x.png)",
	"http://evil.example/?q=1", "www.evil.example", "me@evil.example", "@everyone", "#1 GH-1", ":tada: :+1:",
	"::error::pwned", "  ::set-output name=x::y", "##[error]pwned", "a ##[group]b", "::stop-commands::x",
	"\x1b[2J\x1b]0;title\x07", "\u202eevil\u2066", "line\nbreak\r\n# title", "\x00\x7f", "$x$ $$y$$", "&lt;b&gt; &amp;",
	"\\| \\` \\[", "- list", "1. list", "> quote", "    code", "| a | b |", "--- ", "\u200b::x", "a\u00adb", "\xff\xfe",
}

// markdown renders as GitHub and GitLab do.
var markdown = goldmark.New(goldmark.WithExtensions(extension.GFM))

var (
	row  = regexp.MustCompile(`(?s)^<table>\n<thead>\n<tr>\n<th>x</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>(.*)</td>\n</tr>\n</tbody>\n</table>\n$`)
	para = regexp.MustCompile(`(?s)^<p><strong>x</strong> (.*)</p>\n$`)
)

// checkMarkdown fails unless the text stands for itself, in a table and in a
// sentence.
func checkMarkdown(t *testing.T, s string) {
	t.Helper()
	want := strings.Join(strings.Fields(strings.ToValidUTF8(Clean(s), "\ufffd")), " ")
	for shape, source := range map[*regexp.Regexp]string{
		row:  "| x |\n| --- |\n| " + escapeMarkdown(s) + " |\n",
		para: "**x** " + escapeMarkdown(s) + "\n",
	} {
		var b bytes.Buffer
		if err := markdown.Convert([]byte(source), &b); err != nil {
			t.Fatal(err)
		}
		m := shape.FindStringSubmatch(b.String())
		if m == nil {
			if want == "" {
				continue // an empty cell, or nothing after the title
			}
			t.Fatalf("%q breaks out of its place:\n%s", s, b.String())
		}
		got := strings.Join(strings.Fields(strings.ToValidUTF8(html.UnescapeString(m[1]), "\ufffd")), " ")
		if strings.ContainsAny(m[1], "<>") {
			t.Errorf("%q makes HTML: %s", s, m[1])
		}
		if got != want {
			t.Errorf("%q reads %q, want %q", s, got, want)
		}
	}
}

// checkClean fails if a cleaned text could do anything but be read.
func checkClean(t *testing.T, s string) {
	t.Helper()
	c := Clean(s)
	if strings.HasPrefix(strings.TrimSpace(c), "::") || strings.Contains(c, "##[") {
		t.Errorf("%q is a command to GitHub's runner: %q", s, c)
	}
	for _, r := range c {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			t.Errorf("%q keeps %U", s, r)
		}
	}
	if again := Clean(c); again != c && utf8.ValidString(s) {
		t.Errorf("cleaning %q twice makes %q of %q", s, again, c)
	}
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	for _, s := range attacks {
		checkMarkdown(t, s)
		checkClean(t, s)
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range attacks {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkMarkdown(t, s) })
}

func FuzzClean(f *testing.F) {
	for _, s := range attacks {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkClean(t, s) })
}

// Queries stand in a fenced block, which they must not end.
func TestQueriesCannotEndTheirBlock(t *testing.T) {
	t.Parallel()
	r := &Report{Verdict: "pass", Metrics: []Metric{{Name: "m", Queries: map[string]map[string]string{
		"value": {"canary": "x\n```\n</details><script>\n````\n~~~"},
	}}}}
	var b strings.Builder
	r.markdownQueries(&b)
	var out bytes.Buffer
	if err := markdown.Convert([]byte(b.String()), &out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "<script>") || strings.Count(out.String(), "<pre>") != 1 {
		t.Errorf("the query breaks out:\n%s", out.String())
	}
}

// A saved result keeps every number, whatever the texts around it.
func FuzzFlattenNumbers(f *testing.F) {
	f.Add(`{"a": [1, 2, null], "b": ["x", "[1"]}`)
	f.Add("[\n  1,\n  2\n]")
	f.Fuzz(func(t *testing.T, name string) {
		name = strings.ToValidUTF8(name, "") // JSON has no other text
		r := &Report{Schema: Schema, Verdict: "pass", Reason: name, Metrics: []Metric{{Name: name, Series: Series{Baseline: []Number{1, 2}, Canary: []Number{}}}}}
		var a, b bytes.Buffer
		if err := r.JSON(&a); err != nil {
			t.Fatal(err)
		}
		again, err := Read(bytes.NewReader(a.Bytes()))
		if err != nil {
			t.Fatalf("%v:\n%s", err, a.String())
		}
		if err := again.JSON(&b); err != nil || a.String() != b.String() {
			t.Errorf("%v: it reads differently:\n%s\n%s", err, a.String(), b.String())
		}
	})
}
