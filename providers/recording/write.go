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
	"syscall"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/internal/files"
	"github.com/canary-judge/canary-judge/providers"
)

// Writer appends to a recording's file. What is written is on disk after each
// Flush, so that a crash loses at most the look under way. While it is open no other
// process can write to the file.
type Writer struct {
	file  disk
	zip   *gzip.Writer // nil for a plain file
	to    io.Writer
	buf   bytes.Buffer
	why   string // how the run ended, once it has
	stuck error  // that the disk took nothing any more; it is not asked again
}

// disk is the file of a recording.
type disk interface {
	io.Writer
	Sync() error
	Close() error
	Name() string
}

// patience is how long a disk, such as one across a network, may take nothing.
const patience = 30 * time.Second

// Create starts a recording at a path where nothing is recorded yet: that is never
// overwritten. A path that ends in .gz is compressed.
func Create(path string, h Header) (*Writer, error) {
	f, created, err := open(path)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("the recording %s exists already; continue it with --resume, or name another file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("create the recording: %w", err)
	}
	if err := alone(f, path); err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	w := &Writer{file: f, to: f}
	if strings.HasSuffix(path, ".gz") {
		w.zip = gzip.NewWriter(f)
		w.to = w.zip
	}
	h.Format = Format
	err = w.write(h)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		_ = f.Close() // the error says more
		if created {
			_ = os.Remove(f.Name()) // it holds nothing, and would be in the way next time
		}
		return nil, err
	}
	return w, nil
}

// open makes the file of a recording, and reports whether it did: a pipe, a device or
// what the process has open cannot be overwritten, and is used as it is.
func open(path string) (f *os.File, made bool, err error) {
	target, err := files.Resolve(path)
	if err != nil {
		return nil, false, err
	}
	info, there := os.Stat(target)
	if _, is := files.Descriptor(target); is || there == nil && !info.Mode().IsRegular() && !info.IsDir() {
		f, err = files.OpenStream(target)
		return f, false, err
	}
	if there == nil && info.IsDir() {
		return nil, false, &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	}
	f, err = os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a recording holds no secrets
	if there != nil || !errors.Is(err, fs.ErrExist) {
		return f, err == nil, err
	}
	exists := err
	if f, err = os.OpenFile(target, os.O_WRONLY, 0); err != nil {
		return nil, false, exists
	}
	// In an empty one nothing is recorded: a crash may have left it.
	if err = alone(f, path); err == nil && !empty(f) {
		err = exists
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, false, err
	}
	return f, false, nil
}

// empty reports whether nothing is in a file.
func empty(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Size() == 0
}

// InUse is the error of a recording that another process writes.
type InUse struct {
	Path string
	By   *Process // nil when it does not say
}

func (e *InUse) Error() string {
	by := "another process"
	if e.By != nil {
		by = e.By.String()
	}
	return fmt.Sprintf("the recording %s is being written by %s; wait until it has ended, or name another file", e.Path, by)
}

// alone makes this the only process that writes to a recording's file.
func alone(f *os.File, path string) error {
	if isDevice(f) {
		return nil
	}
	for end := time.Now().Add(release); ; time.Sleep(release / 10) {
		free, err := lock(f)
		if err != nil {
			return fmt.Errorf("lock the recording %s: %w", path, err)
		}
		if free {
			return nil
		}
		if time.Now().After(end) {
			break
		}
	}
	e := &InUse{Path: path}
	if r, err := Open(path); err == nil {
		e.By = r.Writer
	}
	return e
}

// release is how long a process that was killed may take to let go of its files: one that
// it was about to start has them, too.
const release = 500 * time.Millisecond

// Resume opens a recording to go on appending, after cutting off what a crash
// left of a last line. It returns what the recording holds.
func Resume(path string) (*Writer, *Recording, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("resume the recording: %w", err)
	}
	w, r, err := resume(f, path)
	if err != nil {
		_ = f.Close() // the error says more
		return nil, nil, err
	}
	return w, r, nil
}

func resume(f *os.File, path string) (*Writer, *Recording, error) {
	if err := alone(f, path); err != nil {
		return nil, nil, err
	}
	r, err := Open(path)
	if err != nil {
		return nil, nil, err
	}
	if err := seekEnd(f); err != nil {
		return nil, nil, fmt.Errorf("resume the recording %s: %w", path, err)
	}
	w := &Writer{file: f, to: f, why: "interrupted"}
	if r.End != nil {
		w.why = r.End.Why
	}
	return w, r, nil
}

