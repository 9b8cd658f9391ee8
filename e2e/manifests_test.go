//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// Where the schemas of Kubernetes and of Argo Rollouts are: in modules that the
// proxy serves.
const (
	kubernetesModule = "k8s.io/kubernetes@v1.34.1"
	argoModule       = "github.com/argoproj/argo-rollouts@v1.8.3"
)

// Every manifest that is shipped is valid for the cluster it is for, strictly: no
// unknown field.
func TestManifests(t *testing.T) {
	schemas := manifestSchemas(t)
	files, err := filepath.Glob("../examples/kubernetes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	seen := map[string]int{}
	for _, file := range files {
		for i, doc := range documents(t, file) {
			kind := fmt.Sprintf("%v/%v", doc["apiVersion"], doc["kind"])
			schema := schemas[kind]
			if schema == nil {
				t.Errorf("%s, document %d: no schema for %s", file, i+1, kind)
				continue
			}
			seen[kind]++
			if err := schema.Validate(doc); err != nil {
				t.Errorf("%s, document %d: %v", file, i+1, err)
			}
		}
	}
	for _, kind := range []string{"batch/v1/Job", "argoproj.io/v1alpha1/AnalysisTemplate", "argoproj.io/v1alpha1/Rollout", "v1/ConfigMap"} {
		if seen[kind] == 0 {
			t.Errorf("no manifest of kind %s", kind)
		}
	}
	// The check itself can fail.
	bad := map[string]any{"apiVersion": "batch/v1", "kind": "Job", "spec": map[string]any{"backofLimit": 1}}
	if schemas["batch/v1/Job"].Validate(bad) == nil {
		t.Error("a misspelt field is valid")
	}
}

// manifestSchemas returns the schemas of the kinds that are used.
func manifestSchemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	schemas := map[string]*jsonschema.Schema{}
	openapi := filepath.Join(download(t, kubernetesModule), "api", "openapi-spec", "v3")
	for kind, from := range map[string][2]string{
		"batch/v1/Job": {"apis__batch__v1_openapi.json", "io.k8s.api.batch.v1.Job"},
		"v1/ConfigMap": {"api__v1_openapi.json", "io.k8s.api.core.v1.ConfigMap"},
	} {
		var spec map[string]any
		if err := json.Unmarshal(read(t, filepath.Join(openapi, from[0])), &spec); err != nil {
			t.Fatal(err)
		}
		spec["$ref"] = "#/components/schemas/" + from[1]
		schemas[kind] = compile(t, kind, spec)
	}
	crds := filepath.Join(download(t, argoModule), "manifests", "crds")
	for _, file := range []string{"analysis-template-crd.yaml", "rollout-crd.yaml"} {
		crd := documents(t, filepath.Join(crds, file))[0]
		spec := crd["spec"].(map[string]any)
		version := spec["versions"].([]any)[0].(map[string]any)
		schema := version["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
		kind := fmt.Sprintf("%v/%v/%v", spec["group"], version["name"], spec["names"].(map[string]any)["kind"])
		schemas[kind] = compile(t, kind, schema)
	}
	return schemas
}

// compile compiles an OpenAPI schema as the API server applies it: a field that it
// does not know is an error, and null stands for a field that is left out.
func compile(t *testing.T, name string, spec map[string]any) *jsonschema.Schema {
	t.Helper()
	strict(spec)
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", spec); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

// strict makes schemas of objects refuse what they do not know, and takes out what
// is not JSON Schema.
func strict(node any) {
	switch n := node.(type) {
	case []any:
		for _, v := range n {
			strict(v)
		}
	case map[string]any:
		_, fields := n["properties"].(map[string]any)
		if fields && n["additionalProperties"] == nil && n["x-kubernetes-preserve-unknown-fields"] == nil {
			n["additionalProperties"] = false
		}
		if n["x-kubernetes-int-or-string"] == true {
			delete(n, "type")
		}
		delete(n, "format")
		for _, v := range n {
			strict(v)
		}
	}
}

// download returns the folder of a module, which the proxy has.
func download(t *testing.T, module string) string {
	t.Helper()
	cmd := command(t, "go", "mod", "download", "-json", module)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("download %s: %v\n%s", module, err, out)
	}
	var m struct{ Dir string }
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatal(err)
	}
	return m.Dir
}

// documents reads the documents of a YAML file, as JSON would have them.
func documents(t *testing.T, file string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for d := yaml.NewDecoder(bytes.NewReader(read(t, file))); ; {
		var doc map[string]any
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, maps.Clone(v.(map[string]any)))
	}
}

// The configs inside of the manifests are valid, too.
func TestConfigsOfManifests(t *testing.T) {
	cj := build(t)
	for _, file := range []string{"job.yaml", "argo-rollouts.yaml"} {
		for _, doc := range documents(t, "../examples/kubernetes/"+file) {
			data, ok := doc["data"].(map[string]any)
			if !ok {
				continue
			}
			path := filepath.Join(t.TempDir(), "canary.yaml")
			if err := os.WriteFile(path, []byte(data["canary.yaml"].(string)), 0o600); err != nil {
				t.Fatal(err)
			}
			p, code := cj.run(t, "check", "-c", path, "--set", "service=discounts", "--set", "stable=abc", "--set", "canary=def")
			if code != 0 || !strings.Contains(p.stdout.String(), "30 looks") && !strings.Contains(p.stdout.String(), "20 looks") {
				t.Errorf("%s: exit %d\n%s%s", file, code, &p.stdout, &p.stderr)
			}
		}
	}
}
