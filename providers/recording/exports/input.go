package exports

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/canary-judge/canary-judge/web"
)

// largest bounds what is read of a file, decompressed: a k6 run of hours has some GiB.
const largest = 8 << 30

// peeked is how much of a file is looked at to recognise it.
const peeked = 1 << 16

// input is a file's text: decompressed, in UTF-8, without a byte order mark.
type input struct {
	*bufio.Reader
}

// open undoes gzip and UTF-16, which Excel and PowerShell write.
func open(from io.Reader) (*input, error) {
	in := bufio.NewReaderSize(from, peeked)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("not a gzip file: %w", err)
		}
		in = bufio.NewReaderSize(io.LimitReader(unzipped, largest), peeked)
	}
	head, _ := in.Peek(4)
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return decode16(in, binary.LittleEndian)
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return decode16(in, binary.BigEndian)
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3) // they are in the buffer
	case bytes.IndexByte(head, 0) >= 0:
		return nil, errors.New("it is no text; save it as UTF-8")
	case len(head) == 0:
		return nil, errors.New("the file is empty")
	}
	return &input{Reader: in}, nil
}

// decode16 reads UTF-16 with its byte order mark.
func decode16(in io.Reader, order binary.ByteOrder) (*input, error) {
	const most = 256 << 20
	raw, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > most || len(raw)%2 != 0 {
		return nil, errors.New("the UTF-16 text is cut off or larger than 256 MiB; save it as UTF-8")
	}
	units := make([]uint16, 0, len(raw)/2)
	for i := 2; i < len(raw); i += 2 {
		units = append(units, order.Uint16(raw[i:]))
	}
	return &input{Reader: bufio.NewReaderSize(strings.NewReader(string(utf16.Decode(units))), peeked)}, nil
}

// table is a CSV being read row by row.
type table struct {
	header []string
	comma  rune
	rows   *csv.Reader
	at     map[string]int // column by its name in lower case; the first of several
	offset int            // lines before the header
}

// row is a line's cells, valid until the next row.
type row struct {
	line  int
	cells []string
	table *table
}

// delimiters that are told apart by the header.
const delimiters = ",;\t|"

// readTable reads the header. Excel's first line sep=X is honoured.
func readTable(in *input) (*table, error) {
	t := &table{at: map[string]int{}}
	head, _ := in.Peek(peeked)
	if line, _, found := bytes.Cut(head, []byte("\n")); found && bytes.HasPrefix(line, []byte("sep=")) {
		delimiter := strings.TrimRight(string(line[len("sep="):]), "\r")
		if len(delimiter) != 1 || !strings.Contains(delimiters, delimiter) {
			return nil, fmt.Errorf("line 1: %q is no delimiter that is read here; use a comma or a semicolon", web.Quote(delimiter))
		}
		_, _ = in.Discard(len(line) + 1) // they are in the buffer
		t.comma, t.offset, head = rune(delimiter[0]), 1, head[len(line)+1:]
	}
	if t.comma == 0 {
		t.comma = delimiterOf(string(head))
	}
	t.rows = csv.NewReader(in)
	t.rows.Comma, t.rows.ReuseRecord = t.comma, true
	t.rows.TrimLeadingSpace = t.comma != '\t'
	header, err := t.rows.Read()
	if err != nil {
		return nil, fmt.Errorf("line %d: no header: %w", t.offset+1, err)
	}
	for i, name := range header {
		name = strings.TrimSpace(name)
		t.header = append(t.header, strings.Clone(name))
		key := strings.ToLower(name)
		if _, there := t.at[key]; !there {
			t.at[key] = i
		}
	}
	return t, nil
}

// delimiterOf returns the delimiter that divides the first line into most cells.
func delimiterOf(text string) rune {
	best, most := ',', 0
	line, _, _ := strings.Cut(text, "\n")
	for _, d := range delimiters {
		quoted, n := false, 0
		for _, c := range line {
			switch {
			case c == '"':
				quoted = !quoted
			case c == d && !quoted:
				n++
			}
		}
		if n > most {
			best, most = d, n
		}
	}
	return best
}

// need returns the places of columns, or an error that names those that are missing.
func (t *table) need(names ...string) error {
	var missing []string
	for _, name := range names {
		if _, ok := t.at[strings.ToLower(name)]; !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("line %d: the column %s is missing; the header is %s",
			t.offset+1, strings.Join(missing, " and "), web.Quote(strings.Join(t.header, ",")))
	}
	return nil
}

// next returns the next row, and io.EOF after the last.
func (t *table) next() (row, error) {
	cells, err := t.rows.Read()
	if errors.Is(err, io.EOF) {
		return row{}, io.EOF
	}
	if err != nil {
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			parse.Line, parse.StartLine = parse.Line+t.offset, parse.StartLine+t.offset
			if errors.Is(parse.Err, csv.ErrFieldCount) && len(cells) > 0 {
				err = fmt.Errorf("line %d: there are %d cells, and %d in the header", parse.Line, len(cells), len(t.header))
			}
		}
		return row{}, err
	}
	line, _ := t.rows.FieldPos(0)
	r := row{line + t.offset, cells, t}
	if sameCells(cells, t.header) {
		return row{}, fmt.Errorf("line %d is a header again: there are two files in one; give one of them", r.line)
	}
	return r, nil
}

func sameCells(a, b []string) bool {
	for i := range a {
		if strings.TrimSpace(a[i]) != b[i] {
			return false
		}
	}
	return len(a) > 1
}

// get returns the cell of a column, "" when there is no such column.
func (r row) get(column string) string {
	if i, ok := r.table.at[strings.ToLower(column)]; ok {
		return strings.TrimSpace(r.cells[i])
	}
	return ""
}

// errorf is about the row.
func (r row) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: %w", r.line, fmt.Errorf(format, args...))
}
