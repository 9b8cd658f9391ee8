package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/canary-judge/canary-judge/analysis"
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

// mostBytes bounds a saved result that is read: far above what the largest run
// saves, far below what would exhaust a machine.
const mostBytes = 256 << 20

// Read reads a saved result. Its errors say what to do.
func Read(from io.Reader) (*Report, error) {
	const cure = "want a file that run or replay wrote with -o json=PATH"
	text, err := io.ReadAll(io.LimitReader(from, mostBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > mostBytes:
		return nil, fmt.Errorf("it has more than %d MiB; %s", mostBytes>>20, cure)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, fmt.Errorf("it is empty; %s", cure)
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, unreadable(text, err, cure)
	}
	switch {
	case r.Schema == "":
		return nil, fmt.Errorf("it has no schema, so it is no result; %s", cure)
	case r.Schema != Schema:
		return nil, fmt.Errorf("its schema is %q and this version reads %q; use the version of canary-judge that wrote it, or replay the recording with this one", r.Schema, Schema)
	case !slices.ContainsFunc([]analysis.Verdict{analysis.VerdictPass, analysis.VerdictFail, analysis.VerdictInconclusive}, r.Is):
		return nil, fmt.Errorf("its verdict is %q; valid: pass, fail, inconclusive; it was changed since it was written: replay the recording", r.Verdict)
	}
	return &r, nil
}

// unreadable says what keeps a text from being a result.
func unreadable(text []byte, err error, cure string) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	line := func(offset int64) int { return 1 + bytes.Count(text[:min(int(offset), len(text))], []byte("\n")) }
	switch {
	case errors.As(err, &syntax) && int(syntax.Offset) >= len(text):
		return fmt.Errorf("it ends in the middle of line %d: the job that wrote it or the upload was cut off; fetch it again, or replay the recording", line(syntax.Offset))
	case errors.As(err, &syntax):
		return fmt.Errorf("it is not JSON (line %d: %w); %s", line(syntax.Offset), err, cure)
	case errors.As(err, &kind):
		return fmt.Errorf("line %d: %s is a %s, which a result does not have there (canary-judge schema result says what it has); replay the recording to write it anew", line(kind.Offset), kind.Field, kind.Value)
	}
	return fmt.Errorf("it is no result: %w; %s", err, cure)
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
