// Package ledger keeps what came of runs, a line each, with what turned out to be true of them later, and sums them
// up: how often the judge was right is known only once somebody has said what a canary was.
package ledger

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/internal/files"
)

// Schema is the format of a ledger's lines.
const Schema = "canary-judge/ledger/v1"

// resultSchema is how the schema of a saved result begins, whatever its version.
const resultSchema = "canary-judge/result/"

// Line is one line of a ledger: a run, or a label of one.
type Line struct {
	Schema string `json:"schema"`
	Run    *Run   `json:"run,omitempty"`
	Label  *Label `json:"label,omitempty"`
}

// Run is what came of a run.
type Run struct {
	// ID is the same for all that is written of one run: it is made of its service, start, arms and config.
	ID      string    `json:"id"`
	At      time.Time `json:"at"` // when it was concluded; the end of its window where that is not known
	Tool    string    `json:"tool,omitempty"`
	Service string    `json:"service,omitempty"`
	Start   time.Time `json:"start"` // of the warm-up
	End     time.Time `json:"end"`   // of the last step that was fetched
	// Outcome is the judge's own verdict, pass, fail or inconclusive, or NotJudged.
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
	Looks   int    `json:"looks"`
	// Observed runs had no consequence.
	Observed bool        `json:"observed,omitempty"`
	Config   string      `json:"config,omitempty"`  // beginning of the SHA-256 of the config
	Commits  []string    `json:"commits,omitempty"` // what was under judgement
	Reverts  []string    `json:"reverts,omitempty"` // commits that took it back
	Metrics  []RunMetric `json:"metrics,omitempty"` // those over all requests
	Guards   []string    `json:"guards,omitempty"`  // guards that failed the canary
	Met      *Met        `json:"met,omitempty"`
	Override *Override   `json:"override,omitempty"` // who decided against the outcome last
}

// NotJudged is the outcome of a run that came to an error, or was interrupted.
const NotJudged = "not judged"

// RunMetric is what came of a metric. Limits are NaN, null in JSON, where nothing is known.
type RunMetric struct {
	Name        string        `json:"name"`
	Decision    string        `json:"decision"` // pass, fail, undecided or no data
	Advisory    bool          `json:"advisory,omitempty"`
	Estimate    report.Number `json:"estimate"`
	Lower       report.Number `json:"lower"`
	Upper       report.Number `json:"upper"`
	Unit        string        `json:"unit"` // relative, points, or the metric's own
	DecidedLook int           `json:"decided_look,omitempty"`
}

// Met is how many requests met the canary. Numbers are NaN, null in JSON, where they are not known.
type Met struct {
	Requests report.Number `json:"requests"`
	Excess   report.Number `json:"excess"`         // failed beyond the baseline's rate
	AtFull   report.Number `json:"at_full_excess"` // had all requests met the canary
}

// Override is a decision against the outcome.
type Override struct {
	Verdict string    `json:"verdict"`
	By      string    `json:"by"`
	Because string    `json:"because"`
	At      time.Time `json:"at"`
}

// Label says what a canary turned out to be.
type Label struct {
	Run     string    `json:"run"`
	Truth   string    `json:"truth"` // Good or Bad
	Because string    `json:"because"`
	By      string    `json:"by,omitempty"`
	At      time.Time `json:"at"`
}

// What a change can turn out to be.
const (
	Good = "good" // it might have been promoted
	Bad  = "bad"  // it had to be taken back
)

// hashLength is how many digits of a hash name a run or a config: among 10,000 runs two share one with a chance of
// about 5e-5.
const hashLength = 10

// Of is what a report comes to in a ledger.
func Of(r *report.Report) *Run {
	run := &Run{
		At: r.Window.End.UTC(), Service: r.Service, Start: r.Window.Start.UTC(), End: r.Window.End.UTC(),
		Outcome: r.Verdict, Reason: r.Reason, Looks: r.Window.Looks, Config: hash(document(r.Config)),
	}
	run.ID = hash([]any{r.Service, run.Start.Format(time.RFC3339Nano), r.Arms, document(r.Config)})
	if n := len(r.Overrides); n > 0 {
		first, last := r.Overrides[0], r.Overrides[n-1]
		run.Outcome, run.Reason = first.Verdict, first.Reason
		run.Override = &Override{Verdict: r.Verdict, By: last.By, Because: last.Because, At: last.At}
	}
	if r.Error != "" || r.Window.Ended == "interrupted" {
		run.Outcome = NotJudged
		if r.Error != "" {
			run.Reason = r.Error
		}
	}
	if g := r.Generated; g != nil {
		run.At, run.Tool, run.Observed = g.At.UTC(), g.Tool, g.Observe
		for _, a := range g.Actions {
			if a.Kind == report.RevertAction && !a.DryRun && a.Error == "" {
				run.Reverts = append(run.Reverts, a.Reverts...)
			}
		}
	}
	if r.Change != nil {
		for _, c := range r.Change.Commits {
			run.Commits = append(run.Commits, c.SHA)
		}
	}
	for _, m := range r.Metrics {
		if !m.IsPart() {
			e := m.Effect
			run.Metrics = append(run.Metrics, RunMetric{m.Name, m.Decision, m.Advisory, e.Estimate, e.Lower, e.Upper, e.Unit, m.DecidedLook})
		}
	}
	run.Guards = r.FailedGuards()
	if b := r.Blast; b != nil {
		run.Met = &Met{b.Requests, b.Excess, b.Full.Excess}
	}
	return run
}

