package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// get asks a server, under a host's name, and returns the status and the answer.
func get(t *testing.T, address, host string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// A page follows a run: it is of what is recorded so far, its script is one that its policy allows, and its reader is told
// of more, also of what came before it asked.
func TestPageFollowsTheRun(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile("../../testdata/broken.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "run.jsonl")
	grow := func(lines int) {
		if err := os.WriteFile(file, bytes.Join(bytes.SplitAfter(whole, []byte("\n"))[:lines], nil), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	grow(20)
	a := &app{stdout: io.Discard, stderr: io.Discard}
	f := &follower{file: file, page: a.statusPage, local: true, changed: make(chan struct{}), done: make(chan struct{})}
	f.told = f.state()
	server := httptest.NewServer(f)
	defer server.Close()

	code, page := get(t, server.URL+"/", "")
	if code != http.StatusOK || !strings.Contains(page, "NO VERDICT YET after 0 of 2 min") {
		t.Fatalf("%d: %.300s", code, page)
	}
	script := regexp.MustCompile(`(?s)<script>("use strict";\n// The page is read anew.*?)</script>`).FindStringSubmatch(page)
	if script == nil {
		t.Fatal("the page does not follow anything")
	}
	sum := sha256.Sum256([]byte(script[1]))
	policy := regexp.MustCompile(`Content-Security-Policy" content="[^"]*"`).FindString(html.UnescapeString(page))
	if !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.Contains(policy, "connect-src 'self'") {
		t.Errorf("the policy %q does not allow the script and its connection", policy)
	}

	state := regexp.MustCompile(`data-state="([^"]+)"`).FindStringSubmatch(page)[1]
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/events?"+state, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	events := bufio.NewReader(answer.Body)
	if first, err := events.ReadString('\n'); err != nil || !strings.HasPrefix(first, "retry: ") {
		t.Fatal(first, err)
	}
	f.look() // nothing is new
	grow(47)
	f.look()
	rest, err := io.ReadAll(events)
	if err != nil || strings.Count(string(rest), "event: look\n") != 1 {
		t.Errorf("%q, %v; want one event", rest, err)
	}
	if _, page := get(t, server.URL+"/", ""); !strings.Contains(page, "FAIL after 15 s") {
		t.Errorf("the page has not gone on: %.300s", page)
	}
	if _, late := get(t, server.URL+"/events?"+state, ""); !strings.Contains(late, "event: look\n") {
		t.Errorf("%q; want an event for a page that was made before what is there", late)
	}

	// A recording that cannot be read is no reason to end.
	if err := os.WriteFile(file, []byte("<b>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, page := get(t, server.URL+"/", ""); code != http.StatusServiceUnavailable || strings.Contains(page, "<b>") {
		t.Errorf("%d %s", code, page)
	}
	close(f.done)
	if _, none := get(t, server.URL+"/events?"+f.state(), ""); strings.Contains(none, "event:") {
		t.Errorf("%q; want no event once all is over", none)
	}
}

// Pages from elsewhere whose names lead to this machine do not read what only it is meant to see.
func TestPageIsForThisMachine(t *testing.T) {
	t.Parallel()
	page := func(context.Context, string, string) ([]byte, error) { return []byte("page"), nil }
	f := &follower{file: "none", page: page, local: true}
	server := httptest.NewServer(f)
	defer server.Close()
	for host, want := range map[string]int{
		"127.0.0.1:80": 200, "localhost": 200, "localhost:8090": 200, "[::1]:1": 200, "[::1]": 200, "127.0.0.2": 200,
		"evil.example": 403, "localhost.evil.example:80": 403, "10.0.0.1": 403, "127.0.0.1.evil.example": 403,
	} {
		if code, text := get(t, server.URL, host); code != want {
			t.Errorf("as %s: %d %s; want %d", host, code, text, want)
		}
	}
	if code, _ := get(t, server.URL+"/other", ""); code != http.StatusNotFound {
		t.Errorf("another path: %d", code)
	}
	f.local = false
	if code, text := get(t, server.URL, "build-7.example"); code != http.StatusOK || text != "page" {
		t.Errorf("of an address that others reach: %d %s", code, text)
	}
	answer, err := http.Post(server.URL, "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _ = answer.Body.Close(); answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", answer.StatusCode)
	}
}

func TestStanding(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
	c := &config.Config{}
	c.Window.Step, c.Window.Lag = 30*time.Second, 15*time.Second
	writer := &recording.Process{PID: 7, Host: "build-7", Since: start}
	header := recording.Header{Window: &recording.Window{Start: start, Step: (providers.Duration(30 * time.Second)).String(), Warmup: 2, Steps: 60}}
	judged := start.Add(5 * time.Minute)
	for _, test := range []struct {
		what         string
		r            recording.Recording
		written, now time.Time
		want         string
	}{
		{"in its warm-up", recording.Recording{Header: header, Writer: writer}, start, start.Add(time.Second), "goes on, by process 7.* its next look is due at 10:01:45 UTC"},
		{"between looks", recording.Recording{Header: header, Judged: judged}, judged, judged.Add(20 * time.Second), `^The run goes on; its next look is due at 10:05:45 UTC`},
		{"waiting for data", recording.Recording{Header: header, Judged: judged}, judged, judged.Add(2 * time.Minute), "has been due since 10:05:45 UTC"},
		{"gone", recording.Recording{Header: header, Judged: judged, Writer: writer}, judged, judged.Add(20 * time.Minute),
			"has stopped, it seems: .* process 7.* wrote last at 2026-11-27 10:05:00 UTC.*--resume --record f.jsonl"},
		{"acting", recording.Recording{Header: header, Judged: judged, End: &recording.End{Why: "verdict", Verdict: "fail"}}, judged, judged.Add(time.Minute), "does what follows it"},
		{"gone while it acted", recording.Recording{Header: header, Judged: judged, End: &recording.End{Why: "verdict", Verdict: "fail"}}, judged, judged.Add(time.Hour), "not all that follows it was done.*--resume"},
		{"concluded", recording.Recording{Header: header, Judged: judged, Concluded: true, End: &recording.End{Why: "verdict", Verdict: "fail"}}, judged, judged.Add(time.Hour), "^$"},
		{"interrupted", recording.Recording{Header: header, Judged: judged, End: &recording.End{Why: "interrupted"}}, judged, judged.Add(time.Hour), "^$"},
	} {
		if got := standing(&test.r, c, "f.jsonl", test.written, test.now); !regexp.MustCompile(test.want).MatchString(got) {
			t.Errorf("%s: %q; want %q", test.what, got, test.want)
		}
	}
}
