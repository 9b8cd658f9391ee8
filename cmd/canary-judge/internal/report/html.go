package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
)

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.ParseFS(pageFiles, "page/page.html"))

// asset returns a file of the page as an element, and the hash by which the page's
// policy allows it.
func asset(file, element string) (whole template.HTML, hash string) {
	text, err := pageFiles.ReadFile("page/" + file)
	if err != nil {
		panic("report: " + err.Error()) // it is embedded
	}
	sum := sha256.Sum256(text)
	whole = template.HTML(fmt.Sprintf("<%s>%s</%s>", element, text, element)) //nolint:gosec // our own file
	return whole, "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// PageStyle returns the style of our pages as an element, and the source that a page's policy has to allow for it.
func PageStyle() (element template.HTML, source string) { return asset("page.css", "style") }

// page is what the template shows. All texts in it are clean.
type page struct {
	Policy, Title, Service, Verdict, Word, Sentence, Next string
	State                                                 string // of what a live page is made of
	Style, Script, Live                                   template.HTML
	Remarks, About                                        []pageSection
	Actions                                               []pageActions
	Glance, Commands, Decisive                            []string
	NotJudged, Blast                                      []string
	Forest                                                *forest
	Words                                                 []pageFact
	Pages                                                 []pageLink
	Columns                                               []string
	Overview                                              []pageMetric
	Metrics                                               []pageMetric
	Warmup                                                int
	Harm                                                  bool // there is something to say of it, or a doubt
	Timeline                                              []pageEvent
	Looks                                                 []pageLook
	Config, Footer                                        string
	Limits                                                []string
	// Times are those of the columns of all plots of both arms.
	Times string
}

type pageSection struct {
	Title string
	Lines []string
}

// pageActions is what was done, or was not.
type pageActions struct {
	Title string
	Lines []pageLink
}

type pageEvent struct{ Stamp, At, Text string }

type pageLook struct {
	Look, Passed, Failed, Open int
	At, Verdict                string
}

type pageRow struct {
	Arm   string
	Cells []string
}

type pageQuery struct {
	query
	Link string
}

// pageLink is a text with the page it is about, "" = none.
type pageLink struct{ Text, Link string }

type pageFact struct{ Name, Text string }

type pagePlot struct {
	drawn
	Alt     string
	Decided bool
	Before  string // what is grey in it, "" = nothing
}

type pageMetric struct {
	ID, Name, Mark, Class, Decision, Brief, Reason string
	Open                                           bool
	Cells, Warnings, Heads                         []string
	Rows                                           []pageRow
	Facts                                          []pageFact
	Queries                                        []pageQuery
	Runs                                           []pageLink
	MoreRuns                                       int
	Arms, Effect                                   *pagePlot
}

// HTML writes the report as one page that fetches nothing.
func (r *Report) HTML(w io.Writer) error { return render(w, r.page()) }

// LiveHTML writes the report as a page that is read anew when the server that it comes from sends the event look, at the
// path LiveEvents beside it, which is asked with the state that the page was made of. It asks nothing of anyone else.
func (r *Report) LiveHTML(w io.Writer, state string) error {
	p := r.page()
	p.State = state
	live, script := asset("live.js", "script")
	p.Live = live
	p.Policy = strings.Replace(p.Policy, "script-src ", "connect-src 'self'; script-src "+script+" ", 1)
	return render(w, p)
}

// LiveEvents is the path of the events that a live page waits for.
const LiveEvents = "events"

func render(w io.Writer, p page) error {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("render the result as HTML: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (r *Report) page() page {
	p := page{
		Verdict: badge(r.Verdict), Word: strings.ToUpper(r.Verdict), Service: Clean(r.Service), Sentence: Clean(r.Headline()),
		Next: r.next(), Commands: r.commands(), Glance: cleanAll(r.glance()), Decisive: cleanAll(r.decisiveGuards()), Forest: r.forest(),
		Blast: cleanAll(r.blastLines()), Words: glossary, Warmup: r.Window.Warmup, Timeline: r.timeline(), Looks: r.lookRows(),
	}
	for _, l := range r.pages() {
		p.Pages = append(p.Pages, pageLink{Clean(l.Name), webPage(l.URL)})
	}
	if r.open() {
		p.Word = openWord
	}
	p.Title = p.Word + ": canary " + p.Service
	var style, script string
	p.Style, style = asset("page.css", "style")
	p.Script, script = asset("page.js", "script")
	p.Policy = fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; base-uri 'none'; form-action 'none'", style, script)
	p.Actions = r.pageActions()
	if lines := r.compared(); r.Window.Looks == 0 && len(lines) > 0 {
		p.About = append(p.About, pageSection{comparedTitle, cleanAll(lines)})
	}
	for _, s := range r.remarks() {
		switch s.title {
		case guardsTitle, doubtsTitle, rampTitle:
			p.Remarks = append(p.Remarks, pageSection{s.title, cleanAll(s.lines)})
		case historyTitle, comparisonTitle, exposureTitle, comparedTitle, windowTitle:
			p.About = append(p.About, pageSection{s.title, cleanAll(s.lines)})
		}
	}
	for _, m := range r.Metrics {
		switch {
		case m.Is(analysis.NoData), m.Is(analysis.Undecided):
			p.NotJudged = append(p.NotJudged, Clean(m.Name+": "+m.Reason))
		case m.Advisory:
			p.NotJudged = append(p.NotJudged, Clean(m.Name+": advisory, so it was measured and decided nothing"))
		}
	}
	if len(r.Metrics) > 0 {
		series := r.Metrics[0].Series
		p.Times = r.Window.columnTimes(min(len(series.Baseline), len(series.Canary)), len(r.Metrics))
	}
	order := make([]int, len(r.Metrics))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return worseFirst(r.Metrics[a], r.Metrics[b]) })
	for _, i := range order {
		p.Metrics = append(p.Metrics, r.pageMetric(i))
	}
	p.Columns, p.Overview = []string{"Metric", "Decision", "Baseline", "Canary", "Change", "Interval", "Tolerated"}, p.Metrics
	p.Harm = len(p.Blast)+len(p.NotJudged)+len(p.Remarks) > 0
	var config bytes.Buffer
	if len(r.Config) > 0 && json.Indent(&config, r.Config, "", "  ") == nil {
		p.Config = cleanLines(config.String())
	}
	if g := r.Generated; g != nil {
		p.Footer = Clean(fmt.Sprintf("canary-judge %s, %s, %s", g.Tool, g.Command, g.At.UTC().Format(time.RFC3339)))
		p.Limits = cleanAll(g.limitLines())
	}
	return p
}

