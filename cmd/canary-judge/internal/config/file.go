package config

import (
	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
)

// file is canary.yaml. The tags are the single source of the strict reading, of
// the JSON Schema and of the table in docs/configuration.md: yaml is the key, doc says what it
// is, default is what holds without it, otherwise says in words what does where that depends on
// something else, example how it may look.
type file struct {
	Service    string       `yaml:"service" doc:"What is deployed; names the run in reports" example:"discounts"`
	Mode       runMode      `yaml:"mode" default:"judge" doc:"observe has runs do nothing and exit with 0 whatever the verdict, as --observe does, until it is trusted; judge has them act and exit as judged"`
	Provider   string       `yaml:"provider" doc:"Where the metrics come from: command, datadog, prometheus or recording; a metric may name its own" example:"prometheus"`
	Baseline   arm          `yaml:"baseline" required:"true" doc:"Labels that select the baseline; offset makes it the same labels at an earlier time" example:"{service: discounts, env: prod}"`
	Canary     arm          `yaml:"canary" required:"true" doc:"Labels that select the canary" example:"{service: discounts-canary, env: prod}"`
	Window     window       `yaml:"window" doc:"The time that is judged"`
	FalseAlarm Percent      `yaml:"false_alarm" default:"5%" doc:"Chance that a canary within tolerance fails, over the whole run: all looks, all metrics"`
	WrongPass  Percent      `yaml:"wrong_pass" default:"5%" doc:"Chance that a canary beyond a tolerance passes"`
	History    *historyText `yaml:"history" otherwise:"four windows of both arms, for the noise; none with baseline.offset or stages" doc:"What is looked at before the run, to learn how noisy each metric is: off, or a mapping" example:"{length: 4h}"`
	Presets    []presetUse  `yaml:"presets" doc:"Ready-made metrics of the provider, by name, or by name with parameters" example:"[http]"`
	Metrics    []metric     `yaml:"metrics" doc:"What is compared"`
	Each       *eachText    `yaml:"each" doc:"Labels whose values are segments: every metric is judged over all and in each of them, under the one error rate" example:"{region: [eu, us]}"`
	Stages     []stage      `yaml:"stages" doc:"A ramp: the run gives the canary more and more of the traffic, and judges all of it under one error rate"`
	Early      earlyPass    `yaml:"early" default:"wait" doc:"promote ends a ramp with PASS as soon as all metrics have passed, in whatever stage; wait goes through all stages first"`
	Exposure   *exposure    `yaml:"exposure" doc:"Whether the canary gets the traffic it should; if not, it cannot pass, and a ramp does not go on"`
	Guards     []guard      `yaml:"guards" doc:"What Datadog watches over the canary by: one that alerts fails it, and one that cannot be read keeps it from passing"`
	Blast      *blast       `yaml:"blast_radius" doc:"What the blast radius is counted by, and how large a stage may make it"`

	Notify []notification `yaml:"notify" doc:"Whom to tell of runs: Slack, Teams, Discord or a web hook"`
	Links  []link         `yaml:"links" doc:"Pages to look at beside the report, such as a dashboard"`

	OnPass         *onVerdict `yaml:"on_pass" doc:"What to do at a pass"`
	OnFail         *onFail    `yaml:"on_fail" doc:"What to do at a fail"`
	OnInconclusive *onVerdict `yaml:"on_inconclusive" doc:"What to do when the verdict is inconclusive at the end of the window"`
	OnInterrupt    *onVerdict `yaml:"on_interrupt" doc:"What to do when a run with stages ends without a verdict: by a signal, an error, or a stage that could not be set"`

	presetMetrics [][]metric // what the presets come to
}

// arm selects one side of the comparison.
type arm struct {
	Labels []providers.Label
	Offset providers.Duration // of the baseline, back in time
	faulty bool               // a label cannot be read
}

