package recording

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// longestLine bounds a line; a histogram of thousands of buckets fits.
const longestLine = 4 << 20

// byteOrderMark is what programs on Windows put before UTF-8.
const byteOrderMark = "\ufeff"

// line is any line of a recording but the first.
type line struct {
	Time   string        `json:"t"`
	Metric *string       `json:"metric"`
	Arm    providers.Arm `json:"arm"`

	Value  json.RawMessage `json:"value"` // null is a gap, absent is another kind
	Count  *float64        `json:"count"` // behind a value
	Bad    *float64        `json:"bad"`
	Total  json.RawMessage `json:"total"`
	Bounds []*float64      `json:"bounds"`
	Counts json.RawMessage `json:"counts"`
	Gap    string          `json:"gap"` // why counts are null

	Look      *int       `json:"look"`
	Revised   *revision  `json:"revised"`
	Diagnosis *Diagnosis `json:"diagnosis"`
	History   *history   `json:"history"`
	Instance  *instance  `json:"instance"`
	Stage     *stage     `json:"stage"`

	Guard *string         `json:"guard"`
	State providers.State `json:"state"`
	Link  string          `json:"link"`

	Why       *string         `json:"end"`
	Detail    string          `json:"detail"`
	Verdict   string          `json:"verdict"`
	Acting    *string         `json:"acting"`
	Acted     *string         `json:"acted"`
	Outcome   json.RawMessage `json:"outcome"`
	Concluded bool            `json:"concluded"`
	Resumed   *Process        `json:"resumed"`
}

// Open reads the recording at a path: JSON lines, gzip of them, or CSV.
func Open(path string) (*Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the recording: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	r, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("read the recording %s: %w", path, err)
	}
	return r, nil
}

// Read reads a recording. What a crash may have torn off its end is dropped with
// a warning; anything else that is wrong is an error with its line.
func Read(from io.Reader) (*Recording, error) {
	in := bufio.NewReaderSize(from, 1<<16)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("not a gzip file: %w", err)
		}
		in = bufio.NewReaderSize(unzipped, 1<<16)
	}
	if mark, _ := in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark)) // they are in the buffer
	}
	first, err := in.Peek(1)
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty")
	case err != nil:
		return nil, err
	case first[0] == '{':
		return readLines(in)
	}
	r, err := readCSV(in)
	if err == nil && len(r.order) == 0 {
		return nil, errors.New("there is no row after the header")
	}
	return r, err
}

// ReadPoints reads what a program prints of a window: a CSV, of which the header alone says that there is
// nothing, or the points of a recording as JSON lines, with or without its header. Whatever is wrong
// with it is an error with its line, a torn end too.
func ReadPoints(from io.Reader) (*Recording, error) {
	in := bufio.NewReaderSize(from, 1<<16)
	if mark, _ := in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark)) // they are in the buffer
	}
	switch first, err := in.Peek(1); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("nothing was printed; to say that there are no data print the header alone: time,metric,arm,value,total")
	case err != nil:
		return nil, err
	case first[0] != '{':
		return readCSV(in)
	}
	r := &Recording{Header: Header{Format: Format}}
	for number := 1; ; number++ {
		text, err := readLine(in)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		// The number of a line tells its header.
		if as := number + 1; len(bytes.TrimSpace(text)) > 0 {
			if number == 1 && isHeader(text) {
				as = 1
			}
			if problem := r.take(as, text); problem != nil {
				return nil, fmt.Errorf("line %d: %w", number, problem)
			}
		}
		if err != nil {
			return r, nil
		}
	}
}

// isHeader reports whether a line is the header of a recording, and no point.
func isHeader(text []byte) bool {
	var h struct{ Format *string }
	return json.Unmarshal(text, &h) == nil && h.Format != nil
}

