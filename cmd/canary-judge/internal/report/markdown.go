package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/analysis"
)

// marks stand before verdicts in Markdown.
var marks = map[string]string{
	analysis.VerdictPass.String(): "✅", analysis.VerdictFail.String(): "❌", analysis.VerdictInconclusive.String(): "⚪",
}

// detail is how much Markdown tells.
type detail struct {
	queries, charts bool
	lines           int // of the table, and of each section; the most important ones
}

// fewLines is below how many lines of a table only what decides is told.
const fewLines = 8

// Markdown writes the report for a job summary, a comment or a wiki.
func (r *Report) Markdown(w io.Writer) error {
	_, err := io.WriteString(w, r.markdown(detail{queries: true, charts: true, lines: math.MaxInt}))
	return err
}

// MarkdownWithin returns the report in at most so many bytes. What matters least is left
// out first: the queries, the charts, then metrics that passed, and what it leaves out
// is said. Only a single line that is too long is cut.
func (r *Report) MarkdownWithin(most int) string {
	d := detail{queries: true, charts: true, lines: math.MaxInt}
	text := r.markdown(d)
	for len(text) > most {
		switch {
		case d.queries:
			d.queries = false
		case d.charts:
			d.charts = false
		case d.lines > len(r.Metrics):
			d.lines = len(r.Metrics) / 2
		case d.lines > 0:
			d.lines /= 2
		default:
			return strings.ToValidUTF8(text[:max(0, most)], "")
		}
		text = r.markdown(d)
	}
	return text
}

func (r *Report) markdown(d detail) string {
	var b strings.Builder
	title := strings.ToUpper(r.Verdict)
	if r.Service != "" {
		title += ": " + escapeMarkdown(r.Service)
	}
	fmt.Fprintf(&b, "### %s %s\n\n%s\n\n", marks[r.Verdict], title, escapeMarkdown(r.Headline()))
	if lines := r.glance(); len(lines) > 0 && d.lines >= fewLines {
		fmt.Fprintf(&b, "%s\n\n", escapeMarkdown(strings.Join(lines, " ")))
	}
	if r.Window.Looks > 0 {
		row := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
		row(columns)
		row(slices.Repeat([]string{"---"}, len(columns)))
		metrics := r.sorted()
		whole := len(metrics)
		if len(metrics) > d.lines {
			metrics = metrics[:d.lines]
		}
		for _, m := range metrics {
			cells := m.cells()
			for i, c := range cells {
				cells[i] = escapeMarkdown(c)
			}
			last := len(cells) - 1
			cells[last] = m.mark() + " " + cells[last]
			if !m.Is(analysis.Pass) {
				cells[last] = "**" + cells[last] + "**"
			}
			row(cells)
		}
		b.WriteByte('\n')
		if left := whole - len(metrics); left > 0 {
			fmt.Fprintf(&b, "and %s; the result file has all.\n\n", plural(left, "more metric"))
		}
		if d.charts {
			r.markdownCharts(&b)
		}
	}
	for _, s := range r.remarks() {
		if s.title == nextTitle && d.lines < fewLines {
			continue
		}
		fmt.Fprintf(&b, "**%s**\n\n", s.title)
		lines := s.lines[:min(len(s.lines), d.lines)]
		for i, line := range lines {
			fmt.Fprintf(&b, "- %s%s\n", escapeMarkdown(line), markdownLink(s.page(i)))
		}
		if left := len(s.lines) - len(lines); left > 0 {
			fmt.Fprintf(&b, "- and %d more\n", left)
		}
		b.WriteByte('\n')
	}
	switch {
	case d.queries:
		r.markdownQueries(&b)
	default:
		b.WriteString("The queries are in the result file.\n")
	}
	return b.String()
}

// markdownQueries writes the queries, folded away.
func (r *Report) markdownQueries(b *strings.Builder) {
	var lines []string
	for _, m := range r.Metrics {
		for _, q := range m.queryList() {
			lines = append(lines, fmt.Sprintf("%s, %s of the %s:\n  %s", m.Name, q.Part, q.Arm, q.Text))
		}
	}
	if len(lines) == 0 {
		return
	}
	text := cleanLines(strings.Join(lines, "\n"))
	fence := strings.Repeat("`", max(3, longestRun(text, '`')+1))
	fmt.Fprintf(b, "<details><summary>Queries</summary>\n\n%s\n%s\n%s\n\n</details>\n", fence, text, fence)
}

// query is one query as it was sent.
type query struct{ Part, Arm, Text string }

// queryList lists a metric's queries in a stable order.
func (m Metric) queryList() []query {
	var all []query
	for _, part := range slices.Sorted(maps.Keys(m.Queries)) {
		for _, arm := range slices.Sorted(maps.Keys(m.Queries[part])) {
			all = append(all, query{part, arm, m.Queries[part][arm]})
		}
	}
	return all
}

// cleanLines is Clean for a text of several lines.
func cleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Clean(line)
	}
	return strings.Join(lines, "\n")
}

// longestRun returns the length of the longest run of a character.
func longestRun(s string, of rune) int {
	longest, run := 0, 0
	for _, r := range s {
		if r != of {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// markdownEscapes are what means something in Markdown as GitHub and GitLab
// render it, references and mentions among it.
var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, `#`, `\#`, `|`, `\|`, `~`, `\~`,
	`!`, `\!`, `://`, `&#58;//`, `www.`, `www&#46;`, `@`, `&#64;`, `$`, `&#36;`, `&`, `&amp;`, `<`, `&lt;`, `>`, `&gt;`,
)

// shortcode is what GitHub and GitLab turn into a picture, such as :tada:.
var shortcode = regexp.MustCompile(`:([A-Za-z+-][\w+-]*):`)

// escapeMarkdown makes text from outside stand for itself, in one line.
func escapeMarkdown(s string) string {
	s = markdownEscapes.Replace(Clean(s))
	return shortcode.ReplaceAllString(s, "&#58;$1&#58;")
}
