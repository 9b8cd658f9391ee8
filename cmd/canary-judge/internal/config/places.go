package config

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v4"
)

// places is where in the file each bound value stands. It is how what is found wrong long
// after the reading is still shown in place, and how what the file gives is told from what
// is a default.
//
// A value is known by the address of the struct field that it was bound to:
// r.given(&m.Tolerance), r.problemAt(&m.Tolerance, …). A field that is a pointer is known by
// what it points to, m.Slower and never &m.Slower, so that a nil one is in no place. A value that
// is copied or made must be given the place of the one it stands for, with same.
type places map[any]*yaml.Node

// at returns where the value at an address stands, nil where the file has none.
func (p places) at(address any) *yaml.Node {
	t := reflect.TypeOf(address)
	if t != nil && (t.Kind() != reflect.Pointer || t.Elem().Kind() == reflect.Pointer) {
		panic(fmt.Sprintf("config: a %s is no address of a bound value", t))
	}
	return p[address]
}

// note notes where the value at an address stands.
func (p places) note(address any, n *yaml.Node) { p[address] = n }

// same notes that the value at an address stands where another one does, if that does.
func (p places) same(address, as any) {
	if n := p.at(as); n != nil {
		p[address] = n
	}
}

// sameFields notes that a copy of a struct, and its fields, stand where the original does.
func (p places) sameFields(address, as any) {
	p.same(address, as)
	to, from := reflect.ValueOf(address).Elem(), reflect.ValueOf(as).Elem()
	for i := range from.NumField() {
		if from.Field(i).Kind() != reflect.Pointer { // what both point to is one value
			p.same(to.Field(i).Addr().Interface(), from.Field(i).Addr().Interface())
		}
	}
}

// problemAt notes what is wrong with a bound value, given its address, or with
// the nearest value around it that the file has.
func (b *binder) problemAt(address any, around any, format string, args ...any) {
	n := b.places.at(address)
	if n == nil {
		n = b.places.at(around)
	}
	b.problem(n, format, args...)
}

// written reports whether the file has a value at an address, be it a faulty one.
func (b *binder) written(address any) bool { return b.places.at(address) != nil }

// given reports whether the file has a value at an address, one that could be
// read.
func (b *binder) given(address any) bool {
	return b.written(address) && !b.broken[b.places.at(address)]
}
