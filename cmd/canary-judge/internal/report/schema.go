package report

import (
	"reflect"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/jsonschema"
)

// ResultSchema returns the JSON Schema of a saved report.
func ResultSchema() []byte {
	return jsonschema.Of(reflect.TypeFor[Report](), "json").Text("result.schema.json", "canary-judge result")
}

// JSONSchema implements jsonschema.Schemer.
func (*Number) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: []string{"number", "null"}}
}

// JSONSchema implements jsonschema.Schemer.
func (*Document) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "object"} }
