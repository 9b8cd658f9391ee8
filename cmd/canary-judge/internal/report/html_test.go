package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	nethtml "golang.org/x/net/html"
)

// big is a report of many metrics and steps.
func big(metrics, steps int) *Report {
	start := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	r := &Report{
		Schema: Schema, Verdict: "inconclusive", Reason: "INCONCLUSIVE",
		Window: Window{Start: start, Judged: start, End: start.Add(time.Duration(steps) * 30 * time.Second), Step: 30, Steps: steps, Looks: steps, Ended: "window"},
	}
	query := strings.Repeat("sum by (service) (rate(x{env=\"prod\"}[30s])) / ", 6)
	nan := Number(math.NaN())
	none := Summary{Steps: steps, Bad: nan, Total: nan, Rate: nan, Mean: .2, Median: .2, P95: .2, Min: .1, Max: .3}
	for i := range metrics {
		m := Metric{
			Baseline: none, Canary: none,
			Name: fmt.Sprint("metric ", i), Kind: "value", Decision: "pass", Reason: "within tolerance", Unit: "s", Steps: steps,
			Effect: Effect{0.01, -0.02, 0.03, "relative", 0}, Tolerance: Tolerance{Size: .1, Lower: nan, Upper: .1, Unit: "relative"},
			Queries: map[string]map[string]string{"value": {"baseline": query, "canary": query}},
		}
		for step := range steps {
			m.Series.Baseline = append(m.Series.Baseline, Number(0.2+0.05*math.Sin(float64(step+i))))
			m.Series.Canary = append(m.Series.Canary, Number(0.2+0.05*math.Cos(float64(step*i))))
		}
		r.Metrics = append(r.Metrics, m)
	}
	for look := 1; look <= steps; look++ {
		l := Look{Look: look, Time: start.Add(time.Duration(look) * 30 * time.Second), Verdict: "inconclusive"}
		for range metrics {
			w := Number(1 / math.Sqrt(float64(look)))
			l.Metrics = append(l.Metrics, MetricAtLook{0.01, 0.01 - w, 0.01 + w, "undecided"})
		}
		r.Looks = append(r.Looks, l)
	}
	return r
}

// mostPage is what a browser opens, and an artifact store shows, without a wait.
const mostPage = 3e6

// A run saves fewer looks than these when it is large; the page stays small even
// with all of them.
func TestTheLargestPageStaysSmall(t *testing.T) {
	t.Parallel()
	for _, metrics := range []int{200, 500} {
		var b bytes.Buffer
		if err := big(metrics, 240).HTML(&b); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d metrics: %d bytes", metrics, b.Len())
		if b.Len() > mostPage {
			t.Errorf("%d metrics of 240 steps make a page of %d bytes", metrics, b.Len())
		}
	}
}

