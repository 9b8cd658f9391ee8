package config

import (
	"errors"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog"
	"github.com/canary-judge/canary-judge/providers/prometheus"
	"github.com/canary-judge/canary-judge/providers/recording"
)

func types() []providers.Type {
	return []providers.Type{datadog.Type(), prometheus.Type(), recording.Type()}
}

func parse(text string, env, set map[string]string) (*Config, error) {
	return Parse("canary.yaml", []byte(text), Options{Types: types(), Env: env, Set: set})
}

// valid is a config that the bad ones below spoil in one place each.
const valid = `service: shop
provider: prometheus
baseline: {app: shop}
canary: {app: shop-canary}
metrics:
  - name: errors
    ratio:
      bad: sum(increase(errors_total{$arm}[$step]))
      total: sum(increase(requests_total{$arm}[$step]))
    tolerance: 25%
`

func TestMistakesAreShownInPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		old, new string // replaced in valid; an empty old appends
		want     []string
	}{
		{"unknown key", "service:", "sevice:", []string{`canary.yaml:1:1: unknown key "sevice"; did you mean service?`, "  1 | sevice: shop\n    | ^"}},
		{"another tool's word", "tolerance:", "threshold:", []string{`canary.yaml:10:5: unknown key "threshold"; did you mean tolerance?`}},
		{"wrong type", "service: shop", "service: [shop]", []string{"canary.yaml:1:10: want a text, not a list"}},
		{"a list where a mapping belongs", "{app: shop}", "[app, shop]", []string{"canary.yaml:3:11: want a mapping, not a list"}},
		{"missing arm", "canary: {app: shop-canary}\n", "", []string{"canary.yaml:1:1: canary is missing"}},
		{"empty arm", "{app: shop-canary}", "{}", []string{"the canary has no labels to put in place of $arm"}},
		{"missing value", "tolerance: 25%", "tolerance:", []string{"the value is missing"}},
		{"unset variable", "shop-canary", `"${env:SHA}"`, []string{"canary.yaml:4:15: the environment variable SHA is not set, or empty"}},
		{"unset --set variable", "shop-canary", `"${version}"`, []string{"the variable version is not set; give it with --set version=…"}},
		{"tolerance without unit", "25%", "25", []string{`canary.yaml:10:16: the tolerance "25" lacks its unit: write 25% of the baseline, 25pt`}},
		{"negative tolerance", "25%", "-25%", []string{"is negative; say which movement is bad with direction"}},
		{"amount for a rate", "25%", "20ms", []string{"a rate's tolerance is a share of the baseline (10%) or percentage points (0.2pt), not ms"}},
		{"percentage without unit", "", "false_alarm: 5\n", []string{`"5" lacks its unit; write a percentage such as 5%`}},
		{"impossible rate", "", "false_alarm: 60%\n", []string{"the rate must lie between 0% and 50%"}},
		{"two metrics of one name", "", "  - {name: errors, value: 'up{$arm}', tolerance: 10%}\n", []string{`canary.yaml:11:12: two metrics are named "errors"; the other is in line 6`}},
		{"arms that are one series", "shop-canary", "shop", []string{"the arms have the same labels: both would be the same series"}},
		{"a query without $arm", "errors_total{$arm}", "errors_total", []string{"canary.yaml:8:12: both arms ask the same", "put $arm where"}},
		{"unknown query variable", "errors_total{$arm}", "errors_total{$service}", []string{"$service is not known here"}},
		{"unknown label", "errors_total{$arm}", "errors_total{v=\"$arm.version\"}", []string{"the baseline has no label version"}},
		{"overlapping windows", "errors_total{$arm}[$step]", "errors_total{$arm}[5m]", []string{"the range [5m] is not the step of 60s", "[$step]"}},
		{"a counter as it is", "increase(errors_total{$arm}[$step])", "errors_total{$arm}", []string{"take increase(…[$step]) of the counter"}},
		{"window too short", "", "window: {length: 1m, step: 30s}\n", []string{"has 2 steps of 30s; the first look needs 3"}},
		{"window not whole steps", "", "window: {length: 100s}\n", []string{"1m40s is no whole number", "1m or 2m is"}},
		{"step too short", "", "window: {step: 100ms}\n", []string{"the shortest is 1s"}},
		{"duration without unit", "", "window: {length: 30}\n", []string{"want a length of time with its unit"}},
		{"unknown provider", "provider: prometheus", "provider: graphite", []string{`canary.yaml:2:11: unknown provider "graphite"; valid: datadog, prometheus, recording`}},
		{"no provider", "provider: prometheus\n", "", []string{"which provider has the metric is not said"}},
		{"unknown preset", "", "presets: [htpp]\n", []string{`prometheus has no preset "htpp"; did you mean http? it has http or kubernetes`}},
		{"unknown preset parameter", "", "presets: [{http: {slow: 1s}}]\n", []string{`unknown parameter "slow"`}},
		{"broken preset parameter", "", "presets: [{kubernetes: {tolerance: 10}}]\n", []string{`canary.yaml:11:12: the tolerance "10" lacks its unit`}},
		{"no source", "    ratio:\n      bad: sum(increase(errors_total{$arm}[$step]))\n      total: sum(increase(requests_total{$arm}[$step]))\n", "", []string{"exactly one of value, ratio, histogram, checks and gaps"}},
		{"bad and good", "      bad: ", "      good: sum(increase(x{$arm}[$step]))\n      bad: ", []string{"give exactly one of bad and good"}},
		{"unknown direction", "25%", "25%\n    direction: up", []string{`"up" is no direction; did you mean increase? (valid: increase, decrease or either)`}},
		{"a quantile of a ratio", "25%", "25%\n    quantile: p95", []string{"quantile means nothing for a ratio"}},
		{"a bound of a ratio", "25%", "25%\n    slower_than: 1s", []string{"slower_than means nothing for a ratio"}},
		{"floor with an absolute tolerance", "25%", "1pt\n    floor: 0.1%", []string{"a floor belongs to a rate with a relative tolerance"}},
		{"histogram without a place", "    ratio:\n      bad: sum(increase(errors_total{$arm}[$step]))\n      total: sum(increase(requests_total{$arm}[$step]))\n", "    histogram: sum by (le) (increase(d_bucket{$arm}[$step]))\n", []string{"say where the histogram is judged"}},
		{"absolute value without unit", "", "  - {name: mem, value: 'mem{$arm}', tolerance: 20MB}\n", []string{"the metric's own unit is not known; add unit:"}},
		{"absolute value in another unit", "", "  - {name: mem, value: 'mem{$arm}', unit: s, tolerance: 20MB}\n", []string{"MB, which does not convert to the metric's unit s"}},
		{"gaps of nothing", "", "  - {name: silence, gaps: requests, tolerance: 20pt}\n", []string{"want the name of another metric"}},
		{"a key twice", "service: shop", "service: shop\nservice: other", []string{`the key "service" is there twice`}},
		{"not YAML", "baseline: {app: shop}", "baseline: {app: shop", []string{"canary.yaml:3:1: not YAML: a { or [ in this line is not closed"}},
		{"two documents", "", "---\na: b\n", []string{"want one document"}},
		{"only advisory", "25%", "25%\n    advisory: true", []string{"no metric has to pass"}},
		{"the canary lies back in time", "{app: shop-canary}", "{app: shop-canary, offset: 1d}", []string{"only the baseline can lie back in time"}},
		{"exposure without a ratio", "", "exposure: {share: 10%, metric: nothing}\n", []string{"exposure needs a ratio metric"}},
		{"a command as one text", "", "on_pass: {run: git push deploy}\n", []string{"canary.yaml:11:16: want a list of words", "there is no shell"}},
		{"an empty command", "", "on_pass: {run: []}\n", []string{"the command is empty"}},
		{"no command", "", "on_inconclusive: {timeout: 1m}\n", []string{"run is missing"}},
		{"nothing to do at a fail", "", "on_fail: {timeout: 1m}\n", []string{"say what to do: revert, run, or both"}},
		{"an unset variable in a command", "", "on_fail: {run: [notify, '${env:HOOK}']}\n", []string{"the environment variable HOOK is not set"}},
		{"a commit that is an option", "", "on_fail: {revert: {commit: --all}}\n", []string{`canary.yaml:11:28: commit is "--all"; want a name as git has them`}},
		{"a remote that is an option", "", "on_fail: {revert: {push: -f}}\n", []string{`push is "-f"`}},
		{"a symmetric range", "", "on_fail: {revert: {commit: main...canary}}\n", []string{"a range has two dots"}},
		{"an unknown mode", "", "on_fail: {revert: {mode: force}}\n", []string{`"force" is no mode of a revert; valid: push or pr`}},
		{"a base without a pull request", "", "on_fail: {revert: {base: main}}\n", []string{"base belongs to mode: pr"}},
		{"an author without an address", "", "on_fail: {revert: {author: bot}}\n", []string{"want a name and an address: Release bot <bot@example.com>"}},
		{"half a parent", "", "on_fail: {revert: {mainline: 1.5}}\n", []string{"mainline is the number of a merge's parent"}},
		{"a key of another tool", "", "on_fail: {rollback: {}}\n", []string{`unknown key "rollback"; did you mean revert?`}},
		{"requests of a value", "", "blast_radius: {requests: nothing}\n", []string{`want the name of a ratio metric, or of a histogram with slower_than, not "nothing"`}},
		{"users of a ratio", "", "blast_radius: {users: errors}\n", []string{`want the name of a value metric, not "errors"`}},
		{"a control character in a name", "name: errors", `name: "err\x1b[31mors"`, []string{"control characters"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := valid + c.new
			if c.old != "" {
				if !strings.Contains(valid, c.old) {
					t.Fatalf("%q is not in the valid config", c.old)
				}
				text = strings.Replace(valid, c.old, c.new, 1)
			}
			_, err := parse(text, nil, nil)
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("error %v, want problems with\n%s", err, text)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in\n%v", want, err)
				}
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	_, err := parse("servic: shop\nprovider: graphite\nbaseline: 5\ncanary: {app: ''}\nwindow: {length: 1}\nmetrics: [{name: a, tolerance: x}]\n", nil, nil)
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 7 {
		t.Errorf("%d problems, want 7:\n%v", len(problems), err)
	}
	for i := 1; i < len(problems); i++ {
		if problems[i].Line < problems[i-1].Line {
			t.Error("problems are not in the order of the file")
		}
	}
}

func TestEmptyFiles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                 "the file is empty",
		"# only a comment": "the file is empty",
		"- a list":         "want a mapping",
		"\x00\x01\x02":     "not YAML",
	} {
		if _, err := parse(text, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// A secret must not show, whatever is wrong beside it.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		valid + "prometheus: {url: http://x, token: hunter2, nonsense: 1}\n",
		valid + "prometheus:\n  token: [hunter2]\n",
		valid + "prometheus: {token: hunter2, headers: {X-Org: hunter2}, tls: 5}\n",
		valid + "prometheus: {token: hunter2, url: }}\n",
		strings.Replace(valid, "25%", "x", 1) + "datadog: {api_key: hunter2, app_key: hunter2}\n",
	} {
		_, err := parse(text, nil, nil)
		if err == nil {
			t.Errorf("accepted:\n%s", text)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the secret shows:\n%v", err)
		}
	}
	c, err := parse(valid+"prometheus: {url: http://x, token: hunter2, headers: {X-Org: hunter2}}\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(c.Document), "hunter2") {
		t.Errorf("the secret is in the document: %s", c.Document)
	}
	settings := c.Settings["prometheus"].(*prometheus.Settings)
	if settings.Token != "hunter2" || settings.Headers["X-Org"] != "hunter2" {
		t.Errorf("the secret did not reach the settings")
	}
}