// pageActions are what was done at the verdict, with links where there are pages.
func (r *Report) pageActions() []pageActions {
	var all []pageActions
	for _, s := range r.actions() {
		if len(s.lines) == 0 {
			continue
		}
		did := pageActions{Title: s.title}
		for i, line := range s.lines {
			did.Lines = append(did.Lines, pageLink{Clean(line), s.page(i)})
		}
		all = append(all, did)
	}
	return all
}

// next says what the verdict means for who reads it.
func (r *Report) next() string {
	switch {
	case r.OverriddenBy() != "" && r.Is(analysis.VerdictPass):
		return fmt.Sprintf("The canary may be promoted on the word of %s; the evidence did not say so, see below.", Clean(r.OverriddenBy()))
	case r.OverriddenBy() != "":
		return fmt.Sprintf("Do not promote; take the canary back, on the word of %s.", Clean(r.OverriddenBy()))
	case r.Generated != nil && r.Generated.Observe:
		return "Nothing: this run only observes. Once its verdicts are trusted, leave out --observe, or mode: observe in the config, and they hold up what is not good."
	case r.Error != "":
		return "The run could not judge to its end. Cure what is said above and run it again; until then the canary is neither shown to be good nor bad."
	case r.open():
		return "There is no verdict yet. Do not promote before there is one."
	case r.Is(analysis.VerdictPass):
		return "The canary may be promoted: every deciding metric is shown to be within its tolerance" + r.failOnly() + "."
	case r.Is(analysis.VerdictFail) && r.Generated.Reverted():
		return "Do not promote. The change is taken back, as is said below; see that the canary heals."
	case r.Is(analysis.VerdictFail):
		return "Do not promote; take the canary back."
	case r.Window.Ended == "interrupted":
		return "The run was interrupted before it had a verdict. Do not promote on it; run it again, or go on with --resume."
	case r.Exposure != nil && r.Exposure.Off:
		return "The canary did not get the traffic it should, so it cannot pass. Do not promote on it: cure the split of the traffic and run it again."
	case len(r.deciding(analysis.NoData)) > 0:
		return "What has no data cannot pass. Do not promote on it: cure the queries or the labels named below (canary-judge check --live shows what they return) and run it again."
	}
	return "There is not enough evidence either way. Do not promote on it: judge for longer, send the canary more traffic, or accept a larger change. Below is what each metric lacks."
}

