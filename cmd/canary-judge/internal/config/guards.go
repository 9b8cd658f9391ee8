package config

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/canary-judge/canary-judge/providers"
)

// guard watches over the canary. Exactly one of monitor and monitors says what it is.
type guard struct {
	Monitor  string `yaml:"monitor" doc:"Id of a monitor, as in its address" example:"12345"`
	Monitors string `yaml:"monitors" doc:"Search for monitors, as in Datadog's Manage Monitors page; the worst of them counts" example:"tag:\"service:discounts\" tag:\"team:shop\""`
	Provider string `yaml:"provider" default:"the config's" doc:"Where the guard is"`
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
		case !known || !t.Guards:
			r.problemAt(g, nil, "guards are Datadog's; write provider: datadog beside it")
			continue
		}
		one, ok := r.guard(g)
		if !ok {
			continue
		}
		one.Labels = r.config.Arms[providers.Canary].Labels
		if slices.ContainsFunc(r.config.Guards, func(other Guard) bool { return other.Name == one.Name }) {
			r.problemAt(g, nil, "the guard %s is there twice", one.Name)
			continue
		}
		r.config.Guards = append(r.config.Guards, Guard{name, one})
	}
}

// guard resolves what a guard is.
func (r *resolver) guard(g *guard) (one providers.Guard, ok bool) {
	monitor, monitors := r.places[&g.Monitor] != nil, r.places[&g.Monitors] != nil
	switch {
	case monitor == monitors:
		r.problemAt(g, nil, "want one of these: monitor, an id, or monitors, a search")
	case monitor && r.given(&g.Monitor) && !monitorID.MatchString(g.Monitor):
		r.problemAt(&g.Monitor, g, "%q is no id of a monitor; it is the number in the monitor's address", g.Monitor)
	case monitor:
		return providers.Guard{Name: "monitor " + g.Monitor, ID: g.Monitor}, r.given(&g.Monitor)
	default:
		search, ok := r.search(&g.Monitors)
		return providers.Guard{Name: "monitors (" + search + ")", Search: search}, ok
	}
	return one, false
}

// search checks a search of a guard, given its address. It names the guard, so that it
// must be one line.
func (r *resolver) search(text *string) (string, bool) {
	search := strings.TrimSpace(*text)
	switch {
	case !r.given(text):
		return "", false
	case search == "":
		r.problemAt(text, nil, "the search is empty")
	case strings.ContainsFunc(search, func(c rune) bool { return !unicode.IsPrint(c) }):
		r.problemAt(text, nil, "the search is more than one line of printable text")
	case strings.Contains(search, "$arm"):
		r.problemAt(text, nil, "$arm has no meaning in a guard; write the labels, with ${NAME} for variables")
	default:
		return search, true
	}
	return "", false
}
