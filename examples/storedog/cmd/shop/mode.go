package main

import (
	"fmt"
	"slices"
	"strings"
)

// Branches of the repository that changes are pushed to.
const (
	mainBranch   = "main"
	canaryBranch = "canary"
)

// flavour is one of the deployments that run side by side.
type flavour struct {
	Name   string
	Branch string // a push of it is deployed here; one of main is deployed everywhere
}

// mode is how the users are spread over the flavours.
type mode struct {
	name     string
	flavours []flavour // production, or what stands for it, is the first
	splitKey string    // in nginx's config: what draws a flavour
	flag     bool      // the share of the users is under the feature flag
}

var (
	production = flavour{"production", mainBranch}
	canary     = flavour{"canary", canaryBranch}
	blue       = flavour{"blue", mainBranch}
	green      = flavour{"green", canaryBranch}
)

// modes are all there are. A key that is drawn for nothing is needed by the template.
var modes = []mode{
	{name: "chance", flavours: []flavour{production, canary}, splitKey: "$request_id"},
	{name: "user", flavours: []flavour{production, canary}, splitKey: "$user"},
	{name: "blue-green", flavours: []flavour{blue, green}},
	{name: "flag", flavours: []flavour{production}, splitKey: "$user", flag: true},
	{name: "single", flavours: []flavour{production}, splitKey: "$user"},
}

// modeNamed returns a mode by its name.
func modeNamed(name string) (mode, error) {
	var names []string
	for _, m := range modes {
		if m.name == name {
			return m, nil
		}
		names = append(names, m.name)
	}
	return mode{}, fmt.Errorf("there is no mode %q; it must be one of %s", name, strings.Join(names, ", "))
}

// deployedBy returns the names of the flavours that a push of a branch is deployed
// to. The canary is the first: if it does not start, production is left alone.
func (m mode) deployedBy(branch string) []string {
	var names []string
	for _, f := range m.flavours {
		if branch == mainBranch || f.Branch == branch {
			names = append(names, f.Name)
		}
	}
	slices.Reverse(names)
	return names
}
