package providertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// Serve returns a transport to a server in memory. It is real HTTP but for the
// network, so that in a bubble of testing/synctest waits take no time. The handler gets
// requests whose bodies have arrived.
func Serve(t *testing.T, h http.Handler) http.RoundTripper {
	t.Helper()
	l := &listener{connections: make(chan net.Conn), closed: make(chan struct{})}
	// Drained: net/http sees that a client has gone only when the request's body was read.
	drained := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client has gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r)
	})
	server := &http.Server{Handler: drained} //nolint:gosec // the only client is the test
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	transport := &http.Transport{
		DialContext: l.dial,
		// What it is called with https://, it would speak TLS to.
		DialTLSContext: l.dial,
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server in memory ended: %v", err)
		}
	})
	return transport
}

// listener accepts what its dial connects.
type listener struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func (l *listener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.connections <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }
