package config

import (
	"reflect"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/jsonschema"
	"github.com/canary-judge/canary-judge/providers"
)

// Schema returns the JSON Schema of the config, with the settings of the
// providers.
func Schema(types []providers.Type) []byte {
	return FileSchema(types).Text("canary.schema.json", "canary-judge config")
}

// FileSchema returns the schema of canary.yaml, with what its fields say in documents.
func FileSchema(types []providers.Type) *jsonschema.Schema {
	root := jsonschema.Of(reflect.TypeFor[file](), "yaml")
	for _, t := range types {
		s := jsonschema.Of(reflect.TypeOf(t.Settings()).Elem(), "yaml")
		s.Doc = "Settings of the provider " + t.Name
		s.Description = s.Doc
		*root.Properties = append(*root.Properties, jsonschema.Property{Name: t.Name, Schema: s})
	}
	return root
}

const (
	numberPattern = `(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?`
	// A unit is of anything but spaces, digits (at first) and punctuation, said without \p,
	// which Python does not read and ECMAScript only in one of its modes.
	unitPattern = `[^\s!-$&-@\[-^{-~][^\s!-$&-,.:-@\[-^{-~]*`
)

// JSONSchema implements jsonschema.Schemer.
func (*Percent) JSONSchema() *jsonschema.Schema { return jsonschema.Pattern(numberPattern + `\s*%`) }

// JSONSchema implements jsonschema.Schemer.
func (*Tolerance) JSONSchema() *jsonschema.Schema {
	return jsonschema.Pattern(numberPattern + `\s*` + unitPattern)
}

// JSONSchema implements jsonschema.Schemer.
func (*Amount) JSONSchema() *jsonschema.Schema {
	return jsonschema.Pattern(numberPattern + `\s*` + unitPattern)
}

// JSONSchema implements jsonschema.Schemer.
func (*Quantile) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "number"}, jsonschema.Pattern(`p\d+(\.\d+)?|\d+(\.\d+)?%|0?\.\d+|none`)}}
}

// JSONSchema implements jsonschema.Schemer.
func (*direction) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Enum: []string{"increase", "decrease", "either"}}
}

// JSONSchema implements jsonschema.Schemer.
func (*scale) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Enum: []string{"log", "linear"}}
}

// JSONSchema implements jsonschema.Schemer.
func (*countsNoise) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Enum: []string{"estimated", "none"}}
}

// JSONSchema implements jsonschema.Schemer.
func (*absent) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Enum: []string{"unknown", "zero"}}
}

// JSONSchema implements jsonschema.Schemer.
func (*track) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Enum: tracks} }

// JSONSchema implements jsonschema.Schemer.
func (*count) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "integer"} }

// scalar is any single value.
var scalar = []string{"string", "number", "boolean"}

// JSONSchema implements jsonschema.Schemer.
func (*RevertMode) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Enum: []string{"push", "pr"}}
}

// JSONSchema implements jsonschema.Schemer.
func (*words) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: scalar}}
}

// JSONSchema implements jsonschema.Schemer.
func (*arm) JSONSchema() *jsonschema.Schema {
	var d providers.Duration
	return &jsonschema.Schema{
		Type:                 "object",
		Properties:           &jsonschema.Properties{{Name: "offset", Schema: jsonschema.Of(reflect.TypeOf(d), "yaml")}},
		AdditionalProperties: &jsonschema.Schema{Type: scalar},
	}
}

// JSONSchema implements jsonschema.Schemer.
func (*queryText) JSONSchema() *jsonschema.Schema {
	text := &jsonschema.Schema{Type: "string"}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text, {
		Type: "object", Required: []string{"baseline", "canary"}, AdditionalProperties: false,
		Properties: &jsonschema.Properties{{Name: "baseline", Schema: text}, {Name: "canary", Schema: text}},
	}}}
}

// JSONSchema implements jsonschema.Schemer.
func (*presetUse) JSONSchema() *jsonschema.Schema {
	params := &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: scalar}}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "object", AdditionalProperties: params}}}
}