// seekEnd puts a file of JSON lines in the state to go on with a new line.
func seekEnd(f *os.File) error {
	first := make([]byte, len(byteOrderMark)+1)
	n, _ := f.ReadAt(first, 0)
	switch text := strings.TrimPrefix(string(first[:n]), byteOrderMark); {
	case strings.HasPrefix(text, "\x1f\x8b"):
		return errors.New("it is compressed; only a plain one can be resumed")
	case !strings.HasPrefix(text, "{"):
		return errors.New("it is no file of JSON lines; only one that this tool wrote can be resumed")
	}
	end, err := lastNewline(f)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	tail := make([]byte, info.Size()-end)
	if _, err := f.ReadAt(tail, end); err != nil {
		return err
	}
	if json.Valid(tail) {
		// Only the newline is missing: the line counts, as it did on reading.
		_, err := f.WriteAt([]byte{'\n'}, info.Size())
		end = info.Size() + 1
		if err != nil {
			return err
		}
	}
	if err := f.Truncate(end); err != nil {
		return err
	}
	_, err = f.Seek(end, io.SeekStart)
	return err
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
func (w *Writer) Point(p Point) error { return w.write(pointLine(p)) }

// pointLine is how a point stands in a file.
func pointLine(p Point) any {
	return kinds[p.Kind].line(pointHead{p.Time.UTC(), p.Metric, p.Arm}, p.Sample)
}

// pointHead is what all points have in a file.
type pointHead struct {
	Time   time.Time     `json:"t"`
	Metric string        `json:"metric"`
	Arm    providers.Arm `json:"arm"`
}

func valueLine(h pointHead, s analysis.Sample) any {
	return struct {
		pointHead
		Value *float64 `json:"value"`
		Count *float64 `json:"count,omitempty"` // of observations behind it
	}{h, orNull(s.Value()), orNull(s.Count())}
}

func countsLine(h pointHead, s analysis.Sample) any {
	return struct {
		pointHead
		Bad   *float64 `json:"bad"`
		Total *float64 `json:"total"`
	}{h, orNull(s.Bad()), orNull(s.Total())}
}

func histogramLine(h pointHead, s analysis.Sample) any {
	return struct {
		pointHead
		Bounds []float64 `json:"bounds"`
		Counts []float64 `json:"counts"`
		Gap    string    `json:"gap,omitempty"` // why it is one
	}{h, s.Buckets().Bounds, s.Buckets().Counts, s.Why()}
}

// Sighting appends what a guard said.
func (w *Writer) Sighting(s Sighting) error {
	return w.write(struct {
		Time   time.Time       `json:"t"`
		Guard  string          `json:"guard"`
		State  providers.State `json:"state"`
		Detail string          `json:"detail,omitempty"`
		Link   string          `json:"link,omitempty"`
	}{s.Time.UTC(), s.Guard, s.State, s.Detail, s.Link})
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
	return errors.Join(w.write(e), w.Abandon())
}

// Abandon closes the file as it is, without a mark: the run may be resumed.
func (w *Writer) Abandon() error {
	err := w.flush()
	return w.place(errors.Join(err, w.within(func() error {
		var zipped error
		if w.zip != nil {
			zipped = w.zip.Close()
		}
		return errors.Join(zipped, w.file.Close())
	})))
}

// write adds a line to the buffer.
func (w *Writer) write(v any) error {
	if w.stuck != nil {
		return w.place(w.stuck)
	}
	e := json.NewEncoder(&w.buf)
	e.SetEscapeHTML(false)
	return w.place(e.Encode(v))
}

// Flush hands everything to the disk.
func (w *Writer) Flush() error { return w.place(w.flush()) }

func (w *Writer) flush() error {
	return w.within(func() error {
		if _, err := w.buf.WriteTo(w.to); err != nil {
			return err
		}
		if w.zip != nil {
			if err := w.zip.Flush(); err != nil {
				return err
			}
		}
		if err := w.file.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !isDevice(w.file) {
			return err
		}
		return nil
	})
}

// within does something with the file, and gives up waiting for it in the end: a write to
// a network that is gone never returns. Afterwards the writer is left alone.
func (w *Writer) within(do func() error) error {
	if w.stuck != nil {
		return w.stuck
	}
	done := make(chan error, 1)
	go func() { done <- do() }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		w.stuck = fmt.Errorf("the disk has not taken what was written for %s", patience)
		return w.stuck
	}
}

// isDevice reports whether a file is not a regular one: a pipe or a terminal
// cannot be synced, and need not be.
func isDevice(d disk) bool {
	f, ok := d.(*os.File)
	if !ok {
		return false
	}
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
