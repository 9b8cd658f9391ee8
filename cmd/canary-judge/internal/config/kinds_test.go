package config

import (
	"reflect"
	"slices"
	"testing"

	"github.com/canary-judge/canary-judge/analysis"
)

// Each kind can be written in a config, by keys that a metric has, and is called something
// in messages.
func TestEachKindCanBeWritten(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, f := range structFields(reflect.TypeFor[metric]()) {
		keys = append(keys, f.name)
	}
	for _, k := range analysis.Kinds() {
		if !slices.ContainsFunc(sources, func(s source) bool { return s.kind == k }) {
			t.Errorf("no key of a metric makes it a %s", k)
		}
		text, there := kindTexts[k]
		if !there || text.phrase == "" {
			t.Errorf("messages have no phrase for %s", k)
		}
		for _, setting := range text.settings {
			if !slices.Contains(keys, setting) {
				t.Errorf("%s has a setting %q that no metric has", k, setting)
			}
		}
	}
	for _, s := range sources {
		if !slices.Contains(keys, s.key) || s.given == nil || s.resolve == nil {
			t.Errorf("the source %s is not whole, or is no key of a metric", s.key)
		}
	}
}
