package recording_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// samples are points of all kinds, one metric each.
func samples(second int) []recording.Point {
	p := recording.Point{Time: begin.Add(time.Duration(second) * time.Second), Arm: providers.Canary}
	value, gap, counts, silent, hist, none, unread := p, p, p, p, p, p, p
	value.Metric, value.Sample = "value <&> \"ü\"", analysis.ValueSample(0.30000000000000004)
	gap.Metric = "gap"
	counts.Metric, counts.Kind, counts.Sample = "counts", recording.Counts, analysis.CountSample(0, 1<<53)
	silent.Metric, silent.Kind, silent.Sample = "silent", recording.Counts, analysis.CountSample(nan, 5e-324)
	hist.Metric, hist.Kind = "histogram", recording.Histograms
	hist.Sample = analysis.BucketSample(stats.Histogram{Bounds: []float64{-1, 0.1}, Counts: []float64{0, 2.5, 1}})
	none.Metric, none.Kind = "no histogram", recording.Histograms
	unread.Metric, unread.Kind, unread.Sample = "unreadable histogram", recording.Histograms, analysis.GapSample("pods have different buckets")
	return []recording.Point{value, gap, counts, silent, hist, none, unread}
}

func create(t *testing.T, path string, h recording.Header) *recording.Writer {
	t.Helper()
	w, err := recording.Create(path, h)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

// The format is fixed: what one version writes, others read.
func TestFormat(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	w := create(t, path, recording.Header{
		Tool: "1.2.3", Started: begin.In(time.FixedZone("", 3600)), Config: json.RawMessage(`{"a":"<b>"}`),
		Window: &recording.Window{Start: begin, Step: "30s", Warmup: 2, Steps: 10},
	})
	for _, p := range samples(0) {
		must(t, w.Point(p))
	}
	must(t, w.Look(1, begin.Add(30*time.Second).In(time.FixedZone("", 3600))))
	must(t, w.Close(recording.End{Why: "error", Detail: "a\nb"}))
	want := lines(
		`{"format":"canary-judge/recording/v1","tool":"1.2.3","started":"2026-11-23T11:00:00+01:00","window":{"start":"2026-11-23T10:00:00Z","step":"30s","warmup":2,"steps":10},"config":{"a":"<b>"}}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"value <&> \"ü\"","arm":"canary","value":0.30000000000000004}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"gap","arm":"canary","value":null}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"counts","arm":"canary","bad":0,"total":9007199254740992}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"silent","arm":"canary","bad":null,"total":5e-324}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"histogram","arm":"canary","bounds":[-1,0.1],"counts":[0,2.5,1]}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"no histogram","arm":"canary","bounds":null,"counts":null}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"unreadable histogram","arm":"canary","bounds":null,"counts":null,"gap":"pods have different buckets"}`,
		`{"look":1,"t":"2026-11-23T10:00:30Z"}`,
		`{"end":"error","detail":"a\nb"}`,
	)
	if diff := cmp.Diff(want, content(t, path)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"run.jsonl", "run.jsonl.gz"} {
		path := filepath.Join(t.TempDir(), name)
		w := create(t, path, recording.Header{})
		want := new(recording.Recording)
		for second := range 3 {
			for _, p := range samples(second) {
				must(t, w.Point(p))
				must(t, want.Add(p))
			}
			must(t, w.Look(second+1, begin.Add(time.Duration(second+1)*time.Second)))
		}
		must(t, w.Abandon())
		got, err := recording.Open(path)
		must(t, err)
		for _, m := range want.Metrics() {
			for _, part := range map[recording.Kind][]providers.Part{
				recording.Values: {providers.Value}, recording.Counts: {providers.Bad, providers.Total}, recording.Histograms: {providers.Buckets},
			}[m.Kind] {
				if diff := cmp.Diff(held(t, want, m.Name, part), held(t, got, m.Name, part), cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s, %s of %s (-want +got)\n%s", name, part, m.Name, diff)
				}
			}
		}
		if diff := cmp.Diff(want.Metrics(), got.Metrics()); diff != "" || len(got.Warnings) > 0 || got.End != nil || !got.Judged.Equal(begin.Add(3*time.Second)) {
			t.Errorf("%s: warnings %q, end %v, judged %s (-want +got)\n%s", name, got.Warnings, got.End, got.Judged, diff)
		}
	}
}

// What was looked at is in the file, also while the run goes on.
func TestLooksAreOnDisk(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"run.jsonl", "run.jsonl.gz"} {
		path := filepath.Join(t.TempDir(), name)
		w := create(t, path, recording.Header{})
		must(t, w.Point(samples(0)[0]))
		must(t, w.Look(1, begin.Add(time.Second)))
		must(t, w.Point(samples(1)[0])) // of the look under way, lost in a crash
		r, err := recording.Open(path)
		must(t, err)
		if got := len(held(t, r, samples(0)[0].Metric, providers.Value)); got != 1 || !r.Judged.Equal(begin.Add(time.Second)) {
			t.Errorf("%s: %d points, judged to %s", name, got, r.Judged)
		}
		must(t, w.Abandon())
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	must(t, os.WriteFile(path, []byte("precious"), 0o600))
	_, err := recording.Create(path, recording.Header{})
	if err == nil || !strings.Contains(err.Error(), "exists already; continue it with --resume, or name another file") {
		t.Errorf("error %v", err)
	}
	if got := content(t, path); got != "precious" {
		t.Errorf("the file holds %q", got)
	}
}

func TestCreateFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	invalid := filepath.Join(dir, "invalid.jsonl")
	for _, tt := range []struct {
		name, path string
		header     recording.Header
		want       string
		is         error
	}{
		{"full disk", "/dev/full", recording.Header{}, "create the recording: write /dev/full", syscall.ENOSPC},
		{"no directory", filepath.Join(dir, "none", "run.jsonl"), recording.Header{}, "create the recording: ", os.ErrNotExist},
		// Permissions do not bind root, under whom tests may run.
		{"a file for a directory", filepath.Join(file, "run.jsonl"), recording.Header{}, "create the recording: ", syscall.ENOTDIR},
		{"a place where no files can be", "/proc/run.jsonl", recording.Header{}, "create the recording: ", os.ErrNotExist},
		{"a directory", dir, recording.Header{}, "is a directory", syscall.EISDIR},
		{"a config that is no JSON", invalid, recording.Header{Config: json.RawMessage("{")}, "append to the recording " + invalid, nil},
	} {
		if runtime.GOOS != "linux" && !strings.HasPrefix(tt.path, dir) {
			continue // other systems have no such devices
		}
		_, err := recording.Create(tt.path, tt.header)
		if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
	// What could not be begun is not in the way of the next try.
	if _, err := os.Stat(invalid); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of a recording that could not be begun: %v", err)
	}
	if _, err := os.Stat("/dev/full"); err != nil && runtime.GOOS == "linux" {
		t.Errorf("the device: %v", err)
	}
}

// A pipe cannot be overwritten, and need not be synced.
func TestDevices(t *testing.T) {
	t.Parallel()
	w := create(t, os.DevNull, recording.Header{})
	must(t, w.Look(1, begin))
	must(t, w.Close(recording.End{Why: "window"}))
}

func TestWritesThatFail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.jsonl")
	w := create(t, path, recording.Header{})
	p := samples(0)[0]
	p.Sample = analysis.ValueSample(math.Inf(1)) // of which JSON has no word
	if err := w.Point(p); err == nil || !strings.Contains(err.Error(), "append to the recording "+path) {
		t.Errorf("error %v", err)
	}
	must(t, w.Look(1, begin))
	if got, want := content(t, path), lines(header, `{"look":1,"t":"2026-11-23T10:00:00Z"}`); got != want {
		t.Errorf("a point that could not be written left a trace: %q", got)
	}
	must(t, w.Abandon())
	for _, err := range []error{w.Look(2, begin), w.Close(recording.End{Why: "window"}), w.Abandon()} {
		if !errors.Is(err, os.ErrClosed) || strings.Count(err.Error(), "append to the recording") > 1 {
			t.Errorf("after the end: %v", err)
		}
	}
}
