package config

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/web"
)

// binder lays YAML nodes into Go values, strictly: an unknown key, a wrong type
// or a missing key is a problem, and all problems are found in one go. It
// remembers where each value came from, so that what is found wrong later can be
// shown in place too.
type binder struct {
	file     string
	lines    []string
	vars     variables
	problems Problems
	places   places
	examples map[*yaml.Node]string // how a value may look, with its key
	causes
	secrets map[*yaml.Node]bool // nodes that must not be shown
	filled  map[*yaml.Node]bool // nodes whose variables are filled in
	broken  map[*yaml.Node]bool // nodes that a problem was found with
	starred map[place][]string  // segments that were looked up, by where a star asks for them
}

// node is implemented by types that can be written in more than one way.
type node interface {
	bind(b *binder, n *yaml.Node)
}

var (
	nodeType   = reflect.TypeFor[node]()
	textType   = reflect.TypeFor[encoding.TextUnmarshaler]()
	secretType = reflect.TypeFor[web.Secret]()
)

func newBinder(file string, text []byte, vars variables) *binder {
	return &binder{
		file: file, lines: strings.Split(string(text), "\n"), vars: vars,
		examples: map[*yaml.Node]string{}, causes: causes{meant: map[*yaml.Node][]string{}, strayed: map[string]bool{}, told: map[string]bool{}, skipped: map[*yaml.Node]bool{}},
		places: places{}, secrets: map[*yaml.Node]bool{}, filled: map[*yaml.Node]bool{}, broken: map[*yaml.Node]bool{},
	}
}

// problem notes what is wrong with a node.
func (b *binder) problem(n *yaml.Node, format string, args ...any) {
	p := Problem{File: b.file, Message: fmt.Sprintf(format, args...)}
	if n != nil {
		p.Line, p.Column = n.Line, n.Column
		b.broken[n] = true
	}
	if !slices.Contains(b.problems, p) { // what several metrics share is checked with each
		b.problems = append(b.problems, p)
	}
}

// found returns the problems with the lines they are in, or nil. A line that
// holds a secret is not shown, whatever is wrong with it.
func (b *binder) found() error {
	hidden := map[int]bool{}
	for n := range b.secrets {
		hidden[n.Line] = true
	}
	for i, p := range b.problems {
		if p.Line > 0 && p.Line <= len(b.lines) && !hidden[p.Line] {
			b.problems[i].Source = strings.TrimRight(b.lines[p.Line-1], "\r")
		}
	}
	return b.problems.errOrNil()
}

// bind lays a node into the value that to points at.
func (b *binder) bind(n *yaml.Node, to reflect.Value) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if to.Kind() == reflect.Pointer {
		if to.IsNil() {
			to.Set(reflect.New(to.Type().Elem()))
		}
		b.bind(n, to.Elem())
		return
	}
	b.places.note(to.Addr().Interface(), n)
	switch {
	case to.Addr().Type().Implements(nodeType):
		to.Addr().Interface().(node).bind(b, n)
	case to.Type() == secretType:
		b.secrets[n] = true
		if text, ok := b.text(n, "a text"); ok {
			to.SetString(text)
		}
	case to.Addr().Type().Implements(textType):
		b.bindText(n, to, "a text")
	default:
		b.bindPlain(n, to)
	}
}

// bindPlain lays a node into a value of one of Go's own kinds.
func (b *binder) bindPlain(n *yaml.Node, to reflect.Value) {
	switch to.Kind() {
	case reflect.Struct:
		b.bindStruct(n, to, nil)
	case reflect.Map:
		b.bindMap(n, to)
	case reflect.Slice:
		b.bindSlice(n, to)
	case reflect.Bool:
		b.bindText(n, to, "true or false")
	case reflect.Float64:
		b.bindText(n, to, "a number")
	default:
		b.bindText(n, to, "a text")
	}
}

// bindText lays a node into a value that is written as a single one.
func (b *binder) bindText(n *yaml.Node, to reflect.Value, want string) {
	text, ok := b.text(n, want)
	if !ok {
		return
	}
	otherwise := reflect.New(to.Type()).Elem()
	otherwise.Set(to)
	if err := setText(to, text); err != nil {
		to.Set(otherwise) // so that nothing is found wrong with half of a value
		b.problem(n, "%v", err)
	}
}

// text returns a scalar's text with its variables filled in and $$ made $.
func (b *binder) text(n *yaml.Node, want string) (string, bool) {
	if name := b.vars.ofAShell(n.Value, b.secrets[n]); name != "" && n.Kind == yaml.ScalarNode {
		b.problem(n, "$%s would be taken as it is: write ${env:%[1]s} for the environment, ${%[1]s} for what --set gives, or $$ for a dollar sign", name)
		return "", false
	}
	return b.word(n, want)
}

