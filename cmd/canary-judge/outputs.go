package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

// formats are the ways to write a report.
var formats = []struct {
	name  string
	write func(r *report.Report, w io.Writer, colour bool) error
}{
	{"text", func(r *report.Report, w io.Writer, colour bool) error { return r.Text(w, colour) }},
	{"json", func(r *report.Report, w io.Writer, _ bool) error { return r.JSON(w) }},
	{"markdown", func(r *report.Report, w io.Writer, _ bool) error { return r.Markdown(w) }},
	{"html", func(r *report.Report, w io.Writer, _ bool) error { return r.HTML(w) }},
	{"junit", func(r *report.Report, w io.Writer, _ bool) error { return r.JUnit(w) }},
}

func formatNames() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// tempName is what a file is called until it is whole.
const tempName = ".canary-judge-*"

// output is one place a report goes to.
type output struct {
	format string
	path   string   // "" = standard output
	file   *os.File // a file beside path, which it will replace; nil to make one
}

// outputs are all places a report goes to.
type outputs []*output

// openOutputs reads the -o flags and makes sure, before anything is fetched, that
// the files can be written.
func openOutputs(specs []string) (outputs, error) {
	if len(specs) == 0 {
		specs = []string{"text"}
	}
	var all outputs
	for _, spec := range specs {
		format, path, _ := strings.Cut(spec, "=")
		if !slices.Contains(formatNames(), format) {
			all.discard()
			return nil, fmt.Errorf("--output %q: unknown format; valid: %s, each with =PATH for a file", spec, strings.Join(formatNames(), ", "))
		}
		o := &output{format: format, path: path}
		if path == "-" {
			o.path = ""
		}
		all = append(all, o)
		if o.path == "" {
			continue
		}
		var err error
		if o.file, err = os.CreateTemp(filepath.Dir(o.path), tempName); err != nil {
			all.discard()
			return nil, fmt.Errorf("--output %s: %w", spec, err)
		}
	}
	return all, nil
}

// discard gives up files that were not written.
func (all outputs) discard() {
	for _, o := range all {
		if o.file != nil {
			_ = o.file.Close() // nothing is in it
			_ = os.Remove(o.file.Name())
			o.file = nil
		}
	}
}

// write writes the report to all places. A file appears whole or not at all.
func (all outputs) write(a *app, r *report.Report) error {
	var errs []error
	for _, o := range all {
		if err := o.write(a, r); err != nil {
			where := "standard output"
			if o.path != "" {
				where = o.path
			}
			errs = append(errs, fmt.Errorf("write the %s result to %s: %w", o.format, where, err))
		}
	}
	return errors.Join(errs...)
}

// writeFiles writes the report to the files among the places, for who reads it
// before the end. They are written again then.
func (all outputs) writeFiles(a *app, r *report.Report) error {
	return slices.DeleteFunc(slices.Clone(all), func(o *output) bool { return o.path == "" }).write(a, r)
}

func (o *output) write(a *app, r *report.Report) error {
	at := slices.Index(formatNames(), o.format)
	if o.path == "" {
		return formats[at].write(r, a.stdout, a.colour(a.stdout))
	}
	file := o.file
	o.file = nil
	var err error
	if file == nil {
		if file, err = os.CreateTemp(filepath.Dir(o.path), tempName); err != nil {
			return err
		}
	}
	err = errors.Join(formats[at].write(r, file, false), file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), o.path)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // the error says more
	}
	return err
}

// text reports whether the report is printed for people.
func (all outputs) text() bool {
	return slices.ContainsFunc(all, func(o *output) bool { return o.format == "text" && o.path == "" })
}

// path returns the path of the first output with, or without, a format.
func (all outputs) path(format string, with bool) string {
	for _, o := range all {
		if o.path != "" && (o.format == format) == with {
			return o.path
		}
	}
	return ""
}

// terminal returns the descriptor of a terminal that a stream is, and false if
// it is none.
func terminal(w any) (int, bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	return int(f.Fd()), true
}

// colour reports whether to write in colour.
func (a *app) colour(w io.Writer) bool {
	_, is := terminal(w)
	return is && a.env["NO_COLOR"] == "" && a.env["TERM"] != "dumb"
}
