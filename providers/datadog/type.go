package datadog

import (
	"time"

	"github.com/canary-judge/canary-judge/providers"
)

// Type is what the command knows of the provider.
func Type() providers.Type {
	return providers.Type{
		Name:     Name,
		Settings: func() any { return new(Settings) },
		Open: func(settings any) (providers.Provider, error) {
			return New(*settings.(*Settings), nil)
		},
		Dialect:   Dialect{},
		Checks:    runsQueries,
		Monitors:  true,
		UsualStep: 30 * time.Second,
		// Trace metrics come in buckets of 10 s, of which the newest are filled up
		// late; Datadog's own advice is to leave out the last 30 to 60 s.
		Lag:     90 * time.Second,
		Presets: presets,
	}
}

// presets use the metrics of
// https://docs.datadoghq.com/tracing/metrics/metrics_namespace/ and
// https://docs.datadoghq.com/containers/kubernetes/data_collected/
// trace.*.errors comes into being with the first error; that there is none means
// zero, since a wrong operation would have no hits either.
var presets = []providers.Preset{
	{
		Name: "apm",
		Doc:  "Errors and latency of a service traced by APM",
		Params: []providers.Param{
			{Name: "operation", Doc: "operation name of the spans, such as http.request or rack.request"},
			{Name: "latency_tolerance", Doc: "accepted change of the latency", Default: "15%"},
		},
		Metrics: `
- name: errors
  ratio:
    bad: sum:trace.${operation}.errors{$arm}.as_count()
    total: sum:trace.${operation}.hits{$arm}.as_count()
    absent: zero
  tolerance: 25%
  floor: 0.1%
- name: latency p95
  value: p95:trace.${operation}{$arm}
  unit: s
  tolerance: ${latency_tolerance}
`,
	},
	{
		Name: "kubernetes",
		Doc:  "CPU and memory a container uses; reported, and decides nothing",
		Params: []providers.Param{
			{Name: "tolerance", Doc: "accepted change", Default: "25%"},
		},
		Metrics: `
- name: cpu
  value: avg:kubernetes.cpu.usage.total{$arm}
  tolerance: ${tolerance}
  advisory: true
- name: memory
  value: avg:kubernetes.memory.usage{$arm}
  unit: B
  tolerance: ${tolerance}
  advisory: true
`,
	},
}
