// Command canary-judge decides from metrics whether a canary may be promoted.
package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	env := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		s := <-signals
		// A second signal ends the process at once.
		signal.Stop(signals)
		cancel(interrupt{s})
	}()
	// A reader of the output that has gone is an error of the write, and no end of the run.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	app := &app{env: env, args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(app.run(ctx))
}