// bind reads a mapping of labels, in their order; offset is no label.
func (a *arm) bind(b *binder, n *yaml.Node) {
	for _, e := range b.entries(n) {
		if e.key.Value == "offset" {
			b.places.note(&a.Offset, e.value)
			if text, ok := b.text(e.value, "a length of time"); ok {
				if err := a.Offset.UnmarshalText([]byte(text)); err != nil {
					b.problem(e.value, "offset: %v", err)
				}
			}
			continue
		}
		text, ok := b.text(e.value, "a label's value")
		if ok && text == "" {
			b.problem(e.value, "the label %s is empty", e.key.Value)
		}
		a.faulty = a.faulty || text == ""
		a.Labels = append(a.Labels, providers.Label{Name: e.key.Value, Value: text})
	}
}

// window is the time that is judged.
type window struct {
	Length    providers.Duration `yaml:"length" default:"30m" doc:"How long the canary is judged at most, after the warm-up"`
	Step      providers.Duration `yaml:"step" otherwise:"30s, or 1m with Prometheus" doc:"Distance between two points, and between two looks; at least two, better four scrapes"`
	Warmup    providers.Duration `yaml:"warmup" otherwise:"1m, or one step; 3m, and at least three steps, where history is used" doc:"Time skipped first, in both arms"`
	Lag       providers.Duration `yaml:"lag" otherwise:"by provider" doc:"How long to wait for late data before a step is judged"`
	PassAfter providers.Duration `yaml:"pass_after" otherwise:"5 steps" doc:"Earliest pass; raise it to cover slow failures such as leaks and timers"`
}

// exposure says how much traffic the canary should get.
type exposure struct {
	Share     Percent       `yaml:"share" otherwise:"the stage's; without stages it has to be given" doc:"The canary's share of all requests" example:"10%"`
	Tolerance Percent       `yaml:"tolerance" default:"20%" doc:"How far the share may be off, as a part of it"`
	Metric    string        `yaml:"metric" otherwise:"the first ratio" doc:"The metric whose totals are the requests"`
	Check     exposureCheck `yaml:"check" default:"on" doc:"off does not ask whether the canary gets the shares of the stages, as where the baseline is a part of the rest"`
}

