package ledger_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/ledger"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

func saved(t *testing.T, name string) *report.Report {
	t.Helper()
	file, err := os.Open(filepath.Join("../report/testdata/golden", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := report.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A run has the same id when it is ledgered, when its saved result is read, and when it is overridden; another one has another.
func TestOneRunHasOneID(t *testing.T) {
	t.Parallel()
	r := saved(t, "fail")
	run := ledger.Of(r)
	var text bytes.Buffer
	if err := r.JSON(&text); err != nil {
		t.Fatal(err)
	}
	again, err := report.Read(&text)
	if err != nil {
		t.Fatal(err)
	}
	overridden, err := r.Overridden(analysis.VerdictPass, "Ada", "a load test", time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	for what, other := range map[string]*report.Report{"read again": again, "overridden": overridden} {
		if got := ledger.Of(other).ID; got != run.ID {
			t.Errorf("%s its id is %s; want %s", what, got, run.ID)
		}
	}
	for what, change := range map[string]func(r *report.Report){
		"service": func(r *report.Report) { r.Service = "other" },
		"start":   func(r *report.Report) { r.Window.Start = r.Window.Start.Add(time.Second) },
		"config":  func(r *report.Report) { r.Config = report.Document(`{"false_alarm":0.01}`) },
		"canary":  func(r *report.Report) { r.Arms.Canary.Labels = []report.Label{{Name: "pod", Value: "b"}} },
	} {
		other := saved(t, "fail")
		change(other)
		if ledger.Of(other).ID == run.ID {
			t.Errorf("with another %s it has the same id", what)
		}
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]string{
		"pass": "pass", "fail": "fail", "inconclusive": "inconclusive", "no-data": "inconclusive", "error": "not judged", "error-at-once": "not judged", "interrupted": "not judged",
	} {
		run := ledger.Of(saved(t, name))
		if run.Outcome != outcome || run.Reason == "" || run.Service != "shop" {
			t.Errorf("%s: %+v; want %s, a reason and the shop", name, run, outcome)
		}
	}
	r := saved(t, "fail")
	overridden, err := r.Overridden(analysis.VerdictPass, "Ada", "a load test", time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	run := ledger.Of(overridden)
	if run.Outcome != "fail" || run.Override == nil || run.Override.Verdict != "pass" || run.Override.By != "Ada" || run.Reason != r.Reason {
		t.Errorf("overridden: %+v; want the judge's own verdict and sentence, and who decided otherwise", run)
	}
}

func at(day, hour, minute int) time.Time {
	return time.Date(2026, time.November, day, hour, minute, 0, 0, time.UTC)
}

// some is a ledger of eight runs, whose sums are plain to see.
func some(t *testing.T) string {
	t.Helper()
	run := func(id, outcome string, start time.Time, minutes int, metrics ...ledger.RunMetric) ledger.Line {
		return ledger.Line{Run: &ledger.Run{
			ID: id, At: start.Add(time.Duration(minutes) * time.Minute), Service: "shop", Start: start, End: start.Add(time.Duration(minutes) * time.Minute),
			Outcome: outcome, Reason: "because", Looks: minutes, Metrics: metrics,
		}}
	}
	metric := func(name, decision string, look int) ledger.RunMetric {
		return ledger.RunMetric{Name: name, Decision: decision, DecidedLook: look, Unit: "relative", Estimate: .1, Lower: -.1, Upper: report.Number(math.NaN())}
	}
	label := func(id, truth string) ledger.Line {
		return ledger.Line{Label: &ledger.Label{Run: id, Truth: truth, Because: "seen", By: "Ada", At: at(28, 0, 0)}}
	}
	lines := []ledger.Line{
		run("aaaa000001", "pass", at(15, 23, 59), 10, metric("errors", "pass", 10), metric("latency", "pass", 4)), // a Sunday
		run("aaaa000002", "pass", at(16, 0, 0), 20, metric("errors", "pass", 7), metric("latency", "pass", 20)),   // a Monday
		run("aaaa000003", "fail", at(17, 9, 0), 2, metric("errors", "fail", 2), metric("latency", "undecided", 0)),
		run("aaaa000004", "fail", at(18, 9, 0), 4, metric("errors", "fail", 4), metric("latency", "undecided", 0)),
		run("aaaa000005", "inconclusive", at(19, 9, 0), 30, metric("errors", "pass", 9), metric("latency", "undecided", 0)),
		run("aaaa000006", "not judged", at(20, 9, 0), 1, metric("errors", "undecided", 0), metric("latency", "undecided", 0)),
		run("aaaa000007", "fail", at(23, 9, 0), 3, metric("errors", "pass", 2), metric("latency", "fail", 3)),
		run("aaaa000008", "pass", at(24, 9, 0), 30, metric("errors", "pass", 9), metric("latency", "pass", 9)),
		label("aaaa000001", "good"), label("aaaa000002", "bad"), label("aaaa000003", "good"), label("aaaa000004", "bad"),
		label("aaaa000005", "good"), label("aaaa000003", "bad"), label("aaaa000003", "good"),
	}
	lines[3].Run.Met = &ledger.Met{Requests: 100, Excess: 20, AtFull: 400}
	lines[3].Run.Commits = []string{"c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"}
	lines[6].Run.Reverts = []string{"decade00decade00decade00decade00decade00"}
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	for _, l := range lines {
		if err := ledger.Append(path, l); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestSummarise(t *testing.T) {
	t.Parallel()
	l, err := ledger.Read(some(t))
	if err != nil || len(l.Skipped) > 0 {
		t.Fatal(err, l.Skipped)
	}
	s := l.Summarise(nil)
	weeks := []ledger.Week{
		{Monday: "2026-11-09", Runs: 1, Pass: 1},
		{Monday: "2026-11-16", Runs: 5, Pass: 1, Fail: 2, Inconclusive: 1, NotJudged: 1},
		{Monday: "2026-11-23", Runs: 2, Pass: 1, Fail: 1},
	}
	if !reflect.DeepEqual(s.Weeks, weeks) {
		t.Errorf("weeks %+v; want %+v", s.Weeks, weeks)
	}
	times := []ledger.OutcomeTime{{"pass", 3, 1200, 1800}, {"fail", 3, 180, 240}, {"inconclusive", 1, 1800, 1800}}
	if !reflect.DeepEqual(s.Outcomes, times) {
		t.Errorf("times %+v; want %+v", s.Outcomes, times)
	}
	metrics := []ledger.MetricSummary{
		{Service: "shop", Name: "errors", Runs: 7, Failed: 2, Last: 2, Alarms: 1},
		{Service: "shop", Name: "latency", Runs: 7, Failed: 1, Kept: 1, Last: 2, Alone: 1},
	}
	if !reflect.DeepEqual(s.Metrics, metrics) {
		t.Errorf("metrics %+v; want %+v", s.Metrics, metrics)
	}
	// R: binom.test(1, 3) and (1, 2), of which the limits are .0084037593 .9057006759 and .0125791 .9874209.
	close := func(a report.Number, b float64) bool { return math.Abs(float64(a)-b) < 1e-6 }
	if g := s.Good; g.Runs != 3 || g.Pass != 1 || g.Fail != 1 || g.Inconclusive != 1 || !close(g.Wrong, 1./3) || !close(g.Lower, .0084037593) || !close(g.Upper, .9057006759) {
		t.Errorf("good %+v", g)
	}
	if b := s.Bad; b.Runs != 2 || b.Pass != 1 || b.Fail != 1 || !close(b.Wrong, .5) || !close(b.Lower, .0125791) || !close(b.Upper, .9874209) {
		t.Errorf("bad %+v", b)
	}
	if s.Spared == nil || *s.Spared != (ledger.Spared{1, 100, 20, 400}) {
		t.Errorf("spared %+v; want what the one bad change that failed did", s.Spared)
	}
	if len(s.Unlabelled) != 1 || !strings.HasPrefix(s.Unlabelled[0], "aaaa000007") {
		t.Errorf("unlabelled %q; want the last fail", s.Unlabelled)
	}
}

// A revert that was reverted says that the change was good, unless somebody has said otherwise.
func TestDerive(t *testing.T) {
	t.Parallel()
	l, err := ledger.Read(some(t))
	if err != nil {
		t.Fatal(err)
	}
	if none := l.Derive([]string{"c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00", "decad", ""}); len(none) > 0 {
		t.Errorf("%+v of commits that are no reverts, and of names that are too short", none)
	}
	derived := l.Derive([]string{"decade00decade00"})
	if len(derived) != 1 || derived[0].Run != "aaaa000007" || derived[0].Truth != ledger.Good {
		t.Fatalf("%+v; want run 7 to be good", derived)
	}
	if s := l.Summarise(derived); s.Good.Runs != 4 || s.Good.Fail != 2 || len(s.Unlabelled) > 0 {
		t.Errorf("good %+v, unlabelled %q", s.Good, s.Unlabelled)
	}
	l.Labels["aaaa000007"] = ledger.Label{Run: "aaaa000007", Truth: ledger.Bad}
	if s := l.Summarise(derived); s.Good.Runs != 3 || s.Bad.Fail != 2 {
		t.Errorf("labelled bad: good %+v, bad %+v", s.Good, s.Bad)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	l, err := ledger.Read(some(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]string{"aaaa000004": "aaaa000004", "C0FFEE": "aaaa000004"} {
		if r, err := l.Find(name); err != nil || r.ID != id {
			t.Errorf("%s: %v, %v; want %s", name, r, err, id)
		}
	}
	for name, want := range map[string]string{"aaa": "too short", "aaaa": "more than one run", "bbbb": "the last ones are aaaa000006"} {
		if _, err := l.Find(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", name, err, want)
		}
	}
	if r, err := l.Before(at(24, 9, 29), "shop"); err != nil || r.ID != "aaaa000002" {
		t.Errorf("%v, %v; want the second run: the last had not passed yet, those between did not pass", r, err)
	}
	if _, err := l.Before(at(24, 9, 30), "other"); err == nil || !strings.Contains(err.Error(), "no run of other passed before 2026-11-24T09:30:00Z") {
		t.Error(err)
	}
}

// What is broken in a ledger is told, and costs nothing else; what is no ledger is refused.
func TestBrokenLedgers(t *testing.T) {
	t.Parallel()
	path := some(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cut := whole[:len(whole)-20]
	if err := os.WriteFile(path, cut, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Append(path, ledger.Line{Run: &ledger.Run{ID: "bbbb000001", Outcome: "pass", Start: at(25, 0, 0), End: at(25, 1, 0)}}); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Read(path)
	if err != nil || len(l.Runs) != 9 || len(l.Skipped) != 1 || !strings.Contains(l.Skipped[0], "line 15: it was cut off") {
		t.Errorf("%v, %d runs, %q; want 9 runs and the cut line told", err, len(l.Runs), l.Skipped)
	}
	for _, c := range []struct{ line, want string }{
		{`{"schema":"canary-judge/ledger/v1"}`, "neither a run nor a label"},
		{`{"schema":"canary-judge/ledger/v2","run":{}}`, "this version reads"},
		{`{"schema":"canary-judge/ledger/v1","run":{"id":"x","outcome":"maybe"}}`, "want pass"},
		{`{"schema":"canary-judge/ledger/v1","run":{"id":"x","outcome":"pass"}}`, "no window"},
		{`{"schema":"canary-judge/ledger/v1","label":{"run":"x","truth":"ugly"}}`, "want good or bad"},
		{`[]`, "no line of a ledger"},
	} {
		file := filepath.Join(t.TempDir(), "l.jsonl")
		if err := os.WriteFile(file, append(bytes.Clone(whole), c.line...), 0o600); err != nil {
			t.Fatal(err)
		}
		if l, err := ledger.Read(file); err != nil || len(l.Runs) != 8 || len(l.Skipped) != 1 || !strings.Contains(l.Skipped[0], c.want) {
			t.Errorf("%s: %v, %q; want %q", c.line, err, l.Skipped, c.want)
		}
	}
	other := filepath.Join(t.TempDir(), "other.jsonl")
	if err := os.WriteFile(other, []byte(`{"schema":"canary-judge/recording/v1"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Read(other); err == nil || !strings.Contains(err.Error(), "neither a ledger") {
		t.Error(err)
	}
	if err := ledger.Check(other); err == nil || !strings.Contains(err.Error(), "no ledger") {
		t.Error(err)
	}
	if l, err := ledger.Read(filepath.Dir(other)); err != nil || len(l.Runs) > 0 {
		t.Errorf("%v, %d runs; want a directory's other files to be passed over", err, len(l.Runs))
	}
	if err := ledger.Check(filepath.Join(t.TempDir(), "none", "l.jsonl")); err == nil || !strings.Contains(err.Error(), "make it first") {
		t.Error(err)
	}
}

// Of the same run the override counts, whichever is read first; else the later.
func TestLastOfARunCounts(t *testing.T) {
	t.Parallel()
	plain := ledger.Run{ID: "a", Outcome: "fail", Start: at(1, 0, 0), End: at(1, 1, 0), At: at(1, 2, 0)}
	overridden := plain
	overridden.Override, overridden.At = &ledger.Override{Verdict: "pass"}, at(1, 1, 0)
	for _, order := range [][2]ledger.Run{{plain, overridden}, {overridden, plain}} {
		path := filepath.Join(t.TempDir(), "l.jsonl")
		if err := ledger.Append(path, ledger.Line{Run: &order[0]}, ledger.Line{Run: &order[1]}); err != nil {
			t.Fatal(err)
		}
		if l, err := ledger.Read(path); err != nil || len(l.Runs) != 1 || l.Runs[0].Override == nil {
			t.Errorf("%v, %+v; want the override", err, l.Runs)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema":"canary-judge/ledger/v1","run":{"id":"a","outcome":"pass","start":"2026-11-01T00:00:00Z","end":"2026-11-01T00:01:00Z","metrics":[{"name":"e","decision":"pass","lower":null}]}}`))
	f.Add([]byte(`{"schema":"canary-judge/ledger/v1","label":{"run":"a","truth":"good"}}` + "\n\n{"))
	f.Add([]byte(`{"schema":"canary-judge/result/v1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "l.jsonl")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := ledger.Read(path)
		if err != nil {
			return
		}
		var out bytes.Buffer
		s := l.Summarise(nil)
		for _, write := range []func() error{func() error { return s.Text(&out) }, func() error { return s.JSON(&out) }, func() error { return s.HTML(&out) }} {
			if err := write(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
