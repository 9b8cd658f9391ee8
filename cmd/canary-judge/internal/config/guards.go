package config

import (
	"regexp"
	"slices"

	"github.com/canary-judge/canary-judge/providers"
)

// guard is a monitor that watches over the canary.
type guard struct {
	Monitor  string `yaml:"monitor" required:"true" doc:"Id of the monitor, as in its address" example:"12345"`
	Provider string `yaml:"provider" default:"the config's" doc:"Where the monitor is"`
}

// Guard is what must stay quiet while the canary is judged.
type Guard struct {
	Provider string
	providers.Guard
}

var monitorID = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// guards resolves the guards.
func (r *resolver) guards() {
	for i := range r.file.Guards {
		g := &r.file.Guards[i]
		name := g.Provider
		if name == "" {
			name = r.file.Provider
		}
		t, known := r.types[name]
		switch {
		case !known && g.Provider != "":
			r.unknown(r.places[&g.Provider], "provider", r.typeNames())
			continue
		case !known || !t.Monitors:
			r.problemAt(g, nil, "a guard is a monitor of Datadog; write provider: datadog beside it")
			continue
		case r.given(&g.Monitor) && !monitorID.MatchString(g.Monitor):
			r.problemAt(&g.Monitor, g, "%q is no id of a monitor; it is the number in the monitor's address", g.Monitor)
			continue
		}
		one := Guard{name, providers.Guard{Name: "monitor " + g.Monitor, ID: g.Monitor, Labels: r.config.Arms[providers.Canary].Labels}}
		if slices.ContainsFunc(r.config.Guards, func(other Guard) bool { return other.Name == one.Name }) {
			r.problemAt(g, nil, "the %s is there twice", one.Name)
			continue
		}
		r.config.Guards = append(r.config.Guards, one)
	}
}
