// Package jsonschema makes JSON Schemas (draft 2020-12) of Go types by their
// tags: the name's tag (yaml or json), doc for what a field is, default for what
// holds without it, otherwise for the same in words, example, required, and env.
package jsonschema

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Schema is a schema, or a part of one.
type Schema struct {
	Dialect              string      `json:"$schema,omitempty"`
	ID                   string      `json:"$id,omitempty"`
	Title                string      `json:"title,omitempty"`
	Description          string      `json:"description,omitempty"`
	Type                 any         `json:"type,omitempty"` // a name or a list of them
	Enum                 []string    `json:"enum,omitempty"`
	Pattern              string      `json:"pattern,omitempty"`
	Format               string      `json:"format,omitempty"`
	Properties           *Properties `json:"properties,omitempty"`
	Required             []string    `json:"required,omitempty"`
	AdditionalProperties any         `json:"additionalProperties,omitempty"` // false or a schema
	Items                *Schema     `json:"items,omitempty"`
	OneOf                []*Schema   `json:"oneOf,omitempty"`
	Examples             []string    `json:"examples,omitempty"`

	// Doc, Default, Example and Env are the tags as they are, for other documents.
	Doc     string   `json:"-"`
	Default string   `json:"-"`
	Example string   `json:"-"`
	Env     []string `json:"-"` // environment variables, the first that is set counts
}

// Properties keep the order of the struct's fields.
type Properties []Property

// Property is one of an object's properties.
type Property struct {
	Name   string
	Schema *Schema
}

// Schemer is implemented by types that are not written as Go's kinds are.
type Schemer interface{ JSONSchema() *Schema }

// MarshalJSON implements json.Marshaler.
func (p Properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := marshal(one.Schema)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%q:%s", one.Name, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshal encodes without turning < and > into escapes.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// Text returns a whole schema as indented JSON, with its name and title.
func (s *Schema) Text(file, title string) []byte {
	root := *s
	root.Dialect = "https://json-schema.org/draft/2020-12/schema"
	root.ID = "https://raw.githubusercontent.com/canary-judge/canary-judge/main/schemas/" + file
	root.Title = title
	text, err := marshal(root)
	if err != nil {
		panic("jsonschema: a schema does not marshal: " + err.Error())
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		panic("jsonschema: a schema does not indent: " + err.Error())
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// Of returns the schema of a type. tag is where the fields have their names.
func Of(t reflect.Type, tag string) *Schema {
	switch s := reflect.New(t).Interface().(type) {
	case Schemer:
		return s.JSONSchema()
	case interface{ Pattern() string }:
		return Pattern(s.Pattern())
	}
	switch t.Kind() {
	case reflect.Pointer:
		return Of(t.Elem(), tag)
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return &Schema{Type: "string", Format: "date-time"}
		}
		return structSchema(t, tag)
	case reflect.Slice:
		return &Schema{Type: "array", Items: Of(t.Elem(), tag)}
	case reflect.Map:
		return &Schema{Type: "object", AdditionalProperties: Of(t.Elem(), tag)}
	case reflect.Bool:
		return &Schema{Type: "boolean"}
	case reflect.String:
		return &Schema{Type: "string"}
	case reflect.Int:
		return &Schema{Type: "integer"}
	}
	return &Schema{Type: "number"}
}

// Pattern is the schema of a text that matches a regular expression as a whole,
// or is or holds a variable.
func Pattern(p string) *Schema {
	return &Schema{Type: "string", Pattern: `^\s*(` + p + `)\s*$|\$\{[^}]+\}`}
}

// structSchema returns the schema of a struct. Where fields are named by json,
// one without omitempty is always there, and a pointer may be null.
func structSchema(t reflect.Type, tag string) *Schema {
	s := &Schema{Type: "object", Properties: &Properties{}}
	if tag != "json" {
		s.AdditionalProperties = false
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, rest, _ := strings.Cut(f.Tag.Get(tag), ",")
		if name == "" || name == "-" {
			continue
		}
		p := Of(f.Type, tag)
		describe(p, f.Tag)
		if one, ok := p.Type.(string); ok && tag == "json" && f.Type.Kind() == reflect.Pointer {
			p.Type = []string{one, "null"}
		}
		if f.Tag.Get("required") != "" || tag == "json" && !strings.Contains(rest, "omit") {
			s.Required = append(s.Required, name)
		}
		*s.Properties = append(*s.Properties, Property{name, p})
	}
	return s
}

// describe puts a field's tags into its schema.
func describe(p *Schema, tag reflect.StructTag) {
	p.Doc, p.Default, p.Example = tag.Get("doc"), cmp.Or(tag.Get("default"), tag.Get("otherwise")), tag.Get("example")
	p.Description = p.Doc
	if p.Default != "" {
		p.Description += "; default: " + p.Default
	}
	if env := tag.Get("env"); env != "" {
		p.Env = strings.Split(env, ",")
		p.Description += "; environment: " + strings.Join(p.Env, ", then ")
	}
	switch {
	case p.Example == "":
	case p.Type == "string":
		p.Examples = []string{p.Example}
	default:
		p.Description += "; such as " + p.Example
	}
}
