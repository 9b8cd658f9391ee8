package prometheus

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
		Dialect: Dialect{},
		// Four scrapes (15 s is usual): increase needs two of them in a step, and what
		// happened before the first one of a step is extrapolated.
		UsualStep: time.Minute,
		// One scrape (15 s is usual) and its ingestion.
		Lag:     30 * time.Second,
		CountOf: countOf,
		Grouped: grouped,
		Presets: presets,
	}
}

// presets follow the naming conventions of Prometheus's own client libraries and
// of the kubelet: https://prometheus.io/docs/practices/naming/
//
// A counter of failed requests comes into being with the first one. That there is
// none means zero if the requests have the label at all: else the query is wrong.
var presets = []providers.Preset{
	{
		Name: "http",
		Doc:  "Errors and slow requests of an HTTP service, from its counter and its latency histogram",
		Params: []providers.Param{
			{Name: "requests", Doc: "counter of requests", Default: "http_requests_total"},
			{Name: "label", Doc: "its label for the outcome", Default: "code"},
			{Name: "errors", Doc: "the label's values for failed ones, as a regular expression", Default: "5.."},
			{Name: "duration", Doc: "histogram of durations in seconds, without _bucket", Default: "http_request_duration_seconds"},
			{Name: "slower_than", Doc: "what counts as slow", Default: "500ms"},
		},
		Metrics: `
- name: errors
  ratio:
    bad: |-
      sum(increase(${requests}{$arm,${label}=~"${errors}"}[$step]))
      or 0 * sum(increase(${requests}{$arm,${label}!=""}[$step]))
    total: sum(increase(${requests}{$arm}[$step]))
  tolerance: 25%
  floor: 0.1%
- name: slow requests
  histogram: sum by (le) (increase(${duration}_bucket{$arm}[$step]))
  unit: s
  slower_than: ${slower_than}
  tolerance: 50%
`,
	},
	{
		Name: "kubernetes",
		Doc:  "CPU and memory a container uses, from the kubelet's metrics; reported, and decides nothing",
		Params: []providers.Param{
			{Name: "tolerance", Doc: "accepted change", Default: "25%"},
		},
		Metrics: `
- name: cpu
  value: avg(rate(container_cpu_usage_seconds_total{$arm,container!=""}[$step]))
  unit: cores
  tolerance: ${tolerance}
  advisory: true
- name: memory
  value: avg(container_memory_working_set_bytes{$arm,container!=""})
  unit: B
  tolerance: ${tolerance}
  advisory: true
`,
	},
}
