// Command users is the load of the store: users who look around and buy.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintf(os.Stderr, "users: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("users", flag.ContinueOnError)
	store := flags.String("store", "", "URL of the store")
	users := flags.Int("users", 300, "how many different users there are")
	rate := flags.Float64("rate", 150, "requests a second, of all users together")
	longest := flags.Duration("for", 30*time.Minute, "when the users leave, at the latest")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *store == "" || *users < 1 || *rate <= 0 || *rate > 10_000 {
		return errors.New("-store must be a URL, -users at least 1, -rate above 0 and at most 10000")
	}
	ctx, cancel := context.WithTimeout(ctx, *longest)
	defer cancel()
	l := newLoad(*store, *users, *rate)
	began := time.Now()
	l.run(ctx)
	_, err := fmt.Fprintln(stdout, l.summary(time.Since(began)))
	return err
}
