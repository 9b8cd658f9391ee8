package config

import "github.com/canary-judge/canary-judge/cmd/canary-judge/internal/jsonschema"

// runMode is what a run does about its verdict.
type runMode int

const (
	judgeMode runMode = iota
	observeMode
)

// UnmarshalText reads what a run does about its verdict.
func (m *runMode) UnmarshalText(text []byte) error {
	return word(m, "mode", text, "judge", "observe")
}

// JSONSchema implements jsonschema.Schemer.
func (*runMode) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Enum: []string{"judge", "observe"}}
}
