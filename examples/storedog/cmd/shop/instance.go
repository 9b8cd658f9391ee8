package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"storedog/cmd/shop/internal/process"
	"storedog/cmd/shop/internal/release"
)

// longestStart is how long a new process of a service gets until it is well.
const longestStart = 10 * time.Second

// instance is a service of a flavour. Its process changes with each restart.
type instance struct {
	program string
	flavour string
	address string   // where requests come in, whichever process it is
	relay   *relay   // where Prometheus scrapes, whichever process it is
	env     []string // NAME=VALUE, beside what differs from process to process
	log     string   // path
	running *running // nil before the first start
}

// running is a process of a service.
type running struct {
	*process.Process
	version string
	admin   string // its own address, see package service
}

// start starts a process of a release beside the one that runs. It takes no requests
// until it is opened.
func (i *instance) start(r release.Release) (*running, error) {
	free, err := freeAddresses(1)
	if err != nil {
		return nil, err
	}
	p, err := process.Start(process.Program{
		Name: i.program + " " + r.Version + " (" + i.flavour + ")",
		Path: filepath.Join(r.Bin, i.program),
		Env: append(append(os.Environ(), i.env...),
			"LISTEN_ADDR="+i.address, "ADMIN_ADDR="+free[0], "SHOP_VERSION="+r.Version, "SHOP_FLAVOUR="+i.flavour),
		Log: i.log,
	})
	if err != nil {
		return nil, err
	}
	return &running{Process: p, version: r.Version, admin: free[0]}, nil
}

// waitUntilWell waits until the process can do its work.
func (r *running) waitUntilWell(ctx context.Context) error {
	return waitFor(ctx, r.Process, longestStart, func(ctx context.Context) error {
		_, _, err := ask(ctx, http.MethodGet, "http://"+r.admin+"/healthz", nil)
		return err
	})
}

// open makes the process take all new requests.
func (r *running) open(ctx context.Context) error {
	_, _, err := ask(ctx, http.MethodPost, "http://"+r.admin+"/open", nil)
	return err
}

// stop ends the process when it has answered its last requests.
func (r *running) stop() { r.Stop(patienceToEnd) }
