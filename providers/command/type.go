package command

import (
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/canary-judge/canary-judge/providers"
)

// usualStep and usualLag are what most programs can answer for: those behind them are clouds
// and databases, which know a minute once it is over for a while.
const (
	usualStep = time.Minute
	usualLag  = time.Minute
)

// Type is what the command knows of the provider.
func Type() providers.Type {
	return providers.Type{
		Name:     Name,
		Settings: func() any { return new(Settings) },
		Open:     func(settings any) (providers.Provider, error) { return New(*settings.(*Settings), nil) },
		Dialect:  dialect{},
		Arms: func(settings any, arms map[providers.Arm][]providers.Label) error {
			s := settings.(*Settings)
			s.arms = arms
			_, err := filled(s.Run, arms, providers.Query{Step: time.Second})
			return err
		},
		UsualStep: usualStep, Lag: usualLag,
	}
}

// dialect is that of names of metrics, with labels in braces where they are of a segment.
type dialect struct{}

// Filter implements providers.Dialect.
func (dialect) Filter(labels []providers.Label, _ providers.Around) (string, error) {
	texts := make([]string, len(labels))
	for i, l := range labels {
		texts[i] = l.Name + "=" + l.Value
	}
	return strings.Join(texts, ","), nil
}

// Value implements providers.Dialect.
func (dialect) Value(l providers.Label, _ providers.Around) (string, error) { return l.Value, nil }

// Step implements providers.Dialect.
func (dialect) Step(step time.Duration) string { return step.String() }

// Check implements providers.Dialect.
func (dialect) Check(expr string, _ providers.Part, _ time.Duration) (providers.Reading, error) {
	switch {
	case metricOf(expr) == "":
		return providers.Reading{}, errors.New("the query is empty: it is the name of a metric that the program prints")
	case strings.ContainsFunc(expr, unicode.IsControl):
		return providers.Reading{}, errors.New("a name of a metric has one line")
	}
	return providers.Reading{}, nil
}
