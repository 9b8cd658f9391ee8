package recording

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/providers"
)

// Writer appends to a recording's file. What is written is on disk after each
// Flush, so that a crash loses at most the look under way.
type Writer struct {
	file *os.File
	zip  *gzip.Writer // nil for a plain file
	to   io.Writer
	buf  bytes.Buffer
}

// Create starts a recording at a path that must not exist yet: nothing recorded
// is ever overwritten. A path that ends in .gz is compressed.
func Create(path string, h Header) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a recording holds no secrets
	if info, there := os.Stat(path); errors.Is(err, fs.ErrExist) && there == nil && !info.Mode().IsRegular() {
		// A pipe or a device cannot be overwritten.
		f, err = os.OpenFile(path, os.O_WRONLY, 0)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("the recording %s exists already; continue it with --resume, or name another file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("create the recording: %w", err)
	}
	w := &Writer{file: f, to: f}
	if strings.HasSuffix(path, ".gz") {
		w.zip = gzip.NewWriter(f)
		w.to = w.zip
	}
	h.Format = Format
	if err := w.write(h); err != nil {
		return nil, err
	}
	return w, w.Flush()
}

// Resume opens a recording to go on appending, after cutting off what a crash
// left of a last line. It returns what the recording holds.
func Resume(path string) (*Writer, *Recording, error) {
	if strings.HasSuffix(path, ".gz") {
		return nil, nil, fmt.Errorf("the recording %s is compressed; only a plain one can be resumed", path)
	}
	r, err := Open(path)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("resume the recording: %w", err)
	}
	end, err := lastNewline(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		_ = f.Close() // the error says more
		return nil, nil, fmt.Errorf("resume the recording %s: %w", path, err)
	}
	return &Writer{file: f, to: f}, r, nil
}

// lastNewline returns the offset after the last newline.
func lastNewline(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 1<<16)
	for end := info.Size(); end > 0; {
		from := max(0, end-int64(len(buf)))
		n, err := f.ReadAt(buf[:end-from], from)
		if err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		end = from
	}
	return 0, nil
}

// Point appends a point.
func (w *Writer) Point(p Point) error {
	type common struct {
		Time   time.Time     `json:"t"`
		Metric string        `json:"metric"`
		Arm    providers.Arm `json:"arm"`
	}
	c := common{p.Time.UTC(), p.Metric, p.Arm}
	switch p.Kind {
	case Counts:
		return w.write(struct {
			common
			Bad   *float64 `json:"bad"`
			Total *float64 `json:"total"`
		}{c, orNull(p.Bad), orNull(p.Total)})
	case Histograms:
		return w.write(struct {
			common
			Bounds []float64 `json:"bounds"`
			Counts []float64 `json:"counts"`
		}{c, p.Buckets.Bounds, p.Buckets.Counts})
	}
	return w.write(struct {
		common
		Value *float64 `json:"value"`
	}{c, orNull(p.Value)})
}

// Look marks that everything before end has been fetched, and makes what was
// written so far safe on disk.
func (w *Writer) Look(number int, end time.Time) error {
	mark := struct {
		Look int       `json:"look"`
		Time time.Time `json:"t"`
	}{number, end.UTC()}
	if err := w.write(mark); err != nil {
		return err
	}
	return w.Flush()
}

// Close marks how the run ended and closes the file.
func (w *Writer) Close(e End) error {
	err := w.write(e)
	if err == nil {
		err = w.Flush()
	}
	if w.zip != nil {
		err = errors.Join(err, w.zip.Close())
	}
	return w.place(errors.Join(err, w.file.Close()))
}

// Abandon closes the file as it is, without a mark: the run may be resumed.
func (w *Writer) Abandon() error {
	if w.zip != nil {
		return w.place(errors.Join(w.Flush(), w.zip.Close(), w.file.Close()))
	}
	return w.place(errors.Join(w.Flush(), w.file.Close()))
}

// write adds a line to the buffer.
func (w *Writer) write(v any) error {
	e := json.NewEncoder(&w.buf)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// Flush hands everything to the disk.
func (w *Writer) Flush() error {
	if _, err := w.buf.WriteTo(w.to); err != nil {
		return w.place(err)
	}
	if w.zip != nil {
		if err := w.zip.Flush(); err != nil {
			return w.place(err)
		}
	}
	if err := w.file.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !isDevice(w.file) {
		return w.place(err)
	}
	return nil
}

// isDevice reports whether a file is not a regular one: a pipe or a terminal
// cannot be synced, and need not be.
func isDevice(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && !info.Mode().IsRegular()
}

func (w *Writer) place(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("append to the recording %s: %w", w.file.Name(), err)
}

// orNull makes NaN, which JSON does not know, null.
func orNull(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}