func BenchmarkHTML(b *testing.B) {
	r := big(200, 240)
	for b.Loop() {
		if err := r.HTML(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

// Points that share a column of the plot show the worst of them, as an eye would.
func TestManyStepsShareColumns(t *testing.T) {
	t.Parallel()
	r := big(1, 3*mostColumns)
	r.Metrics[0].Series.Canary[301] = 7
	d := r.Window.plotArms(r.Metrics[0], 1)
	if d.Last+1 != mostColumns {
		t.Errorf("%d columns, want %d", d.Last+1, mostColumns)
	}
	if !strings.Contains(d.Says, ";7 s") {
		t.Error("the peak is not to be seen")
	}
}

var segments = regexp.MustCompile(`<path d="([^"]*)"\s*class="stroke-canary"`)

// A gap is a gap: the line stops before it and begins anew behind it, and a point
// between two gaps is a dot.
func TestGapsAreNotDrawnOver(t *testing.T) {
	t.Parallel()
	r := big(1, 10)
	nan := Number(math.NaN())
	r.Metrics[0].Series.Canary = []Number{1, 2, nan, 3, nan, nan, 4, 5, 6, nan}
	d := r.Window.plotArms(r.Metrics[0], 1)
	m := segments.FindStringSubmatch(string(d.SVG))
	if m == nil {
		t.Fatalf("no line of the canary in %s", d.SVG)
	}
	// 1-2, 3 alone, 4-5-6: three strokes, of one, one (of no length) and two lines.
	if moves, lines := strings.Count(m[1], "M"), strings.Count(m[1], "L"); moves != 3 || lines != 4 {
		t.Errorf("%d strokes of %d lines, want 3 of 4: %s", moves, lines, m[1])
	}
	if got := strings.Count(d.Says, "gap"); got != 4 {
		t.Errorf("%d gaps are told, want 4", got)
	}
	if got := len(strings.Split(d.Points, " ")); got != 10 {
		t.Errorf("%d points, want 10", got)
	}
}

// hostileReport has a text everywhere a report has texts from outside.
func hostileReport(s string) *Report {
	r := big(2, 4)
	address := "https://x/" + s
	if _, err := url.Parse(address); err != nil {
		address = "https://x/" // what cannot be parsed is no link
	}
	r.Reason, r.Service, r.Error, r.Notes = s, s, s, []string{s}
	r.Arms.Canary.Labels = []Label{{s, s}}
	r.Generated = &Generated{Tool: s, Command: s, Actions: []Action{{Kind: RevertAction, Commands: []string{s}, Error: s, PullRequest: address}, {Kind: RevertAction, PullRequest: "x " + s}, {Kind: MarkAction, Deployment: s}}, Links: []Link{{s, s, s, address}}, RateLimits: []RateLimit{{s, s, true, 2}}, Notebooks: []Page{{s, address}}, FailedRuns: []FailedRun{{Metric: s, Arm: s, What: s, URL: address}}}
	r.Pages = []Page{{s, address}}
	r.Blast = &Blast{Metric: s, Requests: 5, Failed: 3, Excess: 1}
	r.Looks[0].Verdict, r.Looks[0].Metrics[0].Decision = s, s
	m := &r.Metrics[0]
	m.Name, m.Reason, m.Unit, m.Provider, m.Kind, m.Decision, m.Direction = s, s, s, s, s, s, s
	m.Effect.Unit, m.Tolerance.Unit, m.Warnings = s, s, []string{s}
	m.Queries = map[string]map[string]string{s: {s: s}}
	m.Forecast = &Forecast{Unit: s, Needed: 5, Have: 2, Steps: 4}
	r.Metrics[1].Unit = s
	return r
}

// shape lists a page's elements with the names of their attributes.
func shape(t *testing.T, page string) string {
	t.Helper()
	var b strings.Builder
	z := nethtml.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case nethtml.ErrorToken:
			return b.String()
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken, nethtml.CommentToken:
			token := z.Token()
			b.WriteString("\n" + token.Data)
			for _, a := range token.Attr {
				b.WriteString(" " + a.Key)
				if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "style" || a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "https://x/") {
					t.Fatalf("the page has an attribute %s=%q", a.Key, a.Val)
				}
			}
		case nethtml.TextToken:
			for _, c := range html.UnescapeString(string(z.Text())) {
				if unicode.Is(unicode.Cf, c) || unicode.IsControl(c) && c != '\n' {
					t.Fatalf("the page shows %U", c)
				}
			}
		}
	}
}

// checkHTML fails unless the page has the elements that a harmless text gives it,
// whatever the text.
func checkHTML(t *testing.T, s string) {
	t.Helper()
	var harmless, page bytes.Buffer
	lines := strings.Repeat("\n", strings.Count(s, "\n"))
	for text, into := range map[string]*bytes.Buffer{"x" + lines: &harmless, s + " x": &page} {
		if err := hostileReport(text).HTML(into); err != nil {
			t.Fatal(err)
		}
	}
	if want, got := shape(t, harmless.String()), shape(t, page.String()); want != got {
		t.Errorf("%q changes the page:\nwant %s\ngot %s", s, want, got)
	}
}

