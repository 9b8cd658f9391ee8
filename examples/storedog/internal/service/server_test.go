package service

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// freeAddress returns an address at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 5 s for %s", what)
		}
	}
}

// status returns the status code and the text of an answer, 0 if there is none.
func status(method, url string) (int, string) {
	req, err := http.NewRequest(method, url, http.NoBody)
	if err != nil {
		return 0, err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// TestServer follows a process from its start to its end, as the one who replaces
// another with it does.
func TestServer(t *testing.T) {
	t.Parallel()
	var well atomic.Bool
	arrived, leave := make(chan struct{}), make(chan struct{})
	address, admin := freeAddress(t), freeAddress(t)
	server := Server{
		Address: address, Admin: admin, Metrics: NewMetrics(Identity{}),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(arrived)
			<-leave
			_, _ = io.WriteString(w, "woof")
		}),
		Health: func(context.Context) error {
			if well.Load() {
				return nil
			}
			return errors.New("the dog is asleep")
		},
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()

	eventually(t, "the admin", func() bool {
		code, _ := status(http.MethodGet, "http://"+admin+"/metrics")
		return code == http.StatusOK
	})
	if code, text := status(http.MethodGet, "http://"+admin+"/healthz"); code != http.StatusServiceUnavailable || !strings.Contains(text, "asleep") {
		t.Errorf("a service that is not well answers %d %q", code, text)
	}
	well.Store(true)
	if code, text := status(http.MethodGet, "http://"+admin+"/healthz"); code != http.StatusOK {
		t.Errorf("a service that is well answers %d %q", code, text)
	}
	if code, _ := status(http.MethodGet, "http://"+address+"/healthz"); code != 0 {
		t.Errorf("a service that is not open answers %d", code)
	}
	if code, text := status(http.MethodPost, "http://"+admin+"/open"); code != http.StatusOK {
		t.Fatalf("the service does not open: %d %q", code, text)
	}
	if code, _ := status(http.MethodGet, "http://"+address+"/healthz"); code != http.StatusOK {
		t.Errorf("a service that is open answers %d", code)
	}

	answer := make(chan string, 1)
	go func() {
		_, text := status(http.MethodGet, "http://"+address+"/")
		answer <- text
	}()
	<-arrived
	end()
	eventually(t, "the end of new requests", func() bool { code, _ := status(http.MethodGet, "http://"+address+"/healthz"); return code == 0 })
	close(leave)
	if text := <-answer; text != "woof" {
		t.Errorf("the request under way was answered %q", text)
	}
	if err := <-ended; err != nil {
		t.Errorf("the service ended with: %v", err)
	}
}
