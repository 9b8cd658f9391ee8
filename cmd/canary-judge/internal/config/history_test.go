package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
)

// What a config asks for of the time before the run.
func TestHistory(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]*History{
		"":                                  {Length: 2 * time.Hour},
		"baseline: {app: shop, offset: 1d}": nil,
		"history: off":                      nil,
		"history: 'off'":                    nil,
		// Four windows of 30 minutes.
		"history: {}":           {Length: 2 * time.Hour, Asked: true},
		"history: {length: 4h}": {Length: 4 * time.Hour, Asked: true},
		"history: {length: 631s}\nwindow: {length: 10m}": {Length: 11 * time.Minute, Asked: true},
		// Four windows of five steps are fewer pairs than teach anything.
		"history: {}\nwindow: {length: 5m}": {Length: time.Hour, Asked: true},
		// Of more than 24 windows nothing counts.
		"history: {}\nwindow: {length: 2m, step: 40s}": {Length: 40 * time.Minute, Asked: true},
		"history: {offset: remove, since: -3h, until: 2026-11-23T11:00:00+01:00}": {
			Length: 2 * time.Hour, RemoveOffset: true, Since: Moment{Age: 3 * time.Hour}, Until: Moment{At: at}, Asked: true,
		},
		"history: {instances: pod, since: -3h}": {
			Length: 2 * time.Hour, Instances: "pod", Since: Moment{Age: 3 * time.Hour}, Asked: true,
		},
		"baseline: {app: shop, offset: 1d}\nhistory: {days: 7, exclude: [2026-11-20, '2026-11-21']}": {
			Days: 7, Exclude: []string{"2026-11-20", "2026-11-21"}, Asked: true,
		},
	} {
		base := valid
		if strings.HasPrefix(text, "baseline") {
			base = strings.Replace(valid, "baseline: {app: shop}\n", "", 1)
		}
		c, err := parse(base+text+"\n", nil, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, c.History); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		again, err := Parse("recorded", c.Document, Options{Types: types(), Literal: true})
		if err != nil {
			t.Errorf("%s: as a recording keeps it: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, again.History); diff != "" {
			t.Errorf("%s, as a recording keeps it (-want +got):\n%s", text, diff)
		}
	}
}

// A metric, checks and gaps can be without history.
func TestWhichMetricsLearn(t *testing.T) {
	t.Parallel()
	c, err := parse(valid+`    history: off
  - {name: cpu, value: 'avg(cpu{$arm})', tolerance: 10%}
  - {name: smoke, checks: {failed: 'sum(increase(failed{$arm}[$step]))', runs: 'sum(increase(runs{$arm}[$step]))'}, tolerance: 20pt}
  - {name: silence, gaps: cpu, tolerance: 20pt}
history: {length: 4h}
`, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, true, false, false} {
		if got := c.Learns(i); got != want {
			t.Errorf("%s learns: %v", c.Metrics[i].Name, got)
		}
	}
	c.History = nil
	if c.Learns(1) {
		t.Error("a metric learns without history")
	}
}

// Days are those of the run's time of day, but for what is excluded.
func TestWindowsOfDays(t *testing.T) {
	t.Parallel()
	base := strings.Replace(valid, "baseline: {app: shop}", "baseline: {app: shop, offset: 1d}", 1)
	c, err := parse(base+"history: {days: 5, exclude: [2026-11-22, 2026-11-20]}\n", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	if diff := cmp.Diff([]time.Duration{2 * day, 4 * day, 5 * day}, c.Windows(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC))); diff != "" {
		t.Error(diff)
	}
	// The window of the 21st goes on past midnight into the 22nd, and that of the 19th into the 20th.
	if diff := cmp.Diff([]time.Duration{5 * day}, c.Windows(time.Date(2026, 11, 23, 23, 45, 0, 0, time.UTC))); diff != "" {
		t.Error(diff)
	}
}

// The queries of what learns are divided by instances; what cannot be is judged without history, which is said, and
// so it is of a recording's config.
func TestInstances(t *testing.T) {
	t.Parallel()
	c, err := parse(valid+`    history: off
  - {name: cpu, value: 'avg(cpu{$arm})', tolerance: 10%}
  - {name: share, value: 'sum(a{$arm}) / scalar(sum(b{$arm}))', tolerance: 10%}
  - {name: smoke, checks: {failed: 'sum(increase(failed{$arm}[$step]))', runs: 'sum(increase(runs{$arm}[$step]))'}, tolerance: 20pt}
history: {instances: pod}
`, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("recorded", c.Document, Options{Types: types(), Literal: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Config{c, again} {
		for i, want := range []bool{false, true, false, false} {
			if got := c.ByInstances(i); got != want {
				t.Errorf("%s learns of instances: %v", c.Metrics[i].Name, got)
			}
		}
		want := map[providers.Part]map[providers.Arm]string{providers.Value: {
			providers.Baseline: `avg by (pod) (cpu{app="shop"})`, providers.Canary: `avg by (pod) (cpu{app="shop-canary"})`,
		}}
		if diff := cmp.Diff(want, c.Metrics[1].Grouped); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if !slices.ContainsFunc(c.Notes, func(n string) bool {
			return strings.HasPrefix(n, `metric "share" is judged without history: its query cannot be divided by pod: scalar(…)`)
		}) {
			t.Errorf("notes: %q", c.Notes)
		}
	}
}