func TestTheEnvironmentGoesBeforeTheFile(t *testing.T) {
	t.Parallel()
	env := map[string]string{"PROMETHEUS_URL": "http://from-env", "PROMETHEUS_TOKEN": "  "}
	c, err := parse(valid+"prometheus: {url: http://from-file, token: from-file}\n", env, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Settings["prometheus"].(*prometheus.Settings)
	if s.URL != "http://from-env" || s.Token != "from-file" || time.Duration(s.Timeout) != 20*time.Second {
		t.Errorf("url %s, token from file %v, timeout %s", s.URL, s.Token == "from-file", s.Timeout)
	}
}

func TestQueriesAreExpanded(t *testing.T) {
	t.Parallel()
	const text = `
service: shop
provider: prometheus
baseline: {app: shop, version: '1"} or vector(0) #'}
canary: {app: shop, version: "${env:SHA}"}
window: {step: 90s, length: 30m}
metrics:
  - name: one
    value: 'avg(x{$arm,path=~"/a$"}) / scalar(y{v="$arm.version",cost="$$5"}) + avg_over_time(z{$arm}[$step])'
    tolerance: 10%
  - name: two
    value: {baseline: old_name, canary: new_name}
    tolerance: 10%
  - name: three
    provider: datadog
    ratio:
      good: sum:hits{$arm,env:prod}.as_count().rollup(sum, $step)
      total: sum:all{$arm}.as_count()
    tolerance: 0.5pt
`
	env := map[string]string{"SHA": "1.2.3+Build"}
	_, err := parse(text, env, nil)
	if err == nil || !strings.Contains(err.Error(), `cannot be a tag's value`) {
		t.Fatalf("a value that would break out of a Datadog filter: %v", err)
	}
	if _, err := parse(strings.Replace(text, `1"} or vector(0) #`, `1\"x`, 1), env, nil); err == nil {
		t.Fatal("a quote in a Datadog tag was accepted")
	}
	c, err := parse(strings.Replace(text, `'1"} or vector(0) #'`, "1.2.2", 1), env, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []map[providers.Part]map[providers.Arm]string{
		{"value": {
			"baseline": `avg(x{app="shop",version="1.2.2",path=~"/a$"}) / scalar(y{v="1.2.2",cost="$5"}) + avg_over_time(z{app="shop",version="1.2.2"}[90s])`,
			"canary":   `avg(x{app="shop",version="1.2.3+Build",path=~"/a$"}) / scalar(y{v="1.2.3+Build",cost="$5"}) + avg_over_time(z{app="shop",version="1.2.3+Build"}[90s])`,
		}},
		{"value": {"baseline": "old_name", "canary": "new_name"}},
		{
			"bad":   {"baseline": "sum:hits{app:shop,version:1.2.2,env:prod}.as_count().rollup(sum, 90)", "canary": "sum:hits{app:shop,version:1.2.3_build,env:prod}.as_count().rollup(sum, 90)"},
			"total": {"baseline": "sum:all{app:shop,version:1.2.2}.as_count()", "canary": "sum:all{app:shop,version:1.2.3_build}.as_count()"},
		},
	}
	for i, m := range c.Metrics {
		if diff := cmp.Diff(want[i], m.Queries); diff != "" {
			t.Errorf("metric %s (-want +got):\n%s", m.Name, diff)
		}
	}
	if !c.Metrics[2].Complement {
		t.Error("good events are not marked as the complement")
	}
}

func TestAPrometheusLabelCannotBreakOut(t *testing.T) {
	t.Parallel()
	text := strings.Replace(valid, "shop-canary", `'a"} or vector(0) or x{b="\'`, 1)
	c, err := parse(text, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `sum(increase(errors_total{app="a\"} or vector(0) or x{b=\"\\"}[60s]))`
	if got := c.Metrics[0].Queries[providers.Bad][providers.Canary]; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := parse(valid, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Window{Step: time.Minute, Lag: 30 * time.Second, Warmup: 1, Steps: 30, WarmupAssumed: true}, c.Window); diff != "" {
		t.Errorf("window (-want +got):\n%s", diff)
	}
	want := analysis.Plan{
		Steps: 30, FalseAlarm: 0.05, WrongPass: 0.05, PassAfter: 5,
		Metrics: []analysis.Metric{{Name: "errors", Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.25}, Floor: 0.001, Weight: 1}},
	}
	if diff := cmp.Diff(want, c.Plan); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	c, err := parse(valid+`
on_pass: {run: [git, push, deploy, "canary:main"]}
on_fail:
  revert: {commit: "${env:SHA}", branch: canary, mode: pr, push: upstream, base: main, author: "Bot <bot@example.com>", mainline: 2, timeout: 30s}
  run: [notify, "${env:TOKEN}", 7, "$$x"]
  timeout: 10s
`, map[string]string{"SHA": "abc123", "TOKEN": "hunter2"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Actions{
		Pass: &Hook{Args: []string{"git", "push", "deploy", "canary:main"}, Shown: []string{"git", "push", "deploy", "canary:main"}, Timeout: 5 * time.Minute},
		Fail: &Hook{Args: []string{"notify", "hunter2", "7", "$x"}, Shown: []string{"notify", "${env:TOKEN}", "7", "$$x"}, Timeout: 10 * time.Second},
		Revert: &Revert{
			Commit: "abc123", Branch: "canary", Mode: PullRequestRevert, Remote: "upstream", Base: "main",
			Author: mail.Address{Name: "Bot", Address: "bot@example.com"}, Mainline: 2, Timeout: 30 * time.Second,
		},
	}
	if diff := cmp.Diff(want, c.Actions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Contains(string(c.Document), "hunter2") || strings.Contains(string(c.Document), "on_fail") {
		t.Errorf("a recording would keep the actions:\n%s", c.Document)
	}
	c, err = parse(valid+"on_fail: {revert: {}}\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(DefaultRevert(), *c.Actions.Revert); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

func TestMetricsInFull(t *testing.T) {
	t.Parallel()
	c, err := parse(`
provider: prometheus
baseline: {app: shop, offset: 1d}
canary: {app: shop}
window: {length: 20m, step: 1m, warmup: 90s, lag: 45s, pass_after: 10m}
false_alarm: 1%
wrong_pass: 10%
presets: [{http: {slower_than: 300ms}}]
exposure: {share: 10%}
metrics:
  - {name: latency, value: 'x{$arm}', unit: ms, tolerance: 0.02s, weight: 2}
  - {name: p99, histogram: 'increase(h{$arm}[$step])', quantile: p99, tolerance: 20%}
  - {name: throughput, value: 'y{$arm}', direction: decrease, tolerance: 10%, scale: linear, advisory: true}
  - {name: journey, checks: {passed: 'increase(a{$arm}[$step])', runs: 'increase(b{$arm}[$step])'}, tolerance: 20pt}
  - {name: silence, gaps: latency, tolerance: 20pt}
  - name: trusted
    ratio: {bad: 'increase(a{$arm}[$step])', total: 'increase(b{$arm}[$step])', absent: zero}
    dispersion: none
    floor: 0%
    tolerance: 50%
`, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := analysis.Plan{
		Steps: 20, FalseAlarm: 0.01, WrongPass: 0.1, PassAfter: 10,
		Exposure: &analysis.Exposure{Share: 0.1, Tolerance: 0.2},
		Metrics: []analysis.Metric{
			{Name: "errors", Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.25}, Floor: 0.001, Weight: 1},
			{Name: "slow requests", Kind: analysis.Histogram, SlowerThan: 0.3, Tolerance: analysis.Tolerance{Size: 0.5}, Floor: 0.001, Weight: 1},
			{Name: "latency", Tolerance: analysis.Tolerance{Size: 20, Absolute: true}, Weight: 2},
			{Name: "p99", Kind: analysis.Histogram, Quantile: 0.99, Tolerance: analysis.Tolerance{Size: 0.2}, Weight: 1},
			{Name: "throughput", Direction: analysis.Decrease, Tolerance: analysis.Tolerance{Size: 0.1}, Scale: analysis.Linear, Advisory: true, Weight: 1},
			{Name: "journey", Kind: analysis.Checks, Tolerance: analysis.Tolerance{Size: 0.2, Absolute: true}, Weight: 1},
			{Name: "silence", Kind: analysis.Checks, Tolerance: analysis.Tolerance{Size: 0.2, Absolute: true}, Weight: 1},
			{Name: "trusted", Kind: analysis.Ratio, Tolerance: analysis.Tolerance{Size: 0.5}, PoissonCounts: true, AbsentIsZero: true, Weight: 1},
		},
	}
	if diff := cmp.Diff(want, c.Plan); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Window{Step: time.Minute, Lag: 45 * time.Second, Warmup: 2, Steps: 20}, c.Window); diff != "" {
		t.Errorf("window (-want +got):\n%s", diff)
	}
	if c.Metrics[6].GapsOf != 2 || c.Arms[providers.Baseline].Offset != 24*time.Hour {
		t.Errorf("gaps of %d, offset %s", c.Metrics[6].GapsOf, c.Arms[providers.Baseline].Offset)
	}
	if len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "weaker comparison") {
		t.Errorf("notes %q", c.Notes)
	}
	again, err := Parse("document", c.Document, Options{Types: types(), Literal: true})
	if err != nil {
		t.Fatalf("the document cannot be read again: %v\n%s", err, c.Document)
	}
	again.Document, again.Settings, c.Settings = c.Document, nil, nil
	if diff := cmp.Diff(c, again); diff != "" {
		t.Errorf("the document says something else (-config +document):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(valid)
	f.Add("a: &a {b: *a}\n<<: *a\n")
	f.Add(valid + "window: {length: 1d, step: ${x}}\npresets: [http]\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse(text, map[string]string{"A": "b"}, map[string]string{"x": "1s"})
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("an error that is no problem of the file: %v", err)
			}
			return
		}
		again, err := Parse("document", c.Document, Options{Types: types(), Literal: true})
		if err != nil {
			t.Fatalf("the document cannot be read again: %v\n%s", err, c.Document)
		}
		if diff := cmp.Diff(c.Plan, again.Plan); diff != "" {
			t.Fatalf("the document says something else:\n%s", diff)
		}
	})
}
