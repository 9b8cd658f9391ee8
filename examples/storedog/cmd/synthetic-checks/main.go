// Command synthetic-checks makes journeys through each flavour of the store, looks
// whether the content is right, and exports synthetic_runs_total on /metrics.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		slog.Error("synthetic-checks", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("synthetic-checks", flag.ContinueOnError)
	store := flags.String("store", "", "URL of the store, as users see it")
	flavours := flags.String("flavours", "production,canary", "the flavours to check")
	rate := flags.Float64("rate", 3, "how often each journey is made through each flavour, per second")
	listen := flags.String("listen", ":8080", "where /metrics is")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *store == "" || *rate <= 0 {
		return errors.New("-store must be a URL, and -rate above 0")
	}
	registry := prometheus.NewRegistry()
	c := newChecks(*store, strings.Split(*flavours, ","), time.Duration(float64(time.Second) / *rate), registry)

	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	defer server.Close()
	go func() { _ = server.Serve(listener) }() // until it is closed
	c.run(ctx)
	return nil
}