// badge returns the class of a verdict or a decision.
func badge(word string) string {
	if word == analysis.VerdictPass.String() || word == analysis.VerdictFail.String() {
		return word
	}
	return "open"
}

func cleanAll(lines []string) []string {
	var out []string
	for _, l := range lines {
		out = append(out, Clean(l))
	}
	return out
}

func (r *Report) pageMetric(at int) pageMetric {
	m := r.Metrics[at]
	cells := cleanAll(m.cells())
	last := len(cells) - 1
	p := pageMetric{
		ID: fmt.Sprintf("metric-%d", at+1), Name: cells[0], Mark: m.mark(), Class: m.class(), Decision: cells[last], Cells: cells[1:last],
		Open:   !m.Is(analysis.Pass) && !m.aside() || len(r.Metrics) <= mostOpen,
		Brief:  fmt.Sprintf("%s against %s, change %s, tolerated %s", cells[2], cells[1], cells[3], cells[5]),
		Reason: Clean(m.Reason), Warnings: cleanAll(m.Warnings), Facts: r.facts(m),
	}
	for _, q := range m.queryList() {
		p.Queries = append(p.Queries, pageQuery{query{Clean(q.Part), Clean(q.Arm), cleanLines(q.Text)}, r.Generated.link(m.Name, q.Part, q.Arm)})
	}
	runs := r.Generated.failedRuns(m.Name)
	for _, f := range runs[:min(len(runs), mostRunsShown)] {
		p.Runs = append(p.Runs, pageLink{Clean(f.words()), webPage(f.URL)})
	}
	p.MoreRuns = len(runs) - len(p.Runs)
	p.Heads, p.Rows = m.summaryRows()
	if d := r.Window.plotArms(m, len(r.Metrics)); d != nil {
		p.Arms = &pagePlot{drawn: *d, Alt: fmt.Sprintf("Line chart of %s: baseline %s, canary %s over %s.", cells[0], cells[1], cells[2], plural(d.Last+1, "point")), Decided: m.DecidedLook > 0}
		if b := r.Window.before(m); b != nil {
			p.Arms.Alt += Clean(b.says(m.writer()))
			p.Arms.Before = b.key()
		}
	}
	if d := r.plotEffect(at); d != nil && (len(r.Metrics) <= mostPlotted || !m.Is(analysis.Pass)) {
		p.Effect = &pagePlot{drawn: *d, Alt: fmt.Sprintf("Chart of the change in %s over %s: last interval %s, tolerated %s, %s.", cells[0], plural(d.Last+1, "look"), cells[4], cells[5], cells[last]), Decided: m.DecidedLook > 0}
	}
	return p
}

// mostOpen is up to how many metrics a page shows unfolded, passed ones included.
const mostOpen = 4

// summaryRows are the numbers of both arms.
func (m Metric) summaryRows() (heads []string, rows []pageRow) {
	counted := finite(float64(m.Baseline.Total)) || finite(float64(m.Canary.Total))
	valued := finite(float64(m.Baseline.Mean)) || finite(float64(m.Canary.Mean))
	heads = []string{"Steps with data"}
	if counted {
		heads = append(heads, "Bad", "All", "Rate")
	}
	if valued {
		heads = append(heads, "Mean", "Median", "95th percentile", "Smallest", "Largest")
	}
	for _, a := range []struct {
		name string
		s    Summary
	}{{"baseline", m.Baseline}, {"canary", m.Canary}} {
		cells := []string{fmt.Sprint(a.s.Steps)}
		if counted {
			cells = append(cells, count(a.s.Bad), count(a.s.Total), percentage(float64(a.s.Rate)))
		}
		if valued {
			for _, v := range []Number{a.s.Mean, a.s.Median, a.s.P95, a.s.Min, a.s.Max} {
				cells = append(cells, measure(float64(v), m.Unit))
			}
		}
		rows = append(rows, pageRow{a.name, cleanAll(cells)})
	}
	return heads, rows
}

func count(n Number) string {
	if !finite(float64(n)) {
		return "–"
	}
	return tally(float64(n))
}

