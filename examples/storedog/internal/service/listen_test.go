package service

import (
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// TestListenTakesOver replaces servers at one address again and again, as a restart
// does, under requests on new connections: none is lost.
func TestListenTakesOver(t *testing.T) {
	t.Parallel()
	first, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := first.Addr().String()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	stop := make(chan struct{})
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := client.Get("http://" + address)
				if err != nil {
					t.Errorf("a request is lost: %v", err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
	serve := func(l net.Listener) *http.Server {
		server := newServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		go func() { _ = server.Serve(l) }()
		return server
	}
	old := serve(first)
	for range 20 {
		next, err := listen(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		server := serve(next)
		shutDown(t, old)
		old = server
	}
	close(stop)
	running.Wait()
	shutDown(t, old)
}

// shutDown ends a server as Server.Run does.
func shutDown(t *testing.T, s *http.Server) {
	t.Helper()
	if err := drain(t.Context(), s); err != nil {
		t.Errorf("shut down: %v", err)
	}
}
