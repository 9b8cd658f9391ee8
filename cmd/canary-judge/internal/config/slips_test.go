package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// testdata/slips.txt has configs as people get them wrong. Each slip is told alone, in the
// line that it is in, without what follows from it, and with what to write instead.
func TestSlips(t *testing.T) {
	t.Parallel()
	all, err := os.ReadFile("testdata/slips.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, slip := range strings.Split("\n"+string(all), "\n== ")[1:] {
		name, rest, _ := strings.Cut(slip, "\n")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			var want, got []string
			for line := range strings.Lines(rest) {
				if told, is := strings.CutPrefix(line, "=> "); is {
					want = append(want, strings.TrimSpace(told))
					continue
				}
				text.WriteString(line)
			}
			_, err := parse(strings.NewReplacer("<TAB>", "\t", "<NBSP>", "\u00a0").Replace(text.String()), nil, nil)
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("accepted, or no problem of the config: %v", err)
			}
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Message))
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("told is\n  %s\nwanted is\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		})
	}
}
