package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
)

// schema compiles a schema that is checked in.
func schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("../../schemas/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// valid reports what a schema finds wrong with a JSON text.
func valid(s *jsonschema.Schema, text []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// Results are what their schema says.
func TestResultsMatchTheirSchema(t *testing.T) {
	t.Parallel()
	s := schema(t, "result.schema.json")
	files, err := filepath.Glob("internal/report/testdata/golden/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no results: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(s, text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if valid(s, []byte(`{"schema":"canary-judge/result/v1","verdict":1}`)) == nil {
		t.Error("a result without most of it is valid")
	}
}

// Every config that is shipped is valid, by its schema and by the tool.
func TestShippedConfigs(t *testing.T) {
	t.Parallel()
	s := schema(t, "canary.schema.json")
	found := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !bytes.Contains(text, []byte("\nbaseline:")) {
			return nil
		}
		found++
		var doc any
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		asJSON, err := json.Marshal(doc)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		if err := valid(s, asJSON); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		o := config.Options{Types: types(), Env: map[string]string{}, Set: map[string]string{}}
		for _, m := range regexp.MustCompile(`\$\{(env:)?([\w-]+)\}`).FindAllStringSubmatch(string(text), -1) {
			o.Env[m[2]], o.Set[m[2]] = "http://example.com", "example-"+m[2]
		}
		if _, err := config.Parse(path, text, o); err != nil {
			t.Errorf("%v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 2 {
		t.Errorf("%d configs found", found)
	}
	if valid(s, []byte(`{"baseline":{},"canary":{},"metrics":[{"name":"a","tolerance":5}]}`)) == nil {
		t.Error("a tolerance without its unit is valid by the schema")
	}
}

// The patterns of the schemas are written in what Go, ECMAScript and Python have in common:
// editors and validators of all three read them. `.ci/schemas` asks Python's.
func TestSchemaPatternsAreReadEverywhere(t *testing.T) {
	t.Parallel()
	escapes, groups := regexp.MustCompile(`\\.`), regexp.MustCompile(`\(\?|\[\[:|\[\^?\]|[*+?}]\+`)
	for _, name := range []string{"canary.schema.json", "result.schema.json"} {
		var doc any
		text, err := os.ReadFile("../../schemas/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		for _, p := range patternsIn(doc) {
			for _, escape := range escapes.FindAllString(p, -1) {
				if !strings.Contains(`dsw.${}[]()|*+?/^\`, escape[1:]) {
					t.Errorf("%s: %s has %s, which not all of them read", name, p, escape)
				}
			}
			if odd := groups.FindString(p); odd != "" {
				t.Errorf("%s: %s has %s, which not all of them read", name, p, odd)
			}
		}
	}
}

// patternsIn finds the patterns in a schema.
func patternsIn(v any) (found []string) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if p, ok := value.(string); ok && key == "pattern" {
				found = append(found, p)
			}
			found = append(found, patternsIn(value)...)
		}
	case []any:
		for _, value := range v {
			found = append(found, patternsIn(value)...)
		}
	}
	return found
}

// A unit that the tool takes is one by the schema too, and the other way round.
func TestUnitsOfTheSchema(t *testing.T) {
	t.Parallel()
	s := schema(t, "canary.schema.json")
	for tolerance, fine := range map[string]bool{
		"10%": true, "0.2pt": true, "20 ms": true, "5µs": true, "3 Aufträge": true, "1req/s": true, "2x10": true, ".5 m^2": false,
		"10": false, "10 ": false, "10 20": false, "-1ms": false, "10$": false, "ms": false, "1;ms": false, "1 ms ms": false,
	} {
		doc := map[string]any{"baseline": map[string]any{"a": "b"}, "canary": map[string]any{"a": "c"},
			"metrics": []any{map[string]any{"name": "m", "value": "q", "tolerance": tolerance}}}
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		var parsed config.Tolerance
		if err := parsed.UnmarshalText([]byte(tolerance)); (err == nil) != fine {
			t.Errorf("the tool takes the tolerance %q: %t (%v)", tolerance, err == nil, err)
		}
		if err := valid(s, text); (err == nil) != fine {
			t.Errorf("the schema takes the tolerance %q: %t (%v)", tolerance, err == nil, err)
		}
	}
}
