package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"storedog/cmd/shop/internal/release"
)

// socket returns the path of the unix socket at which the shop with a state directory
// takes orders.
func socket(dir string) string { return filepath.Join(dir, "shop.sock") }

// startControl takes orders, and says that the shop is open.
func (sh *shop) startControl(ctx context.Context) error {
	sh.fleet.mu.Lock()
	sh.fleet.changed = func() error { return sh.state().write() }
	err := sh.fleet.changed()
	sh.fleet.mu.Unlock()
	if err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket(sh.options.dir))
	if err != nil {
		return fmt.Errorf("listen for orders: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /restart", sh.handleRestart)
	mux.HandleFunc("POST /share", sh.handleShare)
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() { _ = server.Serve(listener) }() // until it is closed
	sh.onClose(func() {
		_ = server.Close()
		sh.fleet.mu.Lock() // a restart may be under way
		defer sh.fleet.mu.Unlock()
		sh.fleet.changed = func() error { return nil }
		_ = os.Remove(filepath.Join(sh.options.dir, stateFile)) // the shop is open no more
	})
	return nil
}

// handleRestart restarts flavours, one after the other, and says what it did. The
// first that fails is the last.
func (sh *shop) handleRestart(w http.ResponseWriter, r *http.Request) {
	// Once begun, it is done, whether or not somebody waits for it.
	ctx := context.WithoutCancel(r.Context())
	commit := r.FormValue("commit")
	choose := func(now release.Release) (release.Release, error) {
		if commit == "" {
			return now, nil
		}
		return sh.repository.Find(ctx, commit)
	}
	var done strings.Builder
	for _, name := range r.Form["flavour"] {
		began := time.Now()
		if err := sh.fleet.replace(ctx, name, choose); err != nil {
			sh.say("%v", err)
			http.Error(w, done.String()+err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(&done, "%s was restarted in %.1f s\n", name, time.Since(began).Seconds())
	}
	fmt.Fprint(w, done.String())
}
