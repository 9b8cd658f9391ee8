package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// What the linker was told goes before what Go has noted, and what neither knows is left out.
func TestVersion(t *testing.T) {
	t.Parallel()
	vcs := &debug.BuildInfo{Main: debug.Module{Version: "v0.9.1-0.20261123100000-3f2a9c1d5e7b"}, Settings: []debug.BuildSetting{
		{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "3f2a9c1d5e7b"},
		{Key: "vcs.time", Value: "2026-11-23T10:00:00Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	installed := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}
	platform := runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	for _, test := range []struct {
		told build
		info *debug.BuildInfo
		want string
	}{
		{build{}, installed, "v1.2.3 ("},
		{build{}, vcs, "v0.9.1-0.20261123100000-3f2a9c1d5e7b (commit 3f2a9c1d5e7b+dirty, 2026-11-23T10:00:00Z, "},
		{build{"v1.2.3", "abc", "2026-11-24T10:00:00Z"}, vcs, "v1.2.3 (commit abc, 2026-11-24T10:00:00Z, "},
		{build{version: "v1.2.3"}, installed, "v1.2.3 ("},
	} {
		if got := test.told.or(test.info).String(); got != test.want+platform {
			t.Errorf("%q, want %q", got, test.want+platform)
		}
	}
}
