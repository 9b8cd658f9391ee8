package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// JSON writes the report as the result file.
func (r *Report) JSON(w io.Writer) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	_, err := w.Write(flattenNumbers(b.Bytes()))
	return err
}

// Read reads a saved result.
func Read(from io.Reader) (*Report, error) {
	d := json.NewDecoder(from)
	var r Report
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("not a result: %w", err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("not a result: the schema is %q, this tool reads %q", r.Schema, Schema)
	}
	return &r, nil
}

// flattenNumbers puts lists of numbers on one line each: a series of a hundred
// steps is not a hundred lines.
func flattenNumbers(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := i + 1
			for text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			out = append(out, text[i:end+1]...)
			i = end
		case '[':
			end := i + 1
			for end < len(text) && !bytes.ContainsRune([]byte(`"[{]`), rune(text[end])) {
				end++
			}
			if end == len(text) || text[end] != ']' {
				out = append(out, '[')
				continue
			}
			list := bytes.Join(bytes.Fields(text[i:end+1]), []byte(" "))
			list = bytes.TrimPrefix(list, []byte("[ "))
			list = bytes.TrimPrefix(list, []byte("["))
			list = bytes.TrimSuffix(bytes.TrimSuffix(list, []byte("]")), []byte(" "))
			out = append(append(append(out, '['), list...), ']')
			i = end
		default:
			out = append(out, text[i])
		}
	}
	return out
}
