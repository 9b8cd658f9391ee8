package main

import (
	"golang.org/x/term"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/job"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

// progress returns how to tell of the run: in place on a terminal, in lines
// elsewhere.
func (a *app) progress(o *options, c *config.Config) job.Progress {
	fd, is := terminal(a.stderr)
	if !is || o.quiet || o.verbose || a.env["TERM"] == "dumb" {
		return &report.Log{To: a.stderr, Config: c, Quiet: o.quiet}
	}
	return &report.Terminal{To: a.stderr, Config: c, Colour: a.colour(a.stderr), Size: func() (columns, rows int) {
		columns, rows, err := term.GetSize(fd)
		if err != nil || columns <= 0 || rows <= 0 {
			return 80, 24
		}
		return columns, rows
	}}
}

// clear removes the progress from a terminal.
func (a *app) clear(p job.Progress) {
	if t, ok := p.(*report.Terminal); ok {
		t.Clear()
	}
}
