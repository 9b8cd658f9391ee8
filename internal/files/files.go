// Package files writes files where users point: through links, into devices and pipes,
// and whole or not at all where there is a file to write.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// File is a place that can be written, as far as could be told when it was opened.
type File struct {
	// Path is the place as it was named.
	Path string
	// target is what the links at Path lead to.
	target string
	// stream is open for writing when the place is a device, a pipe or a descriptor;
	// nil for a regular file, for one to make, and for a pipe without a reader yet.
	stream *os.File
	pipe   bool
}

const (
	// readerWait is how long a named pipe may be without anybody who reads it.
	readerWait = 5 * time.Second
	// stalled is how long whoever reads a pipe may take nothing.
	stalled = 30 * time.Second
	// room is what must fit on the disk for a report: reports of usual runs are smaller.
	room = 64 << 10
	// mostLinks is how many links are followed, as Linux does (path_resolution(7)).
	mostLinks = 40
)

var (
	// descriptors are the paths that stand for what the process has open.
	descriptors = regexp.MustCompile(`^/(?:dev/fd|proc/(self|thread-self|[0-9]+)/fd)/([0-9]{1,6})$`)
	// open are the paths that stand for what any process has open: they look like links, and
	// what they say is no path (proc_pid_fd(5)).
	open = regexp.MustCompile(`^/proc/[^/]+/(?:task/[0-9]+/)?fd/[0-9]+$`)
)

// Descriptor returns the number of the open file that a path stands for, such as 1 for
// /dev/stdout, directly or by a link; false for any other path. To open such a path again
// would begin a file anew to which others write.
func Descriptor(path string) (int, bool) {
	target, err := Resolve(path)
	if err != nil {
		return 0, false
	}
	return descriptor(target)
}

func descriptor(path string) (int, bool) {
	switch path {
	case "/dev/stdin":
		return 0, true
	case "/dev/stdout":
		return 1, true
	case "/dev/stderr":
		return 2, true
	}
	m := descriptors.FindStringSubmatch(path)
	if m == nil || m[1] != "" && m[1] != "self" && m[1] != "thread-self" && m[1] != strconv.Itoa(os.Getpid()) {
		return 0, false
	}
	n, err := strconv.Atoi(m[2])
	return n, err == nil
}

// Resolve returns the path that the links at a path lead to, also when nothing is there
// yet. Paths that stand for an open file are left as they are.
func Resolve(path string) (string, error) {
	start := path
	for range mostLinks {
		if _, is := descriptor(path); is || open.MatchString(path) {
			return path, nil
		}
		link, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link
		}
		if !filepath.IsAbs(link) {
			// Not cleaned: .. means the parent of where a link to a directory leads.
			link = filepath.Dir(path) + string(filepath.Separator) + link
		}
		path = link
	}
	return "", &fs.PathError{Op: "open", Path: start, Err: syscall.ELOOP}
}

// Same reports whether two paths lead to one file, which need not be there yet.
func Same(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	one, errA := os.Stat(a)
	two, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(one, two)
	}
	return errA != nil && errB != nil && place(a) == place(b)
}

// place is one name for a file that is not there.
func place(path string) string {
	target, err := Resolve(path)
	if err != nil {
		target = path
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(target))
	if err != nil {
		dir = filepath.Dir(target)
	}
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole
	}
	return filepath.Join(dir, filepath.Base(target))
}

// Open finds out whether a path can be written, and changes nothing: a directory, a place
// where no file can be made, one that is read-only and a disk that is full are errors.
func Open(path string) (*File, error) {
	target, err := Resolve(path)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path, target: target}
	if _, is := descriptor(target); is {
		f.stream, err = openStream(target)
		return f, err
	}
	info, err := os.Stat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, reserve(target)
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory; name a file in it", path)
	case info.Mode().IsRegular():
		return f, f.writable(info)
	}
	f.pipe = info.Mode()&fs.ModeNamedPipe != 0
	f.stream, err = openStream(target)
	if f.pipe && errors.Is(err, syscall.ENXIO) {
		return f, nil // its reader may come later
	}
	return f, err
}

// Regular reports whether the place is a file, which can be read again, and not a device
// or a pipe.
func (f *File) Regular() bool {
	_, is := descriptor(f.target)
	return !is && f.stream == nil && !f.pipe
}

// writable reports what keeps an existing file from being written.
func (f *File) writable(info fs.FileInfo) error {
	file, err := os.OpenFile(f.target, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil || info.Size() >= room {
		return err
	}
	if err := reserve(f.target); err != nil && errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return nil // where no file can be made beside it, it is written in place
}

// reserve reports what keeps a new file from being written at a path.
func reserve(path string) error {
	if base := filepath.Base(path); base == "." || base == ".." || os.IsPathSeparator(path[len(path)-1]) {
		return fmt.Errorf("%s is no name of a file", path)
	}
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the directory %s is not there; make it first: %w", dir, fs.ErrNotExist)
	}
	file, err := beside(path)
	if err != nil {
		return err
	}
	_, err = file.Write(make([]byte, room))
	return errors.Join(err, file.Close(), os.Remove(file.Name()))
}

// beside makes a file next to a path, with the mode that the process gives to new files.
func beside(path string) (*os.File, error) {
	for {
		name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".canary-judge-%08x", rand.Uint32())) //nolint:gosec // a name, no secret
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)                    //nolint:gosec // as the umask has it
		var of *fs.PathError
		if errors.As(err, &of) {
			of.Path = path // the other name says nothing to anyone
		}
		if !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
}

// Write writes a text. A regular file has the new text or the old one, never a part, and
// keeps its mode and its owner; one that has several names, or in whose directory no other
// can be made, is written in place instead. A named pipe waits some seconds for a reader.
func (f *File) Write(text []byte) error {
	if f.Regular() {
		return f.replace(text)
	}
	if f.stream == nil {
		var err error
		if f.stream, err = awaitReader(f.target); err != nil {
			return err
		}
	}
	return pour(f.stream, f.pipe, text)
}

// Close lets go of a pipe or a device.
func (f *File) Close() error {
	if f.stream == nil {
		return nil
	}
	return f.stream.Close()
}

// replace writes a regular file.
func (f *File) replace(text []byte) error {
	old, err := os.Stat(f.target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	there := err == nil
	if there && shared(old) {
		return f.overwrite(text)
	}
	file, err := beside(f.target)
	if err != nil {
		if there {
			return f.overwrite(text)
		}
		return err
	}
	if there {
		if err := takeAfter(file, old); err != nil {
			_ = errors.Join(file.Close(), os.Remove(file.Name())) // written in place instead
			return f.overwrite(text)
		}
	}
	_, err = file.Write(text)
	if err = errors.Join(err, synced(file), file.Close()); err == nil {
		err = os.Rename(file.Name(), f.target)
		if err != nil && there {
			// Such as a file that is mounted into a container by itself.
			_ = os.Remove(file.Name()) // what is written in place stands for it
			return f.overwrite(text)
		}
	}
	if err != nil {
		_ = os.Remove(file.Name()) // the error says more
	}
	return err
}

// overwrite writes an existing file in place.
func (f *File) overwrite(text []byte) error {
	file, err := os.OpenFile(f.target, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Truncate(int64(len(text)))
	}
	return errors.Join(err, synced(file), file.Close())
}

// synced waits until a file is on disk, where that can be waited for.
func synced(file *os.File) error {
	if err := file.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

// openStream opens what is no regular file, without waiting: a pipe that nobody reads is
// syscall.ENXIO.
func openStream(target string) (*os.File, error) {
	var file *os.File
	var err error
	if n, is := descriptor(target); is {
		file, err = duplicate(n, target)
	} else {
		file, err = os.OpenFile(target, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	}
	if err != nil {
		return nil, err
	}
	// Nothing is written, but /dev/full and what is open for reading alone say so.
	if _, err := file.Write(nil); err != nil && !errors.Is(err, syscall.EAGAIN) {
		_ = file.Close() // the error says more
		return nil, err
	}
	return file, nil
}

// awaitReader opens a named pipe once somebody reads it.
func awaitReader(target string) (*os.File, error) {
	for end := time.Now().Add(readerWait); ; time.Sleep(50 * time.Millisecond) {
		file, err := openStream(target)
		if !errors.Is(err, syscall.ENXIO) {
			return file, err
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("nobody reads the pipe %s; waited %s for a reader", target, readerWait)
		}
	}
}

// Append adds a text to the end of a file, which is made when it is not there, or writes
// it to a device or a pipe.
func Append(path, text string) error {
	target, err := Resolve(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	pipe := err == nil && info.Mode()&fs.ModeNamedPipe != 0
	if _, is := descriptor(target); is || err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		stream, err := awaitReader(target)
		if err != nil {
			return err
		}
		return errors.Join(pour(stream, pipe, []byte(text)), stream.Close())
	}
	file, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666) //nolint:gosec // as the umask has it
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// OpenStream opens a device, a pipe or what the process has open for writing. A pipe
// that nobody reads is waited for, some seconds.
func OpenStream(path string) (*os.File, error) {
	target, err := Resolve(path)
	if err != nil {
		return nil, err
	}
	return awaitReader(target)
}

// pour writes to a stream. Whoever reads a named pipe may be slow, but must go on.
func pour(stream *os.File, pipe bool, text []byte) error {
	for len(text) > 0 {
		if pipe {
			_ = stream.SetWriteDeadline(time.Now().Add(stalled)) // where there are no deadlines, it is waited for
		}
		n, err := stream.Write(text[:min(len(text), room)])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("whoever reads the pipe %s has taken nothing for %s", stream.Name(), stalled)
		}
		if err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}
