package main

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
)

// What the documents show is true of this binary: every config block is a config, every
// command line has commands and flags that there are, every link leads somewhere. Commands
// that need no network are run, by TestREADMESession and TestExportCommands.

// readDoc returns a file of the repository.
func readDoc(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// docs names the documents of the repository.
func docs(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != ".." {
			return fs.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".md") && !strings.Contains(path, "/testdata/golden/") {
			name, _ := filepath.Rel("../..", path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// block is a fenced block of a document.
type block struct{ language, text string }

var fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

// blocks returns the blocks of a document that were written by hand.
func blocks(t *testing.T, name string) (all []block) {
	t.Helper()
	text := regexp.MustCompile(`(?s)<!-- ([\w ]+): generated.*?<!-- end of`).ReplaceAllString(readDoc(t, name), "")
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		all = append(all, block{m[1], m[2]})
	}
	return all
}

// Configs that blocks are put into which show a part of one.
const (
	prometheusBase = "provider: prometheus\nprometheus: {url: http://prometheus}\nbaseline: {service: shop}\ncanary: {service: shop-canary}\n"
	datadogBase    = "provider: datadog\ndatadog: {api_key: a, app_key: b}\nbaseline: {service: shop, env: prod, version: v1}\ncanary: {service: shop, env: prod, version: v2}\n"
)

// within completes a block with the keys of a config that it lacks.
func within(t *testing.T, block, base string) string {
	t.Helper()
	if block == base {
		return block
	}
	var part, whole yaml.Node
	for text, node := range map[string]*yaml.Node{block: &part, base: &whole} {
		if err := yaml.Unmarshal([]byte(text), node); err != nil {
			t.Fatal(err)
		}
	}
	has := map[string]bool{}
	to := part.Content[0]
	for i := 0; i < len(to.Content); i += 2 {
		has[to.Content[i].Value] = true
	}
	from := whole.Content[0].Content
	for i := 0; i < len(from); i += 2 {
		if !has[from[i].Value] {
			to.Content = append(to.Content, from[i], from[i+1])
		}
	}
	text, err := yaml.Marshal(&part)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// readConfig reads a config of a document, whatever its variables.
func readConfig(text string) error {
	o := config.Options{Types: types(), Env: map[string]string{}, Set: map[string]string{}}
	o.Tagged = func(string, any, string, bool) ([]string, error) { return []string{"abc-def-ghi"}, nil }
	for _, m := range regexp.MustCompile(`\$\{(env:)?([\w-]+)\}`).FindAllStringSubmatch(text, -1) {
		o.Env[m[2]], o.Set[m[2]] = m[2], m[2]
		if strings.HasSuffix(m[2], "_URL") {
			o.Env[m[2]] = "https://example.com/" + m[2]
		}
	}
	_, err := config.Parse("block", []byte(text), o)
	return err
}

// Each block of YAML in the documents is a config, or a part of one, or belongs to a CI
// system or Kubernetes. A part is put into the first whole config of the page, and is valid
// beside what that has.
func TestDocConfigs(t *testing.T) {
	t.Parallel()
	var root struct {
		Properties map[string]any `json:"properties"`
	}
	if err := yaml.Unmarshal(config.Schema(types()), &root); err != nil {
		t.Fatal(err)
	}
	keys := slices.Collect(maps.Keys(root.Properties))
	others := []string{"env", "analysis", "permissions", "steps"}
	read := 0
	for _, name := range docs(t) {
		base := ""
		for _, b := range blocks(t, name) {
			var doc any
			if b.language != "yaml" || strings.HasPrefix(b.text, "# yaml-language-server") {
				continue
			}
			if err := yaml.Unmarshal([]byte(b.text), &doc); err != nil {
				t.Errorf("%s: %v in\n%s", name, err, b.text)
				continue
			}
			top, mapping := doc.(map[string]any)
			if is := func(k string) bool { return slices.Contains(others, k) }; !mapping || slices.ContainsFunc(slices.Collect(maps.Keys(top)), is) {
				checkInputs(t, name, doc)
				continue
			}
			for key := range top {
				if !slices.Contains(keys, key) {
					t.Errorf("%s: there is no key %s, in\n%s", name, key, b.text)
				}
			}
			read++
			if top["baseline"] != nil && top["presets"] != nil && base == "" {
				base = b.text
			}
			first := prometheusBase
			if base != "" {
				first = base
			} else if top["metrics"] == nil {
				first += "presets: [http]\n"
			}
			second := datadogBase
			if top["metrics"] == nil {
				second += "presets: [{apm: {operation: http.request}}]\n"
			}
			err := readConfig(within(t, b.text, first))
			if err == nil {
				continue
			}
			if err2 := readConfig(within(t, b.text, second)); err2 != nil {
				t.Errorf("%s:\n%s\nwith Prometheus: %v\nwith Datadog: %v", name, b.text, err, err2)
			}
		}
	}
	if read < 15 {
		t.Errorf("%d configs found", read)
	}
}

// checkInputs checks that the inputs of our action in a part of a workflow are inputs.
func checkInputs(t *testing.T, name string, doc any) {
	t.Helper()
	var action struct {
		Inputs map[string]any `yaml:"inputs"`
	}
	if err := yaml.Unmarshal([]byte(readDoc(t, "action.yml")), &action); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			if uses, _ := v["uses"].(string); strings.Contains(uses, "canary-judge") {
				with, _ := v["with"].(map[string]any)
				for input := range with {
					if action.Inputs[input] == nil {
						t.Errorf("%s: the action has no input %s", name, input)
					}
				}
			}
			for _, one := range v {
				walk(one)
			}
		}
	}
	walk(doc)
}

var (
	relativeTo = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInLinks = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// Each link from one document to another leads to a file, and to a heading of it.
func TestDocLinks(t *testing.T) {
	t.Parallel()
	for _, name := range docs(t) {
		for _, m := range relativeTo.FindAllStringSubmatch(fence.ReplaceAllString(readDoc(t, name), ""), -1) {
			path, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(path, ":") {
				continue
			}
			to := name
			if path != "" {
				to = filepath.Join(filepath.Dir(name), path)
			}
			if _, err := os.Stat(filepath.Join("../..", to)); err != nil {
				t.Errorf("%s links %s, which is not there", name, m[1])
				continue
			}
			found := anchor == ""
			for _, h := range heading.FindAllStringSubmatch(readIf(t, anchor != "", to), -1) {
				slug := strings.ReplaceAll(notInLinks.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")
				found = found || slug == anchor
			}
			if !found {
				t.Errorf("%s links %s, which has no such heading", name, m[1])
			}
		}
	}
}

func readIf(t *testing.T, condition bool, name string) string {
	t.Helper()
	if !condition {
		return ""
	}
	return readDoc(t, name)
}

// The page of the config names each environment variable that a setting is read from.
func TestDocEnvironment(t *testing.T) {
	t.Parallel()
	page, _, _ := strings.Cut(readDoc(t, "docs/configuration.md"), "## Every key")
	named := regexp.MustCompile(`environment: ([A-Z_, then]+)`).FindAllStringSubmatch(string(config.Schema(types())), -1)
	if len(named) < 8 {
		t.Errorf("%d settings are read from the environment", len(named))
	}
	for _, m := range named {
		for _, variable := range strings.Split(m[1], ", then ") {
			if !strings.Contains(page, "`"+variable+"`") {
				t.Errorf("docs/configuration.md does not name %s", variable)
			}
		}
	}
}

// The entry for SchemaStore has the address that the schema says it has.
func TestDocSchemaStore(t *testing.T) {
	t.Parallel()
	var s struct {
		ID string `json:"$id" yaml:"$id"`
	}
	if err := yaml.Unmarshal(config.Schema(types()), &s); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks(t, "docs/install.md") {
		var entry struct {
			Name, Description, URL string
			FileMatch              []string `yaml:"fileMatch"`
		}
		if b.language != "json" {
			continue
		}
		if err := yaml.Unmarshal([]byte(b.text), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Name == "" || entry.Description == "" || len(entry.FileMatch) == 0 || entry.URL != s.ID {
			t.Errorf("%+v is no entry for %s", entry, s.ID)
		}
		return
	}
	t.Error("docs/install.md has no entry for SchemaStore")
}
