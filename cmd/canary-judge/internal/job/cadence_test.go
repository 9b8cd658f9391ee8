package job

import (
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// Which steps of ten have data, # for some, and which step they ask for.
func TestSparse(t *testing.T) {
	t.Parallel()
	start := time.Unix(1795428000, 0).UTC()
	for _, tt := range []struct {
		steps string
		part  providers.Part
		want  string // "" = none
	}{
		{"##########", providers.Value, ""},
		{"#.#.#.#.#.", providers.Value, "60s"},
		{".#.#.#.#.#", providers.Total, "60s"},
		{"..#..#..#.", providers.Buckets, "90s"},
		{".#....#...", providers.Value, "150s"},
		{".#....#...", providers.Total, ""}, // two are no rule of events
		{"#.#.#.#.#.", providers.Bad, ""},   // bad events may keep away
		{"#.#.#.....", providers.Value, ""}, // it ended
		{"....#.#.#.", providers.Value, ""}, // it began
		{"#.#..#.#.#", providers.Value, ""}, // not even
		{"#.#.###.#.", providers.Value, ""},
		{"#.........", providers.Value, ""},
		{"..........", providers.Value, ""},
	} {
		q := providers.Query{Part: tt.part, Start: start, End: start.Add(10 * 30 * time.Second), Step: 30 * time.Second}
		s := analysis.Series{Step: q.Step}
		for i, c := range tt.steps {
			at := start.Add(time.Duration(i) * q.Step)
			if c == '#' {
				s.Points = append(s.Points, analysis.ValuePoint(at, 1))
			} else if i%3 == 0 {
				s.Points = append(s.Points, analysis.Point{Time: at})
			}
		}
		got := Sparse(q, providers.Answer{Series: []analysis.Series{s}})
		if (got == "") != (tt.want == "") || !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s, %s: %q, want %q", tt.steps, tt.part, got, tt.want)
		}
	}
}
