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
			o.Env[m[2]], o.Set[m[2]] = "http://example.com", "example"
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
