// Command discounts-service knows the discounts of the shop. It is told by its
// environment:
//
//	LISTEN_ADDR   where requests come in (default :8080)
//	ADMIN_ADDR    of this process alone, see package service (default none)
//	DATABASE_URL  of PostgreSQL (required)
//	SHOP_VERSION, SHOP_FLAVOUR  labels of its metrics
package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"storedog/internal/service"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv); err != nil {
		slog.Error("discounts-service", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, getenv func(string) string) error {
	url := getenv("DATABASE_URL")
	if url == "" {
		return errors.New("DATABASE_URL is not set; it is like postgres://shop@localhost/shop")
	}
	db, err := openDatabase(ctx, url)
	if err != nil {
		return err
	}
	defer db.pool.Close()
	metrics := service.NewMetrics(service.IdentityOf("discounts-service", getenv))
	server := service.Server{
		Address: cmp.Or(getenv("LISTEN_ADDR"), ":8080"),
		Admin:   getenv("ADMIN_ADDR"),
		Handler: newHandler(db, metrics),
		Metrics: metrics,
		Health:  db.pool.Ping,
	}
	return server.Run(ctx)
}
