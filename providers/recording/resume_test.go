package recording_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// A recording that a crash left in any state goes on: what is in memory after
// resuming is what the file holds, then and later.
func TestResume(t *testing.T) {
	t.Parallel()
	next := `{"t":"2026-11-23T10:00:30Z","metric":"p95","arm":"canary","value":12}`
	look := `{"look":1,"t":"2026-11-23T10:00:30Z"}`
	long := `{"t":"2026-11-23T10:00:30Z","metric":"` + strings.Repeat("x", 200_000)
	for _, tt := range []struct {
		name, text string
		kept       string // what must be left of it
		points     int
	}{
		{"whole", lines(header, point, look), lines(header, point, look), 1},
		{"with an end", lines(header, point, look, `{"end":"interrupted"}`), lines(header, point, look, `{"end":"interrupted"}`), 1},
		{"torn", lines(header, point) + next[:20], lines(header, point), 1},
		{"torn far behind the last line", lines(header, point) + long, lines(header, point), 1},
		{"torn just before the end of a line", lines(header, point) + next, lines(header, point, next), 2},
		{"blocks that were not filled", lines(header, point) + "\x00\x00", lines(header, point), 1},
		{"only a header", lines(header), lines(header), 0},
		{"only a header without its end", header, lines(header), 0},
		{"Windows", "\ufeff" + header + "\r\n" + point + "\r\n" + next[:9], "\ufeff" + header + "\r\n" + point + "\r\n", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "run.jsonl")
			must(t, os.WriteFile(path, []byte(tt.text), 0o600))
			w, r, err := recording.Resume(path)
			must(t, err)
			if got := len(held(t, r, "p95", providers.Value)); got != tt.points {
				t.Errorf("%d points in memory, want %d", got, tt.points)
			}
			if diff := cmp.Diff(tt.kept, content(t, path)); diff != "" {
				t.Errorf("the file (-want +got)\n%s", diff)
			}
			must(t, w.Point(recording.Point{Time: begin.Add(time.Hour), Metric: "p95", Arm: providers.Canary, Sample: analysis.ValueSample(7)}))
			must(t, w.Close(recording.End{Why: "window"}))
			again, err := recording.Open(path)
			must(t, err)
			if got := len(held(t, again, "p95", providers.Value)); got != tt.points+1 || len(again.Warnings) > 0 || again.End == nil {
				t.Errorf("%d points after all, want %d; warnings %q", got, tt.points+1, again.Warnings)
			}
		})
	}
}

func TestResumeFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tt := range []struct{ name, file, text, want string }{
		{"compressed", "a.jsonl.gz", zip(t, lines(header)), "is compressed; only a plain one can be resumed"},
		{"compressed under another name", "b.jsonl", zip(t, lines(header)), "is compressed; only a plain one can be resumed"},
		{"CSV", "c.csv", "time,metric,arm,value\n1795428000,p95,canary,7\n", "no file of JSON lines; only one that this tool wrote can be resumed"},
		{"empty", "d.jsonl", "", "the file is empty"},
		{"broken", "e.jsonl", lines(header, "boom", point), "line 2: "},
	} {
		path := filepath.Join(dir, tt.file)
		must(t, os.WriteFile(path, []byte(tt.text), 0o600))
		_, _, err := recording.Resume(path)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
		if got := content(t, path); got != tt.text {
			t.Errorf("%s: the file changed to %q", tt.name, got)
		}
	}
	if _, _, err := recording.Resume(filepath.Join(dir, "none")); err == nil {
		t.Error("resumed what is not there")
	}
}
