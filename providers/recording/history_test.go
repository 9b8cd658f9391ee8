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

// A history is read as it was written, and a reader that knows nothing of histories sees the
// mark of a look in the warm-up: "look" and "t" are enough for it.
func TestHistoriesAreKept(t *testing.T) {
	t.Parallel()
	for _, want := range []recording.History{
		{
			Start: begin, From: begin.Add(-2 * time.Hour), Since: begin.Add(-time.Hour), To: begin.Add(-time.Minute),
			Warmup: 6, Steps: 60, Notes: []string{"a <note>"},
		},
		{Start: begin, Back: []time.Duration{24 * time.Hour, 48 * time.Hour}, Warmup: 0, Steps: 3},
	} {
		path := filepath.Join(t.TempDir(), "run.jsonl")
		w := create(t, path, recording.Header{})
		must(t, w.Point(samples(0)[0]))
		must(t, w.History(want))
		must(t, w.Abandon())
		r, err := recording.Open(path)
		must(t, err)
		if diff := cmp.Diff(&want, r.History); diff != "" {
			t.Errorf("(-written +read):\n%s", diff)
		}
		if !r.Judged.IsZero() {
			t.Error("a history counts as a look")
		}
		lines := strings.Split(content(t, path), "\n")
		var old struct {
			Look *int      `json:"look"`
			Time time.Time `json:"t"`
		}
		must(t, json.Unmarshal([]byte(lines[2]), &old))
		if old.Look == nil || *old.Look != 0 || !old.Time.Equal(begin) {
			t.Errorf("others read %s as %+v", lines[2], old)
		}
	}
}

// A history that cannot be one is an error in its line.
func TestHistoriesThatAreNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"warmup":1,"steps":20}`:                    `from of a history is ""`,
		`{"back":["1d"],"warmup":1,"steps":20}`:      `lies "1d" back`,
		`{"back":["-1h"],"warmup":1,"steps":20}`:     `lies "-1h" back`,
		`{"back":["1h"],"warmup":-1,"steps":20}`:     "20 steps after a warm-up of -1",
		`{"back":["1h"],"warmup":1}`:                 "0 steps after a warm-up of 1",
		`{"from":"yesterday","warmup":1,"steps":20}`: `from of a history is "yesterday"`,
		`{"from":"2026-11-23T09:00:00Z","since":"2026-11-23T08:00:00Z","to":"2026-11-23T10:00:00Z","warmup":1,"steps":20}`: "do not follow each other",
		`{"from":"2026-11-23T09:00:00Z","since":"2026-11-23T09:00:00Z","to":"2026-11-23T12:00:00Z","warmup":1,"steps":20}`: "do not follow each other",
		`{"from":"0001-01-01T00:00:00Z","since":"0001-01-01T00:00:00Z","to":"0001-01-01T00:00:00Z","warmup":1,"steps":20}`: "from of a history is",
	} {
		_, err := recording.Read(strings.NewReader(lines(header, `{"look":0,"t":"2026-11-23T11:00:00Z","history":`+text+`}`)))
		if err == nil || !strings.Contains(err.Error(), "line 2: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
