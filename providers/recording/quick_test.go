package recording

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// general reads a line as the general decoder does, and reports whether it is a
// point.
func general(text []byte) (Point, bool) {
	var l line
	if json.Unmarshal(text, &l) != nil || l.Why != nil || l.Look != nil {
		return Point{}, false
	}
	at, err := time.Parse(time.RFC3339, l.Time)
	if err != nil {
		return Point{}, false
	}
	p, err := l.point(at.UTC())
	return p, err == nil
}

// What the quick reader reads, the general one reads the same; and it does read
// what Writer writes.
func FuzzQuick(f *testing.F) {
	for _, text := range []string{
		`{"t":"2026-11-23T10:00:00Z","metric":"p95","arm":"canary","value":0.213}`,
		`{"t":"2026-11-23T10:00:00.5+01:00","metric":"p95","arm":"baseline","value":null}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"errors","arm":"canary","bad":3,"total":912}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"errors","arm":"canary","bad":null,"total":-1.5e-300}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"a","arm":"canary","value":01}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"a","arm":"canary","value":1.}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"a","arm":"canary","value":1e999}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"a","arm":"canary","value":1,"look":2}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"a\u0041","arm":"canary","value":1}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"","arm":"canary","value":1}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"a","arm":"canary","bad":1,"total":2,"total":3}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var q quick
		p, ok := q.point(text)
		if !ok {
			return
		}
		want, valid := general(text)
		if !valid {
			t.Fatalf("%q was read as %+v, and is no point", text, p)
		}
		if diff := cmp.Diff(want, p, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%q (-general +quick):\n%s", text, diff)
		}
	})
}

func TestQuickReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	var q quick
	for _, text := range []string{
		`{"t":"2026-11-23T10:00:00Z","metric":"latency p95","arm":"canary","value":0.213}`,
		`{"t":"2026-11-23T10:00:00Z","metric":"latency p95","arm":"baseline","value":null}`,
		`{"t":"2026-11-23T10:00:30Z","metric":"errors","arm":"canary","bad":null,"total":9.12e+21}`,
		`{"t":"2026-11-23T10:00:30Z","metric":"errors","arm":"baseline","bad":-0,"total":0}`,
	} {
		p, ok := q.point([]byte(text))
		want, valid := general([]byte(text))
		if !ok || !valid || !cmp.Equal(want, p, cmpopts.EquateNaNs()) {
			t.Errorf("%s: %+v, %v; want %+v", text, p, ok, want)
		}
	}
	if v, ok := quickNumber([]byte("-0")); !ok || !math.Signbit(v) {
		t.Errorf("-0 is %g, %v", v, ok)
	}
}