// checkJUnit fails unless the XML is well formed and has the elements that a
// harmless text gives it.
func checkJUnit(t *testing.T, s string) {
	t.Helper()
	var b bytes.Buffer
	if err := hostileReport(s).JUnit(&b); err != nil {
		t.Fatal(err)
	}
	elements := map[string]int{}
	d := xml.NewDecoder(&b)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%q makes XML that is none: %v", s, err)
		}
		if start, ok := token.(xml.StartElement); ok {
			elements[start.Name.Local]++
		}
	}
	for name, want := range map[string]int{"testsuite": 1, "testcase": 3, "error": 2, "failure": 0, "skipped": 0, "system-out": 1, "system-err": 1} {
		if elements[name] != want {
			t.Errorf("%q: %d elements %s, want %d", s, elements[name], name, want)
		}
	}
}

// xmlAttacks mean something to XML, or are no characters of it.
var xmlAttacks = []string{
	"]]>", "<![CDATA[", "]]]]><![CDATA[>", "<!-- -->", "<?xml?>", "&amp;&lt;&#0;", "\"><failure/>", "'/>", "\x01\x0b\ufffe\uffff", "\xed\xa0\x80", "</script><script>alert(1)</script>",
	"</style>", "</title><img src=x onerror=alert(1)>", "javascript:alert(1)", "{{.}}", "a;b|c", "</svg>", "</text><script>", "]]>\x00]]>",
}

func TestAttacksOnMarkup(t *testing.T) {
	t.Parallel()
	for _, s := range append(xmlAttacks, attacks...) {
		checkHTML(t, s)
		checkJUnit(t, s)
	}
}

func FuzzHTML(f *testing.F) {
	for _, s := range append(xmlAttacks, attacks...) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkHTML(t, s) })
}

func FuzzJUnit(f *testing.F) {
	for _, s := range append(xmlAttacks, attacks...) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkJUnit(t, s) })
}

// What is not decided, or has no data, must not look like a pass to who counts
// failures and errors; what decides nothing, or was left open because the canary
// had failed already, must not look like a fail.
func TestCases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verdict, decision string
		advisory          bool
		want              string
	}{
		{"pass", "pass", false, ""}, {"fail", "fail", false, "failure"}, {"fail", "undecided", false, "skipped"}, {"fail", "no data", false, "error"},
		{"inconclusive", "undecided", false, "error"}, {"inconclusive", "no data", false, "error"},
		{"pass", "fail", true, "skipped"}, {"pass", "no data", true, "skipped"}, {"pass", "undecided", true, "skipped"}, {"pass", "pass", true, ""},
	} {
		r := big(1, 4)
		r.Verdict, r.Metrics[0].Decision, r.Metrics[0].Advisory = c.verdict, c.decision, c.advisory
		one, got := r.junitMetric(r.Metrics[0], "s"), ""
		switch {
		case one.Failure != nil:
			got = "failure"
		case one.Error != nil:
			got = "error"
		case one.Skipped != nil:
			got = "skipped"
		}
		if got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

// A saved result may say anything: what is no address of the web is no link.
func TestLinksGoToTheWeb(t *testing.T) {
	t.Parallel()
	for address, linked := range map[string]bool{
		"http://prom:9090/graph?g0.expr=up": true, "https://prom/graph": true,
		"javascript:alert(1)": false, "data:text/html,x": false, "//prom/graph": false, "graph": false, "": false, "http://%zz": false,
	} {
		r := big(1, 4)
		r.Metrics[0].Queries = map[string]map[string]string{"value": {"canary": "up"}}
		r.Generated = &Generated{Links: []Link{{r.Metrics[0].Name, "value", "canary", address}}}
		var b bytes.Buffer
		if err := r.HTML(&b); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "open it at its source"); got != linked {
			t.Errorf("%q is linked: %t", address, got)
		}
	}
}