// metric is one thing that is compared. Exactly one of value, ratio, histogram,
// checks and gaps says how it is measured.
type metric struct {
	Name      string      `yaml:"name" required:"true" doc:"Name in reports" example:"errors"`
	Provider  string      `yaml:"provider" otherwise:"the config's" doc:"Where this metric comes from"`
	Value     *queryText  `yaml:"value" doc:"Query for one number a step, such as a mean or a percentile" example:"avg(app_queue_depth{$arm})"`
	Count     *queryText  `yaml:"count" doc:"Query for how many observations are behind a value that is a quantile, such as a percentile, a step; without it such a value neither passes nor fails" example:"sum(increase(http_request_duration_seconds_count{$arm}[$step]))"`
	Ratio     *ratioText  `yaml:"ratio" doc:"Queries for bad (or good) events and for all of them, a step"`
	Histogram *queryText  `yaml:"histogram" doc:"Query for the buckets of a step; judged by slower_than or at a quantile" example:"sum by (le) (increase(http_request_duration_seconds_bucket{$arm}[$step]))"`
	Checks    *checksText `yaml:"checks" doc:"Synthetic checks: tests of Datadog, or queries for the failed (or passed) runs and for all of them, a step"`
	Gaps      string      `yaml:"gaps" doc:"Name of another metric: each step without data for it counts as a failed check" example:"errors"`
	Each      *eachText   `yaml:"each" otherwise:"the config's" doc:"Labels whose values are segments, for this metric; off judges it over all requests alone" example:"{region: [eu, us], required: true}"`
	Shared    []string    `yaml:"shared" doc:"What the metric's queries read without $arm on purpose, because it is the same for both arms: names of metrics, or whole selectors or scopes" example:"[kube_pod_info]"`
	Unit      string      `yaml:"unit" doc:"Unit of the numbers as the source gives them" example:"s"`
	Direction direction   `yaml:"direction" default:"increase" doc:"The movement that is bad: increase, decrease or either"`
	Tolerance Tolerance   `yaml:"tolerance" required:"true" doc:"The change that is accepted: a share of the baseline (10%), percentage points (0.2pt), or an amount (20ms)" example:"10%"`
	Floor     Percent     `yaml:"floor" otherwise:"0.1% for rates with a relative tolerance" doc:"Rates below this are fine whatever the baseline"`
	Slower    *Amount     `yaml:"slower_than" doc:"Judge a histogram by the share of observations above this" example:"500ms"`
	Quantile  Quantile    `yaml:"quantile" otherwise:"of a value, as the query or the name says" doc:"Judge a histogram at this quantile; of a value, which quantile the source makes of the observations of a step, or none" example:"p95"`
	Spikes    *spikesText `yaml:"spikes" doc:"Judge a value by how many steps stand out, instead of its mean; the tolerance is by how many percentage points of all steps the canary may have more of them"`
	Scale     scale       `yaml:"scale" default:"log" doc:"Compare values by ratio (log) or by difference (linear)"`
	Judge     estimand    `yaml:"judge" default:"typical" doc:"What of a value is compared: its typical step (outlying ones are pulled in), or the mean of all as they are"`
	Counts    countsNoise `yaml:"dispersion" default:"estimated" doc:"How counts scatter: estimated, or none to trust them to be independent events"`
	Advisory  bool        `yaml:"advisory" default:"false" doc:"Measure and report only; decides nothing"`
	Hold      bool        `yaml:"hold" default:"false" doc:"Never fails the run: while it is shown to be beyond its tolerance a ramp waits and nothing passes, until it is back"`
	FailOnly  bool        `yaml:"fail_only" default:"false" doc:"Can fail the run, which does not wait for it to pass"`
	History   learning    `yaml:"history" default:"on" doc:"off judges the metric without history, one that misleads"`
	Weight    float64     `yaml:"weight" default:"1" doc:"Share of the false-alarm rate, relative to the other metrics"`
}

// queryText is a query for both arms, or one for each.
type queryText struct {
	Both   string
	PerArm map[providers.Arm]string
}

// bind reads a text, or a mapping with baseline and canary.
func (q *queryText) bind(b *binder, n *yaml.Node) {
	if braces(n) {
		b.problem(n, "a query that begins with { is quoted: '{…}'")
		return
	}
	if n.Kind != yaml.MappingNode {
		if text, ok := b.query(n, "a query"); ok {
			q.Both = text
			if text == "" {
				b.problem(n, "the query is empty")
			}
		}
		return
	}
	q.PerArm = map[providers.Arm]string{}
	for _, e := range b.entries(n) {
		switch a := providers.Arm(e.key.Value); a {
		case providers.Baseline, providers.Canary:
			if text, ok := b.query(e.value, "a query"); ok {
				q.PerArm[a] = text
			}
		default:
			b.unknownKey(n, e.key, []string{"baseline", "canary"})
		}
	}
	for _, a := range providers.Arms {
		if q.PerArm[a] == "" {
			b.lacking(n, []string{string(a)}, "the query of the %s is missing", a)
		}
	}
}

// braces reports whether a mapping is a selector that is not quoted: {app="shop"}.
func braces(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode || n.Style&yaml.FlowStyle == 0 || len(n.Content) == 0 {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i+1].Tag != "!!null" {
			return false
		}
	}
	return true
}