// word is as text, and takes the variables of a shell as they are.
func (b *binder) word(n *yaml.Node, want string) (string, bool) {
	text, ok := b.query(n, want)
	if ok && b.vars.env != nil && strings.Contains(text, "$$") {
		text = strings.ReplaceAll(text, "$$", "$")
		n.Value = text
	}
	return text, ok
}

// query returns a scalar's text with its variables filled in. Queries have
// variables of their own, such as $arm, so that $$ stays for later.
func (b *binder) query(n *yaml.Node, want string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		cure := ""
		if n.Style&yaml.FlowStyle != 0 {
			cure = "; a text that begins with { or [ is quoted"
		}
		b.problem(n, "want %s, not %s%s", want, kindName(n), cure)
		return "", false
	}
	if n.Tag == "!!null" {
		b.problem(n, "the value is missing; want %s", want)
		return "", false
	}
	if b.filled[n] {
		return n.Value, true
	}
	if b.vars.env != nil && typographic.MatchString(n.Value) {
		b.problem(n, "the quotes around this are typographic, and would be a part of it: write \" or '")
		return "", false
	}
	text, err := b.vars.fill(n.Value)
	if err != nil {
		b.problem(n, "%v", err)
		return "", false
	}
	n.Value = text
	b.filled[n] = true
	return text, true
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}

// entry is a key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

// entries returns a mapping's entries; a key that is there twice is a problem.
func (b *binder) entries(n *yaml.Node) []entry {
	if n.Kind != yaml.MappingNode {
		b.wrongShape(n, "a mapping")
		return nil
	}
	var all []entry
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case b.skipped[key]:
		case key.Kind != yaml.ScalarNode:
			b.problem(key, "a key must be a single word")
		case key.Tag == "!!merge":
			b.problem(key, "merge keys are not supported; repeat the keys")
		case seen[key.Value] > 0:
			b.problem(key, "the key %q is there twice; the other is in line %d: keep one", key.Value, seen[key.Value])
		default:
			seen[key.Value] = key.Line
			all = append(all, entry{key, value})
		}
	}
	return all
}

// bindStruct lays a mapping into a struct. Keys that no field has are offered to
// other, whose keys are valid too.
func (b *binder) bindStruct(n *yaml.Node, to reflect.Value, other map[string]func(*yaml.Node)) {
	setDefaults(to)
	fields := structFields(to.Type())
	b.unindented(n, func(key string) bool {
		return other[key] != nil || slices.ContainsFunc(fields, func(f field) bool { return f.name == key })
	})
	seen := map[string]bool{}
	for _, e := range b.entries(n) {
		key := e.key.Value
		if take := other[key]; take != nil {
			take(e.value)
			continue
		}
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == key })
		if i < 0 {
			var names []string
			for _, f := range fields {
				names = append(names, f.name)
			}
			b.unknownKey(n, e.key, append(names, slices.Sorted(maps.Keys(other))...))
			continue
		}
		seen[key] = true
		b.examples[e.value] = exampleOf(key, to.Type().FieldByIndex(fields[i].index))
		b.bind(e.value, to.FieldByIndex(fields[i].index))
	}
	for _, f := range fields {
		if f.required && !seen[f.name] {
			b.lacking(n, []string{f.name}, "%s is missing", f.name)
		}
	}
}

// unknown notes a word that is none of the choices.
func (b *binder) unknown(n *yaml.Node, what string, choices []string) {
	if like := nearest(n.Value, choices); like != "" {
		b.problem(n, "unknown %s %q; did you mean %s?", what, n.Value, like)
		return
	}
	b.problem(n, "unknown %s %q; valid: %s", what, n.Value, strings.Join(choices, ", "))
}

// field is a field of a config struct.
type field struct {
	name     string
	index    []int
	required bool
}

// structFields lists the fields that have a yaml tag.
func structFields(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		if name := f.Tag.Get("yaml"); name != "" {
			fields = append(fields, field{name, f.Index, f.Tag.Get("required") != ""})
		}
	}
	return fields
}

func (b *binder) bindMap(n *yaml.Node, to reflect.Value) {
	to.Set(reflect.MakeMap(to.Type()))
	for _, e := range b.entries(n) {
		value := reflect.New(to.Type().Elem())
		b.bind(e.value, value.Elem())
		to.SetMapIndex(reflect.ValueOf(e.key.Value), value.Elem())
	}
}

func (b *binder) bindSlice(n *yaml.Node, to reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		b.wrongShape(n, "a list")
		return
	}
	// All at once: the addresses of the elements must not change later.
	to.Set(reflect.MakeSlice(to.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		b.bind(c, to.Index(i))
	}
}
