package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the images have no zones of their own

	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
	"github.com/canary-judge/canary-judge/providers/recording/exports"
)

// exported are the flags that say how another tool's file is read.
type exported struct {
	as               string
	baseline, canary string
	step             string
	zone             string
	decimal          string
	align            bool
}

func (e *exported) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&e.as, "as", "", "read another tool's file: `format` "+exports.Names())
	cmd.Flags().StringVar(&e.baseline, "baseline", "", "with --as: which series or requests of FILE are the baseline's, `LABEL=VALUE` or a name; without FILE, the baseline's file")
	cmd.Flags().StringVar(&e.canary, "canary", "", "the same for the canary")
	cmd.Flags().StringVar(&e.step, "step", "", "with --as: the `distance` of two steps, such as 30s (default: 10s for requests, the file's own for series)")
	cmd.Flags().StringVar(&e.zone, "time-zone", "", "with --as: the `zone` of times that name none, such as Europe/Berlin (default UTC)")
	cmd.Flags().StringVar(&e.decimal, "decimal", "", "with --as: what the comma in 1,234 is: `comma` for the decimal one, point for one between thousands")
	cmd.Flags().BoolVar(&e.align, "align", false, "with --as: the arms were measured one after the other; lay the canary's first step over the baseline's")
}

// given lists the flags beside --as that were set.
func (e *exported) given() []string {
	var names []string
	for name, set := range map[string]bool{
		"--baseline": e.baseline != "", "--canary": e.canary != "", "--step": e.step != "",
		"--time-zone": e.zone != "", "--decimal": e.decimal != "", "--align": e.align,
	} {
		if set {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// options reads the flags.
func (e *exported) options() (o exports.Options, err error) {
	o = exports.Options{Baseline: e.baseline, Canary: e.canary, Decimal: e.decimal, Align: e.align}
	if e.decimal != "" && e.decimal != "comma" && e.decimal != "point" {
		return o, fmt.Errorf("--decimal is %q; valid: comma or point", e.decimal)
	}
	if e.step != "" {
		if o.Step, err = providers.ParseDuration(e.step); err != nil || o.Step <= 0 {
			return o, fmt.Errorf("--step is %q; want a duration such as 30s", e.step)
		}
	}
	if e.zone != "" {
		if o.Zone, err = time.LoadLocation(e.zone); err != nil {
			return o, fmt.Errorf("--time-zone is %q; want a zone such as UTC or Europe/Berlin", e.zone)
		}
	}
	return o, nil
}

// inUse lists the files that no result may be written to.
func (e *exported) inUse(file string, o *options) []inUse {
	all := []inUse{{"the config", o.config}, {"the recording", o.record}}
	if file != "" {
		return append(all, inUse{"the recording", file})
	}
	return append(all, inUse{"the baseline's file", e.baseline}, inUse{"the canary's file", e.canary})
}

// counts reports whether the steps are made on reading, of requests.
func (e *exported) counts() bool { return exports.Format(e.as).Requests() }

// read reads one file with both arms, or, without its name, the arms' two.
func (e *exported) read(file string) (*recording.Recording, error) {
	o, err := e.options()
	if err != nil {
		return nil, err
	}
	files := []exports.File{{Name: file}}
	if file == "" {
		if e.baseline == "" || e.canary == "" {
			return nil, errors.New("which file? canary-judge replay --as FORMAT --baseline … --canary … FILE, or a file for each arm: --baseline FILE --canary FILE")
		}
		files = []exports.File{{Name: e.baseline, Arm: providers.Baseline}, {Name: e.canary, Arm: providers.Canary}}
		o.Baseline, o.Canary = "", ""
	}
	for i := range files {
		f, err := os.Open(files[i].Name)
		if err != nil {
			return nil, fmt.Errorf("open the file: %w", err)
		}
		defer f.Close() //nolint:errcheck // only read
		files[i].Content = f
	}
	return exports.Read(exports.Format(e.as), files, o)
}

// openRecording opens what is to be replayed: a recording, or with --as another tool's
// file.
func (e *exported) open(file string) (*recording.Recording, error) {
	if e.as != "" {
		return e.read(file)
	}
	if given := e.given(); len(given) > 0 {
		return nil, fmt.Errorf("%s: only with --as, which says whose file it is: %s", strings.Join(given, " and "), exports.Names())
	}
	if file == "" {
		return nil, errors.New("which recording? canary-judge replay FILE")
	}
	r, err := recording.Open(file)
	if err == nil {
		return r, nil
	}
	f, failed := os.Open(file)
	if failed != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	switch format, advice := exports.Recognize(f); {
	case advice != "":
		return nil, fmt.Errorf("read the recording %s: %s", file, advice)
	case format == exports.CSV:
		return nil, spelledOtherwise(err, file)
	case format != "":
		return nil, fmt.Errorf("%s is no recording; it looks like a file of %s, which is read with:\n%s", file, format, commands(format, file))
	}
	return nil, err
}

// spelledOtherwise adds to the error of a file of five columns how it is read, if it is.
func spelledOtherwise(err error, file string) error {
	_, other := (&exported{as: string(exports.CSV)}).read(file)
	command := "canary-judge replay --as csv " + quoted(file)
	switch {
	case other == nil:
		return fmt.Errorf("%w\nthis spelling is read, and what it is taken for is said, with:\n  %s", err, command)
	case strings.Contains(other.Error(), "--"):
		return fmt.Errorf("%w\nthis spelling is read with: %s\n  and a flag: %w", err, command, other)
	}
	return err
}

// commands shows how a file of a format is read.
func commands(format exports.Format, file string) string {
	one := fmt.Sprintf("  canary-judge replay --as %s --baseline LABEL=VALUE --canary LABEL=VALUE %s", format, quoted(file))
	two := fmt.Sprintf("  canary-judge replay --as %s --baseline %s --canary FILE", format, quoted(file))
	if format.Requests() {
		return two + "\nor, with both arms in one file:\n" + one
	}
	return one + "\nor, with a file for each arm:\n" + two
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.ContainsAny(path, " '\"$`\\*?[](){}<>|&;#~!\t\n") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// save writes a recording to a new file.
func save(r *recording.Recording, path string) error {
	w, err := recording.Create(path, r.Header)
	if err != nil {
		return err
	}
	for p := range r.Points() {
		if err := w.Point(p); err != nil {
			return errors.Join(err, w.Abandon())
		}
	}
	return w.Abandon() // no run ended here
}

// noteAll prints what was assumed on reading.
func noteAll(to io.Writer, file string, notes []string) {
	for _, n := range notes {
		fmt.Fprintln(to, report.Clean(fmt.Sprintf("canary-judge: %s: %s", file, n)))
	}
}
