package config

import "github.com/canary-judge/canary-judge/providers"

// Schema returns the JSON Schema of the config.
func Schema(types []providers.Type) []byte { return nil }
