package main

import (
	"context"
	"fmt"
	"os"

	"storedog/cmd/shop/internal/process"
	"storedog/cmd/shop/internal/release"
)

// makeRepository makes the repository that changes are pushed to.
func (sh *shop) makeRepository(ctx context.Context) error {
	o := sh.options
	sh.repository = repositoryOf(o.dir)
	commit, err := sh.repository.Create(ctx, o.source, mainBranch, canaryBranch)
	if err != nil {
		return err
	}
	sh.first.Commit = commit
	// go run removes its program when it ends, and the hook needs one.
	if err := copySelf(o.path("bin", "shop")); err != nil {
		return err
	}
	hook, err := hookScript(ctx, o.dir)
	if err != nil {
		return err
	}
	return sh.repository.WriteHook(hook)
}

// build builds the first release, and the programs that stay the same.
func (sh *shop) build(ctx context.Context) error {
	var err error
	sh.first, err = sh.repository.Build(ctx, sh.first.Commit, sh.progress, append(release.Services, "synthetic-checks", "users")...)
	return err
}

func (sh *shop) startPostgres(ctx context.Context) error {
	p, err := startPostgres(ctx, sh.options, sh.programs)
	if err != nil {
		return err
	}
	sh.watch(p)
	return nil
}

// startServices starts the services of all flavours.
func (sh *shop) startServices(ctx context.Context) error {
	free, err := freeAddresses(4 + 2*len(sh.options.mode.flavours))
	if err != nil {
		return err
	}
	sh.addresses = addresses{store: free[0], discounts: free[1], prometheus: free[2], checks: free[3]}
	sh.fleet = &fleet{say: sh.say, changed: func() error { return nil }}
	sh.onClose(sh.fleet.close)
	for n, f := range sh.options.mode.flavours {
		d, err := sh.deployment(f, free[4+2*n], free[5+2*n])
		if err != nil {
			return err
		}
		sh.fleet.deployments = append(sh.fleet.deployments, d)
	}
	for _, f := range sh.options.mode.flavours {
		first := func(release.Release) (release.Release, error) { return sh.first, nil }
		if err := sh.fleet.replace(ctx, f.Name, first); err != nil {
			return err
		}
	}
	return nil
}

// deployment returns the deployment of a flavour, of which nothing runs yet.
func (sh *shop) deployment(f flavour, discounts, frontend string) (*deployment, error) {
	share := 0.0
	if sh.options.mode.flag {
		share = sh.options.share
	}
	d := &deployment{
		flavour: f,
		discounts: &instance{program: "discounts-service", address: discounts, env: []string{
			"DATABASE_URL=" + databaseURL(sh.options),
		}},
		frontend: &instance{program: "store-frontend", address: frontend, env: []string{
			"DISCOUNTS_URL=http://" + sh.addresses.discounts,
			fmt.Sprintf("FLAG_SHARE=%v", share),
		}},
	}
	for _, i := range d.instances() {
		i.flavour = f.Name
		i.log = sh.log(i.program + "-" + f.Name)
		var err error
		if i.relay, err = startRelay(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// start starts a program that must run as long as the shop is open.
func (sh *shop) start(program process.Program) (*process.Process, error) {
	program.Env = os.Environ()
	p, err := process.Start(program)
	if err != nil {
		return nil, err
	}
	sh.watch(p)
	return p, nil
}

// watch makes the shop close when a process ends, and end it when it closes.
func (sh *shop) watch(p *process.Process) {
	sh.infrastructure = append(sh.infrastructure, p)
	sh.onClose(func() { p.Stop(patienceToEnd) })
}

// log returns the path of a log.
func (sh *shop) log(name string) string { return sh.options.path("logs", name+".log") }
