package recording_test

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

var begin = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

const header = `{"format":"canary-judge/recording/v1"}`

// lines makes a text of lines, each with its end.
func lines(all ...string) string { return strings.Join(all, "\n") + "\n" }

func read(text string) (*recording.Recording, error) { return recording.Read(strings.NewReader(text)) }

// held asks a recording for a part of a metric of the canary, over a day.
func held(t *testing.T, r *recording.Recording, metric string, part providers.Part) []analysis.Point {
	t.Helper()
	answers, err := r.Fetch(context.Background(), []providers.Query{{
		Metric: metric, Arm: providers.Canary, Part: part, Start: begin, End: begin.Add(24 * time.Hour), Step: time.Second,
	}})
	if err != nil || answers[0].Err != nil {
		t.Fatal(err, answers)
	}
	if len(answers[0].Series) == 0 {
		return nil
	}
	return answers[0].Series[0].Points
}

func at(second int, v float64) analysis.Point {
	return analysis.ValuePoint(begin.Add(time.Duration(second)*time.Second), v)
}

var nan = math.NaN()

func TestRead(t *testing.T) {
	t.Parallel()
	r, err := read(lines(
		`{"format":"canary-judge/recording/v1","tool":"1.2.3","started":"2026-11-23T11:00:05+01:00","window":{"start":"2026-11-23T10:00:00Z","step":"30s","warmup":2,"steps":10},"config":{"a":1}}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"errors","arm":"canary","bad":3,"total":912}`,
		`{"t":"2026-11-23T11:00:30+01:00","metric":"errors","arm":"canary","bad":null,"total":900.5,"note":"keys of a later version"}`,
		`{"t":"2026-11-23T10:01:00Z","metric":"errors","arm":"canary","total":0}`,
		`{"t":"2026-11-23T10:01:30.5Z","metric":"errors","arm":"canary","bad":0,"total":null}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"errors","arm":"baseline","bad":1,"total":2}`,
		"",
		`{"t":"2026-11-23T10:00:00Z","metric":"p95","arm":"canary","value":0}`,
		`{"t":"2026-11-23T10:00:30Z","metric":"p95","arm":"canary","value":null}`,
		`{"t":"2026-11-23T10:01:00Z","metric":"p95","arm":"canary","value":-1.5e-3}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"slow","arm":"canary","bounds":[0.1,0.5],"counts":[1,0,2.5]}`,
		`{"t":"2026-11-23T10:00:30Z","metric":"slow","arm":"canary","bounds":null,"counts":null}`,
		`{"t":"2026-11-23T10:01:00Z","metric":"slow","arm":"canary","counts":[7]}`,
		`{"look":4,"t":"2026-11-23T10:02:00Z"}`,
		`{"end":"verdict","detail":"because"}`,
	))
	if err != nil {
		t.Fatal(err)
	}
	want := recording.Header{
		Format: recording.Format, Tool: "1.2.3", Started: time.Date(2026, 11, 23, 10, 0, 5, 0, time.UTC), Config: json.RawMessage(`{"a":1}`),
		Window: &recording.Window{Start: begin, Step: "30s", Warmup: 2, Steps: 10},
	}
	if diff := cmp.Diff(want, r.Header); diff != "" {
		t.Errorf("header (-want +got)\n%s", diff)
	}
	if !r.Judged.Equal(begin.Add(2*time.Minute)) || len(r.Warnings) > 0 {
		t.Errorf("judged to %s, warnings %q", r.Judged, r.Warnings)
	}
	if diff := cmp.Diff(&recording.End{Why: "verdict", Detail: "because"}, r.End); diff != "" {
		t.Errorf("end (-want +got)\n%s", diff)
	}
	half := at(90, 0)
	half.Time = half.Time.Add(500 * time.Millisecond)
	halfGap := analysis.Point{Time: half.Time}
	histogram := func(second int, h stats.Histogram) analysis.Point {
		return analysis.BucketPoint(at(second, nan).Time, h)
	}
	for _, tt := range []struct {
		metric string
		part   providers.Part
		want   []analysis.Point
	}{
		{"errors", providers.Bad, []analysis.Point{at(0, 3), at(30, nan), at(60, nan), half}},
		{"errors", providers.Total, []analysis.Point{at(0, 912), at(30, 900.5), at(60, 0), halfGap}},
		{"p95", providers.Value, []analysis.Point{at(0, 0), at(30, nan), at(60, -1.5e-3)}},
		{"slow", providers.Buckets, []analysis.Point{
			histogram(0, stats.Histogram{Bounds: []float64{0.1, 0.5}, Counts: []float64{1, 0, 2.5}}),
			at(30, nan), histogram(60, stats.Histogram{Counts: []float64{7}}),
		}},
		{"unknown", providers.Value, nil},
	} {
		if diff := cmp.Diff(tt.want, held(t, r, tt.metric, tt.part), cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s of %s (-want +got)\n%s", tt.part, tt.metric, diff)
		}
	}
	metrics := []recording.Metric{
		{Name: "errors", Kind: recording.Counts, Points: map[providers.Arm]int{providers.Canary: 4, providers.Baseline: 1}},
		{Name: "p95", Kind: recording.Values, Points: map[providers.Arm]int{providers.Canary: 3}},
		{Name: "slow", Kind: recording.Histograms, Points: map[providers.Arm]int{providers.Canary: 3}},
	}
	if diff := cmp.Diff(metrics, r.Metrics()); diff != "" {
		t.Errorf("metrics (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]time.Time{at(0, 0).Time, at(30, 0).Time, at(60, 0).Time, half.Time}, r.Times()); diff != "" {
		t.Errorf("times (-want +got)\n%s", diff)
	}
}

// A run that was resumed goes on after its end.
func TestALookAfterTheEnd(t *testing.T) {
	t.Parallel()
	r, err := read(lines(header, `{"look":1,"t":"2026-11-23T10:00:30Z"}`, `{"end":"interrupted"}`, `{"look":2,"t":"2026-11-23T10:01:00Z"}`))
	if err != nil || r.End != nil || !r.Judged.Equal(begin.Add(time.Minute)) {
		t.Errorf("%v, end %v, judged to %s", err, r.End, r.Judged)
	}
}

func TestAskForAnotherKind(t *testing.T) {
	t.Parallel()
	r, err := read(lines(header, `{"t":"2026-11-23T10:00:00Z","metric":"errors","arm":"canary","bad":3,"total":912}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []providers.Part{providers.Value, providers.Buckets} {
		answers, err := r.Fetch(context.Background(), []providers.Query{{Metric: "errors", Arm: providers.Canary, Part: part, Start: begin, End: begin.Add(time.Hour), Step: time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		if got := answers[0].Err; got == nil || !strings.Contains(got.Error(), "the recording holds counts, the config asks for a") {
			t.Errorf("%s: %v", part, got)
		}
	}
}

// One point, for tests of what stands after it.
const point = `{"t":"2026-11-23T10:00:00Z","metric":"p95","arm":"canary","value":1}`

func TestTornEnds(t *testing.T) {
	t.Parallel()
	next := `{"t":"2026-11-23T10:00:30Z","metric":"p95","arm":"canary","value":12}`
	whole := lines(header, point) + next
	for cut := len(lines(header, point)) + 1; cut < len(whole); cut++ {
		r, err := read(whole[:cut])
		if err != nil {
			t.Fatalf("%q: %v", whole[:cut], err)
		}
		if len(r.Warnings) != 1 || r.Warnings[0] != "line 3, the last, is torn off and was dropped" || len(held(t, r, "p95", providers.Value)) != 1 {
			t.Errorf("%q: warnings %q, %v", whole[:cut], r.Warnings, held(t, r, "p95", providers.Value))
		}
	}
	// Only the end of the line is missing: nothing is lost.
	r, err := read(whole)
	if err != nil || len(r.Warnings) > 0 || len(held(t, r, "p95", providers.Value)) != 2 {
		t.Errorf("without its newline: %v, %q", err, r.Warnings)
	}
	// Blocks that a file system had no time to fill.
	r, err = read(lines(header, point) + "\x00\x00\x00")
	if err != nil || len(r.Warnings) != 1 {
		t.Errorf("zeros: %v, %v", err, r)
	}
}

func TestTornCompressedFiles(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString(header + "\n")
	for i := range 5000 {
		text.WriteString(strings.Replace(point, "10:00:00Z", begin.Add(time.Duration(i)*time.Second).Format("15:04:05Z"), 1) + "\n")
	}
	packed := zip(t, text.String())
	for _, cut := range []int{len(packed) / 2, len(packed) - 9, len(packed) - 4, len(packed) - 1} {
		r, err := read(packed[:cut])
		if err != nil || len(r.Warnings) != 1 {
			t.Errorf("cut at %d of %d: %v, %v", cut, len(packed), err, r)
			continue
		}
		if n := len(held(t, r, "p95", providers.Value)); n == 0 || n > 5000 {
			t.Errorf("cut at %d of %d: %d points", cut, len(packed), n)
		}
	}
	for _, cut := range []int{3, 11} { // not even a header is left
		if r, err := read(packed[:cut]); err == nil {
			t.Errorf("cut at %d: %v", cut, r)
		}
	}
	bad := []byte(packed)
	bad[len(bad)-6] ^= 0xff // of the checksum
	if r, err := read(string(bad)); err == nil {
		t.Errorf("a wrong checksum: %v", r.Warnings)
	}
}

func TestBadRecordings(t *testing.T) {
	t.Parallel()
	line := func(text string) string { return lines(header, point, text, point) }
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "the file is empty"},
		{"only a byte order mark", "\ufeff", "the file is empty"},
		{"binary", "\x7fELF\x02\x01\x01\x00\x00", "is no column of a recording"},
		{"binary with quotes", "\x89PNG\"\r\n\x1a\n", "neither JSON lines nor CSV"},
		{"not quite gzip", "\x1f\x8b\x00\x00", "not a gzip file"},
		{"a compressed nothing", zip(t, ""), "the file is empty"},
		{"a torn header", header[:20], "line 1: not a recording: the first line is no header"},
		{"another format", `{"format":"canary-judge/result/v1"}`, `line 1: not a recording: the header's format is "canary-judge/result/v1", this tool reads "canary-judge/recording/v1"`},
		{"JSON of something else", `{"dashboard":{}}`, `the header's format is ""`},
		{"no header", lines(point), `line 1: not a recording: the header's format is ""`},
		{"a torn line in the middle", line(point[:30]), "line 3: unexpected end of JSON input"},
		{"no JSON in the middle", line("boom"), "line 3: invalid character 'b' looking for beginning of value"},
		{"a list", line("[]"), "line 3: cannot unmarshal array"},
		{"two objects", line("{}{}"), "line 3: invalid character '{' after top-level value"},
		{"no time", line(`{"metric":"p95","arm":"canary","value":1}`), `line 3: t is ""; want a time such as 2026-11-23T10:00:00Z`},
		{"a time that is none", line(`{"t":"noon","metric":"p95","arm":"canary","value":1}`), `t is "noon"`},
		{"a time before time", line(`{"t":"0001-01-01T00:00:00Z","metric":"q","arm":"canary","value":1}`), "0001-01-01T00:00:00Z is no time of a measurement"},
		{"a time that nanoseconds do not reach", line(`{"t":"2600-01-01T00:00:00Z","metric":"q","arm":"canary","value":1}`), "is no time of a measurement"},
		{"time backwards", line(`{"t":"2026-11-23T09:59:59.5Z","metric":"p95","arm":"canary","value":1}`), `line 3: metric "p95", canary: 2026-11-23T09:59:59.5Z comes after 2026-11-23T10:00:00Z: time goes backwards`},
		{"a point twice", line(point), `line 3: metric "p95", canary: a second point at 2026-11-23T10:00:00Z`},
		{"another kind", line(`{"t":"2026-11-23T10:00:30Z","metric":"p95","arm":"canary","total":1}`), `line 3: metric "p95", canary: counts after a value; a metric holds one kind`},
		{"another kind in the other arm", line(`{"t":"2026-11-23T10:00:30Z","metric":"p95","arm":"baseline","counts":[1]}`), `line 3: metric "p95", baseline: a histogram after a value; a metric holds one kind`},
		{"no metric", line(`{"t":"2026-11-23T10:00:30Z","arm":"canary","value":1}`), "line 3: no metric is named"},
		{"an empty metric", line(`{"t":"2026-11-23T10:00:30Z","metric":"","arm":"canary","value":1}`), "no metric is named"},
		{"no arm", line(`{"t":"2026-11-23T10:00:30Z","metric":"p95","value":1}`), `arm is ""; want baseline or canary`},
		{"another arm", line(`{"t":"2026-11-23T10:00:30Z","metric":"p95","arm":"stable\n","value":1}`), `arm is "stable"; want baseline or canary`},
		{"no number", line(`{"t":"2026-11-23T10:00:30Z","metric":"p95","arm":"canary"}`), "neither value, nor total, nor counts"},
		{"bad without total", line(`{"t":"2026-11-23T10:00:30Z","metric":"e","arm":"canary","bad":1}`), "neither value, nor total, nor counts"},
		{"a value as text", line(`{"t":"2026-11-23T10:00:30Z","metric":"p95","arm":"canary","value":"1"}`), `value is "1"; want a number or null`},
		{"a value beyond all", line(`{"t":"2026-11-23T10:00:30Z","metric":"p95","arm":"canary","value":1e999}`), "value is 1e999; want a number or null"},
		{"NaN", line(`{"t":"2026-11-23T10:00:30Z","metric":"p95","arm":"canary","value":NaN}`), "line 3: invalid character 'N'"},
		{"a total as text", line(`{"t":"2026-11-23T10:00:30Z","metric":"e","arm":"canary","bad":1,"total":true}`), "total is true; want a number or null"},
		{"a bad count as text", line(`{"t":"2026-11-23T10:00:30Z","metric":"e","arm":"canary","bad":"1","total":2}`), "line 3: cannot unmarshal string"},
		{"a count of null", line(`{"t":"2026-11-23T10:00:30Z","metric":"h","arm":"canary","bounds":[1],"counts":[1,null]}`), "line 3: a bucket holds NaN; want a finite count, at least 0"},
		{"a bound of null", line(`{"t":"2026-11-23T10:00:30Z","metric":"h","arm":"canary","bounds":[null],"counts":[1,2]}`), "the bounds must ascend and be finite; NaN does not fit"},
		{"a count below 0", line(`{"t":"2026-11-23T10:00:30Z","metric":"h","arm":"canary","bounds":[1],"counts":[1,-2]}`), "a bucket holds -2"},
		{"a count too few", line(`{"t":"2026-11-23T10:00:30Z","metric":"h","arm":"canary","bounds":[1,2],"counts":[1,2]}`), "2 counts for 2 bounds; want one more than bounds"},
		{"bounds that fall", line(`{"t":"2026-11-23T10:00:30Z","metric":"h","arm":"canary","bounds":[2,1],"counts":[1,2,3]}`), "the bounds must ascend and be finite; 1 does not fit"},
		{"counts that are no list", line(`{"t":"2026-11-23T10:00:30Z","metric":"h","arm":"canary","counts":7}`), "counts: want a list of numbers or null"},
		{"a long line", lines(header, strings.Repeat(" ", 5<<20)), "line 2: the line is longer than 4 MiB: this is no recording"},
		// It is no part of a line, so no crash tore it off.
		{"a wrong last line without its end", lines(header, point) + point, "line 3: metric \"p95\", canary: a second point"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := read(tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, error %v; want an error with %q", r, err, tt.want)
			}
		})
	}
}

// A byte order mark and Windows' ends of lines are no harm.
func TestMarksAndReturns(t *testing.T) {
	t.Parallel()
	r, err := read("\ufeff" + strings.ReplaceAll(lines(header, point), "\n", "\r\n"))
	if err != nil || len(held(t, r, "p95", providers.Value)) != 1 {
		t.Error(err)
	}
}

type unreadable struct{ err error }

func (u unreadable) Read([]byte) (int, error) { return 0, u.err }

func TestUnreadable(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]io.Reader{
		"at once": unreadable{os.ErrPermission},
		"later":   io.MultiReader(strings.NewReader(lines(header, point)), unreadable{os.ErrPermission}),
	} {
		if r, err := recording.Read(from); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	if _, err := recording.Open(filepath.Join(t.TempDir(), "nothing")); err == nil || !strings.Contains(err.Error(), "open the recording: ") {
		t.Errorf("no file: %v", err)
	}
	if _, err := recording.Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
}
