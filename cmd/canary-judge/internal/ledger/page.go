package ledger

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("ledger").Parse(pageText))

// page is what the template shows. All texts in it are clean.
type page struct {
	Policy string
	Style  template.HTML
	Parts  []part
}

// bar is a week in the picture: how many of its runs came to what, in parts of the fullest week, in per cent.
type bar struct {
	Monday, Text                          string
	Pass, Fail, Inconclusive, NotJudged   float64
	FailFrom, InconclusiveFrom, OtherFrom float64
}

// HTML writes a summary as one page that fetches nothing.
func (s *Summary) HTML(w io.Writer) error {
	style, allowed := report.PageStyle()
	p := page{Policy: fmt.Sprintf("default-src 'none'; style-src %s; base-uri 'none'; form-action 'none'", allowed), Style: style,
		Parts: s.parts(part{Title: "By week, of its Monday", Bars: s.bars()})}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("render the ledger as HTML: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// bars draws the weeks.
func (s *Summary) bars() []bar {
	most := 0
	for _, w := range s.Weeks {
		most = max(most, w.Runs)
	}
	var all []bar
	for _, w := range s.Weeks {
		share := func(n int) float64 { return 100 * float64(n) / float64(most) }
		b := bar{Monday: w.Monday, Pass: share(w.Pass), Fail: share(w.Fail), Inconclusive: share(w.Inconclusive), NotJudged: share(w.NotJudged)}
		b.FailFrom = b.Pass
		b.InconclusiveFrom = b.FailFrom + b.Fail
		b.OtherFrom = b.InconclusiveFrom + b.Inconclusive
		var said []string
		for _, c := range []struct {
			n    int
			what string
		}{{w.Pass, "passed"}, {w.Fail, "failed"}, {w.Inconclusive, "inconclusive"}, {w.NotJudged, "not judged"}} {
			if c.n > 0 {
				said = append(said, fmt.Sprintf("%d %s", c.n, c.what))
			}
		}
		b.Text = strings.Join(said, ", ")
		all = append(all, b)
	}
	return all
}
