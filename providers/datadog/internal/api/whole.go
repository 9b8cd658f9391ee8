package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/web"
)

// ErrNotWhole is what Misread is told of an answer that holds only a part of what was asked for. It may be whole
// when it is asked for again.
var ErrNotWhole = errors.New("the answer is not whole")

// notices are what an answer may say of itself. Where each stands is documented for few
// routes only (https://docs.datadoghq.com/api/latest/logs/#aggregate-events has meta.status
// and meta.warnings), so that they are looked for wherever an answer speaks of itself.
type notices struct {
	Warnings   json.RawMessage
	Warning    json.RawMessage
	Partial    json.RawMessage
	IsPartial  json.RawMessage `json:"is_partial"`
	IsPartial2 json.RawMessage `json:"isPartial"`
	Incomplete json.RawMessage
	Truncated  json.RawMessage
	TimedOut   json.RawMessage `json:"timed_out"`
	Status     json.RawMessage
	Error      json.RawMessage
	Errors     json.RawMessage
	Meta       json.RawMessage
	Data       json.RawMessage
	Attributes json.RawMessage
	Series     *json.RawMessage // of a timeseries answer
}

// complete are the words for an answer that is whole, in meta.status.
var complete = []string{"done", "ok", "success", "complete", "completed"}

// says reports whether there is something in a field.
func says(raw json.RawMessage) bool {
	return len(raw) > 0 && !slices.Contains([]string{"null", `""`, "[]", "{}", "false", "0"}, string(bytes.TrimSpace(raw)))
}

// missing returns what an answer says is missing from it, "" for nothing. A text that is no
// JSON object says nothing here.
func missing(body []byte, ofItself bool) string {
	var n notices
	if json.Unmarshal(body, &n) != nil {
		return ""
	}
	for _, warnings := range []json.RawMessage{n.Warnings, n.Warning} {
		if says(warnings) {
			return "it comes with a warning: " + ErrorTexts(warnings)
		}
	}
	for _, partial := range []json.RawMessage{n.Partial, n.IsPartial, n.IsPartial2, n.Incomplete, n.Truncated} {
		if says(partial) {
			return "it says that it is partial"
		}
	}
	for _, said := range []json.RawMessage{n.Errors, n.Error} {
		if says(said) && holdsData(n.Data) {
			return "it comes with an error: " + ErrorTexts(said)
		}
	}
	var status string
	if ofItself && json.Unmarshal(n.Status, &status) == nil && !slices.Contains(complete, strings.ToLower(status)) {
		return fmt.Sprintf("its status is %q", status)
	}
	if ofItself && says(n.TimedOut) {
		return "it timed out"
	}
	for _, inner := range []json.RawMessage{n.Data, n.Attributes} {
		if text := missing(inner, false); text != "" {
			return text
		}
	}
	return missing(n.Meta, true)
}

// holdsData reports whether an answer's data are more than the frame of such.
func holdsData(data json.RawMessage) bool {
	var n notices
	if says(data) && json.Unmarshal(data, &n) == nil && says(n.Attributes) && json.Unmarshal(n.Attributes, &n) == nil && n.Series != nil {
		return says(*n.Series)
	}
	return says(data)
}

// checkWhole reports that the answer to a question is a part of it.
func (c *Client) checkWhole(doing string, body []byte) *web.Error {
	text := missing(body, false)
	if text == "" {
		return nil
	}
	return c.Misread(doing, fmt.Errorf("%w: %s", ErrNotWhole, text))
}

// asks reports whether a request asks for something, and changes nothing.
func asks(method, path string) bool {
	return method == http.MethodGet || strings.HasPrefix(path, "/api/v2/query/") || strings.HasSuffix(path, "/search")
}
