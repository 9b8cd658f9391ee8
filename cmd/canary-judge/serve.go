package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

func serveFlag(cmd *cobra.Command, serve *string, usage string) {
	cmd.Flags().StringVar(serve, "serve", "", usage)
}

// follower serves a page that follows a recording.
type follower struct {
	file string
	page func(ctx context.Context, file, state string) ([]byte, error)
	// local: only this machine is meant to see it.
	local bool

	done chan struct{} // closed when nothing more will come

	mutex   sync.Mutex
	told    string        // what the recording was like when the readers were told last
	changed chan struct{} // closed when there is more to see
	readers int           // who wait for more
}

// pollTime is how often it is looked whether the recording has grown; reconnect is after how long a reader whose
// connection is lost asks again.
const (
	pollTime  = time.Second
	reconnect = 2 * time.Second
)

// serveStatus shows the page until the context ends.
func (a *app) serveStatus(ctx context.Context, address, file string) error {
	if _, err := a.status(ctx, file); err != nil {
		return usage(err)
	}
	stop, err := a.serve(ctx, address, file)
	if err != nil {
		return usage(err)
	}
	<-ctx.Done()
	stop()
	return nil
}

// serve begins to show the page at an address, and says where. The function that it returns ends that, once who watches
// has seen the last of it.
func (a *app) serve(ctx context.Context, address, file string) (stop func(), err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--serve %s: %w; give an address of this machine with a free port, such as 127.0.0.1:8090", address, err)
	}
	at, _ := netip.ParseAddrPort(listener.Addr().String())
	f := &follower{file: file, page: a.statusPage, local: at.Addr().IsLoopback(), changed: make(chan struct{}), done: make(chan struct{})}
	f.told = f.state()
	server := &http.Server{Handler: f, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // it ends by Shutdown
	polling, halt := context.WithCancel(context.WithoutCancel(ctx))
	go f.poll(polling)
	fmt.Fprintf(a.stderr, "a page that follows the run: http://%s/\n", listener.Addr())
	return func() {
		halt()
		f.last()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*reconnect)
		defer cancel()
		_ = server.Shutdown(ending) // who has not read it by then, does not
	}, nil
}

// poll looks for more until the context ends.
func (f *follower) poll(ctx context.Context) {
	ticker := time.NewTicker(pollTime)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.look()
		}
	}
}

// look tells the readers where there is more to see.
func (f *follower) look() {
	if now := f.state(); now != f.told {
		f.told = now
		f.tell()
	}
}

// tell has the readers read the page again, and returns how many they are.
func (f *follower) tell() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	close(f.changed)
	f.changed = make(chan struct{})
	return f.readers
}

// last has the readers read the page once more, and gives them the time for it.
func (f *follower) last() {
	if f.tell() > 0 {
		time.Sleep(pollTime)
	}
	close(f.done)
}

// state names what the recording is like: by its size and time, which is enough of a file that grows.
func (f *follower) state() string {
	info, err := os.Stat(f.file)
	if err != nil {
		return "none"
	}
	return fmt.Sprintf("%x-%x", info.Size(), info.ModTime().UnixNano())
}

// ServeHTTP implements http.Handler: the page, and the events that it waits for.
func (f *follower) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	switch {
	case f.local && !loopback(r.Host):
		// A page elsewhere whose name leads here must not read it.
		http.Error(w, "this page is for this machine alone", http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "only GET is answered here", http.StatusMethodNotAllowed)
	case r.URL.Path == "/":
		f.serve(w, r)
	case r.URL.Path == "/"+report.LiveEvents:
		f.events(w, r)
	default:
		http.NotFound(w, r)
	}
}

// loopback reports whether a host is a name of this machine that leads nowhere else.
func loopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	at, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && at.IsLoopback()
}

// serve answers with the page.
func (f *follower) serve(w http.ResponseWriter, r *http.Request) {
	page, err := f.page(r.Context(), f.file, f.state())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		// The recording may be there in a moment.
		page = fmt.Appendf(nil, `<!DOCTYPE html><html lang="en"><title>canary-judge</title><meta http-equiv="refresh" content="2"><p>There is nothing to show yet: %s</p></html>`,
			html.EscapeString(report.Clean(err.Error())))
	}
	_, _ = w.Write(page) // who does not read it has gone
}

// events tells one reader when there is more to see.
func (f *follower) events(w http.ResponseWriter, r *http.Request) {
	f.mutex.Lock()
	changed := f.changed
	f.readers++
	f.mutex.Unlock()
	defer func() {
		f.mutex.Lock()
		f.readers--
		f.mutex.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "retry: %d\n\n", reconnect.Milliseconds())
	if err := http.NewResponseController(w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return
	}
	if r.URL.RawQuery == f.state() {
		select {
		case <-r.Context().Done():
			return
		case <-f.done:
			return
		case <-changed:
		}
	}
	fmt.Fprint(w, "event: look\ndata: more\n\n")
}
