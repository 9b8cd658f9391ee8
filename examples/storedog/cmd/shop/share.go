package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
)

// runShare gives the canary of a shop that is open another share of the users or requests.
func runShare(ctx context.Context, args []string, s streams) error {
	flags := flag.NewFlagSet("shop share", flag.ContinueOnError)
	dir := flags.String("dir", "", "state directory of the shop")
	if err := parse(flags, args, s); err != nil {
		return err
	}
	if *dir == "" || flags.NArg() != 1 {
		fmt.Fprintln(s.err, "usage: shop share -dir DIR PERCENT")
		return errUsage
	}
	return order(ctx, *dir, "share", url.Values{"percent": {flags.Arg(0)}}, s.out)
}

// handleShare gives the canary another share.
func (sh *shop) handleShare(w http.ResponseWriter, r *http.Request) {
	percent, err := strconv.ParseFloat(r.FormValue("percent"), 64)
	if err == nil {
		err = sh.share(percent)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = io.WriteString(w, fmt.Sprintf("%g%% meet the canary\n", percent)) // who asked may be gone
}

// share has nginx give the canary another share.
func (sh *shop) share(percent float64) error {
	if sh.options.mode.splitKey == "" || sh.options.mode.flag {
		return errors.New("nginx gives nobody a share in this mode")
	}
	sh.fleet.mu.Lock()
	defer sh.fleet.mu.Unlock()
	o := *sh.options
	if o.share = percent; !o.shareFits() {
		return fmt.Errorf("a share of %v%%; want one from 0 to 100", percent)
	}
	text, err := nginxConfig(&o, sh.addresses, sh.fleet.deployments)
	if err := writeConfig(o.path("nginx", "nginx.conf"), text, err); err != nil {
		return err
	}
	// https://nginx.org/en/docs/control.html: it starts new workers, and old ones end gracefully.
	if err := syscall.Kill(sh.nginx.PID(), syscall.SIGHUP); err != nil {
		return fmt.Errorf("tell nginx: %w", err)
	}
	sh.options.share = percent
	return sh.fleet.changed()
}