// readLines reads JSON lines.
func readLines(in *bufio.Reader) (*Recording, error) {
	r := &Recording{}
	for number := 1; ; number++ {
		text, err := readLine(in)
		if len(text) > 0 {
			if problem := r.take(number, text); problem != nil {
				// A part of a JSON object is never one itself.
				cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
				if cut && number > 1 && !json.Valid(text) {
					r.Warnings = append(r.Warnings, fmt.Sprintf("line %d, the last, is torn off and was dropped", number))
					return r, nil
				}
				return nil, fmt.Errorf("line %d: %w", number, problem)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			if number == 1 && r.Header.Format == "" {
				return nil, errors.New("the file is empty")
			}
			return r, nil
		case errors.Is(err, io.ErrUnexpectedEOF) && number > 1:
			r.Warnings = append(r.Warnings, "the compressed file is cut off; its end was dropped")
			return r, nil
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
}

// readLine returns the next line without its end. At the end of the input it
// returns what is left with io.EOF.
func readLine(in *bufio.Reader) ([]byte, error) {
	var long []byte
	for {
		part, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if long = append(long, part...); len(long) > longestLine {
				return nil, fmt.Errorf("the line is longer than %d MiB: this is no recording", longestLine>>20)
			}
			continue
		}
		if len(long) > 0 {
			part = append(long, part...)
		}
		return bytes.TrimRight(part, "\r\n"), err
	}
}

// take reads one line into the recording.
func (r *Recording) take(number int, text []byte) error {
	if number == 1 {
		if err := json.Unmarshal(text, &r.Header); err != nil {
			return fmt.Errorf("not a recording: the first line is no header: %w", err)
		}
		if r.Header.Format != Format {
			return fmt.Errorf("not a recording: the header's format is %q, this tool reads %q", r.Header.Format, Format)
		}
		r.Writer = r.Header.Writer
		return nil
	}
	if p, ok := r.quick.point(text); ok {
		return r.Add(p)
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if l.Why != nil {
		return r.ended(l)
	}
	at, err := time.Parse(time.RFC3339, l.Time)
	if err != nil {
		return fmt.Errorf("t is %q; want a time such as 2026-11-23T10:00:00Z", web.Quote(l.Time))
	}
	if l.Look != nil && l.Instance != nil {
		one, err := l.Instance.read()
		r.instances = append(r.instances, one)
		return err
	}
	if l.Look != nil && l.History != nil {
		if r.History, err = l.History.read(at); err == nil {
			r.History.Instances, err = r.lastInstances(l.History.Instances)
		}
		return err
	}
	if l.Look != nil && l.Stage != nil {
		s, err := l.Stage.read(*l.Look)
		if err == nil {
			err = r.SetStage(s)
		}
		return err
	}
	if l.Look != nil {
		return r.looked(at, l)
	}
	if l.Guard != nil {
		if !slices.Contains(providers.States, l.State) {
			return fmt.Errorf("the state of a guard is %q; want one of %q", web.Quote(string(l.State)), providers.States)
		}
		r.Sightings = append(r.Sightings, Sighting{at.UTC(), providers.Sighting{Guard: *l.Guard, State: l.State, Detail: l.Detail, Link: l.Link}})
		return nil
	}
	p, err := l.point(at.UTC())
	if err != nil {
		return err
	}
	return r.Add(p)
}

// lastInstances returns so many of the instances that were read last: those before them are of a
// history that was not finished.
func (r *Recording) lastInstances(n int) ([]Instance, error) {
	first := len(r.instances) - n
	if n < 0 || first < 0 {
		return nil, fmt.Errorf("a history is of %d instances, and %d stand before it", n, len(r.instances))
	}
	var all []Instance
	for _, i := range r.instances[first:] {
		if last := len(all) - 1; last >= 0 && i.goesOn(all[last]) {
			all[last].Steps = append(all[last].Steps, i.Steps...)
			continue
		}
		all = append(all, i)
	}
	r.instances = nil
	return all, nil
}

// looked takes the mark of a look, and what hangs in it.
func (r *Recording) looked(at time.Time, l line) error {
	r.Look(at)
	r.End = nil
	if l.Diagnosis != nil {
		r.Diagnoses = append(r.Diagnoses, *l.Diagnosis)
	}
	if l.Revised == nil {
		return nil
	}
	rev, err := l.Revised.read()
	if err != nil {
		return err
	}
	r.Revise(at, rev)
	return nil
}

// point reads a line as a point.
func (l line) point(at time.Time) (Point, error) {
	p := Point{Time: at, Arm: l.Arm}
	if l.Metric == nil || *l.Metric == "" {
		return p, errors.New("no metric is named")
	}
	p.Metric = *l.Metric
	if !slices.Contains(providers.Arms, l.Arm) {
		return p, fmt.Errorf("arm is %q; want baseline or canary", web.Quote(string(l.Arm)))
	}
	switch {
	case l.Value != nil:
		v, err := number("value", l.Value)
		p.Kind, p.Sample = Values, analysis.ValueSample(v)
		if l.Count != nil {
			p.Sample = analysis.QuantileSample(v, *l.Count)
		}
		return p, err
	case l.Total != nil:
		bad := math.NaN()
		if l.Bad != nil {
			bad = *l.Bad
		}
		total, err := number("total", l.Total)
		p.Kind, p.Sample = Counts, analysis.CountSample(bad, total)
		return p, err
	case l.Counts != nil:
		h, err := l.buckets()
		p.Kind, p.Sample = Histograms, analysis.BucketSample(h)
		if p.Sample.Gap() {
			p.Sample = analysis.GapSample(l.Gap)
		}
		return p, err
	}
	return p, errors.New("the point has neither value, nor total, nor counts")
}

// buckets reads the histogram of a line; null counts are a gap.
func (l line) buckets() (stats.Histogram, error) {
	var counts []*float64
	if err := json.Unmarshal(l.Counts, &counts); err != nil {
		return stats.Histogram{}, errors.New("counts: want a list of numbers or null")
	}
	if len(counts) == 0 {
		return stats.Histogram{}, nil
	}
	h := stats.Histogram{Bounds: orNaN(l.Bounds), Counts: orNaN(counts)}
	return h, CheckBuckets(h)
}

// orNaN makes null, which encoding/json would read as 0, NaN.
func orNaN(values []*float64) []float64 {
	all := make([]float64, len(values))
	for i, v := range values {
		all[i] = math.NaN()
		if v != nil {
			all[i] = *v
		}
	}
	return all
}

// CheckBuckets reports what is wrong with a histogram's shape or counts.
func CheckBuckets(h stats.Histogram) error {
	if len(h.Counts) != len(h.Bounds)+1 {
		return fmt.Errorf("%d counts for %d bounds; want one more than bounds", len(h.Counts), len(h.Bounds))
	}
	for i, b := range h.Bounds {
		if i > 0 && b <= h.Bounds[i-1] || math.IsNaN(b) || math.IsInf(b, 0) {
			return fmt.Errorf("the bounds must ascend and be finite; %g does not fit", b)
		}
	}
	for _, c := range h.Counts {
		if !(c >= 0) || math.IsInf(c, 1) {
			return fmt.Errorf("a bucket holds %g; want a finite count, at least 0", c)
		}
	}
	return nil
}

// number reads a number or null, which is NaN.
func number(what string, raw json.RawMessage) (float64, error) {
	var v *float64
	if err := json.Unmarshal(raw, &v); err != nil {
		return 0, fmt.Errorf("%s is %s; want a number or null", what, web.Quote(string(raw)))
	}
	if v == nil {
		return math.NaN(), nil
	}
	return *v, nil
}
