package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// runRestart restarts flavours of a shop that is open.
func runRestart(ctx context.Context, args []string, s streams) error {
	flags := flag.NewFlagSet("shop restart", flag.ContinueOnError)
	dir := flags.String("dir", "", "state directory of the shop")
	commit := flags.String("commit", "", "commit to run, which was pushed before (default the one that runs)")
	if err := parse(flags, args, s); err != nil {
		return err
	}
	if *dir == "" || flags.NArg() == 0 {
		fmt.Fprintln(s.err, "usage: shop restart -dir DIR FLAVOUR...")
		return errUsage
	}
	return orderRestart(ctx, *dir, *commit, flags.Args(), s.out)
}

// orderRestart has the shop with a state directory restart flavours.
func orderRestart(ctx context.Context, dir, commit string, flavours []string, out io.Writer) error {
	return order(ctx, dir, "restart", url.Values{"flavour": flavours, "commit": {commit}}, out)
}

// order has the shop with a state directory do something, and writes what it says to have done.
func order(ctx context.Context, dir, what string, query url.Values, out io.Writer) error {
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket(dir))
		},
	}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://shop/"+what+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("tell the shop to %s: %w; is it open?", what, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read what the shop says: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSpace(string(text)))
	}
	_, err = out.Write(text)
	return err
}