// facts are what else is known of a metric.
func (r *Report) facts(m Metric) []pageFact {
	var all []pageFact
	add := func(name, text string) { all = append(all, pageFact{name, Clean(text)}) }
	cells := m.cells()
	add("Change", cells[3]+", interval "+cells[4])
	add("Tolerated", cells[5]+", bad is: "+m.Direction)
	if m.Tolerance.Floor > 0 {
		add("Floor", percentage(float64(m.Tolerance.Floor))+": rates below it are fine")
	}
	add("Kind", m.Kind)
	if m.Provider != "" {
		add("Source", m.Provider)
	}
	add("Steps", fmt.Sprintf("%d judged, %d with data in both arms", m.Steps, m.Usable))
	if c := m.Compared; c != nil {
		counts := ""
		if finite(float64(c.Canary.Total)) {
			counts = fmt.Sprintf(" (%s of %s against %s of %s)", count(c.Canary.Bad), count(c.Canary.Total), count(c.Baseline.Bad), count(c.Baseline.Total))
		}
		add("Compared", fmt.Sprintf("canary %s against baseline %s%s, over %s", cells[2], cells[1], counts, plural(c.Steps, "step")))
	}
	if m.History != nil {
		add("History", m.History.Says)
	}
	switch {
	case m.Advisory:
		add("Advisory", "decides nothing")
	case m.Hold:
		add("Hold", "never fails the run: while it is beyond its tolerance a ramp waits and nothing passes")
	default:
		if m.FailOnly {
			add("Fail only", "can fail the run, which does not wait for it to pass")
		}
		add("False alarms", percentage(float64(m.Share))+" of the run's "+percentage(r.FalseAlarm)+" may be this metric's")
	}
	if m.DecidedLook > 0 {
		add("Decided", fmt.Sprintf("at look %d, %s", m.DecidedLook, r.Window.lookTime(m.DecidedLook).UTC().Format(time.RFC3339)))
	}
	if f := m.Forecast; f != nil {
		text := fmt.Sprintf("%s of about %s %s", tally(float64(f.Have)), tally(float64(f.Needed)), f.Unit)
		if finite(float64(f.Steps)) {
			text += fmt.Sprintf(", so about %s more at this traffic", length(time.Duration(math.Ceil(float64(f.Steps))*float64(r.Window.Step)*float64(time.Second))))
		}
		add("Evidence so far", text)
	}
	return all
}

// timeline lists what changed during the run.
func (r *Report) timeline() []pageEvent {
	w := r.Window
	type event struct {
		at   time.Time
		text string
	}
	events := []event{{w.Start, "the run begins"}}
	if w.Warmup > 0 && !w.End.Before(w.Judged) {
		events = append(events, event{w.Judged, fmt.Sprintf("the warm-up of %s ends", plural(w.Warmup, "step"))})
	}
	var decided []Metric
	for _, m := range r.Metrics {
		if m.DecidedLook > 0 {
			decided = append(decided, m)
		}
	}
	slices.SortStableFunc(decided, func(a, b Metric) int { return cmp.Compare(a.DecidedLook, b.DecidedLook) })
	for _, m := range decided {
		text := fmt.Sprintf("look %d: %s, %s", m.DecidedLook, m.Name, m.Decision)
		if m.Advisory {
			text += " (advisory)"
		}
		events = append(events, event{w.lookTime(m.DecidedLook), text})
	}
	events = append(events, event{w.End, r.ending()})
	var out []pageEvent
	for _, e := range events {
		out = append(out, pageEvent{e.at.UTC().Format(time.RFC3339), e.at.UTC().Format("15:04:05"), Clean(e.text)})
	}
	return out
}

// ending says why and when the run ended.
func (r *Report) ending() string {
	text := map[string]string{
		"verdict": "the verdict", "window": "the end of the window", "interrupted": "interrupted", "error": "an error", "file": "the recording holds no more",
	}[r.Window.Ended]
	return fmt.Sprintf("%s: %s after %d of %s, planned until %s", text, r.Verdict, r.Window.Looks, plural(r.Window.Steps, "look"), r.Window.Planned.UTC().Format("15:04:05"))
}

func (r *Report) lookRows() []pageLook {
	var rows []pageLook
	for _, l := range r.Looks {
		row := pageLook{Look: l.Look, At: l.Time.UTC().Format("15:04:05"), Verdict: Clean(l.Verdict)}
		for _, m := range l.Metrics {
			switch m.Decision {
			case analysis.Pass.String():
				row.Passed++
			case analysis.Fail.String():
				row.Failed++
			default:
				row.Open++
			}
		}
		rows = append(rows, row)
	}
	return rows
}
