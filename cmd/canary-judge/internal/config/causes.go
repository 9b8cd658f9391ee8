package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A slip has consequences: a key that is misspelt is missing too, and what is asked of an arm
// that could not be read cannot be answered. Only the cause is told. What is missing is
// therefore told last, when all that is there is known, and not where something else that is
// wrong may have been meant for it.

// causes is what may be the cause of other things that are found wrong.
type causes struct {
	meant   map[*yaml.Node][]string // of the keys that a mapping cannot have: what each may mean, "" for anything
	strayed map[string]bool         // keys that stand in another mapping than theirs
	late    []func()                // what is only told if nothing else explains it
	homes   []home                  // where keys belong
	told    map[string]bool         // sections that are told to have strayed keys
	skipped map[*yaml.Node]bool     // keys that are told of with another
}

// unindented notes a key that has nothing below it because what follows, which the mapping
// cannot have, is not indented.
func (b *binder) unindented(n *yaml.Node, known func(key string) bool) {
	if n.Kind != yaml.MappingNode {
		return
	}
	var under *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case known(key.Value):
			under = nil
			if value.Tag == "!!null" {
				under = key
			}
		case under != nil:
			if !b.skipped[under] {
				b.skipped[under] = true
				b.meant[n] = append(b.meant[n], under.Value)
				b.problem(under, "%s has nothing below it: indent %s, and what follows it, further than %[1]s", under.Value, key.Value)
			}
			b.skipped[key] = true
		}
	}
}

// lacking notes, unless there is a cause for it, that a mapping has none of some keys.
func (b *binder) lacking(n *yaml.Node, keys []string, format string, args ...any) {
	b.lackingAt(n, n, keys, format, args...)
}

// lackingAt does so at another place than the mapping's.
func (b *binder) lackingAt(at, n *yaml.Node, keys []string, format string, args ...any) {
	b.late = append(b.late, func() {
		if n == nil || b.lacks(n, keys) {
			b.problem(at, format, args...)
		}
	})
}

// lacks reports whether nothing that is wrong with a mapping may be meant for one of the keys.
func (b *binder) lacks(n *yaml.Node, keys []string) bool {
	if n.Kind != yaml.MappingNode {
		return false // that is told
	}
	for _, key := range b.meant[n] {
		if key == "" || slices.Contains(keys, key) {
			return false
		}
	}
	return !slices.ContainsFunc(keys, func(key string) bool { return b.strayed[key] })
}

// tellLate tells what is missing for no other reason.
func (b *binder) tellLate() {
	for _, tell := range b.late {
		tell()
	}
	b.late = nil
}

// unknownKey notes a key that a mapping cannot have.
func (b *binder) unknownKey(n, key *yaml.Node, choices []string) {
	like := nearest(key.Value, choices)
	if like == "" && b.astray(n, key, choices) {
		return
	}
	b.meant[n] = append(b.meant[n], like)
	b.unknown(key, "key", choices)
}

// home is a section of the config with the keys that belong into it.
type home struct {
	name, in string // in is the section around it; "" is the file as a whole
	keys     []string
}

// homesOf lists the sections of a config, those that have the most to do with a run first.
func homesOf(t reflect.Type) []home {
	of := func(name, in string, t reflect.Type) home {
		h := home{name: name, in: in}
		for _, f := range structFields(t) {
			h.keys = append(h.keys, f.name)
		}
		return h
	}
	return []home{
		of("", "nothing", t), of("metrics", "", reflect.TypeFor[metric]()), of("window", "", reflect.TypeFor[window]()),
		of("exposure", "", reflect.TypeFor[exposure]()), of("on_fail", "", reflect.TypeFor[onFail]()),
		of("ratio", "metrics", reflect.TypeFor[ratioText]()), of("revert", "on_fail", reflect.TypeFor[revert]()),
	}
}

// astray notes a key that belongs to the file as a whole, or to a section below the one it
// stands in, which most often is one that is not indented as it should be. It is told once a
// section.
func (b *binder) astray(n, key *yaml.Node, choices []string) bool {
	here := "elsewhere"
	for _, h := range b.homes {
		if !slices.ContainsFunc(h.keys, func(k string) bool { return !slices.Contains(choices, k) }) {
			here = h.name
		}
	}
	for _, h := range b.homes {
		if h.name != "" && h.in != here {
			continue
		}
		word := key.Value
		if !slices.Contains(h.keys, word) {
			word = otherWords[strings.ToLower(word)]
		}
		if !slices.Contains(h.keys, word) || slices.Contains(choices, word) {
			continue
		}
		b.strayed[word] = true
		b.meant[n] = append(b.meant[n], h.name)
		if b.told[h.name] {
			return true
		}
		b.told[h.name] = true
		what := fmt.Sprintf("%q", key.Value)
		if word != key.Value {
			what = fmt.Sprintf("%q is %s here, which", key.Value, word)
		}
		switch h.name {
		case "":
			b.problem(key, "%s belongs to the file as a whole: do not indent it", what)
		case "metrics":
			b.problem(key, "%s belongs to a metric: indent it as far as the metric's name", what)
		default:
			b.problem(key, "%s belongs to %s: write %s: {%s: …}, or indent it below %[2]s", what, h.name, h.name, word)
		}
		return true
	}
	return false
}

// wrongShape notes that a node is not what is wanted, with what would be.
func (b *binder) wrongShape(n *yaml.Node, want string) {
	such := ""
	if example := b.examples[n]; example != "" {
		such = "; write " + example
	}
	if n.Tag == "!!null" {
		b.problem(n, "the value is missing; want %s%s", want, such)
		return
	}
	b.problem(n, "want %s, not %s%s", want, kindName(n), such)
}

// exampleOf is how a key may look, in one line: as its tag says, or with the keys it has.
func exampleOf(key string, f reflect.StructField) string {
	t := f.Type
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if text := f.Tag.Get("example"); text != "" && (t.Kind() != reflect.Slice || strings.HasPrefix(text, "[")) {
		return key + ": " + text
	}
	of := t
	if t.Kind() == reflect.Slice {
		of = t.Elem()
	}
	if of.Kind() != reflect.Struct || reflect.PointerTo(of).Implements(nodeType) || reflect.PointerTo(of).Implements(textType) {
		return ""
	}
	var required, other []string
	for _, inner := range structFields(of) {
		tag := of.FieldByIndex(inner.index).Tag
		text := inner.name + ": " + cmp.Or(tag.Get("example"), tag.Get("default"), "…")
		if inner.required {
			required = append(required, text)
		} else if tag.Get("example") != "" || tag.Get("default") != "" {
			other = append(other, text)
		}
	}
	if t.Kind() == reflect.Slice {
		return fmt.Sprintf("%s as a list, each item after a dash: - {%s, …}", key, strings.Join(append(required, other...)[:1], ", "))
	}
	if len(required) == 0 {
		required = other[:min(2, len(other))]
	}
	return key + ": {" + strings.Join(required, ", ") + "}"
}
