package recording_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// What guards said is read as it was written, and found by its time.
func TestSightings(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	want := []recording.Sighting{
		{Time: at, Sighting: providers.Sighting{Guard: "monitor 1", State: providers.Quiet, Detail: "\"a\nb\" is quiet", Link: "https://x/1"}},
		{Time: at, Sighting: providers.Sighting{Guard: "monitor 2", State: providers.Unread}},
		{Time: at.Add(time.Minute), Sighting: providers.Sighting{Guard: "monitor 1", State: providers.Alerting, Detail: "alerts"}},
	}
	path := filepath.Join(t.TempDir(), "run.jsonl")
	w, err := recording.Create(path, recording.Header{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range want {
		if err := w.Sighting(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(recording.End{Why: "window"}); err != nil {
		t.Fatal(err)
	}
	r, err := recording.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, r.Sightings); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, tt := range []struct {
		guard string
		at    time.Time
		want  providers.State
	}{
		{"monitor 1", at.Add(-time.Hour), providers.Quiet},
		{"monitor 1", at, providers.Quiet},
		{"monitor 1", at.Add(1), providers.Alerting},
		{"monitor 1", at.Add(time.Hour), ""},
		{"monitor 2", at.Add(1), ""},
		{"monitor 3", at, ""},
	} {
		if got, ok := r.Sighted(tt.guard, tt.at); got.State != tt.want || ok != (tt.want != "") {
			t.Errorf("%s at %s: %q, %v, want %q", tt.guard, tt.at, got.State, ok, tt.want)
		}
	}
}

// A state that is not known is no quiet one.
func TestSightingsOfNothing(t *testing.T) {
	t.Parallel()
	for _, state := range []string{`"fine"`, `""`, "null", "5"} {
		text := `{"format":"canary-judge/recording/v1"}` + "\n" + `{"t":"2026-11-23T10:00:00Z","guard":"monitor 1","state":` + state + "}\n"
		if r, err := recording.Read(strings.NewReader(text)); err == nil {
			t.Errorf("%s is read as %v", state, r.Sightings)
		}
	}
}
