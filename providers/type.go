package providers

import "time"

// Type is what the command knows of a kind of provider: all that a new one
// must bring.
type Type struct {
	Name string
	// Settings is a pointer to a zero settings struct: the provider's section of the
	// config. Its fields carry the tags yaml, doc, default, env and example.
	Settings func() any
	// Open returns a provider with settings that Settings returned and the config
	// filled in.
	Open func(settings any) (Provider, error)
	Dialect
	// Checks returns the queries for the failed runs and for all runs of a synthetic
	// test. Nil: the source has no such tests.
	Checks func(Check) (failed, runs string)
	// CountOf returns a query for how many observations are behind a quantile that a query
	// asks for, both with their variables ($arm, $step); "" where it does not show. Nil: it
	// never does.
	CountOf func(expr string) string
	// Grouped returns a query that asks for what another does, both with their variables filled in, with a
	// series for each value that a label has there. The error says why there is none. Nil: the source
	// does not divide what it has.
	Grouped func(expr, label string) (string, error)
	// SLO returns the queries for the bad events and for all events of an SLO, in which
	// $arm stands for an arm's labels. Nil: the source has no SLOs.
	SLO func(id string) (bad, total string)
	// Arms, unless nil, tells settings the labels of the arms, which they name; its answers tell the arms
	// apart, so that queries need not. The error is about the settings.
	Arms func(settings any, arms map[Arm][]Label) error
	// Unopened is a provider of the type, of which nothing is asked but what it can do
	// beside fetching (As): a nil pointer will do.
	Unopened Provider
	// Acts reports whether settings ask for more than fetching: such a provider is in use
	// even where no metric and no guard is its. Nil: none do.
	Acts func(settings any) bool
	// UsualStep is the distance between points, when the config does not say.
	UsualStep time.Duration
	// Lag is how long the newest points take to be complete, when the config does not
	// say.
	Lag     time.Duration
	Presets []Preset
}

// Preset is a set of metrics for a common case.
type Preset struct {
	Name   string
	Doc    string
	Params []Param
	// Metrics is YAML as under metrics in a config; ${name} stands for a parameter.
	Metrics string
}

// Param is a setting of a preset.
type Param struct {
	Name    string
	Doc     string
	Default string // "" = must be given
}
