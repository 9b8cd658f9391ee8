package recording_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers/recording"
)

// Stages are read as they were written: one whose command was killed is not done, and one that
// is set again began when it did first. Who knows nothing of stages sees marks of looks.
func TestStagesAreKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	w := create(t, path, recording.Header{})
	first := recording.Stage{Number: 1, Share: 0.01, Began: begin}
	must(t, w.Stage(begin, first))
	first.Done = begin.Add(1500 * time.Millisecond)
	must(t, w.Stage(begin, first))
	second := recording.Stage{Number: 2, Share: 0.25, Look: 7, Began: begin.Add(time.Minute)}
	must(t, w.Stage(begin.Add(time.Minute), second))
	again := second
	again.Look, again.Began, again.Done = 9, begin.Add(2*time.Minute), begin.Add(3*time.Minute)
	must(t, w.Stage(begin.Add(time.Minute), again))
	taken := recording.Stage{Number: 2, Share: 0.25, Look: 12, Began: begin.Add(5 * time.Minute)}
	must(t, w.Stage(begin.Add(4*time.Minute), taken))
	must(t, w.Abandon())
	r, err := recording.Open(path)
	must(t, err)
	second.Done = again.Done
	if diff := cmp.Diff([]recording.Stage{first, second, taken}, r.Stages); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	if !r.Judged.IsZero() {
		t.Error("a stage counts as a look")
	}
	for _, line := range strings.Split(strings.TrimSpace(content(t, path)), "\n")[1:] {
		var old struct {
			Look *int      `json:"look"`
			Time time.Time `json:"t"`
		}
		must(t, json.Unmarshal([]byte(line), &old))
		if old.Look == nil || old.Time.Before(begin) {
			t.Errorf("others read %s as %+v", line, old)
		}
	}
}

// A stage that cannot be one is an error in its line.
func TestStagesThatAreNone(t *testing.T) {
	t.Parallel()
	const good = `{"number":1,"share":0.1,"began":"2026-11-23T10:00:00Z","done":"2026-11-23T10:00:05Z"}`
	for text, want := range map[string]string{
		`{"number":0,"share":0.1,"began":"2026-11-23T10:00:00Z"}`:                               `stage 0 has the share 0.1`,
		`{"number":2,"share":1,"began":"2026-11-23T10:00:00Z"}`:                                 `stage 2 has the share 1`,
		`{"number":2,"began":"2026-11-23T10:00:00Z"}`:                                           `stage 2 has the share 0`,
		`{"number":2,"share":0.5}`:                                                              `began of a stage is ""`,
		`{"number":2,"share":0.5,"began":"now"}`:                                                `began of a stage is "now"`,
		`{"number":2,"share":0.5,"began":"2026-11-23T10:01:00Z","done":"2026-11-23T10:00:30Z"}`: "a stage was done before it began",
		`{"number":2,"share":0.5,"began":"2026-11-23T10:00:04Z"}`:                               "stage 2 began before the one before it was set",
	} {
		file := `{"format":"canary-judge/recording/v1"}` + "\n" +
			`{"look":0,"t":"2026-11-23T10:00:00Z","stage":` + good + "}\n" +
			`{"look":0,"t":"2026-11-23T10:00:00Z","stage":` + text + "}\n"
		_, err := recording.Read(strings.NewReader(file))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	back := `{"format":"canary-judge/recording/v1"}` + "\n" +
		`{"look":0,"t":"2026-11-23T10:00:00Z","stage":` + strings.Replace(good, `:1,`, `:2,`, 1) + "}\n" +
		`{"look":0,"t":"2026-11-23T10:01:00Z","stage":` + strings.ReplaceAll(good, "10:00", "10:01") + "}\n"
	early := `{"format":"canary-judge/recording/v1"}` + "\n" +
		`{"look":0,"t":"2026-11-23T10:00:00Z","stage":{"number":1,"share":0.1,"began":"2026-11-23T10:00:00Z"}}` + "\n" +
		`{"look":0,"t":"2026-11-23T10:00:00Z","stage":{"number":1,"share":0.1,"began":"2026-11-23T09:00:00Z","done":"2026-11-23T09:00:05Z"}}` + "\n"
	if _, err := recording.Read(strings.NewReader(early)); err == nil || !strings.Contains(err.Error(), "stage 1 was done before it began") {
		t.Errorf("a stage that was done before it began: %v", err)
	}
	if _, err := recording.Read(strings.NewReader(back)); err == nil || !strings.Contains(err.Error(), "stage 1 follows stage 2") {
		t.Errorf("stages that go back: %v", err)
	}
}