// ratioText measures bad events of a total.
type ratioText struct {
	Bad    *queryText `yaml:"bad" doc:"Query for the bad events of a step" example:"sum(increase(http_requests_total{$arm,code=~\"5..\"}[$step]))"`
	Good   *queryText `yaml:"good" doc:"Query for the good events instead"`
	Total  *queryText `yaml:"total" doc:"Query for all events of a step" example:"sum(increase(http_requests_total{$arm}[$step]))"`
	Absent absent     `yaml:"absent" default:"unknown" doc:"What it means when the source never mentions the bad events at all: unknown (no pass: the query may be wrong) or zero"`
	SLO    sloID      `yaml:"slo" doc:"Id of an SLO of Datadog that counts events, instead of queries: its bad events and all of them, in each arm" example:"0123456789abcdef0123456789abcdef"`
}

// spikesText says which steps of a value stand out.
type spikesText struct {
	Above *Amount `yaml:"above" doc:"Those in which it lies above this" example:"800ms"`
	Below *Amount `yaml:"below" doc:"Those in which it lies below this"`
}

// checksText measures failed runs of synthetic checks.
type checksText struct {
	Failed     *queryText      `yaml:"failed" doc:"Query for the failed runs of a step"`
	Passed     *queryText      `yaml:"passed" doc:"Query for the passed runs instead"`
	Runs       *queryText      `yaml:"runs" doc:"Query for all runs of a step"`
	Trigger    *triggerText    `yaml:"trigger" doc:"Start the runs of synthetics, as a batch for each arm and step, instead of reading those that run by themselves"`
	Synthetics *syntheticsText `yaml:"synthetics" doc:"Public ids of Datadog's synthetic tests, instead of queries: a list for each arm, whose tests are compared in order; or tests, or all with a tag, told apart by locations. Each pair is a metric" example:"{baseline: [abc-def-ghi], canary: [jkl-mno-pqr]}"`
}

type direction analysis.Direction

// UnmarshalText reads a direction.
func (d *direction) UnmarshalText(text []byte) error {
	return word(d, "direction", text, "increase", "decrease", "either")
}

type scale analysis.Scale

// UnmarshalText reads a scale.
func (s *scale) UnmarshalText(text []byte) error { return word(s, "scale", text, "log", "linear") }

// estimand is what of a value is compared.
type estimand int

const (
	typicalStep estimand = iota
	meanOfAll
)

// UnmarshalText reads an estimand.
func (e *estimand) UnmarshalText(text []byte) error {
	return word(e, "way to judge a value", text, "typical", "mean")
}

// countsNoise is how counts scatter.
type countsNoise int

const (
	estimatedNoise countsNoise = iota
	poissonNoise
)

// UnmarshalText reads a dispersion.
func (c *countsNoise) UnmarshalText(text []byte) error {
	return word(c, "dispersion", text, "estimated", "none")
}

// absent is what silence about bad events means.
type absent int

const (
	absentUnknown absent = iota
	absentZero
)

// UnmarshalText reads what silence means.
func (a *absent) UnmarshalText(text []byte) error {
	return word(a, "meaning of absent events", text, "unknown", "zero")
}

// presetUse is a preset and its parameters.
type presetUse struct {
	Name   string
	Params map[string]string
	node   *yaml.Node
	params map[string]*yaml.Node
}

// bind reads a name, or a name with a mapping of parameters.
func (u *presetUse) bind(b *binder, n *yaml.Node) {
	u.node = n
	if n.Kind == yaml.ScalarNode {
		u.Name, _ = b.text(n, "a preset's name")
		return
	}
	all := b.entries(n)
	if len(all) != 1 {
		b.problem(n, "want a preset's name, or a name with its parameters: {http: {slower_than: 300ms}}")
		return
	}
	u.Name, u.node = all[0].key.Value, all[0].key
	u.Params, u.params = map[string]string{}, map[string]*yaml.Node{}
	for _, e := range b.entries(all[0].value) {
		if text, ok := b.query(e.value, "a parameter's value"); ok {
			u.Params[e.key.Value] = text
		}
		u.params[e.key.Value] = e.key
	}
}
