package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"storedog/cmd/shop/internal/process"
	"storedog/cmd/shop/internal/release"
)

// shop is a shop that is being opened, is open, or is being closed.
type shop struct {
	options    *options
	programs   programs
	progress   io.Writer
	repository release.Repository
	first      release.Release // what all flavours start with
	addresses  addresses
	fleet      *fleet

	infrastructure []*process.Process // that must run as long as the shop is open
	nginx          *process.Process
	users          *process.Process // nil: there are none
	closers        []func()         // what is to be closed, the last first
}

// runUp opens a shop and closes it when the context is done.
func runUp(ctx context.Context, args []string, s streams) error {
	o, err := parseOptions(args, s)
	if err != nil {
		return err
	}
	endWithGoRun()
	found, err := findPrograms()
	if err != nil {
		return err
	}
	if err := o.makeDirectory(); err != nil {
		return err
	}
	sh := &shop{options: &o, programs: found, progress: s.err}
	if err = sh.open(ctx); err == nil {
		err = sh.welcome(s.out)
	}
	if err == nil {
		err = sh.serve(ctx)
	}
	sh.close()
	switch {
	case ctx.Err() != nil: // whatever failed since, failed for it
		err = nil
	case err != nil && o.temporary:
		err = fmt.Errorf("%w\nthe logs are left in %s", err, o.path("logs"))
	}
	if err == nil && o.temporary {
		err = os.RemoveAll(o.dir)
	}
	return err
}

// say tells the user what goes on.
func (sh *shop) say(format string, args ...any) {
	fmt.Fprintf(sh.progress, format+"\n", args...)
}

// open starts all that is needed, in order.
func (sh *shop) open(ctx context.Context) error {
	for _, step := range []struct {
		does string
		do   func(context.Context) error
	}{
		{"make the repository", sh.makeRepository},
		{"build the shop", sh.build},
		{"start PostgreSQL", sh.startPostgres},
		{"start the services", sh.startServices},
		{"start nginx", sh.startNginx},
		{"start the synthetic checks", sh.startChecks},
		{"start Prometheus", sh.startPrometheus},
		{"let the users in", sh.startUsers},
		{"wait for deployments", sh.startControl},
	} {
		sh.say("%s", step.does)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.does, err)
		}
	}
	return nil
}

// serve waits until the context is done, or until something ends that must not.
func (sh *shop) serve(ctx context.Context) error {
	ended := make(chan *process.Process, len(sh.infrastructure))
	for _, p := range sh.infrastructure {
		go func() {
			<-p.Done()
			ended <- p
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case p := <-ended:
		return fmt.Errorf("close the shop: %w", p.Ended())
	}
}

// close ends all that was started, the last first.
func (sh *shop) close() {
	sh.say("close")
	for _, closer := range slices.Backward(sh.closers) {
		closer()
	}
}

// onClose has something done when the shop is closed.
func (sh *shop) onClose(do func()) { sh.closers = append(sh.closers, do) }
