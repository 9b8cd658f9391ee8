package main

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// The action says what there is: every format of a result, and no input that is no flag.
func TestActionInputs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Inputs map[string]struct{ Description string }
	}
	if err := yaml.Unmarshal(text, &action); err != nil {
		t.Fatal(err)
	}
	for _, format := range formatNames() {
		if !strings.Contains(action.Inputs["output"].Description, format) {
			t.Errorf("the input output does not name %s: %s", format, action.Inputs["output"].Description)
		}
	}
	known := map[string]bool{"command": true, "file": true, "github-token": true}
	for _, cmd := range (&app{}).root().Commands() {
		for _, f := range flags(cmd) {
			known[f.Name] = true
		}
	}
	for name := range action.Inputs {
		if !known[name] {
			t.Errorf("the input %s is no flag", name)
		}
	}
}
