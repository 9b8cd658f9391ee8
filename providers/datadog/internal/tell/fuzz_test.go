package tell

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// Whatever a text is, no one is notified by it, and it is no Markdown.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{"%%%%", "%%@%", "@all", "%%% \n%%%", strings.Repeat("%", 11), "\xff", strings.Repeat("x", 50)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := plain(text, 40)
		if strings.Contains(got, "%%%") || strings.Contains(got, "@") || len([]rune(got)) > 40 {
			t.Errorf("%q became %q", text, got)
		}
	})
}

// An event was taken only if the answer says so.
func FuzzReadPosted(f *testing.F) {
	for _, seed := range []string{`{"status":"ok"}`, `{"status":null}`, "[]", "<html>", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if readPosted(body) == nil && !strings.Contains(string(body), "ok") && !strings.Contains(string(body), `\u`) {
			t.Errorf("taken: %s", body)
		}
	})
}

// Whatever a server says to a mark, it was taken only where the answer is a 202 that holds
// nothing, or an object with data and no error.
func FuzzReadMarked(f *testing.F) {
	for _, body := range []string{``, ` `, `{"data":null}`, `{"data":{}}`, `{"errors":["x"]}`, `{"data":null,"errors":[]}`, `{"data":null,"errors":"x"}`, `{}`, `null`, `[]`, `<html>`, `{"data":nu`} {
		f.Add(202, []byte(body))
		f.Add(200, []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if readMarked(status, body) != nil {
			return
		}
		var answer map[string]any
		if status != http.StatusAccepted || strings.TrimSpace(string(body)) != "" && (json.Unmarshal(body, &answer) != nil || answer == nil) {
			t.Errorf("%d %q counts as a mark that was taken", status, body)
		}
	})
}