// document is a config without its layout, which differs between a run and what was saved of it.
func document(d report.Document) any {
	var v any
	if json.Unmarshal(d, &v) != nil {
		return nil
	}
	return v
}

// hash names a value; "" for nil.
func hash(v any) string {
	text, err := json.Marshal(v)
	if v == nil || err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:hashLength]
}

// Passed reports whether the judge let the canary pass.
func (r *Run) Passed() bool { return r.Outcome == analysis.VerdictPass.String() }

// Failed reports whether the judge failed the canary.
func (r *Run) Failed() bool { return r.Outcome == analysis.VerdictFail.String() }

// Check reports what is in the way of keeping lines at a path. A file is made only by the first line.
func Check(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		dir := filepath.Dir(path)
		if at, err := os.Stat(dir); err != nil || !at.IsDir() {
			return fmt.Errorf("the directory %s is not there; make it first", dir)
		}
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory; name a file in it, such as %s", path, filepath.Join(path, "ledger.jsonl"))
	case !info.Mode().IsRegular():
		return nil
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // nothing is written
	if first, _, err := bufio.NewReader(io.LimitReader(file, longestLine)).ReadLine(); err == nil && schemaOf(first) != Schema {
		return fmt.Errorf("%s is there and no ledger; name a file that is one, or a new one", path)
	}
	return nil
}

// Append adds lines at the end of a ledger, in one piece, so that jobs that write at the same time do not mix theirs.
// After a line that a crash has cut off it begins a new one.
func Append(path string, lines ...Line) error {
	var text bytes.Buffer
	if torn(path) {
		text.WriteByte('\n')
	}
	for _, l := range lines {
		l.Schema = Schema
		line, err := json.Marshal(l)
		if err != nil {
			return err
		}
		text.Write(append(line, '\n'))
	}
	return files.Append(path, text.String())
}

// torn reports whether the last line of a file has no end.
func torn(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = file.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

// Ledger is what is known of runs.
type Ledger struct {
	// Runs by the time of their start. Of each there is one.
	Runs []*Run
	// Labels by the ID of their run: the last of each.
	Labels map[string]Label
	// Skipped says what was left out, and why.
	Skipped []string

	at map[string]int // where in Runs a run stands, while they are read
}

// longestLine bounds a line, and with it what is held in memory of something that is no ledger.
const longestLine = 16 << 20

// Read reads ledgers, saved results, and directories of either, with all in them. What a directory holds of other
// kinds is passed over; a file that is named has to be one of the two. A line that cannot be read is left out and told.
func Read(paths ...string) (*Ledger, error) {
	l := &Ledger{Labels: map[string]Label{}, at: map[string]int{}}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("open the ledger: %w", err)
		}
		if !info.IsDir() {
			known, err := l.file(path)
			if err == nil && !known {
				err = errors.New("neither a ledger (run --ledger FILE) nor a saved result (-o json=FILE)")
			}
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", path, err)
			}
			continue
		}
		err = filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() || !slices.Contains([]string{".json", ".jsonl"}, filepath.Ext(file)) {
				return err
			}
			if _, err := l.file(file); err != nil {
				l.Skipped = append(l.Skipped, fmt.Sprintf("%s: %v", file, err))
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read the directory %s: %w", path, err)
		}
	}
	slices.SortStableFunc(l.Runs, func(a, b *Run) int { return a.Start.Compare(b.Start) })
	return l, nil
}

// file reads a ledger or a result, and reports whether it is either.
func (l *Ledger) file(path string) (known bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close() //nolint:errcheck // only read
	in := bufio.NewReaderSize(file, 64<<10)
	beginning, _ := in.Peek(4 << 10)
	switch schema := schemaOf(beginning); {
	case schema == Schema:
		return true, l.lines(path, in)
	case !strings.HasPrefix(schema, resultSchema):
		return false, nil
	}
	r, err := report.Read(in)
	if err != nil {
		return true, err
	}
	l.add(Of(r))
	return true, nil
}

