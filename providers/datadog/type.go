package datadog

import (
	"time"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/query"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/slo"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/synthetics"
)

// Type is what the command knows of the provider.
func Type() providers.Type {
	return providers.Type{
		Name:     Name,
		Settings: func() any { return new(Settings) },
		Open: func(settings any) (providers.Provider, error) {
			return New(*settings.(*Settings), nil)
		},
		Dialect:  Dialect{},
		Checks:   synthetics.Queries,
		SLO:      slo.Queries,
		CountOf:  query.CountOf,
		Grouped:  query.Divided,
		Unopened: (*Provider)(nil),
		Acts: func(settings any) bool {
			s := settings.(*Settings)
			return s.Events || s.Notebook || s.DORA != nil
		},
		UsualStep: 30 * time.Second,
		// Trace metrics come in buckets of 10 s, of which the newest are filled up
		// late; Datadog's own advice is to leave out the last 30 to 60 s.
		Lag:     90 * time.Second,
		Presets: presets,
	}
}

// presets use the metrics and attributes of
// https://docs.datadoghq.com/tracing/metrics/metrics_namespace/ (latency in seconds),
// https://docs.datadoghq.com/real_user_monitoring/browser/data_collected/ (times in ns),
// https://docs.datadoghq.com/logs/log_configuration/processors/#log-status-remapper,
// https://docs.datadoghq.com/containers/docker/data_collected/ and
// https://docs.datadoghq.com/containers/kubernetes/data_collected/
//
// Those that say what silence about bad events means have a total of the same source, with
// the same labels and parameters, so that a wrong one has no total either. trace.*.errors
// comes into being with the first error.
var presets = []providers.Preset{apm, apmService, rum, logs, containers, kubernetes}

var apm = providers.Preset{
	Name: "apm",
	Doc:  "Errors and latency of a service traced by APM; the number of requests is reported, and decides nothing",
	Params: []providers.Param{
		{Name: "operation", Doc: "operation name of the spans, such as http.request or rack.request"},
		{Name: "latency_tolerance", Doc: "accepted change of the median and of the 95th percentile", Default: "15%"},
		{Name: "tail_tolerance", Doc: "accepted change of the 99th percentile, which scatters more", Default: "30%"},
	},
	Metrics: `
- name: errors
  ratio:
    bad: sum:trace.${operation}.errors{$arm}.as_count()
    total: sum:trace.${operation}.hits{$arm}.as_count()
    absent: zero
  tolerance: 25%
  floor: 0.1%
- name: latency p50
  value: p50:trace.${operation}{$arm}
  count: sum:trace.${operation}.hits{$arm}.as_count()
  unit: s
  tolerance: ${latency_tolerance}
- name: latency p95
  value: p95:trace.${operation}{$arm}
  count: sum:trace.${operation}.hits{$arm}.as_count()
  unit: s
  tolerance: ${latency_tolerance}
- name: latency p99
  value: p99:trace.${operation}{$arm}
  count: sum:trace.${operation}.hits{$arm}.as_count()
  unit: s
  tolerance: ${tail_tolerance}
- name: requests
  value: sum:trace.${operation}.hits{$arm}.as_count()
  direction: either
  tolerance: 50%
  advisory: true
`,
}

// Without a unit: the reference does not say which the statistics have, and a tolerance that
// is a share of the baseline needs none.
var apmService = providers.Preset{
	Name: "apm_service",
	Doc:  "The same of the service's primary operation, by APM's own statistics; the arms name the service",
	Params: []providers.Param{
		{Name: "latency_tolerance", Doc: "accepted change of the median and of the 95th percentile", Default: "15%"},
		{Name: "tail_tolerance", Doc: "accepted change of the 99th percentile, which scatters more", Default: "30%"},
	},
	Metrics: `
- name: errors
  ratio:
    bad: apm_metrics("$arm").stat("errors")
    total: apm_metrics("$arm").stat("hits")
    absent: zero
  tolerance: 25%
  floor: 0.1%
- name: latency p50
  value: apm_metrics("$arm").stat("latency_p50")
  count: apm_metrics("$arm").stat("hits")
  tolerance: ${latency_tolerance}
- name: latency p95
  value: apm_metrics("$arm").stat("latency_p95")
  count: apm_metrics("$arm").stat("hits")
  tolerance: ${latency_tolerance}
- name: latency p99
  value: apm_metrics("$arm").stat("latency_p99")
  count: apm_metrics("$arm").stat("hits")
  tolerance: ${tail_tolerance}
- name: requests
  value: apm_metrics("$arm").stat("hits")
  direction: either
  tolerance: 50%
  advisory: true
`,
}

// A view's error count and loading time are attributes of the view, so that errors
// are counted by views: more errors than views would be no rate.
var rum = providers.Preset{
	Name: "rum",
	Doc:  "Views with errors and loading time, as users' browsers and apps report them; synthetic sessions left out",
	Params: []providers.Param{
		{Name: "views", Doc: "search that selects the views", Default: "@session.type:user"},
		{Name: "loading_tolerance", Doc: "accepted change of the loading time", Default: "15%"},
	},
	Metrics: `
- name: views with errors
  ratio:
    bad: rum("@type:view @view.error.count:>0 ${views} $arm").rollup("count")
    total: rum("@type:view ${views} $arm").rollup("count")
    absent: zero
  tolerance: 25%
  floor: 0.1%
- name: loading time p75
  value: rum("@type:view ${views} $arm").rollup("pc75", "@view.loading_time")
  count: rum("@type:view @view.loading_time:* ${views} $arm").rollup("count")
  unit: ns
  tolerance: ${loading_tolerance}
`,
}

// A search for error lines that is given wrong finds none while the total goes on, so that
// it is for the config to say that none means none.
var logs = providers.Preset{
	Name: "logs",
	Doc:  "Share of error lines; of requests, where the lines selected are one a request",
	Params: []providers.Param{
		{Name: "errors", Doc: "search that selects the error lines", Default: "status:(error OR critical OR alert OR emergency)"},
		{Name: "lines", Doc: "search that selects all lines", Default: "*"},
		{Name: "index", Doc: "index of the lines", Default: "*"},
		{Name: "absent", Doc: "what no error lines at all mean: zero once the search is known to be right", Default: "unknown"},
	},
	Metrics: `
- name: error lines
  ratio:
    bad: logs("${lines} ${errors} $arm").index("${index}").rollup("count")
    total: logs("${lines} $arm").index("${index}").rollup("count")
    absent: ${absent}
  tolerance: 25%
  floor: 0.1%
`,
}

var containers = providers.Preset{
	Name: "containers",
	Doc:  "CPU, memory and kills for lack of it of containers, by any runtime; reported, and decides nothing",
	Params: []providers.Param{
		{Name: "tolerance", Doc: "accepted change", Default: "25%"},
	},
	Metrics: `
- name: container cpu
  value: avg:container.cpu.usage{$arm}
  tolerance: ${tolerance}
  advisory: true
- name: container memory
  value: avg:container.memory.usage{$arm}
  unit: B
  tolerance: ${tolerance}
  advisory: true
- name: container out of memory
  value: sum:container.memory.oom_events{$arm}
  scale: linear
  unit: events
  tolerance: 1events
  advisory: true
`,
}

var kubernetes = providers.Preset{
	Name: "kubernetes",
	Doc:  "CPU, memory and restarts of a pod's containers; reported, and decides nothing",
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
- name: restarts
  value: max:kubernetes.containers.restarts{$arm}
  scale: linear
  unit: restarts
  tolerance: 1restarts
  advisory: true
`,
}
