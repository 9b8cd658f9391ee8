// Command store-frontend is the shop as its users see it. It is told by its
// environment:
//
//	LISTEN_ADDR    where requests come in (default :8080)
//	ADMIN_ADDR     of this process alone, see package service (default none)
//	DISCOUNTS_URL  of the discounts service, through the load balancer (required)
//	FLAG_SHARE     percentage of the users under the flag new-banner (default 0)
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
		slog.Error("store-frontend", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, getenv func(string) string) error {
	url := getenv("DISCOUNTS_URL")
	if url == "" {
		return errors.New("DISCOUNTS_URL is not set; it is like http://localhost:8081")
	}
	share, err := parseShare(getenv("FLAG_SHARE"))
	if err != nil {
		return err
	}
	id := service.IdentityOf("store-frontend", getenv)
	metrics := service.NewMetrics(id)
	server := service.Server{
		Address: cmp.Or(getenv("LISTEN_ADDR"), ":8080"),
		Admin:   getenv("ADMIN_ADDR"),
		Handler: newHandler(newDiscountsService(url, id.Flavour), featureFlag{newBannerFlag, share}, metrics),
		Metrics: metrics,
		// The store is well even if the discounts service is not: whether its users
		// are served is for the metrics to say.
		Health: func(context.Context) error { return nil },
	}
	return server.Run(ctx)
}
