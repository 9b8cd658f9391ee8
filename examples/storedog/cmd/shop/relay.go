package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"
)

// relay is where Prometheus scrapes a service, whichever process it is now. While one
// process takes over from another, both listen at the address of the service: a scrape
// there would meet either of them, at random. And were the target changed in
// Prometheus, it would take up to ten seconds to notice.
type relay struct {
	address string
	server  *http.Server
	process atomic.Pointer[string] // address of its admin
}

func startRelay() (*relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for scrapes: %w", err)
	}
	r := &relay{address: listener.Addr().String()}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: *r.process.Load()})
		},
		// A process that is gone is a failed scrape, which says it all.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	nobody := ""
	r.process.Store(&nobody)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", proxy)
	r.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = r.server.Serve(listener) }() // until it is closed
	return r, nil
}

// follow makes all further scrapes go to a process.
func (r *relay) follow(admin string) { r.process.Store(&admin) }

func (r *relay) close() { _ = r.server.Close() }
