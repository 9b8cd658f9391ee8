// Package borders holds the test of which package may import which.
package borders

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/canary-judge/canary-judge/"

// borders says what the packages of the module may import of each other, and
// what none of them may import from elsewhere. ARCHITECTURE.md explains them.
var borders = []struct {
	pkg    string   // a path in the module, or a prefix of paths with /...
	ours   []string // what it may import of the module
	forbid []string // what it may not import directly
}{
	{"analysis/stats", nil, pure},
	{"analysis", []string{"analysis/stats"}, pure},
	{"web", nil, quiet},
	{"providers", []string{"analysis", "analysis/stats"}, quiet},
	{"providers/prometheus", []string{"analysis", "analysis/stats", "providers", "web"}, quiet},
	{"providers/datadog", []string{
		"providers", "web", "providers/datadog/internal/api", "providers/datadog/internal/query", "providers/datadog/internal/timeseries",
		"providers/datadog/internal/slo", "providers/datadog/internal/synthetics", "providers/datadog/internal/guards", "providers/datadog/internal/tell",
	}, quiet},
	{"providers/datadog/internal/api", []string{"providers", "web"}, quiet},
	{"providers/datadog/internal/query", []string{"analysis", "providers"}, pure},
	{"providers/datadog/internal/timeseries", datadogFamily, quiet},
	{"providers/datadog/internal/slo", datadogFamily, quiet},
	{"providers/datadog/internal/synthetics", datadogFamily, quiet},
	{"providers/datadog/internal/guards", datadogFamily, quiet},
	{"providers/datadog/internal/tell", datadogFamily, quiet},
	{"providers/datadog/internal/apitest", []string{"providers/datadog/internal/api"}, quiet},
	{"providers/datadog/datadogtest", nil, quiet},
	{"internal/files", nil, quiet},
	{"providers/command", []string{"providers", "providers/recording", "web"}, quiet},
	{"providers/recording", []string{"analysis", "analysis/stats", "providers", "internal/files", "web"}, quiet},
	{"providers/recording/exports", []string{"analysis", "analysis/stats", "providers", "providers/recording", "web"}, quiet},
	{"providers/providertest", []string{"analysis", "analysis/stats", "providers", "web"}, nil},
	{"cmd/canary-judge/internal/jsonschema", nil, quiet},
	{"cmd/canary-judge/internal/config", []string{"analysis", "providers", "cmd/canary-judge/internal/jsonschema", "web"}, quiet},
	{"cmd/canary-judge/internal/job", []string{"analysis", "providers", "providers/recording", "cmd/canary-judge/internal/config", "web"}, quiet},
	{"cmd/canary-judge/internal/forgeapi", []string{"web"}, quiet},
	{"cmd/canary-judge/internal/revert", []string{"providers", "cmd/canary-judge/internal/config", "cmd/canary-judge/internal/forgeapi", "web"}, quiet},
	{"cmd/canary-judge/internal/report", []string{
		"analysis", "providers", "cmd/canary-judge/internal/config", "cmd/canary-judge/internal/job", "cmd/canary-judge/internal/jsonschema",
		"cmd/canary-judge/internal/revert",
	}, quiet},
	{"cmd/canary-judge/internal/sources", []string{"analysis", "providers", "cmd/canary-judge/internal/config", "cmd/canary-judge/internal/job", "cmd/canary-judge/internal/report"}, quiet},
	{"cmd/canary-judge/internal/ledger", []string{"analysis", "analysis/stats", "cmd/canary-judge/internal/report", "internal/files"}, quiet},
	{"cmd/canary-judge/internal/notify", []string{"analysis", "cmd/canary-judge/internal/config", "cmd/canary-judge/internal/report", "web"}, quiet},
	{"cmd/canary-judge/internal/github", []string{"analysis", "cmd/canary-judge/internal/forgeapi", "cmd/canary-judge/internal/report", "internal/files"}, quiet},
}

// datadogFamily is what a family of what Datadog does may import: none of the others, so that
// who mends a monitor never opens a batch.
var datadogFamily = []string{"analysis", "providers", "web", "providers/datadog/internal/api", "providers/datadog/internal/query"}

