package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestCleaner(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, said, want string
	}{
		{"lines", "one\ntwo\n", "one\ntwo\n"},
		{"a last line without an end", "one\ntwo", "one\ntwo\n"},
		{"empty lines", "one\n\n\ntwo\n", "one\n\n\ntwo\n"},
		{"Windows", "one\r\n\r\ntwo\r\n", "one\n\ntwo\n"},
		{"progress", "1%\r50%\r100%\rdone\n", "1%\n50%\n100%\ndone\n"},
		{"progress that goes on over itself", "\r1%\r\r2%", "1%\n2%\n"},
		{"progress that ends in a line", "1%\r2%\r\n", "1%\n2%\n"},
		{"what would move the cursor", "a\x1b[2Jb\n", "a[2Jb\n"},
		{"nothing", "", ""},
	} {
		for _, size := range []int{1, 2, 3, 1000} {
			var b strings.Builder
			w := &cleanWriter{to: &b}
			for rest := c.said; rest != ""; {
				n := min(size, len(rest))
				if got, err := w.Write([]byte(rest[:n])); got != n || err != nil {
					t.Fatal(got, err)
				}
				rest = rest[n:]
			}
			w.close()
			if got := strings.ReplaceAll(b.String(), "·", ""); got != c.want {
				t.Errorf("%s, in parts of %d: %q, want %q", c.name, size, got, c.want)
			}
		}
	}
}

// A line without an end takes no more memory than what is shown of it.
func TestCleanerOfALongLine(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	w := &cleanWriter{to: &b}
	part := []byte(strings.Repeat("x", 32<<10))
	for range 50 << 20 / len(part) {
		fmt.Fprintf(w, "%s", part)
	}
	fmt.Fprint(w, "\nnext\n")
	if want := strings.Repeat("x", longestLine) + "… (cut)\nnext\n"; b.String() != want || cap(w.line) > 4*longestLine {
		t.Errorf("%d bytes shown, %d kept", b.Len(), cap(w.line))
	}
}
