package recording

import (
	"errors"
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/web"
)

// Name is the provider's name in configs and errors.
const Name = "recording"

// Settings is the recording section of a config.
type Settings struct {
	Path string `yaml:"path" doc:"File to answer from: JSON lines, plain or gzip, or CSV" example:"canary.jsonl"`
}

// Type is what the command knows of the provider.
func Type() providers.Type {
	return providers.Type{
		Name:     Name,
		Settings: func() any { return new(Settings) },
		Open: func(settings any) (providers.Provider, error) {
			path := settings.(*Settings).Path
			if path == "" {
				return nil, &web.Error{
					Class: web.Settings, Provider: Name, Doing: "open", Err: errors.New("no file is named"), Cure: "set recording.path",
				}
			}
			return Open(path)
		},
		Dialect: dialect{},
	}
}

// dialect is no language: a recording answers by metric and arm, and its queries
// are there for people to read.
type dialect struct{}

// Filter implements providers.Dialect.
func (dialect) Filter(labels []providers.Label, _ providers.Around) (string, error) {
	text := ""
	for i, l := range labels {
		if i > 0 {
			text += ","
		}
		text += l.Name + "=" + l.Value
	}
	return text, nil
}

// Value implements providers.Dialect.
func (dialect) Value(l providers.Label, _ providers.Around) (string, error) { return l.Value, nil }

// Step implements providers.Dialect.
func (dialect) Step(step time.Duration) string { return step.String() }

// Check implements providers.Dialect.
func (dialect) Check(string, providers.Part, time.Duration) (providers.Reading, error) {
	return providers.Reading{}, nil
}
