package main

import (
	"fmt"
	"strings"
	"time"
)

// say tells a line.
func (s *stage) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// title begins a chapter.
func (s *stage) title(n int, text string) {
	s.say("\n%d. %s  (%s)\n", n, text, time.Since(s.began).Round(time.Second))
}

// quote shows what somebody else says.
func (s *stage) quote(text string) {
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		s.say("%s", strings.TrimRight("  | "+line, " "))
	}
}
