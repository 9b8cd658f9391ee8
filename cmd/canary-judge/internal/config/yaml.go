package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parseYAML returns the root node of the only document.
func parseYAML(name string, text []byte, lines []string) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, Problems{{File: name, Message: "the file is empty"}}
	} else if err != nil {
		return nil, Problems{yamlProblem(name, lines, err)}
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, Problems{noMapping(name, lines)}
	}
	var more yaml.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, Problems{{File: name, Message: "want one document; there is more after ---"}}
	}
	return doc.Content[0], nil
}

// noMapping says that the file is no mapping, and which line keeps it from being one.
func noMapping(name string, lines []string) Problem {
	for i := range lines {
		if cure := lineSlip(lines[i]); cure != "" {
			return inLine(name, lines, i+1, indent(lines[i])+1, cure)
		}
	}
	return Problem{File: name, Message: "want a mapping with baseline, canary and metrics"}
}

// yamlProblem is a syntax error, in place: that of the slip behind it where it is one that
// people make, else where the parser noticed.
func yamlProblem(name string, lines []string, err error) Problem {
	var syntax *yaml.LoadError
	if !errors.As(err, &syntax) || syntax.Mark.Line < 1 || syntax.Mark.Line > len(lines)+1 {
		return Problem{File: name, Message: "not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	line, column, message := syntax.Mark.Line, max(syntax.Mark.Column, 1), syntax.Message
	if at, cure := slip(lines, line, column, message); cure != "" {
		if at != line {
			column = indent(lines[at-1]) + 1
		}
		return inLine(name, lines, at, column, "not YAML: "+cure)
	}
	return inLine(name, lines, line, column, "not YAML: "+message)
}

// inLine is a problem in a line, which is shown unless it may hold a secret. What is noticed
// behind the last line is in that.
func inLine(name string, lines []string, line, column int, message string) Problem {
	line = min(line, len(lines))
	p := Problem{File: name, Line: line, Column: column, Message: message}
	if source := strings.TrimRight(lines[line-1], "\r"); !secretLine.MatchString(source) {
		p.Source = source
	}
	return p
}

// secretLine is a line that may hold a secret; without a syntax to go by, its
// words must do.
var secretLine = regexp.MustCompile(`(?i)token|password|key|secret|authorization`)

// slip returns the slip behind a syntax error that the parser noticed at a place, and its
// line: as a rule that line, or one before it.
func slip(lines []string, line, column int, message string) (at int, cure string) {
	before := line - 1
	for before > 0 && blank(lines[before-1]) {
		before--
	}
	for _, at := range []int{line, before} {
		if at >= 1 && at <= len(lines) {
			if cure := lineSlip(lines[at-1]); cure != "" {
				return at, cure
			}
		}
	}
	switch {
	case strings.Contains(message, "unexpected end of stream"), strings.Contains(message, "document indicator"):
		if at := unclosedQuote(lines); at > 0 {
			return at, "a quote in this line is not closed"
		}
	case strings.Contains(message, "',' or"):
		if at := unclosedBracket(lines[:min(line, len(lines))]); at > 0 && at < line {
			return at, "a { or [ in this line is not closed"
		}
		return line, "a text with { } [ ] or a comma inside of { } or [ ] is quoted, as in value: 'avg(cpu{$arm})'"
	case strings.Contains(message, "expected ':'") && before > 0:
		return before, "this line is no key with a value: a text over several lines is indented further than its key"
	case strings.Contains(message, "alphabetic or numeric"):
		return line, `a star, or an &, begins a name of YAML's: as a text it is quoted, "*"`
	case strings.Contains(message, "anchor"):
		return line, message + "; an anchor is set with & where its value stands first"
	}
	if line > len(lines) {
		return 0, ""
	}
	text := lines[line-1]
	switch {
	case strings.Contains(message, "mapping values are not allowed"):
		if strings.Contains(text[:byteAt(text, column)], ": ") {
			return line, "there is a second colon: a text with a colon before a space, or at its end, is quoted"
		}
		if before > 0 && indent(text) > indent(lines[before-1]) {
			return line, fmt.Sprintf("this line is indented by %d spaces, and belongs to the one above, which is by %d: indent both alike", indent(text), keyIndent(lines[before-1]))
		}
	case strings.Contains(message, "expected '-' indicator"), strings.Contains(message, "expected key"):
		if strings.Count(text, `"`) > 2 {
			return line, `there is more after the closing quote: write the quotes inside of others as \", or use ' around them`
		}
		if before > 0 {
			return line, fmt.Sprintf("this line is indented by %d spaces, as no key above is: indent it as far as those it belongs to", indent(text))
		}
	}
	return 0, ""
}

// lineSlip returns what is wrong with a line by itself.
func lineSlip(text string) string {
	start := strings.TrimLeft(text, " ")
	switch {
	case blank(text):
		return ""
	case strings.HasPrefix(strings.TrimLeft(text, " \t"), "#"):
		return ""
	case strings.HasPrefix(start, "\t"):
		return "a tab indents this line; YAML takes spaces alone"
	case strings.HasPrefix(start, "\u00a0") || strings.HasPrefix(start, "\u3000"):
		return "a space that is none of ASCII's indents this line; write plain spaces"
	case strings.HasPrefix(start, "–") || strings.HasPrefix(start, "—") || strings.HasPrefix(start, "−") || strings.HasPrefix(start, "•"):
		return "the mark at the start of this line is no - of ASCII, which starts an item of a list"
	case strings.Contains(text, "："):
		return "the colon in this line is not ASCII's :"
	case noColon.MatchString(start):
		return "a key is followed by a colon and a space: " + noColon.ReplaceAllString(start, "$1: $2")
	}
	return ""
}

// noColon is a line with a key that lacks the space after its colon, or has an equals sign.
var noColon = regexp.MustCompile(`^([a-z_]+)(?::|\s*=\s*)([^\s:=/{\[("'][^\s:/{\[("']*)\s*$`)

func blank(text string) bool { return strings.TrimSpace(text) == "" }

// indent is how many spaces a line begins with; keyIndent is where its key begins, after
// the - of an item.
func indent(text string) int { return len(text) - len(strings.TrimLeft(text, " ")) }

func keyIndent(text string) int {
	n := indent(text)
	for strings.HasPrefix(text[n:], "- ") {
		n += 2 + indent(text[n+2:])
	}
	return n
}

// byteAt returns where a column, from 1, is in a text.
func byteAt(text string, column int) int {
	at := 0
	for ; column > 1 && at < len(text); column-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// unclosedQuote returns the first line with a quote that it does not close, 0 for none.
func unclosedQuote(lines []string) int {
	for i, text := range lines {
		for _, quote := range []string{`"`, `'`} {
			if strings.Count(strings.ReplaceAll(text, `\"`, ""), quote)%2 == 1 && strings.Contains(text, " "+quote) {
				return i + 1
			}
		}
	}
	return 0
}

// unclosedBracket returns the last line that opens more brackets than it closes, 0 for none.
func unclosedBracket(lines []string) int {
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.Count(lines[i], "{")+strings.Count(lines[i], "[") > strings.Count(lines[i], "}")+strings.Count(lines[i], "]") {
			return i + 1
		}
	}
	return 0
}
