package main

import (
	"fmt"
	"io"
	"os"
)

// state returns the state of the shop. The fleet must be locked.
func (sh *shop) state() state {
	o := sh.options
	s := state{
		PID: os.Getpid(), Dir: o.dir, Mode: o.mode.name, Share: o.share,
		Store: "http://" + sh.addresses.store, Discounts: "http://" + sh.addresses.discounts,
		Prometheus: "http://" + sh.addresses.prometheus,
		Repository: sh.repository.Path, Logs: o.path("logs"), Shop: o.path("bin", "shop"),
	}
	for _, p := range sh.infrastructure {
		s.Processes = append(s.Processes, processState{Program: p.Name(), PID: p.PID(), Log: p.Log()})
	}
	if sh.users != nil {
		s.Processes = append(s.Processes, processState{Program: sh.users.Name(), PID: sh.users.PID(), Log: sh.users.Log()})
	}
	for _, d := range sh.fleet.deployments {
		s.Flavours = append(s.Flavours, flavourState{
			Name: d.flavour.Name, Branch: d.flavour.Branch, Version: d.release.Version, Commit: d.release.Commit,
		})
		for _, i := range d.instances() {
			s.Processes = append(s.Processes, processState{
				Program: i.program, PID: i.running.PID(), Log: i.log,
				Flavour: i.flavour, Version: i.running.version, Address: i.address, Metrics: i.relay.address,
			})
		}
	}
	return s
}

// welcome says that the shop is open, and what to do there.
func (sh *shop) welcome(w io.Writer) error {
	s, err := readState(sh.options.dir)
	if err != nil {
		return err
	}
	last := s.Flavours[len(s.Flavours)-1]
	_, err = fmt.Fprintf(w, `The shop is open.

  store       %s
  Prometheus  %s
  state       %s/%s
  deploy      git clone -b %s %s
              and then git push

`, s.Store, s.Prometheus, s.Dir, stateFile, last.Branch, s.Repository)
	return err
}
