package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// setDefaults lays the default of each field into it, by its tag, as if the file said so: the
// tag is the only place that a default is written in. What a pointer points to has its
// defaults once it is there.
func setDefaults(to reflect.Value) {
	for i := range to.NumField() {
		f, field := to.Type().Field(i), to.Field(i)
		if f.Tag.Get("yaml") == "" {
			continue
		}
		if text, has := f.Tag.Lookup("default"); has {
			if err := setText(field, text); err != nil {
				panic(fmt.Sprintf("config: the default of %s.%s: %v", to.Type(), f.Name, err))
			}
			continue
		}
		if address := field.Addr().Type(); field.Kind() == reflect.Struct && !address.Implements(nodeType) && !address.Implements(textType) {
			setDefaults(field)
		}
	}
}

// trueOrFalse says which of the two a word means, as far as it means one.
func trueOrFalse(word string) string {
	switch strings.ToLower(word) {
	case "yes", "y", "on", "1", "true", "enabled":
		return "; write true"
	case "no", "n", "off", "0", "false", "disabled":
		return "; write false"
	}
	return ""
}

// setText lays a text into a value that is written as a single one.
func setText(to reflect.Value, text string) (err error) {
	if t, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return t.UnmarshalText([]byte(text))
	}
	switch to.Kind() {
	case reflect.String:
		to.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false%s", text, trueOrFalse(text))
		}
		to.SetBool(text == "true")
	case reflect.Float64:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		to.SetFloat(v)
	default:
		panic("config: no way to bind a " + to.Type().String())
	}
	return nil
}
