package query

import (
	"regexp"
	"slices"
	"strings"
)

// word is a word of a filter, with what is quoted or escaped in it, or a sign that
// structures the filter.
var word = regexp.MustCompile(`[(),]|(?:"(?:[^"\\]|\\.)*"|[^\s(),"\\]|\\.)+`)

// Words splits a filter, of metrics or of events.
func Words(text string) []string { return word.FindAllString(text, -1) }

// position is a place in a filter.
type position struct{ before, after []string }

// besideOr reports whether the place, or anything in parentheses that it is in, is one side
// of an OR, or one of the values behind IN: what stands there would hold for one of the
// alternatives only.
func (p position) besideOr() bool {
	backwards := slices.Clone(p.before)
	slices.Reverse(backwards)
	return alternativesIn(backwards, ")", "(") || alternativesIn(p.after, "(", ")")
}

// alternativesIn reports whether there is an OR, or a comma of the values of IN, outside of
// the parentheses that open and close in a direction.
func alternativesIn(words []string, open, closed string) bool {
	depth := 0
	for i, w := range words {
		switch {
		case w == open:
			depth++
		case w == closed && depth > 0:
			depth--
		case w == closed && open == ")" && i > 0 && i+1 < len(words) && strings.EqualFold(words[i+1], "IN"):
			return true // there is a value between IN ( and the place
		case depth == 0 && strings.EqualFold(w, "OR"):
			return true
		}
	}
	return false
}

// firstOfIn reports whether the place is the first of several values behind IN.
func (p position) firstOfIn() bool {
	n := len(p.before)
	return n > 1 && p.before[n-1] == "(" && strings.EqualFold(p.before[n-2], "IN") && len(p.after) > 0 && p.after[0] == ","
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
