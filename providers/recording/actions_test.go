package recording_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers/recording"
)

// What was done at the verdict is in the recording, whenever the run breaks off. The text
// is what versions before 1.0 wrote and read: to them each line is the end of the run.
func TestActions(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	w := create(t, path, recording.Header{})
	must(t, w.Look(1, begin))
	known := func() *recording.Recording {
		t.Helper()
		r, err := recording.Open(path)
		must(t, err)
		return r
	}
	steps := []struct {
		do      func() error
		line    string
		actions []recording.Action
		ended   bool
		whole   bool
	}{
		{func() error { return nil }, "", nil, false, false},
		{func() error { return w.End(recording.End{Why: "verdict", Verdict: "fail"}) }, `{"end":"verdict","verdict":"fail"}`, nil, true, false},
		{func() error { return w.Acting("revert") }, `{"end":"verdict","acting":"revert"}`, []recording.Action{{Name: "revert"}}, true, false},
		{
			func() error { return w.Acted("revert", json.RawMessage(`{"kind":"revert"}`)) }, `{"end":"verdict","acted":"revert","outcome":{"kind":"revert"}}`,
			[]recording.Action{{Name: "revert", Done: true, Outcome: json.RawMessage(`{"kind":"revert"}`)}}, true, false,
		},
		{w.Conclude, `{"end":"verdict","concluded":true}`, []recording.Action{{Name: "revert", Done: true, Outcome: json.RawMessage(`{"kind":"revert"}`)}}, true, true},
	}
	text := lines(header, `{"look":1,"t":"2026-11-23T10:00:00Z"}`)
	for _, s := range steps {
		must(t, s.do())
		if s.line != "" {
			text += s.line + "\n"
		}
		if diff := cmp.Diff(text, content(t, path)); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
		r := known()
		if diff := cmp.Diff(s.actions, r.Actions); diff != "" || r.Concluded != s.whole || (r.End != nil) != s.ended {
			t.Errorf("after %s: end %v, concluded %v, actions (-want +got)\n%s", s.line, r.End, r.Concluded, diff)
		}
		if s.ended && *r.End != (recording.End{Why: "verdict", Verdict: "fail"}) {
			t.Errorf("after %s: end %v", s.line, r.End)
		}
	}
}

// A run that is resumed after its verdict goes on as if it had not broken off.
func TestResumedActions(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	begun := lines(header, `{"end":"window","verdict":"inconclusive"}`, `{"end":"window","acting":"run"}`)
	must(t, os.WriteFile(path, []byte(begun), 0o600))
	w, r, err := recording.Resume(path)
	must(t, err)
	if a, ok := r.Action("run"); !ok || a.Done {
		t.Errorf("%v, %v", a, ok)
	}
	must(t, w.Resumed(recording.Process{PID: 7, Host: "h", Since: begin}))
	must(t, w.Acting("mark"))
	must(t, w.Conclude())
	want := begun + lines(`{"end":"window","resumed":{"pid":7,"host":"h","since":"2026-11-23T10:00:00Z"}}`, `{"end":"window","acting":"mark"}`, `{"end":"window","concluded":true}`)
	if diff := cmp.Diff(want, content(t, path)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if r, err = recording.Open(path); err != nil || r.End == nil || r.End.Verdict != "inconclusive" || r.Writer.PID != 7 || len(r.Actions) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := recording.Read(strings.NewReader(lines(header, `{"end":"verdict","acted":"run"}`))); err == nil {
		t.Error("an action ended that never began")
	}
}

// One process writes to a recording at a time; the next one is told who does.
func TestOneWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, link, hard := filepath.Join(dir, "run.jsonl"), filepath.Join(dir, "link.jsonl"), filepath.Join(dir, "hard.jsonl")
	first := &recording.Process{PID: 4711, Host: "runner-1", Since: begin}
	w := create(t, path, recording.Header{Writer: first})
	must(t, os.Symlink("run.jsonl", link))
	must(t, os.Link(path, hard))
	before := content(t, path)
	for _, name := range []string{path, link, hard} {
		_, createErr := recording.Create(name, recording.Header{})
		_, _, resumeErr := recording.Resume(name)
		for _, err := range []error{createErr, resumeErr} {
			var use *recording.InUse
			if !errors.As(err, &use) || !strings.Contains(err.Error(), "is being written by process 4711 on runner-1, since 2026-11-23T10:00:00Z") {
				t.Errorf("%s: error %v", name, err)
			}
		}
	}
	if got := content(t, path); got != before {
		t.Errorf("the recording changed to %q", got)
	}
	must(t, w.Look(1, begin.Add(time.Second)))
	must(t, w.Abandon())
	again, _, err := recording.Resume(link)
	must(t, err)
	must(t, again.Resumed(recording.Process{PID: 4712, Host: "runner-2", Since: begin.Add(time.Hour)}))
	if _, _, err := recording.Resume(path); err == nil || !strings.Contains(err.Error(), "process 4712 on runner-2") {
		t.Errorf("error %v", err)
	}
	must(t, again.Abandon())
}

// What a crash left before the first line is no recording yet.
func TestAnEmptyFileIsNoRecording(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	must(t, os.WriteFile(path, nil, 0o600))
	must(t, create(t, path, recording.Header{}).Abandon())
	if _, err := recording.Open(path); err != nil {
		t.Error(err)
	}
}