// schemaOf returns the schema that a text begins with, "" for none: it is the first key of all our formats.
func schemaOf(beginning []byte) string {
	d := json.NewDecoder(bytes.NewReader(beginning))
	for _, want := range []any{json.Delim('{'), "schema"} {
		if token, err := d.Token(); err != nil || token != want {
			return ""
		}
	}
	token, _ := d.Token()
	schema, _ := token.(string)
	return schema
}

// lines reads a ledger.
func (l *Ledger) lines(path string, in io.Reader) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, longestLine)
	n := 0
	for scanner.Scan() {
		n++
		if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
			continue
		}
		if err := l.line(scanner.Bytes()); err != nil {
			l.Skipped = append(l.Skipped, fmt.Sprintf("%s, line %d: %v", path, n, err))
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}

// line reads one line.
func (l *Ledger) line(text []byte) error {
	var line Line
	if err := json.Unmarshal(text, &line); err != nil {
		return fmt.Errorf("it was cut off, or is no line of a ledger: %w", err)
	}
	switch {
	case line.Schema != Schema:
		return fmt.Errorf("its schema is %q; this version reads %q", line.Schema, Schema)
	case line.Run != nil && line.Label == nil:
		return l.run(line.Run)
	case line.Label != nil && line.Run == nil:
		return l.label(*line.Label)
	}
	return errors.New("it is neither a run nor a label")
}

func (l *Ledger) run(r *Run) error {
	outcomes := []string{analysis.VerdictPass.String(), analysis.VerdictFail.String(), analysis.VerdictInconclusive.String(), NotJudged}
	switch {
	case r.ID == "":
		return errors.New("the run has no id")
	case !slices.Contains(outcomes, r.Outcome):
		return fmt.Errorf("the run's outcome is %q; want %s", r.Outcome, strings.Join(outcomes, ", "))
	case r.Start.IsZero() || r.End.Before(r.Start):
		return errors.New("the run's start and end are no window of time")
	}
	l.add(r)
	return nil
}

func (l *Ledger) label(label Label) error {
	if label.Run == "" || label.Truth != Good && label.Truth != Bad {
		return fmt.Errorf("the label says %q of run %q; want good or bad of a run", label.Truth, label.Run)
	}
	if old, is := l.Labels[label.Run]; !is || !label.At.Before(old.At) {
		l.Labels[label.Run] = label
	}
	return nil
}

// add keeps the last of what is known of a run: who overrides it writes after it.
func (l *Ledger) add(r *Run) {
	at, known := l.at[r.ID]
	switch {
	case !known:
		l.at[r.ID] = len(l.Runs)
		l.Runs = append(l.Runs, r)
	case (r.Override != nil) != (l.Runs[at].Override != nil):
		if r.Override != nil {
			l.Runs[at] = r
		}
	case !r.At.Before(l.Runs[at].At):
		l.Runs[at] = r
	}
}

// Find returns the run whose ID begins with what is given, or that judged the commit whose name does.
func (l *Ledger) Find(name string) (*Run, error) {
	name = strings.ToLower(name)
	if len(name) < shortestName {
		return nil, fmt.Errorf("%q is too short to name a run; give %d characters or more of its id, or of a commit that it judged", name, shortestName)
	}
	var found []*Run
	for _, r := range l.Runs {
		judged := slices.ContainsFunc(r.Commits, func(sha string) bool { return strings.HasPrefix(sha, name) })
		if strings.HasPrefix(r.ID, name) || judged {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fmt.Errorf("there is no run %q; the last ones are %s", name, l.last())
	}
	var ids []string
	for _, r := range found {
		ids = append(ids, r.title())
	}
	return nil, fmt.Errorf("%q is more than one run: %s; give more characters of its id", name, strings.Join(ids, "; "))
}

// shortestName is how many characters name a run at least.
const shortestName = 4

// Before returns the newest run that passed before a moment, of a service unless that is "": what an incident then
// says something of.
func (l *Ledger) Before(moment time.Time, service string) (*Run, error) {
	for _, r := range slices.Backward(l.Runs) {
		if r.Passed() && !r.End.After(moment) && (service == "" || r.Service == service) {
			return r, nil
		}
	}
	return nil, fmt.Errorf("no run%s passed before %s; name the run instead", ofService(service), moment.UTC().Format(time.RFC3339))
}

func ofService(service string) string {
	if service == "" {
		return ""
	}
	return " of " + service
}

// last names the last runs.
func (l *Ledger) last() string {
	if len(l.Runs) == 0 {
		return "none: the ledger has no run"
	}
	var titles []string
	for _, r := range l.Runs[max(0, len(l.Runs)-3):] {
		titles = append(titles, r.title())
	}
	return strings.Join(titles, "; ")
}

// title is how a run is called in a sentence.
func (r *Run) title() string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s (%s %s, %s)", r.ID, r.Service, r.Outcome, r.End.Format("2006-01-02 15:04 MST"))), " ")
}

// String calls a run by its id, service, outcome and time.
func (r *Run) String() string { return r.title() }
