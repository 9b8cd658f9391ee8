package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a config, and where.
type Problem struct {
	File         string
	Line, Column int    // from 1; 0 = the file as a whole
	Source       string // the line itself
	Message      string // what is wrong, and what would be right
}

func (p Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	text := fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
	if p.Source == "" {
		return text
	}
	number := fmt.Sprint(p.Line)
	indent := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string([]rune(p.Source)[:min(p.Column-1, len([]rune(p.Source)))]))
	return fmt.Sprintf("%s\n  %s | %s\n  %s | %s^", text, number, p.Source, strings.Repeat(" ", len(number)), indent)
}

// Problems is everything that is wrong with a config.
type Problems []Problem

func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, one := range p {
		texts[i] = one.Error()
	}
	return strings.Join(texts, "\n")
}

// errOrNil returns the problems in the order of the file, each once, or nil.
func (p Problems) errOrNil() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return slices.Compact(p)
}

// IsProblem reports whether an error is about a config's contents.
func IsProblem(err error) bool {
	var p Problems
	return errors.As(err, &p)
}

// list writes choices as a person would.
func list(words []string) string { return joined(words, " or ") }

// listAnd writes what belongs together as a person would.
func listAnd(words []string) string { return joined(words, " and ") }

func joined(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + last + words[len(words)-1]
}

// otherWords are what other tools call what has another name here.
var otherWords = map[string]string{
	"threshold": "tolerance", "margin": "tolerance", "interval": "step", "period": "step", "duration": "length",
	"delay": "lag", "control": "baseline", "stable": "baseline", "primary": "baseline", "experiment": "canary",
	"query": "value", "segments": "each", "by": "each", "dry_run": "advisory", "rollback": "revert", "remote": "push", "command": "run", "alpha": "false_alarm", "beta": "wrong_pass",
	"apm": "trace", "spans": "trace", "up": "increase", "higher": "increase", "more": "increase", "down": "decrease", "lower": "decrease",
	"less": "decrease", "both": "either", "any": "either", "errors": "bad", "failures": "bad", "successes": "good", "requests": "total", "count": "total",
}

// nearest returns the choice that a word was probably meant to be, or "".
func nearest(word string, choices []string) string {
	for other, ours := range otherWords {
		if slices.Contains(choices, ours) && edits(strings.ToLower(word), other) < min(2, max(1, len(other)-2)) {
			return ours
		}
	}
	best, distance := "", 3
	for _, c := range choices {
		if d := edits(strings.ToLower(word), c); d < distance && d < len(c) {
			best, distance = c, d
		}
	}
	return best
}

// edits returns the Levenshtein distance of two words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
