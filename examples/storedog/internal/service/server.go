package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// A service is told to end: it has 5 s in all.
const (
	// settle is the time to accept the connections that wait already. New ones go
	// to the next process by then.
	settle = 100 * time.Millisecond
	// longestDrain is the time to finish the requests under way.
	longestDrain = 4500 * time.Millisecond
)

// Server serves the requests of a service until it is told to end, and then
// finishes those under way.
//
// To replace a service without losing a request, a new process is started with the
// same Address and another Admin. When GET /healthz at its Admin says 200, POST
// /open there makes it take over: from when that has been answered, the old process
// gets no new connections and can be ended with SIGTERM.
type Server struct {
	Address string       // where requests come in; shared with the process before and after
	Admin   string       // of this process alone; empty: none, and it is open from the start
	Handler http.Handler // answers the requests
	Metrics *Metrics
	Health  func(context.Context) error // says why the service cannot do its work
}

// Run serves until the context is done.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 2)
	public := newServer(s.public())
	open := sync.OnceValue(func() error {
		listener, err := listen(context.WithoutCancel(ctx), s.Address)
		if err != nil {
			return err
		}
		slog.Info("open", "address", listener.Addr().String())
		go func() { failed <- public.Serve(listener) }()
		return nil
	})
	if s.Admin == "" {
		if err := open(); err != nil {
			return err
		}
	} else {
		admin := newServer(s.admin(open))
		listener, err := net.Listen("tcp", s.Admin)
		if err != nil {
			return fmt.Errorf("listen for the admin: %w", err)
		}
		defer admin.Close()
		go func() { failed <- admin.Serve(listener) }()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	slog.Info("ending")
	return drain(context.WithoutCancel(ctx), public)
}

// drain ends a server when it has answered the requests under way.
func drain(ctx context.Context, server *http.Server) error {
	time.Sleep(settle)
	ctx, cancel := context.WithTimeout(ctx, longestDrain)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("finish the requests under way: %w", err), server.Close())
	}
	return nil
}

// public answers all that comes in at the address.
func (s *Server) public() http.Handler {
	mux := s.operations()
	mux.Handle("/", s.Handler)
	return mux
}

// admin answers the one who runs this process.
func (s *Server) admin(open func() error) http.Handler {
	mux := s.operations()
	mux.HandleFunc("POST /open", func(w http.ResponseWriter, _ *http.Request) {
		if err := open(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return mux
}

// operations answers what is asked of any service, which counts as no request.
func (s *Server) operations() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.Metrics.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Health(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "well")
	})
	return mux
}

func newServer(handler http.Handler) *http.Server {
	return &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
}
