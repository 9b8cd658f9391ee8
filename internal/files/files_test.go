//go:build linux

package files_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/internal/files"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

// write writes a text as the command does.
func write(t *testing.T, path, text string) {
	t.Helper()
	f, err := files.Open(path)
	must(t, err)
	must(t, f.Write([]byte(text)))
	must(t, f.Close())
}

// What is written leaves everything around it as it was: the links, the modes, the other
// names of a file. Expected values are those of the shell's > on Linux.
func TestWriteKeepsWhatIsAround(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.WriteFile(at("private"), []byte("old and longer"), 0o600))
	must(t, os.WriteFile(at("program"), []byte("old"), 0o600))
	must(t, os.Chmod(at("program"), 0o751))
	must(t, os.WriteFile(at("one"), []byte("old and longer"), 0o600))
	must(t, os.Link(at("one"), at("two")))
	must(t, os.Mkdir(at("deep"), 0o700))
	must(t, os.Symlink("private", at("link")))
	must(t, os.Symlink("link", at("link2")))
	must(t, os.Symlink("nothing yet", at("dangling")))
	must(t, os.Symlink(at("deep"), at("todeep")))
	must(t, os.Symlink("../beside", at("deep/up")))
	for _, c := range []struct {
		path, target string
		mode         os.FileMode
	}{
		{"private", "private", 0o600},
		{"program", "program", 0o751},
		{"two", "one", 0o600},
		{"link2", "private", 0o600},
		{"dangling", "nothing yet", 0},
		{"todeep/up", "beside", 0},
		{"new", "new", 0},
	} {
		write(t, at(c.path), "new of "+c.path)
		if got := content(t, at(c.target)); got != "new of "+c.path {
			t.Errorf("%s: %s holds %q", c.path, c.target, got)
		}
		if info, err := os.Stat(at(c.target)); err != nil || c.mode != 0 && info.Mode().Perm() != c.mode {
			t.Errorf("%s: mode %v, %v; want %v", c.path, info.Mode(), err, c.mode)
		}
	}
	for _, link := range []string{"link", "link2", "dangling", "todeep", "deep/up"} {
		if info, err := os.Lstat(at(link)); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v", link, err)
		}
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".canary-judge") {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

// A text that cannot be written leaves the old one.
func TestWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "result")
	must(t, os.WriteFile(path, []byte("old"), 0o600))
	before, err := os.Stat(path)
	must(t, err)
	write(t, path, "new")
	after, err := os.Stat(path)
	must(t, err)
	if os.SameFile(before, after) {
		t.Error("a file with one name was written in place, so that a crash would leave a part of it")
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.Symlink("loop", at("loop")))
	must(t, os.Symlink(dir, at("todir")))
	must(t, os.WriteFile(at("file"), nil, 0o600))
	for path, want := range map[string]string{
		dir:                 "is a directory; name a file in it",
		at("todir"):         "is a directory; name a file in it",
		at("none/x"):        "is not there; make it first",
		at("none") + "/":    "is no name of a file",
		at("file/x"):        "not a directory",
		at("loop"):          "too many levels of symbolic links",
		"/proc/x.json":      "/proc",
		"/dev/full":         "no space left on device",
		"/dev/fd/987654":    "bad file descriptor",
		"/proc/self/fd/999": "bad file descriptor",
	} {
		if f, err := files.Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want an error with %q", path, f, err, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.WriteFile(at("a"), nil, 0o600))
	must(t, os.Link(at("a"), at("b")))
	must(t, os.Symlink("none", at("dangling")))
	must(t, os.Symlink(dir, at("dir")))
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{at("a"), at("b"), true}, {at("a"), at("dir/a"), true}, {at("none"), at("dangling"), true},
		{at("none"), at("dir/none"), true}, {at("none"), at("./none"), true}, {at("none"), at("none2"), false},
		{at("a"), at("none"), false}, {"", "", false},
	} {
		if got := files.Same(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

// A named pipe stays one. Its reader gets one text, whether it comes before or after.
func TestPipes(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "pipe")
		must(t, syscall.Mkfifo(path, 0o600))
		got, opened := make(chan string, 1), make(chan struct{})
		read := func() {
			text, err := os.ReadFile(path)
			if err != nil {
				text = []byte(err.Error())
			}
			got <- string(text)
		}
		if first {
			go read()
			go func() {
				// Once the reader is there, a writer that does not wait can open the pipe.
				for {
					if f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
						close(opened)
						time.AfterFunc(time.Second, func() { _ = f.Close() })
						return
					}
					time.Sleep(time.Millisecond)
				}
			}()
			<-opened
		}
		f, err := files.Open(path)
		must(t, err)
		if f.Regular() {
			t.Error("a pipe is a regular file")
		}
		if !first {
			time.AfterFunc(10*time.Millisecond, read)
		}
		must(t, f.Write([]byte(strings.Repeat("x", 200_000))))
		must(t, f.Close())
		if text := <-got; text != strings.Repeat("x", 200_000) {
			t.Errorf("first %v: the reader got %d bytes", first, len(text))
		}
		if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
			t.Errorf("the pipe is %v, %v", info, err)
		}
	}
}

// What the process has open is written on, not begun anew.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	file, err := os.CreateTemp(t.TempDir(), "")
	must(t, err)
	_, err = io.WriteString(file, "first\n")
	must(t, err)
	f, err := files.Open(fmt.Sprintf("/dev/fd/%d", file.Fd()))
	must(t, err)
	if f.Regular() {
		t.Error("a descriptor is a regular file")
	}
	must(t, f.Write([]byte("second\n")))
	must(t, f.Close())
	_, err = io.WriteString(file, "third\n")
	must(t, err)
	if got := content(t, file.Name()); got != "first\nsecond\nthird\n" {
		t.Errorf("%q", got)
	}
	for path, want := range map[string]int{
		"/dev/stdout": 1, "/dev/stderr": 2, "/dev/fd/7": 7, "/proc/self/fd/12": 12, fmt.Sprintf("/proc/%d/fd/3", os.Getpid()): 3,
	} {
		if n, ok := files.Descriptor(path); !ok || n != want {
			t.Errorf("%s is %d, %v", path, n, ok)
		}
	}
	if n, ok := files.Descriptor(file.Name()); ok {
		t.Errorf("a file is the descriptor %d", n)
	}
}

// What another process has open is reached by the kernel, and its link is no path.
func TestDescriptorsOfOthers(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "out")
	out, err := os.Create(file)
	must(t, err)
	other := exec.Command("cat")
	other.Stdout = out
	in, err := other.StdinPipe()
	must(t, err)
	must(t, other.Start())
	write(t, fmt.Sprintf("/proc/%d/fd/1", other.Process.Pid), "from outside")
	must(t, in.Close())
	must(t, other.Wait())
	if got := content(t, file); got != "from outside" {
		t.Errorf("%q", got)
	}
}

// A disk that is full is known before there is anything to write.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("only root mounts a disk to fill: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	if _, err := files.Open(filepath.Join(dir, "result.json")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
