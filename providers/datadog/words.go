package datadog

import (
	"regexp"
	"strings"
)

// word is a word of a filter, with what is quoted or escaped in it, or a sign that
// structures the filter.
var word = regexp.MustCompile(`[(),]|(?:"(?:[^"\\]|\\.)*"|[^\s(),"\\]|\\.)+`)

// words splits a filter, of metrics or of events.
func words(text string) []string { return word.FindAllString(text, -1) }

// position is a place in a filter.
type position struct{ before, after []string }

// besideOr reports whether the place is one side of an OR: what stands there would
// hold for one of the alternatives only.
func (p position) besideOr() bool {
	depth := 0
	for i := len(p.before) - 1; i >= 0 && depth >= 0; i-- {
		switch w := p.before[i]; {
		case w == ")":
			depth++
		case w == "(":
			depth--
		case depth == 0 && strings.EqualFold(w, "OR"):
			return true
		}
	}
	depth = 0
	for _, w := range p.after {
		switch {
		case w == "(":
			depth++
		case w == ")":
			depth--
		case depth == 0 && strings.EqualFold(w, "OR"):
			return true
		}
		if depth < 0 {
			break
		}
	}
	return false
}

// glued reports whether what stands between two texts would be one word with one of
// them.
func glued(before, after string) bool {
	return before != "" && !strings.ContainsAny(before[len(before)-1:], " \t\n(,!-") ||
		after != "" && !strings.ContainsAny(after[:1], " \t\n),")
}

// negated reports whether what stands in the place is negated by what stands before
// it.
func (p position) negated() bool {
	n := len(p.before)
	return n > 0 && (strings.EqualFold(p.before[n-1], "NOT") || p.before[n-1] == "-")
}
