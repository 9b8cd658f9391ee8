// Package exports reads files that other tools wrote as recordings: Grafana's CSV, the
// answers of Prometheus's and Datadog's APIs, the results of k6, JMeter and Locust, and
// CSV with the five columns of a recording in another spelling.
//
// Nothing is guessed in silence. What a file leaves open is demanded by an error that
// names the option for it, or is taken for what it most probably is and said in the
// recording's Header.Notes. A row that cannot be read is an error with its line; a
// missing value is a gap.
package exports

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
	"github.com/canary-judge/canary-judge/web"
)

// Format names a kind of file.
type Format string

// The formats.
const (
	CSV        Format = "csv"        // time, metric, arm, value, total in another spelling
	Grafana    Format = "grafana"    // CSV of a panel: Inspect > Data > Download CSV, or the old Export CSV
	Prometheus Format = "prometheus" // JSON of /api/v1/query_range
	Datadog    Format = "datadog"    // JSON of /api/v1/query or /api/v2/query/timeseries
	K6         Format = "k6"         // k6 run --out csv=FILE or --out json=FILE
	JMeter     Format = "jmeter"     // a .jtl file in CSV
	Locust     Format = "locust"     // PREFIX_stats_history.csv of locust --csv PREFIX
)

// Formats lists the formats in the order in which they are shown.
var Formats = []Format{Grafana, Prometheus, Datadog, K6, JMeter, Locust, CSV}

// Requests reports whether files of the format tell of requests, which are counted into
// steps on reading; others hold series.
func (f Format) Requests() bool { return f == K6 || f == JMeter || f == Locust }

// Options say how files are to be read.
type Options struct {
	// Baseline and Canary tell which series, or requests, of a file are an arm's:
	// LABEL=VALUE, several with commas between, or the name of a series; * stands for
	// anything. They play no role for a File that has an arm.
	Baseline, Canary string
	// Step is the distance between two steps. 0 means 10 seconds for requests, and for
	// series the times that they have.
	Step time.Duration
	// Zone is that of times that name none. Nil means UTC, and a note says so.
	Zone *time.Location
	// Decimal is how a number is written whose comma may mean two things: "comma" for
	// 1,234 = 1.234, "point" for 1,234 = 1234, "" to let other numbers of the file tell.
	Decimal string
	// Align lays the canary's first step over the baseline's, for arms that were
	// measured one after the other.
	Align bool
}

// File is a file to read.
type File struct {
	Name    string // for errors
	Content io.Reader
	Arm     providers.Arm // "" = Options tell the arms apart
}

// DefaultStep is the step that requests are counted by when Options name none.
const DefaultStep = 10 * time.Second

// Read reads one file with both arms, or one file for each arm. The recording has no
// window and no config; its header holds what was assumed on the way.
func Read(format Format, files []File, o Options) (*recording.Recording, error) {
	decode, ok := decoders[format]
	if !ok {
		return nil, fmt.Errorf("%q is no format; valid: %s", format, Names())
	}
	im := &importer{options: o, said: map[string]bool{}}
	if err := im.arms(files); err != nil {
		return nil, err
	}
	for _, f := range files {
		in, err := open(f.Content)
		if err == nil {
			im.file = f
			im.clock = clock{zone: o.Zone, note: im.note}
			err = decode(im, in)
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the compressed file is cut off; copy it again, or unpack what there is of it (gzip -dc) and give that")
		}
		if err != nil {
			return nil, fmt.Errorf("read %s as %s: %w", f.Name, format, err)
		}
	}
	return im.finish()
}

// Names lists the formats for a message.
func Names() string {
	var names []string
	for _, f := range Formats {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// decoders by format. Each adds what it reads to the importer: series, or requests.
var decoders map[Format]func(*importer, *input) error

func init() { //nolint:gochecknoinits // the decoders refer to Read's own types
	decoders = map[Format]func(*importer, *input) error{
		CSV: readFive, Grafana: readGrafana, Prometheus: readPrometheus, Datadog: readDatadog,
		K6: readK6, JMeter: readJMeter, Locust: readLocust,
	}
}

// importer gathers what the files of one reading hold.
type importer struct {
	options   Options
	file      File // the one being read
	clock     clock
	selectors map[providers.Arm]selector
	notes     []string
	said      map[string]bool // kinds of notes of which one is enough

	series  []series
	counted *requests
}

// note says, once, what was assumed.
func (im *importer) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(im.notes, text) {
		im.notes = append(im.notes, text)
	}
}

// once says a note of a kind of which one is enough.
func (im *importer) once(kind, format string, args ...any) {
	if !im.said[kind] {
		im.said[kind] = true
		im.note(format, args...)
	}
}

// arms reads the selectors, and checks that arms can be told apart.
func (im *importer) arms(files []File) error {
	fixed := 0
	for _, f := range files {
		if f.Arm != "" {
			fixed++
		}
	}
	names := map[providers.Arm]string{providers.Baseline: im.options.Baseline, providers.Canary: im.options.Canary}
	switch {
	case fixed == 0 && len(files) == 1:
		im.selectors = map[providers.Arm]selector{}
		for _, arm := range providers.Arms {
			s, err := parseSelector(names[arm])
			if err != nil {
				return fmt.Errorf("--%s: %w", arm, err)
			}
			im.selectors[arm] = s
		}
		if names[providers.Baseline] == names[providers.Canary] && names[providers.Canary] != "" {
			return fmt.Errorf("--baseline and --canary are both %q: the arms would be the same series", web.Quote(names[providers.Canary]))
		}
	case fixed == 2 && len(files) == 2 && files[0].Arm != files[1].Arm:
		for _, f := range files {
			names[f.Arm] = f.Name
		}
		if files[0].Name == files[1].Name {
			return fmt.Errorf("both arms are the file %s", files[0].Name)
		}
	default:
		return errors.New("want one file with both arms, or one file for each arm")
	}
	if mentions(names[providers.Baseline], "canary") && !mentions(names[providers.Canary], "canary") {
		return fmt.Errorf("the baseline is %q and the canary is %q: the arms seem to be swapped; swap them, or give names that say what they are",
			web.Quote(names[providers.Baseline]), web.Quote(names[providers.Canary]))
	}
	return nil
}

func mentions(text, word string) bool { return strings.Contains(strings.ToLower(text), word) }

// finish turns what was gathered into a recording.
func (im *importer) finish() (*recording.Recording, error) {
	var points []recording.Point
	var units map[string]string
	var err error
	if im.counted != nil {
		points, err = im.counted.points(im)
		units = map[string]string{}
		for _, p := range points {
			if p.Metric == locustP95 || p.Metric == latencyMetric {
				units[p.Metric] = "s"
			}
		}
	} else {
		points, units, err = im.joined()
	}
	if err != nil {
		return nil, err
	}
	r := &recording.Recording{}
	for _, p := range points {
		if err := r.Add(p); err != nil {
			return nil, err
		}
	}
	r.Header = recording.Header{Format: recording.Format, Notes: im.notes, Units: units}
	return r, nil
}
