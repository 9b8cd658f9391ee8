package service

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// newTestHandler returns metrics, and a handler that is counted in them and fails as
// its path says.
func newTestHandler() (*Metrics, http.Handler) {
	metrics := NewMetrics(Identity{Service: "kennel", Version: "abc1234", Flavour: "canary"})
	mux := http.NewServeMux()
	metrics.Handle(mux, "GET /{$}", func(http.ResponseWriter, *http.Request) {})
	metrics.Handle(mux, "GET /dogs/{id}", func(w http.ResponseWriter, r *http.Request) {
		switch r.PathValue("id") {
		case "gone":
			http.Error(w, "gone", http.StatusInternalServerError)
		case "panic":
			panic("the dog bites")
		}
	})
	return metrics, mux
}

// exported returns the metrics as Prometheus reads them.
func exported(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	return w.Body.String()
}

func TestCountersFromTheStart(t *testing.T) {
	t.Parallel()
	metrics, _ := newTestHandler()
	text := exported(t, metrics)
	for _, route := range []string{"/", "/dogs/{id}"} {
		for _, flag := range []string{"on", "off"} {
			for _, code := range []string{"200", "500"} {
				want := `http_requests_total{code="` + code + `",flag="` + flag +
					`",flavour="canary",route="` + route + `",service="kennel",version="abc1234"} 0` + "\n"
				if !strings.Contains(text, want) {
					t.Errorf("the metrics lack %s", want)
				}
			}
			want := `http_request_duration_seconds_count{flag="` + flag +
				`",flavour="canary",route="` + route + `",service="kennel",version="abc1234"} 0` + "\n"
			if !strings.Contains(text, want) {
				t.Errorf("the metrics lack %s", want)
			}
		}
	}
	if !strings.Contains(text, `process_resident_memory_bytes{flavour="canary",service="kennel",version="abc1234"}`) {
		t.Error("the metrics lack the memory of the process")
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, path string
		header     http.Header
		want       string // what is 1 then; empty: nothing
	}{
		{"an answer", "/", nil, `code="200",flag="off",flavour="canary",route="/"`},
		{"an error", "/dogs/gone", nil, `code="500",flag="off",flavour="canary",route="/dogs/{id}"`},
		{"a panic", "/dogs/panic", nil, `code="500",flag="off",flavour="canary",route="/dogs/{id}"`},
		{"a user with a flag", "/", http.Header{FlagHeader: {"new"}}, `code="200",flag="on",flavour="canary",route="/"`},
		{"a synthetic check", "/", http.Header{SyntheticHeader: {"true"}}, ""},
		{"no route", "/cats", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			metrics, handler := newTestHandler()
			r := httptest.NewRequest(http.MethodGet, c.path, http.NoBody)
			if c.header != nil {
				r.Header = c.header
			}
			handler.ServeHTTP(httptest.NewRecorder(), r)
			var counted []string
			for line := range strings.Lines(exported(t, metrics)) {
				if strings.HasPrefix(line, "http_requests_total{") && strings.HasSuffix(line, " 1\n") {
					counted = append(counted, line)
				}
			}
			switch {
			case c.want == "" && len(counted) > 0:
				t.Errorf("it is counted: %s", counted)
			case c.want != "" && (len(counted) != 1 || !strings.Contains(counted[0], c.want)):
				t.Errorf("counted is %q, want %s", counted, c.want)
			}
		})
	}
}

func TestClientGone(t *testing.T) {
	t.Parallel()
	metrics, _ := newTestHandler()
	reached := make(chan struct{})
	answered := make(chan struct{})
	mux := http.NewServeMux()
	metrics.Handle(mux, "GET /slow", func(w http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
		http.Error(w, "too late", http.StatusInternalServerError)
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r)
		close(answered)
	}))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{}}
	go func() {
		<-reached
		client.CloseIdleConnections()
		server.CloseClientConnections()
	}()
	if resp, err := client.Get(server.URL + "/slow"); err == nil {
		resp.Body.Close()
		t.Fatal("the client got an answer")
	}
	<-answered
	if text := exported(t, metrics); !strings.Contains(text, `http_requests_total{code="499",flag="off"`) {
		t.Error("a client that left is not counted as such")
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	for i := 1; i < len(buckets); i++ {
		before, b := buckets[i-1], buckets[i]
		if before >= .005 && b <= .5 && b/before > 1.3 {
			t.Errorf("%v is more than 1.3 times %v", b, before)
		}
	}
}
