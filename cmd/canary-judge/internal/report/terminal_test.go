package report_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

// until stops telling after some looks.
type until struct {
	*report.Terminal
	looks int
}

func (u until) Look(l job.Look) {
	if l.Number <= u.looks {
		u.Terminal.Look(l)
	}
}

// over is what a terminal is told to write over what is there: the number of lines.
var over = regexp.MustCompile(`\x1b\[(\d+)A\x1b\[J`)

// screen returns what stands on a terminal after a run's first looks.
func (s scene) screen(t *testing.T, columns, rows, looks int) string {
	t.Helper()
	var b bytes.Buffer
	c := s.config(t)
	s.run(t, c, until{&report.Terminal{To: &b, Config: c, Size: func() (int, int) { return columns, rows }}, looks})
	var lines []string
	text := b.String()
	for {
		at := over.FindStringSubmatchIndex(text)
		if at == nil {
			return strings.Join(append(lines, strings.Split(text, "\n")...), "\n")
		}
		lines = append(lines, strings.Split(strings.TrimSuffix(text[:at[0]], "\n"), "\n")...)
		var n int
		if _, err := fmt.Sscan(text[at[2]:at[3]], &n); err != nil || n > len(lines) {
			t.Fatalf("%d lines are written over, and there are %d", n, len(lines))
		}
		lines = lines[:len(lines)-n]
		text = text[at[1]:]
	}
}

// TestTerminalGolden shows the table at a few sizes.
func TestTerminalGolden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scene         string
		columns, rows int
		looks         int
	}{
		{"pass", 160, 40, 8},
		{"pass", 100, 40, 8},
		{"pass", 60, 40, 8},
		{"fail-many", 160, 40, 3},
		{"fail-many", 160, 6, 3},
		{"fail-late", 160, 40, 20},
		{"inconclusive", 160, 40, 50},
		{"no-data", 160, 40, 8},
		{"hostile", 30, 10, 2},
	} {
		for _, s := range scenes {
			if s.name != c.scene {
				continue
			}
			screen := s.screen(t, c.columns, c.rows, c.looks)
			lines := strings.Split(strings.TrimSuffix(screen, "\n"), "\n")
			if len(lines) > c.rows {
				t.Errorf("%s: %d lines on %d rows:\n%s", c.scene, len(lines), c.rows, screen)
			}
			for _, line := range lines {
				if utf8.RuneCountInString(line) > c.columns || strings.ContainsAny(line, "\x1b\u202e") {
					t.Errorf("%s: this is no line of %d columns: %q", c.scene, c.columns, line)
				}
			}
			golden(t, fmt.Sprintf("%s.%dx%d.screen", c.scene, c.columns, c.rows), screen)
		}
	}
}
