package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// What a build knows of itself where it is not in the binary anyway; set with -ldflags -X.
var version, commit, date string

// build is what the binary was made of.
type build struct {
	version string // such as v1.2.3, or (devel)
	commit  string // full hash, with +dirty after it if files had changed; "" = unknown
	date    string // of the commit, RFC 3339; "" = unknown
}

// built returns what this binary was made of: what the linker was told, else what Go has
// put into it.
func built() build {
	b := build{version: version, commit: commit, date: date}
	if info, ok := debug.ReadBuildInfo(); ok {
		b = b.or(info)
	}
	b.version = cmp.Or(b.version, "(devel)")
	return b
}

// or completes a build with what Go knows of it.
func (b build) or(info *debug.BuildInfo) build {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	if settings["vcs.modified"] == "true" {
		revision += "+dirty"
	}
	return build{cmp.Or(b.version, info.Main.Version), cmp.Or(b.commit, revision), cmp.Or(b.date, settings["vcs.time"])}
}

// String is the line that version prints, without the program's name.
func (b build) String() string {
	var facts []string
	if b.commit != "" {
		facts = append(facts, "commit "+b.commit)
	}
	if b.date != "" {
		facts = append(facts, b.date)
	}
	facts = append(facts, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	return fmt.Sprintf("%s (%s)", b.version, strings.Join(facts, ", "))
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit it was built from and its date, Go and the platform",
		Args:  noArguments,
		Run: func(*cobra.Command, []string) {
			fmt.Fprintln(a.stdout, "canary-judge", built())
		},
	}
}
