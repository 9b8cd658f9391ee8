package main

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestDraw(t *testing.T) {
	t.Parallel()
	seeded := rand.New(rand.NewPCG(1, 2))
	counts := map[string]int{}
	for range 10_000 {
		method, path := draw(seeded.IntN)
		kind, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		kind, _, _ = strings.Cut(kind, "?")
		counts[method+" /"+kind]++
	}
	// The standard deviation is at most 0.5 %.
	for what, want := range map[string]int{"GET /": 7000, "GET /products": 2000, "POST /checkout": 1000} {
		if got := counts[what]; got < want-200 || got > want+200 {
			t.Errorf("%s is drawn %d times of 10000, want about %d", what, got, want)
		}
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	users := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		users[r.Header.Get("X-User-Id")]++
	}))
	defer server.Close()
	var out bytes.Buffer
	err := run(t.Context(), []string{"-store", server.URL, "-users", "3", "-rate", "500", "-for", "500ms"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	if len(users) != 3 || users["user-1"] == 0 || users["user-3"] == 0 {
		t.Errorf("the users are %v, want user-1 to user-3", users)
	}
	if !regexp.MustCompile(`^3 users sent \d+ requests in 0\.\d s \([\d.]+/s\): 0 failed, and \d+ were skipped since 64 were under way\n$`).MatchString(out.String()) {
		t.Errorf("the summary is %q", out.String())
	}
}

// TestLoadDoesNotPileUp sends more than a store can take that answers nothing.
func TestLoadDoesNotPileUp(t *testing.T) {
	t.Parallel()
	answer := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-answer
		_, _ = io.WriteString(w, "at last")
	}))
	defer server.Close()
	l := newLoad(server.URL, 10, 2000)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	time.AfterFunc(400*time.Millisecond, func() { close(answer) })
	l.run(ctx)
	if got := l.sent.Load(); got > connections {
		t.Errorf("%d requests were sent, want at most %d", got, connections)
	}
	if l.skipped.Load() == 0 {
		t.Error("no request was skipped")
	}
	if got := l.failed.Load(); got != 0 {
		t.Errorf("%d requests failed: the users did not wait for the answers", got)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"-store", "x", "-rate", "0"}, {"-store", "x", "-users", "0"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
