package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/canary-judge/canary-judge/analysis"
)

// The elements of JUnit's format, in the order and with the attributes that its strict
// readers take, which is less than the lenient ones do: the schemas of Jenkins' xunit plugin
// (junit-10.xsd) and of Ant's reports (JUnit.xsd) know no properties and, but for one of
// them, no output in a case, and no counts on testsuites.
// https://github.com/jenkinsci/xunit-plugin, https://github.com/windyroad/JUnit-Schema
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suite   junitSuite
	}
	junitSuite struct {
		XMLName    xml.Name        `xml:"testsuite"`
		Name       string          `xml:"name,attr"`
		Package    string          `xml:"package,attr"`
		ID         int             `xml:"id,attr"`
		Host       string          `xml:"hostname,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        junitText       `xml:"system-out"` // the cases that passed
		Err        junitText       `xml:"system-err"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitTrouble `xml:"failure"`
		Error   *junitTrouble `xml:"error"`
		Skipped *junitTrouble `xml:"skipped"`
		passed  string        // what to say of a case that has none of these
	}
	junitTrouble struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"` // of failures and errors alone
		Text    string `xml:",cdata"`
	}
	junitText struct {
		Text string `xml:",cdata"`
	}
)

// runCase is the case that stands for the run as a whole.
const runCase = "verdict"

// JUnit writes the report as JUnit's XML: a case a metric, and one for the run. A
// metric that failed the canary is a failure. One that was not decided, or had no
// data, is an error: it is no proof that the canary is bad, and it must not look
// like a pass. An advisory metric decides nothing, so what is not a pass of it is
// skipped; so is one that can only fail and does not, and one that was left open because another one had failed the canary.
func (r *Report) JUnit(w io.Writer) error {
	suite := junitSuite{Name: xmlText(r.suiteName()), Package: "canary-judge", Host: "localhost", Time: junitSeconds(r.Window.End.Sub(r.Window.Start)), Timestamp: r.Window.Start.UTC().Format("2006-01-02T15:04:05")}
	suite.Properties = junitProperties("verdict", r.Verdict, "looks", strconv.Itoa(r.Window.Looks), "ended", r.Window.Ended)
	suite.Cases = append(suite.Cases, r.junitRun(suite))
	for _, m := range r.Metrics {
		suite.Cases = append(suite.Cases, r.junitMetric(m, suite.Name))
	}
	var passed []string
	for _, c := range suite.Cases {
		suite.Tests++
		switch {
		case c.Failure != nil:
			suite.Failures++
		case c.Error != nil:
			suite.Errors++
		case c.Skipped != nil:
			suite.Skipped++
		default:
			passed = append(passed, c.passed)
		}
	}
	suite.Out.Text = xmlText(strings.Join(passed, "\n\n"))
	text, err := xml.MarshalIndent(junitSuites{Suite: suite}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the result as JUnit: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

// suiteName names the run among other test suites.
func (r *Report) suiteName() string {
	if r.Service == "" {
		return "canary"
	}
	return "canary " + r.Service
}

// junitRun is the case of the run: metrics alone do not show an error of the
// provider, or traffic that kept the canary from passing.
func (r *Report) junitRun(suite junitSuite) junitCase {
	c := junitCase{Name: runCase, Class: suite.Name, Time: suite.Time}
	trouble := &junitTrouble{Message: xmlText(r.Headline()), Type: cmp.Or(r.Verdict, "no verdict"), Text: xmlText(strings.Join(r.Doubts, "\n"))}
	switch {
	case r.Is(analysis.VerdictFail):
		c.Failure = trouble
	case !r.Is(analysis.VerdictPass):
		c.Error = trouble
	default:
		c.passed = strings.Join(append([]string{r.Headline()}, r.Doubts...), "\n")
	}
	return c
}

func (r *Report) junitMetric(m Metric, suite string) junitCase {
	cells := m.cells()
	var details strings.Builder
	for i, column := range columns[1:] {
		fmt.Fprintf(&details, "%s: %s\n", strings.ToLower(column), cells[i+1])
	}
	if m.History != nil {
		fmt.Fprintf(&details, "history: %s\n", m.History.Says)
	}
	for _, w := range m.Warnings {
		fmt.Fprintf(&details, "doubt: %s\n", w)
	}
	for _, q := range m.queryList() {
		fmt.Fprintf(&details, "%s of the %s: %s\n", q.Part, q.Arm, q.Text)
	}
	looked := max(0, m.DecidedLook)
	if looked == 0 {
		looked = m.Steps
	}
	c := junitCase{
		Name: xmlText(m.Name), Class: suite, Time: junitSeconds(time.Duration(float64(looked) * float64(r.Window.Step) * float64(time.Second))),
	}
	if m.Is(analysis.Pass) {
		c.passed = m.Name + ": " + m.Reason + "\n" + strings.TrimSuffix(details.String(), "\n")
		return c
	}
	trouble := &junitTrouble{Message: xmlText(m.Name + ": " + m.Reason), Type: cmp.Or(m.Decision, "no decision"), Text: xmlText(details.String())}
	switch {
	case r.OverriddenBy() != "" && r.Is(analysis.VerdictPass):
		c.Skipped, trouble.Type = trouble, ""
	case m.aside(), m.Is(analysis.Undecided) && r.Is(analysis.VerdictFail):
		c.Skipped, trouble.Type = trouble, ""
	case m.Is(analysis.Fail):
		c.Failure = trouble
	default:
		c.Error = trouble
	}
	return c
}

// junitProperties makes properties of names and their values, in turn.
func junitProperties(pairs ...string) []junitProperty {
	var all []junitProperty
	for pair := range slices.Chunk(pairs, 2) {
		all = append(all, junitProperty{pair[0], xmlText(pair[len(pair)-1])})
	}
	return all
}

func junitSeconds(d time.Duration) string {
	return strconv.FormatFloat(max(0, d.Seconds()), 'f', 3, 64)
}

// xmlText makes text from outside one that XML can hold and that changes nothing
// around it where it is shown: encoding/xml escapes what means something, and
// quietly replaces what is no character of XML, which is marked here like in the
// other formats.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\r':
			return ' '
		case r == utf8.RuneError, r == 0xFFFE, r == 0xFFFF, unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return '·'
		}
		return r
	}, s)
}
