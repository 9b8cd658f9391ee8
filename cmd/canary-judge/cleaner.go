package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/web"
)

// cleanWriter writes lines from outside, harmless. A line that ends in a carriage return, as
// progress does, is one of its own; one that is very long is cut.
type cleanWriter struct {
	to       io.Writer
	line     []byte
	cut      bool // what came of the line beyond longestLine is left out
	returned bool // a carriage return has just ended a line
}

// longestLine is how much of a line is shown, in bytes.
const longestLine = 16 << 10

func (c *cleanWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		at := bytes.IndexAny(rest, "\r\n")
		if at < 0 {
			c.add(rest)
			return len(p), nil
		}
		c.add(rest[:at])
		newline := rest[at] == '\n'
		some := len(c.line) > 0
		if some || newline && !c.returned {
			c.end()
		}
		c.returned = !newline && some
		rest = rest[at+1:]
	}
	return len(p), nil
}

// add adds to the line that is under way.
func (c *cleanWriter) add(text []byte) {
	if len(text) == 0 {
		return
	}
	c.returned = false
	fits := min(len(text), longestLine-len(c.line))
	c.line, c.cut = append(c.line, text[:fits]...), c.cut || fits < len(text)
}

// end writes the line that is under way.
func (c *cleanWriter) end() {
	text := report.Clean(web.Strike(strings.ToValidUTF8(string(c.line), "\ufffd")))
	if c.cut {
		text += "… (cut)"
	}
	fmt.Fprintln(c.to, text)
	c.line, c.cut = c.line[:0], false
}

// close writes what came without the end of a line.
func (c *cleanWriter) close() {
	if len(c.line) > 0 {
		c.end()
	}
}
