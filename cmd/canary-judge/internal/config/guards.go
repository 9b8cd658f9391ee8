package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/canary-judge/canary-judge/providers"
)

// guard watches over the canary. Exactly one of monitor, monitors and error_tracking says
// what it is.
type guard struct {
	Monitor  string `yaml:"monitor" doc:"Id of a monitor, as in its address" example:"12345"`
	Monitors string `yaml:"monitors" doc:"Search for monitors, as in Datadog's Manage Monitors page; the worst of them counts" example:"tag:\"service:discounts\" tag:\"team:shop\""`
	Errors   string `yaml:"error_tracking" doc:"Search for errors, as in Datadog's Error Tracking; an issue first seen in the canary's version alerts" example:"service:discounts"`
	Track    track  `yaml:"track" default:"trace" doc:"Where the errors come from: trace, logs or rum"`
	// The errors of one request, its retries and a reload of the page are fewer than ten; and an
	// issue that the baseline has not had for days has them in one window by chance once in
	// very many.
	AtLeast  count  `yaml:"at_least" default:"10" doc:"Errors since the run began that make an issue count"`
	Absent   absent `yaml:"absent" default:"unknown" doc:"What it means when Error Tracking has no issue at all, new or old: unknown (no pass: the search may be wrong) or zero"`
	Provider string `yaml:"provider" otherwise:"the config's" doc:"Where the guard is"`
}

// tracks are those of
// https://docs.datadoghq.com/api/latest/error-tracking/search-error-tracking-issues/
var tracks = []string{"trace", "logs", "rum"}

// track is where errors come from.
type track int

// UnmarshalText reads a track.
func (k *track) UnmarshalText(text []byte) error { return word(k, "track", text, tracks...) }

// count is a whole number, at least 1.
type count int64

// UnmarshalText reads a count.
func (c *count) UnmarshalText(text []byte) error {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no whole number from 1", text)
	}
	*c = count(n)
	return nil
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
		_, keepsGuards := providers.As[providers.Watcher](t.Unopened)
		switch {
		case !known && g.Provider != "":
			r.unknown(r.places.at(&g.Provider), "provider", r.typeNames())
			continue
		case !keepsGuards:
			r.problemAt(g, nil, "guards are Datadog's; write provider: datadog beside it")
			continue
		}
		one, ok := r.guard(g, t)
		if !ok {
			continue
		}
		one.Labels = r.config.Arms[providers.Canary].Labels
		if slices.ContainsFunc(r.config.Guards, func(other Guard) bool { return other.Name == one.Name }) {
			r.problemAt(g, nil, "the guard %s is there twice", one.Name)
			continue
		}
		r.config.Guards = append(r.config.Guards, Guard{name, one})
		r.config.Plan.Guards = append(r.config.Plan.Guards, one.Name)
	}
}

// guard resolves what a guard is.
func (r *resolver) guard(g *guard, t providers.Type) (one providers.Guard, ok bool) {
	var named []*string
	for _, kind := range []*string{&g.Monitor, &g.Monitors, &g.Errors} {
		if r.written(kind) {
			named = append(named, kind)
		}
	}
	if len(named) != 1 {
		r.problemAt(g, nil, "want one of these: monitor, an id; monitors, a search; or error_tracking, a search")
		return one, false
	}
	for _, of := range []any{&g.Track, &g.AtLeast, &g.Absent} {
		if r.written(of) && named[0] != &g.Errors {
			r.problemAt(of, g, "track, at_least and absent belong to error_tracking")
			return one, false
		}
	}
	switch named[0] {
	case &g.Monitor:
		if r.given(&g.Monitor) && !monitorID.MatchString(g.Monitor) {
			r.problemAt(&g.Monitor, g, "%q is no id of a monitor; it is the number in the monitor's address", g.Monitor)
		}
		return providers.Guard{Name: "monitor " + g.Monitor, ID: g.Monitor}, r.given(&g.Monitor)
	case &g.Monitors:
		search, ok := r.search(&g.Monitors)
		return providers.Guard{Name: "monitors (" + search + ")", Search: search}, ok
	}
	return r.newErrors(g, t)
}

// newErrors resolves a guard for new errors.
func (r *resolver) newErrors(g *guard, t providers.Type) (one providers.Guard, ok bool) {
	search, ok := r.search(&g.Errors)
	if !r.armsRead || r.armsAlike {
		return one, false // reported with the arms
	}
	canary, baseline := r.config.Arms[providers.Canary], r.config.Arms[providers.Baseline]
	e := &providers.NewErrors{
		Search: search, Track: tracks[g.Track], Version: labelOf(canary, "version"),
		AtLeast: int64(g.AtLeast), AbsentIsZero: g.Absent == absentZero,
	}
	switch {
	case e.Version == "":
		r.problemAt(&g.Errors, g, "an issue is new by the version it was first seen in, and the canary has no label version; add it to canary")
	case versionTerm.MatchString(search):
		r.problemAt(&g.Errors, g, "leave the version out of the search: the label version of canary says it, and what other versions have is searched for too")
	case strings.EqualFold(e.Version, labelOf(baseline, "version")):
		r.problemAt(&g.Errors, g, "an issue is new by the version it was first seen in, and both arms are of the version %s; give each its own", e.Version)
	case labelOf(canary, "service") != labelOf(baseline, "service"):
		// https://docs.datadoghq.com/error_tracking/error_grouping/
		r.problemAt(&g.Errors, g, "Error Tracking keeps the issues of services apart, so that old errors would be new in a service of the canary's own; give both arms the same service, or leave this guard out")
	default:
		if _, err := t.Value(providers.Label{Name: "version", Value: e.Version}, providers.Around{}); err != nil {
			r.problemAt(&g.Errors, g, "%v", err)
			return one, false
		}
		return providers.Guard{Name: "error tracking of " + e.Track + " (" + search + ")", Errors: e}, ok
	}
	return one, false
}

// versionTerm is a term of a search that says a version.
var versionTerm = regexp.MustCompile(`(?i)(^|[\s(-])version:`)

// labelOf returns the value of an arm's label, "" for none.
func labelOf(arm Arm, name string) string {
	for _, l := range arm.Labels {
		if strings.EqualFold(l.Name, name) {
			return l.Value
		}
	}
	return ""
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
