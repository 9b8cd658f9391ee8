package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/internal/files"
)

// formats are the ways to write a report.
var formats = []struct {
	name  string
	write func(r *report.Report, w io.Writer, s screen) error
}{
	{"text", func(r *report.Report, w io.Writer, s screen) error { return r.Text(w, s.colour, s.width) }},
	{"json", func(r *report.Report, w io.Writer, _ screen) error { return r.JSON(w) }},
	{"markdown", func(r *report.Report, w io.Writer, _ screen) error { return r.Markdown(w) }},
	{"html", func(r *report.Report, w io.Writer, _ screen) error { return r.HTML(w) }},
	{"openmetrics", func(r *report.Report, w io.Writer, _ screen) error { return r.OpenMetrics(w) }},
	{"junit", func(r *report.Report, w io.Writer, _ screen) error { return r.JUnit(w) }},
}

// screen is what is known of where a report is read: whether colours are shown, and how many characters a line has, 0
// where that does not matter.
type screen struct {
	colour bool
	width  int
}

func formatNames() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// output is one place a report goes to.
type output struct {
	format string
	to     io.Writer   // standard output or standard error; nil for a file
	file   *files.File // nil for those
}

// outputs are all places a report goes to.
type outputs []*output

// inUse is a file that a command reads or appends to, and what it is to it.
type inUse struct{ what, path string }

// openLogged is openOutputs for a command that judges: where the text goes nowhere and standard output is not taken, it
// goes to standard error, unless that is to be quiet. A file for a program is no reason to keep silent to people.
func (a *app) openLogged(o *options, others ...inUse) (outputs, error) {
	all, err := a.openOutputs(o.outputs, others...)
	told := slices.ContainsFunc(all, func(out *output) bool { return out.format == "text" || out.to == a.stdout })
	if err == nil && !told && !o.quiet {
		all = append(all, &output{format: "text", to: a.stderr})
	}
	return all, err
}

// openOutputs opens where a result goes to.
func (a *app) openOutputs(specs []string, others ...inUse) (outputs, error) {
	return a.openPlaces(formatNames(), specs, others...)
}

// openPlaces reads the -o flags of what can be written in some formats, and makes sure, before anything is fetched, that
// the files can be written, and that none of them is in use for something else.
func (a *app) openPlaces(formats, specs []string, others ...inUse) (outputs, error) {
	if len(specs) == 0 {
		specs = []string{"text"}
	}
	var all outputs
	for _, spec := range specs {
		format, path, named := strings.Cut(spec, "=")
		if !slices.Contains(formats, format) {
			all.close()
			return nil, fmt.Errorf("--output %q: unknown format; valid: %s, each with =PATH for a file", spec, strings.Join(formats, ", "))
		}
		o := &output{format: format}
		err := error(nil)
		if named && path == "" {
			err = errors.New("no path after the =; leave it out, or name a file")
		}
		if err == nil && path != "" && path != "-" {
			err = all.free(path, others)
		}
		if err == nil {
			o.to, o.file, err = a.destination(path)
		}
		if err != nil {
			all.close()
			return nil, fmt.Errorf("--output %s: %w", spec, err)
		}
		all = append(all, o)
	}
	return all, nil
}

// free reports whether a path is in use for something else that would be lost.
func (all outputs) free(path string, others []inUse) error {
	for _, o := range all {
		if o.file != nil && o.file.Regular() && files.Same(o.file.Path, path) {
			return fmt.Errorf("the %s result goes to this file already", o.format)
		}
	}
	for _, other := range others {
		if files.Same(other.path, path) && !device(path) {
			return fmt.Errorf("this file is %s, and would be lost", other.what)
		}
	}
	return nil
}

// device reports whether a path is there and no regular file.
func device(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular()
}

// destination returns where a path leads: to one of the process's own streams, or to a
// file. No path and - are standard output.
func (a *app) destination(path string) (io.Writer, *files.File, error) {
	if path == "" || path == "-" {
		return a.stdout, nil, nil
	}
	switch n, _ := files.Descriptor(path); n {
	case 1:
		return a.stdout, nil, nil
	case 2:
		return a.stderr, nil, nil
	}
	file, err := files.Open(path)
	return nil, file, err
}

// close lets go of pipes and devices.
func (all outputs) close() {
	for _, o := range all {
		if o.file != nil {
			_ = o.file.Close() // what was written to it has been checked
		}
	}
}

// write writes the report to all places.
func (all outputs) write(a *app, r *report.Report) error {
	return all.each(a, func(format string, w io.Writer, s screen) error {
		return formats[slices.Index(formatNames(), format)].write(r, w, s)
	})
}

// each writes to all places in their formats, each also when another one cannot be written.
func (all outputs) each(a *app, write func(format string, w io.Writer, s screen) error) error {
	var errs []error
	for _, o := range all {
		if err := o.write(a, write); err != nil {
			where := "standard output"
			switch {
			case o.file != nil:
				where = o.file.Path
			case o.to == a.stderr:
				where = "standard error"
			}
			errs = append(errs, fmt.Errorf("write the %s result to %s: %w", o.format, where, err))
		}
	}
	return errors.Join(errs...)
}

// writeFiles writes the report to the files among the places, for who reads it
// before the end. They are written again then.
func (all outputs) writeFiles(a *app, r *report.Report) error {
	return slices.DeleteFunc(slices.Clone(all), func(o *output) bool { return o.file == nil || !o.file.Regular() }).write(a, r)
}

func (o *output) write(a *app, write func(format string, w io.Writer, s screen) error) error {
	if o.file == nil {
		return write(o.format, o.to, a.screen(o.to))
	}
	var text bytes.Buffer
	if err := write(o.format, &text, screen{}); err != nil {
		return err
	}
	return o.file.Write(text.Bytes())
}

// text reports whether the report is printed for people.
func (all outputs) text() bool {
	return slices.ContainsFunc(all, func(o *output) bool { return o.format == "text" && o.file == nil })
}

// result returns the path of the first file with the result as JSON, which can be read again; report
// that of the first in another format; "" for none.
func (all outputs) result() string { return all.path(true) }
func (all outputs) report() string { return all.path(false) }

func (all outputs) path(asJSON bool) string {
	for _, o := range all {
		if o.file != nil && o.file.Regular() && (o.format == "json") == asJSON {
			return o.file.Path
		}
	}
	return ""
}

// terminal returns the descriptor of a terminal that a stream is, and false if
// it is none.
func terminal(w any) (int, bool) {
	if c, ok := w.(*checked); ok {
		w = c.Writer
	}
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

// screen returns what is known of where a stream is read.
func (a *app) screen(w io.Writer) screen {
	s := screen{colour: a.colour(w)}
	if fd, is := terminal(w); is {
		s.width, _, _ = term.GetSize(fd) // 0 where it does not say
	}
	return s
}
