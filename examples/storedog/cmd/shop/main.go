// Command shop runs the whole of Storedog on one machine, and deploys to it:
//
//	shop up                            the shop, in the foreground, until SIGINT or SIGTERM
//	shop restart -dir DIR FLAVOUR...   new processes for a flavour, without losing a request
//	shop share -dir DIR PERCENT        another share of the users, or requests, for the canary
//	shop deploy -dir DIR               what the hook of DIR/deploy.git runs after a push
//
// It exits with 1 if that fails and with 2 if it was called wrongly.
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
)

// errUsage says that the command was called wrongly; how has been printed.
var errUsage = errors.New("usage")

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// verbs are the commands by name.
var verbs = map[string]func(ctx context.Context, args []string, s streams) error{
	"up":      runUp,
	"restart": runRestart,
	"share":   runShare,
	"deploy":  runDeploy,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// run runs a command and returns its exit code.
func run(ctx context.Context, args []string, s streams) int {
	if len(args) == 0 || verbs[args[0]] == nil {
		fmt.Fprintln(s.err, "usage: shop up|restart|share|deploy [flags]; shop COMMAND -h lists the flags")
		return 2
	}
	err := verbs[args[0]](ctx, args[1:], s)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	}
	fmt.Fprintf(s.err, "shop %s: %v\n", args[0], err)
	return 1
}

// parse parses flags, which say themselves what is wrong with them.
func parse(flags *flag.FlagSet, args []string, s streams) error {
	flags.SetOutput(s.err)
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return errUsage
	}
	return nil
}
