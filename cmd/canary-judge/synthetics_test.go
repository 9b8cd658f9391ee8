package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// syntheticsServer answers as Datadog does for two API tests, that of the baseline
// and that of the canary, which ran every 20 seconds of the past.
type syntheticsServer struct {
	mode   string
	events string // file that events are appended to
}

func (s *syntheticsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/v1/events" {
		s.event(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/api/v1/monitor/") {
		s.monitor(w, r)
		return
	}
	canary := strings.Contains(r.URL.Path, "jkl-mno-pqr")
	switch {
	case r.Header.Get("Dd-Api-Key") != "hunter2-api" || r.Header.Get("Dd-Application-Key") != "hunter2-app":
		w.WriteHeader(http.StatusUnauthorized)
		return
	case s.mode == "403":
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"errors":["no permission for %s"]}`, r.Header.Get("Dd-Api-Key"))
		return
	case s.mode == "html" && canary:
		_, _ = io.WriteString(w, "<html>hunter2-app</html>")
		return
	case !strings.HasSuffix(r.URL.Path, "/results"):
		_, _ = fmt.Fprintf(w, `{"public_id":%q,"type":"api"}`, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
		return
	}
	to, err := strconv.ParseInt(r.URL.Query().Get("to_ts"), 10, 64)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	const every = 20_000
	var items []string
	for at := min(to, time.Now().UnixMilli()) / every * every; len(items) < 150; at -= every {
		status := "passed"
		switch n := at / every; {
		case s.mode == "broken" && canary && n%3 > 0:
			status = "failed"
		case s.mode == "silent" && canary:
			status = "aborted"
		}
		items = append(items, fmt.Sprintf(`{"id":"%d","attributes":{"status":%q,"run_type":"scheduled","started_at":%d,"finished_at":%d,"location":{"id":"aws:eu-central-1"}}}`,
			at, status, at-1500, at))
	}
	_, _ = fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(items, ","))
}

// event takes an event, a line each.
func (s *syntheticsServer) event(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || s.mode == "no events" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	f, err := os.OpenFile(s.events, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_, _ = f.Write(append(body, '\n'))
	_ = f.Close()
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"ok"}`)
}

// monitor answers for the monitor 12345, which has a group a service.
func (s *syntheticsServer) monitor(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/12345") {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	status, silenced, triggered := "OK", "{}", int64(0)
	switch s.mode {
	case "alert":
		status, triggered = "Alert", time.Now().Unix()-600
	case "alert now", "no events":
		status, triggered = "Alert", time.Now().Unix()+1
	case "old alert":
		status, triggered = "Alert", time.Now().Unix()-86400
	case "muted":
		silenced = `{"*":null}`
	}
	_, _ = fmt.Fprintf(w, `{"id":12345,"name":"Errors of the store","overall_state":"Alert","options":{"silenced":%s},"state":{"groups":{
		"service:store":{"name":"service:store","status":"Alert","last_triggered_ts":%d},
		"service:store-canary":{"name":"service:store-canary","status":%q,"last_triggered_ts":%d}}}}`, silenced, time.Now().Unix()-60, status, triggered)
}

// fakeSynthetics starts a server in a mode and puts its address and its keys into the
// environment: synthetics healthy.
func fakeSynthetics(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: synthetics MODE")
	}
	server := httptest.NewServer(&syntheticsServer{args[0], ts.MkAbs("events.jsonl")})
	ts.Defer(server.Close)
	ts.Setenv("DD_URL", server.URL)
	ts.Setenv("DD_API_KEY", "hunter2-api")
	ts.Setenv("DD_APP_KEY", "hunter2-app")
}
