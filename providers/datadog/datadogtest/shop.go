package datadogtest

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Canary is how much worse than the baseline a canary is. The zero value is as good.
type Canary struct {
	Errors  float64 // more errors, as a multiple: 4 is five times as many
	Latency float64 // more latency, as a share: 0.5 is half as long again
	Silent  bool    // there is no canary
}

// Shop is a world of two services, discounts and storefront, in env:prod. Of their
// requests and views 100 in 10 seconds go to version:v1 and 50 to version:v2, the canary; 2 %
// fail, half of all last longer than 0.2 s. The synthetic test abc-def-ghi is aimed at the
// baseline and jkl-mno-pqr at the canary; both run each minute. The test mno-pqr-stu is
// paused, has the tag team:checkout, and can be aimed at the canary by a start URL or a
// variable with canary in it. The SLOs Requests and Outcomes count the requests of
// discounts, Alerts and Slices no events. The monitors 101, of errors, and 102, of latency,
// have a group a version and the tags service:discounts and team:shop; where the canary is
// worse, they have been alerting for ten minutes. Error Tracking of traces has an old issue
// of both versions, and where the canary has more errors those are one of their own. The
// same canary is the same world.
func Shop(c Canary) Script {
	s := Script{Late: 20 * time.Second, Watch: c.monitors, SLOs: objectives, Tests: map[string]Test{
		"abc-def-ghi": journey(1, 0), "jkl-mno-pqr": {Type: "browser"},
		"mno-pqr-stu": {Name: "Checkout", Tags: []string{"team:checkout"}, Type: "browser", Takes: 25 * time.Second, Aimed: c.fails},
	}}
	s.Streams = append(s.Streams, version("v1", 100, Canary{})...)
	if !c.Silent {
		s.Streams = append(s.Streams, version("v2", 50, c)...)
		s.Tests["jkl-mno-pqr"] = journey(2, min(1, 0.2*c.Errors))
	}
	s.Errors = c.issues()
	return s
}

// issues are those of the shop: a version's errors that are as many as ever, and the rest
// of the canary's.
func (c Canary) issues() []TrackedIssue {
	stream := func(version string, mean float64) Stream {
		return Stream{Tags: []string{"service:discounts", "env:prod", "version:" + version}, Count: poisson(uint64(len(version)), mean)}
	}
	old := TrackedIssue{Track: "trace", Errors: []Stream{stream("v1", 2)}, Issue: Issue{
		ID: "0b0d1a5e-0000-11f1-8000-da7ad0900001", Type: "requests.exceptions.Timeout", Message: "no answer in 2 s",
		FirstSeen: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Version: "v1",
	}}
	if c.Silent {
		return []TrackedIssue{old}
	}
	old.Errors = append(old.Errors, stream("v2", 1))
	if c.Errors == 0 {
		return []TrackedIssue{old}
	}
	return []TrackedIssue{old, {Track: "trace", Errors: []Stream{stream("v2", c.Errors)}, Issue: Issue{
		ID: "0b0d1a5e-0000-11f1-8000-da7ad0900002", Type: "KeyError", Message: "'discount'", Version: "v2",
		FirstSeen: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
	}}}
}

// monitors are those of the shop.
func (c Canary) monitors(now time.Time) []Monitor {
	one := func(id int64, name string, worse bool) Monitor {
		m := Monitor{ID: id, Name: name, Tags: []string{"service:discounts", "team:shop"}, Groups: []MonitorGroup{{Tags: "version:v1", Status: "OK"}}}
		switch {
		case c.Silent:
		case worse:
			m.Groups = append(m.Groups, MonitorGroup{Tags: "version:v2", Status: "Alert", Triggered: now.Add(-10 * time.Minute)})
		default:
			m.Groups = append(m.Groups, MonitorGroup{Tags: "version:v2", Status: "OK"})
		}
		return m
	}
	return []Monitor{one(101, "Errors of discounts", c.Errors > 0), one(102, "Latency of discounts", c.Latency > 0)}
}

// fails reports whether a run that goes to the canary, by its start URL or a variable, fails.
func (c Canary) fails(at time.Time, startURL string, variables map[string]string) bool {
	named := func(text string) bool { return strings.Contains(text, "canary") }
	switch {
	case !named(startURL) && !slices.ContainsFunc(slices.Collect(maps.Values(variables)), named):
		return false
	case c.Silent:
		return true
	}
	return random(3, at).Float64() < min(1, 0.2*c.Errors)
}