var (
	pure  = []string{"net", "net/http", "os", "log", "log/slog", "math/rand", "math/rand/v2", "io/fs"}
	quiet = []string{"log", "log/slog"}
)

func TestBorders(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		at := slices.IndexFunc(borders, func(b struct {
			pkg          string
			ours, forbid []string
		}) bool {
			return b.pkg == path
		})
		if at < 0 {
			if strings.HasPrefix(path, "cmd/canary-judge/internal/") || strings.HasPrefix(path, "analysis") || strings.HasPrefix(path, "providers") {
				t.Errorf("%s has no borders; add it to the table, and to ARCHITECTURE.md", path)
			}
			continue
		}
		for _, i := range p.Imports {
			if ours, ok := strings.CutPrefix(i, module); ok && !slices.Contains(borders[at].ours, ours) {
				t.Errorf("%s imports %s", path, ours)
			}
			if slices.Contains(borders[at].forbid, i) {
				t.Errorf("%s imports %s", path, i)
			}
			if strings.HasSuffix(i, "/api/datadogV2") {
				t.Errorf("%s imports %s, which takes minutes and 7 GiB to compile", path, i)
			}
		}
	}
}

// A provider is more than its package: what users and the tests need of it stands in these
// places. A new one reads here what is missing.
func TestEachProviderIsWhole(t *testing.T) {
	t.Parallel()
	types, err := filepath.Glob("providers/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range types {
		if !strings.Contains(read(t, file), "func Type() providers.Type {") {
			continue
		}
		found++
		dir := filepath.Dir(file)
		name := filepath.Base(dir)
		for _, want := range []struct {
			in, text, why string
			source        bool // wanted of sources alone; recordings are read by replay
		}{
			{"cmd/canary-judge/providers.go", name + ".Type(),", "no config can name it", false},
			{"ARCHITECTURE.md", "`" + dir + "`", "the rooms lack it", false},
			{"docs/configuration.md", "`" + name + "`", "the section on sources lacks it (its keys come by make golden)", false},
			{"cmd/canary-judge/internal/config/file.go", name, "the doc of the key provider does not name it", false},
			{"schemas/canary.schema.json", `"` + name + `"`, "make golden was not run", false},
			{dir + "/*_test.go", "providertest.Test(", "the conformance suite does not run on it", false},
			{dir + "/*_test.go", "func Fuzz", "its decoder has no fuzz target", false},
			{"examples/*/*.yaml docs/*.md README.md", "provider: " + name, "no example shows it", true},
			{"README.md", strings.ToUpper(name[:1]) + name[1:], "the first page does not say that it is built in", true},
		} {
			if !slices.ContainsFunc(strings.Fields(want.in), func(glob string) bool { return holds(t, glob, want.text) }) && (name != "recording" || !want.source) {
				t.Errorf("%s: %s lacks %q: %s", dir, want.in, want.text, want.why)
			}
		}
	}
	if found < 3 {
		t.Errorf("%d providers", found)
	}
}

// holds reports whether one of the files, or of those in packages below them, holds a text.
func holds(t *testing.T, glob, text string) bool {
	t.Helper()
	var files []string
	for _, g := range []string{glob, filepath.Join(filepath.Dir(glob), "internal/*", filepath.Base(glob))} {
		some, err := filepath.Glob(g)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, some...)
	}
	return slices.ContainsFunc(files, func(path string) bool {
		written, _, _ := strings.Cut(read(t, path), "## Every key") // what follows in configuration.md is generated
		return strings.Contains(written, text)
	})
}

// assertion is how a provider's optional interface is asked for by hand.
var assertion = regexp.MustCompile(`\.\(providers\.[A-Z]\w*\)`)

// What a provider may do beside fetching is asked for by the functions of
// providers/powers.go: an assertion elsewhere sees through no wrapper.
func TestPowersAreAskedForInOnePlace(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if found := assertion.Find(text); found != nil {
			t.Errorf("%s: %s; ask by a function of package providers", path, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

// list returns the packages of the module.
func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
