package config

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog"
)

// checksOnly is a config whose metric checks the given tests.
func checksOnly(baseline, synthetics string) string {
	return "provider: datadog\nbaseline: " + baseline + "\ncanary: {service: shop-canary}\nmetrics:\n" +
		"  - name: journey\n    checks: {synthetics: " + synthetics + "}\n    tolerance: 10pt\n"
}

const concurrent = "{service: shop}"

func TestSyntheticsBecomeQueries(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, baseline, synthetics string
		want                       map[string][]string // baseline's and canary's failed runs, by metric
	}{
		{"tests of each arm", concurrent, "{baseline: [abc-def-ghi], canary: [jkl-mno-pqr]}", map[string][]string{
			"journey": {`synthetics("abc-def-ghi").failed()`, `synthetics("jkl-mno-pqr").failed()`},
		}},
		{"several", concurrent, "{baseline: [abc-def-ghi, 111-111-111], canary: [jkl-mno-pqr, 222-222-222]}", map[string][]string{
			"journey (jkl-mno-pqr)": {`synthetics("abc-def-ghi").failed()`, `synthetics("jkl-mno-pqr").failed()`},
			"journey (222-222-222)": {`synthetics("111-111-111").failed()`, `synthetics("222-222-222").failed()`},
		}},
		{"locations", concurrent, "{tests: [abc-def-ghi], locations: {baseline: 'aws:eu-central-1', canary: 'pl:canary-01'}}", map[string][]string{
			"journey": {`synthetics("abc-def-ghi").location("aws:eu-central-1").failed()`, `synthetics("abc-def-ghi").location("pl:canary-01").failed()`},
		}},
		{"started", concurrent, "[abc-def-ghi], trigger: {canary: {start_url: 'https://canary.example/$$a', variables: {HOST: 'b&c'}}, locations: ['aws:a', 'aws:b']}", map[string][]string{
			"journey": {
				`synthetics("abc-def-ghi").triggered({"locations":["aws:a","aws:b"]}).failed()`,
				`synthetics("abc-def-ghi").triggered({"start_url":"https://canary.example/$a","variables":{"HOST":"b&c"},"locations":["aws:a","aws:b"]}).failed()`,
			},
		}},
		{"started from locations of each arm", concurrent, "{tests: [abc-def-ghi], locations: {baseline: 'aws:a', canary: 'pl:b'}}, trigger: {}", map[string][]string{
			"journey": {`synthetics("abc-def-ghi").triggered({"locations":["aws:a"]}).failed()`, `synthetics("abc-def-ghi").triggered({"locations":["pl:b"]}).failed()`},
		}},
		{"tests of each arm, started", concurrent, "{baseline: [abc-def-ghi], canary: [jkl-mno-pqr]}, trigger: {every: 2m}", map[string][]string{
			"journey": {`synthetics("abc-def-ghi").triggered({}).failed()`, `synthetics("jkl-mno-pqr").triggered({}).failed()`},
		}},
		{"before and after", "{offset: 1d}", "[abc-def-ghi]", map[string][]string{
			"journey": {`synthetics("abc-def-ghi").failed()`, `synthetics("abc-def-ghi").failed()`},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := parse(checksOnly(tt.baseline, tt.synthetics), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			// A replay reads the document, and must come to the same.
			again, err := Parse("recorded", c.Document, Options{Types: types(), Literal: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []*Config{c, again} {
				got := map[string][]string{}
				for _, m := range c.Metrics {
					for _, arm := range providers.Arms {
						got[m.Name] = append(got[m.Name], m.Queries[providers.Bad][arm])
						failed, runs := m.Queries[providers.Bad][arm], m.Queries[providers.Total][arm]
						if strings.ReplaceAll(failed, "failed", "runs") != runs {
							t.Errorf("%s of %s", failed, runs)
						}
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
}

func TestSyntheticsMistakes(t *testing.T) {
	t.Parallel()
	for synthetics, want := range map[string]string{
		"[abc-def-ghi]": "6:26: both arms read the same runs; give each arm a test of its own",
		"{baseline: [abc-def-ghi], canary: [abc-def-ghi]}":                        "both arms read the same runs",
		"{tests: [abc-def-ghi], locations: {baseline: 'aws:a', canary: 'aws:a'}}": "both arms read the same runs",
		"[]":                               "the list of tests is empty",
		"abc-def-ghi":                      "want a mapping",
		"[shop]":                           `6:27: "shop" is no public id of a test; they look like abc-def-ghi`,
		"['abc-def-gh\")']":                "is no public id",
		"{baseline: [abc-def-ghi]}":        "1 tests for the baseline, 0 for the canary",
		"{canary: [abc-def-ghi], base: 1}": `unknown key "base"; valid: baseline, canary, tests, tag, locations`,
		"{baseline: [abc-def-ghi, abc-def-ghi], canary: [abc-def-gh1, abc-def-gh2]}": "the test abc-def-ghi is there twice",
		"{tests: [abc-def-ghi]}":                                                                       "both arms read the same runs",
		"{locations: {baseline: 'aws:a', canary: 'aws:b'}}":                                            "locations belong to tests",
		"{tests: [abc-def-ghi], locations: {baseline: 'aws:a'}}":                                       "the location of the canary is missing",
		"{tests: [abc-def-ghi], locations: {baseline: 'aws:a', canary: 'a\")'}}":                       "is no location",
		"{tests: [abc-def-ghi], baseline: [abc-def-ghi], locations: {baseline: 'aws:a', canary: 'a'}}": "not both",
		"{}":                         "no tests are named",
		"[abc-def-ghi], trigger: {}": "6:50: both arms' runs go to the same place",
		"[abc-def-ghi], trigger: {canary: {start_url: canary.example}}":                                           "6:71: start_url: want an address such as https://canary.example.com",
		"[abc-def-ghi], trigger: {canary: {start_url: 'https://me:hunter2@canary.example'}}":                      "leave the user and the password to the test in Datadog",
		"[abc-def-ghi], trigger: {canary: {start_url: 'https://c.example'}, every: 45s}":                          "every must be a whole number of steps of 30s",
		"[abc-def-ghi], trigger: {canary: {start_url: 'https://c.example'}, every: 2h}":                           "every is longer than the window",
		"[abc-def-ghi], trigger: {canary: {start_url: 'https://c.example'}, locations: ['a b']}":                  `"a b" is no location`,
		"[abc-def-ghi], trigger: {canary: {start_url: 'https://c.example'}, locations: ['aws:a', 'aws:a']}":       `"aws:a" is no location, or there twice`,
		"[abc-def-ghi], trigger: {canary: {start_url: 'https://c.example'}, retries: 2}":                          `unknown key "retries"`,
		"{tests: [abc-def-ghi], locations: {baseline: 'aws:a', canary: 'pl:b'}}, trigger: {locations: ['aws:a']}": "the locations are said under synthetics already",
		"{baseline: [abc-def-ghi, 111-111-111], canary: [jkl-mno-pqr, 222-222-222]}, trigger: {every: 45s}":       "every must be a whole number of steps",
		"{baseline: [abc-def-ghi], canary: [jkl-mno-pqr]}, runs: 'sum:x{$arm}.as_count()'":                        "give synthetics or queries, not both",
		"{baseline: [abc-def-ghi], canary: [jkl-mno-pqr]}, failed: 'sum:x{$arm}.as_count()'":                      "give synthetics or queries, not both",
	} {
		t.Run(synthetics, func(t *testing.T) {
			t.Parallel()
			_, err := parse(checksOnly(concurrent, synthetics), nil, nil)
			if err == nil || strings.Count(err.Error(), want) != 1 || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want %q once", err, want)
			}
		})
	}
	text := strings.Replace(checksOnly(concurrent, "{baseline: [abc-def-ghi], canary: [jkl-mno-pqr]}"), "provider: datadog", "provider: prometheus", 1)
	if _, err := parse(text, nil, nil); err == nil || !strings.Contains(err.Error(), "prometheus has no synthetic tests; write provider: datadog") {
		t.Errorf("with Prometheus: %v", err)
	}
	// Of a test that is started twice for an arm the runs could not be told apart.
	aimed := strings.Replace(checksOnly(concurrent, "[abc-def-ghi], trigger: {canary: {start_url: 'https://c.example'}}"), "name: journey", "name: first", 1)
	_, metric, _ := strings.Cut(aimed, "metrics:\n")
	if _, err := parse(aimed+strings.Replace(metric, "first", "second", 1), nil, nil); err == nil || !strings.Contains(err.Error(), `9:50: the test abc-def-ghi is started for the canary by the metric "first" already`) {
		t.Errorf("started twice: %v", err)
	}
	if _, err := parse(strings.Replace(aimed, concurrent, "{offset: 1d}", 1), nil, nil); err == nil || !strings.Contains(err.Error(), "runs are started now, and the baseline lies back in time") {
		t.Errorf("with an offset: %v", err)
	}
	if _, err := parse(strings.Replace(aimed, "synthetics: [abc-def-ghi]", "failed: x, runs: y", 1), nil, nil); err == nil || !strings.Contains(err.Error(), "trigger starts synthetic tests; name them") {
		t.Errorf("without tests: %v", err)
	}
	// What is wrong with one of several is shown where it stands.
	text = checksOnly(concurrent, "{baseline: [abc-def-ghi, 111-111-111], canary: [jkl-mno-pqr, 222-222-222]}") + "    unit: s\n"
	if _, err := parse(text, nil, nil); err == nil || !strings.Contains(err.Error(), "8:11: unit means nothing for checks") {
		t.Errorf("a unit: %v", err)
	}
	text = strings.Replace(text, "unit: s", "direction: decrease", 1)
	if _, err := parse(strings.Replace(text, "checks: {synthetics", "checks: {failed: x, passed: y, nothing", 1), nil, nil); err == nil {
		t.Error("nonsense is accepted")
	}
}

// The tests of a tag are named by their ids, also for the replay, which looks nothing up.
func TestTagsBecomeTests(t *testing.T) {
	t.Parallel()
	const locations = "{tag: 'team:shop', locations: {baseline: 'aws:a', canary: 'pl:b'}}"
	for _, tt := range []struct {
		name, synthetics string
		ids              []string
		err              error
		want             map[string]string // the canary's failed runs, by metric
		problem          string
	}{
		{"two", locations, []string{"abc-def-ghi", "jkl-mno-pqr"}, nil, map[string]string{
			"journey (abc-def-ghi)": `synthetics("abc-def-ghi").location("pl:b").failed()`,
			"journey (jkl-mno-pqr)": `synthetics("jkl-mno-pqr").location("pl:b").failed()`,
		}, ""},
		{"one, started", "{tag: 'team:shop'}, trigger: {canary: {variables: {A: b}}}", []string{"abc-def-ghi"}, nil, map[string]string{
			"journey": `synthetics("abc-def-ghi").triggered({"variables":{"A":"b"}}).failed()`,
		}, ""},
		{"none", locations, nil, nil, nil, "6:32: no synthetic test has the tag team:shop"},
		{"an error", locations, nil, errors.New("no network"), nil, "6:32: no network"},
		{"too many", locations, make([]string, 51), nil, nil, "6:32: 51 synthetic tests have the tag team:shop"},
	} {
		options := Options{Types: types(), Env: map[string]string{"DD_API_KEY": "key"}, Tagged: func(provider string, settings any, tag string, paused bool) ([]string, error) {
			if provider != "datadog" || tag != "team:shop" || paused != strings.Contains(tt.synthetics, "trigger") || settings.(*datadog.Settings).APIKey != "key" {
				t.Errorf("%s: asked %s for %s", tt.name, provider, tag)
			}
			return tt.ids, tt.err
		}}
		c, err := Parse("canary.yaml", []byte(checksOnly(concurrent, tt.synthetics)), options)
		if tt.problem != "" {
			if err == nil || !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		again, err := Parse("recorded", c.Document, Options{Types: types(), Literal: true})
		if err != nil {
			t.Errorf("%s: %v in %s", tt.name, err, c.Document)
			continue
		}
		for _, c := range []*Config{c, again} {
			got := map[string]string{}
			for _, m := range c.Metrics {
				got[m.Name] = m.Queries[providers.Bad][providers.Canary]
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tt.name, diff)
			}
		}
	}
	// Where nothing is looked up, the tag is told, and nobody is asked for a faulty config.
	c, err := parse(checksOnly(concurrent, locations), nil, nil)
	if err != nil || len(c.Metrics) != 0 || !slices.Equal(c.Tags, []string{"team:shop"}) {
		t.Errorf("not looked up: %v, %+v", err, c)
	}
	asked := Options{Types: types(), Tagged: func(string, any, string, bool) ([]string, error) {
		t.Error("a faulty config asks")
		return nil, nil
	}}
	if _, err := Parse("canary.yaml", []byte(checksOnly("{}", locations)+"nonsense: 1\n"), asked); err == nil {
		t.Error("nonsense is accepted")
	}
}