// The ids of the shop's SLOs.
const (
	// Requests counts bad requests by a query of their own, in the newer form.
	Requests = "0123456789abcdef0123456789abcdef"
	// Outcomes counts good requests and all, in the older form, by environment.
	Outcomes = "fedcba9876543210fedcba9876543210"
	// Alerts is an SLO of monitors.
	Alerts = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	// Slices is an SLO of time slices.
	Slices = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

var objectives = map[string]SLO{
	Requests: {
		Type:        "metric",
		Numerator:   "sum:trace.http.request.hits{service:discounts}.as_count() - sum:trace.http.request.errors{service:discounts}.as_count()",
		Denominator: "(sum:trace.http.request.hits{service:discounts}.as_count() - sum:trace.http.request.errors{service:discounts}.as_count()) + (sum:trace.http.request.errors{service:discounts}.as_count())",
		Specification: map[string]any{"count": map[string]any{
			"good_events_formula": map[string]string{"formula": "query1 - query2"},
			"bad_events_formula":  map[string]string{"formula": "query2"},
			"queries": []map[string]string{
				{"data_source": "metrics", "name": "query1", "query": "sum:trace.http.request.hits{service:discounts}.as_count()"},
				{"data_source": "metrics", "name": "query2", "query": "sum:trace.http.request.errors{service:discounts}.as_count()"},
			},
		}},
	},
	Outcomes: {
		Type:        "metric",
		Numerator:   "sum:discounts.requests{outcome:ok OR outcome:redirected} by {env}.as_count()",
		Denominator: "sum:discounts.requests{*} by {env}.as_count()",
	},
	Alerts: {Type: "monitor"},
	Slices: {Type: "time_slice", Specification: map[string]any{"time_slice": map[string]any{
		"comparator": "<", "threshold": 0.5, "query_interval_seconds": 300,
		"query": map[string]any{
			"formulas": []map[string]string{{"formula": "query1"}},
			"queries":  []map[string]string{{"data_source": "metrics", "name": "query1", "query": "p95:trace.http.request{service:discounts}"}},
		},
	}}},
}

// journey is a test of which a share of the runs fails.
func journey(seed uint64, failing float64) Test {
	return Test{Type: "browser", Every: time.Minute, Takes: 12 * time.Second, Failed: func(t time.Time) bool {
		return random(seed, t).Float64() < failing
	}}
}

// version is what happens in a version.
func version(name string, requests float64, c Canary) []Stream {
	seed := uint64(len(name)) + uint64(name[len(name)-1])
	tags := func(service string, more ...string) []string {
		return append([]string{"service:" + service, "env:prod", "version:" + name}, more...)
	}
	const failing = 0.02
	bad := poisson(seed, requests*failing*(1+c.Errors))
	good := poisson(seed+1, requests*(1-failing*(1+c.Errors)))
	all := func(t time.Time) float64 { return bad(t) + good(t) }
	seconds := jitter(seed+2, 0.2*(1+c.Latency), 0.02)
	nanoseconds := func(t time.Time) float64 { return 1e9 * seconds(t) }
	loading := jitter(seed+3, 1.5e9*(1+c.Latency), 0.02)
	slow := poisson(seed+4, requests*0.03*(1+c.Latency))
	fast := poisson(seed+5, requests*0.97)
	const spread = 0.5
	metric := func(name, kind, unit string, service []string) Stream {
		return Stream{Source: "metrics", Metric: name, Type: kind, Unit: unit, Tags: service, Spread: spread}
	}
	counted := func(s Stream, count func(time.Time) float64) Stream { s.Count = count; return s }
	level := func(s Stream, level func(time.Time) float64) Stream { s.Level = level; return s }
	unranked := func(s Stream) Stream {
		s.NoPercentiles, s.Unindexed = true, []string{"pod_name:a", "pod_name:b"}
		return s
	}
	events := func(source, unit string, tags []string, count, measure func(time.Time) float64) Stream {
		return Stream{Source: source, Unit: unit, Tags: tags, Count: count, Level: measure, Spread: spread}
	}
	discounts := tags("discounts")
	return []Stream{
		counted(metric("trace.http.request.hits", "count", "request", discounts), all),
		counted(metric("trace.http.request.errors", "count", "", discounts), bad),
		counted(metric("discounts.requests", "count", "request", tags("discounts", "outcome:ok")), good),
		counted(metric("discounts.requests", "count", "request", tags("discounts", "outcome:failed")), bad),
		counted(level(metric("trace.http.request", "distribution", "second", discounts), seconds), all),
		level(metric("container.cpu.usage", "gauge", "nanocore", discounts), jitter(seed+6, 3e8, 0.1)),
		level(metric("container.memory.usage", "gauge", "byte", discounts), jitter(seed+7, 2e8, 0.02)),
		level(metric("container.memory.oom_events", "gauge", "", discounts), func(time.Time) float64 { return 0 }),
		level(metric("kubernetes.cpu.usage.total", "gauge", "nanocore", discounts), jitter(seed+6, 3e8, 0.1)),
		level(metric("kubernetes.memory.usage", "gauge", "byte", discounts), jitter(seed+7, 2e8, 0.02)),
		unranked(counted(level(metric("checkout.duration", "distribution", "second", tags("discounts")), seconds), all)),
		level(metric("kubernetes.containers.restarts", "gauge", "", discounts), func(time.Time) float64 { return 0 }),
		events("spans", "nanosecond", tags("discounts", "operation_name:http.request", "@duration:900000000"), slow, nanoseconds),
		events("spans", "nanosecond", tags("discounts", "operation_name:http.request", "@duration:200000000"), fast, nanoseconds),
		events("logs", "", tags("discounts", "status:error", "@http.method:GET"), bad, nil),
		events("logs", "", tags("discounts", "status:info", "@http.method:GET"), good, nil),
		events("rum", "nanosecond", tags("storefront", "@type:view", "@session.type:user", "@view.error.count:1"), bad, loading),
		events("rum", "nanosecond", tags("storefront", "@type:view", "@session.type:user", "@view.error.count:0"), good, loading),
	}
}

// random returns numbers that a seed and a time settle.
func random(seed uint64, t time.Time) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(t.Unix()))) //nolint:gosec // reproducible on purpose
}

// poisson counts independent events, of which there are mean on the average.
func poisson(seed uint64, mean float64) func(time.Time) float64 {
	return func(t time.Time) float64 {
		r := random(seed, t)
		n := -1.0
		for left := mean; left > 0; left -= r.ExpFloat64() {
			n++
		}
		return max(n, 0)
	}
}

// jitter is a level that scatters by a share of itself.
func jitter(seed uint64, level, share float64) func(time.Time) float64 {
	return func(t time.Time) float64 { return level * math.Exp(share*random(seed, t).NormFloat64()) }
}
