package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"storedog/cmd/shop/internal/release"
)

// fleet is the services of all flavours.
type fleet struct {
	say     func(format string, args ...any)
	changed func() error // is called when a process has taken over from another

	mu          sync.Mutex // of all that follows; held while processes change
	ending      bool
	deployments []*deployment
}

// deployment is the services of a flavour.
type deployment struct {
	flavour             flavour
	release             release.Release // that runs
	discounts, frontend *instance
}

// instances returns the services, those first that others need.
func (d *deployment) instances() []*instance { return []*instance{d.discounts, d.frontend} }

// find returns the deployment of a flavour.
func (f *fleet) find(name string) (*deployment, error) {
	for _, d := range f.deployments {
		if d.flavour.Name == name {
			return d, nil
		}
	}
	return nil, fmt.Errorf("there is no flavour %q", name)
}

// replace replaces all processes of a flavour by those of a release, or none of them,
// and loses no request.
func (f *fleet) replace(ctx context.Context, name string, choose func(now release.Release) (release.Release, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ending {
		return fmt.Errorf("replace %s: the shop is closing", name)
	}
	d, err := f.find(name)
	if err != nil {
		return err
	}
	to, err := choose(d.release)
	if err != nil {
		return err
	}
	began := time.Now()
	started, err := startAll(ctx, to, d.instances()...)
	if err != nil {
		if d.release.Version != "" {
			err = fmt.Errorf("%w\n%s goes on with %s", err, name, d.release.Version)
		}
		return fmt.Errorf("start %s of %s: %w", to.Version, name, err)
	}
	var old []*running
	for n, i := range d.instances() {
		if i.running != nil {
			old = append(old, i.running)
		}
		f.hand(i, started[n])
	}
	d.release = to
	slices.Reverse(old) // the old frontend needs the old discounts service to the last
	for _, r := range old {
		r.stop()
	}
	f.say("%s runs %s, after %.1f s", name, to.Version, time.Since(began).Seconds())
	return f.changed()
}

// startAll starts processes of a release and opens them when all are well. If one is
// not, none is left.
func startAll(ctx context.Context, to release.Release, instances ...*instance) (started []*running, err error) {
	defer func() {
		if err != nil {
			for _, r := range started {
				r.stop()
			}
		}
	}()
	for _, i := range instances {
		r, err := i.start(to)
		if err != nil {
			return started, err
		}
		started = append(started, r)
	}
	for _, r := range started {
		if err := r.waitUntilWell(ctx); err != nil {
			return started, err
		}
	}
	for _, r := range started {
		if err := r.open(ctx); err != nil {
			return started, err
		}
	}
	return started, nil
}

// hand hands an instance over to a process that is open.
func (f *fleet) hand(i *instance, to *running) {
	i.running = to
	i.relay.follow(to.admin)
	go f.watch(i, to)
}

// watch starts a process again that ended by itself, as any supervisor would.
func (f *fleet) watch(i *instance, r *running) {
	<-r.Done()
	for {
		f.mu.Lock()
		ended := !f.ending && i.running == r
		f.mu.Unlock()
		if !ended {
			return
		}
		f.say("%v\nit is started again", r.Ended())
		time.Sleep(time.Second) // not to be busy with what cannot run
		if f.revive(i, r) {
			return
		}
	}
}

// revive starts a process like the one that ended, and reports whether there is
// nothing left to do.
func (f *fleet) revive(i *instance, ended *running) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ending || i.running != ended {
		return true
	}
	d, err := f.find(i.flavour)
	if err != nil {
		return true
	}
	started, err := startAll(context.Background(), d.release, i)
	if err != nil {
		f.say("%v", err)
		return false
	}
	f.hand(i, started[0])
	if err := f.changed(); err != nil {
		f.say("%v", err)
	}
	return true
}

// close ends all processes, those first that need others.
func (f *fleet) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ending = true
	var frontends, discounts []*instance
	for _, d := range f.deployments {
		frontends, discounts = append(frontends, d.frontend), append(discounts, d.discounts)
	}
	for _, tier := range [][]*instance{frontends, discounts} {
		var ending sync.WaitGroup
		for _, i := range tier {
			i.relay.close()
			if i.running != nil {
				ending.Go(i.running.stop)
			}
		}
		ending.Wait()
	}
}
